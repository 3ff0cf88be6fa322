// The web socket: it is asked for, opened, heard, and opened again whenever it is lost.

const AGAIN_MS = 2000;

function say(text) {
  if (the("state").textContent !== text) the("state").textContent = text; // each change is read aloud
}

async function connect() {
  try {
    const { port } = await ask(`${ROOT}/live/address`); // it may be another one after the server was started anew
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.hostname}:${port}/`);
    socket.addEventListener("message", (message) => {
      const event = JSON.parse(message.data);
      if (event.event !== "listening") return hear(event);
      say("Live");
      tell();
      told.clear(); // later events were missed
      listSoon();
    });
    socket.addEventListener("close", again);
  } catch {
    again();
  }
}

function again() {
  say("Connection lost, trying again …");
  setTimeout(connect, AGAIN_MS);
}

for (const button of document.querySelectorAll("button")) {
  button.addEventListener("click", async () => {
    const { operation, arguments: texts } = button.dataset;
    const body = JSON.stringify({ operation, arguments: JSON.parse(texts) });
    try {
      await ask(`${ROOT}/jobs`, { method: "POST", headers: { "Content-Type": "application/json" }, body });
      tell();
    } catch (problem) {
      tell(problem);
    }
  });
}

connect();
