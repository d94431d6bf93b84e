// The pages of a file: line numbers, rows of variables, and what is wrong with the file while it is
// being written. The server reads the file: the same form is sent to be checked as is sent to be saved.
// Without scripts the pages work by sending the form.
const form = document.getElementById("edit");
const text = document.getElementById("f-text");
const gutter = document.getElementById("gutter");
const check = document.getElementById("check");
const rows = document.getElementById("rows");
const WAIT = 350; // milliseconds without a key before the file is checked
let timer = null;
let asking = null;
let dirty = "dirty" in form.dataset;
let numbered = 0;

function number() {
  const lines = text.value.split("\n").length;
  if (lines === numbered) return;
  numbered = lines;
  gutter.textContent = Array.from({ length: lines }, (_, index) => index + 1).join("\n");
}

async function look() {
  asking?.abort();
  asking = new AbortController();
  const body = new URLSearchParams(new FormData(form));
  const answer = await fetch(check.dataset.url, {
    method: "POST",
    body,
    headers: { Accept: "text/html" },
    signal: asking.signal,
  }).catch(() => null);
  if (answer?.status === 429) later();
  if (!answer?.ok || answer.redirected) return;
  const fresh = await answer.text().catch(() => null);
  if (fresh !== null && check.innerHTML !== fresh) check.innerHTML = fresh;
  text?.setAttribute("aria-invalid", String(check.querySelector("li") !== null));
}

function later() {
  clearTimeout(timer);
  timer = setTimeout(look, WAIT);
}

function add() {
  const row = rows.lastElementChild.cloneNode(true);
  for (const field of row.querySelectorAll("input, textarea")) field.value = "";
  rows.append(row);
  label();
  row.querySelector("input").focus();
}

function label() {
  [...rows.children].forEach((row, index) => {
    const [name, value] = row.querySelectorAll("input, textarea");
    name.ariaLabel = `Name of variable ${index + 1}`;
    value.ariaLabel = `Value of variable ${index + 1}`;
    row.querySelector("[data-remove] .sr").textContent = ` variable ${index + 1}`;
  });
}

function remove(row) {
  if (rows.childElementCount === 1) add();
  const next = row.nextElementSibling ?? row.previousElementSibling;
  row.remove();
  label();
  next.querySelector("input").focus();
  dirty = true;
  later();
}

if (text) {
  number();
  text.addEventListener("input", number);
  text.addEventListener("scroll", () => (gutter.scrollTop = text.scrollTop));
}
if (rows) {
  document.getElementById("add-row").hidden = false;
  document.getElementById("add-row").addEventListener("click", add);
  rows.addEventListener("click", (event) => {
    const button = event.target.closest("[data-remove]");
    if (button) remove(button.closest(".row"));
  });
  for (const button of rows.querySelectorAll("[data-remove]")) button.hidden = false;
  // Rows for pages without scripts: one is enough where more can be added.
  const blank = [...rows.children].filter((row) => ![...row.querySelectorAll("input, textarea")].some((field) => field.value));
  for (const row of blank.slice(1)) row.remove();
}
form.addEventListener("input", () => {
  dirty = true;
  later();
});
form.addEventListener("submit", () => {
  dirty = false;
});
addEventListener("beforeunload", (event) => {
  if (dirty) event.preventDefault();
});
