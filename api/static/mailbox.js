// The mailbox's keys and buttons, and the start of the page. Needs mailbox-list.js and mailbox-mail.js.

const JOB = { operation: "sum", value: 30, other: 10, email: "name@email.com" };

// --- keys

function move(step) {
  const focused = document.activeElement?.closest?.("#rows li") ?? rows.get(chosen().id);
  const li = focused ? (step > 0 ? focused.nextElementSibling : focused.previousElementSibling) : the("rows").firstElementChild;
  if (step > 0 && !li?.nextElementSibling) older();
  if (!li) return;
  if (phone.matches && chosen().id) location.hash = li.dataset.id;
  else li.firstElementChild.focus();
}

function moveTab(step) {
  const tabs = available(opened);
  const place = tabs.findIndex((tab) => the(`tab-${tab}`) === document.activeElement);
  const tab = tabs[(place + step + tabs.length) % tabs.length];
  the(`tab-${tab}`).focus();
  history.replaceState(null, "", `#${opened.id}/${tab}`);
  show();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || the("sure").open) return;
  const where = document.activeElement;
  const inList = where === document.body || where.closest("#rows");
  const onTab = where.closest("[role=tab]");
  const acts = {
    j: () => move(1),
    k: () => move(-1),
    ArrowDown: inList && (() => move(1)),
    ArrowUp: inList && (() => move(-1)),
    ArrowRight: onTab && (() => moveTab(1)),
    ArrowLeft: onTab && (() => moveTab(-1)),
    Escape: chosen().id && back,
  };
  if (!Object.hasOwn(acts, event.key) || !acts[event.key]) return;
  event.preventDefault();
  acts[event.key]();
});

function back() {
  const { id } = chosen();
  location.hash = "";
  show();
  rows.get(id)?.firstElementChild.focus();
}

// --- buttons

for (const tab of TABS) {
  the(`tab-${tab}`).addEventListener("click", () => {
    history.replaceState(null, "", `#${opened.id}/${tab}`);
    show();
  });
}
the("older").addEventListener("click", older);
new IntersectionObserver((seen) => seen.some((each) => each.isIntersecting) && older(), { root: the("list"), rootMargin: "400px" })
  .observe(the("older"));

the("clear").addEventListener("click", () => {
  the("question").textContent = `Delete ${counted(total, "mail")} for good?`;
  the("sure").returnValue = "no";
  the("sure").showModal();
});
the("sure").addEventListener("close", async () => {
  if (the("sure").returnValue !== "yes") return;
  try {
    await ask(`${ROOT}/mailbox/mails`, { method: "DELETE" });
    location.hash = "";
    await load();
  } catch {
    live(false);
  }
});

const body = JSON.stringify(JOB);
the("example").textContent =
  `curl ${location.origin}${ROOT}/compute -H 'Content-Type: application/json' \\\n  -d '${body}'`;
the("try").addEventListener("click", async () => {
  const headers = { "Content-Type": "application/json" };
  const message = await ask(`${ROOT}/compute`, { method: "POST", headers, body }).then(
    () => "Accepted. The first mail is on its way.", (problem) => problem.message);
  the("tried").textContent = message;
});

window.addEventListener("hashchange", show);
live(true);
load();
listen();
show();
