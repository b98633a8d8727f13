import { agent, call, state } from "./calls.js";
import { Composer } from "./composer.js";
import { at, chosen, clock, decoded, el, fixedList, isAtEnd, list, menu, meta, onClick, onSubmit, pairs } from "./dom.js";
import { scrollToEnd, switchOff, write } from "./dom.js";
import { texts } from "./texts.js";

const isOpen = (it) => it.status !== "resolved";
let picked = null;
let composer;

export const openCount = () => state.conversations.filter(isOpen).length;

const act = (verb, body) => call("POST", `conversations/${encodeURIComponent(picked)}/${verb}`, { agent: agent(), ...body });

function send({ text, file, isPrivate }) {
  if (!file) return act(isPrivate ? "note" : "reply", { text });
  const form = new FormData();
  form.append("agent", agent());
  form.append("text", text);
  form.append("private", String(isPrivate));
  form.append("file", file);
  return call("POST", `conversations/${encodeURIComponent(picked)}/file`, form);
}

export function start(redraw) {
  composer = new Composer(at("write"), send);
  const isWide = matchMedia("(min-width: 72rem)");
  at("facts").open = isWide.matches;
  isWide.addEventListener("change", () => { at("facts").open = isWide.matches; });
  onClick(at("assign-to-me"), () => act("assign"));
  onClick(at("to-queue"), () => act("assign", { to_nobody: true }));
  onClick(at("resolve"), () => act(at("resolve").dataset.act));
  onSubmit(at("transfer"), transfer);
  at("topic").addEventListener("change", redraw);
  for (const radio of document.getElementsByName("conversations-shown")) radio.addEventListener("change", redraw);
}

async function transfer() {
  const [kind, id] = at("transfer-to").value.split(/:(.*)/s);
  if (id && (await act("assign", { [`to_${kind}`]: id }))) at("transfer-to").value = "";
}

/** Draws the list and the conversation of this id. */
export function draw(id) {
  drawList(id);
  const it = state.conversations.find((found) => found.id === id);
  at("conversation").hidden = !it;
  at("no-conversation").hidden = Boolean(it);
  write(at("no-conversation"), state.conversations.length ? texts.pickConversation : texts.noConversations);
  if (it) drawConversation(it);
  picked = it ? it.id : null;
}

/** Another view hides the thread, which loses its place: it begins at its end the next time. */
export function leave() {
  picked = null;
}

function drawList(id) {
  const topics = [...new Set(state.topics.map((topic) => topic.name))];
  menu(at("topic"), [["", texts.allTopics], ...topics.map((name) => [name, name])]);
  const shown = state.conversations.filter((it) => {
    const inTopic = !at("topic").value || it.topic === at("topic").value;
    return inTopic && (chosen("conversations-shown") === "all" || isOpen(it));
  });
  const groups = [...topics, null].map((topic) => ({ topic, id, rows: shown.filter((it) => it.topic === topic).map(row) }));
  list(at("conversation-list"), groups.filter((group) => group.rows.length), {
    key: (group) => group.topic ?? "",
    make: () => el("section", "", el("h3"), el("ul")),
    fill: fillGroup,
  });
  write(at("no-conversations"), state.conversations.length ? texts.noOpenConversations : texts.noConversations);
  at("no-conversations").hidden = shown.length > 0;
}

/** What an entry of the list shows, and nothing else: the entry is drawn again when this changes. */
function row(it) {
  const last = it.messages.filter((message) => message.type !== "system").at(-1);
  return {
    id: it.id,
    user: it.user || texts.user,
    status: it.status,
    superseded: it.superseded,
    last: last ? last.parts.map(partText).join(" ") : "",
    who: it.agent || it.group || texts.nobody,
    updated: it.updated,
  };
}

function fillGroup(section, { topic, id, rows }) {
  section.firstChild.replaceChildren(topic ?? texts.noTopic, " ", el("span", "count", String(rows.length)));
  list(section.lastChild, rows.map((it) => ({ ...it, current: it.id === id })), {
    key: (it) => it.id,
    make: () => el("li", "", el("a", "entry")),
    fill: (item, it) => fillEntry(item.firstChild, it),
  });
}

function fillEntry(link, it) {
  link.href = "#conversation/" + encodeURIComponent(it.id);
  if (it.current) link.setAttribute("aria-current", "true");
  else link.removeAttribute("aria-current");
  const chip = el("span", "chip");
  drawStatus(chip, it);
  link.replaceChildren(el("span", "row", el("b", "", it.user), " ", chip), " ", el("span", "last", it.last), " ",
    el("span", "row meta", el("span", "last", it.who), " ", clock(it.updated)));
}

function drawStatus(chip, it) {
  chip.className = "chip " + it.status.split(" ")[0];
  write(chip, it.superseded ? `${it.status}, ${texts.superseded}` : it.status);
}

function drawConversation(it) {
  write(at("conversation-user"), it.user || texts.user);
  drawStatus(at("conversation-status"), it);
  write(at("conversation-place"), [it.topic, it.group, it.agent].filter(Boolean).join(" · "));
  switchOff(at("assign-to-me"), it.agent_id === agent());
  switchOff(at("to-queue"), !it.agent && !it.group);
  menu(at("transfer-to"), [
    ["", texts.chooseTarget],
    { group: texts.agents, options: state.agents.map((to) => ["agent:" + to.id, to.name]) },
    { group: texts.groups, options: state.groups.map((to) => ["group:" + to.id, to.name]) },
  ]);
  write(at("resolve"), isOpen(it) ? texts.resolve : texts.reopen);
  at("resolve").dataset.act = isOpen(it) ? "resolve" : "reopen";
  switchOff(at("resolve"), !isOpen(it) && it.superseded);
  pairs(at("user-facts"), [[texts.name, it.user || texts.unknown], ...(it.user_facts || [])]);
  pairs(at("conversation-facts"), [[texts.number, it.internal_id], ...Object.entries(it.properties)]);
  composer.turnTo(it.id);
  drawThread(it);
}

function drawThread(it) {
  const thread = at("thread");
  const follow = it.id !== picked || isAtEnd(thread);
  fixedList(at("messages"), it.messages, (message) => message.id, messageNode);
  if (follow) scrollToEnd(thread);
}

function messageNode(message) {
  if (message.type === "system") {
    return el("li", "line", message.parts.map(partText).join(" "), " · ", clock(message.at));
  }
  const side = message.actor_type === "user" ? "theirs" : "ours";
  const mark = message.type === "private" ? el("b", "mark", texts.privateNoteHint) : null;
  const kind = message.type === "private" ? " private" : "";
  return el("li", `bubble ${side}${kind}`, mark, meta(message.name, clock(message.at)), ...message.parts.map(partNode));
}

function partText(part) {
  const [kind, value] = Object.entries(part)[0] ?? ["", {}];
  if (typeof value?.content === "string") return value.content;
  return `[${kind}] ${value?.name || value?.label || ""}`.trim();
}

function partNode(part) {
  const [kind, value] = Object.entries(part)[0] ?? ["", {}];
  const url = /^https?:\/\//.test(value?.url) ? value.url : null;
  if (!url) return el("p", "said", partText(part));
  const own = url.startsWith(state.origin + "/uploads/");
  const name = value.name || value.label || decoded(url.split("/").at(-1));
  const link = el("a", "", name);
  // The page may be open under another name of this machine.
  link.href = own ? url.slice(state.origin.length) : url;
  link.target = "_blank";
  link.rel = "noopener noreferrer";
  // Pictures from elsewhere stay links: looking at a message must not call other servers.
  if (kind === "image" && own) {
    const picture = el("img");
    picture.src = link.href;
    picture.alt = texts.image(name);
    picture.addEventListener("load", keepAtEnd);
    link.replaceChildren(picture);
  }
  return el("p", "said", link);
}

/** A picture that has come pushes the end of the thread down. */
function keepAtEnd(event) {
  const thread = at("thread");
  const below = thread.scrollHeight - thread.scrollTop - thread.clientHeight;
  if (below < event.target.clientHeight + 60) scrollToEnd(thread);
}

const told = new Set();

/** Says what users wrote since the last time; the first time says nothing. */
export function tellNews(first) {
  for (const message of state.conversations.flatMap((it) => it.messages)) {
    if (told.has(message.id)) continue;
    told.add(message.id);
    if (!first && message.actor_type === "user") {
      at("news").textContent = texts.newMessage(message.name, message.parts.map(partText).join(" "));
    }
  }
}
