// A plug-in of Swagger UI: the search, and the switch for the examples. Each word must be in an operation's method, path,
// name, summary, description or group.

const foldCase = (text) => String(text ?? "").toLowerCase();
const wordsOf = (phrase) => foldCase(phrase).split(/\s+/).filter(Boolean);

function matches(words, operation, group) {
  const described = operation.get("operation");
  const texts = ["operationId", "summary", "description"].map((field) => described.get(field));
  const text = foldCase([operation.get("method"), operation.get("path"), group, ...texts].join(" "));
  return words.every((word) => text.includes(word));
}

function filteredGroups(groups, phrase) {
  const words = wordsOf(phrase);
  return groups
    .map((group, name) => group.update("operations", (all) => all.filter((each) => matches(words, each, name))))
    .filter((group) => group.get("operations").size);
}

const sizeOf = (groups) => groups.reduce((sum, group) => sum + group.get("operations").size, 0);

// The tool bar above the operations.
function toolBar({ React }) {
  const el = React.createElement;
  return ({ layoutSelectors, layoutActions, specSelectors }) => {
    const filter = layoutSelectors.currentFilter();
    const phrase = typeof filter === "string" ? filter : "";
    const found = sizeOf(specSelectors.taggedOperations());
    const said = phrase.trim() ? (found ? `${found} found` : "Nothing found") : "";
    return el("div", { className: "tools wrapper" },
      el("input", {
        id: "search", type: "search", value: phrase, placeholder: "Search paths and summaries ( / )",
        "aria-label": "Search operations", autoComplete: "off", spellCheck: false,
        onChange: (event) => layoutActions.updateFilter(event.target.value || true),
        onKeyDown: (event) => event.key === "Escape" && layoutActions.updateFilter(true),
      }),
      el("output", { htmlFor: "search", role: "status" }, said),
      el(ExamplesSwitch(React), { specSelectors }));
  };
}

// The switch for the examples; there is none if the deployment has no examples.
let examplesSwitch = null;
function ExamplesSwitch(React) {
  examplesSwitch ??= ({ specSelectors }) => {
    const shown = specSelectors.specJson();
    const isOn = showsExamples();
    if (!isOn && !shown.get("x-examples")) return null;
    return React.createElement("label", { className: "switch" },
      React.createElement("input", { type: "checkbox", checked: isOn, onChange: () => switchExamples(!isOn) }),
      "Show examples");
  };
  return examplesSwitch;
}

async function switchExamples(isOn) {
  remember(SHOW_EXAMPLES, String(isOn));
  const address = new URL(location.href);
  address.searchParams.delete("examples");
  if (isOn) address.searchParams.set("examples", "true");
  history.replaceState(null, "", address);
  await showDocument();
}

// The title above the first example, and every group open while a search is on.
const groupComponent = (Group, { React, specSelectors }) => (shown) => {
  const isExample = (group) => group?.getIn(["tagDetails", "x-example"]);
  const first = specSelectors.taggedOperations().findKey(isExample);
  const isSearched = typeof shown.layoutSelectors.currentFilter() === "string";
  const layoutSelectors = isSearched ? { ...shown.layoutSelectors, isShown: () => true } : shown.layoutSelectors;
  const group = React.createElement(Group, { ...shown, layoutSelectors });
  if (shown.tag !== first) return group;
  return React.createElement(React.Fragment, null,
    React.createElement("h2", { className: "examples-title" }, "Examples"),
    React.createElement("p", { className: "examples-note" },
      "Routes of the plug-ins in the folder examples/, which make run switches on. They are no part of Errand's API."),
    group);
};

const searching = (system) => ({
  fn: { opsFilter: filteredGroups },
  components: { FilterContainer: toolBar(system) },
  wrapComponents: {
    OperationTag: groupComponent,
    operations: (Operations, { React, specSelectors }) => (shown) =>
      specSelectors.taggedOperations().size
        ? React.createElement(Operations, shown)
        : React.createElement("p", { className: "nothing wrapper" }, "No operation has all of these words."),
  },
});

// "/" leads to the search from everywhere but a field.
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  event.preventDefault();
  document.getElementById("search")?.focus();
});
