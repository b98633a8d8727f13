// How a connection stands, in one set of words and signs for all pages.

import { el } from "./dom.js";
import { t } from "./texts.js";

/** What keeps answers of human agents away from a connection that works otherwise; null when nothing is known to. */
export function answersMissing(connection, webhook) {
  if (!connection.connected) return null;
  const { status } = connection;
  if (status?.state === "answers-missing") return status;
  if (status || !webhook || webhook.state === "verified") return null;
  return { reason: webhook.state, detail: t.connect.webhookStates[webhook.state] };
}

/** One of `ok`, `warning`, `failure`. */
export function level(connection, webhook) {
  const state = connection.status?.state;
  if (state === "not-connected" || (!state && !connection.connected)) return "failure";
  return answersMissing(connection, webhook) ? "warning" : "ok";
}

/** A sign with its word. */
export function mark(of, word) {
  return el("span", { class: `mark ${of}` }, word || t.connect.levels[of]);
}

/** The status of a connection: a dot, and words. */
export function dot(connection, webhook) {
  const found = level(connection, webhook);
  return el("p", { class: `dot ${found}` }, el("strong", {}, found === "failure" ? t.connect.notConnected : t.connect.connected),
    found === "warning" && el("span", {}, t.connect.answersMissing));
}
