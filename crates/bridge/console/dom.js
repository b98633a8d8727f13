// Small helpers for building pages. Text from people or servers becomes a text node, never markup.

import { prose, sentence } from "./texts.js";

/** An element with properties and children. `class`, `on` (listeners by name) and `data` are special; null properties are left out. */
export function el(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") for (const [event, run] of Object.entries(value)) made.addEventListener(event, run);
    else if (name === "data") Object.assign(made.dataset, value);
    else if (name === "value" || name === "checked") made[name] = value;
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat(9).filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** Replaces the content only if it has changed, to keep focus, selection and scrolling. */
export function fill(place, key, make) {
  const text = JSON.stringify(key);
  if (place.dataset.key === text) return;
  place.dataset.key = text;
  const label = place.contains(document.activeElement) && document.activeElement.getAttribute("aria-label");
  place.replaceChildren(...[make()].flat(9).filter(Boolean));
  if (label) focusOn(place, label);
}

/** Restores focus after a redraw to the element with this label. */
export function focusOn(place, label) {
  [...place.querySelectorAll("[aria-label]")].find((one) => one.getAttribute("aria-label") === label)?.focus();
}

/** Announces something to screen readers. */
export function say(text) {
  document.getElementById("said").textContent = text;
}

/** A button. */
export function button(text, run, properties = {}) {
  return el("button", { type: "button", on: { click: run }, ...properties }, text);
}

/** Ignores further presses of a button while its work is in progress. */
export async function busy(control, work) {
  if (control.getAttribute("aria-disabled") === "true") return undefined;
  control.setAttribute("aria-disabled", "true");
  try {
    return await work();
  } finally {
    control.removeAttribute("aria-disabled");
  }
}

/** What went wrong, and what to do. */
export function trouble(problem) {
  return el("div", { class: "notice bad", role: "alert" },
    el("p", {}, el("strong", {}, sentence(problem.detail))), problem.remedy && el("p", {}, prose(problem.remedy)));
}

let unsaved = null;

/** Registers a form with unsaved input; null: none. */
export function keepUnsaved(form) {
  unsaved = form;
}

/** Whether the page has input that would be lost. */
export function isUnsaved() {
  return Boolean(unsaved?.isConnected);
}

addEventListener("beforeunload", (event) => { if (isUnsaved()) event.preventDefault(); });

/** Runs `work` repeatedly while `place` is on the page: `ms` after it has ended, less often while the page is hidden. */
export function repeat(place, ms, work) {
  const turn = async () => {
    if (!place.isConnected) return;
    await work();
    if (place.isConnected) setTimeout(turn, document.hidden ? ms * 5 : ms);
  };
  setTimeout(turn, 0);
}
