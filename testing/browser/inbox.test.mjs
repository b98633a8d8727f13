// A human agent's acts in the simulator's inbox, and the end user's view in the console's trial.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { create, handOff, leave, logIn } from "./steps.mjs";
import { accessible, agent, inView, look, start, told, visitor } from "./environment.mjs";

let stage;
before(async () => { stage = await start(); });
after(() => stage?.stop());

/** An admin with a connected account in one window, and a human agent in another. */
async function both(name, more = {}) {
  const [admin, desk] = [await visitor(stage), await visitor(stage)];
  const { page } = admin;
  await logIn(stage, page);
  await create(stage, page, name);
  const url = await page.getByLabel("Webhook URL", { exact: true }).inputValue();

  // As on the admin pages of Freshworks.
  await desk.page.goto(`${stage.inbox}#simulator`);
  await desk.page.getByLabel("Authentication (public key)").waitFor();
  await desk.page.waitForFunction(() => document.getElementById("public-key").value);
  const key = await desk.page.getByLabel("Authentication (public key)").inputValue();
  await desk.page.getByRole("textbox", { name: "Webhook URL" }).fill(url);
  await desk.page.getByRole("button", { name: "Save" }).click();
  await desk.page.waitForFunction(async (wanted) => (await (await fetch("/simulator/state")).json()).webhook === wanted, url);

  await page.getByLabel("Chat URL (needed)").fill(stage.chat_url);
  await page.getByLabel("API Key (needed)").fill(stage.api_key);
  await page.getByLabel("Authentication", { exact: true }).fill(key);
  if (Object.keys(more).length) await page.getByText("Tickets", { exact: true }).click();
  for (const [label, value] of Object.entries(more)) await page.getByLabel(label, { exact: true }).fill(value);
  await page.getByRole("button", { name: "Connect", exact: true }).click();
  await page.getByText("Connected", { exact: true }).waitFor();
  return { admin, desk };
}

test("a_human_agent_takes_answers_with_a_file_notes_transfers_and_resolves", async () => {
  const { admin, desk } = await both("desk");
  await told(admin, () => handOff(stage, admin.page, "desk", "Where is my parcel?"));
  await admin.page.getByText("Waiting for a human agent").first().waitFor();
  const { page } = desk;
  await page.getByRole("link", { name: "Conversations" }).click();
  await page.getByRole("heading", { name: /Sendbird Integration/ }).waitFor();
  await page.getByRole("link", { name: /Test person \(console\)/ }).click();
  const transcript = page.getByRole("region", { name: "Transcript" });
  await transcript.getByText("Where is my parcel?").first().waitFor();
  await page.getByLabel("Acting as").selectOption({ label: "Maya Chen" });
  await page.getByRole("button", { name: "Assign to me" }).click();
  await admin.page.getByText("Maya Chen has taken the conversation.").waitFor();

  await page.getByRole("textbox", { name: "Message" }).fill("The carrier admits the loss");
  await page.getByRole("checkbox", { name: "Private note" }).check();
  await page.getByRole("button", { name: "Add note" }).click();
  await transcript.getByText("The carrier admits the loss").waitFor();
  await page.getByRole("checkbox", { name: "Private note" }).uncheck();
  await page.getByRole("textbox", { name: "Message" }).fill("A new one leaves today, see the letter");
  await page.getByLabel("File", { exact: true }).setInputFiles({ name: "letter.pdf", mimeType: "application/pdf", buffer: Buffer.from("%PDF-1.7") });
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await admin.page.getByText("A new one leaves today, see the letter").waitFor();
  await admin.page.getByRole("link", { name: /letter\.pdf/ }).waitFor();
  await look(page, "inbox");

  await page.getByLabel("Transfer to").selectOption({ label: "Tom Okafor" });
  await page.getByRole("button", { name: "Transfer", exact: true }).click();
  await admin.page.getByText(/Tom Okafor/).first().waitFor();
  await page.getByRole("button", { name: "Resolve" }).click();
  await admin.page.getByText("The AI agent is back: the human agents have solved it.").waitFor();
  await page.getByRole("button", { name: "Reopen" }).click();
  await admin.page.getByText("A human agent has reopened the conversation.").waitFor();
  await page.getByRole("button", { name: "Resolve" }).click();
  assert.ok(!(await admin.page.content()).includes("admits the loss"), "a private note was shown");
  await leave(admin, desk);
});

test("a_handoff_succeeds_despite_a_fault_from_the_panel", async () => {
  const { admin, desk } = await both("faults");
  const { page } = desk;
  await page.goto(`${stage.inbox}#simulator`);
  await page.getByRole("combobox", { name: "Fault" }).selectOption({ label: "POST takes effect, its answer is lost" });
  await page.getByRole("button", { name: "Add fault" }).click();
  await page.locator("#waiting").getByText("POST takes effect, its answer is lost").waitFor();
  await look(page, "faults");
  const before = (await agent(stage).state()).conversations.length;
  await handOff(stage, admin.page, "faults", "My parcel is lost");
  // The outcome is unknown: the admin learns so, and retries.
  const again = admin.page.getByRole("button", { name: "Hand over now" });
  const waiting = admin.page.getByText("Waiting for a human agent").first();
  const refused = admin.page.getByRole("dialog").getByRole("alert");
  for (let tries = 0; tries < 5; tries += 1) {
    await waiting.or(refused).first().waitFor();
    if (await waiting.isVisible()) break;
    await again.click();
    await refused.waitFor({ state: "detached" });
  }
  await waiting.waitFor();
  assert.equal((await agent(stage).state()).conversations.length, before + 1, "one conversation was opened");
  await page.getByText("None: everything works.").waitFor();
  await leave(admin, desk);
});

test("a_ticket_is_filed_without_a_chat_and_processed_in_the_inbox", async () => {
  const { admin, desk } = await both("tickets", { "Ticket desk": stage.ticket_domain, "API key of the ticket desk": stage.ticket_api_key });
  const answer = await admin.page.evaluate(async ({ path, request }) => {
    const { csrf_token } = await (await fetch("/console/session")).json();
    const headers = { "x-csrf-token": csrf_token, "content-type": "application/json" };
    return (await fetch(path, { method: "POST", headers, body: JSON.stringify(request) })).status;
  }, {
    path: "/v1/connections/tickets/handoffs",
    request: {
      key: { application: "shop", channel: "c-1", conversation: "1" }, mode: "ticket", reason: "user-asked",
      user: { id: "ana-7", name: "Ana Silva", email: "ana@example.com" }, summary: "Ana's parcel is lost.", history: [],
    },
  });
  assert.equal(answer, 200);
  const { page } = desk;
  await page.goto(`${stage.inbox}#tickets`);
  await page.getByRole("link", { name: /#\d+ / }).first().click();
  await page.getByText("Ana's parcel is lost.").first().waitFor();
  await page.getByRole("textbox", { name: "Answer" }).fill("A new one leaves today");
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await page.getByRole("region", { name: "Description and thread" }).getByText("A new one leaves today").waitFor();
  await look(page, "ticket");
  await page.getByLabel("Status", { exact: true }).selectOption({ label: "Resolved" });
  await page.getByRole("button", { name: "Set status" }).click();
  await page.locator("#ticket-status").getByText("Resolved").waitFor();
  await leave(admin, desk);
});

test("a_human_agent_answers_on_a_phone", async () => {
  const { admin, desk } = await both("phone-desk");
  await handOff(stage, admin.page, "phone-desk", "Where is my parcel?");
  await admin.page.getByText("Waiting for a human agent").first().waitFor();
  const { page } = desk;
  await page.setViewportSize({ width: 360, height: 640 });
  // The page expands the section itself.
  await page.goto("about:blank");
  await page.goto(stage.inbox);
  await page.getByRole("link", { name: /Test person \(console\)/ }).first().click();
  const send = page.getByRole("button", { name: "Send", exact: true });
  await send.waitFor();
  await accessible(page, "a conversation on a phone");
  for (const seen of [send, page.getByRole("textbox", { name: "Message" }), page.getByRole("button", { name: "Resolve" })]) await inView(page, seen);
  const thread = await page.getByRole("region", { name: "Transcript" }).boundingBox();
  assert.ok(thread.height > 180, `the transcript has ${thread.height} px`);
  await page.getByRole("textbox", { name: "Message" }).fill("It left today");
  await send.click();
  await admin.page.getByText("It left today").waitFor();
  await leave(admin, desk);
});

test("an_empty_inbox_is_accessible_and_says_what_it_is", async () => {
  const own = await start();
  const visit = await visitor(own);
  await visit.page.goto(own.inbox);
  await visit.page.getByText("No conversations yet.").first().waitFor();
  await accessible(visit.page, "an empty inbox");
  await leave(visit);
  await own.stop();
});
