// Keeps the page of an unfinished job up to date: fetches it again after each event of the job's stream.
// Without JavaScript, the reader has the link "Reload".

// Milliseconds between two requests: at least, and after a failed one.
const PAUSE_MS = 1000;
const AGAIN_MS = 5000;

const stream = new EventSource(document.querySelector("main").dataset.events);
let timer = null;
let fetchedAt = -PAUSE_MS;

stream.addEventListener("status", soon);
stream.addEventListener("progress", soon);
stream.addEventListener("error", () => {
  if (stream.readyState === EventSource.CLOSED) later(); // refused: too many streams, or the store is down
});

function soon() {
  timer ??= setTimeout(refresh, Math.max(0, fetchedAt + PAUSE_MS - performance.now()));
}

function later() {
  timer ??= setTimeout(refresh, AGAIN_MS);
}

async function refresh() {
  timer = null;
  fetchedAt = performance.now();
  try {
    const answer = await fetch(location.pathname, { headers: { Accept: "text/html" } });
    if (answer.status >= 500) return later();
    show(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch {
    later();
  }
}

function show(page) {
  const fresh = page.querySelector("main");
  const heading = fresh.querySelector("h1").textContent;
  if (heading !== document.querySelector("h1").textContent) document.getElementById("announcement").textContent = heading;
  document.title = page.title;
  document.querySelector("main").replaceWith(fresh);
  if (!fresh.dataset.events) stream.close();
  else if (stream.readyState === EventSource.CLOSED) later();
}
