// How long a stream of events is read: it may never end, and Swagger UI shows an answer only when it has.
const STREAM_MS = 5000;

// Shows /apispec.json, and only that: what the page's own address says (?url=, ?configUrl=) is not looked at.
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
  requestInterceptor: (request) => (request.loadSpec ? request : { ...request, userFetch: beginning }),
});

// The schema of a body shows its arguments' types at once; one that is a choice among operations shows their names.
function unfolded(ModelExample, { React }) {
  return (shown) => {
    const depth = shown.schema?.has("oneOf") ? 1 : 3;
    const getConfigs = () => ({ ...shown.getConfigs(), defaultModelExpandDepth: depth });
    return React.createElement(ModelExample, { ...shown, getConfigs });
  };
}

// fetch(), but a stream of events is answered with what comes within STREAM_MS, and then left.
async function beginning(address, request) {
  const answer = await fetch(address, request);
  if (!answer.body || !answer.headers.get("Content-Type")?.startsWith("text/event-stream")) return answer;
  const reader = answer.body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let note = "";
  const timer = setTimeout(() => {
    note = `: this page shows the first ${STREAM_MS / 1000} seconds; curl -N shows it all\n`;
    reader.cancel();
  }, STREAM_MS);
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    text += decoder.decode(part.value, { stream: true });
  }
  clearTimeout(timer);
  return new Response(text + note, { status: answer.status, statusText: answer.statusText, headers: answer.headers });
}
