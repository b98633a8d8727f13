import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CallError, Contract, Session, Settings, Update } from './contract.js';

export type * from './contract.js';

/** Options of a connector, all optional. */
export interface Options {
  /**
   * Allowed origins on this machine or in a private network, for example a simulator's `http://127.0.0.1:8787`. Only for the operator's
   * input, never a tenant's. It does not open them to every call: a call reaches the origins that `describe` names for its settings, if
   * they are on the internet or listed here.
   */
  internal?: readonly string[];
  /**
   * Allowed wildcards, for connections whose settings name them, for example `https://*.files.example.com` when `file_hosts` contains
   * `*.files.example.com`. Without this, a wildcard in settings has no effect, and files are sent as links.
   */
  subdomains?: readonly string[];
  /**
   * Pass the API keys to the plugin, which then writes the `Authorization` header. Default: false: the keys stay on the main thread, which
   * adds the header to requests to the key's own origin.
   */
  keysInSandbox?: boolean;
  limits?: Limits;
}

/** The limits of each call, and of the pool. */
export interface Limits {
  /** From the call to its result, in milliseconds, including the wait for a thread. Default: 60,000. */
  timeoutMs?: number;
  /** How long the plugin may compute, in milliseconds; waiting for responses does not count. Default: 5,000. */
  computeMs?: number;
  /** The plugin's memory, in bytes. Default: 64 MiB. */
  memoryBytes?: number;
  /** Calls that run at once. Each needs a thread of about 15 MB, started on demand. Default: 16. */
  workers?: number;
  /** Calls that wait for a thread; further calls fail with `busy`. Default: 1,000. */
  waiting?: number;
  /** HTTP requests of a call; further requests are refused. Default: 1,000. */
  requests?: number;
  /** The body of one HTTP response, in bytes. Default: 16 MiB. */
  responseBytes?: number;
  /** The bodies of all requests and responses of a call, in bytes. Default: 512 MiB. */
  totalBytes?: number;
}

export interface Connector extends Contract {}

/**
 * The plugin: create one per process. Each call gets a fresh instance in a thread of a pool, so no call blocks the event loop or sees
 * another call's data.
 *
 * A call fails with a {@link HandoffError} from the plugin, a {@link HostError} at a limit, or a `TypeError` that names the path of an
 * argument with the wrong shape. No error contains message text or a secret.
 */
export declare class Connector {
  constructor(options?: Options);
  /** Ends the threads and closes the connections. Running calls fail with `closed`. Optional: a process may simply exit. */
  shutdown(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** An error of the contract: branch on `kind`. `message` is one line with kind, field, message and remedy. */
export declare class HandoffError extends Error {
  readonly name: 'HandoffError';
  readonly kind: CallError['kind'];
  readonly field: CallError['field'];
  readonly remedy: CallError['remedy'];
  readonly retryAfterMs: CallError['retryAfterMs'];
  readonly log: CallError['log'];
  /** Hidden from `console.log` and `JSON.stringify`: it contains the names of human agents. */
  readonly session: CallError['session'];
  toJSON(): object;
}

/**
 * Why the host ended a call:
 *
 * - `timeout`, `compute`, `memory`: the call exceeded this limit.
 * - `trap`: the plugin crashed.
 * - `plugin`: the thread did not start, or ended.
 * - `busy`: no thread was free. Nothing was done.
 * - `closed`: the connector was shut down.
 */
export type HostErrorCode = 'timeout' | 'compute' | 'memory' | 'trap' | 'plugin' | 'busy' | 'closed';

/**
 * The host could not finish a call. Unless the code is `busy`, the call may have done part of its work: wait some seconds, then repeat it with
 * `retry` and the last stored session.
 */
export declare class HostError extends Error {
  readonly name: 'HostError';
  readonly code: HostErrorCode;
  toJSON(): object;
}

/** What {@link webhooks} does with a webhook. */
export interface WebhookOptions {
  /** The settings of the webhook's connection, or a function that finds them by the request, for example by its path. */
  settings: Settings | ((request: IncomingMessage) => Settings | Promise<Settings>);
  /**
   * Where sessions are stored, by the ids of `SessionInfo.conversationIds`: a `Map`, or two functions around a table.
   *
   * With several tenants, look only among the sessions of the tenant that `settings` finds by the same request: the sender chooses the id,
   * and a signature proves only that the sender is that tenant's account.
   */
  sessions: {
    get(id: string, request: IncomingMessage): Session | undefined | null | Promise<Session | undefined | null>;
    set(id: string, session: Session, request: IncomingMessage): unknown;
  };
  /**
   * Acts on the events. If it makes further calls, such as `relay` or `close`, it returns the newest update. Its session is stored before
   * the webhook is acknowledged. If the promise rejects, the vendor sends the webhook again.
   */
  act(update: Update, request: IncomingMessage): Update | undefined | void | Promise<Update | undefined | void>;
}

/**
 * A listener for `http.createServer`, or a handler for a framework that does not parse the body (or provides its bytes in `request.body`). It
 * reads and verifies the body, and answers 200 when `act` has finished, 400 when the body is not UTF-8, 401 when it is not from the vendor,
 * 405 to other methods than POST, 413 when it is larger than 256 KiB, and 503 when the vendor should send it again.
 *
 * The listener handles webhooks of one conversation one at a time. Other calls for the conversation must not overlap with them: make them in
 * `act`, or hold a lock of your own around both.
 */
export declare function webhooks(
  connector: Connector,
  options: WebhookOptions,
): (request: IncomingMessage, response: ServerResponse) => Promise<void>;
