// Fields whose values are names in the account: chosen from a list, or typed.

import { el } from "./dom.js";
import { blanks, t } from "./texts.js";

const TYPED = "~typed";
const KEPT = "~kept";

/** The settings with a choice, and the account's list for each. */
export const LISTS = {
  topics: "topics", group: "groups", agent: "agents", note_author: "agents", skill_property: "properties", ticket_group: "ticket_groups",
};

/** A choice with `offer(list)`, `value()` and `names()`. `value` is what is stored: a text, a list of texts, or nothing. */
export function picker(id, title, value, preset, attributes) {
  const isList = Array.isArray(preset);
  const stored = (isList ? value : value && [value]) || [];
  const typed = el(isList ? "textarea" : "input", {
    id: `${id}-typed`, rows: isList ? 2 : null, autocomplete: "off", spellcheck: "false", hidden: true, value: stored.join("\n"),
    "aria-label": t.settings.typedLabel(title), "aria-describedby": attributes["aria-describedby"],
  });
  const select = el("select", { id, ...attributes, on: { change: () => show(true) } });
  let known = null;

  function show(isTurn) {
    typed.hidden = select.value !== TYPED;
    if (isTurn && !typed.hidden) typed.focus();
  }

  function offer(list) {
    const chosen = select.options.length ? select.value : stored.length > 1 ? KEPT : stored[0] ?? "";
    known = list;
    const has = (name) => list?.some((one) => one.value === name);
    const option = (text, value, isUsable = true) => el("option", { value, disabled: !isUsable }, text);
    const lone = [chosen, ...(stored.length === 1 ? stored : [])].filter((name, index, all) =>
      name && name !== TYPED && name !== KEPT && !has(name) && all.indexOf(name) === index);
    select.replaceChildren(
      option(isList ? t.settings.firstOf(preset.map(blanks)) : t.settings.nobody, ""),
      ...(stored.length > 1 ? [option(t.settings.firstOf(stored.map(blanks)), KEPT)] : []),
      ...lone.map((name) => option(list ? t.settings.notThere(blanks(name)) : blanks(name), name)),
      ...(list || []).map((one) => option(t.settings.choice(one.label, blanks(one.value), one.is_usable), one.value, one.is_usable)),
      option(t.settings.typed, TYPED));
    select.value = chosen;
    show(false);
  }

  /** The chosen value, including blanks. */
  function names() {
    if (select.value === TYPED) return typed.value.split("\n").filter((name) => name.trim());
    if (select.value === KEPT) return stored;
    return select.value ? [select.value] : preset || [];
  }

  function result() {
    if (select.value === "") return undefined;
    const found = names();
    return isList ? found : found[0];
  }

  offer(null);
  return { select, typed, offer, names, value: result, list: () => known };
}
