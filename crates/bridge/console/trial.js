// Step 3: the end user's side of a handoff, with a scripted AI agent. Only this browser keeps the texts, shared by all tabs;
// one tab fetches events.

import { api, at } from "./api.js";
import { busy, button, el, fill, repeat, trouble } from "./dom.js";
import { answer, hello } from "./script.js";
import { clock, prose, sentence, t } from "./texts.js";

const PREFIX = "trial/";
const FETCH_MS = 1000;

/** Deletes what this browser has stored. */
export function forgetTrials() {
  Object.keys(localStorage).filter((key) => key.startsWith(PREFIX)).forEach((key) => localStorage.removeItem(key));
}

/** What this page is sending now: everything else marked as unsent was interrupted. */
const sending = new Set();

function newId() {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function fresh() {
  return { id: newId(), handoff: null, owner: "ai-agent", human: null, url: null, after: 0, said: [line("ai", hello)] };
}

function line(by, text, more = {}) {
  return { id: newId(), by, text, at: Date.now(), ...more };
}

/** The stored state, as all tabs see it. */
class Trial {
  constructor(connection) {
    this.connection = connection;
    this.key = PREFIX + connection;
  }

  read() {
    try {
      return JSON.parse(localStorage.getItem(this.key)) || this.begin();
    } catch {
      return this.begin();
    }
  }

  begin() {
    return this.write(fresh());
  }

  write(trial) {
    localStorage.setItem(this.key, JSON.stringify(trial));
    return trial;
  }

  /** Changes the current stored state, which another tab may have changed. */
  change(run) {
    const trial = this.read();
    run(trial);
    return this.write(trial);
  }

  add(...lines) {
    return this.change((trial) => trial.said.push(...lines.filter((one) => !trial.said.some((known) => known.id === one.id))));
  }
}

function message(one) {
  const role = { you: "end-user", ai: "ai-agent", human: "human-agent" }[one.by];
  return { id: one.id, sender: { role, name: one.by === "you" ? t.script.user : one.name || null }, sent_at: one.at, parts: [{ kind: "text", text: one.text }] };
}

function request(trial) {
  return {
    key: { application: "console", channel: "trial", conversation: trial.id },
    user: { id: `console-${trial.id}`, name: t.script.user },
    mode: "automatic", reason: "user-button", summary: t.script.summary,
    history: trial.said.filter((one) => one.by !== "line").map(message),
  };
}

export async function trialPage(page, connection) {
  const trial = new Trial(connection.id);
  const log = el("div", { class: "log", role: "log", "aria-label": t.trial.chat, tabindex: "0" });
  const state = el("p", { class: "state" });
  const said = el("div", { role: "alert" });
  const input = el("input", { id: "message", autocomplete: "off", maxlength: "5000" });
  const dialog = el("dialog", { class: "wide", "aria-labelledby": "preview-title" });
  const handOff = button(t.trial.handOff, () => busy(handOff, () => preview(trial, dialog, said, draw)), { class: "main" });
  const end = button(t.trial.end, () => busy(end, () => close(trial, said, draw)));
  const anew = button(t.trial.anew, () => { said.replaceChildren(); trial.begin(); draw(); }, { class: "quiet" });
  const form = el("form", {
    class: "write", on: { submit: (event) => { event.preventDefault(); write(trial, input, said, draw); } },
  }, el("label", { for: "message" }, t.trial.message), el("div", { class: "row" }, input, el("button", { class: "main" }, t.trial.send)));
  const entries = el("ol", { class: "timeline", tabindex: "0", "aria-labelledby": "timeline-title" });
  const sum = el("p", { class: "help" });

  function draw() {
    const now = trial.read();
    const withHumans = now.owner === "human-agent";
    fill(state, [withHumans, now.human, now.url], () => [
      withHumans ? (now.human ? t.trial.states.human(now.human) : t.trial.states.waiting) : t.trial.states.ai,
      withHumans && now.url && /^https?:\/\//.test(now.url) && [" · ", el("a", { href: now.url, target: "_blank", rel: "noopener noreferrer" }, t.trial.open)],
    ]);
    handOff.hidden = withHumans;
    end.hidden = !withHumans;
    // End an open handoff first: otherwise the human agents would get no more answers.
    anew.hidden = withHumans;
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
    const known = log.childElementCount;
    // Lines are only added or changed in place.
    now.said.forEach((one, index) => {
      const key = JSON.stringify([one, sending.has(one.id), one.unsent && now.owner]);
      const old = log.children[index];
      if (old?.dataset.key === key) return;
      const made = bubble(one, now, trial, said, draw);
      made.dataset.key = key;
      if (old) old.replaceWith(made);
      else log.append(made);
    });
    while (log.childElementCount > now.said.length) log.lastChild.remove();
    if (atEnd || known !== now.said.length) log.scrollTop = log.scrollHeight;
  }

  // A narrower log wraps more: keep its end in view.
  new ResizeObserver(() => { log.scrollTop = log.scrollHeight; }).observe(log);
  page.classList.add("two");
  page.replaceChildren(
    el("section", { class: "card chat" }, el("h2", { class: "unseen" }, t.trial.chat), el("div", { class: "row head" }, state, handOff, end, anew), log, said, form),
    el("section", { class: "card" }, el("h2", { id: "timeline-title" }, t.trial.timeline), sum, entries), dialog);
  if (trial.read().handing) {
    // The page was closed midway.
    handOver(trial).then(draw, (problem) => said.replaceChildren(trouble(problem)));
  }
  if (!connection.connected) said.replaceChildren(el("p", { class: "notice" }, t.trial.notConnected));
  draw();
  addEventListener("storage", (event) => { if (event.key === trial.key && page.isConnected) draw(); });
  repeat(page, FETCH_MS, async () => {
    await alone(trial.key, () => fetchEvents(trial));
    draw();
    await drawTimeline(trial, entries, sum);
  });
}

/** Runs in one tab at a time if the browser supports locks; otherwise running twice is harmless. */
async function alone(name, work) {
  if (!navigator.locks) return work();
  return navigator.locks.request(name, { ifAvailable: true }, (lock) => (lock ? work() : null));
}

function bubble(one, now, trial, said, draw) {
  if (one.by === "line") return el("p", { class: "line" }, one.text);
  const name = { you: t.trial.you, ai: t.trial.assistant, human: one.name || t.trial.human }[one.by];
  const face = one.by === "human" && picture(one, trial);
  return el("div", { class: `bubble ${one.by}` }, face, el("div", { class: "words" },
    el("p", { class: "who" }, name, el("span", { class: "when" }, ` ${clock(one.at)}`)), el("p", { class: "text" }, one.text),
    (one.files || []).map((file) => el("p", {}, /^https?:\/\//.test(file.url || "")
      ? el("a", { href: file.url, target: "_blank", rel: "noopener noreferrer" }, file.name || file.url) : file.name || file.kind)),
    one.unsent && !sending.has(one.id) && now.owner === "human-agent" && el("p", { class: "fault" }, t.trial.unsent, " ",
      button(t.trial.resend, (event) => busy(event.target, () => relay(trial, one, said, draw))))));
}

/** The photo, by way of the bridge; without one, the initial. */
function picture(one, trial) {
  const initial = el("span", { class: "face", "aria-hidden": "true" }, (one.name || "?").charAt(0));
  if (!one.photo) return initial;
  const image = el("img", { class: "face", alt: "", src: at(trial.connection, "photos", one.photo) });
  image.addEventListener("error", () => image.replaceWith(initial));
  return image;
}

async function write(trial, input, said, draw) {
  const text = input.value.trim();
  if (!text) return;
  input.value = "";
  const forHumans = trial.read().owner === "human-agent";
  // Unsent until confirmed: the page may be closed at any moment.
  const mine = line("you", text, { unsent: forHumans || undefined });
  if (forHumans) return relay(trial, mine, said, draw);
  trial.add(mine);
  trial.add(line("ai", answer(text)));
  draw();
}

async function relay(trial, one, said, draw) {
  const mark = (unsent) => trial.change((now) => { now.said.filter((it) => it.id === one.id).forEach((it) => { it.unsent = unsent; }); });
  said.replaceChildren();
  sending.add(one.id);
  trial.add(one);
  draw();
  try {
    await api("POST", at(trial.connection, "handoffs", trial.read().handoff, "messages"), message(one));
    sending.delete(one.id);
    mark(undefined);
  } catch (problem) {
    sending.delete(one.id);
    mark(true);
    said.replaceChildren(trouble(problem));
  }
  draw();
}

async function preview(trial, dialog, said, draw) {
  said.replaceChildren();
  let plan;
  try {
    plan = await api("POST", at(trial.connection, "preview"), request(trial.read()));
  } catch (problem) {
    return void said.replaceChildren(trouble(problem));
  }
  const fault = el("div", {});
  const confirm = button(t.trial.confirm, () => busy(confirm, async () => {
    fault.replaceChildren(el("p", { class: "notice" }, t.trial.handingOver));
    try {
      await handOver(trial);
      dialog.close();
      draw();
    } catch (problem) {
      fault.replaceChildren(trouble(problem));
    }
  }), { class: "main" });
  const part = (title, items) => items.length > 0 && [el("h3", {}, title), el("ul", {}, items.map((item) => el("li", {}, item)))];
  dialog.replaceChildren(el("h2", { id: "preview-title" }, t.trial.previewTitle), el("p", {}, t.trial.previewAbout),
    el("div", { class: "scroll", tabindex: "0", role: "region", "aria-labelledby": "preview-title" },
      el("p", {}, el("strong", {}, t.trial.previewMode(plan.mode))),
      el("h3", {}, t.trial.reads), plan.texts.map((text) => el("pre", {}, text)),
      part(t.trial.steps, plan.steps.map((step) => [sentence(step.action.replaceAll("-", " "), ""), step.target, step.detail].filter(Boolean).join(" · "))),
      part(t.trial.decisions, plan.decisions.map((one) => t.trial.decision(one))),
      part(t.trial.findings, plan.findings.filter((one) => one.level !== "ok").map((one) => [sentence(one.detail), one.remedy && prose(one.remedy)].filter(Boolean).join(" ")))),
    fault, el("p", { class: "row" }, button(t.cancel, () => dialog.close()), confirm));
  dialog.showModal();
}

/** Idempotent per conversation. */
async function handOver(trial) {
  const now = trial.change((it) => { it.handing = true; });
  try {
    took(trial, await api("POST", at(trial.connection, "trials"), request(now)));
  } catch (problem) {
    // A refused request had no effect; any other outcome is unknown.
    if (problem.status >= 400 && problem.status < 500) trial.change((it) => { it.handing = undefined; });
    throw problem;
  }
}

function took(trial, answered) {
  const now = trial.read();
  // Another tab may have handed over at the same time: it is the same handoff.
  if (now.handoff === answered.id && now.owner === "human-agent") return;
  trial.change((it) => {
    it.handing = undefined;
    it.handoff = answered.id;
    it.owner = answered.owner;
    it.url = answered.agent_url || it.url;
    const ticket = (answered.external_case?.case_id || "").startsWith("fd:") || answered.state === "ticketed";
    it.said.push(line("line", ticket ? t.trial.ticketed : t.trial.handedOver));
    if (answered.estimate) it.said.push(line("line", t.trial.estimate(answered.estimate)));
  });
}

async function close(trial, said, draw) {
  said.replaceChildren();
  try {
    const answered = await api("POST", at(trial.connection, "handoffs", trial.read().handoff, "close"), { reason: "user-left" });
    trial.change((now) => {
      now.owner = answered.handoff?.owner || answered.owner;
      answered.events.forEach((event) => hear(now, event));
    });
  } catch (problem) {
    said.replaceChildren(trouble(problem));
  }
  draw();
}

async function fetchEvents(trial) {
  const before = trial.read();
  if (!before.handoff) return;
  try {
    const { handoff, events } = await api("POST", at(trial.connection, "handoffs", before.handoff, "events"), { after: before.after });
    if (!events.length && handoff.owner === before.owner) return;
    trial.change((now) => {
      // The trial was restarted meanwhile.
      if (now.handoff !== before.handoff) return;
      for (const { number, event, photo } of events) {
        now.after = number;
        hear(now, event, photo);
      }
      now.owner = handoff.owner;
    });
  } catch (problem) {
    if (problem.status === 404) trial.change((now) => { now.id = newId(); now.after = 0; now.handoff = null; now.owner = "ai-agent"; now.said.push(line("line", t.trial.states.gone)); });
  }
}

/** What an event means to the end user. */
function hear(now, event, photo) {
  if (now.said.some((one) => one.id === event.id)) return;
  const name = event.agent?.name || event.message?.sender?.name || null;
  const tell = (text) => now.said.push(line("line", text, { id: event.id, at: event.at, event: event.kind, name }));
  switch (event.kind) {
    case "agent-assigned":
      now.human = name;
      return void tell(t.trial.joined(name));
    case "transferred":
      now.human = name;
      return void tell(t.trial.transferred(name));
    case "agent-message": {
      now.human = name || now.human;
      const parts = event.message.parts;
      const text = parts.map((part) => part.text).filter(Boolean).join("\n");
      const files = parts.filter((part) => part.url).map(({ kind, url, name: file }) => ({ kind, url, name: file }));
      now.said.push(line("human", text, { id: event.id, at: event.at, name, photo, files }));
      return undefined;
    }
    case "resolved":
      return void tell(t.trial.resolved);
    case "reopened":
      return void tell(t.trial.reopened);
    case "ticket-replied":
      return void tell(t.trial.ticketReplied);
    case "returned-to-ai":
      now.human = null;
      tell(t.trial.returned[event.outcome] || event.outcome);
      now.said.push(line("ai", [t.trial.back, event.summary && t.trial.knows].filter(Boolean).join(" ")));
      return undefined;
    default:
      return undefined;
  }
}

async function drawTimeline(trial, place, sum) {
  const { handoff, said } = trial.read();
  let found = [];
  try {
    if (handoff) ({ entries: found } = await api("GET", at(trial.connection, "handoffs", handoff, "timeline")));
  } catch {
    // Comes again.
    return;
  }
  const atEnd = place.scrollHeight - place.scrollTop - place.clientHeight < 80;
  const names = said.filter((one) => one.event in TOOK).map((one) => one.name);
  fill(place, [found, names], () => timeline(found, names));
  const calls = found.filter((one) => one.kind === "call");
  sum.textContent = found.length ? t.trial.summary(calls.length, calls.reduce((all, one) => all + one.ms, 0)) : t.trial.empty;
  if (atEnd) place.scrollTop = place.scrollHeight;
}

/** Events that involve a human agent's name. The timeline holds no names; the chat beside it does. */
const TOOK = { "agent-assigned": true, transferred: true };

/** Entries of a timeline in plain words. `names`: the agents who took the conversation, in order; the newest are last. */
export function timeline(entries, names = []) {
  const left = [...names];
  const named = new Map(entries.filter((one) => one.kind === "event" && one.event in TOOK).reverse().map((one) => [one, left.pop()]));
  let before = "";
  // The entry of the agent who took it already says so.
  const isSaid = (one, index) => one.kind === "state" && one.state === "active" && [entries[index - 1], entries[index + 1]].some((it) => named.has(it));
  return entries.filter((one, index) => !isSaid(one, index)).map((one) => {
    const text = {
      call: t.trial.call, state: t.trial.state, event: (entry) => t.trial.event(entry, named.get(entry)), decision: t.trial.decision,
      estimate: t.trial.estimate, relayed: () => t.trial.relayed, failure: t.trial.failure,
    }[one.kind](one);
    const bad = one.kind === "failure" || (one.kind === "call" && !(one.status < 400));
    const time = clock(one.at);
    const isSame = time === before;
    before = time;
    return el("li", { class: bad ? `${one.kind} bad` : one.kind },
      el("time", { datetime: new Date(one.at).toISOString(), class: isSame ? "unseen" : null }, time),
      el("span", {}, text), one.kind === "call" && [" ", el("code", {}, `${one.method} ${one.path}`),
        el("span", { class: "when" }, ` ${one.status ?? t.trial.noAnswer}, ${t.trial.seconds(one.ms)}`)]);
  });
}
