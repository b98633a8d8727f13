// A plugin that has turned against the host: what it may do with the network, and to other calls.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import test from 'node:test';

/** Takes the place of the component: `settings.does` is what a call does, with `ask` to send a request. */
const HOSTILE = `
export function instantiate(module, imports) {
  const { Fields, OutgoingBody, OutgoingRequest } = imports['wasi:http/types'];
  const { handle } = imports['wasi:http/outgoing-handler'];
  const start = (authority, { method = { tag: 'get' }, path = '/', headers = [], body } = {}) => {
    const request = new OutgoingRequest(Fields.fromList(headers.map(([name, value]) => [name, Buffer.from(value)])));
    request.setMethod(method);
    request.setScheme({ tag: 'HTTP' });
    request.setAuthority(authority);
    request.setPathWithQuery(path);
    const out = request.body();
    if (body) out.write().write(Buffer.from(body));
    const future = handle(request, undefined);
    OutgoingBody.finish(out);
    return future;
  };
  const ask = (...given) => {
    const future = start(...given);
    future.subscribe().block();
    const { val: { tag, val } } = future.get();
    if (tag === 'err') return val.tag;
    const stream = val.consume().stream();
    let text = '';
    try {
      for (;;) text += Buffer.from(stream.read(1000n));
    } catch {}
    return val.status() + ' ' + text;
  };
  const connector = {
    describe(text) {
      const { host, key } = JSON.parse(text ?? '{}');
      const outbound = [{ origin: 'http://' + host, purpose: '', credential: 'Authorization: Bearer {api_key}' }];
      return { settingsSchema: '{"properties":{"api_key":{"writeOnly":true}}}', outbound: host ? outbound : [] };
    },
    connect(text) {
      const { host, does } = JSON.parse(text);
      const detail = String(new Function('host', 'ask', 'start', 'imports', does)(host, ask, start, imports));
      return { connected: true, findings: [{ detail }], settings: '{}' };
    },
  };
  return { 'CONTRACT': connector };
}`;

const stage = await mkdtemp('hostile-');
await cp('node_modules/freshworks-handoff', stage, { recursive: true });
const { contract } = await import(`./${stage}/src/contract.js`);
await writeFile(join(stage, 'component/connector.js'), HOSTILE.replace('CONTRACT', contract));
const { Connector } = await import(`./${stage}/src/index.js`);
test.after(() => rm(stage, { recursive: true }));

/** A server that keeps the bytes of each connection as they come, and answers each chunk with `answer`. */
async function bytes(t, answer = () => 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok') {
  const seen = [];
  const listening = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (piece) => {
      seen.push(piece.toString());
      const text = answer(piece.toString());
      if (text) socket.write(text);
    });
  }).listen(0, '127.0.0.1');
  await once(listening, 'listening');
  listening.unref();
  return { seen, host: `127.0.0.1:${listening.address().port}` };
}

/** What the plugin got by doing this. */
async function doing(t, host, does, options) {
  const one = new Connector({ internal: [`http://${host}`], ...options });
  t.after(() => one.shutdown());
  const { findings } = await one.connect({ host, api_key: 's3cret', does });
  return findings[0].detail;
}

const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n';

test('no request hides in the body of another', async (t) => {
  const { seen, host } = await bytes(t);
  for (const method of ['get', 'head', 'delete', 'options', 'post']) {
    seen.length = 0;
    await doing(t, host, `return ask(host, { method: { tag: '${method}' }, body: ${JSON.stringify(SMUGGLED)} })`);
    const [head] = seen.join('').split('\r\n\r\n');
    assert.match(head.toLowerCase(), new RegExp(`\r\ncontent-length: ${SMUGGLED.length}\r\n`), head);
  }
  seen.length = 0;
  for (const [name, value, error] of [
    ['content-length', '0', 'HTTP-request-body-size'],
    ['Content-Length', '1, 1', 'HTTP-request-body-size'],
    ['Transfer-Encoding', 'identity', 'HTTP-request-denied'],
    ['host', 'other.example', 'HTTP-request-denied'],
    ['connection', 'authorization', 'HTTP-request-denied'],
  ]) {
    const request = JSON.stringify({ method: { tag: 'post' }, headers: [[name, value]], body: SMUGGLED });
    assert.equal(await doing(t, host, `return ask(host, ${request})`), error, name);
  }
  assert.deepEqual(seen, []);
});

test('a method that shows the credentials, or opens a way to elsewhere, is not sent', async (t) => {
  const { seen, host } = await bytes(t);
  for (const method of [{ tag: 'trace' }, { tag: 'connect' }, { tag: 'other', val: 'TRACE' }, { tag: 'other', val: 'get' }]) {
    const got = await doing(t, host, `return ask(host, { method: ${JSON.stringify(method)} })`);
    assert.equal(got, 'HTTP-request-method-invalid');
  }
  assert.equal(await doing(t, host, `return ask(host, { path: 'http://other.example/' })`), 'HTTP-request-URI-invalid');
  assert.deepEqual(seen, []);
});

test('a server that switches to another protocol has broken off', async (t) => {
  const { host } = await bytes(t, () => 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n');
  assert.equal(await doing(t, host, 'return ask(host)', { limits: { timeoutMs: 20_000 } }), 'connection-terminated');
});

test('requests that a call leaves behind are not sent with the rights of the next one', async (t) => {
  const [mine, theirs] = [await bytes(t), await bytes(t)];
  const one = new Connector({ internal: [`http://${mine.host}`, `http://${theirs.host}`], limits: { workers: 1 } });
  t.after(() => one.shutdown());
  const leaves = { host: mine.host, api_key: 'mine', does: `for (let at = 0; at < 200; at += 1) start('${theirs.host}', { path: '/stray' })` };
  const next = { host: theirs.host, api_key: 'theirs', does: `return ask(host, { path: '/one' }) + ask(host, { path: '/two' })` };
  await Promise.all([one.connect(leaves), one.connect(next)]);
  // Both are described now: their calls follow each other at once.
  for (let at = 0; at < 10; at += 1) await Promise.all([leaves, next, leaves, next].map((given) => one.connect(given)));
  assert.equal(theirs.seen.filter((head) => head.startsWith('GET /two')).length, 21);
  assert.deepEqual(theirs.seen.filter((head) => head.includes('/stray')), []);
});

test('what a call writes into bodies is bounded', async (t) => {
  const { host } = await bytes(t);
  const writes = `const { OutgoingBody } = imports['wasi:http/types'];
    for (let at = 0; at < 100; at += 1) {
      try {
        OutgoingBody.new().write().HOW;
      } catch ({ tag }) {
        return at + ' ' + tag;
      }
    }`;
  for (const how of ['write(new Uint8Array(1000))', 'writeZeroes(1000n)', 'blockingWriteAndFlush(new Uint8Array(1000))']) {
    const got = await doing(t, host, writes.replace('HOW', how), { limits: { totalBytes: 10_000 } });
    assert.equal(got, '10 last-operation-failed');
  }
  // Each call has its own bound, and one that asks for all at once gets none.
  const got = await doing(t, host, writes.replace('HOW', 'writeZeroes(2n ** 63n)'));
  assert.equal(got, '0 last-operation-failed');
});

test('computing counts while a request is pending, too', async (t) => {
  const { host } = await bytes(t, () => '');
  const spins = 'start(host); for (const end = Date.now() + 30_000; Date.now() < end; );';
  await assert.rejects(doing(t, host, spins, { limits: { computeMs: 300, timeoutMs: 20_000 } }), { code: 'compute' });
});
