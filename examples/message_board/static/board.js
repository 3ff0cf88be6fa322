// The messages: a stream tells that somebody wrote, and they are fetched again. Texts are only ever shown as text.

const ROOT = document.currentScript.dataset.root; // "" unless the API is behind a path
const AGAIN_MS = 3000;
const UNITS = [["day", 86_400], ["hour", 3600], ["minute", 60], ["second", 1]];
const the = (id) => document.getElementById(id);
const rows = new Map(); // by the ids of the messages
let stream, timer;
let looking = false, wanted = false;

async function ask(path, options) {
  const answer = await fetch(path, { cache: "no-store", ...options });
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.detail);
  return body;
}

async function look() {
  wanted = true;
  if (looking) return; // it is done once more, then
  looking = true;
  while (wanted) {
    wanted = false;
    try {
      show((await ask(`${ROOT}/messages`)).messages);
      say(stream.readyState === EventSource.OPEN ? "Live" : "Connecting …");
    } catch {
      say("The board is away, trying again …");
      lookIn(AGAIN_MS);
    }
  }
  looking = false;
}

function lookIn(milliseconds) {
  clearTimeout(timer);
  timer = setTimeout(look, milliseconds);
}

function show(messages) {
  const there = new Set(messages.map((each) => each.id));
  rows.forEach((row, id) => there.has(id) || (rows.delete(id), row.remove()));
  for (const each of [...messages].reverse()) {
    if (!rows.has(each.id)) add(each);
    rows.get(each.id).lastChild.textContent = `${left(each.expires_in)} left`;
  }
  the("none").hidden = messages.length > 0;
  // when the first one expires, or what is left looks different
  lookIn(Math.max(1000, Math.min(30_000, ...messages.map((each) => each.expires_in + 50))));
}

function add({ id, message }) {
  const [row, text, small] = ["li", "p", "small"].map((name) => document.createElement(name));
  text.dir = "auto";
  text.textContent = message;
  row.append(text, small);
  rows.set(id, row);
  the("messages").prepend(row);
}

function left(milliseconds) {
  const seconds = Math.max(1, Math.round(milliseconds / 1000));
  const [unit, length] = UNITS.find(([, length]) => seconds >= length);
  const count = Math.round(seconds / length);
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

function say(text) {
  if (the("state").textContent !== text) the("state").textContent = text; // each change is read aloud
}

(function listen() {
  stream = new EventSource(`${ROOT}/messages/events`);
  stream.addEventListener("message", look);
  stream.addEventListener("open", look); // for what was written while nobody listened
  stream.addEventListener("error", () => {
    look();
    if (stream.readyState === EventSource.CLOSED) setTimeout(listen, AGAIN_MS); // refused: the server is full, or away
  });
})();
