// Which page is shown: `#/<connection>/<page>`. Logging in comes first.

import { api, at, logIn, logOut, may, resume, whenSessionEnds } from "./api.js";
import { busy, button, el, trouble } from "./dom.js";
import { t } from "./texts.js";
import { settingsPage } from "./settings.js";
import { accessPage } from "./access.js";
import { connectPage } from "./connect.js";
import { forgetTrials, trialPage } from "./trial.js";
import { watchPage } from "./watch.js";

const PAGES = { settings: settingsPage, connect: connectPage, try: trialPage, watch: watchPage };
const main = document.getElementById("main");
const bar = document.getElementById("top");
/** In place of a connection: no id holds this sign. */
const NEW = "~new";
const ACCESS = "~access";
let loggedIn = false;

function place() {
  const [, connection, page] = location.hash.split("/");
  return { connection: connection ? decodeURIComponent(connection) : null, page: page in PAGES ? page : "settings" };
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
    id: "name", value: connections.length ? "" : "main", required: true, pattern: "[A-Za-z0-9_\\-]{1,64}", autocomplete: "off",
    "aria-describedby": "name-help name-fault",
  });
  const submit = el("button", { class: "main" }, t.create.button);
  const create = async () => {
    said.textContent = "";
    try {
      // Somebody may have made it meanwhile.
      const known = (await api("GET", "/v1/connections")).connections;
      if (known.some((one) => one.id === field.value)) return void (said.textContent = t.create.exists);
      await api("PUT", at(field.value), { settings: {}, platform: { kind: "polling" } });
      go(field.value, "settings");
    } catch (problem) {
      said.textContent = problem.detail;
    }
  };
  show(t.create.title, el("form", {
    class: "card narrow", on: { submit: (event) => { event.preventDefault(); busy(submit, create); } },
  }, heading(t.create.title), el("p", {}, t.create.about), el("label", { for: "name" }, t.create.name), field,
  el("p", { class: "help", id: "name-help" }, t.create.help), said, submit));
}

function drawBar(here, connections) {
  const brand = el("a", { class: "brand", href: "#/" },
    el("img", { src: "/console/icon.svg", alt: "", width: "24", height: "24" }), t.product);
  if (!loggedIn) return bar.replaceChildren(brand);
  const choose = el("select", {
    "aria-label": t.nav.connection,
    on: { change: (event) => (event.target.value ? go(event.target.value, place().page) : (location.hash = `#/${NEW}`)) },
  }, connections.map((one) => el("option", { value: one.id }, one.id)), el("option", { value: "" }, t.nav.create));
  choose.value = here.connection && here.connection !== NEW ? here.connection : "";
  const link = ([page, text]) => el("a", {
    href: `#/${encodeURIComponent(here.connection)}/${page}`, "aria-current": here.page === page ? "page" : null,
  }, text);
  const known = connections.some((one) => one.id === here.connection);
  bar.replaceChildren(brand, connections.length > 0 && choose || "",
    may("admin") && el("a", { href: `#/${ACCESS}`, "aria-current": here.connection === ACCESS ? "page" : null }, t.nav.access) || "",
    known ? el("nav", { "aria-label": t.nav.label }, Object.entries(t.nav.pages).map(link)) : "",
    button(t.nav.logOut, leave, { class: "quiet last" }));
}

async function leave() {
  try {
    await logOut();
    forgetTrials();
    loginPage();
  } catch (problem) {
    main.prepend(trouble(problem));
  }
}

async function draw() {
  const here = place();
  let connections;
  try {
    ({ connections } = await api("GET", "/v1/connections"));
  } catch (problem) {
    if (problem.status !== 401) show(t.product, heading(t.product), trouble(problem), button(t.again, draw));
    return;
  }
  if (here.connection === ACCESS && may("admin")) {
    drawBar(here, connections);
    const body = el("div", { class: "page" });
    show(t.access.title, heading(t.access.title), el("p", { class: "lead" }, t.access.lead), await storageNotice(), body);
    try {
      await accessPage(body, connections);
    } catch (problem) {
      body.replaceChildren(trouble(problem), button(t.again, draw));
    }
    return undefined;
  }
  const known = connections.find((one) => one.id === here.connection);
  if (!known && here.connection !== NEW && connections.length) return go(connections[0].id, "settings");
  drawBar(here, connections);
  if (!known) return newPage(connections);
  const title = t.titles[here.page];
  const body = el("div", { class: "page" });
  show(title, heading(title), el("p", { class: "lead" }, t.leads[here.page]), here.page === "settings" && await storageNotice() || "", body);
  try {
    await PAGES[here.page](body, known, go);
  } catch (problem) {
    if (problem.status === undefined) throw problem;
    body.replaceChildren(trouble(problem), button(t.again, draw));
  }
}

/** Says so where secrets are not encrypted in the store. */
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
addEventListener("hashchange", () => { if (loggedIn) draw(); });
// The address stays: it says which page this is.
document.querySelector(".skip").addEventListener("click", (event) => { event.preventDefault(); main.focus(); });
try {
  await (await resume() ? start() : loginPage());
} catch (problem) {
  show(t.product, heading(t.product), trouble(problem), button(t.again, () => location.reload()));
}
