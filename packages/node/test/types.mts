// Read by tsc alone: what must compile, and what must not.
import { Connector, HandoffError, HostError, webhooks, type ErrorKind, type Event, type Update } from 'freshworks-handoff';

const freshworks = new Connector({ internal: ['http://127.0.0.1:8787'], limits: { workers: 4 } });

export async function calls(): Promise<void> {
  const { settings, findings } = await freshworks.connect({ chat_url: 'acme.freshchat.com' });
  findings.map(({ level }) => level satisfies 'ok' | 'warning' | 'failure');
  const key = { application: 'a', channel: 'b', conversation: 'c' };
  const receipt = await freshworks.handoff(settings, { key, user: { id: '1' }, mode: 'automatic', reason: 'api' });
  const next: number | undefined = receipt.info.nextTickAt;
  const { session, info } = await freshworks.tick(settings, receipt.session, next);
  info.owner satisfies 'ai-agent' | 'human-agent';
  await freshworks.onWebhook(settings, { headers: new Headers(), body: new Uint8Array() }, session);
  // @ts-expect-error: no such mode
  await freshworks.handoff(settings, { key, user: { id: '1' }, mode: 'lives', reason: 'api' });
  // @ts-expect-error: the key is needed
  await freshworks.handoff(settings, { user: { id: '1' }, mode: 'live', reason: 'api' });
  // @ts-expect-error: numbers are no big ones
  await freshworks.tick(settings, session, 1n);
  // @ts-expect-error: an update may have no session
  await freshworks.tick(settings, (await freshworks.onWebhook(settings, { headers: {}, body: '' })).session);
}

export function errors(error: unknown): ErrorKind | string {
  if (error instanceof HandoffError) {
    const wait: number | undefined = error.retryAfterMs;
    return wait === undefined ? error.kind : `${error.kind} ${wait} ${error.session ?? ''}`;
  }
  return error instanceof HostError ? error.code : 'other';
}

export const listener = webhooks(freshworks, {
  settings: (request) => request.url ?? '',
  sessions: new Map(),
  act: async ({ events }: Update) => {
    events.map((event: Event) => event.at.toFixed());
  },
});
