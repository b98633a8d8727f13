// An ordinary Node service: `node peer.mjs <fetch|axios> <handoff|relay|webhook> <operations> <in flight> <work.json>`.
// It sends the requests that the plugin sends, with as much text, over kept connections, and prints its cost as JSON.

import { createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent } from 'node:http';

const [client, operation, operationsText, inFlightText, file] = process.argv.slice(2);
const operations = Number(operationsText);
const inFlight = Number(inFlightText);
const work = JSON.parse(readFileSync(file, 'utf8'));
const origin = work.settings.test_origin;
const topic = Object.values(work.settings.resolved.topics)[0];
const headers = { authorization: `Bearer ${work.settings.api_key}`, 'content-type': 'application/json' };

async function withFetch(method, path, body) {
  const response = await fetch(origin + path, { method, headers, body: body && JSON.stringify(body) });
  if (!response.ok) throw new Error(`${response.status}`);
  return response.json();
}

async function axiosClient() {
  const { default: axios } = await import('axios');
  const session = axios.create({ baseURL: origin, headers, httpAgent: new Agent({ keepAlive: true }) });
  return async (method, url, data) => (await session.request({ method, url, data })).data;
}

const call = client === 'axios' ? await axiosClient() : withFetch;

function transcript(request) {
  const lines = request.history.map((message) => {
    const at = new Date(message.sent_at).toISOString().slice(11, 16);
    const who = message.sender.role === 'end-user' ? `${request.user.name} (user)` : '(AI agent)';
    return `${at} ${who}: ${message.parts.map((part) => part.text).join(' ')}`;
  });
  return lines.join('\n');
}

async function handOff() {
  const { user, summary } = work.request;
  const known = await call('GET', `/v2/users?reference_id=${encodeURIComponent(user.id)}`);
  if (known.users.length === 0) {
    const same = await call('GET', `/v2/users?email=${encodeURIComponent(user.email)}`);
    if (same.users.length > 0) return same.users[0].id;
  }
  const [first, ...rest] = user.name.split(' ');
  const created = await call('POST', '/v2/users', {
    email: user.email, first_name: first, last_name: rest.join(' '), reference_id: user.id,
  });
  const from = { actor_id: created.id, actor_type: 'user', channel_id: topic, message_type: 'normal' };
  const text = (content) => ({ ...from, message_parts: [{ text: { content } }] });
  const opened = await call('POST', '/v2/conversations', {
    channel_id: topic,
    messages: [text(`Handoff from the AI agent\nUser: ${user.name}\nSummary:\n    ${summary}`), text(transcript(work.request))],
    users: [{ id: created.id }],
  });
  return opened.conversation_id;
}

async function relay() {
  const content = work.message.parts[0].text;
  const sent = await call('POST', '/v2/conversations/ae843796-30af-49ee-a263-183773ef6508/messages', {
    actor_id: 'a534a6a6-b7fd-4b63-90ba-d0da572baaf1', actor_type: 'user', message_type: 'normal',
    message_parts: [{ text: { content } }],
  });
  return sent.id;
}

const key = createPublicKey(work.public_key);
const body = Buffer.from(work.webhook_body);
const signature = work.webhook_headers.find(([name]) => name.toLowerCase() === 'x-freshchat-signature')[1];

async function onWebhook() {
  if (!verify('RSA-SHA256', body, key, Buffer.from(signature, 'base64'))) throw new Error('not genuine');
  const { data } = JSON.parse(body.toString());
  const parts = data.message.message_parts.map((part) => part.text?.content ?? '');
  return { id: data.message.id, text: parts.join('\n') };
}

const run = { handoff: handOff, relay, webhook: onWebhook }[operation];

async function round(count) {
  const times = [];
  let next = 0;
  const worker = async () => {
    while (next < count) {
      next += 1;
      const started = process.hrtime.bigint();
      await run();
      times.push(Number(process.hrtime.bigint() - started) / 1e3);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return times.sort((a, b) => a - b);
}

// Long enough for the compiler of this side to have done its work.
await round(Math.max(Math.floor(operations / 3), inFlight));
const cpu = process.cpuUsage();
const started = process.hrtime.bigint();
const times = await round(operations);
const wall = Number(process.hrtime.bigint() - started) / 1e9;
const used = process.cpuUsage(cpu);
console.log(JSON.stringify({
  p50_us: times[Math.floor(times.length * 0.5)],
  p99_us: times[Math.floor(times.length * 0.99)],
  cpu_us: (used.user + used.system) / operations,
  rate: operations / wall,
}));
process.exit(0);
