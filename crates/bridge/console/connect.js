// Step 2: the results of the checks, and whether webhooks arrive.

import { api, at } from "./api.js";
import { busy, button, el, fill, repeat, say, trouble } from "./dom.js";
import { dot, mark, reasons } from "./status.js";
import { moment, prose, sentence, t } from "./texts.js";

export async function connectPage(page, listed) {
  let connection = await api("GET", at(listed.id));
  const status = el("section", { class: "card status tile", "aria-live": "polite" });
  const list = el("ol", { class: "checks" });
  const said = el("div", { role: "alert" });
  const work = (control, running, path, done) => busy(control, async () => {
    const text = control.textContent;
    said.replaceChildren();
    control.textContent = running;
    say(running);
    list.setAttribute("aria-busy", "true");
    try {
      connection = await api("POST", at(connection.id, path));
      if (done) said.replaceChildren(el("p", { class: "notice" }, done));
    } catch (problem) {
      said.replaceChildren(trouble(problem));
    }
    list.removeAttribute("aria-busy");
    control.textContent = text;
    draw();
  });
  const recheck = button(t.connect.recheck, () => work(recheck, t.connect.rechecking, "check"), { class: "main" });
  const restore = button("", () => work(restore, t.connect.rechecking, "restore", t.connect.restored));
  const dialog = disconnectDialog(connection);
  const change = changeDialog(connection);
  let webhook = null;

  function draw() {
    const failures = connection.findings.filter((one) => one.level === "failure").length;
    const warnings = connection.findings.filter((one) => one.level === "warning").length;
    list.replaceChildren(...connection.findings.map(check));
    // The most urgent first.
    const first = connection.connected && !failures ? hooks : checks;
    if (status.nextSibling !== first) status.after(first);
    restore.hidden = connection.restorable_at === null;
    restore.textContent = connection.restorable_at === null ? "" : t.connect.restore(moment(connection.restorable_at));
    say(t.connect.checked(failures, warnings));
    drawStatus();
  }

  /** Also when a webhook has come, or none. */
  function drawStatus() {
    const facts = [sentence(t.connect.facts(connection.account, connection.topic, moment(connection.checked_at))), ...reasons(connection)];
    fill(status, [connection.status, facts], () => [
      el("img", { src: "/console/icon.svg", alt: "", width: "44", height: "44" }),
      el("div", {}, el("h2", {}, t.connect.tile), dot(connection), facts.map((text) => el("p", {}, text)))]);
    if (webhook) drawWebhook(hooks, webhook, connection.status);
    const { state, reason } = connection.status;
    const next = !connection.connected ? ["settings", t.connect.fix]
      : ["try", state === "answers-missing" && reason !== "none-delivered-yet" ? t.connect.nextAnyway : t.connect.next];
    fill(onward, next, () => el("a", { class: "button main", href: `#/${encodeURIComponent(connection.id)}/${next[0]}` }, next[1]));
  }

  const onward = el("p", {});
  const hooks = el("section", { class: "card", "aria-live": "polite" });
  const checks = el("section", { class: "card" }, el("h2", {}, t.connect.checks), list, said,
    el("p", { class: "row" }, recheck, restore, button(t.connect.change, () => change.showModal()), button(t.connect.disconnect, () => dialog.showModal(), { class: "danger" })));
  page.replaceChildren(status, checks, hooks, onward, dialog, change);
  draw();
  const look = async () => {
    try {
      const [activity, now] = await Promise.all([api("GET", at(connection.id, "activity")), api("GET", at(connection.id))]);
      webhook = activity.webhook;
      // Only the status: the checks are redrawn when the admin runs them.
      connection = { ...connection, status: now.status };
      drawStatus();
    } catch {
      // Comes again.
    }
  };
  await look();
  repeat(hooks, 2000, look);
}

function check(finding) {
  return el("li", { class: `check ${finding.level}` }, mark(finding.level),
    el("div", {}, el("strong", {}, t.connect.names[finding.check] || prose(finding.check)), el("p", {}, sentence(finding.detail)),
      finding.remedy && el("p", { class: "remedy" }, prose(finding.remedy))));
}

/** Omits what the tile already says. */
function drawWebhook(place, webhook, status) {
  const remedy = webhook.remedy !== status.remedy && webhook.remedy;
  const detail = webhook.detail !== status.detail && webhook.detail;
  fill(place, [webhook, remedy, detail], () => {
    const level = { waiting: "waiting", verified: "ok", refused: "failure" }[webhook.state];
    const about = {
      waiting: t.connect.waiting, verified: webhook.at && t.connect.verified(moment(webhook.at)),
      refused: webhook.at && t.connect.refused(moment(webhook.at)),
    }[webhook.state];
    return [el("h2", {}, t.connect.webhook), el("div", { class: `check ${level}` },
      mark(level),
      el("div", {}, el("strong", {}, t.connect.webhookStates[webhook.state]), el("p", {}, about),
        detail && el("p", {}, sentence(detail)), remedy && el("p", { class: "remedy" }, prose(remedy))))];
  });
}

/** Changes the webhook addresses; the old ones keep working for a while. */
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
