// What calls cost, one after the other in one thread. Printed by `cargo xtask node --figures`.
import { readFile } from 'node:fs/promises';
import { MessageChannel } from 'node:worker_threads';
import { Connector } from 'freshworks-handoff';
import { handoffRequest, says, simulator } from './support.mjs';

const CALLS = 200;

async function measure(name, call) {
  const times = [];
  for (let at = 0; at < CALLS; at += 1) {
    const start = performance.now();
    await call(at);
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  console.log(`${name.padEnd(28)} fastest ${times[0].toFixed(1)} ms, median ${times[CALLS / 2].toFixed(1)} ms`);
}

console.log(process.version);
const account = await simulator();
const freshworks = new Connector({ internal: [account.origin], limits: { workers: 1 } });
const { settings } = await freshworks.connect(account.settings);
let receipt;
const history = Array.from({ length: 20 }, (_, at) => says(`${at}`, 'Where is my parcel?'));
await measure('handoff, 20 messages', async () => (receipt = await freshworks.handoff(settings, handoffRequest({ history }))));
let { session } = receipt;
await measure('relay', async (at) => ({ session } = await freshworks.relay(settings, session, says(`m${at}`, 'Hello?'))));
console.log(`a session after ${CALLS} messages: ${session.length} bytes`);
const body = JSON.stringify({ action: 'message_create', data: { message: { conversation_id: receipt.info.conversationIds[0], text: '' } } });
const large = body.replace('""', `"${'x'.repeat(256 * 1024 - body.length)}"`);
const forged = { 'x-freshchat-signature': 'AAAA' };
for (const [name, bytes] of [['', Buffer.from(body)], [', body of 256 KiB', Buffer.from(large)]]) {
  await measure(`peek${name}`, () => freshworks.peek(bytes));
  await measure(`onWebhook, forged${name}`, () => freshworks.onWebhook(settings, { headers: forged, body: bytes }, session).catch(() => {}));
}
await freshworks.shutdown();

// The instance alone, as a worker makes it.
WebAssembly.promising ??= () => {
  throw undefined;
};
const folder = './node_modules/freshworks-handoff/';
const [{ instantiate }, { wasi }] = await Promise.all([import(`${folder}component/connector.js`), import(`${folder}src/wasi.js`)]);
const modules = {};
for (const name of ['connector.core.wasm', 'connector.core2.wasm', 'connector.core3.wasm']) {
  modules[name] = await WebAssembly.compile(await readFile(`${folder}component/${name}`));
}
const { port1 } = new MessageChannel();
const { imports } = wasi(port1, new Int32Array(new SharedArrayBuffer(16), 0, 2), Infinity);
await measure('a fresh instance', () => void instantiate((name) => modules[name], imports));
port1.close();
