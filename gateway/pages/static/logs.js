// The newest lines are at the end: begin there. With scripts, the page can also go on with what is
// written: the same lines again, as a stream, so that nothing is missed or shown twice.
const logs = document.getElementById("logs");
const empty = document.getElementById("empty");
const button = document.getElementById("follow");
const KEPT = 1 << 20; // characters: browsers get slow with more
// What steers a terminal, as state_index/words.py has it, and the beginning of it that a piece ends with.
const STEERING = /\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\)?|[ -/]*[0-~])?/g;
const BEGUN = /(?:\x1b(?:\[[0-?]{0,64}[ -/]{0,64}|[\]PX^_][^\x07\x1b\n]{0,4096}\x1b?|[ -/]{0,64})|\r)$/;
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

function plain(text) {
  return text.replace(STEERING, "").replace(/\r+\n?/g, "\n");
}

async function read(signal) {
  const answer = await fetch(button.dataset.url, { signal });
  if (answer.status === 401) location.reload();
  if (!answer.ok) return;
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let first = true;
  let begun = "";
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    if (first) logs.firstElementChild.replaceChildren();
    first = false;
    const text = begun + piece.value;
    begun = text.match(BEGUN)?.[0] ?? "";
    show(plain(text.slice(0, text.length - begun.length)));
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
