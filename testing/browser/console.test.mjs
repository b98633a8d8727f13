// The admin's steps in the console, including all failures. Real pages in a real browser, against the bridge and a simulated
// Freshworks.

import { generateKeyPairSync } from "node:crypto";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import assert from "node:assert/strict";
import { create, handOff, leave, logIn, typeTopic } from "./steps.mjs";
import { accessible, agent, fault, inView, keep, look, start, told, visitor } from "./environment.mjs";

const MOST_COMPRESSED_BYTES = 120 * 1024;

let stage;
let number = 0;
before(async () => { stage = await start(); });
after(async () => {
  const log = await stage?.stop();
  assert.ok(!log.includes(stage.api_key) && !log.includes(stage.token), "the bridge's log holds a secret");
});

/** Fills in the admin's values; `changes` are mistakes. */
async function fill(page, changes = {}) {
  const values = { "API Key (needed)": stage.api_key, "Chat URL (needed)": stage.chat_url, Authentication: stage.public_key, ...changes };
  for (const [label, value] of Object.entries(values)) await page.getByLabel(label, { exact: true }).fill(value);
}

async function connect(page) {
  await page.getByRole("button", { name: "Connect", exact: true }).click();
  await page.getByRole("heading", { name: "Connect", level: 1 }).waitFor();
}

function check(page, name) {
  return page.getByRole("listitem").filter({ has: page.getByText(name, { exact: true }) });
}

/** The connection's status, at the top of the page Connect. */
function tile(page) {
  return page.locator(".tile").filter({ has: page.getByRole("heading", { name: "Freshworks", exact: true }) });
}

/** The stored settings, without secrets. */
function stored(page, name) {
  return page.evaluate(async (id) => (await fetch(`/v1/connections/${id}/settings`)).json(), name);
}

/** A new connected account with its webhook. */
async function connected(page) {
  const name = `shop-${(number += 1)}`;
  await create(stage, page, name);
  const url = await page.getByLabel("Webhook URL", { exact: true }).inputValue();
  await agent(stage).webhook(url);
  await fill(page);
  await connect(page);
  await page.getByText("Connected", { exact: true }).waitFor();
  return name;
}

async function open(page, name, where) {
  await page.goto(`${stage.console}#/${name}/${where}`);
}

/** Starts a conversation with human agents; returns its inbox id. */
async function handOver(page, name, words = "Where is my parcel?") {
  await handOff(stage, page, name, words);
  await page.getByText("Waiting for a human agent").first().waitFor();
  return agent(stage).newest();
}

/** A test with a logged-in user in a separate window. */
function asAdmin(name, run) {
  test(name, async () => {
    const visit = await visitor(stage);
    await logIn(stage, visit.page);
    await told(visit, () => run(visit.page, visit));
    await leave(visit);
  });
}

test("an_admin_connects_tries_a_handoff_and_a_human_agent_answers_and_resolves", async () => {
  const visit = await visitor(stage);
  const { page } = visit;
  await page.goto(stage.console);
  await page.getByRole("heading", { name: "Log in" }).waitFor();
  await look(page, "login");
  await logIn(stage, page);
  await page.getByRole("heading", { name: "New connection" }).waitFor();
  await look(page, "new");
  await create(stage, page, "main");
  await fill(page);
  await page.getByText("Recognised: an RSA public key of 2048 bits").waitFor();
  await page.getByRole("button", { name: "Copy Webhook URL" }).click();
  const url = await page.evaluate(() => navigator.clipboard.readText());
  assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/webhooks\/freshchat\/main\//);
  await agent(stage).webhook(url);
  await look(page, "settings");
  await connect(page);
  await page.getByText(/^Account acme\.freshchat\.com, topic “Sendbird Integration”, checked at .*\.$/).waitFor();
  for (const name of ["Chat URL", "Account and API key", "Topic", "Authentication"]) await check(page, name).getByText("OK", { exact: true }).waitFor();
  await page.getByText("Waiting for the first webhook").waitFor();

  await page.getByRole("link", { name: "Continue to step 3" }).click();
  await page.getByLabel("Your message").fill("Where is my parcel?");
  await page.getByLabel("Your message").press("Enter");
  await page.getByText("Your parcel 4711 was last seen in Lisbon").waitFor();
  await page.getByRole("button", { name: "Handoff", exact: true }).click();
  const dialog = page.getByRole("dialog", { name: "What would be handed over" });
  await dialog.getByText("A live conversation would be opened.").waitFor();
  await dialog.getByText("Where is my parcel?").waitFor();
  assert.equal((await agent(stage).state()).conversations.length, 0, "a preview sends nothing");
  await look(page, "preview");
  await dialog.getByRole("button", { name: "Hand over now" }).click();
  await page.getByText("Waiting for a human agent").first().waitFor();

  const conversation = await agent(stage).newest();
  await agent(stage).act(conversation, "assign");
  await page.getByText("Maya Chen has taken the conversation.").waitFor();
  await agent(stage).act(conversation, "note", { text: "INTERNAL: he is a regular" });
  await agent(stage).act(conversation, "reply", { text: "Hello, this is Maya. A new parcel leaves today." });
  const answer = page.getByText("A new parcel leaves today.");
  await answer.waitFor();
  const bubble = page.locator(".bubble.human");
  await bubble.getByText("Maya Chen").waitFor();
  await page.waitForFunction(() => document.querySelector(".bubble.human img")?.naturalWidth > 0);
  await page.getByLabel("Your message").fill("Thank you, Maya");
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await agent(stage).until(conversation, (messages) => messages.some((text) => text === "Thank you, Maya"));
  await look(page, "try");
  await open(page, "main", "watch");
  await page.getByRole("heading", { name: "Open handoffs" }).waitFor();
  await page.getByRole("row").filter({ hasText: "human agents" }).getByRole("button", { name: /^Timeline/ }).click();
  await page.getByRole("dialog").getByText("POST /v2/conversations", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Close" }).click();
  await look(page, "watch");
  await open(page, "main", "connect");
  await page.getByText("Webhooks arrive and are genuine").waitFor();
  await page.getByRole("link", { name: "Continue to step 3" }).waitFor();
  await look(page, "connect");

  await open(page, "main", "try");
  await agent(stage).act(conversation, "resolve");
  await page.getByText("The AI agent is back: the human agents have solved it.").waitFor();
  await page.getByText("Back to the AI agent: solved").waitFor();
  assert.equal(await page.getByText("A new parcel leaves today.").count(), 1, "the answer was shown once");
  assert.ok(!(await page.content()).includes("INTERNAL"), "a private note was shown");
  const metrics = await page.goto(new URL("/metrics", stage.console).href);
  assert.match(await metrics.text(), /handoff_outcomes_total\{connection="main",outcome="resolved"\} 1\n/);
  await leave(visit);
});

asAdmin("a_wrong_api_key_is_named_and_can_be_corrected_without_retyping_the_rest", async (page) => {
  await create(stage, page, "wrong-key");
  await fill(page, { "API Key (needed)": "not-the-key" });
  await connect(page);
  await page.getByText("Not connected").waitFor();
  await check(page, "Account and API key").getByText("Freshworks refused the API key").waitFor();
  await check(page, "Account and API key").getByText(/copy the key again from Admin settings/i).waitFor();
  await look(page, "refused");
  await page.getByRole("link", { name: "Back to the set-up" }).click();
  const key = page.getByLabel("API Key (needed)", { exact: true });
  assert.equal(await key.inputValue(), "", "a secret came back to the page");
  await key.fill(stage.api_key);
  await connect(page);
  await page.getByText("Connected", { exact: true }).waitFor();
});

asAdmin("a_topic_in_other_case_and_a_missing_topic_have_different_findings", async (page) => {
  // Checks appear one by one unless reduced motion is preferred.
  await page.emulateMedia({ reducedMotion: "no-preference" });
  await create(stage, page, "topics");
  await fill(page);
  await typeTopic(page, "sendbird integration");
  await connect(page);
  await check(page, "Topic").getByText(/a topic named “Sendbird Integration” exists/i).waitFor();
  await check(page, "Topic").getByText(/Rename the topic to “sendbird integration”/).waitFor();
  await page.getByRole("link", { name: "Back to the set-up" }).click();
  await typeTopic(page, "Nowhere");
  await connect(page);
  await check(page, "Topic").getByText(/none of the \d+ topics/i).waitFor();
  await check(page, "Topic").getByText(/Create a topic named “Nowhere”/).waitFor();
  await open(page, "topics", "try");
  await page.getByText("The connection is not connected: finish step 2 first.").waitFor();
  await page.getByRole("button", { name: "Handoff", exact: true }).click();
  await page.getByRole("alert").getByText(/this connection is not connected: none of the \d+ topics/i).waitFor();
});

asAdmin("the_platforms_side_names_the_field_that_is_wrong_and_keeps_its_secret", async (page) => {
  await create(stage, page, "platform");
  await fill(page);
  await page.getByLabel("Platform", { exact: true }).selectOption({ label: "Delight AI agent (formerly Sendbird)" });
  for (const label of ["E-mail addresses are verified", "Phone numbers are verified"]) {
    assert.equal(await page.getByLabel(label).isChecked(), false, "addresses are unverified unless an admin says so");
  }
  await page.getByText(/Otherwise the address is only shown to the human agent/).waitFor();
  await page.getByLabel("Platform", { exact: true }).selectOption({ label: "Any platform with a callback" });
  await page.getByLabel(/^Callback URL/).fill("https://platform.example/events");
  await page.getByLabel(/^Signing secret/).fill("not-of-the-form");
  await page.getByRole("button", { name: "Connect", exact: true }).click();
  await page.getByText("1 field needs your attention.").waitFor();
  await page.getByText(/the secret is not of the Standard Webhooks form/i).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), "platform-secret");
  await accessible(page, "a wrong field");
  await page.getByLabel(/^Signing secret/).fill("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  await connect(page);
  await page.getByText("Connected", { exact: true }).waitFor();
  await open(page, "platform", "settings");
  assert.equal(await page.getByLabel(/^Signing secret/).inputValue(), "");
  await page.getByLabel("Webhook URL for the platform", { exact: true }).waitFor();
  await connect(page);
  await page.getByText("Connected", { exact: true }).waitFor();
  await open(page, "platform", "settings");
  await page.getByText("Tickets", { exact: true }).click();
  await page.getByLabel("API key of the ticket desk", { exact: true }).fill("to-be-deleted");
  await connect(page);
  await open(page, "platform", "settings");
  await page.getByText("Tickets", { exact: true }).click();
  await page.getByLabel("Delete the stored value of “API key of the ticket desk”").check();
  await accessible(page, "a stored secret");
  await connect(page);
  const kept = await page.evaluate(async () => (await (await fetch("/v1/connections/platform/settings")).json()).secrets);
  assert.deepEqual(kept, ["api_key"]);
});

asAdmin("a_delight_ai_agent_has_a_form_too", async (page) => {
  await create(stage, page, "delight");
  await fill(page);
  await page.getByLabel("Platform", { exact: true }).selectOption({ label: "Delight AI agent (formerly Sendbird)" });
  await page.getByLabel(/^Application ID/).fill("no such id!");
  await page.getByLabel(/^AI agent ID/).fill("agent-1");
  await page.getByLabel(/^API token/).fill("token-1");
  await accessible(page, "the form of Delight");
  await page.getByRole("button", { name: "Connect", exact: true }).click();
  await page.getByText("1 field needs your attention.").waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), "platform-app_id");
});

asAdmin("a_broken_public_key_is_noticed_while_it_is_pasted", async (page) => {
  await create(stage, page, "broken-key");
  const key = page.getByLabel("Authentication", { exact: true });
  await key.fill(stage.public_key.slice(0, -60));
  await page.getByText(/from -----BEGIN to -----END/).waitFor();
  assert.equal(await key.getAttribute("aria-invalid"), "true");
  await accessible(page, "a broken key");
  await key.fill("-----BEGIN PRIVATE KEY-----\nMIIE");
  await page.getByText(/this is a private key/i).waitFor();
  // As mangled by forms and mail programs.
  await key.fill(stage.public_key.replaceAll("\n", "\\n"));
  await page.getByText("Recognised: an RSA public key of 2048 bits").waitFor();
  assert.equal(await key.getAttribute("aria-invalid"), null);
  await fill(page, { Authentication: stage.public_key.slice(0, -60) });
  await connect(page);
  await check(page, "Authentication").getByText("Failure").waitFor();
});

asAdmin("the_first_delivery_reveals_the_key_of_another_webhook", async (page) => {
  const name = await connected(page);
  const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048, publicKeyEncoding: { type: "spki", format: "pem" } });
  await open(page, name, "settings");
  await page.getByLabel("Authentication", { exact: true }).fill(publicKey);
  await connect(page);
  await page.getByText("Waiting for the first webhook").waitFor();
  const conversation = await handOver(page, name);
  await agent(stage).act(conversation, "reply", { text: "Nobody hears this" });
  await open(page, name, "connect");
  await page.getByText("A webhook was refused").waitFor();
  await tile(page).getByText("Answers do not arrive yet").waitFor();
  await tile(page).getByText(/signature does not match/i).waitFor();
  await tile(page).getByText(/Freshworks makes the key when the webhook is saved/).waitFor();
  await page.getByRole("link", { name: "Continue to step 3 anyway" }).waitFor();
  await accessible(page, "a refused webhook");
  await open(page, name, "watch");
  await page.getByText("Webhook of Freshworks refused").waitFor();
  await open(page, name, "settings");
  await page.getByLabel("Authentication", { exact: true }).fill(stage.public_key);
  await connect(page);
  // The refused one may be resent before this one.
  await agent(stage).act(conversation, "reply", { text: "This arrives" });
  await tile(page).getByText("Handoffs work, and answers arrive.").waitFor();
  assert.equal(await tile(page).getByText("Answers do not arrive yet").count(), 0);
});

asAdmin("a_webhook_that_is_not_pasted_is_reported_with_a_remedy", async (page) => {
  const name = `unpasted-${(number += 1)}`;
  await create(stage, page, name);
  const url = await page.getByLabel("Webhook URL", { exact: true }).inputValue();
  await agent(stage).webhook(null);
  await fill(page);
  await connect(page);
  await tile(page).getByText("Connected", { exact: true }).waitFor();
  await tile(page).getByText("Answers do not arrive yet").waitFor();
  await tile(page).getByText("Handoffs work; no webhook of Freshworks has come yet.").waitFor();
  await tile(page).getByText(/see on the webhook page of Freshworks whether the URL is the one that is shown here/).waitFor();
  await accessible(page, "a webhook that is not pasted");
  const conversation = await handOver(page, name);
  await open(page, name, "connect");
  // A message was written now, so a webhook should have come.
  await tile(page).getByText("A message went to Freshworks, and no webhook about it came within 20 seconds.").waitFor({ timeout: 40_000 });
  await tile(page).getByText(/whether the webhook is switched on/).waitFor();
  await page.goto(`${stage.console}#/`);
  const shown = page.getByRole("article").filter({ has: page.getByRole("link", { name, exact: true }) });
  await shown.getByText("Answers do not arrive yet").waitFor();
  await shown.getByText(/whether the webhook is switched on/).waitFor();
  await accessible(page, "connections whose answers do not arrive");
  await agent(stage).webhook(url);
  await agent(stage).act(conversation, "reply", { text: "Now it arrives" });
  await open(page, name, "connect");
  await tile(page).getByText("Handoffs work, and answers arrive.").waitFor();
  assert.equal(await tile(page).getByText("Answers do not arrive yet").count(), 0);
});

asAdmin("while_freshworks_is_down_nothing_is_lost_and_every_page_says_so", async (page) => {
  const name = await connected(page);
  const conversation = await handOver(page, name);
  await fault(stage, "down");
  try {
    await page.getByLabel("Your message").fill("Are you there?");
    await page.getByRole("button", { name: "Send", exact: true }).click();
    await page.getByText("Not sent.").waitFor({ timeout: 60_000 });
    await accessible(page, "an unsent message");
  } finally {
    await fault(stage, null);
  }
  await page.getByRole("button", { name: "Send again" }).click();
  await page.getByText("Not sent.").waitFor({ state: "detached" });
  const texts = await agent(stage).until(conversation, (messages) => messages.includes("Are you there?"));
  assert.equal(texts.filter((text) => text === "Are you there?").length, 1);
});

asAdmin("an_outage_during_a_check_leaves_the_connection_unchanged", async (page) => {
  const name = await connected(page);
  const unreachable = tile(page).getByText(/^Not reachable since \d.* The connection is unchanged/);
  await fault(stage, "down");
  try {
    await page.getByRole("button", { name: "Check again" }).click();
    await unreachable.waitFor({ timeout: 60_000 });
    await tile(page).getByText("Connected", { exact: true }).waitFor();
    await check(page, "Account and API key").getByText("Warning", { exact: true }).waitFor();
    await check(page, "Account and API key").getByText(/no usable answer comes from this address/i).waitFor();
    await accessible(page, "an outage");
    await page.goto(`${stage.console}#/`);
    const shown = page.getByRole("article").filter({ has: page.getByRole("link", { name, exact: true }) });
    await shown.getByText("Connected", { exact: true }).waitFor();
    await shown.getByText(/^Not reachable since/).waitFor();
  } finally {
    await fault(stage, null);
  }
  // There was no further check yet, and handoffs work.
  await handOver(page, name);
  await open(page, name, "connect");
  await unreachable.waitFor();
  await page.getByRole("button", { name: "Check again" }).click();
  await unreachable.waitFor({ state: "detached" });
  await tile(page).getByText("Connected", { exact: true }).waitFor();
  await check(page, "Account and API key").getByText("OK", { exact: true }).waitFor();
});

asAdmin("a_reload_in_the_middle_loses_nothing_and_shows_nothing_twice", async (page) => {
  const name = await connected(page);
  const conversation = await handOver(page, name, "Before the reload");
  await agent(stage).act(conversation, "reply", { text: "First answer" });
  await page.getByText("First answer").waitFor();
  // The page is closed while the agent continues to write.
  await page.goto("about:blank");
  await agent(stage).act(conversation, "reply", { text: "Second answer" });
  await open(page, name, "try");
  await page.getByText("Second answer").waitFor();
  await page.reload();
  await page.getByText("Second answer").waitFor();
  for (const text of ["Before the reload", "First answer", "Second answer"]) assert.equal(await page.getByText(text, { exact: true }).count(), 1, text);
  await page.getByRole("button", { name: "Back to the AI agent" }).click();
  await page.getByText("The AI agent is back: you have left the human agents.").waitFor();
});

asAdmin("two_tabs_show_the_same_conversation_once", async (page, { context }) => {
  const name = await connected(page);
  const other = await context.newPage();
  await open(other, name, "try");
  const conversation = await handOver(page, name, "From the first tab");
  await other.getByText("From the first tab").waitFor();
  await other.getByText("Waiting for a human agent").first().waitFor();
  await agent(stage).act(conversation, "reply", { text: "To both of you" });
  for (const tab of [page, other]) await tab.getByText("To both of you").waitFor();
  await other.getByLabel("Your message").fill("From the second tab");
  await other.getByRole("button", { name: "Send", exact: true }).click();
  await page.getByText("From the second tab").waitFor();
  const texts = await agent(stage).until(conversation, (messages) => messages.includes("From the second tab"));
  assert.equal(texts.filter((text) => text === "From the second tab").length, 1);
  for (const tab of [page, other]) assert.equal(await tab.getByText("To both of you").count(), 1);
});

test("a_session_ends_and_the_page_stays_where_it_was", async () => {
  const visit = await visitor(stage);
  const { page, context } = visit;
  await page.goto(stage.console);
  await page.getByLabel("API token").fill("guessed");
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByText("That is not the API token of this app.").waitFor();
  await accessible(page, "a wrong token");
  await logIn(stage, page);
  const [cookie] = await context.cookies();
  assert.deepEqual([cookie.httpOnly, cookie.sameSite], [true, "Strict"]);
  const name = await connected(page);
  await open(page, name, "watch");
  await page.getByRole("heading", { name: "Open handoffs" }).waitFor();
  await context.clearCookies();
  await page.getByRole("heading", { name: "Log in" }).waitFor();
  await page.getByLabel("API token").fill(stage.token);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("heading", { name: "Open handoffs" }).waitFor();
  // Another site has the cookie at most, not the secret in our page's memory.
  const forged = await page.evaluate(async (path) => (await fetch(path, { method: "DELETE" })).status, `/v1/connections/${name}`);
  assert.equal(forged, 401);
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByRole("heading", { name: "Log in" }).waitFor();
  assert.equal(await page.evaluate(async () => (await fetch("/v1/connections")).status), 401);
  await leave(visit);
});

/** The requests to the API. */
function watchWrites(page) {
  const writes = [];
  page.on("request", (request) => { if (request.method() === "PUT") writes.push(request.url()); });
  return writes;
}

asAdmin("an_empty_platform_form_names_each_field_before_anything_is_sent", async (page) => {
  await create(stage, page, "empty");
  const writes = watchWrites(page);
  for (const [platform, first, missing] of [
    ["Any platform with a callback", "settings-api_key", ["API Key", "Chat URL", "Callback URL", "Signing secret"]],
    ["Delight AI agent (formerly Sendbird)", "settings-api_key", ["API Key", "Chat URL", "Application ID", "AI agent ID", "API token"]],
  ]) {
    await page.getByLabel("Platform", { exact: true }).selectOption({ label: platform });
    await page.getByRole("button", { name: "Connect", exact: true }).click();
    await page.getByText(`${missing.length} fields need your attention.`).waitFor();
    for (const name of missing) {
      const input = page.getByLabel(`${name} (needed)`, { exact: true });
      assert.equal(await input.getAttribute("aria-invalid"), "true", name);
      const [fault] = (await input.getAttribute("aria-describedby")).split(" ").filter((id) => id.endsWith("-fault"));
      assert.equal(await page.locator(`#${fault}`).textContent(), `${name} is needed.`);
    }
    assert.equal(await page.evaluate(() => document.activeElement.id), first);
    await accessible(page, `an empty form of ${platform}`);
  }
  assert.deepEqual(writes, [], "a form with holes was sent");
  await fill(page);
  await page.getByLabel("Application ID (needed)", { exact: true }).fill("app-1");
  await page.getByRole("button", { name: "Connect", exact: true }).click();
  await page.getByText("2 fields need your attention.").waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), "platform-ai_agent_id");
});

asAdmin("names_are_chosen_from_the_account_with_visible_blanks", async (page) => {
  await create(stage, page, "pickers");
  // Names with an admin's typing mistakes.
  await page.route("**/v1/connections/pickers/choices", async (route) => {
    const answer = await route.fetch();
    const lists = await answer.json();
    lists.topics.push({ value: " Support  desk ", label: null, is_usable: true }, { value: "Old", label: null, is_usable: false });
    return route.fulfill({ response: answer, json: lists });
  });
  const topic = page.getByLabel("Topic name", { exact: true });
  assert.deepEqual(await topic.locator("option").allTextContents(), ["Sendbird Integration or Delight AI agent Integration, whichever exists", "Type a name …"]);
  await fill(page);
  await page.getByText(/^Your account answers: 4 topics, 1 group, 2 human agents\.$/).waitFor();
  await page.getByText("“Sendbird Integration” is in your account.").waitFor();
  await page.getByRole("heading", { name: "API details (done)" }).waitFor();
  assert.equal(await topic.locator("option", { hasText: "Old (switched off)" }).isDisabled(), true);
  await topic.selectOption({ label: "␣Support␣␣desk␣" });
  await page.getByText("“␣Support␣␣desk␣” is in your account.").waitFor();
  await page.getByText("Who gets handoffs", { exact: true }).click();
  await page.getByLabel("Human agent", { exact: true }).selectOption({ label: "Maya Chen (maya@acme.example)" });
  await accessible(page, "pickers");
  await connect(page);
  // The simulator has no topic of that name: it is compared exactly, and shown with visible blanks.
  await check(page, "Topic").getByText(/␣Support␣␣desk␣/).first().waitFor();
  const stored = await page.evaluate(async () => (await (await fetch("/v1/connections/pickers/settings")).json()).settings);
  assert.deepEqual([stored.topics, stored.agent], [[" Support  desk "], "maya@acme.example"]);
  await open(page, "pickers", "settings");
  // The stored key is used, because the form has none.
  await page.getByText(/^Your account answers: 4 topics/).waitFor();
  assert.equal(await page.getByLabel("API Key (needed)", { exact: true }).inputValue(), "");
  assert.equal(await topic.locator("option:checked").textContent(), "␣Support␣␣desk␣");
  // Names can still be typed.
  await typeTopic(page, "Sendbird Integration");
  await connect(page);
  await page.getByText("Connected", { exact: true }).waitFor();
});

asAdmin("leaving_with_unsaved_input_asks_first", async (page) => {
  const name = await connected(page);
  await open(page, name, "settings");
  const key = page.getByLabel("API Key (needed)", { exact: true });
  await key.fill("another");
  await page.getByRole("link", { name: "3 Try it" }).click();
  const dialog = page.getByRole("dialog", { name: "Leave without saving?" });
  await dialog.waitFor();
  await accessible(page, "the question before leaving");
  await dialog.getByRole("button", { name: "Stay on this page" }).click();
  assert.deepEqual([await key.inputValue(), new URL(page.url()).hash], ["another", `#/${name}/settings`]);
  await page.getByRole("button", { name: "Log out" }).click();
  await dialog.getByRole("button", { name: "Stay on this page" }).click();
  assert.equal(await key.inputValue(), "another");
  await page.getByRole("link", { name: "3 Try it" }).click();
  await dialog.getByRole("button", { name: "Leave without saving" }).click();
  await page.getByRole("heading", { name: "Try it" }).waitFor();
  // Nothing to lose, so no question.
  await page.getByRole("link", { name: "1 Set up" }).click();
  await page.getByRole("heading", { name: "Set up Freshworks" }).waitFor();
  await page.getByRole("link", { name: "Watch" }).click();
  await page.getByRole("heading", { name: "Watch" }).waitFor();
});

asAdmin("a_wrong_ticket_desk_is_shown_before_it_is_stored_and_can_be_reverted", async (page) => {
  const name = await connected(page);
  const restore = page.getByRole("button", { name: /^Restore the settings that worked (at|on) \d/ });
  assert.equal(await restore.count(), 0, "nothing else has connected");
  const before = await stored(page, name);
  const writes = watchWrites(page);
  await open(page, name, "settings");
  await page.getByText("Tickets", { exact: true }).click();
  const desk = page.getByLabel("Ticket desk", { exact: true });
  await desk.fill(stage.ticket_domain);
  await page.getByLabel("API key of the ticket desk", { exact: true }).fill("wrong");
  await page.getByRole("button", { name: "Connect", exact: true }).click();
  await page.getByText("Nothing has been saved yet").waitFor();
  await page.getByRole("alert").getByRole("listitem").filter({ hasText: "Ticket desk" }).getByText(/refused/i).waitFor();
  await accessible(page, "what would break");
  assert.deepEqual(await stored(page, name), before);
  await page.getByRole("button", { name: "Keep editing" }).click();
  assert.equal(await desk.inputValue(), stage.ticket_domain);
  await page.getByRole("button", { name: "Connect", exact: true }).click();
  await page.getByRole("button", { name: "Save anyway" }).click();
  await page.getByRole("heading", { name: "Connect", level: 1 }).waitFor();
  assert.deepEqual(writes.map((url) => new URL(url).search), ["", "", "?save=anyway"]);
  assert.equal((await stored(page, name)).settings.ticket_domain, stage.ticket_domain);
  // Live handoffs do not need it.
  await tile(page).getByText("Connected", { exact: true }).waitFor();
  await check(page, "Ticket desk").getByText("Failure", { exact: true }).waitFor();
  await accessible(page, "settings to restore");
  await restore.click();
  await page.getByText("The earlier settings are restored.").waitFor();
  await check(page, "Ticket desk").waitFor({ state: "detached" });
  await tile(page).getByText("Connected", { exact: true }).waitFor();
  assert.deepEqual(await stored(page, name), before);
  await page.goto(`${stage.console}#/~access`);
  await page.getByText(`Earlier settings restored: ${name}`, { exact: true }).waitFor();
});

asAdmin("settings_that_stop_handoffs_are_reported_in_the_tile_and_reverted", async (page) => {
  const name = await connected(page);
  await open(page, name, "settings");
  await typeTopic(page, "Nowhere");
  await page.getByRole("button", { name: "Connect", exact: true }).click();
  await page.getByRole("button", { name: "Save anyway" }).click();
  await tile(page).getByText("Not connected", { exact: true }).waitFor();
  await tile(page).getByText(/none of the \d+ topics/i).waitFor();
  await tile(page).getByText(/Create a topic named “Nowhere”/).waitFor();
  await page.getByRole("link", { name: "Back to the set-up" }).waitFor();
  await accessible(page, "a connection that is broken");
  await page.getByRole("button", { name: /^Restore the settings/ }).click();
  await tile(page).getByText("Connected", { exact: true }).waitFor();
  await tile(page).getByText(/topic “Sendbird Integration”/).waitFor();
});

asAdmin("fields_that_the_api_names_are_marked", async (page) => {
  const name = `named-${(number += 1)}`;
  await create(stage, page, name);
  await fill(page);
  await page.getByLabel("Platform", { exact: true }).selectOption({ label: "Any platform with a callback" });
  await page.getByLabel(/^Callback URL/).fill("https://platform.example/events");
  await page.getByLabel(/^Signing secret/).fill("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  await connect(page);
  await open(page, name, "settings");
  await page.getByText(/^Your account answers:/).waitFor();
  // Another admin removes the platform with its secret, while the form assumes a stored one.
  const answer = await fetch(new URL(`/v1/connections/${name}`, stage.console), {
    method: "PUT", headers: { authorization: `Bearer ${stage.token}`, "content-type": "application/json" },
    body: JSON.stringify({ settings: { chat_url: stage.chat_url, api_key: stage.api_key }, platform: { kind: "polling" } }),
  });
  assert.equal(answer.status, 200, await answer.text());
  await page.getByRole("button", { name: "Connect", exact: true }).click();
  await page.getByText("1 field needs your attention.").waitFor();
  await page.getByText("“Signing secret” is missing.").waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), "platform-secret");
  await accessible(page, "a field that the API names");
});

test("everything_fits_a_phone", async () => {
  const visit = await visitor(stage, { viewport: { width: 360, height: 640 } });
  const { page } = visit;
  await logIn(stage, page);
  const name = `phone-${(number += 1)}`;
  await create(stage, page, name);
  const url = page.getByLabel("Webhook URL", { exact: true });
  await url.scrollIntoViewIfNeeded();
  const [shown, all] = await url.evaluate((box) => [[box.clientWidth, box.clientHeight], [box.scrollWidth, box.scrollHeight]]);
  assert.ok(all[0] <= shown[0] && all[1] <= shown[1], `the address is cut: ${all} in ${shown}`);
  await page.getByRole("button", { name: "Copy Webhook URL" }).click();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), await url.inputValue());
  await agent(stage).webhook(await url.inputValue());
  await fill(page);
  await inView(page, page.getByRole("button", { name: "Connect", exact: true }));
  await accessible(page, "the set-up on a phone");
  await connect(page);
  await page.getByText("Connected", { exact: true }).waitFor();
  await accessible(page, "a check on a phone");
  await open(page, name, "try");
  await page.getByText("I am a scripted AI agent").waitFor();
  for (const seen of [page.getByRole("button", { name: "Send", exact: true }), page.getByRole("button", { name: "Handoff", exact: true })]) await inView(page, seen);
  await accessible(page, "a trial on a phone");
  await page.goto(`${stage.console}#/`);
  await page.getByRole("link", { name, exact: true }).waitFor();
  await accessible(page, "connections on a phone");
  await leave(visit);
});

asAdmin("the_path_from_the_api_key_to_the_summary_in_its_own_words", async (page) => {
  const name = `path-${(number += 1)}`;
  await create(stage, page, name);
  for (const heading of ["API details", "Topic", "Webhooks", "AI agent"]) await page.getByRole("heading", { name: `${heading} (`, exact: false, level: 2 }).first().waitFor();
  for (const path of [
    "Admin Settings › Marketplace and Integrations › API › API Settings › API details for chat", "Admin Settings › Configuration and Workflows › Web Chat Topics › New topic",
    "Admin Settings › Marketplace and Integrations › API › Conversation Webhooks",
  ]) await page.getByText(path, { exact: true }).waitFor();
  await page.getByLabel("Platform", { exact: true }).selectOption({ label: "Delight AI agent (formerly Sendbird)" });
  await page.getByText("Workspace settings › Integration › Freshworks", { exact: true }).waitFor();
  await page.getByText("Build › Conversation settings › Transfer to human agent › Freshworks", { exact: true }).waitFor();
  await page.getByLabel("Platform", { exact: true }).selectOption({ label: "Fetches events itself (or no platform yet)" });
  // Freshworks' pages and ours side by side.
  await page.getByLabel("API Key (needed)", { exact: true }).fill(stage.api_key);
  await page.getByLabel("Chat URL (needed)", { exact: true }).fill(stage.chat_url);
  await page.getByLabel("Chat URL (needed)", { exact: true }).blur();
  await page.getByText(/^Your account answers:/).waitFor();
  await page.getByLabel("Topic name", { exact: true }).selectOption({ label: "Sendbird Integration" });
  await agent(stage).webhook(await page.getByLabel("Webhook URL", { exact: true }).inputValue());
  await page.getByLabel("Authentication", { exact: true }).fill(stage.public_key);
  await page.getByText(/^Recognised:/).waitFor();
  for (const heading of ["API details", "Topic", "Webhooks", "AI agent"]) await page.getByRole("heading", { name: `${heading} (done)` }).waitFor();
  await page.getByRole("button", { name: "Connect", exact: true }).click();
  await tile(page).getByText("Connected", { exact: true }).waitFor();
  await page.getByRole("link", { name: "Continue to step 3" }).click();
  await page.getByLabel("Your message").fill("Where is my parcel?");
  await page.getByLabel("Your message").press("Enter");
  await page.getByRole("button", { name: "Handoff", exact: true }).click();
  await page.getByRole("button", { name: "Hand over now" }).click();
  await page.getByText("Waiting for a human agent").first().waitFor();
  const conversation = await agent(stage).newest();
  // The human agent reads the summary in the last message.
  const texts = await agent(stage).until(conversation, (messages) => messages.some((text) => text.includes("Summary")));
  assert.match(texts.join("\n"), /Summary:?\s+A test from the console: the end user talks to a scripted AI agent and asks for a person\./);
  await agent(stage).act(conversation, "assign");
  await page.getByText("Maya Chen took the conversation").waitFor();
  await page.getByRole("link", { name: "Connections" }).click();
  const shown = page.getByRole("article").filter({ has: page.getByRole("link", { name, exact: true }) });
  await shown.getByText("Connected", { exact: true }).waitFor();
  await shown.getByText("acme.freshchat.com").waitFor();
  await look(page, "overview");
});

test("everything_can_be_done_with_the_keyboard", async () => {
  const visit = await visitor(stage);
  const { page } = visit;
  await page.goto(stage.console);
  await page.getByRole("heading", { name: "Log in" }).waitFor();
  await page.keyboard.type(stage.token);
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Log out" }).waitFor();
  const name = await connected(page);
  await page.keyboard.press("Tab");
  await tabTo(page, "3 Try it");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Try it" }).waitFor();
  await tabTo(page, "Handoff");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Handoff", "the focus comes back");
  await open(page, name, "connect");
  await tabTo(page, "Disconnect");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: `Disconnect “${name}”?` }).waitFor();
  await accessible(page, "the question before disconnecting");
  await tabTo(page, "Disconnect");
  await page.keyboard.press("Enter");
  await page.waitForFunction((gone) => ![...document.querySelectorAll("option")].some((one) => one.value === gone), name);
  await leave(visit);
});

async function tabTo(page, text) {
  for (let step = 0; step < 80; step += 1) {
    await page.keyboard.press("Tab");
    if (await page.evaluate((wanted) => document.activeElement?.textContent?.trim() === wanted, text)) return;
  }
  assert.fail(`the keyboard does not reach ${text}`);
}

test("pages_are_light_and_no_secret_comes_back", async () => {
  const visit = await visitor(stage);
  const { page } = visit;
  const bodies = [];
  page.on("response", (answer) => {
    if (answer.status() === 200) bodies.push(answer.body().then((body) => [new URL(answer.url()).pathname, body]).catch(() => null));
  });
  await page.goto(stage.console);
  const loaded = [];
  for (let round = 0; round < 3; round += 1) {
    const fresh = await visitor(stage);
    const began = performance.now();
    await fresh.page.goto(stage.console);
    await fresh.page.getByLabel("API token").fill("x");
    loaded.push(performance.now() - began);
    await leave(fresh);
  }
  await logIn(stage, page);
  await connected(page);
  for (const where of ["settings", "try", "watch", "connect"]) {
    await page.getByRole("link", { name: { settings: "1 Set up", try: "3 Try it", watch: "Watch", connect: "2 Connect" }[where] }).click();
    await page.waitForLoadState("networkidle").catch(() => {});
  }
  const all = (await Promise.all(bodies)).filter(Boolean);
  const pages = new Map(all.filter(([path]) => path === "/console" || (path.startsWith("/console/") && path !== "/console/session")));
  const bytes = [...pages.values()].reduce((sum, body) => sum + gzipSync(body, { level: 9 }).length, 0);
  assert.ok(pages.size >= 10 && bytes <= MOST_COMPRESSED_BYTES, `${pages.size} files, ${bytes} bytes`);
  const best = Math.min(...loaded);
  assert.ok(best < 1000, `usable after ${best} ms`);
  keep("console", { files: pages.size, compressed_bytes: bytes, usable_after_ms: Math.round(best) });
  for (const [path, body] of all) assert.ok(!body.includes(stage.api_key) && !body.includes(stage.token), `${path} holds a secret`);
  await leave(visit);
});
