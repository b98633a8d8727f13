// The listener for webhooks.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import test from 'node:test';
import { Connector, webhooks } from 'freshworks-handoff';
import { handoffRequest, says, server, simulator, webhookOf } from './support.mjs';

const account = await simulator();
const freshworks = new Connector({ internal: [account.origin] });
const { settings } = await freshworks.connect(account.settings);

/** A conversation that is handed over, its session in a map, and a listener that knows it. */
async function stage(act) {
  const { session, info } = await freshworks.handoff(settings, handoffRequest());
  const sessions = new Map(info.conversationIds.map((id) => [id, session]));
  const { origin } = await server(webhooks(freshworks, { settings, sessions, act }));
  const [id] = info.conversationIds;
  const answer = (text) => webhookOf(account, () => account.reply(id, text));
  const post = async ({ headers, body }, method = 'POST') => {
    const signature = headers['x-freshchat-signature'] ?? '';
    return (await fetch(origin, { method, body, headers: { 'x-freshchat-signature': signature } })).status;
  };
  return { id, session, sessions, answer, post };
}

test('a webhook is acknowledged when it is acted on and the newest session is kept', async () => {
  const seen = [];
  const { id, session, sessions, answer, post } = await stage(async ({ events, session }) => {
    seen.push(...events.map(({ kind }) => kind));
    return freshworks.relay(settings, session, says('2', 'Thank you!'));
  });
  assert.equal(await post(await answer('Hello Ana.')), 200);
  assert.ok(seen.includes('agent-message'), `${seen}`);
  assert.notEqual(sessions.get(id), session);
  // The message is in the session that was kept: it is not sent again.
  await freshworks.relay(settings, sessions.get(id), says('2', 'Thank you!'));
  const { conversations } = await account.call('state');
  const texts = JSON.stringify(conversations.find((it) => it.id === id));
  assert.equal(texts.split('Thank you!').length, 2, texts);
});

test('what is not acted on is sent again, and its session is not kept', async () => {
  const { id, session, sessions, answer, post } = await stage(async () => {
    throw new Error('the database is away');
  });
  assert.equal(await post(await answer('Hello Ana.')), 503);
  assert.equal(sessions.get(id), session);
});

test('what is no webhook is refused by its status', async () => {
  let acted = 0;
  const { answer, post } = await stage(() => void (acted += 1));
  const genuine = await answer('Hello Ana.');
  assert.equal(await post({ headers: {}, body: genuine.body }), 401);
  assert.equal(await post({ headers: genuine.headers, body: `${genuine.body} ` }), 401);
  assert.equal(await post({ headers: {}, body: Buffer.from([0xff]) }), 400);
  assert.equal(await post({ headers: {}, body: 'x'.repeat(256 * 1024 + 1) }), 413);
  assert.equal(await post({ headers: {}, body: genuine.body }, 'PUT'), 405);
  assert.equal(acted, 0);
});

test('webhooks of one conversation wait for each other', async () => {
  let [underWay, most] = [0, 0];
  const { answer, post } = await stage(async () => {
    most = Math.max(most, (underWay += 1));
    await new Promise((resolve) => setTimeout(resolve, 20));
    underWay -= 1;
  });
  const both = [await answer('Hello Ana.'), await answer('Are you there?')];
  assert.deepEqual(await Promise.all([...both, ...both].map((one) => post(one))), [200, 200, 200, 200]);
  assert.equal(most, 1);
});

test('a sender that goes in the middle of its body ends nothing', async (t) => {
  const listener = webhooks(freshworks, { settings, sessions: new Map(), act: () => {} });
  let answered;
  const listening = createServer((request, response) => (answered = listener(request, response))).listen(0, '127.0.0.1');
  t.after(() => listening.close());
  await once(listening, 'listening');
  const client = connect(listening.address().port, '127.0.0.1');
  client.write('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\nhalf');
  await once(listening, 'request');
  client.destroy();
  // `createServer` looks at no promise: one that is broken would end the process.
  assert.equal(await answered, undefined);
});

test('the store of sessions learns which request asks, to keep tenants apart', async () => {
  const { session, info } = await freshworks.handoff(settings, handoffRequest());
  const asked = [];
  const store = {
    get: (id, { url }) => (asked.push(['get', url]), url === '/ours' && info.conversationIds.includes(id) ? session : undefined),
    set: (id, kept, { url }) => asked.push(['set', url]),
  };
  const { origin } = await server(webhooks(freshworks, { settings, sessions: store, act: () => {} }));
  const { headers, body } = await webhookOf(account, () => account.reply(info.conversationIds[0], 'Hello Ana.'));
  for (const path of ['/theirs', '/ours']) {
    const sent = { method: 'POST', body, headers: { 'x-freshchat-signature': headers['x-freshchat-signature'] } };
    assert.equal((await fetch(origin + path, sent)).status, 200);
    assert.equal(asked.some(([what]) => what === 'set'), path === '/ours', `${asked}`);
  }
  assert.ok(asked.some(([what, url]) => what === 'set' && url === '/ours'));
});

test('webhooks of one conversation wait for each other, whichever of its ids they name', async () => {
  let [underWay, most] = [0, 0];
  const bodies = { both: ['uuid', '17'], numeric: ['17'], other: ['18'] };
  const fake = Object.assign(Object.create(Connector.prototype), {});
  Object.defineProperty(fake, 'peek', { value: async (body) => bodies[body] });
  Object.defineProperty(fake, 'onWebhook', { value: async () => ({ events: [] }) });
  let met = () => new Promise((resolve) => setTimeout(resolve, 30));
  const act = async () => {
    most = Math.max(most, (underWay += 1));
    await met();
    underWay -= 1;
  };
  const { origin } = await server(webhooks(fake, { settings: {}, sessions: new Map(), act }));
  const post = async (body) => (await fetch(origin, { method: 'POST', body })).status;
  assert.deepEqual(await Promise.all(['both', 'numeric', 'both'].map(post)), [200, 200, 200]);
  assert.equal(most, 1);
  // Another conversation does not wait: both are acted on at once, or neither ends.
  const both = new Promise((resolve) => (met = () => (underWay === 2 && resolve(), both)));
  assert.deepEqual(await Promise.all(['both', 'other'].map(post)), [200, 200]);
});
