// npm `freshdesk-api` in a ticket desk. Reads the desk from standard input and writes what the client made of it.

"use strict";

const { readFileSync } = require("node:fs");
const { promisify } = require("node:util");
const { createRequire } = require("node:module");

const desk = JSON.parse(readFileSync(0, "utf8"));
const Freshdesk = createRequire(`${desk.modules}/`)("freshdesk-api");

/** A client whose calls answer with promises. */
function client(key) {
  const own = new Freshdesk(desk.origin, key);
  return new Proxy(own, { get: (target, name) => promisify(target[name].bind(target)) });
}

/** Status and body of a refusal, as the client reads them. */
async function refusal(call) {
  try {
    return await call;
  } catch (error) {
    return [error.name, error.status, error.message ?? null, error.data?.errors?.map((it) => [it.field, it.code]) ?? null];
  }
}

async function main() {
  const seen = {};
  const here = client(desk.key);
  seen["wrong key"] = await refusal(client("wrong").currentAgent());
  seen.me = (await here.currentAgent()).contact.email;
  const agents = await here.listAllAgents({ per_page: 1 });
  seen.agents = agents.map((agent) => agent.contact.name);
  seen.agent = (await here.getAgent(agents[0].id)).contact.name;
  seen.fields = (await here.listAllTicketFields()).filter((field) => !field.default).map((field) => field.name);
  const made = await here.createTicket({
    subject: "Parcel",
    description: "<p>It is late</p>",
    email: "ana@example.org",
    priority: 1,
    status: 2,
    tags: ["handoff"],
  });
  seen.made = [made.subject, made.status, made.priority, made.tags];
  const file = Buffer.from("a bill");
  // The client hands the list on to its form as it is, so that a file can say its name nowhere: a stream with a path can.
  const stream = require("node:stream").Readable.from([file]);
  stream.path = "bill.txt";
  const withFile = await refusal(
    here.createTicket({ subject: "Bill", description: "See file", email: "ana@example.org", priority: 2, status: 2, attachments: [stream] }),
  );
  seen["with file"] = [withFile.subject, withFile.attachments?.map((it) => [it.name, it.size])];
  seen.incomplete = await refusal(here.createTicket({ subject: "No one" }));
  seen.unknown = await refusal(here.getTicket(999999));
  await here.updateTicket(made.id, { priority: 4 });
  seen.read = (await here.getTicket(made.id)).priority;
  seen.listed = (await here.listAllTickets({ email: "ana@example.org" })).map((ticket) => ticket.subject);
  await here.createReply(made.id, { body: "It is found" });
  await here.createNote(made.id, { body: "Called the depot", private: false });
  seen.entries = (await here.listAllConversations(made.id)).map((entry) => [entry.body_text, entry.private, entry.incoming]);
  seen.contacts = (await here.listAllContacts({ email: "ana@example.org" })).map((contact) => contact.email);
  process.stdout.write(JSON.stringify(seen));
}

main();
