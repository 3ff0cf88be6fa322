// JSON as text. JSON.parse turns 9007199254740993 into ...992, 1.0 into 1, and moves keys such as "10" to the front; what
// this page shows is the text that came, only indented.

const JSON_TOKEN = /\s+|"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

const tokensOf = (text) => text.match(JSON_TOKEN)?.filter((token) => token.trim()) ?? [];

const isJson = (text) => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

// Returns the same JSON on several lines, or the text as it is if it is not JSON.
function indentedJson(text) {
  return isJson(text) ? indented(tokensOf(text)) : text;
}

function indented(tokens) {
  const parts = [];
  let depth = 0;
  const newLine = () => parts.push("\n", "  ".repeat(depth));
  tokens.forEach((token, index) => {
    if (token === "}" || token === "]") {
      depth -= 1;
      if (!"{[".includes(tokens[index - 1])) newLine();
      parts.push(token);
    } else if (token === "{" || token === "[") {
      depth += 1;
      parts.push(token);
      if (!"}]".includes(tokens[index + 1])) newLine();
    } else if (token === ",") {
      parts.push(token);
      newLine();
    } else {
      parts.push(token === ":" ? ": " : token);
    }
  });
  return parts.join("");
}

// Parses JSON. `convert(path, tokens)` may return another value than JSON.parse for the value at a path of keys, given by
// its tokens; undefined leaves it as it is.
function parseJson(text, convert) {
  const tokens = tokensOf(text);
  let at = 0;

  function value(path) {
    const start = at;
    const parsed = tokens[at] === "{" ? object(path) : tokens[at] === "[" ? list(path) : JSON.parse(tokens[at++]);
    const converted = convert(path, tokens, start, at);
    return converted === undefined ? parsed : converted;
  }

  function object(path) {
    const members = [];
    at += 1;
    while (tokens[at] !== "}") {
      const name = JSON.parse(tokens[at]);
      at += 2;
      members.push([name, value([...path, name])]);
      if (tokens[at] === ",") at += 1;
    }
    at += 1;
    return Object.fromEntries(members);
  }

  function list(path) {
    const items = [];
    at += 1;
    while (tokens[at] !== "]") {
      items.push(value([...path, items.length]));
      if (tokens[at] === ",") at += 1;
    }
    at += 1;
    return items;
  }

  return value([]);
}

// Says whether a program that reads the number as a double has the same number: not 9007199254740993, not 1e999.
function isDouble(token) {
  const digits = token.replace(/[eE].*$/, "").replace(/^-?0*\.?0*|[-.]/g, "").replace(/0+$/, "");
  return Number.isFinite(Number(token)) && digits.length <= 15 || String(Number(token)) === token;
}

const isNumber = (token) => /^-?[0-9]/.test(token);
