// Open handoffs, failures and durations.

import { api, at } from "./api.js";
import { busy, button, el, fill, focusOn, repeat, say, trouble } from "./dom.js";
import { watching } from "./deliveries.js";
import { ago, moment, t } from "./texts.js";
import { timeline } from "./trial.js";

const LOOK_MS = 3000;

export async function watchPage(page, connection) {
  const [open, troubles, numbers] = [0, 0, 0].map(() => el("div", { class: "table" }));
  const [said, unreachable] = [el("div", {}), el("div", {})];
  const dialog = el("dialog", { class: "wide", "aria-labelledby": "watch-timeline" });
  const section = (title, ...content) => el("section", { class: "card" }, el("h2", {}, title), content);
  const { sections, draw: drawMore } = watching(connection, section);
  const [chart, deliveries, ended] = sections;
  page.replaceChildren(unreachable, section(t.watch.open, open, said), chart, deliveries, ended, section(t.watch.troubles, troubles),
    section(t.watch.numbers, numbers),
    el("p", {}, el("a", { href: "/metrics" }, t.watch.metrics)), dialog);
  const draw = async () => {
    try {
      const [{ handoffs }, activity] = await Promise.all([api("GET", at(connection.id, "handoffs")), api("GET", at(connection.id, "activity"))]);
      drawOpen(open, connection, handoffs, dialog, said);
      drawTroubles(troubles, activity.troubles);
      drawNumbers(numbers, activity);
      await drawMore();
      fill(unreachable, null, () => null);
    } catch (problem) {
      if (problem.status !== 401) fill(unreachable, [problem.detail], () => trouble(problem));
    }
  };
  await draw();
  repeat(page, LOOK_MS, draw);
}

/** A table; a narrow page shows each row as a card. */
export function table(caption, columns, rows) {
  return el("table", {}, el("caption", { class: "unseen" }, caption),
    el("thead", {}, el("tr", {}, columns.map((column) => el("th", { scope: "col" }, column)))),
    el("tbody", {}, rows.map((cells) => el("tr", {}, cells.map((cell, index) =>
      el(index ? "td" : "th", { scope: index ? null : "row", data: { label: columns[index] } }, cell))))));
}

function drawOpen(place, connection, handoffs, dialog, said) {
  const columns = Object.values(t.watch.columns);
  fill(place, [handoffs, Math.floor(Date.now() / 30_000)], () => {
    if (!handoffs.length) return el("p", {}, t.watch.noneOpen);
    return table(t.watch.open, columns, handoffs.map((one) => {
      const short = one.id.slice(0, 8);
      return [
        [el("span", { class: "code" }, short), one.last_failure && el("p", { class: "fault" }, t.watch.lastFailure(one.last_failure))],
        one.state, t.watch.owners[one.owner] || one.owner, ago(one.begun_at), ago(one.updated_at),
        el("div", { class: "row" },
          button(t.watch.timeline, () => showTimeline(connection, one, dialog, said), { "aria-label": `${t.watch.timeline} ${short}` }),
          button(t.watch.look, (event) => busy(event.target, () => look(connection, one, said)), { "aria-label": `${t.watch.look} ${short}` })),
      ];
    }));
  });
}

async function look(connection, one, said) {
  said.replaceChildren();
  try {
    await api("POST", at(connection.id, "handoffs", one.id, "tick"));
    say(t.watch.looked);
  } catch (problem) {
    said.replaceChildren(trouble(problem));
  }
}

async function showTimeline(connection, one, dialog, said) {
  try {
    const { entries } = await api("GET", at(connection.id, "handoffs", one.id, "timeline"));
    dialog.replaceChildren(el("h2", { id: "watch-timeline" }, `${t.watch.timeline} ${one.id.slice(0, 8)}`),
      el("ol", { class: "timeline scroll", tabindex: "0", "aria-labelledby": "watch-timeline" }, timeline(entries)),
      el("p", { class: "row" }, button(t.close, () => dialog.close())));
    // The button that opened it may have been redrawn since.
    dialog.onclose = () => focusOn(dialog.parentElement, `${t.watch.timeline} ${one.id.slice(0, 8)}`);
    dialog.showModal();
  } catch (problem) {
    said.replaceChildren(trouble(problem));
  }
}

function drawTroubles(place, troubles) {
  fill(place, troubles, () => {
    if (!troubles.length) return el("p", {}, t.watch.noTroubles);
    return table(t.watch.troubles, Object.values(t.watch.trouble), troubles.map((one) => [
      t.watch.kinds[`${one.of} ${one.result}`] || `${one.of} ${one.result}`,
      (one.of === "handoff" && t.watch.handoffWhys[one.why]) || t.watch.whys[one.why] || one.why, String(one.count), moment(one.last_at),
    ]));
  });
}

function drawNumbers(place, activity) {
  const { accepted, handoffs, outcomes, messages, requests, handoff_ms, delivery_ms } = activity;
  // Failed handoffs are listed above, with their reasons.
  const counted = [...handoffs.filter((one) => one.name !== "failed"), ...outcomes, ...messages, ...accepted, ...requests];
  fill(place, [counted, handoff_ms, delivery_ms], () => {
    if (!counted.length) return el("p", {}, t.watch.noNumbers);
    const within = (ms, count) => (ms === null ? (count ? t.watch.beyond : "–") : `${ms} ms`);
    const times = Object.entries({ handoff_ms, delivery_ms }).map(([name, one]) => [
      t.watch.timeNames[name], String(one.count), ...[one.p50_ms, one.p95_ms, one.p99_ms].map((ms) => within(ms, one.count)),
    ]);
    return [
      table(t.watch.times, Object.values(t.watch.time), times),
      table(t.watch.numbers, [t.watch.number, t.watch.count], counted.map((one) => [t.watch.numberNames[one.name] || one.name, String(one.count)])),
    ];
  });
}
