// People's texts go into the page as text nodes only, never as HTML.

export const at = (id) => document.getElementById(id);

export function el(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children.filter((child) => child !== undefined && child !== null));
  return made;
}

/** Writes a text only where it differs: what is selected or being read stays. */
export function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Makes the children of a node show these items, one each. A child whose item looks the same stays the very same node;
 * others are filled again in place. So focus, scrolling and open menus survive.
 */
export function list(parent, items, { key, make, fill }) {
  const focused = parent.contains(document.activeElement) ? document.activeElement : null;
  const old = new Map([...parent.children].map((node) => [node.dataset.key, node]));
  const wanted = items.map((item) => {
    const name = String(key(item));
    const node = old.get(name) ?? make(item);
    old.delete(name);
    node.dataset.key = name;
    const shown = JSON.stringify(item);
    if (node.shown !== shown) {
      node.shown = shown;
      fill(node, item);
    }
    return node;
  });
  for (const node of old.values()) node.remove();
  wanted.forEach((node, place) => {
    if (parent.children[place] !== node) parent.insertBefore(node, parent.children[place] ?? null);
  });
  // Moving a node takes its focus away.
  if (focused?.isConnected && document.activeElement !== focused) focused.focus({ preventScroll: true });
}

/** A list whose items never change: they come and go. */
export const fixedList = (parent, items, key, make) => list(parent, items, { key, make, fill: () => {} });

/** Gives a menu these options, as [value, text] or {group, options}; one that is right already is not touched. */
export function menu(select, options) {
  const shown = JSON.stringify(options);
  if (select.shown === shown) return;
  select.shown = shown;
  const chosen = select.value;
  select.replaceChildren(...options.map(optionNode));
  if ([...select.options].some((option) => option.value === chosen)) select.value = chosen;
}

function optionNode(option) {
  if (Array.isArray(option)) return new Option(option[1], option[0]);
  const group = el("optgroup", "", ...option.options.map(optionNode));
  group.label = option.group;
  return group;
}

/** Switches a button off without taking the focus from it. */
export const switchOff = (button, off) => button.setAttribute("aria-disabled", String(off));

/** Runs an act on each click, unless the button is off. */
export function onClick(button, run) {
  button.addEventListener("click", () => {
    if (button.getAttribute("aria-disabled") !== "true") run();
  });
}

/** Runs an act on each submission instead of the browser's own. */
export function onSubmit(form, run) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    run();
  });
}

/** A part of an address as text; what is no valid encoding stays as it is. */
export function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Whether a thread is read to its end, or nearly. */
export const isAtEnd = (thread) => thread.scrollHeight - thread.scrollTop - thread.clientHeight < 60;

export function scrollToEnd(thread) {
  thread.scrollTop = thread.scrollHeight;
}

/** The value of the chosen radio button of this name. */
export const chosen = (name) => document.querySelector(`input[name="${name}"]:checked`).value;

const time = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

export function clock(iso) {
  const node = el("time", "", time.format(new Date(iso)));
  node.dateTime = iso;
  return node;
}

/** A line of small facts with dots between them; empty ones are left out. */
export function meta(...facts) {
  const there = facts.filter(Boolean);
  return el("p", "meta", ...there.flatMap((fact, place) => (place ? [" · ", fact] : [fact])));
}

export function pairs(parent, entries) {
  const shown = JSON.stringify(entries);
  if (parent.shown === shown) return;
  parent.shown = shown;
  const text = (value) => (typeof value === "string" ? value : JSON.stringify(value));
  parent.replaceChildren(...entries.flatMap(([name, value]) => [el("dt", "", name), el("dd", "", text(value))]));
}
