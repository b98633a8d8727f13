// Single deliveries, failures by cause and resending; numbers over time; ended handoffs and search.

import { api, at } from "./api.js";
import { busy, button, el, fill, say, trouble } from "./dom.js";
import { moment, t } from "./texts.js";
import { table } from "./watch.js";

const MINUTE_MS = 60_000;
const PERIODS = { hour: 60 * MINUTE_MS, day: 24 * 60 * MINUTE_MS, week: 7 * 24 * 60 * MINUTE_MS };
const RESULTS = ["bad", "done", "waiting", "ignored", "failed", "given-up", "refused", "unreadable"];

/** The sections of the page, and their redraw function. */
export function watching(connection, section) {
  const parts = [overTime(connection), deliveryList(connection), ended(connection)];
  const titles = [t.trends.title, t.deliveries.title, t.ended.title];
  return {
    sections: parts.map((part, index) => section(titles[index], part.content)),
    draw: () => Promise.all(parts.map((part) => part.draw())),
  };
}

let labels = 0;

/** A control with its label before it. */
function labelled(text, control) {
  control.id = `watch-${(labels += 1)}`;
  return el("div", {}, el("label", { for: control.id }, text), control);
}

function choice(label, options, run) {
  const select = el("select", { on: { change: run } }, Object.entries(options).map(([value, text]) => el("option", { value }, text)));
  return { select, field: labelled(label, select) };
}

/** The word, its mark and its colour. */
function result(one) {
  const kind = { done: "ok", ignored: "ok", waiting: "warning" }[one.result] || "failure";
  return el("span", { class: `${kind} result` }, el("span", { class: "mark" }, t.deliveries.results[one.result] || one.result));
}

function reason(one) {
  return t.deliveries.whys[one.why] || t.watch.whys[one.why || "-"] || one.why;
}

function what(one) {
  const kinds = one.kind.split(" ").filter(Boolean).map((kind) => t.deliveries.kinds[kind] || kind).join(", ");
  return [el("span", {}, t.deliveries.ways[`${one.direction} ${one.party}`] || one.party), kinds && el("p", { class: "help" }, kinds)];
}

function deliveryList(connection) {
  const [list, causes, said] = [el("div", { class: "table" }), el("div", { class: "table" }), el("div", { class: "said" })];
  const period = choice(t.deliveries.period, t.deliveries.periods, () => draw(true));
  const wanted = choice(t.deliveries.result, { "": t.deliveries.all, ...Object.fromEntries(RESULTS.map((word) => [word, t.deliveries.results[word]])) }, () => draw(true));
  const whose = el("input", { type: "search", autocomplete: "off", spellcheck: "false", maxlength: 255 });
  const by = choice(t.deliveries.by, t.deliveries.bys, () => whose.value && draw(true));
  const since = () => Date.now() - PERIODS[period.select.value];
  const form = el("form", { class: "filters", on: { submit: (event) => { event.preventDefault(); draw(true); } } },
    period.field, wanted.field, by.field, labelled(t.deliveries.id, whose), button(t.deliveries.filter, null, { type: "submit" }));
  const resend = async (path, event) => busy(event.target, async () => {
    said.replaceChildren();
    try {
      const text = t.deliveries.resent(await api("POST", path));
      said.replaceChildren(el("div", { class: "notice" }, el("p", {}, text)));
      say(text);
    } catch (problem) {
      said.replaceChildren(trouble(problem));
    }
    await draw();
  });
  async function draw(asked) {
    const query = new URLSearchParams({ since: since() });
    if (wanted.select.value) query.set("result", wanted.select.value);
    if (whose.value.trim()) query.set(by.select.value, whose.value.trim());
    // The API reads a plus as a plus.
    const found = await api("GET", `${at(connection.id, "deliveries")}?${query.toString().replaceAll("+", "%20")}`);
    const now = Math.floor(Date.now() / 30_000);
    fill(causes, found.causes, () => found.causes.length > 0 && [
      el("h3", {}, t.deliveries.causes),
      table(t.deliveries.causes, Object.values(t.deliveries.cause), found.causes.map((one) => [
        [what({ ...one, kind: "" })[0], el("p", {}, result(one))], reason(one), String(one.count), moment(one.first_at), moment(one.last_at),
      ])),
      el("p", { class: "row" }, button(t.deliveries.resendAll, (event) => resend(`${at(connection.id, "resend")}?since=${since()}`, event))),
    ]);
    fill(list, [found.deliveries, now], () => {
      if (!found.deliveries.length) return el("p", {}, t.deliveries.none);
      const rows = found.deliveries.map((one) => {
        const name = `${t.deliveries.resend} ${one.id.slice(0, 8)}`;
        const again = one.can_resend && button(t.deliveries.resend, (event) => resend(at(connection.id, "deliveries", one.id, "resend"), event), { "aria-label": name });
        const times = one.tries > 1 ? t.deliveries.tries(one.tries) : "";
        return [moment(one.at), what(one), [result(one), times && el("p", { class: "help" }, times)], `${one.ms} ms`, reason(one),
          one.handoff ? el("span", { class: "code" }, one.handoff.slice(0, 8)) : "–", again || "–"];
      });
      return [
        el("p", { class: "help" }, t.deliveries.found(found.found, found.deliveries.length)),
        table(t.deliveries.title, Object.values(t.deliveries.columns), rows),
      ];
    });
    if (asked) say(t.deliveries.found(found.found, found.deliveries.length));
  }
  return { content: [form, said, causes, list], draw };
}

function ended(connection) {
  const [list, found, said] = [el("div", { class: "table" }), el("div", { class: "table" }), el("div", {})];
  const text = el("input", { type: "search", autocomplete: "off", spellcheck: "false", required: true, maxlength: 255 });
  const rows = (handoffs) => table(t.ended.title, Object.values(t.ended.columns), handoffs.map((one) => [
    el("span", { class: "code" }, one.id.slice(0, 8)), one.key.conversation, t.ended.outcomes[one.outcome] || one.outcome || t.ended.states[one.owner] || "–",
    moment(one.begun_at), moment(one.updated_at),
  ]));
  const search = async (event) => {
    event.preventDefault();
    said.replaceChildren();
    try {
      const { handoffs } = await api("GET", `${at(connection.id, "handoffs")}?find=${encodeURIComponent(text.value.trim())}`);
      found.replaceChildren(el("h3", {}, t.ended.found(handoffs.length)), handoffs.length ? rows(handoffs) : "");
      say(t.ended.found(handoffs.length));
    } catch (problem) {
      said.replaceChildren(trouble(problem));
    }
  };
  const form = el("form", { class: "filters", on: { submit: search } }, labelled(t.ended.search, text), button(t.ended.button, null, { type: "submit" }));
  return {
    content: [form, said, found, el("h3", {}, t.ended.newest), list],
    async draw() {
      const { handoffs } = await api("GET", `${at(connection.id, "handoffs")}?which=ended`);
      fill(list, [handoffs, Math.floor(Date.now() / 30_000)], () => (handoffs.length ? rows(handoffs) : el("p", {}, t.ended.none)));
    },
  };
}

function svg(tag, properties, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(properties)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

const [WIDTH, HEIGHT] = [480, 90];

/** Bars from the oldest to the newest; screen readers get the sum and the peak, and can open the table. */
function bars(title, points, value, unit, name) {
  const values = points.map(value);
  const most = Math.max(...values, 0);
  const width = WIDTH / points.length;
  const drawn = values.map((one, index) => {
    const height = most ? Math.max(one ? 2 : 0, (one / most) * HEIGHT) : 0;
    return svg("rect", { x: index * width + 1, y: HEIGHT - height, width: Math.max(1, width - 2), height }, svg("title", {}, `${name(points[index])}: ${unit(one)}`));
  });
  const peak = values.indexOf(most);
  const about = most ? t.trends.about(title, unit(most), name(points[peak])) : t.trends.empty(title);
  return el("figure", { class: "bars" }, el("figcaption", {}, about),
    svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT + 1}`, role: "img", "aria-label": about, preserveAspectRatio: "none" }, ...drawn,
      svg("line", { x1: 0, x2: WIDTH, y1: HEIGHT, y2: HEIGHT })));
}

function overTime(connection) {
  const place = el("div", {});
  const which = choice(t.trends.period, t.trends.periods, () => draw());
  const wait = (one) => (one.taken ? Math.round(one.waited_ms / one.taken / 1000) : 0);
  async function draw() {
    const trends = await api("GET", at(connection.id, "trends"));
    const family = which.select.value;
    const points = trends[family];
    const name = ({ at: begin }) => (family === "hours"
      ? new Date(begin).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" })
      : new Date(begin).toLocaleDateString(undefined, { day: "numeric", month: "short", timeZone: "UTC" }));
    fill(place, [family, points], () => {
      const open = place.querySelector("details")?.open;
      return [
        el("div", { class: "charts" },
          bars(t.trends.handoffs, points, (one) => one.handoffs, String, name),
          bars(t.trends.wait, points, wait, t.trends.seconds, name),
          bars(t.trends.failures, points, (one) => one.failures, String, name)),
        el("details", { open: open === true }, el("summary", {}, t.trends.table),
          el("div", { class: "table" }, table(t.trends.title, Object.values(t.trends.columns), points.toReversed().map((one) => [
            name(one), String(one.handoffs), one.taken ? t.trends.seconds(wait(one)) : "–", String(one.failures),
          ])))),
      ];
    });
  }
  return { content: [which.field, place], draw };
}
