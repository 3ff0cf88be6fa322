// A plug-in of Swagger UI: the request as a command or a program, in curl, Python and JavaScript. A body that a language
// would send otherwise than it stands in the form (9007199254740993 in JavaScript) goes along as text.

const CHOSEN_LANGUAGE = "errand.apidocs.language";
const LANGUAGES = {
  curl: { title: "curl", syntax: "bash", write: curlSample },
  python: { title: "Python", syntax: "python", write: pythonSample },
  javascript: { title: "JavaScript", syntax: "javascript", write: javascriptSample },
};

// What a sample has to say: method, address, headers, body (text or none) and whether the answer is a stream.
function requestOf(request) {
  const headers = Object.entries(request.get("headers")?.toJS() ?? {}).filter(([name]) => !isAnyType(name, request));
  const body = request.get("body");
  return {
    method: request.get("method").toUpperCase(),
    url: request.get("url"),
    headers,
    body: body === undefined || body === null || body === "" ? null : bodyText(body),
    isStream: headers.some(([name, value]) => /^accept$/i.test(name) && /event-stream/.test(value)),
  };
}

const isAnyType = (name, request) => /^accept$/i.test(name) && request.getIn(["headers", name]) === "*/*";

// The body as it is sent; Swagger UI keeps a form as a map.
const bodyText = (body) => (body.toJS ? new URLSearchParams(body.toJS()).toString() : String(body));

// --- curl

const shellText = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

function curlSample({ method, url, headers, body, isStream }) {
  const isPlain = method === "GET" || (method === "POST" && body !== null);
  return [
    `curl ${isStream ? "-N " : ""}${isPlain ? "" : `-X ${method} `}${shellText(url)}`,
    ...headers.map(([name, value]) => `  -H ${shellText(`${name}: ${value}`)}`),
    ...(body === null ? [] : [`  --data-raw ${shellText(body)}`]),
  ].join(" \\\n");
}

// --- Python

// A Python string; Python has no escapes for a pair of surrogates, but reads the character itself.
function pythonText(text) {
  const escaped = JSON.stringify(text).replace(/[\u007f-\u009f\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
  return escaped;
}

const PYTHON_WORDS = { true: "True", false: "False", null: "None" };

// Writes JSON as a Python literal, or returns null if Python would send something else.
function pythonLiteral(text) {
  const tokens = tokensOf(text);
  const isSame = (token) => !isNumber(token) || (/^-?[0-9]{1,4000}$/.test(token) && token !== "-0") || isDouble(token);
  if (!tokens.every(isSame) || hasRepeatedKey(text)) return null;
  return indented(tokens.map((token) => (token[0] === '"' ? pythonText(JSON.parse(token)) : PYTHON_WORDS[token] ?? token)));
}

function pythonSample({ method, url, headers, body, isStream }) {
  const literal = body !== null && isJson(body) ? pythonLiteral(body) : null;
  const isImplied = ([name]) => literal !== null && /^content-type$/i.test(name); // json= says so itself
  const said = headers.filter((header) => !isImplied(header));
  const options = [
    ...(said.length ? [`headers={${said.map(([name, value]) => `${pythonText(name)}: ${pythonText(value)}`).join(", ")}}`] : []),
    ...(literal !== null ? [`json=${literal.replaceAll("\n", "\n    ")}`] : []),
    ...(literal === null && body !== null ? [`data=${pythonText(body)}.encode()`] : []),
    ...(isStream ? ["stream=True"] : ["timeout=60"]),
  ];
  return [
    "import requests",
    "",
    `response = requests.${method.toLowerCase()}(`,
    ...[pythonText(url), ...options].map((option) => `    ${option},`),
    ")",
    "print(response.status_code)",
    ...(isStream ? ["for line in response.iter_lines():", "    print(line.decode())"] : ["print(response.text)"]),
  ].join("\n");
}

// --- JavaScript

// Writes JSON as a JavaScript literal, or returns null if JavaScript would send something else.
function javascriptLiteral(text) {
  const tokens = tokensOf(text);
  const isSame = (token) => !isNumber(token) || String(Number(token)) === token;
  const isOwnKey = (token) => !/^"(__proto__|(0|[1-9][0-9]*))"$/.test(token); // special, or moved to the front
  return tokens.every((token) => isSame(token) && isOwnKey(token)) && !hasRepeatedKey(text) ? indented(tokens) : null;
}

function javascriptSample({ method, url, headers, body, isStream }) {
  const literal = body !== null && isJson(body) ? javascriptLiteral(body) : null;
  const sent = literal === null ? JSON.stringify(body) : `JSON.stringify(${literal.replaceAll("\n", "\n  ")})`;
  const options = [
    ...(method === "GET" ? [] : [`method: ${JSON.stringify(method)}`]),
    ...(headers.length ? [`headers: ${JSON.stringify(Object.fromEntries(headers))}`] : []),
    ...(body === null ? [] : [`body: ${sent}`]),
  ];
  const given = options.length ? `, {\n${options.map((option) => `  ${option},\n`).join("")}}` : "";
  return [
    `const response = await fetch(${JSON.stringify(url)}${given});`,
    "console.log(response.status);",
    ...(isStream
      ? ["for await (const part of response.body.pipeThrough(new TextDecoderStream())) console.log(part);"]
      : ["console.log(await response.text());"]),
  ].join("\n");
}

// Says whether an object of the JSON text has a key twice: a literal would lose the first.
function hasRepeatedKey(text) {
  const objects = [];
  const tokens = tokensOf(text);
  return tokens.some((token, index) => {
    if (token === "{") objects.push(new Set());
    if (token === "}") objects.pop();
    if (tokens[index + 1] !== ":" || token[0] !== '"') return false;
    const keys = objects.at(-1);
    const name = JSON.parse(token);
    return keys.has(name) || !keys.add(name);
  });
}

// --- what the page shows

const samples = ({ React }) => ({
  components: {
    RequestSnippets({ request, getComponent }) {
      const el = React.createElement;
      const [chosen, choose] = React.useState(() => LANGUAGES[remembered(CHOSEN_LANGUAGE)] ? remembered(CHOSEN_LANGUAGE) : "curl");
      const tab = ([name, { title }]) =>
        el("button", {
          key: name, type: "button", role: "tab", "aria-selected": name === chosen, className: "sample-tab",
          onClick: () => {
            remember(CHOSEN_LANGUAGE, name);
            choose(name);
          },
        }, title);
      const { syntax, title, write } = LANGUAGES[chosen];
      const options = { language: syntax, canCopy: true, downloadable: false };
      return el("div", { className: "samples" },
        el("h4", null, "Sample"),
        el("div", { role: "tablist", "aria-label": "Language of the sample" }, Object.entries(LANGUAGES).map(tab)),
        el("div", { role: "tabpanel", "aria-label": `Sample in ${title}`, "data-language": chosen },
          el(getComponent("HighlightCode", true), options, write(requestOf(request)))));
    },
  },
});
