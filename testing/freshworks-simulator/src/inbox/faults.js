import { call, state } from "./calls.js";
import { at, clock, el, list, menu, meta, onClick, onSubmit } from "./dom.js";
import { texts } from "./texts.js";

let urlTouched = false;

export const waitingCount = () => state.faults.length;

export function start() {
  const named = Object.entries(texts.faultNames);
  const isWebhook = ([word]) => word.startsWith("webhook-");
  menu(at("fault"), [
    { group: texts.onCalls, options: named.filter((it) => !isWebhook(it)) },
    { group: texts.onWebhooks, options: named.filter(isWebhook) },
  ]);
  at("fault").addEventListener("change", () => {
    at("times").disabled = at("fault").value === "down";
  });
  onSubmit(at("add-fault"), () => call("POST", "faults", { fault: at("fault").value, times: at("times").valueAsNumber }));
  onClick(at("clear"), () => call("DELETE", "faults"));
  at("url").addEventListener("input", () => {
    urlTouched = true;
  });
  onSubmit(at("hook"), async () => {
    urlTouched = !(await call("POST", "webhook", { url: at("url").value.trim() || null }));
  });
}

async function showAccount() {
  const account = await (await fetch("/simulator/account")).json();
  const facts = Object.entries(texts.accountFacts);
  const value = (name) => [account[name]].flat().join(", ");
  at("account-facts").replaceChildren(...facts.flatMap(([name, title]) => [el("dt", "", title), el("dd", "", value(name))]));
  at("public-key").value = account.public_key;
}

export function draw() {
  if (!at("public-key").value) showAccount();
  const waiting = state.faults.map((it, place) => ({ ...it, place }));
  const fill = (item, it) => {
    const left = it.left === null ? texts.untilCleared : texts.timesLeft(it.left);
    item.replaceChildren(texts.faultNames[it.fault] ?? texts.faultOfProgram, meta(left));
  };
  list(at("waiting"), waiting, { key: (it) => it.place, make: () => el("li"), fill });
  at("none-waiting").hidden = waiting.length > 0;
  if (!urlTouched) at("url").value = state.webhook ?? "";
  drawDeliveries();
}

function drawDeliveries() {
  const sent = state.deliveries.map((it, place) => ({ ...it, place }));
  const fill = (item, it) =>
    item.replaceChildren(it.action, meta(clock(it.at), it.outcome, it.retry ? texts.retry(it.retry + 1) : null));
  list(at("deliveries"), sent, { key: (it) => it.place, make: () => el("li"), fill });
  at("no-deliveries").hidden = sent.length > 0;
}
