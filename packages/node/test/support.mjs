// What the tests stand on: a simulated Freshworks, and a door before it where answers can be changed.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdtemp, readFile } from 'node:fs/promises';
import { createServer, request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { buffer } from 'node:stream/consumers';

/** A simulated account that ends with the process. */
export async function simulator() {
  const folder = await mkdtemp(join(tmpdir(), 'simulator-'));
  const file = join(folder, 'settings.json');
  const child = spawn(process.env.SIMULATOR, ['--port', '0', '--quiet', '--settings', file], { stdio: ['ignore', 'pipe', 'ignore'] });
  process.on('exit', () => {
    child.kill();
    rmSync(folder, { recursive: true });
  });
  const account = { folder, agents: {} };
  for await (const line of createInterface({ input: child.stdout })) {
    const [what, ...rest] = line.split(/ {2,}/);
    if (what === 'Agent') account.agents[rest[0]] = rest[1].split(' ').at(-1);
    if (what === 'Ticket URL') account.ticketOrigin = rest[0];
    if (what === 'Ticket key') account.ticketKey = rest[0];
    if (what === 'Inbox') break;
  }
  // The tests end when they are done, and the account with them.
  child.stdout.destroy();
  child.unref();
  account.settings = JSON.parse(await readFile(file, 'utf8'));
  account.origin = account.settings.test_origin;
  /** Something that a human agent does on the inbox page, or that the page asks. */
  account.call = async (path, body) => {
    const options = body && { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    const response = await fetch(`${account.origin}/simulator/${path}`, options);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  };
  account.reply = (conversation, text) =>
    account.call(`conversations/${conversation}/reply`, { agent: account.agents['Maya Chen'], text });
  return account;
}

/** A server of the tests. */
export async function server(listener) {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  // The tests end when they are done, and this with them.
  server.unref();
  return { server, origin: `http://127.0.0.1:${server.address().port}` };
}

/**
 * A door before the account. `door.answer(request)` may answer `{ status, headers, body }` itself, `'cut'` the connection or `'hang'`, or let the
 * request pass by answering nothing. `door.seen` has what came.
 */
export async function doorTo(account) {
  const door = { seen: [], connections: 0, answer: () => undefined };
  const { server: listening, origin } = await server(async (request, response) => {
    const body = await buffer(request);
    const { method, url: path, headers } = request;
    const seen = { method, path, headers, body: body.toString() };
    door.seen.push(seen);
    const answer = await door.answer(seen);
    if (answer === 'hang') return;
    if (answer === 'cut') return void request.socket.destroy();
    if (answer) return void response.writeHead(answer.status, answer.headers).end(answer.body);
    const { host: _, ...passed } = headers;
    const on = httpRequest(account.origin + path, { method, headers: passed }, (got) => {
      response.writeHead(got.statusCode, got.rawHeaders);
      got.pipe(response);
    });
    on.on('error', () => request.socket.destroy());
    on.end(body);
  });
  listening.on('connection', () => (door.connections += 1));
  door.origin = origin;
  door.settings = { ...account.settings, test_origin: origin };
  return door;
}

let conversations = 0;

/** A request to hand over; what is given goes before. */
export function handoffRequest(more = {}) {
  conversations += 1;
  return {
    key: { application: 'tests', channel: `channel-${process.pid}`, conversation: `${conversations}` },
    user: { id: `user-${process.pid}-${conversations}`, name: 'Ana Silva' },
    mode: 'live',
    reason: 'user-asked',
    history: [says('h1', 'Where is my parcel?')],
    ...more,
  };
}

/** A message of the end user. */
export function says(id, text) {
  return { id, sender: { role: 'end-user' }, sentAt: Date.now(), parts: [{ kind: 'text', text }] };
}

/** A webhook as the account would send it, caught by a receiver of the tests. */
export async function webhookOf(account, act) {
  const caught = [];
  const { origin } = await server(async (request, response) => {
    caught.push({ headers: request.headers, body: await buffer(request) });
    response.end();
  });
  await account.call('webhook', { url: origin });
  await act();
  await account.call('webhook', { url: null });
  return caught.at(-1);
}

/** The error of a call that must fail. */
export async function errorOf(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('the call has succeeded');
}
