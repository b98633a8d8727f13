// The set-up: numbered steps that say where to find their values, and a form generated from the settings' JSON Schema.

import { api, at } from "./api.js";
import { drawing } from "./drawings.js";
import { busy, button, el, fill, keepUnsaved, say, trouble } from "./dom.js";
import { LISTS, picker } from "./pickers.js";
import { blanks, prose, sentence, t } from "./texts.js";

/** Settings in the steps; all others are in the sections below them. */
const STEPS = { api: ["api_key", "chat_url"], topic: ["topics"], webhooks: ["webhook_public_key"] };
const SECTIONS = {
  routing: ["group", "agent", "priority", "topic_by_locale", "skill_property", "availability", "wait_estimate"],
  reading: ["note_author", "language", "time_zone", "context", "masking", "file_hosts", "max_message_chars"],
  ending: ["return_summary", "queue_timeout_minutes", "inactivity_timeout_minutes", "reopen_window_minutes"],
  tickets: ["ticket_domain", "ticket_api_key", "ticket_group", "ticket_tags", "ticket_fields"],
  requests: ["connect_timeout_ms", "response_timeout_ms", "retry_budget_ms"],
};
/** Required to connect. */
const NEEDED = ["api_key", "chat_url"];
/** Settings that identify the account; changing one reloads the account's names. */
const ACCOUNT = ["chat_url", "api_key", "ticket_domain", "ticket_api_key", "test_origin", "test_ticket_origin"];

export async function settingsPage(page, connection, go) {
  const [document, stored] = await Promise.all([api("GET", "/v1/openapi.json"), api("GET", at(connection.id, "settings"))]);
  const schemas = document.components.schemas;
  const fields = new Map();
  const nodes = new Map(Object.entries(schemas.Settings.properties)
    .filter(([, schema]) => !schema.readOnly)
    .sort(([, one], [, other]) => one["x-order"] - other["x-order"])
    .map(([name, schema]) => [name, field(fields, `settings.${name}`, schema, stored.settings[name], {
      isSet: stored.secrets.includes(name), isNeeded: NEEDED.includes(name),
    }).node]));
  const take = (names) => names.filter((name) => nodes.has(name)).map((name) => {
    const node = nodes.get(name);
    nodes.delete(name);
    return node;
  });

  const said = el("div", { role: "alert", class: "said" });
  const submit = el("button", { class: "main" }, t.settings.connect);
  const tests = el("div", { class: "fields" });
  const platform = platformPart(fields, schemas, stored, connection, tests);
  const account = el("p", { class: "help seen", role: "status" });
  const topicSeen = el("p", { class: "help seen", role: "status" });
  const key = watchKey(fields.get("settings.webhook_public_key"), () => ticks());
  const steps = {
    api: step("api", [take(STEPS.api), account], t.settings.drawings.api),
    topic: step("topic", [take(STEPS.topic), topicSeen], t.settings.drawings.topic),
    webhooks: step("webhooks", [address(t.settings.webhookUrl, connection.webhooks.freshchat), take(STEPS.webhooks)], t.settings.drawings.webhooks),
    platform: step("platform", [platform.node], null),
  };
  const sections = Object.entries(SECTIONS).map(([name, names]) => section(t.settings.sections[name], take(names),
    name === "tickets" && connection.webhooks.tickets && ticketRule(connection.webhooks.tickets), name === "requests" && platform.forward));
  tests.prepend(...take([...nodes.keys()].filter((name) => name.startsWith("test_"))));
  const form = el("form", {
    novalidate: true,
    on: { submit: (event) => { event.preventDefault(); busy(submit, () => save()); } },
  },
  el("ol", { class: "steps" }, Object.values(steps).map((one) => one.node)),
  el("h2", { class: "more" }, t.settings.more),
  sections, nodes.size > 0 && section(t.settings.sections.other, take([...nodes.keys()])),
  el("details", { class: "card" }, el("summary", {}, t.settings.sections.tests), tests),
  el("div", { class: "bar" }, said, el("p", { class: "row" }, submit, el("span", { class: "help" }, t.settings.connectHelp))));
  page.replaceChildren(form);

  /** Ticks the steps that are done. */
  function ticks() {
    const has = (name) => { const one = fields.get(name); return one && (one.isSet || !isBlank(one)); };
    const wanted = fields.get("settings.topics").picker;
    const known = wanted.list();
    const found = wanted.names().find((name) => known?.some((one) => one.value === name && one.is_usable));
    topicSeen.textContent = !known ? "" : found ? t.settings.topicFound(blanks(found)) : t.settings.topicMissing;
    topicSeen.classList.toggle("good", Boolean(found));
    steps.api.tick(NEEDED.every((name) => has(`settings.${name}`)) && account.classList.contains("good"));
    steps.topic.tick(Boolean(found));
    steps.webhooks.tick(key.isUsable());
    steps.platform.tick(![...fields.values()].some((one) => one.name.startsWith("platform.") && isMissing(one)));
  }

  let asked = "";
  /** Loads the account's names with the form's current values. */
  async function ask() {
    const settings = {};
    for (const name of ACCOUNT) settings[name] = fields.get(`settings.${name}`)?.control.value.trim() || undefined;
    const mine = JSON.stringify(settings);
    if (mine === asked || NEEDED.some((name) => isMissing(fields.get(`settings.${name}`)))) return;
    asked = mine;
    account.className = "help seen busy";
    account.textContent = t.settings.asking;
    let lists = {};
    let said = "";
    try {
      lists = await api("POST", at(connection.id, "choices"), { settings, platform: { kind: "polling" }, keep_secrets: true });
      said = t.settings.answers(lists.topics?.length ?? 0, lists.groups?.length, lists.agents?.length);
    } catch (problem) {
      // Saving reports problems with the key, too.
      said = [problem.detail, problem.remedy].filter(Boolean).map((text) => sentence(text)).join(" ");
    }
    if (mine !== asked) return;
    account.className = lists.topics ? "help seen good" : "help seen";
    account.textContent = said;
    for (const [name, list] of Object.entries(LISTS)) fields.get(`settings.${name}`)?.picker?.offer(lists[list] || null);
    ticks();
  }

  async function save(anyway) {
    said.replaceChildren();
    for (const one of fields.values()) mark(one, null);
    const body = collect(fields, platform.kind);
    if (!body) return invalid(fields, said);
    said.replaceChildren(el("p", { class: "notice busy" }, t.settings.checking));
    try {
      await api("PUT", at(connection.id) + (anyway ? "?save=anyway" : ""), body);
      keepUnsaved(null);
      go(connection.id, "connect");
    } catch (problem) {
      if (problem.kind === "would-break") return wouldBreak(problem);
      refused(problem, fields, said);
    }
  }

  /** Nothing is stored yet: shows what would break, and lets the admin choose. */
  function wouldBreak(problem) {
    const anyway = button(t.settings.saveAnyway, () => busy(anyway, () => save(true)), { class: "danger" });
    const back = button(t.settings.keepEditing, () => { said.replaceChildren(); submit.focus(); });
    said.replaceChildren(el("div", { class: "notice bad" },
      el("p", {}, el("strong", {}, t.settings.wouldBreak)),
      el("ul", {}, (problem.findings || []).filter((one) => one.level !== "ok").map((one) => el("li", {},
        el("strong", {}, t.connect.names[one.check] || prose(one.check)), ": ", sentence(one.detail), " ", one.remedy && prose(one.remedy)))),
      el("p", { class: "row" }, back, anyway)));
    back.focus();
  }

  form.addEventListener("input", () => {
    keepUnsaved(form);
    if (![...fields.values()].some((one) => one.control.getAttribute("aria-invalid"))) said.replaceChildren();
    ticks();
  });
  form.addEventListener("change", (event) => {
    ticks();
    if (ACCOUNT.some((name) => event.target.id === `settings-${name}`)) ask();
  });
  ticks();
  ask();
}

/** A step of the set-up: where to find its values, a sketch of that page, the fields. */
function step(name, content, picture) {
  const { title, about, path, older } = t.settings.steps[name];
  const state = el("span", { class: "unseen" });
  const node = el("li", { class: "card step" },
    el("h2", { id: `step-${name}` }, title, " ", state),
    el("div", { class: "where" }, el("p", {}, about), path && way(path), older && el("p", { class: "help" }, older)),
    picture && el("div", { class: "picture" }, drawing(picture)),
    el("div", { class: "asked" }, content));
  const tick = (isDone) => {
    node.classList.toggle("done", isDone);
    state.textContent = isDone ? t.settings.done : t.settings.toDo;
  };
  return { node, tick };
}

/** A menu path. */
function way(path) {
  return el("p", { class: "way" }, path.flatMap((word, index) => [index > 0 && " › ", el("span", {}, word)]));
}

function section(title, fields, ...more) {
  return el("details", { class: "card" }, el("summary", {}, title), el("div", { class: "fields" }, fields, more));
}

/** The ticket-desk rule for immediate ticket answers. */
function ticketRule(rule) {
  return el("div", { class: "across" }, el("h3", {}, t.settings.ticketRule), el("p", { class: "help" }, t.settings.ticketRuleHelp),
    address(t.settings.ticketRuleUrl, rule.url), address(t.settings.ticketRuleHeader, `${rule.header}: ${rule.secret}`),
    address(t.settings.ticketRuleContent, rule.content));
}

/** An address to copy, shown in full. */
function address(label, url, help) {
  const id = `address-${label.toLowerCase().replaceAll(" ", "-")}`;
  const input = el("textarea", { id, readonly: true, value: url, rows: "2", "aria-describedby": help ? `${id}-help` : null, class: "code" });
  const word = el("span", {}, t.copy);
  const copy = el("button", { type: "button", class: "copy", on: { click: async () => {
    input.select();
    try {
      await navigator.clipboard.writeText(url);
      word.textContent = t.copied;
      say(t.copied);
      setTimeout(() => { word.textContent = t.copy; }, 2000);
    } catch {
      // Not every page may use the clipboard; select the text instead.
    }
  } } }, word, el("span", { class: "unseen" }, ` ${label}`));
  return el("div", { class: "field address" }, el("label", { for: id }, label), el("div", { class: "row" }, input, copy),
    help && el("p", { class: "help", id: `${id}-help` }, help),
    !/^https?:/.test(url) && el("p", { class: "fault" }, t.settings.noPublicUrl));
}

/** A stored value as the field's text. */
function shown(schema, value) {
  if (value === undefined || value === null) return "";
  if (schema.type === "array") return value.join("\n");
  if (schema.type === "object") return Object.entries(value).map(([name, one]) => `${name} = ${one}`).join("\n");
  return String(value);
}

function control(id, schema, value, isSet, attributes) {
  const common = { id, name: id, autocomplete: "off", spellcheck: "false", ...attributes };
  const text = shown(schema, value === undefined && schema.type === "array" ? schema.default : value);
  const preset = schema.default === undefined || schema.default === null ? "" : shown(schema, schema.default);
  if (schema.enum) {
    const word = (one) => t.settings.words[one] || one;
    const blank = el("option", { value: "" }, preset ? word(preset) : t.settings.unset);
    const choose = el("select", common, blank, schema.enum.filter((one) => one !== preset).map((one) => el("option", { value: one }, word(one))));
    choose.value = text === preset ? "" : text;
    return choose;
  }
  if (schema.type === "boolean") return el("input", { ...common, type: "checkbox", checked: (value ?? schema.default) === true });
  if (schema.type === "integer") {
    return el("input", { ...common, inputmode: "numeric", value: text, placeholder: preset });
  }
  if (schema.contentMediaType) return el("textarea", { ...common, rows: "5", class: "code", value: text });
  if (schema.type === "array" || schema.type === "object") {
    return el("textarea", { ...common, rows: "2", value: text, placeholder: preset });
  }
  if (schema.writeOnly) {
    return el("input", { ...common, type: "password", autocomplete: "new-password", placeholder: isSet ? "••••••••••••" : "" });
  }
  return el("input", { ...common, value: text, placeholder: preset });
}

/** A field: label, control with its unit, help and error message. */
function field(fields, name, schema, value, { isSet = false, isNeeded = false } = {}) {
  const id = name.replaceAll(".", "-");
  const short = name.replace(/^\w+\./, "");
  const title = t.settings.fields[short] || schema.title || short;
  const fault = el("p", { class: "fault", id: `${id}-fault`, "aria-live": "polite" });
  const unit = schema.type === "integer" && t.settings.units[short.split("_").at(-1)];
  const attributes = {
    "aria-describedby": [unit && `${id}-unit`, `${id}-help`, `${id}-fault`].filter(Boolean).join(" "), "aria-required": isNeeded ? "true" : null,
  };
  const choose = name.startsWith("settings.") && LISTS[short] ? picker(id, title, value, schema.default, attributes) : null;
  const made = choose ? choose.select : control(id, schema, value, isSet, attributes);
  const lines = choose ? null : { array: t.settings.lines, object: t.settings.pairs }[schema.type];
  const help = [prose(t.settings.abouts[short] ?? schema.description), lines, isSet && t.settings.kept].filter(Boolean).join(" ");
  const label = el("label", { for: id }, title, isNeeded && el("span", { class: "needed" }, ` (${t.settings.needed})`));
  const forget = isSet && !isNeeded && el("input", { type: "checkbox", id: `${id}-forget` });
  const node = el("div", { class: made.type === "checkbox" ? "field check" : "field" }, label,
    unit ? el("div", { class: "unit" }, made, el("span", { id: `${id}-unit` }, unit)) : made, choose?.typed, fault,
    el("p", { class: "help", id: `${id}-help` }, help),
    forget && el("p", { class: "row help" }, forget, el("label", { for: forget.id }, t.settings.forget(title))));
  const one = { name, title, schema, control: made, picker: choose, forget, fault, node, isSet, isNeeded };
  fields.set(name, one);
  node.addEventListener("input", (event) => {
    if (event.target === forget) return;
    mark(one, null);
    if (forget) forget.checked = false;
  });
  return one;
}

function isBlank(one) {
  return one.control.type !== "checkbox" && !one.control.value.trim();
}

/** It is required, and has no value in the form or in the store. */
function isMissing(one) {
  return one.isNeeded && !one.isSet && isBlank(one);
}

function mark(one, text) {
  one.fault.textContent = text || "";
  for (const control of [one.control, one.picker?.typed].filter(Boolean)) {
    if (text) control.setAttribute("aria-invalid", "true");
    else control.removeAttribute("aria-invalid");
  }
}

/** Identifies a pasted key immediately. */
function watchKey(one, changed) {
  const seen = el("p", { class: "help seen", role: "status" });
  one.fault.after(seen);
  let turn = 0;
  let isUsable = false;
  const look = async () => {
    const mine = ++turn;
    const key = one.control.value;
    seen.className = "help seen";
    isUsable = false;
    if (!key.trim()) return void (seen.textContent = "");
    seen.textContent = t.settings.reading;
    try {
      const found = await api("POST", "/v1/webhook-key", { key });
      if (mine !== turn) return;
      isUsable = found.is_usable;
      seen.textContent = isUsable ? t.settings.recognised(found) : "";
      seen.classList.toggle("good", isUsable);
      mark(one, isUsable ? null : `${sentence(found.detail)} ${prose(found.remedy)}`);
      changed();
    } catch {
      seen.textContent = "";
    }
  };
  let wait = 0;
  one.control.addEventListener("input", () => { clearTimeout(wait); wait = setTimeout(look, 250); });
  if (one.control.value) look();
  return { isUsable: () => isUsable };
}

function platformPart(fields, schemas, stored, connection, tests) {
  const kinds = Object.fromEntries(Object.keys(t.settings.kinds).map((kind) => [kind, schemaOf(schemas, kind)]));
  const place = el("div", { class: "fields" });
  const testPlace = el("div", {});
  tests.append(testPlace);
  const choose = el("select", { id: "platform-kind" }, Object.keys(kinds).map((kind) => el("option", { value: kind }, t.settings.kinds[kind])));
  choose.value = stored.platform.kind;
  const order = Object.keys(t.settings.fields);
  const draw = () => {
    for (const name of [...fields.keys()].filter((name) => name.startsWith("platform."))) fields.delete(name);
    const schema = kinds[choose.value];
    const isStored = choose.value === stored.platform.kind;
    const simple = Object.entries(schema?.properties || {}).filter(([, property]) => ["string", "boolean"].includes(typeOf(property)))
      .sort(([one], [other]) => order.indexOf(one) - order.indexOf(other));
    const made = simple.map(([name, property]) => field(fields, `platform.${name}`, { ...property, type: typeOf(property) }, isStored ? stored.platform[name] : undefined, {
      isSet: isStored && stored.platform_secrets.includes(name), isNeeded: (schema.required || []).includes(name),
    }));
    const isTest = (one) => one.name === "platform.test_origin";
    const { about, path } = t.settings.platforms[choose.value];
    const picture = t.settings.drawings[choose.value];
    const addresses = isStored ? [
      connection.webhooks.platform && address(t.settings.platformWebhook, connection.webhooks.platform),
      connection.webhooks.chat && address(t.settings.chatWebhook, connection.webhooks.chat),
    ] : [];
    fill(place, [choose.value], () => [
      el("div", { class: "across" }, el("p", {}, about), path?.map(way), picture && drawing(picture)),
      ...made.filter((one) => !isTest(one)).map((one) => one.node), ...addresses]);
    testPlace.replaceChildren(...made.filter(isTest).map((one) => one.node));
  };
  choose.addEventListener("change", draw);
  draw();
  const forward = field(fields, "forward_url", { type: "string", description: schemas.ConnectBody.properties.forward_url.description }, stored.forward_url);
  const node = el("div", {}, el("div", { class: "field" }, el("label", { for: "platform-kind" }, t.settings.kind), choose), place);
  // Settings that the form does not show stay unchanged.
  const kind = () => {
    const { secret: _, ...rest } = stored.platform.kind === choose.value ? stored.platform : {};
    return { ...rest, kind: choose.value };
  };
  return { node, kind, forward: forward.node };
}

/** The settings of a kind of platform, without `kind`. */
function schemaOf(schemas, kind) {
  const { properties, required } = schemas.PlatformSettings.oneOf.find((one) => one.properties.kind.const === kind);
  // Settings shared by several kinds are separate.
  const shared = schemas[kind[0].toUpperCase() + kind.slice(1)];
  const { kind: _, ...own } = { ...shared?.properties, ...properties };
  return { properties: own, required: [...(shared?.required || []), ...required] };
}

function typeOf(schema) {
  return Array.isArray(schema.type) ? schema.type.find((type) => type !== "null") : schema.type;
}

/** The value of a field for the API; throws an error text. */
function valueOf(one) {
  const { schema, control, forget } = one;
  if (control.type === "checkbox") return control.checked;
  if (forget?.checked) return null;
  if (isMissing(one)) throw t.settings.missing(one.title);
  if (one.picker) return one.picker.value();
  const text = control.value.trim();
  // Without a value the default applies; an empty list means none.
  if (!text) return schema.type === "array" && schema.default ? [] : undefined;
  if (schema.type === "integer") {
    if (!/^\d+$/.test(text)) throw t.settings.number;
    if (Number(text) < schema.minimum || Number(text) > schema.maximum) throw t.settings.range(schema.minimum, schema.maximum);
    return Number(text);
  }
  const lines = text.split("\n").map((line) => line.trim()).filter(Boolean);
  if (schema.type === "array") return lines;
  if (schema.type === "object") {
    return Object.fromEntries(lines.map((line) => {
      const [name, ...rest] = line.split("=");
      if (!rest.length) throw t.settings.pair;
      return [name.trim(), rest.join("=").trim()];
    }));
  }
  return control.value;
}

function collect(fields, platform) {
  const body = { settings: {}, platform: platform(), forward_url: null, keep_secrets: true };
  let faults = 0;
  for (const one of fields.values()) {
    const [part, name] = one.name.includes(".") ? one.name.split(".") : [null, one.name];
    const into = part ? body[part] : body;
    try {
      const value = valueOf(one);
      if (value === undefined) {
        if (part === "platform") delete into[name];
      } else into[name] = value;
    } catch (text) {
      if (typeof text !== "string") throw text;
      mark(one, text);
      faults += 1;
    }
  }
  return faults ? null : body;
}

/** Marks the fields that the API names; shows one message if it names none. */
function refused(problem, fields, said) {
  const place = (path) => (path || "").replace(/^connection\./, "");
  const find = (path) => fields.get(place(path)) || fields.get(`settings.${place(path)}`);
  const named = problem.fields.filter((one) => find(one.path));
  for (const one of named) mark(find(one.path), sentence(`\`${find(one.path).title}\` ${one.problem}`));
  const one = named.length ? null : find(problem.field);
  if (one) mark(one, [problem.detail, problem.remedy].filter(Boolean).map((text) => sentence(text)).join(" "));
  said.replaceChildren();
  if (one || named.length) invalid(fields, said);
  // Problems without a field in the form are shown, too.
  if (!one && named.length < Math.max(problem.fields.length, 1)) said.append(trouble(problem));
}

/** Focuses the first invalid field. */
function invalid(fields, said) {
  const wrong = [...fields.values()].filter((one) => one.control.getAttribute("aria-invalid"))
    .sort((one, other) => (one.control.compareDocumentPosition(other.control) & Node.DOCUMENT_POSITION_FOLLOWING ? -1 : 1));
  said.replaceChildren(el("div", { class: "notice bad" }, el("p", {}, t.settings.faults(wrong.length))));
  wrong[0]?.control.closest("details")?.setAttribute("open", "");
  wrong[0]?.control.focus();
}
