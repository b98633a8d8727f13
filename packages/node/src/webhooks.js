/**
 * Handles the vendor's webhooks, from request to response, for `node:http` and frameworks built on it.
 */
import { isUtf8 } from 'node:buffer';
import { Connector } from './connector.js';
import { HandoffError } from './errors.js';

/** The contract's limit for a body. */
const MOST_BYTES = 256 * 1024;

export function webhooks(connector, { settings, sessions, act } = {}) {
  if (!(connector instanceof Connector)) throw new TypeError('connector: expected a Connector');
  if (settings === undefined) throw new TypeError('options.settings: expected settings, or a function that finds them');
  for (const name of ['get', 'set']) {
    if (typeof sessions?.[name] !== 'function') throw new TypeError(`options.sessions.${name}: expected a function`);
  }
  if (typeof act !== 'function') throw new TypeError('options.act: expected a function');

  /** Handles deliveries of one conversation one at a time, whichever of its ids they name. */
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
    // The vendor signs UTF-8 bytes, so another body cannot be the vendor's.
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
        // Calls made by `act` return a newer session.
        const last = (await act(update, request)) ?? update;
        if (last.session === undefined) return;
        for (const id of last.info.conversationIds) await sessions.set(id, last.session, request);
      });
      return 200;
    } catch (error) {
      // Drop forged webhooks; the vendor sends everything else again.
      return error instanceof HandoffError && error.kind === 'invalid-signature' ? 401 : 503;
    }
  }

  return async (request, response) => {
    response.statusCode = request.method === 'POST' ? await status(request) : 405;
    response.end();
  };
}

/** The body, or undefined if it is too large. A framework may have read it already. */
async function read(request) {
  if (request.body instanceof Uint8Array) return request.body.length > MOST_BYTES ? undefined : Buffer.from(request.body);
  const pieces = [];
  let size = 0;
  for await (const piece of request) {
    size += piece.length;
    // Read the rest, so that the client receives the response.
    if (size <= MOST_BYTES) pieces.push(piece);
  }
  return size > MOST_BYTES ? undefined : Buffer.concat(pieces);
}
