// Who may do what: tokens, and who changed what.

import { api } from "./api.js";
import { busy, button, el, say, trouble } from "./dom.js";
import { moment, t } from "./texts.js";
import { table } from "./watch.js";

const DAY_MS = 24 * 60 * 60 * 1000;

export async function accessPage(page, connections) {
  const [list, made, said, log] = [0, 0, 0, 0].map(() => el("div", {}));
  const name = el("input", { id: "token-name", required: true, pattern: "[A-Za-z0-9_\\-]{1,64}", autocomplete: "off", "aria-describedby": "token-name-help" });
  const scopes = [...connections.map((one) => `connection:${one.id}`), "tick", "metrics", "admin"];
  const scope = el("select", { id: "token-scope" }, scopes.map((one) => el("option", { value: one }, t.access.scope(one))));
  const days = el("select", { id: "token-days" }, [["", t.access.never], ...[7, 30, 90, 365].map((one) => [one, t.access.days(one)])]
    .map(([value, text]) => el("option", { value }, text)));
  const submit = el("button", { class: "main" }, t.access.create);
  const create = async () => {
    said.replaceChildren();
    try {
      const expires_at = days.value ? Date.now() + days.value * DAY_MS : null;
      const { token } = await api("POST", "/v1/tokens", { name: name.value, scopes: [scope.value], expires_at });
      const field = el("input", { id: "token-text", class: "code", readonly: true, value: token });
      made.replaceChildren(el("div", { class: "notice", role: "status" }, el("label", { for: field.id }, t.access.once), field));
      field.select();
      name.value = "";
      await draw();
    } catch (problem) {
      said.replaceChildren(trouble(problem));
    }
  };
  const revoke = async (one) => {
    said.replaceChildren();
    try {
      await api("DELETE", `/v1/tokens/${one.id}`);
      say(t.access.revoked(one.name));
      await draw();
    } catch (problem) {
      said.replaceChildren(trouble(problem));
    }
  };
  async function draw() {
    const [{ tokens }, { entries }] = await Promise.all([api("GET", "/v1/tokens"), api("GET", "/v1/audit")]);
    list.replaceChildren(tokens.length ? table(t.access.tokens, t.access.columns, tokens.map((one) => [
      one.name, one.scopes.join(", "), one.expires_at ? moment(one.expires_at) : t.access.never,
      button(t.access.revoke, (event) => busy(event.target, () => revoke(one)), { class: "danger", "aria-label": `${t.access.revoke} ${one.name}` }),
    ])) : el("p", {}, t.access.none));
    log.replaceChildren(entries.length ? table(t.access.log, t.access.logColumns, entries.map((one) => [
      moment(one.at), one.who, [t.access.whats[one.what] || one.what, one.connection].filter(Boolean).join(": "), one.detail,
    ])) : el("p", {}, t.access.noLog));
  }
  const field = (label, control, help) => el("div", { class: "field" }, el("label", { for: control.id }, label), control,
    help && el("p", { class: "help", id: `${control.id}-help` }, help));
  page.replaceChildren(
    el("section", { class: "card" }, el("h2", {}, t.access.tokens), el("div", { class: "table" }, list), said, made,
      el("form", { on: { submit: (event) => { event.preventDefault(); busy(submit, create); } } },
        el("h3", {}, t.access.new), field(t.access.name, name, t.access.nameHelp), field(t.access.mayDo, scope), field(t.access.ends, days), el("p", {}, submit))),
    el("section", { class: "card" }, el("h2", {}, t.access.log), el("div", { class: "table scroll", tabindex: "0", role: "region", "aria-label": t.access.log }, log)));
  await draw();
}
