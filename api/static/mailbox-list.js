// The mailbox's list: shows /mailbox/mails, and fetches it again when /mailbox/events reports a change. Everything that
// comes from a mail is inserted as text. mailbox-mail.js shows one mail; mailbox.js has the keys and buttons.

// Path below which this page reaches the API, as a proxy may have added one; "" if none has.
const ROOT = document.currentScript.dataset.root;
const PAGE = 50;
const AGAIN_MS = 5000;
const TITLE = "Mailbox · Errand";

const the = (id) => document.getElementById(id);

let mails = []; // the mails in the list, the newest first
let total = 0;
let next = null; // cursor of the next page
let known = false; // whether the list has been loaded
const rows = new Map(); // id to its <li>
const fresh = new Set(); // ids of mails that arrived while this page was open and were not opened yet

// --- requests

async function ask(path, options) {
  const answer = await fetch(path, options);
  if (!answer.ok) {
    const problem = await answer.json().catch(() => ({}));
    throw Object.assign(new Error(problem.detail ?? `The server answered with status ${answer.status}.`), { status: answer.status });
  }
  return answer;
}

const json = async (path) => (await ask(path)).json();

// Loads the list, once at a time; a call during a load starts another load after it.
let loadingList = null;
let loadAgain = false;
function load() {
  if (loadingList) {
    loadAgain = true;
    return loadingList;
  }
  loadingList = loadFirstPage().catch(() => live(false)).finally(() => {
    loadingList = null;
    if (loadAgain) {
      loadAgain = false;
      load();
    }
  });
  return loadingList;
}

async function loadFirstPage() {
  const page = await json(`${ROOT}/mailbox/mails?limit=${PAGE}`);
  const arrived = page.mails.filter((mail) => !rows.has(mail.id));
  const continues = known && arrived.length + total === page.total && arrived.length < PAGE;
  if (known) for (const mail of arrived) fresh.add(mail.id);
  if (continues && mails.length) {
    mails = [...arrived, ...mails];
    the("rows").prepend(...arrived.map(row));
  } else {
    rows.clear();
    mails = page.mails;
    next = page.next;
    const focused = document.activeElement?.closest?.("#rows li")?.dataset.id;
    the("rows").replaceChildren(...mails.map(row));
    for (const id of fresh) if (!rows.has(id)) fresh.delete(id);
    if (focused) (rows.get(focused) ?? the("rows").firstElementChild)?.firstElementChild.focus();
  }
  total = page.total;
  known = true;
  updateCounts();
}

let loading = false;
async function older() {
  if (loading || !next) return;
  loading = true;
  try {
    const page = await json(`${ROOT}/mailbox/mails?limit=${PAGE}&cursor=${next}`);
    const more = page.mails.filter((mail) => !rows.has(mail.id));
    mails.push(...more);
    the("rows").append(...more.map(row));
    next = page.next;
    updateCounts();
  } catch (problem) {
    if (problem.status === 404) {
      known = false; // the list is out of date
      load();
    }
  } finally {
    loading = false;
  }
}

let broken = null;
function listen() {
  broken = null;
  const source = new EventSource(`${ROOT}/mailbox/events`);
  source.addEventListener("mails", (event) => {
    live(true);
    const state = JSON.parse(event.data);
    if (!known || state.total !== total || state.newest !== (mails[0]?.id ?? null)) load();
  });
  source.addEventListener("error", () => {
    live(false);
    if (source.readyState === EventSource.CLOSED) broken ??= setTimeout(() => (load(), listen()), AGAIN_MS);
  });
}

// --- display

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function row(mail) {
  const sign = mail.attachments ? ` · ${counted(mail.attachments, "file")}` : "";
  const made = element("li", { "data-id": mail.id },
    element("a", { href: `#${mail.id}` },
      element("span", { class: "from", dir: "auto" }, mail.sender || "(no sender)"),
      element("time", { datetime: mail.arrived_at, title: new Date(mail.arrived_at).toLocaleString() }, moment(mail.arrived_at)),
      element("span", { class: "subject", dir: "auto" }, mail.subject || "(no subject)"),
      element("span", { class: "to", dir: "auto" }, `to ${mail.to || "(nobody)"}`),
      element("span", { class: "size" }, `${bytes(mail.size)}${sign}`)));
  made.classList.toggle("fresh", fresh.has(mail.id));
  rows.set(mail.id, made);
  mark(made);
  return made;
}

const counted = (number, thing) => `${number.toLocaleString()} ${thing}${number === 1 ? "" : "s"}`;

function moment(iso) {
  const then = new Date(iso);
  if (then.toDateString() === new Date().toDateString()) return then.toLocaleTimeString();
  return then.toLocaleDateString(undefined, { day: "numeric", month: "short", year: "numeric" });
}

function bytes(number) {
  if (number < 1000) return `${number} B`;
  return number < 1_000_000 ? `${(number / 1000).toFixed(1)} KB` : `${(number / 1_000_000).toFixed(1)} MB`;
}

function updateCounts() {
  the("count").textContent = known ? counted(total, "mail") : "";
  document.title = known ? `${fresh.size ? `(${fresh.size} new) ` : ""}${counted(total, "mail")} · Errand` : TITLE;
  the("clear").hidden = !total;
  the("list").hidden = !total;
  the("older").hidden = !next;
  arrange();
}

function arrange() {
  const reading = Boolean(chosen().id);
  document.body.classList.toggle("reading", reading);
  the("mail").hidden = !reading;
  the("empty").hidden = !known || total > 0 || reading;
  the("none").hidden = !total || reading;
}

function live(yes) {
  the("live").hidden = yes;
}
