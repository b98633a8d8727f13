// @ts-check
// A whole handoff: connect, hand over, get an answer, relay one, close. `settings.json` comes from the simulator; see docs/embed-node.md.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { Connector, webhooks } from 'freshworks-handoff';

const sessions = new Map(); // yours: a table, by the ids of the conversation
const typed = JSON.parse(await readFile('settings.json', 'utf8'));
const freshworks = new Connector({ internal: [typed.test_origin].filter(Boolean) });

// The admin presses Connect: keep the settings that come back.
const { connected, findings, settings } = await freshworks.connect(typed);
if (!connected) throw new Error(JSON.stringify(findings));

// Freshworks calls your webhook URL: act on the events.
async function act(/** @type {import('freshworks-handoff').Update} */ { events, session }) {
  const answer = events.find(({ kind }) => kind === 'agent-message');
  if (!answer || !session) return undefined;
  console.log(`${answer.agent?.name}: ${answer.message?.parts[0]?.text}`);
  // The end user writes back, and leaves.
  const { session: next } = await freshworks.relay(settings, session, {
    id: '2', sender: { role: 'end-user' }, sentAt: Date.now(), parts: [{ kind: 'text', text: 'Thank you!' }],
  });
  return freshworks.close(settings, next, 'user-left');
}
createServer(webhooks(freshworks, { settings, sessions, act })).listen(process.env.PORT ?? 3000);

// The AI agent is stuck: hand over, and keep the session.
const { session, info } = await freshworks.handoff(settings, {
  key: { application: 'app-1', channel: 'channel-7', conversation: '42' }, user: { id: 'user-1', name: 'Ana Silva' },
  mode: 'live', reason: 'user-asked', summary: 'Her parcel is late.',
  history: [{ id: '1', sender: { role: 'end-user' }, sentAt: Date.now(), parts: [{ kind: 'text', text: 'Where is my parcel?' }] }],
});
for (const id of info.conversationIds) sessions.set(id, session);
