// The newest lines are at the end: begin there. With scripts, the page can also go on with what is
// written: the same lines again, as a stream, so that nothing is missed or shown twice.
const logs = document.getElementById("logs");
const empty = document.getElementById("empty");
const button = document.getElementById("follow");
const KEPT = 1 << 20; // characters: browsers get slow with more
// What steers a terminal, as telemetry/words.py has it, and such a beginning at the end of a piece.
const STEERING =
  /\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x18\x1a\x1b\x9c\r\n]*(?:[\x07\x18\x1a\x9c]|\x1b\\)?|[ -/]*[0-~])?/g;
const BEGUN = /\x1b(?:\[[0-?]{0,256}[ -/]{0,64}|[\]PX^_][^\x07\x18\x1a\x1b\x9c\r\n]*\x1b?|[ -/]{0,64})$/;
let stop = null;
let again = false;

logs.scrollTop = logs.scrollHeight;
document.querySelector(".tail select")?.addEventListener("change", (event) => event.target.form.requestSubmit());

function show(text) {
  const code = logs.firstElementChild;
  const atEnd = logs.scrollHeight - logs.scrollTop - logs.clientHeight < 40;
  code.append(document.createTextNode(text));
  let size = code.textContent.length;
  while (size > KEPT && code.childNodes.length > 1) {
    size -= code.firstChild.length;
    code.firstChild.remove();
  }
  logs.hidden = false;
  if (empty) empty.hidden = true;
  if (atEnd) logs.scrollTop = logs.scrollHeight;
}

// Gives each piece as plain text; what is begun in it waits for the next one.
function plainly() {
  let begun = "";
  let end = "";
  return (piece) => {
    const text = begun + piece;
    const open = text.match(BEGUN)?.[0] ?? "";
    // What a string says is never shown: only that it has begun is kept, however long it gets.
    begun = open.replace(/^(\x1b[\]PX^_])[^\x1b]*/, "$1");
    const drawn = end + text.slice(0, text.length - open.length).replace(STEERING, "");
    end = drawn.endsWith("\r") ? "\r" : "";
    const lines = drawn.replace(/\r+\n?/g, "\n");
    return end ? lines.slice(0, -1) : lines;
  };
}

async function read(signal) {
  const answer = await fetch(button.dataset.url, { signal });
  if (answer.status === 401) location.reload();
  if (!answer.ok) return;
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let first = true;
  const plain = plainly();
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    if (first) logs.firstElementChild.replaceChildren();
    first = false;
    const text = plain(piece.value);
    if (text) show(text);
  }
}

async function start() {
  const control = new AbortController();
  stop = () => control.abort();
  button.setAttribute("aria-pressed", "true");
  try {
    await read(control.signal);
  } catch {
    // Ended by us or broken off: what was read stays.
  }
  stop = null;
  button.setAttribute("aria-pressed", "false");
}

if (button) {
  button.hidden = false;
  button.addEventListener("click", () => (stop ? stop() : start()));
  // A hidden page holds no connection: browsers allow six to a host over all tabs.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      again = stop !== null;
      stop?.();
    } else if (again) start();
  });
}
