// The status of a connection, with the same words and signs on all pages.

import { el } from "./dom.js";
import { moment, prose, sentence, t } from "./texts.js";

const LEVELS = { connected: "ok", "answers-missing": "warning", "not-connected": "failure" };

/** A sign with its word. */
export function mark(of, word) {
  return el("span", { class: `mark ${of}` }, word || t.connect.levels[of]);
}

/** The status of a connection: a dot, and words. */
export function dot({ status }) {
  const found = LEVELS[status.state];
  return el("p", { class: `dot ${found}` }, el("strong", {}, found === "failure" ? t.connect.notConnected : t.connect.connected),
    found === "warning" && el("span", {}, t.connect.answersMissing));
}

/** The reason for the status, what to do, and since when Freshworks cannot be reached. */
export function reasons({ status }) {
  return [
    sentence(status.detail), status.remedy && prose(status.remedy),
    status.unreachable_since && t.connect.unreachable(moment(status.unreachable_since), status.state !== "not-connected"),
  ].filter(Boolean);
}
