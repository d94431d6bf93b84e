// The portal: cards change as their workspaces do. The server renders each card; this swaps it in
// and keeps the focus where it was. Without scripts the page works by reloading.
import { act, follow, keepTimes } from "./live.js";

const cards = document.getElementById("cards");
const announcer = document.getElementById("announcer");
const counts = document.getElementById("counts");
const empty = document.getElementById("empty");
const wanted = new Map(); // workspace id -> generation that the card should show at least
const query = cards.dataset.live.includes("all=true") ? "?all=true" : "";

const cardOf = (id) => cards.querySelector(`[data-workspace="${CSS.escape(id)}"]`);

async function refresh(id) {
  const answer = await fetch(`/workspaces/${id}/card${query}`, { headers: { Accept: "text/html" } });
  if (answer.status === 404 || answer.status === 403) return remove(id);
  if (answer.redirected || answer.status === 401) return location.reload();
  if (!answer.ok) return;
  const holder = document.createElement("template");
  holder.innerHTML = await answer.text();
  put(holder.content.firstElementChild);
}

function put(fresh) {
  const old = cardOf(fresh.dataset.workspace);
  if (!old) {
    const after = [...cards.children].find((card) => card.dataset.workspace > fresh.dataset.workspace);
    cards.insertBefore(fresh, after ?? null);
  } else {
    const action = old.contains(document.activeElement) && document.activeElement.dataset.action;
    old.replaceWith(fresh);
    if (action) focusAgain(fresh, action);
  }
  empty.hidden = cards.childElementCount > 0;
}

function focusAgain(card, action) {
  // Never to another button that changes something: it could be pressed by mistake.
  const order = [action, "open", "details"];
  const found = order.map((name) => card.querySelector(`[data-action="${name}"]`)).find(Boolean);
  found?.focus({ preventScroll: true });
}

function remove(id) {
  cardOf(id)?.remove();
  empty.hidden = cards.childElementCount > 0;
}

async function changed(state) {
  const card = cardOf(state.id);
  if (card && Number(card.dataset.generation) >= state.generation) return; // shown already
  if (card && card.dataset.phase !== state.phase) announcer.textContent = `${state.id}: ${state.label}`;
  const busy = wanted.has(state.id);
  wanted.set(state.id, state.generation);
  if (busy) return; // the refresh under way looks again
  for (let seen = -1; seen !== wanted.get(state.id); ) {
    seen = wanted.get(state.id);
    await refresh(state.id);
  }
  wanted.delete(state.id);
}

follow(
  cards.dataset.live,
  (name, data) => {
    if (name === "counts") counts.textContent = data.words;
    if (name === "gone") remove(data.id);
    if (name === "workspace") changed(data);
  },
  ["workspace", "gone", "counts"],
);
keepTimes();

cards.addEventListener("submit", async (event) => {
  const form = event.target;
  const button = form.querySelector("button[data-action]");
  if (!button) return;
  event.preventDefault();
  if (button.ariaDisabled === "true") return;
  const card = form.closest("[data-workspace]");
  button.ariaDisabled = "true"; // not `disabled`, which would lose the focus
  const problem = await act(card.dataset.workspace, button.dataset.action).catch(() => "CodeHub does not answer.");
  button.ariaDisabled = null;
  if (problem) show(card, problem);
});

function show(card, problem) {
  announcer.textContent = problem;
  card.querySelector(".notice.flash")?.remove();
  const notice = document.createElement("p");
  notice.className = "notice warn flash";
  notice.textContent = problem;
  card.querySelector(".actions").before(notice);
}
