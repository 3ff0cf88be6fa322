// Writing a message. What was written stays in its field until it is on the board.

const field = the("message");

the("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = the("form").querySelector("button");
  if (button.disabled) return;
  button.disabled = true;
  the("told").className = "";
  the("told").textContent = "";
  try {
    const headers = { "Content-Type": "application/json" };
    await ask(`${ROOT}/messages`, { method: "POST", headers, body: JSON.stringify({ message: field.value }) });
    field.value = "";
    the("told").textContent = "It is on the board.";
    look();
  } catch (problem) {
    the("told").className = "wrong";
    the("told").textContent = problem instanceof TypeError ? "The board can't be reached." : problem.message;
  }
  button.disabled = false;
  field.focus();
});

field.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) the("form").requestSubmit();
});
