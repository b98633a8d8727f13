// The page's frame: which view is shown is in the address (#conversations, #conversation/<id>, #tickets, #ticket/<number>,
// #simulator). Controls have stable accessible names (texts.js) and ids; browser tests may rely on both.
import { follow, state } from "./calls.js";
import * as conversations from "./conversations.js";
import { at, decoded, menu, write } from "./dom.js";
import * as faults from "./faults.js";
import { fillIn, texts } from "./texts.js";
import * as tickets from "./tickets.js";

const VIEWS = {
  conversations: "conversations",
  conversation: "conversations",
  tickets: "tickets",
  ticket: "tickets",
  simulator: "simulator",
};
let first = true;

function route() {
  const [word, id] = location.hash.slice(1).split(/\/(.*)/s);
  return { view: VIEWS[word] ?? "conversations", id: id ? decoded(id) : null };
}

function draw() {
  if (!state) return;
  const { view, id } = route();
  drawFrame(view, id);
  if (view === "conversations") conversations.draw(id);
  else conversations.leave();
  if (view === "tickets") tickets.draw(id);
  if (view === "simulator") faults.draw();
  conversations.tellNews(first);
  first = false;
}

function drawFrame(view, id) {
  write(at("account"), state.account);
  menu(at("agent"), state.agents.map((it) => [it.id, it.name]));
  const counts = {
    conversations: conversations.openCount(),
    tickets: tickets.openCount(),
    simulator: faults.waitingCount(),
  };
  for (const [name, count] of Object.entries(counts)) {
    const link = at("to-" + name);
    write(link.querySelector(".count"), count ? String(count) : "");
    if (name === view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
    at(name).hidden = name !== view;
  }
  document.title = texts.title(counts.conversations);
  // Narrow screens show either the list or the selected item.
  document.body.classList.toggle("picked", Boolean(id));
}

/** After a turn to something else, the keyboard goes on from there; after a turn back, from where it left the list. */
function turn(event) {
  draw();
  const { view, id } = route();
  const title = { conversations: "conversation-user", tickets: "ticket-subject" }[view];
  const left = new URL(event.oldURL).hash;
  const entry = [...document.querySelectorAll(".entry")].find((link) => link.hash === left);
  const next = id ? at(title) : entry;
  if (next?.checkVisibility()) next.focus({ preventScroll: Boolean(id) });
}

fillIn(document);
conversations.start(draw);
tickets.start(draw);
faults.start();
at("agent").addEventListener("change", draw);
at("skip").addEventListener("click", () => at("main").focus());
addEventListener("hashchange", turn);
follow(draw);
