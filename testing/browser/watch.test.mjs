// The page "Watch": failures by cause and one by one, and resending. The test provides the platform's callback.

import { createServer } from "node:http";
import { once } from "node:events";
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { leave, logIn } from "./steps.mjs";
import { agent, look, start, visitor } from "./environment.mjs";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

let stage;
/** The callback's requests: id and events. */
const heard = [];
let status = 200;
const callback = createServer(async (request, answer) => {
  let body = "";
  for await (const chunk of request) body += chunk;
  heard.push({ id: request.headers["webhook-id"], events: JSON.parse(body).data.events, status });
  answer.writeHead(status).end();
});
let origin;

before(async () => {
  callback.listen(0, "127.0.0.1");
  await once(callback, "listening");
  origin = `http://127.0.0.1:${callback.address().port}`;
  stage = await start(["--reaches", origin]);
});
after(async () => {
  callback.close();
  await stage?.stop();
});

async function call(method, path, body) {
  const answer = await fetch(new URL(path, stage.console), {
    method, headers: { authorization: `Bearer ${stage.token}`, "content-type": "application/json" }, body: JSON.stringify(body),
  });
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${await answer.clone().text()}`);
  return answer.json();
}

/** A connected account with a handoff; returns its conversation in the inbox. */
async function handedOver() {
  const { webhooks } = await call("PUT", "/v1/connections/shop", {
    settings: { chat_url: stage.chat_url, api_key: stage.api_key, webhook_public_key: stage.public_key },
    platform: { kind: "generic", callback_url: `${origin}/events`, secret: SECRET },
  });
  await agent(stage).webhook(webhooks.freshchat);
  await call("POST", "/v1/connections/shop/handoffs", {
    key: { application: "app", channel: "web", conversation: "order-7" }, user: { id: "user 7/é", name: "Ana" }, mode: "live", reason: "user-asked",
    history: [{ id: "1", sender: { role: "end-user" }, sent_at: Date.now(), parts: [{ kind: "text", text: "Where is my parcel?" }] }],
  });
  return agent(stage).newest();
}

test("resend_after_a_failure", async () => {
  const conversation = await handedOver();
  const visit = await visitor(stage);
  const { page } = visit;
  await logIn(stage, page);
  await page.goto(`${stage.console}#/shop/watch`);
  await page.getByRole("heading", { name: "Deliveries" }).waitFor();
  await page.getByText("No handoff has ended yet.").waitFor();

  status = 410;
  await agent(stage).act(conversation, "reply", { text: "It leaves today" });
  const deliveries = page.getByRole("table", { name: "Deliveries" });
  const failed = deliveries.getByRole("row").filter({ hasText: "Given up" });
  await failed.getByText("the callback answered 410: it is gone").waitFor();
  const causes = page.getByRole("table", { name: "Failures by cause" });
  await causes.getByRole("row").filter({ hasText: "the callback answered 410" }).waitFor();
  assert.ok(!(await page.textContent("main")).includes("It leaves today"), "no message text");
  await page.getByRole("img", { name: /^Failures: at most \d+/ }).waitFor();

  await page.getByLabel("Result", { exact: true }).selectOption({ label: "Delivered" });
  await failed.waitFor({ state: "detached" });
  await page.getByLabel("Result", { exact: true }).selectOption({ label: "Any failure" });
  await page.getByLabel("Id", { exact: true }).fill("user 7/é");
  await page.getByLabel("Id", { exact: true }).press("Enter");
  await failed.waitFor();
  await look(page, "failures");
  await page.setViewportSize({ width: 360, height: 740 });
  const again = failed.getByRole("button", { name: /^Resend / });
  await again.scrollIntoViewIfNeeded();
  const box = await again.boundingBox();
  assert.ok(box.x >= 0 && box.x + box.width <= 360, "the button is in view on a phone");

  status = 200;
  await again.focus();
  await page.keyboard.press("Enter");
  await page.getByText("1 delivery delivered.", { exact: true }).first().waitFor();
  await failed.waitFor({ state: "detached" });
  await page.getByLabel("Result", { exact: true }).selectOption({ label: "All" });
  const told = heard.filter(({ events }) => JSON.stringify(events).includes("It leaves today"));
  assert.deepEqual(told.map((one) => one.status), [410, 200], "it arrived once");
  assert.equal(told[0].id, told[1].id, "with the id that it had");
  assert.deepEqual(told[0].events, told[1].events);

  await agent(stage).act(conversation, "resolve");
  const ended = page.getByRole("table", { name: "Ended handoffs and search" });
  await ended.getByRole("row").filter({ hasText: "order-7" }).getByText("Resolved").waitFor();
  await page.getByLabel("Conversation or end user id").fill("user 7/é");
  await page.getByRole("button", { name: "Search" }).click();
  await page.getByText("1 handoff found", { exact: true }).first().waitFor();
  await page.getByText("Show as a table").click();
  await page.getByRole("table", { name: "Over time" }).getByRole("row").nth(1).waitFor();
  await page.setViewportSize({ width: 1200, height: 860 });
  await look(page, "watching");
  await leave(visit);
});
