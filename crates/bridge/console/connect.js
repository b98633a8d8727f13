// Step 2: what was found, and whether webhooks arrive.

import { api, at } from "./api.js";
import { busy, button, el, fill, repeat, say, trouble } from "./dom.js";
import { moment, t } from "./texts.js";

/** Between two checks that appear, in milliseconds. */
const STEP_MS = 90;

export async function connectPage(page, listed) {
  let connection = await api("GET", at(listed.id));
  const status = el("section", { class: "card status", "aria-live": "polite" });
  const list = el("ol", { class: "checks" });
  const said = el("div", { role: "alert" });
  const recheck = button(t.connect.recheck, () => busy(recheck, async () => {
    said.replaceChildren();
    say(t.connect.rechecking);
    list.replaceChildren();
    try {
      connection = await api("POST", at(connection.id, "check"));
    } catch (problem) {
      said.replaceChildren(trouble(problem));
    }
    await draw();
  }), { class: "main" });
  const dialog = disconnectDialog(connection);
  const change = changeDialog(connection);

  async function draw() {
    const failures = connection.findings.filter((one) => one.level === "failure").length;
    const warnings = connection.findings.filter((one) => one.level === "warning").length;
    status.replaceChildren(
      el("p", {}, el("strong", { class: `label ${connection.connected ? "good" : "bad"}` },
        connection.connected ? t.connect.connected : t.connect.notConnected)),
      el("p", {}, sentence(t.connect.facts(connection.account, connection.topic, moment(connection.checked_at)))));
    list.replaceChildren();
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    for (const finding of connection.findings) {
      list.append(check(finding));
      if (!still) await new Promise((done) => setTimeout(done, STEP_MS));
    }
    say(t.connect.checked(failures, warnings));
    const next = connection.connected ? ["try", t.connect.next] : ["settings", t.connect.fix];
    onward.replaceChildren(el("a", { class: "button main", href: `#/${encodeURIComponent(connection.id)}/${next[0]}` }, next[1]));
  }

  const onward = el("p", {});
  const webhook = el("section", { class: "card", "aria-live": "polite" });
  page.replaceChildren(status,
    el("section", { class: "card" }, el("h2", {}, t.connect.checks), list, said,
      el("p", { class: "row" }, recheck, button(t.connect.change, () => change.showModal()), button(t.connect.disconnect, () => dialog.showModal(), { class: "danger" }))),
    webhook, onward, dialog, change);
  repeat(webhook, 2000, async () => {
    try {
      drawWebhook(webhook, (await api("GET", at(connection.id, "activity"))).webhook);
    } catch {
      // Comes again.
    }
  });
  await draw();
}

function check(finding) {
  return el("li", { class: `check ${finding.level}` },
    el("span", { class: "mark" }, t.connect.levels[finding.level]),
    el("div", {}, el("strong", {}, t.connect.names[finding.check] || finding.check), el("p", {}, sentence(finding.detail)),
      finding.remedy && el("p", { class: "remedy" }, finding.remedy)));
}

function sentence(text) {
  const whole = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(whole) ? whole : `${whole}.`;
}

function drawWebhook(place, webhook) {
  fill(place, webhook, () => {
    const level = { waiting: "warning", verified: "ok", refused: "failure" }[webhook.state];
    const about = {
      waiting: t.connect.waiting, verified: webhook.at && t.connect.verified(moment(webhook.at)),
      refused: webhook.at && t.connect.refused(moment(webhook.at)),
    }[webhook.state];
    return [el("h2", {}, t.connect.webhook), el("div", { class: `check ${level}` },
      el("span", { class: "mark" }, webhook.state),
      el("div", {}, el("strong", {}, t.connect.webhookStates[webhook.state]), el("p", {}, about),
        webhook.detail && el("p", {}, sentence(webhook.detail)), webhook.remedy && el("p", { class: "remedy" }, webhook.remedy)))];
  });
}

/** Other addresses for webhooks; those so far go on for a while. */
function changeDialog(connection) {
  const said = el("div", {});
  const hours = el("select", { id: "overlap" }, t.connect.overlaps.map(([value, text]) => el("option", { value }, text)));
  const yes = button(t.connect.change, () => busy(yes, async () => {
    try {
      await api("POST", at(connection.id, "webhook-secret"), { overlap_hours: Number(hours.value) });
      dialog.close();
      location.hash = `#/${encodeURIComponent(connection.id)}/settings`;
    } catch (problem) {
      said.replaceChildren(trouble(problem));
    }
  }), { class: "danger" });
  const dialog = el("dialog", { "aria-labelledby": "change-title" },
    el("h2", { id: "change-title" }, t.connect.change), el("p", {}, t.connect.changeAbout),
    el("div", { class: "field" }, el("label", { for: hours.id }, t.connect.overlap), hours), said,
    el("p", { class: "row" }, button(t.cancel, () => dialog.close()), yes));
  return dialog;
}

function disconnectDialog(connection) {
  const said = el("div", {});
  const yes = button(t.connect.disconnect, () => busy(yes, async () => {
    try {
      await api("DELETE", at(connection.id));
      dialog.close();
      location.hash = "#/";
    } catch (problem) {
      said.replaceChildren(trouble(problem));
    }
  }), { class: "danger" });
  const dialog = el("dialog", { "aria-labelledby": "disconnect-title" },
    el("h2", { id: "disconnect-title" }, t.connect.disconnectTitle(connection.id)), el("p", {}, t.connect.disconnectAbout), said,
    el("p", { class: "row" }, button(t.cancel, () => dialog.close()), yes));
  return dialog;
}
