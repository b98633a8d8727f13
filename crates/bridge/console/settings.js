// Step 1: a form made from the settings' JSON Schema.

import { api, at } from "./api.js";
import { busy, el, fill, say, trouble } from "./dom.js";
import { t } from "./texts.js";

/** In the form at once; everything else is behind "More settings". */
const FIRST = ["chat_url", "api_key", "topics"];

export async function settingsPage(page, connection, go) {
  const [document, stored] = await Promise.all([api("GET", "/v1/openapi.json"), api("GET", at(connection.id, "settings"))]);
  const schemas = document.components.schemas;
  const fields = new Map();
  const account = Object.entries(schemas.Settings.properties)
    .filter(([, schema]) => !schema.readOnly)
    .sort(([, one], [, other]) => one["x-order"] - other["x-order"])
    .map(([name, schema]) => field(fields, `settings.${name}`, schema, stored.settings[name], {
      isSet: stored.secrets.includes(name), isNeeded: name === "chat_url" || name === "api_key",
    }));
  const named = (test) => account.filter((one) => test(one.name.slice("settings.".length))).map((one) => one.node);
  const isFirst = (name) => FIRST.includes(name);
  const isTest = (name) => name.startsWith("test_");
  const isKey = (name) => name === "webhook_public_key";
  watchKey(fields.get("settings.webhook_public_key"));

  const said = el("div", { role: "alert", class: "said" });
  const submit = el("button", { class: "main" }, t.settings.save);
  const platform = platformPart(fields, schemas, stored, connection);
  const form = el("form", {
    novalidate: true,
    on: { submit: (event) => { event.preventDefault(); busy(submit, () => save(connection, fields, platform.kind, said, go)); } },
  },
  el("fieldset", { class: "card" }, el("legend", {}, t.settings.account), named(isFirst)),
  el("fieldset", { class: "card" }, el("legend", {}, t.settings.webhook),
    address(t.settings.webhookUrl, connection.webhooks.freshchat, t.settings.webhookHelp), named(isKey)),
  connection.webhooks.tickets && ticketRule(connection.webhooks.tickets),
  platform.node,
  el("details", { class: "card" }, el("summary", {}, t.settings.more), named((name) => !isFirst(name) && !isTest(name) && !isKey(name))),
  el("details", { class: "card" }, el("summary", {}, t.settings.tests), named(isTest)),
  said, el("p", {}, submit));
  page.replaceChildren(form);
}

/** The rule that makes answers to tickets arrive at once. */
function ticketRule(rule) {
  return el("details", { class: "card" }, el("summary", {}, t.settings.ticketRule), el("p", { class: "help" }, t.settings.ticketRuleHelp),
    address(t.settings.ticketRuleUrl, rule.url), address(t.settings.ticketRuleHeader, `${rule.header}: ${rule.secret}`),
    address(t.settings.ticketRuleContent, rule.content));
}

/** An address to copy. */
function address(label, url, help) {
  const id = `address-${label.toLowerCase().replaceAll(" ", "-")}`;
  const input = el("input", { id, readonly: true, value: url, "aria-describedby": help ? `${id}-help` : null, class: "code" });
  const word = el("span", {}, t.copy);
  const copy = el("button", { type: "button", on: { click: async () => {
    input.select();
    try {
      await navigator.clipboard.writeText(url);
      word.textContent = t.copied;
      say(t.copied);
      setTimeout(() => { word.textContent = t.copy; }, 2000);
    } catch {
      // Not every page may write there; the text is selected.
    }
  } } }, word, el("span", { class: "unseen" }, ` ${label}`));
  return el("div", { class: "field" }, el("label", { for: id }, label), el("div", { class: "row" }, input, copy),
    help && el("p", { class: "help", id: `${id}-help` }, help),
    !/^https?:/.test(url) && el("p", { class: "fault" }, t.settings.noPublicUrl));
}

/** Text of a stored value, as the field shows it. */
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
    const blank = el("option", { value: "" }, preset || t.settings.unset);
    const choose = el("select", common, blank, schema.enum.filter((word) => word !== preset).map((word) => el("option", { value: word }, word)));
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

/** A field: label, control, help and place for what is wrong with it. */
function field(fields, name, schema, value, { isSet = false, isNeeded = false, title } = {}) {
  const id = name.replaceAll(".", "-");
  const fault = el("p", { class: "fault", id: `${id}-fault`, "aria-live": "polite" });
  const made = control(id, schema, value, isSet, {
    "aria-describedby": `${id}-help ${id}-fault`, "aria-required": isNeeded ? "true" : null,
  });
  const lines = { array: t.settings.lines, object: t.settings.pairs }[schema.type];
  const help = [schema.description, lines, isSet && t.settings.kept].filter(Boolean).join(" ");
  const label = el("label", { for: id }, title || schema.title || name, isNeeded && el("span", { class: "needed" }, ` (${t.settings.needed})`));
  const forget = isSet && !isNeeded && el("input", { type: "checkbox", id: `${id}-forget` });
  const node = el("div", { class: made.type === "checkbox" ? "field check" : "field" }, label, made,
    el("p", { class: "help", id: `${id}-help` }, help),
    forget && el("p", { class: "row help" }, forget, el("label", { for: forget.id }, t.settings.forget(title || schema.title || name))), fault);
  const one = { name, schema, control: made, forget, fault, node };
  fields.set(name, one);
  made.addEventListener("input", () => {
    mark(one, null);
    if (forget) forget.checked = false;
  });
  return one;
}

function mark(one, text) {
  one.fault.textContent = text || "";
  if (text) one.control.setAttribute("aria-invalid", "true");
  else one.control.removeAttribute("aria-invalid");
}

/** Says at once what a pasted key is. */
function watchKey(one) {
  const seen = el("p", { class: "help seen", role: "status" });
  one.fault.after(seen);
  let turn = 0;
  const look = async () => {
    const mine = ++turn;
    const key = one.control.value;
    seen.className = "help seen";
    if (!key.trim()) return void (seen.textContent = "");
    seen.textContent = t.settings.reading;
    try {
      const found = await api("POST", "/v1/webhook-key", { key });
      if (mine !== turn) return;
      seen.textContent = found.is_usable ? t.settings.recognised(found) : "";
      seen.classList.toggle("good", found.is_usable);
      mark(one, found.is_usable ? null : `${found.detail}. ${found.remedy}`);
    } catch {
      seen.textContent = "";
    }
  };
  let wait = 0;
  one.control.addEventListener("input", () => { clearTimeout(wait); wait = setTimeout(look, 250); });
  if (one.control.value) look();
}

function platformPart(fields, schemas, stored, connection) {
  const kinds = Object.fromEntries(Object.keys(t.settings.kinds).map((kind) => [kind, schemaOf(schemas, kind)]));
  const place = el("div", {});
  const choose = el("select", { id: "platform-kind" }, Object.keys(kinds).map((kind) => el("option", { value: kind }, t.settings.kinds[kind])));
  choose.value = stored.platform.kind;
  const draw = () => {
    for (const name of [...fields.keys()].filter((name) => name.startsWith("platform."))) fields.delete(name);
    const schema = kinds[choose.value];
    const isStored = choose.value === stored.platform.kind;
    const simple = Object.entries(schema?.properties || {}).filter(([, property]) => ["string", "boolean"].includes(typeOf(property)));
    const nodes = simple.map(([name, property]) => field(fields, `platform.${name}`, { ...property, type: typeOf(property) }, isStored ? stored.platform[name] : undefined, {
      isSet: isStored && stored.platform_secrets.includes(name), isNeeded: (schema.required || []).includes(name), title: t.settings.fields[name],
    }).node);
    const addresses = isStored ? [
      connection.webhooks.platform && address(t.settings.platformWebhook, connection.webhooks.platform),
      connection.webhooks.chat && address(t.settings.chatWebhook, connection.webhooks.chat),
    ] : [];
    fill(place, [choose.value], () => [...addresses, ...nodes]);
  };
  choose.addEventListener("change", draw);
  draw();
  const forward = field(fields, "forward_url", { type: "string", description: schemas.ConnectBody.properties.forward_url.description }, stored.forward_url, {
    title: t.settings.fields.forward_url,
  });
  const node = el("fieldset", { class: "card" }, el("legend", {}, t.settings.platform),
    el("div", { class: "field" }, el("label", { for: "platform-kind" }, t.settings.kind), choose), place, forward.node);
  // What the form does not show stays as it is.
  const kind = () => {
    const { secret: _, ...rest } = stored.platform.kind === choose.value ? stored.platform : {};
    return { ...rest, kind: choose.value };
  };
  return { node, kind };
}

/** What the settings of a kind of platform are, without the word that says which kind it is. */
function schemaOf(schemas, kind) {
  const { properties, required } = schemas.PlatformSettings.oneOf.find((one) => one.properties.kind.const === kind);
  // What a kind shares with others stands apart.
  const shared = schemas[kind[0].toUpperCase() + kind.slice(1)];
  const { kind: _, ...own } = { ...shared?.properties, ...properties };
  return { properties: own, required: [...(shared?.required || []), ...required] };
}

function typeOf(schema) {
  return Array.isArray(schema.type) ? schema.type.find((type) => type !== "null") : schema.type;
}

/** The value of a field as the API takes it; throws a text for the person. */
function valueOf({ schema, control, forget }) {
  if (control.type === "checkbox") return control.checked;
  if (forget?.checked) return null;
  const text = control.value.trim();
  // Without a value the default holds; an empty list says that there is to be nothing.
  if (!text) return schema.type === "array" && schema.default ? [] : undefined;
  if (schema.type === "integer") {
    if (!/^\d+$/.test(text)) throw t.settings.number;
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

async function save(connection, fields, platform, said, go) {
  said.replaceChildren();
  for (const one of fields.values()) mark(one, null);
  const body = collect(fields, platform);
  if (!body) return invalid(fields, said);
  said.replaceChildren(el("p", { class: "notice" }, t.settings.checking));
  try {
    await api("PUT", at(connection.id), body);
    go(connection.id, "connect");
  } catch (problem) {
    const place = (problem.field || "").replace(/^connection\./, "");
    const one = fields.get(place) || fields.get(`settings.${place}`);
    if (!one) return void said.replaceChildren(trouble(problem));
    mark(one, [problem.detail, problem.remedy].filter(Boolean).join(". "));
    invalid(fields, said);
  }
}

/** Leads to the first field that is wrong. */
function invalid(fields, said) {
  const wrong = [...fields.values()].filter((one) => one.control.getAttribute("aria-invalid"));
  said.replaceChildren(el("div", { class: "notice bad" }, el("p", {}, t.settings.faults(wrong.length))));
  wrong[0]?.control.closest("details")?.setAttribute("open", "");
  wrong[0]?.control.focus();
}
