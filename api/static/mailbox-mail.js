// The mailbox's open mail: shows the mail that the page's address selects. Its HTML is shown in a sandboxed frame.

const LONGEST_TEXT = 500_000; // maximum characters shown; "Open in a new tab" shows the whole text
const TABS = ["html", "text", "source", "attachments"];
const phone = matchMedia("(max-width: 720px)");

// The mail and tab that the address selects: #id, or #id/tab.
function chosen() {
  const [, id, tab] = /^#([0-9a-f]{20})(?:\/([a-z]+))?$/.exec(location.hash) ?? [];
  return { id, tab: TABS.includes(tab) ? tab : undefined };
}

function mark(li) {
  const link = li.firstElementChild;
  if (li.dataset.id === chosen().id) link.setAttribute("aria-current", "true");
  else link.removeAttribute("aria-current");
}

let opened = null; // the mail on display
let turn = 0; // counts openings, so that a late response is dropped
async function show() {
  const { id, tab } = chosen();
  const mine = ++turn;
  rows.forEach(mark);
  arrange();
  if (!id) {
    opened = null;
    the("panel").replaceChildren();
    return;
  }
  if (opened?.id !== id) {
    try {
      const mail = await json(`${ROOT}/mailbox/mails/${id}`);
      if (mine !== turn) return;
      opened = mail;
    } catch (problem) {
      if (mine === turn) missing(problem);
      return;
    }
    if (fresh.delete(id)) updateCounts();
    rows.get(id)?.classList.remove("fresh");
    describe(opened);
    if (phone.matches) the("subject").focus();
  }
  choose(available(opened).includes(tab) ? tab : available(opened)[0]);
}

function missing(problem) {
  opened = null;
  the("subject").textContent = problem.status === 404 ? "This mail is gone" : "This mail can't be shown";
  the("about").replaceChildren();
  the("tabs").hidden = true;
  the("panel").replaceChildren(element("p", { class: "plain" }, problem.message));
}

const available = (mail) =>
  TABS.filter((tab) => ({ html: mail.html, text: mail.text, source: true, attachments: mail.attachments.length })[tab]);

function describe(mail) {
  the("subject").textContent = mail.subject || "(no subject)";
  const facts = [["From", mail.sender], ["To", mail.to], ["Cc", mail.headers.cc], ["Reply to", mail.headers["reply-to"]],
    ["Arrived", `${new Date(mail.arrived_at).toLocaleString()}, ${bytes(mail.size)}`]];
  the("about").replaceChildren(...facts.filter(([, value]) => value).flatMap(([name, value]) =>
    [element("dt", {}, name), element("dd", { dir: "auto" }, value)]));
  the("tabs").hidden = false;
  for (const tab of TABS) the(`tab-${tab}`).hidden = !available(mail).includes(tab);
  the("tab-attachments").textContent = `Attachments (${mail.attachments.length})`;
}

function choose(tab) {
  for (const each of TABS) {
    the(`tab-${each}`).setAttribute("aria-selected", each === tab);
    the(`tab-${each}`).tabIndex = each === tab ? 0 : -1;
  }
  const path = `${ROOT}/mailbox/mails/${opened.id}/${tab}`;
  the("panel").setAttribute("aria-labelledby", `tab-${tab}`);
  the("alone").hidden = tab === "attachments";
  the("alone").href = path;
  if (tab === "html") {
    the("panel").replaceChildren(element("iframe", {
      sandbox: "allow-popups allow-popups-to-escape-sandbox",
      referrerpolicy: "no-referrer",
      title: "The mail's HTML",
      src: path,
    }));
  } else if (tab === "attachments") {
    the("panel").replaceChildren(element("ul", {}, ...opened.attachments.map((file) =>
      element("li", {}, element("a", { href: `${path}/${file.number}` }, file.name),
        element("small", {}, `${file.media_type}, ${bytes(file.size)}`)))));
  } else {
    read(path, tab === "text");
  }
}

async function read(path, withLinks) {
  const mine = turn;
  const shown = element("pre", { tabindex: "0", dir: "auto" });
  the("panel").replaceChildren(shown);
  const text = await ask(path).then((answer) => answer.text(), (problem) => problem.message);
  if (mine !== turn) return;
  const begin = text.slice(0, LONGEST_TEXT);
  shown.append(...(withLinks ? linked(begin) : [begin]));
  if (text.length > LONGEST_TEXT) shown.append("\n… and more: open it in a new tab to see the whole text");
}

function linked(text) {
  // the parts at odd indexes are what the pattern matched
  return text.split(/(https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]])/).map((part, place) =>
    place % 2 ? element("a", { href: part, target: "_blank", rel: "noreferrer" }, part) : part);
}
