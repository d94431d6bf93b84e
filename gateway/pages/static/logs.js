// The newest lines are at the end: begin there.
const logs = document.getElementById("logs");
if (logs) logs.scrollTop = logs.scrollHeight;
document.querySelector(".tail select")?.addEventListener("change", (event) => event.target.form.requestSubmit());
