// Reads a stream of events for this long: it may never end, and Swagger UI shows a response only when it has ended.
const STREAM_MS = 5000;

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
