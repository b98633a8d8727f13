// Routes `#/<connection>/<page>` to a page, after login.

import { api, at, logIn, logOut, may, resume, whenSessionEnds } from "./api.js";
import { busy, button, el, isUnsaved, keepUnsaved, trouble } from "./dom.js";
import { t } from "./texts.js";
import { settingsPage } from "./settings.js";
import { accessPage } from "./access.js";
import { overviewPage } from "./overview.js";
import { connectPage } from "./connect.js";
import { forgetTrials, trialPage } from "./trial.js";
import { watchPage } from "./watch.js";

const PAGES = { settings: settingsPage, connect: connectPage, try: trialPage, watch: watchPage };
const main = document.getElementById("main");
const bar = document.getElementById("top");
/** Placeholders for a connection: ids cannot contain this character. */
const NEW = "~new";
const ACCESS = "~access";
let loggedIn = false;

function place() {
  const [, connection, page] = location.hash.split("/");
  // A broken address is none.
  const name = (connection || "").replace(/%(?![0-9A-Fa-f]{2})/g, "");
  let decoded = name;
  try {
    decoded = decodeURIComponent(name);
  } catch {
    // As it stands.
  }
  return { connection: decoded || null, page: page in PAGES ? page : "settings" };
}

/** Goes to a page of a connection. */
function go(connection, page) {
  location.hash = `#/${encodeURIComponent(connection)}/${page}`;
}

/** Shows a page, and lets screen readers begin at its heading. */
function show(title, ...content) {
  document.title = `${title} · ${t.product}`;
  main.replaceChildren(...content);
  main.querySelector("h1")?.focus({ preventScroll: true });
  scrollTo(0, 0);
}

function heading(text) {
  return el("h1", { tabindex: "-1" }, text);
}

function loginPage() {
  loggedIn = false;
  drawBar(null, []);
  const said = el("p", { class: "fault", id: "login-fault", role: "alert" });
  const field = el("input", {
    id: "token", type: "password", autocomplete: "current-password", required: true, "aria-describedby": "token-help login-fault",
  });
  const submit = el("button", { class: "main" }, t.login.button);
  const form = el("form", {
    class: "card narrow",
    on: {
      submit: (event) => {
        event.preventDefault();
        busy(submit, async () => {
          said.textContent = "";
          try {
            if (await logIn(field.value)) return start();
            said.textContent = t.login.wrong;
            field.setAttribute("aria-invalid", "true");
            field.select();
          } catch (problem) {
            said.textContent = problem.detail;
          }
        });
      },
    },
  },
  heading(t.login.title), el("label", { for: "token" }, t.login.token), field,
  el("p", { class: "help", id: "token-help" }, t.login.help), said, submit);
  show(t.login.title, form);
  field.focus();
}

function newPage(connections) {
  const said = el("p", { class: "fault", id: "name-fault", role: "alert" });
  const field = el("input", {
    // Keeps typed text when the page is redrawn.
    id: "name", value: document.getElementById("name")?.value ?? (connections.length ? "" : "main"), "aria-required": "true", autocomplete: "off",
    "aria-describedby": "name-help name-fault",
  });
  const submit = el("button", { class: "main" }, t.create.button);
  const create = async () => {
    const wrong = !field.value ? t.create.missing : /^[A-Za-z0-9_-]{1,64}$/.test(field.value) ? "" : t.create.shape;
    said.textContent = wrong;
    field.toggleAttribute("aria-invalid", false);
    if (wrong) {
      field.setAttribute("aria-invalid", "true");
      return void field.focus();
    }
    try {
      // It may have been created meanwhile.
      const known = (await api("GET", "/v1/connections")).connections;
      if (known.some((one) => one.id === field.value)) return void (said.textContent = t.create.exists);
      await api("PUT", at(field.value), { settings: {}, platform: { kind: "polling" } });
      go(field.value, "settings");
    } catch (problem) {
      said.textContent = problem.detail;
    }
  };
  show(t.create.title, el("form", {
    class: "card narrow", novalidate: true, on: { submit: (event) => { event.preventDefault(); busy(submit, create); } },
  }, heading(t.create.title), el("p", {}, t.create.about), el("label", { for: "name" }, t.create.name), field, said,
  el("p", { class: "help", id: "name-help" }, t.create.help), submit));
}

function drawBar(here, connections) {
  const brand = el("a", { class: "brand", href: "#/", "aria-label": t.product },
    el("img", { src: "/console/icon.svg", alt: "", width: "24", height: "24" }), el("span", {}, t.product));
  if (!loggedIn) return bar.replaceChildren(brand);
  const choose = el("select", {
    "aria-label": t.nav.connection,
    on: { change: (event) => (event.target.value === "~" ? null : event.target.value ? go(event.target.value, place().page) : (location.hash = `#/${NEW}`)) },
  }, connections.map((one) => el("option", { value: one.id }, one.id)), el("option", { value: "" }, t.nav.create));
  if (here.connection === null || here.connection === ACCESS) choose.prepend(el("option", { value: "~" }, t.nav.connection));
  choose.value = here.connection === NEW ? "" : connections.some((one) => one.id === here.connection) ? here.connection : "~";
  const link = ([page, text]) => el("a", {
    href: `#/${encodeURIComponent(here.connection)}/${page}`, "aria-current": here.page === page ? "page" : null,
  }, text);
  const known = connections.some((one) => one.id === here.connection);
  bar.replaceChildren(brand, connections.length > 0 && choose || "",
    connections.length > 0 && el("a", { href: "#/", class: "plain", "aria-current": here.connection === null ? "page" : null }, t.nav.overview) || "",
    may("admin") && el("a", { href: `#/${ACCESS}`, class: "plain", "aria-current": here.connection === ACCESS ? "page" : null }, t.nav.access) || "",
    known ? el("nav", { "aria-label": t.nav.label }, Object.entries(t.nav.pages).map(link)) : "",
    button(t.nav.logOut, leave, { class: "quiet last" }));
}

async function leave() {
  if (isUnsaved()) return askToLeave(leave);
  try {
    await logOut();
    forgetTrials();
    loginPage();
  } catch (problem) {
    main.prepend(trouble(problem));
  }
}

let drawn = 0;

async function draw() {
  const here = place();
  const number = ++drawn;
  // The address has changed meanwhile: a later call redraws.
  const isOver = () => number !== drawn || !loggedIn;
  let connections;
  try {
    ({ connections } = await api("GET", "/v1/connections"));
    if (isOver()) return;
  } catch (problem) {
    if (problem.status !== 401 && !isOver()) show(t.product, heading(t.product), trouble(problem), button(t.again, draw));
    return;
  }
  if (here.connection === ACCESS && may("admin")) {
    const notice = await storageNotice();
    if (isOver()) return undefined;
    drawBar(here, connections);
    const body = el("div", { class: "page" });
    show(t.access.title, heading(t.access.title), el("p", { class: "lead" }, t.access.lead), notice, body);
    try {
      await accessPage(body, connections);
    } catch (problem) {
      body.replaceChildren(trouble(problem), button(t.again, draw));
    }
    return undefined;
  }
  const known = connections.find((one) => one.id === here.connection);
  if (!known && here.connection !== NEW && connections.length) {
    const notice = await storageNotice();
    if (isOver()) return undefined;
    drawBar({ ...here, connection: null }, connections);
    const body = el("div", { class: "page" });
    show(t.titles.overview, heading(t.titles.overview), el("p", { class: "lead" }, t.leads.overview), notice, body);
    return overviewPage(body, connections);
  }
  const notice = known && here.page === "settings" && await storageNotice() || "";
  if (isOver()) return undefined;
  drawBar(here, connections);
  if (!known) return newPage(connections);
  const title = t.titles[here.page];
  const body = el("div", { class: "page" });
  show(title, heading(title), el("p", { class: "lead" }, t.leads[here.page]), notice, body);
  try {
    await PAGES[here.page](body, known, go);
  } catch (problem) {
    if (problem.status === undefined) throw problem;
    body.replaceChildren(trouble(problem), button(t.again, draw));
  }
}

/** Warns if secrets are not encrypted in the store. */
async function storageNotice() {
  const { secrets } = await api("GET", "/v1/health").catch(() => ({}));
  const text = t.storage[secrets];
  return text ? el("div", { class: "notice bad" }, el("p", {}, text)) : "";
}

async function start() {
  loggedIn = true;
  await draw();
}

whenSessionEnds(() => { if (loggedIn) loginPage(); });
/** Asks before unsaved input is lost. */
function askToLeave(go) {
  const dialog = el("dialog", { "aria-labelledby": "leave-title", on: { close: () => dialog.remove() } },
    el("h2", { id: "leave-title" }, t.leave.title), el("p", {}, t.leave.about),
    el("p", { class: "row" }, button(t.leave.stay, () => dialog.close(), { class: "main" }), button(t.leave.leave, () => {
      keepUnsaved(null);
      dialog.close();
      go();
    }, { class: "danger" })));
  document.body.append(dialog);
  dialog.showModal();
}

addEventListener("hashchange", (event) => {
  if (!loggedIn) return;
  const here = new URL(event.oldURL).hash;
  const wanted = location.hash;
  if (isUnsaved() && here !== wanted) {
    history.replaceState(null, "", here || "#/");
    const choose = bar.querySelector("select");
    if (choose) choose.value = place().connection;
    return askToLeave(() => { location.hash = wanted; });
  }
  draw();
});
// The address stays: it says which page this is.
document.querySelector(".skip").addEventListener("click", (event) => { event.preventDefault(); main.focus(); });
try {
  await (await resume() ? start() : loginPage());
} catch (problem) {
  show(t.product, heading(t.product), trouble(problem), button(t.again, () => location.reload()));
}
