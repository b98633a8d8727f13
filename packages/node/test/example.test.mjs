// The published example, as somebody runs it who has installed the package.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, readFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import test from 'node:test';
import { simulator } from './support.mjs';

const example = await readFile('handoff.mjs', 'utf8');

/** What the account holds of its newest conversation. */
async function newest(account) {
  const { conversations } = await account.call('state');
  return conversations.at(-1);
}

async function until(found) {
  for (;;) {
    const it = await found();
    if (it) return it;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('the example runs the whole job against the simulator', { timeout: 120_000 }, async (t) => {
  const account = await simulator();
  await copyFile(join(account.folder, 'settings.json'), 'settings.json');
  // A port that was free a moment ago.
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await account.call('webhook', { url: `http://127.0.0.1:${port}/` });
  const child = spawn(process.execPath, ['handoff.mjs'], { env: { ...process.env, PORT: port }, stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill());
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();

  const { id } = await until(() => newest(account));
  await account.reply(id, 'Hello Ana, I am looking into it.');
  assert.equal((await lines.next()).value, 'Maya Chen: Hello Ana, I am looking into it.');
  const end = await until(async () => {
    const it = await newest(account);
    return it.status === 'resolved' && it;
  });
  assert.ok(JSON.stringify(end).includes('Thank you!'), JSON.stringify(end));

  // What is not from Freshworks is dropped, and what is too large is not looked at.
  const post = async (body) => {
    const sent = request({ port, method: 'POST' });
    sent.end(body);
    const [response] = await once(sent, 'response');
    response.resume();
    return response.statusCode;
  };
  assert.deepEqual([await post('{}'), await post('x'.repeat(256 * 1024 + 1))], [401, 413]);
});

test('an embedder writes at most 25 lines', () => {
  const lines = example.split('\n').filter((line) => line.trim() !== '' && !line.trim().startsWith('//'));
  assert.ok(lines.length <= 25, `${lines.length}`);
});

test('the types hold under tsc --strict', { timeout: 300_000 }, async () => {
  const modules = join(process.env.TOOLS, 'node_modules');
  const options = ['--noEmit', '--strict', '--allowJs', '--checkJs', '--target', 'es2022', '--module', 'nodenext', '--types', 'node'];
  const child = spawn(process.execPath, [join(modules, 'typescript/bin/tsc'), ...options, '--typeRoots', join(modules, '@types'), 'handoff.mjs', 'types.mts']);
  const [printed, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  assert.deepEqual([printed, code], ['', 0]);
});

test('the documentation of the contract is in the types', async () => {
  const types = await readFile('node_modules/freshworks-handoff/src/contract.d.ts', 'utf8');
  const members = [...types.matchAll(/^ {2}\w+\(.*\): Promise</gm)].length;
  assert.ok(members >= 12, `${members}`);
  for (const [said] of types.matchAll(/^(.*)\n {2}\w+\(.*\): Promise</gm)) assert.match(said, /^ {3}\*\/\n/, said);
});
