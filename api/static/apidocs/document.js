// Loads the API document. The examples in it are kept as the text that came, so that the page shows them exactly.

// Where the API is: the page may be served below a path, such as /errand/apidocs.
const API = new URL("../../", document.currentScript.src);
const EXACT = "x-exact-text";
const SHOW_EXAMPLES = "errand.apidocs.examples";

// Says whether to show the examples: as the address says, else as at the last visit, else not.
function showsExamples() {
  return (new URLSearchParams(location.search).get("examples") ?? remembered(SHOW_EXAMPLES)) === "true";
}

// A browser may refuse storage; then nothing is remembered.
function remembered(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function remember(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // this visit goes on without it
  }
}

async function loadDocument() {
  const answer = await fetch(new URL(`apispec.json${showsExamples() ? "?examples=true" : ""}`, API));
  if (!answer.ok) throw new Error(`The server answered with status ${answer.status}.`);
  const loaded = parseJson(await answer.text(), exactExample);
  // requests go to where this page comes from; its policy forbids any other host
  return { ...loaded, servers: [{ url: API.href.replace(/\/$/, "") }] };
}

// Keeps an example of a JSON body as text, and a number that a double can't hold as a string.
function exactExample(path, tokens, start, end) {
  const inMediaType = (depth) => path.at(-depth - 1) === "content" && /json/i.test(path.at(-depth));
  const isExample = path.at(-1) === "example" && inMediaType(2);
  const isNamedExample = path.at(-1) === "value" && path.at(-3) === "examples" && inMediaType(4);
  if (isExample || isNamedExample) return { [EXACT]: indented(tokens.slice(start, end)) };
  if (end === start + 1 && isNumber(tokens[start]) && !isDouble(tokens[start])) return tokens[start];
  return undefined;
}

// A plug-in of Swagger UI: shows the text where it would write the example as JSON again.
const exactExamples = {
  afterLoad(system) {
    const { getSampleSchema } = system.fn;
    this.fn.getSampleSchema = (schema, contentType, config, example) => {
      const text = example?.get?.(EXACT) ?? example?.[EXACT];
      return text === undefined ? getSampleSchema(schema, contentType, config, example) : text;
    };
  },
};

const MOST_COLOURED = 50_000;

// A plug-in of Swagger UI: shows the body of a JSON answer as it came. Colours only texts of up to MOST_COLOURED
// characters: more of them stop the page for seconds.
const exactAnswers = {
  wrapComponents: {
    SyntaxHighlighter: (Highlighter, { React, getComponent }) => (shown) =>
      React.createElement(shown.children?.length > MOST_COLOURED ? getComponent("PlainTextViewer") : Highlighter, shown),
    responseBody: (ResponseBody, { React }) => (shown) => {
      const { content, contentType, headers, getComponent } = shown;
      const isFile = /attachment/i.test(headers?.["content-disposition"]);
      if (typeof content !== "string" || !/json/i.test(contentType) || isFile) {
        return React.createElement(ResponseBody, shown);
      }
      const options = { language: "json", downloadable: true, canCopy: true, fileName: "response.json" };
      const code = React.createElement(getComponent("HighlightCode", true), options, indentedJson(content));
      return React.createElement("div", null, React.createElement("h5", null, "Response body"), code);
    },
  },
};
