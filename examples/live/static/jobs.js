// The list of jobs: what the API lists, and over it what the web socket has told since.

const ROOT = document.currentScript.dataset.root; // "" unless the API is behind a path
const MOST = 50;
const PAUSE_MS = 1000;
const the = (id) => document.getElementById(id);
const rows = new Map(); // by the ids of the jobs
const told = new Map(); // what events said of each job, which may be newer than what is listed
let timer, drawing, wanted = false, looked = -PAUSE_MS;

function hear({ event, id, status, progress, message, line }) {
  const news = { status: { status }, progress: { part: progress, text: message }, log: { text: line } }[event];
  told.set(id, { ...told.get(id), ...news });
  if (told.size > 20 * MOST) told.delete(told.keys().next().value); // that of the oldest
  if (!rows.has(id)) listSoon(); // its operation isn't known yet
  drawing ??= requestAnimationFrame(draw);
}

function draw() {
  drawing = null;
  told.forEach((news, id) => rows.has(id) && fill(rows.get(id), news));
}

function listSoon() {
  if (timer) wanted = true; // it is listed once more, after this
  else timer = setTimeout(list, Math.max(0, looked + PAUSE_MS - performance.now()));
}

async function list() {
  wanted = false;
  looked = performance.now();
  try {
    show((await ask(`${ROOT}/jobs?limit=${MOST}`)).jobs);
  } catch (problem) {
    tell(problem);
    wanted = true;
  }
  timer = null;
  if (wanted) listSoon();
}

function show(jobs) {
  const there = new Set(jobs.map((job) => job.id));
  rows.forEach((row, id) => there.has(id) || (rows.delete(id), row.remove()));
  for (const job of [...jobs].reverse()) {
    if (!rows.has(job.id)) add(job);
    const { id, status, progress } = job;
    fill(rows.get(id), { status, part: progress?.progress, text: progress?.message, ...told.get(id) });
  }
  the("none").hidden = jobs.length > 0;
}

function add({ id, operation }) {
  const row = the("row").content.firstElementChild.cloneNode(true);
  row.querySelector("a").textContent = operation;
  row.querySelector("a").href = `${ROOT}/jobs/${id}`;
  rows.set(id, row);
  the("jobs").prepend(row);
}

function fill(row, { status, part, text }) {
  const state = row.querySelector("span"), bar = row.querySelector("progress");
  if (status) state.textContent = row.dataset.status = status;
  if (part !== undefined && part !== null) bar.value = part;
  if (text) row.lastElementChild.textContent = text;
}

async function ask(path, options) {
  const answer = await fetch(path, { cache: "no-store", ...options });
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.detail);
  return body;
}

function tell(problem) {
  the("told").textContent = problem instanceof TypeError ? "The server can't be reached." : problem?.message ?? "";
}
