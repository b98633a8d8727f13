// All connections as tiles.

import { api, at } from "./api.js";
import { el, fill, repeat } from "./dom.js";
import { dot, reasons } from "./status.js";
import { moment, sentence, t } from "./texts.js";

const LOOK_MS = 10_000;
const DAY_MS = 24 * 60 * 60 * 1000;

export async function overviewPage(page, listed) {
  const tiles = el("ul", { class: "tiles" });
  const places = new Map(listed.map((one) => [one.id, el("li", {})]));
  tiles.append(...places.values());
  page.replaceChildren(tiles, el("p", {}, el("a", { class: "button", href: "#/~new" }, t.nav.create)));
  for (const one of listed) draw(places.get(one.id), one, null, null);
  const look = async () => {
    const { connections } = await api("GET", "/v1/connections").catch(() => ({ connections: [] }));
    await Promise.all(connections.filter((one) => places.has(one.id)).map(async (one) => {
      try {
        const [activity, { handoffs }] = await Promise.all([api("GET", at(one.id, "activity")), api("GET", at(one.id, "handoffs"))]);
        draw(places.get(one.id), one, activity, handoffs.length);
      } catch {
        // Comes again.
      }
    }));
  };
  repeat(page, LOOK_MS, look);
}

function draw(place, one, activity, open) {
  const recent = (activity?.troubles || []).filter((it) => it.last_at > Date.now() - DAY_MS);
  const facts = [
    [t.overview.account, one.account || t.overview.none],
    [t.overview.lastWebhook, activity ? (activity.webhook.at ? sentence(moment(activity.webhook.at), "") : t.overview.noWebhook) : "…"],
    [t.overview.open, open === null ? "…" : String(open)],
    [t.overview.trouble, activity ? recent.map((it) => t.watch.kinds[`${it.of} ${it.result}`] || it.result).join(", ") || t.overview.none : "…"],
  ];
  fill(place, [one, facts], () => {
    const where = (name) => `#/${encodeURIComponent(one.id)}/${name}`;
    return el("article", { class: "card tile" },
      el("h2", {}, el("a", { href: where(one.connected ? "watch" : "settings") }, one.id)), dot(one),
      reasons(one).map((text) => el("p", { class: "help" }, text)),
      el("dl", {}, facts.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value)))),
      el("p", { class: "row" }, el("a", { href: where("settings") }, t.nav.setUp), el("a", { href: where("try") }, t.titles.try), el("a", { href: where("watch") }, t.titles.watch)));
  });
}
