// Common steps of the admin.

import assert from "node:assert/strict";

export async function logIn(stage, page) {
  await page.goto(stage.console);
  await page.getByLabel("API token").fill(stage.token);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("button", { name: "Log out" }).waitFor();
}

/** A new connection of this name, with its form on the page. */
export async function create(stage, page, name) {
  await page.goto(`${stage.console}#/~new`);
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByRole("button", { name: "Create" }).click();
  await page.getByRole("heading", { name: "Set up Freshworks", level: 1 }).waitFor();
}

/** Types the topic's name, as when the account does not respond. */
export async function typeTopic(page, name) {
  await page.getByLabel("Topic name", { exact: true }).selectOption({ label: "Type a name …" });
  await page.getByRole("textbox", { name: "Topic name, typed" }).fill(name);
}

/** Talks to the AI agent and asks for a person. */
export async function handOff(stage, page, name, words) {
  await page.goto(`${stage.console}#/${name}/try`);
  await page.getByLabel("Your message").fill(words);
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await page.getByRole("button", { name: "Handoff", exact: true }).click();
  await page.getByRole("button", { name: "Hand over now" }).click();
}

/** Ends visits, and checks that no page did anything forbidden. */
export async function leave(...visits) {
  for (const { context, offences } of visits) {
    await context.close();
    assert.deepEqual(offences, []);
  }
}
