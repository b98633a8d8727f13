import { agent, call, state } from "./calls.js";
import { Composer } from "./composer.js";
import { at, chosen, clock, el, fixedList, isAtEnd, list, menu, meta, onSubmit, scrollToEnd, write } from "./dom.js";
import { texts } from "./texts.js";

const CLOSED = [4, 5];
const isOpen = (it) => !CLOSED.includes(it.status_code);
let picked = null;
let pickedStatus = null;
let composer;

export const openCount = () => state.tickets.filter(isOpen).length;

export function start(redraw) {
  composer = new Composer(at("ticket-write"), ({ text, isPrivate }) =>
    call("POST", `tickets/${picked}/${isPrivate ? "note" : "reply"}`, { agent: agent(), text }));
  onSubmit(at("set-status"), () => call("POST", `tickets/${picked}/status`, { status: Number(at("new-status").value) }));
  for (const radio of document.getElementsByName("tickets-shown")) radio.addEventListener("change", redraw);
}

/** Draws the list and the ticket of this number. */
export function draw(id) {
  const shown = state.tickets.filter((it) => chosen("tickets-shown") === "all" || isOpen(it));
  list(at("ticket-list"), shown.map((it) => row(it, id)), {
    key: (it) => it.id,
    make: () => el("li", "", el("a", "entry")),
    fill: (item, it) => fillEntry(item.firstChild, it),
  });
  write(at("no-tickets"), state.tickets.length ? texts.noOpenTickets : texts.noTickets);
  at("no-tickets").hidden = shown.length > 0;

  const it = state.tickets.find((found) => String(found.id) === id);
  at("ticket").hidden = !it;
  at("no-ticket").hidden = Boolean(it);
  write(at("no-ticket"), state.tickets.length ? texts.pickTicket : texts.noTickets);
  if (it) drawTicket(it);
  picked = it ? it.id : null;
}

const row = (it, id) => ({
  id: it.id,
  subject: it.subject,
  status: it.status,
  requester: it.requester,
  updated: it.updated,
  current: String(it.id) === id,
});

function fillEntry(link, it) {
  link.href = "#ticket/" + it.id;
  if (it.current) link.setAttribute("aria-current", "true");
  else link.removeAttribute("aria-current");
  link.replaceChildren(
    el("span", "row", el("b", "", texts.ticketTitle(it.id, it.subject)), " ", el("span", "chip", it.status)), " ",
    el("span", "row meta", el("span", "last", it.requester || texts.unknown), " ", clock(it.updated)));
}

function drawTicket(it) {
  write(at("ticket-subject"), texts.ticketTitle(it.id, it.subject));
  write(at("ticket-status"), it.status || "");
  write(at("ticket-requester"), it.requester || texts.unknown);
  menu(at("new-status"), state.ticket_statuses.map((status) => [String(status.code), status.name]));
  // Keeps the agent's unsaved choice.
  if (it.id !== picked || it.status_code !== pickedStatus) at("new-status").value = String(it.status_code);
  pickedStatus = it.status_code;
  const thread = at("ticket-thread");
  const follow = it.id === picked && isAtEnd(thread);
  fixedList(at("description"), [{ text: it.text, files: it.files, at: it.at }], (said) => JSON.stringify(said), (said) =>
    el("div", "bubble theirs", meta(it.requester, clock(said.at), files(said)), el("p", "said", said.text)));
  fixedList(at("entries"), it.thread, (entry) => `${it.id}/${entry.id}`, entryNode);
  at("no-entries").hidden = it.thread.length > 0;
  composer.turnTo(it.id);
  if (it.id !== picked) thread.scrollTop = 0;
  if (follow) scrollToEnd(thread);
}

const files = (said) => (said.files ? texts.files(said.files) : null);

function entryNode(entry) {
  const mark = entry.private ? el("b", "mark", texts.privateNoteHint) : null;
  const who = entry.incoming ? texts.requester : entry.name || texts.agent;
  return el("li", `bubble ${entry.incoming ? "theirs" : "ours"}${entry.private ? " private" : ""}`, mark,
    meta(who, clock(entry.at), files(entry)), el("p", "said", entry.text));
}
