// The page of one workspace: shows each step as it happens and, when somebody waits for it, goes to
// the workspace once the server has seen it answer.
import { follow, keepTimes } from "./live.js";

const panel = document.getElementById("state");
const step = document.getElementById("step");
let reloading = false;

function changed(state) {
  if (reloading || state.id !== panel.dataset.workspace) return;
  if (state.phase === "RUNNING" && "follow" in panel.dataset) {
    reloading = true;
    location.replace(panel.dataset.target);
  } else if (state.phase !== panel.dataset.phase) {
    reloading = true;
    location.reload();
  } else if (step && state.generation > Number(panel.dataset.generation)) {
    step.textContent = state.step || state.message || state.label;
  }
}

const end = follow(
  panel.dataset.live,
  (name, data) => {
    if (name === "gone") location.reload();
    if (name === "workspace") changed(data);
    if (reloading) end();
  },
  ["workspace", "gone"],
);
keepTimes();
