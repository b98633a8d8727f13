// Values and errors on both sides of a call.
import assert from 'node:assert/strict';
import test from 'node:test';
import { inspect } from 'node:util';
import { Connector, HandoffError } from 'freshworks-handoff';
import { contract, error as errorRecord, functions, types } from './node_modules/freshworks-handoff/src/contract.js';
import { doorTo, errorOf, handoffRequest, says, simulator, webhookOf } from './support.mjs';

const account = await simulator();
const door = await doorTo(account);
const freshworks = new Connector({ internal: [account.origin, door.origin, account.ticketOrigin] });
// Nothing is sent again within a call: the tests look at the first answer.
const given = { ...door.settings, retry_budget_ms: 0 };
const { settings } = await freshworks.connect(given);
const tidy = (t) => t.after(() => (door.answer = () => undefined));

test('the whole job from connect to close', async () => {
  const receipt = await freshworks.handoff(settings, handoffRequest());
  assert.equal(receipt.info.owner, 'human-agent');
  const [id] = receipt.info.conversationIds;
  const delivery = await webhookOf(account, () => account.reply(id, 'Let me look.'));
  assert.ok((await freshworks.peek(delivery.body)).includes(id));
  const update = await freshworks.onWebhook(settings, delivery, receipt.session);
  assert.equal(update.events.at(-1).message.parts[0].text, 'Let me look.');
  const relayed = await freshworks.relay(settings, update.session, says('2', 'Thank you!'));
  const closed = await freshworks.close(settings, relayed.session, 'user-left');
  assert.equal(closed.info.state, 'returned');
  assert.equal(closed.events.at(-1).kind, 'returned-to-ai');
});

test('numbers are numbers both ways, and everything survives JSON', async () => {
  const receipt = await freshworks.handoff(settings, handoffRequest());
  assert.equal(typeof receipt.info.nextTickAt, 'number');
  const stored = JSON.parse(JSON.stringify(receipt));
  assert.deepEqual(stored, receipt);
  const update = await freshworks.tick(settings, stored.session, Date.now() + 60_000);
  assert.equal(update.info.state, 'queued');
});

test('what may be left out is filled in', async () => {
  const { key, user, mode, reason } = handoffRequest();
  const receipt = await freshworks.handoff(settings, { key, user, mode, reason }, null, undefined);
  assert.equal(receipt.info.state, 'queued');
  assert.ok(Math.abs(receipt.info.nextTickAt - Date.now()) < 3_600_000, `${receipt.info.nextTickAt}`);
});

test('names and values may be pairs, an object, a Map or Headers', async () => {
  const headers = { 'X-Freshchat-Signature': 'AAAA' };
  for (const form of [headers, Object.entries(headers), new Map(Object.entries(headers)), new Headers(headers), { ...headers, cookie: ['a', 'b'], none: undefined }]) {
    const error = await errorOf(freshworks.onWebhook(settings, { headers: form, body: '{}' }));
    assert.equal(error.kind, 'invalid-signature');
  }
});

test('a body of 256 KiB is read, and one that begins with a byte order mark', async () => {
  const bodies = [Buffer.alloc(256 * 1024, ' '), 'é'.repeat(128 * 1024), Buffer.from('\ufeff{}')];
  for (const body of bodies) {
    assert.deepEqual(await freshworks.peek(body), []);
    assert.equal((await errorOf(freshworks.onWebhook(settings, { headers: {}, body }))).kind, 'invalid-signature');
  }
});

test('settings may be an object or their text', async () => {
  for (const form of [given, JSON.stringify(given)]) assert.equal((await freshworks.connect(form)).connected, true);
});

test('a wrong shape is a TypeError that names the path and does not show the value', async () => {
  const message = says('1', 'secret text');
  const request = handoffRequest();
  const endless = { *[Symbol.iterator]() { for (;;) yield 'a'; } };
  const cyclic = { ...given };
  cyclic.itself = cyclic;
  for (const [call, path] of [
    [() => freshworks.handoff(), 'settings: expected an object, or its JSON text, got nothing'],
    [() => freshworks.connect(new Map(Object.entries(given))), 'settings: expected an object, or its JSON text, got a Map'],
    [() => freshworks.connect(cyclic), 'settings: expected what JSON can hold: no cycles, no BigInt'],
    [() => freshworks.connect({ ...given, at: 1n }), 'settings: expected what JSON can hold: no cycles, no BigInt'],
    [() => freshworks.connect({ toJSON() {} }), 'settings: expected what JSON can hold: no cycles, no BigInt'],
    [() => freshworks.connect({ get api_key() { throw new Error('secret text'); } }), /^settings: expected what JSON can hold/],
    [() => freshworks.handoff(settings), 'request: expected an object, got nothing'],
    [() => freshworks.handoff(settings, {}), 'request.key: expected an object, got nothing'],
    [() => freshworks.handoff(settings, { ...request, mode: 'secret text' }), "request.mode: expected one of 'automatic', 'live', 'ticket', got another text"],
    [() => freshworks.handoff(settings, { ...request, history: [{ ...message, sentAt: new Date() }] }), 'request.history[0].sentAt: expected a whole number from 0 to 9007199254740991, got a Date'],
    [() => freshworks.handoff(settings, { ...request, history: [, message] }), 'request.history[0]: expected an object, got nothing'],
    [() => freshworks.handoff(settings, { ...request, history: new Array(2 ** 32 - 1) }), 'request.history[0]: expected an object, got nothing'],
    [() => freshworks.handoff(settings, { ...request, history: message }), 'request.history: expected an array, got another object'],
    [() => freshworks.handoff(settings, { ...request, reason_text: 'secret text' }), 'request.reason_text is not known to the contract: its name is `reasonText` in JavaScript'],
    [() => freshworks.handoff(settings, { ...request, 'secret text': 1 }), 'request: a field is not known to the contract'],
    [() => freshworks.handoff(settings, { ...request, user: { id: 7 } }), 'request.user.id: expected a string, got another number'],
    [() => freshworks.handoff(settings, { ...request, user: { id: '7', emailVerified: 'secret text' } }), 'request.user.emailVerified: expected true or false, got another text'],
    [() => freshworks.handoff(settings, { ...request, context: endless }), 'request.context[0]: expected a pair of texts, got another text'],
    [() => freshworks.handoff(settings, { ...request, context: [['a']] }), 'request.context[0]: expected a pair of texts, got an array'],
    [() => freshworks.relay(settings, undefined, message), /^session: expected /],
    [() => freshworks.relay(settings, 17, message), /^session: expected /],
    [() => freshworks.rate(settings, 'x', { id: '1', score: 1.5 }), /^(session|rating.score): expected /],
    [() => freshworks.peek(Buffer.from([0xff])), 'body: expected UTF-8. The body is not the vendor\'s: answer 400'],
    [() => freshworks.peek('é'.repeat(128 * 1024) + ' '), 'body: expected at most 262144 bytes. The vendor sends no more: answer 413'],
    [() => freshworks.onWebhook(settings, { headers: {}, body: Buffer.alloc(256 * 1024 + 1) }), 'delivery.body: expected at most 262144 bytes. The vendor sends no more: answer 413'],
    [() => freshworks.peek({}), /^body: expected the bytes of the request body/],
    [() => freshworks.tick(settings, 'x', Number.NaN), /^(session|now): expected /],
  ]) {
    const error = await errorOf(call());
    assert.ok(error instanceof TypeError, inspect(error));
    if (typeof path === 'string') assert.equal(error.message, path);
    else assert.match(error.message, path);
    assert.doesNotMatch(inspect(error), /secret text(?!\b.*\n.*at )/);
  }
});

/** How each kind comes about. The plugin can do everything that the contract names, and has no known bug: two kinds come from nowhere. */
const KINDS = {
  'invalid-settings': () => freshworks.handoff({ ...given, chat_url: 3 }, handoffRequest()),
  'invalid-request': () => freshworks.handoff(settings, handoffRequest({ user: { id: '' } })),
  unauthorized: () => freshworks.handoff({ ...given, api_key: 'wrong' }, handoffRequest()),
  'not-found': () => freshworks.handoff({ ...given, topics: ['Nowhere'] }, handoffRequest()),
  rejected: () => answering('/v2/users', { status: 400, body: '{"code":400,"status":"INVALID_VALUE","message":"no"}' }),
  'rate-limited': () => answering('/v2/users', { status: 429, headers: { 'retry-after': '7' } }),
  unavailable: () => freshworks.handoff({ ...given, test_origin: 'http://127.0.0.1:1' }, handoffRequest()),
  'outcome-unknown': () => answering('/v2/conversations', 'cut'),
  'needs-email': () =>
    freshworks.handoff(
      { ...given, ticket_domain: 'acme.freshdesk.com', ticket_api_key: account.ticketKey, test_ticket_origin: account.ticketOrigin },
      handoffRequest({ mode: 'ticket' }),
    ),
  'invalid-signature': () => freshworks.onWebhook(settings, { headers: {}, body: '{}' }),
  malformed: () => answering('/v2/channels', { status: 200, body: '<html>' }, 'GET'),
};

function answering(path, answer, method = 'POST') {
  door.answer = (request) => (request.method === method && request.path.startsWith(path) ? answer : undefined);
  return freshworks.handoff(given, handoffRequest());
}

for (const [kind, fail] of Object.entries(KINDS)) {
  test(`an error of the kind ${kind}`, async (t) => {
    tidy(t);
    const error = await errorOf(fail());
    assert.ok(error instanceof HandoffError && error instanceof Error, inspect(error));
    assert.equal(error.name, 'HandoffError');
    assert.equal(error.kind, kind, inspect(error));
    assert.match(error.message, new RegExp(`^${kind}`));
    if (kind === 'rate-limited') assert.equal(error.retryAfterMs, 7_000);
    if (kind === 'invalid-settings') assert.equal(error.field, 'settings.chat_url');
    if (kind === 'outcome-unknown') {
      assert.ok(error.retryAfterMs > 0 && error.log && error.session, inspect(error));
    }
  });
}

test('every kind of the contract is an error, those too that this plugin never has', () => {
  const all = types[types[errorRecord].fields.find(([name]) => name === 'kind')[1]].cases;
  const rest = all.filter((kind) => !(kind in KINDS));
  assert.deepEqual(rest, ['unsupported', 'internal']);
  for (const kind of rest) {
    const error = new HandoffError({ kind, message: 'what', line: `${kind}: what`, log: 'more' });
    assert.deepEqual([error.kind, error.message, error.log], [kind, `${kind}: what`, 'more']);
  }
});

test('a retry with the session of an error goes on from there', async (t) => {
  tidy(t);
  const request = handoffRequest();
  let cut = 1;
  door.answer = ({ method, path }) => (method === 'POST' && path === '/v2/conversations' && cut-- > 0 ? 'cut' : undefined);
  const error = await errorOf(freshworks.handoff(settings, request));
  assert.equal(error.kind, 'outcome-unknown');
  const receipt = await freshworks.handoff(settings, request, error.session);
  assert.equal(receipt.info.state, 'queued');
});

test('neither errors nor the connector show a secret, and a session is not printed', async (t) => {
  tidy(t);
  const { api_key: key } = given;
  const error = await errorOf(answering('/v2/conversations', 'cut'));
  for (const shown of [inspect(error, { depth: 9, showHidden: false }), JSON.stringify(error), `${error}`, inspect(freshworks, { depth: 9, showHidden: true })]) {
    assert.ok(!shown.includes(key), shown);
    assert.ok(!shown.includes(String(error.session)), shown);
    assert.ok(!shown.includes('Ana Silva'), shown);
  }
});

test('the package has a function for each of the contract, with names for stacks', () => {
  for (const name of Object.keys(functions)) assert.equal(freshworks[name].name, name);
  assert.match(contract, /^agent-handoff:connector\/connector@\d/);
});
