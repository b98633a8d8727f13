// The test environment: the bridge with its console, a simulated Freshworks with its inbox, and a browser.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const ARGUMENTS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];

/** Starts everything; `stop` ends it. `more`: further arguments of the environment. */
export async function start(more = []) {
  const child = spawn(process.env.ENVIRONMENT, ["console", "--json", ...more], { stdio: ["pipe", "pipe", "pipe"] });
  let log = "";
  child.stderr.on("data", (chunk) => { log += chunk; });
  const [line] = await Promise.race([once(createInterface(child.stdout), "line"), once(child, "exit")]);
  assert.ok(typeof line === "string", `the environment does not start:\n${log}`);
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ARGUMENTS });
  return {
    ...JSON.parse(line),
    browser,
    /** The bridge's log, after it has ended. */
    async stop() {
      await browser.close();
      child.stdin.end();
      if (child.exitCode === null) await once(child, "exit");
      return log;
    },
  };
}

/** A separate window with its own cookies and storage. Forbidden actions of a page are collected in `offences`. */
export async function visitor(stage, options = {}) {
  // Animations change colours temporarily.
  const context = await stage.browser.newContext({ viewport: { width: 1200, height: 860 }, reducedMotion: "reduce", permissions: ["clipboard-read", "clipboard-write"], ...options });
  const offences = [];
  const home = [new URL(stage.console).origin, new URL(stage.inbox).origin];
  await context.exposeBinding("offence", (_, text) => offences.push(text));
  await context.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => window.offence(`CSP: ${event.violatedDirective} ${event.blockedURI}`));
  });
  context.on("request", (request) => {
    const url = new URL(request.url());
    if (url.protocol !== "data:" && !home.includes(url.origin)) offences.push(`a request to ${url.origin}`);
  });
  context.on("weberror", (error) => offences.push(`an error: ${error.error()}`));
  context.on("console", (message) => {
    // The browser reports error responses that are expected here.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) offences.push(`console: ${message.text()}`);
  });
  // Diagnostics for failed tests.
  const refusals = [];
  context.on("response", (answer) => { if (answer.status() >= 400) refusals.push(`${answer.status()} ${answer.request().method()} ${answer.url()}`); });
  context.on("requestfailed", (request) => refusals.push(`${request.failure()?.errorText} ${request.method()} ${request.url()}`));
  context.setDefaultTimeout(15_000);
  return { context, offences, refusals, page: await context.newPage() };
}

/** Runs a part of a test; on failure, reports the page's content and failed requests. */
export async function told({ page, refusals }, run) {
  try {
    return await run();
  } catch (error) {
    console.log(`${page.url()} shows:\n${await page.locator("body").innerText().catch(String)}\nfailed requests:\n${refusals.join("\n")}`);
    throw error;
  }
}

/** The page is accessible. */
export async function accessible(page, what) {
  const found = await page.evaluate(`${AXE}; axe.run(document, { resultTypes: ["violations"] }).then((found) => found.violations.map((one) => ({
    id: one.id, help: one.help, nodes: one.nodes.map((node) => node.html + " " + node.failureSummary) })))`);
  assert.deepEqual(found, [], `${what}: axe-core`);
  const [inside, outside] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  assert.ok(inside <= outside, `${what}: ${inside} px wide in a window of ${outside} px`);
}

/** It must be completely visible without scrolling. */
export async function inView(page, locator) {
  const [box, { width, height }] = [await locator.boundingBox(), page.viewportSize()];
  const isSeen = box && box.x >= 0 && box.y >= 0 && box.x + box.width <= width && box.y + box.height <= height;
  assert.ok(isSeen, `${locator} lies at ${JSON.stringify(box)} in a window of ${width} to ${height} px`);
}

const LOOKS = {
  wide: { size: { width: 1200, height: 860 }, scheme: "light" },
  dark: { size: { width: 1200, height: 860 }, scheme: "dark" },
  narrow: { size: { width: 360, height: 740 }, scheme: "light" },
};

/** The screenshots that go into the documentation. */
const PICTURES = [
  "overview-wide", "settings-wide", "settings-dark", "settings-narrow", "connect-wide", "refused-narrow", "preview-wide", "try-wide", "try-dark", "try-narrow", "watch-dark", "inbox-wide", "inbox-dark", "inbox-narrow",
  "ticket-wide", "faults-dark",
];

/** Checks a page's accessibility, wide and narrow, light and dark. With SCREENSHOTS, saves the pictures. */
export async function look(page, name) {
  const before = page.viewportSize();
  for (const [look, { size, scheme }] of Object.entries(LOOKS)) {
    await page.setViewportSize(size);
    await page.emulateMedia({ colorScheme: scheme });
    await page.evaluate(() => scrollTo(0, 0));
    await accessible(page, `${name} ${look}`);
    if (process.env.SCREENSHOTS && PICTURES.includes(`${name}-${look}`)) {
      mkdirSync(process.env.SCREENSHOTS, { recursive: true });
      await page.screenshot({ path: join(process.env.SCREENSHOTS, `${name}-${look}.png`) });
    }
  }
  await page.setViewportSize(before);
  await page.emulateMedia({ colorScheme: null });
}

/** Acts of human agents, through the simulator's control API. */
export function agent(stage) {
  const call = async (method, path, body) => {
    const answer = await fetch(`${stage.inbox}/simulator/${path}`, {
      method, headers: { "content-type": "application/json" }, body: body === undefined ? undefined : JSON.stringify(body),
    });
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${await answer.clone().text()}`);
    return answer.json();
  };
  const state = () => call("GET", "state");
  return {
    state,
    webhook: (url) => call("POST", "webhook", { url }),
    /** The id of the newest conversation. */
    newest: async () => (await state()).conversations[0].id,
    async act(conversation, verb, body = {}) {
      const { agents } = await state();
      const maya = agents.find((one) => one.name === "Maya Chen").id;
      return call("POST", `conversations/${conversation}/${verb}`, { agent: maya, ...body });
    },
    /** The texts of a conversation, once they satisfy the condition. */
    async until(conversation, wished) {
      for (let tries = 0; tries < 150; tries += 1) {
        const found = (await state()).conversations.find((one) => one.id === conversation);
        const texts = found.messages.flatMap((message) => message.parts.map((part) => part.text?.content).filter(Boolean));
        if (wished(texts)) return texts;
        await new Promise((done) => setTimeout(done, 100));
      }
      return assert.fail("the inbox does not show it");
    },
  };
}

/** Sets a fault of Freshworks; null clears all. */
export async function fault(stage, word, times = 1) {
  const path = `${stage.inbox}/simulator/faults`;
  const answer = await (word === null ? fetch(path, { method: "DELETE" })
    : fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ fault: word, times }) }));
  assert.ok(answer.ok, `${path}: ${answer.status}`);
}

/** Saves figures in the file named by `FIGURES`. */
export function keep(name, figures) {
  console.log(`${name}: ${JSON.stringify(figures)}`);
  if (process.env.FIGURES) writeFileSync(process.env.FIGURES, JSON.stringify({ [name]: figures }, null, 2));
}
