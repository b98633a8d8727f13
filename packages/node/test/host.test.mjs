// What the host sees to: threads, limits, the network.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import dns from 'node:dns';
import { readFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { text } from 'node:stream/consumers';
import test from 'node:test';
import { inspect } from 'node:util';
import { MessagePort, Worker } from 'node:worker_threads';
import { Connector, HostError } from 'freshworks-handoff';
import { internalOrigin, isPublic, parseOrigin, publicOrigin } from './node_modules/freshworks-handoff/src/allow.js';
import { Network } from './node_modules/freshworks-handoff/src/network.js';
import { Tenants } from './node_modules/freshworks-handoff/src/tenants.js';
import { doorTo, errorOf, handoffRequest, says, server, simulator } from './support.mjs';

const account = await simulator();
const door = await doorTo(account);
const internal = [account.origin, door.origin];
const freshworks = new Connector({ internal });
const { settings } = await freshworks.connect({ ...door.settings, retry_budget_ms: 0 });
const tidy = (t) => t.after(() => (door.answer = () => undefined));

/** A connector of one test. */
function connector(t, options) {
  const one = new Connector({ internal, ...options });
  t.after(() => one.shutdown());
  return one;
}

test('a slow answer does not block the event loop', async (t) => {
  tidy(t);
  let open;
  const opened = new Promise((resolve) => (open = resolve));
  door.answer = () => opened.then(() => undefined);
  let settled = false;
  const call = freshworks.handoff(settings, handoffRequest()).finally(() => (settled = true));
  // These turns are taken while the plugin waits.
  for (let turns = 0; turns < 50; turns += 1) await new Promise((resolve) => setTimeout(resolve, 1));
  assert.equal(settled, false);
  assert.ok(door.seen.length > 0);
  open();
  assert.equal((await call).info.state, 'queued');
});

test('a hundred calls at once all succeed, each with a conversation of its own', async () => {
  const receipts = await Promise.all(Array.from({ length: 100 }, () => freshworks.handoff(settings, handoffRequest())));
  assert.equal(new Set(receipts.map(({ info }) => info.conversationIds[0])).size, 100);
});

test('a call beyond its time is ended, and the next one works', async (t) => {
  tidy(t);
  const hasty = connector(t, { limits: { timeoutMs: 1_500, workers: 1 } });
  await hasty.describe();
  door.answer = () => 'hang';
  const error = await errorOf(hasty.handoff(settings, handoffRequest()));
  assert.ok(error instanceof HostError && error instanceof Error, inspect(error));
  assert.equal(error.code, 'timeout');
  assert.match(error.message, /1500 ms.*`retry`/);
  door.answer = () => undefined;
  assert.equal((await hasty.describe(settings)).name, 'freshworks');
});

test('a plugin that computes for too long is ended, and waiting does not count', async (t) => {
  tidy(t);
  const hasty = connector(t, { limits: { computeMs: 250 } });
  door.answer = () => new Promise((resolve) => setTimeout(resolve, 400));
  assert.equal((await hasty.connect(settings)).connected, true);
  door.answer = () => undefined;
  const hastier = connector(t, { limits: { computeMs: 1 } });
  const history = Array.from({ length: 5_000 }, (_, at) => says(`${at}`, `Where is parcel ${at} of user@example.org? `.repeat(5)));
  const error = await errorOf(hastier.preview(settings, handoffRequest({ history })));
  assert.equal(error.code, 'compute', inspect(error));
});

test('a plugin that needs more than its memory is ended', async (t) => {
  const small = connector(t, { limits: { memoryBytes: 4 << 20 } });
  assert.equal((await small.describe()).name, 'freshworks');
  const history = [says('1', 'a'.repeat(2_000_000))];
  const error = await errorOf(small.handoff(settings, handoffRequest({ history })));
  assert.equal(error.code, 'memory', inspect(error));
});

test('more calls than may wait are refused at once, and nothing is done', async (t) => {
  tidy(t);
  const narrow = connector(t, { limits: { workers: 1, waiting: 1 } });
  await narrow.connect(settings);
  let open;
  const opened = new Promise((resolve) => (open = resolve));
  door.answer = () => opened.then(() => undefined);
  const slow = narrow.handoff(settings, handoffRequest());
  while (door.seen.at(-1)?.path.startsWith('/v2/users') !== true) await new Promise((resolve) => setTimeout(resolve, 1));
  const waits = narrow.describe();
  assert.equal((await errorOf(narrow.describe())).code, 'busy');
  open();
  await slow;
  await waits;
});

test('a tenant whose account answers slowly does not keep the others waiting', async (t) => {
  tidy(t);
  const two = connector(t, { limits: { workers: 2 } });
  const [slow, quick] = [{ ...JSON.parse(settings), retry_budget_ms: 1 }, JSON.parse(settings)].map((one) => JSON.stringify(one));
  const open = [];
  await Promise.all([two.describe(slow), two.describe(quick)]);
  const ended = [];
  door.answer = () => (open.length < 2 ? new Promise((resolve) => open.push(resolve)) : undefined);
  const calls = Array.from({ length: 8 }, () => two.connect(slow).then(() => ended.push('slow')));
  while (open.length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
  calls.push(two.connect(quick).then(() => ended.push('quick')));
  await new Promise(setImmediate);
  // One thread gets free: the quick call is next, whoever came before.
  open[0]();
  await calls.at(-1);
  assert.ok(ended.length <= 2, `${ended}`);
  open[1]();
  await Promise.all(calls);
});

test('calls fail after shutdown, and those under way at it', async (t) => {
  tidy(t);
  const one = new Connector({ internal });
  await one.describe();
  door.answer = () => 'hang';
  const underWay = errorOf(one.connect(settings));
  while (door.seen.at(-1)?.headers === undefined) await new Promise((resolve) => setTimeout(resolve, 1));
  await one.shutdown();
  const ended = await underWay;
  assert.equal(ended.code, 'closed');
  assert.match(ended.message, /may have done part.*`retry`/);
  const late = await errorOf(one.describe());
  assert.equal(late.code, 'closed');
  assert.match(late.message, /Nothing was done/);
});

test('a process ends by itself when nothing is left to do', async () => {
  const script = `import { Connector } from 'freshworks-handoff';
    const one = new Connector({ internal: ['${account.origin}'] });
    console.log((await one.connect(${JSON.stringify(account.settings)})).connected);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: ['ignore', 'pipe', 'inherit'], timeout: 60_000 });
  const [printed, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  assert.deepEqual([printed, code], ['true\n', 0]);
});

test('an origin that nobody allows is not reached, and the finding says what to do', async (t) => {
  const fenced = connector(t, { internal: [] });
  const before = door.seen.length;
  const { connected, findings } = await fenced.connect(door.settings);
  assert.equal(connected, false);
  const finding = findings.find(({ code }) => code === 'host-not-allowed');
  assert.match(finding.remedy, /Allow the hosts/);
  assert.equal(door.seen.length, before);
});

test('an internal origin is reached by those alone whose settings name it', async (t) => {
  const other = await doorTo(account);
  const both = connector(t, { internal: [door.origin, other.origin] });
  await both.connect(door.settings);
  assert.equal(other.seen.length, 0);
});

test('hosts of the internet are told from internal ones as in the list of the repository', async () => {
  let seen = 0;
  for (const line of (await readFile('hosts.txt', 'utf8')).split('\n')) {
    const [kind, host] = line.split(' ');
    if (kind !== 'internal' && kind !== 'internet') continue;
    const isInternet = (() => {
      try {
        return Boolean(publicOrigin(`https://${host}`));
      } catch {
        return false;
      }
    })();
    // Names without a dot, and endings of networks, lead nowhere or to an internal address: those are looked at when they are resolved.
    const isName = /[a-z]/i.test(host) && !host.startsWith('[') && !/(^|\.)(0x[0-9a-f]*|localhost)\.?$/i.test(host);
    if (kind === 'internet' || !isName) assert.equal(isInternet, kind === 'internet', host);
    seen += 1;
  }
  assert.ok(seen > 100, `${seen}`);
});

test('origins are read strictly', () => {
  for (const bad of ['https://a.example/x', 'https://*.a.example', 'https://me@a.example', 'a.example', 'ftp://a.example', 'https://a.example:99999', 'https://', 'http://10.0.0.1', 'http://a.example']) {
    assert.throws(() => internalOrigin(bad), bad);
    assert.throws(() => new Connector({ internal: [bad] }), /^TypeError: options.internal\[0\]: /);
  }
  assert.equal(internalOrigin('HTTPS://Desk.Example/').key, 'https://desk.example:443');
  assert.throws(() => new Connector({ limits: { timeoutMS: 1 } }), /^TypeError: options.limits.timeoutMS is not known$/);
  for (const [name, bad] of [['timeoutMs', 0], ['timeoutMs', 2 ** 31], ['computeMs', Infinity], ['memoryBytes', 2 ** 32 + 1], ['workers', 1.5], ['toString', 1]]) {
    assert.throws(() => new Connector({ limits: { [name]: bad } }), new RegExp(`^TypeError: options.limits.${name}`), `${name} ${bad}`);
  }
});

test('a wildcard is reached when both the settings and the operator name it', async () => {
  const describe = async (settings) =>
    settings === undefined
      ? { settingsSchema: '{"properties":{}}' }
      : { outbound: [{ origin: 'https://*.files.example' }, { origin: 'https://*.other.example' }] };
  const { access } = await new Tenants(describe, { internal: [], subdomains: ['files.example', 'third.example'], keysInside: false }).of('{}');
  const may = (text) => access.rule(parseOrigin(text)) !== undefined;
  for (const reached of ['https://a.files.example', 'https://A.B.files.example:443']) assert.ok(may(reached), reached);
  for (const fenced of ['https://files.example', 'https://.files.example', 'https://evilfiles.example', 'http://a.files.example', 'https://a.files.example:444', 'https://a.other.example', 'https://a.third.example']) {
    assert.ok(!may(fenced), fenced);
  }
  for (const wide of ['https://*.com', 'https://*', 'http://*.a.example', 'https://*.0.0.1', '*.a.example']) {
    assert.throws(() => new Connector({ subdomains: [wide] }), /^TypeError: options.subdomains\[0\]: /, wide);
  }
});

test('a name that leads to a private address is not connected to', async (t) => {
  const { lookup } = dns;
  t.after(() => {
    dns.lookup = lookup;
    syncBuiltinESMExports();
  });
  const { port } = new URL(door.origin);
  dns.lookup = (name, options, done) => done(null, [{ address: '127.0.0.1', family: 4 }, { address: 'fd00::1', family: 6 }]);
  syncBuiltinESMExports();
  const network = new Network({ requests: 9, responseBytes: 1e6, totalBytes: 1e6 });
  const send = (internal) => {
    const access = { rule: () => ({ internal, headers: [] }) };
    const usage = { requests: 0, bytes: 0, underWay: new Set() };
    return network.send({ method: 'GET', scheme: 'http', authority: `acme.example:${port}`, path: '/', headers: [], body: new Uint8Array(), timeouts: {} }, access, usage);
  };
  const before = door.seen.length;
  assert.deepEqual(await send(false), { error: { tag: 'destination-IP-prohibited' } });
  assert.equal(door.seen.length, before);
  // The door itself is fine.
  assert.equal((await send(true)).error, undefined);
  network.destroy();
  assert.ok(isPublic('8.8.8.8') && !isPublic('::ffff:10.0.0.1') && !isPublic('fe80::1%eth0') && !isPublic('2001:4860::1%1'));
});

test('redirects are not followed', async (t) => {
  tidy(t);
  const elsewhere = await doorTo(account);
  door.answer = ({ path }) => ({ status: 302, headers: { location: elsewhere.origin + path } });
  const both = connector(t, { internal: [door.origin, elsewhere.origin] });
  await both.connect(settings);
  assert.equal(elsewhere.seen.length, 0);
});

test('keys stay on the main thread, and the host adds them', async (t) => {
  const posted = [];
  for (const type of [Worker, MessagePort]) {
    const { postMessage } = type.prototype;
    type.prototype.postMessage = function (message, ...rest) {
      posted.push(inspect(message, { depth: 20, maxStringLength: null }));
      return postMessage.call(this, message, ...rest);
    };
    t.after(() => (type.prototype.postMessage = postMessage));
  }
  const key = account.settings.api_key;
  const one = connector(t);
  door.seen.length = 0;
  const connection = await one.connect(door.settings);
  assert.equal(connection.connected, true);
  assert.equal(JSON.parse(connection.settings).api_key, key);
  await one.handoff(connection.settings, handoffRequest());
  assert.ok(posted.some((message) => message.includes('Where is my parcel?')));
  assert.deepEqual(posted.filter((message) => message.includes(key)), []);
  assert.ok(door.seen.length > 3 && door.seen.every(({ headers }) => headers.authorization === `Bearer ${key}`));
  // The other way round, where it is asked for.
  await connector(t, { keysInSandbox: true }).connect(door.settings);
  assert.ok(posted.some((message) => message.includes(key)));
});

test('a missing key is named', async () => {
  const { api_key: _, ...rest } = door.settings;
  const error = await errorOf(freshworks.connect(rest));
  assert.deepEqual([error.kind, error.field], ['invalid-settings', 'settings.api_key']);
});

test('connections are kept for the calls that follow', async (t) => {
  const one = connector(t);
  await one.connect(settings);
  const { connections, seen } = { connections: door.connections, seen: door.seen.length };
  let { session } = await one.handoff(settings, handoffRequest());
  for (let at = 0; at < 5; at += 1) ({ session } = await one.relay(settings, session, says(`m${at}`, 'Hello?')));
  assert.ok(door.seen.length - seen >= 7, `${door.seen.length - seen}`);
  assert.ok(door.connections - connections <= 1, `${door.connections - connections} connections`);
});

test('an answer that is too large is cut, and too many requests are refused', async (t) => {
  const small = connector(t, { limits: { responseBytes: 10 } });
  assert.equal((await small.connect(settings)).connected, false);
  const few = connector(t, { limits: { requests: 1 } });
  const error = await errorOf(few.handoff(settings, handoffRequest()));
  assert.match(error.log, /denied/, inspect(error));
});

test('a file of the end user is fetched and uploaded', async (t) => {
  const files = await server((request, response) => response.writeHead(200, { 'content-type': 'text/plain' }).end('a bill of 3 EUR'));
  const host = new URL(files.origin).host;
  const one = connector(t, { internal: [...internal, files.origin] });
  const { settings: kept } = await one.connect({ ...door.settings, file_hosts: [host] });
  const { session } = await one.handoff(kept, handoffRequest());
  const part = { kind: 'file', url: `${files.origin}/bill.txt`, name: 'bill.txt', mediaType: 'text/plain' };
  const update = await one.relay(kept, session, { ...says('2', ''), parts: [part] });
  assert.deepEqual(update.findings, []);
  assert.ok(door.seen.some(({ path, body }) => path.startsWith('/v2/files') && body.includes('a bill of 3 EUR')));
});

test('the largest limits are limits', async (t) => {
  const patient = connector(t, { limits: { timeoutMs: 2 ** 31 - 1, computeMs: 2 ** 31 - 1, memoryBytes: 2 ** 32, workers: Number.MAX_SAFE_INTEGER } });
  assert.equal((await patient.describe()).name, 'freshworks');
});

test('a first call that fails does not spoil the next ones', async () => {
  let asked = 0;
  const describe = async () => {
    asked += 1;
    if (asked === 1) throw new HostError('busy', 'no thread');
    return { settingsSchema: '{"properties":{"key":{"writeOnly":true}}}', outbound: [] };
  };
  const tenants = new Tenants(describe, { internal: [], subdomains: [], keysInside: false });
  assert.equal((await errorOf(tenants.of('{"key":"a"}'))).code, 'busy');
  assert.deepEqual((await tenants.of('{"key":"a"}')).secrets, { key: 'a' });
});

test('a key that is no text is refused on the main thread', async () => {
  for (const key of [['s3cret'], 17, true, { key: 's3cret' }]) {
    const described = [];
    const describe = async (settings) => {
      described.push(settings);
      return { settingsSchema: '{"properties":{"api_key":{"writeOnly":true}}}', outbound: [] };
    };
    const error = await errorOf(new Tenants(describe, { internal: [], subdomains: [], keysInside: false }).of(JSON.stringify({ api_key: key })));
    assert.deepEqual([error.kind, error.field, described], ['invalid-settings', 'settings.api_key', [undefined]]);
  }
});
