// The page of a change of a file: goes on when the runner has made it, and then says how the workspace
// follows.
import { follow } from "./live.js";

const panel = document.getElementById("operation");
const live = document.getElementById("live");
const EVERY = 700; // milliseconds between two questions
const SELDOM = 2000; // while it is applied

async function ask() {
  const answer = await fetch(`/api/v1/operations/${panel.dataset.operation}`).catch(() => null);
  if (answer?.status === 401) return location.reload();
  const operation = answer?.ok ? await answer.json() : null;
  if (operation && operation.status !== panel.dataset.status) return location.reload();
  setTimeout(ask, EVERY);
}

// What is applied is told by the repository's row, which has no events: the page asks for itself.
async function look() {
  const shown = document.getElementById("applied");
  if ("applied" in shown.dataset) return;
  const answer = document.hidden ? null : await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
  if (answer?.ok && !answer.redirected) {
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("applied");
    if (fresh && fresh.textContent !== shown.textContent) shown.replaceWith(fresh);
  }
  setTimeout(look, SELDOM);
}

if (live) {
  look();
  follow(
    panel.dataset.live,
    (name, data) => {
      if (name === "gone") live.textContent = "The workspace is gone.";
      if (name === "workspace") live.textContent = `${data.label}${data.step ? `: ${data.step}` : ""}`;
    },
    ["workspace", "gone"],
  );
} else ask();
