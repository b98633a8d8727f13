/**
 * Webhooks of the vendor, from the request to the answer: for `node:http` and what is built on it.
 */
import { isUtf8 } from 'node:buffer';
import { Connector } from './connector.js';
import { HandoffError } from './errors.js';

/** The contract's limit of a body. */
const MOST_BYTES = 256 * 1024;

export function webhooks(connector, { settings, sessions, act } = {}) {
  if (!(connector instanceof Connector)) throw new TypeError('connector: expected a Connector');
  if (settings === undefined) throw new TypeError('options.settings: expected settings, or a function that finds them');
  for (const name of ['get', 'set']) {
    if (typeof sessions?.[name] !== 'function') throw new TypeError(`options.sessions.${name}: expected a function`);
  }
  if (typeof act !== 'function') throw new TypeError('options.act: expected a function');

  /** Deliveries of one conversation come one after the other, whichever of its ids they name. */
  const turns = new Map();

  async function inTurn(ids, work) {
    const before = ids.map((id) => turns.get(id));
    const turn = (async () => {
      await Promise.allSettled(before);
      return work();
    })();
    for (const id of ids) turns.set(id, turn);
    try {
      return await turn;
    } finally {
      for (const id of ids) if (turns.get(id) === turn) turns.delete(id);
    }
  }

  async function find(ids, request) {
    for (const id of ids) {
      const session = await sessions.get(id, request);
      if (session !== undefined && session !== null) return session;
    }
    return undefined;
  }

  async function status(request) {
    let bytes;
    try {
      bytes = await read(request);
    } catch {
      // The sender has gone in the middle of the body, or a framework has taken the stream. Nobody hears it, perhaps.
      return 400;
    }
    if (!bytes) return 413;
    // The signature is that of the bytes, and what is not UTF-8 has none.
    if (!isUtf8(bytes)) return 400;
    const body = bytes.toString();
    try {
      const [connection, ids] = await Promise.all([
        typeof settings === 'function' ? settings(request) : settings,
        connector.peek(body),
      ]);
      await inTurn(ids, async () => {
        const session = await find(ids, request);
        const update = await connector.onWebhook(connection, { headers: request.headers, body }, session);
        // What was called meanwhile moved the session on.
        const last = (await act(update, request)) ?? update;
        if (last.session === undefined) return;
        for (const id of last.info.conversationIds) await sessions.set(id, last.session, request);
      });
      return 200;
    } catch (error) {
      // What is not from the vendor is dropped; everything else the vendor sends again.
      return error instanceof HandoffError && error.kind === 'invalid-signature' ? 401 : 503;
    }
  }

  return async (request, response) => {
    response.statusCode = request.method === 'POST' ? await status(request) : 405;
    response.end();
  };
}

/** The body, or nothing when it is too large. A framework may have read it already. */
async function read(request) {
  if (request.body instanceof Uint8Array) return request.body.length > MOST_BYTES ? undefined : Buffer.from(request.body);
  const pieces = [];
  let size = 0;
  for await (const piece of request) {
    size += piece.length;
    // The rest is read, so that the answer arrives.
    if (size <= MOST_BYTES) pieces.push(piece);
  }
  return size > MOST_BYTES ? undefined : Buffer.concat(pieces);
}
