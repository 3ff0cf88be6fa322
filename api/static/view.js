// Keeps the page of an unfinished job up to date: when its stream tells of something, the page is fetched again.
// Without scripts there is the link "Look again".

// At least between two looks, and when one failed.
const PAUSE_MS = 1000;
const AGAIN_MS = 5000;

const stream = new EventSource(document.querySelector("main").dataset.events);
let timer = null;
let looked = -PAUSE_MS;

stream.addEventListener("status", soon);
stream.addEventListener("progress", soon);
stream.addEventListener("error", () => {
  if (stream.readyState === EventSource.CLOSED) later(); // refused: too many streams, or the store is down
});

function soon() {
  timer ??= setTimeout(look, Math.max(0, looked + PAUSE_MS - performance.now()));
}

function later() {
  timer ??= setTimeout(look, AGAIN_MS);
}

async function look() {
  timer = null;
  looked = performance.now();
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
  if (heading !== document.querySelector("h1").textContent) document.getElementById("told").textContent = heading;
  document.title = page.title;
  document.querySelector("main").replaceWith(fresh);
  if (!fresh.dataset.events) stream.close();
  else if (stream.readyState === EventSource.CLOSED) later();
}
