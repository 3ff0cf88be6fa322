// A plug-in of Swagger UI: fills the parameters that name something that exists, such as a job, so that each form can be
// sent as it opens. A parameter's `x-example-from` says where its value comes from (docs/extending.md):
//
//   look  a GET request, and the place of the value in its answer; asked when the form opens
//   make  a request that makes such a thing; sent only if Execute is pressed while the field is empty
//
// A form that changes or deletes something has no `look`: it never opens with the id of a job that someone waits for.

const LOOK_AGAIN_MS = 250;
const LOOK_AGAIN_TIMES = 60;
const FROM = "x-example-from";

const ask = async (method, path, body, headers = {}) => {
  const sent = body === undefined ? {} : { body: JSON.stringify(body), headers: { "Content-Type": "application/json", ...headers } };
  const answer = await fetch(new URL(path.replace(/^\//, ""), API), { method, ...sent });
  if (!answer.ok) throw new Error(`${method} ${path} answered with status ${answer.status}.`);
  return answer.text();
};

// Lists the values at a JSON pointer; a step `*` stands for each item of a list.
function valuesAt(value, pointer) {
  const steps = pointer.split("/").slice(1);
  return steps.reduce((found, step) => found.flatMap((each) => (step === "*" ? each : each?.[step]) ?? []), [value]);
}

// Returns the first value that there is, as text; undefined if there is none.
async function lookFor({ get, at, then, match }) {
  const values = valuesAt(JSON.parse(await ask("GET", get)), at);
  if (!then) return values.map(String)[0];
  for (const value of values) {
    const found = (await ask("GET", then.replace("{}", value))).match(new RegExp(match, "s"));
    if (found) return found[1];
  }
  return undefined;
}

// Makes one, and returns its value: from the answer, or by looking until it is there.
async function makeOne({ look, make }) {
  const [method, path] = ["post", "put"].flatMap((name) => (make[name] ? [[name.toUpperCase(), make[name]]] : []))[0];
  const answer = await ask(method, path, make.body, make.headers);
  if (make.at) return valuesAt(JSON.parse(answer), make.at).map(String)[0];
  if (!look) return answer;
  for (let times = 0; times < LOOK_AGAIN_TIMES; times += 1) {
    const found = await lookFor(look);
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
  throw new Error("It did not appear in time.");
}

// The values that this page filled in, by form and parameter: it may replace them, but none that was typed.
const filled = new Map();
const keyOf = (pathMethod, name) => [...pathMethod, name].join(" ");

function parameterRow(Row, { React, specSelectors }) {
  return (shown) => {
    const source = shown.rawParam.get(FROM)?.toJS();
    const { pathMethod, rawParam, onChange } = shown;
    const key = keyOf(pathMethod, rawParam.get("name"));
    React.useEffect(() => {
      const current = () => specSelectors.parameterWithMetaByIdentity(pathMethod, rawParam)?.get("value") ?? "";
      if (!source?.look || (current() && current() !== filled.get(key))) return;
      lookFor(source.look).catch(() => undefined).then((value) => {
        if (value === undefined || (current() && current() !== filled.get(key))) return;
        filled.set(key, value);
        onChange(rawParam, value, false);
      });
    }, []);
    if (!source?.make?.note) return React.createElement(Row, shown);
    const description = [shown.param.get("description"), source.make.note].filter(Boolean).join("\n\n");
    return React.createElement(Row, { ...shown, param: shown.param.set("description", description) });
  };
}

// Before an Execute with empty fields: makes what they name, fills them, and sends the form.
function executeButton(Execute, { React, specSelectors, specActions }) {
  return (shown) => {
    const pathMethod = [shown.path, shown.method];
    const [fault, setFault] = React.useState("");
    const isFilled = React.useRef(false);
    const isMissing = (parameter) => {
      const value = specSelectors.parameterWithMetaByIdentity(pathMethod, parameter)?.get("value") ?? "";
      const isUsedUp = !parameter.hasIn([FROM, "look"]) && value === filled.get(keyOf(pathMethod, parameter.get("name")));
      return parameter.hasIn([FROM, "make"]) && (value === "" || isUsedUp);
    };
    const onClickCapture = async (event) => {
      const missing = isFilled.current ? [] : [...(shown.operation.get("parameters") ?? [])].filter(isMissing);
      isFilled.current = false;
      setFault("");
      if (!missing.length) return;
      event.stopPropagation();
      event.preventDefault();
      const button = event.target;
      try {
        for (const each of missing) {
          const value = await makeOne(each.get(FROM).toJS());
          filled.set(keyOf(pathMethod, each.get("name")), value);
          specActions.changeParamByIdentity(pathMethod, each, value, false);
        }
        isFilled.current = true;
        button.click();
      } catch (problem) {
        setFault(`No example could be made for this form. ${problem.message}`);
      }
    };
    return React.createElement("div", { className: "execute-with-example", onClickCapture },
      React.createElement(Execute, shown),
      fault && React.createElement("p", { role: "alert", className: "fault" }, fault));
  };
}

const filledForms = { wrapComponents: { parameterRow, execute: executeButton } };
