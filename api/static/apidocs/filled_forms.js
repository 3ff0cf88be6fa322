// A plug-in of Swagger UI: fills the fields that name something that exists, such as a job, so that each form can be sent
// as it opens. A parameter's `x-example-from` says where its value comes from (docs/extending.md):
//
//   look  {get, each, at, where, then, match}: a GET request, and where its answer has the value; asked when the form opens
//   make  {post or put, body, headers, at, look, until, note}: a request that makes such a thing; sent only if Execute is
//         pressed while the field is empty; `{random}` in it is the same few letters throughout
//
// A form that changes or deletes something has no `look`: it never opens with the id of a job that someone waits for.

const AGAIN_MS = 250;
const AGAIN_TIMES = 60;
const FROM = "x-example-from";

async function ask(method, path, body, headers) {
  const sent = body && { body: JSON.stringify(body), headers: { "Content-Type": "application/json", ...headers } };
  const answer = await fetch(new URL(path.replace(/^\//, ""), API), { method, ...sent });
  if (!answer.ok) throw new Error(`${method} ${path} was answered with status ${answer.status}.`);
  return answer.text();
}

// Asks until there is a value; the worker, or the mail server, may need a moment.
async function patiently(question) {
  for (let times = 0; times < AGAIN_TIMES; times += 1) {
    const found = await question();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
  throw new Error("It did not appear in time.");
}

// Returns the value at a JSON pointer, undefined if there is none.
const valueAt = (value, pointer) => pointer.split("/").slice(1).reduce((found, step) => found?.[step], value);

// Returns the first value that there is, as text; undefined if there is none.
async function lookFor({ get, each, at, where = {}, then, match }) {
  const items = valueAt(JSON.parse(await ask("GET", get)), each) ?? [];
  const wanted = items.filter((item) => Object.entries(where).every(([field, value]) => item[field] === value));
  for (const item of wanted) {
    const value = String(valueAt(item, at));
    const found = then ? (await ask("GET", then.replace("{}", value))).match(new RegExp(match, "s"))?.[1] : value;
    if (found !== undefined) return found;
  }
  return undefined;
}

// Makes one, and returns its value: from the answer, or by looking until it is there.
async function makeOne(source) {
  const random = Math.random().toString(36).slice(2, 10);
  const { look, make } = JSON.parse(JSON.stringify(source).replaceAll("{random}", random));
  const known = await (look && lookFor(look));
  if (known !== undefined) return known;
  if (make.look) await lookFor(make.look); // where nothing can be looked at, nothing is made
  const [method, path] = make.put ? ["PUT", make.put] : ["POST", make.post];
  const answer = await ask(method, path, await completed(make.body), make.headers);
  const whence = make.look ?? (make.at ? null : look);
  if (whence) return patiently(() => lookFor(whence));
  const value = make.at ? String(valueAt(JSON.parse(answer), make.at)) : answer;
  if (make.until) await patiently(() => isSo(make.until, value));
  return value;
}

// Returns true once a GET is answered, with a text that matches; undefined before.
async function isSo({ get, match = "" }, value) {
  const text = await ask("GET", get.replace("{}", value)).catch(() => null);
  return text !== null && new RegExp(match).test(text) ? true : undefined;
}

// Returns a body whose members may come from elsewhere themselves.
async function completed(body) {
  const members = Object.entries(body).map(async ([name, value]) => [name, value?.[FROM] ? await makeOne(value[FROM]) : value]);
  return Object.fromEntries(await Promise.all(members));
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

// Returns the members of a body that come from elsewhere, as long as the body is the one that the form opened with.
function bodyFrom(operation, body) {
  const content = operation.getIn(["requestBody", "content", "application/json"]);
  if (!content?.has(FROM) || indentedJson(body ?? "") !== content.getIn(["example", EXACT])) return undefined;
  return Object.fromEntries(Object.entries(content.get(FROM).toJS()).map(([name, source]) => [name, { [FROM]: source }]));
}

// Before an Execute with empty fields: makes what they name, fills them, and sends the form.
function executeButton(Execute, { React, specSelectors, specActions, oas3Selectors, oas3Actions }) {
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
      const isAgain = isFilled.current;
      isFilled.current = false;
      const missing = isAgain ? [] : [...(shown.operation.get("parameters") ?? [])].filter(isMissing);
      setFault("");
      const template = isAgain ? undefined : bodyFrom(shown.operation, oas3Selectors.requestBodyValue(...pathMethod));
      if (!missing.length && !template) return;
      event.stopPropagation();
      event.preventDefault();
      const button = event.target;
      try {
        for (const each of missing) {
          const value = await makeOne(each.get(FROM).toJS());
          filled.set(keyOf(pathMethod, each.get("name")), value);
          specActions.changeParamByIdentity(pathMethod, each, value, false);
        }
        if (template) {
          const body = JSON.stringify(await completed(template), null, 2);
          oas3Actions.setRequestBodyValue({ value: body, pathMethod });
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
