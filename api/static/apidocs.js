// Reads a stream of events for this long: it may never end, and Swagger UI shows a response only when it has ended.
const STREAM_MS = 5000;

// Shows only /apispec.json; parameters of the page's address (?url=, ?configUrl=) are ignored.
window.ui = SwaggerUIBundle({
  url: "/apispec.json",
  dom_id: "#swagger-ui",
  presets: [SwaggerUIBundle.presets.apis],
  queryConfigEnabled: false,
  validatorUrl: null,
  deepLinking: true,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  defaultModelsExpandDepth: 0,
  plugins: [{ wrapComponents: { modelExample: unfolded } }],
  requestInterceptor: (request) => (request.loadSpec ? request : { ...request, userFetch: fetchBriefly }),
});

// Expands a body's schema down to its arguments' types; a choice among operations only down to their names.
function unfolded(ModelExample, { React }) {
  return (shown) => {
    const depth = shown.schema?.has("oneOf") ? 1 : 3;
    const getConfigs = () => ({ ...shown.getConfigs(), defaultModelExpandDepth: depth });
    return React.createElement(ModelExample, { ...shown, getConfigs });
  };
}

// Does what fetch() does, but ends a stream of events after STREAM_MS and returns what came until then.
async function fetchBriefly(address, request) {
  const answer = await fetch(address, request);
  if (!answer.body || !answer.headers.get("Content-Type")?.startsWith("text/event-stream")) return answer;
  const reader = answer.body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let note = "";
  const timer = setTimeout(() => {
    note = `: this page shows the first ${STREAM_MS / 1000} seconds; use curl -N to see the whole stream\n`;
    reader.cancel();
  }, STREAM_MS);
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    text += decoder.decode(part.value, { stream: true });
  }
  clearTimeout(timer);
  return new Response(text + note, { status: answer.status, statusText: answer.statusText, headers: answer.headers });
}
