import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CallError, Contract, Session, Settings, Update } from './contract.js';

export type * from './contract.js';

/** How a connector is set up. Everything may be left out. */
export interface Options {
  /**
   * Origins that may be reached although they are on this machine or in a private network, for example `http://127.0.0.1:8787` of a
   * simulator. Only what the operator says belongs here, and never what a tenant says. It opens nothing by itself: a call reaches the
   * origins that `describe` names for its settings, and of those the ones of the internet and these.
   */
  internal?: readonly string[];
  /**
   * Wildcards that may be reached by those whose settings name them, for example `https://*.files.example.com` when `file_hosts` holds
   * `*.files.example.com`. Without this, a wildcard in settings reaches nothing, and files go as links.
   */
  subdomains?: readonly string[];
  /**
   * Give the plugin the settings with their API keys, and let it write the `Authorization` header. Default: false. The keys then stay on
   * the main thread, which adds the header to requests to the origin that it belongs to.
   */
  keysInSandbox?: boolean;
  limits?: Limits;
}

/** The bounds of each call, and of the pool. */
export interface Limits {
  /** From the call to its result, in milliseconds, waiting for a thread included. Default: 60,000. */
  timeoutMs?: number;
  /** How long the plugin may compute, in milliseconds; waiting for answers does not count. Default: 5,000. */
  computeMs?: number;
  /** The plugin's memory, in bytes. Default: 64 MiB. */
  memoryBytes?: number;
  /** Calls that run at the same time: threads, of about 15 MB each. They are started as they are needed. Default: 16. */
  workers?: number;
  /** Calls that wait for a thread. One more fails with `busy`. Default: 1,000. */
  waiting?: number;
  /** HTTP requests of a call; one more is refused. Default: 1,000. */
  requests?: number;
  /** The body of one HTTP response, in bytes. Default: 16 MiB. */
  responseBytes?: number;
  /** The bodies of all requests and responses of a call, in bytes. Default: 512 MiB. */
  totalBytes?: number;
}

export interface Connector extends Contract {}

/**
 * The plugin, ready to be called: make one for the process. Each call gets a fresh instance in a thread of a pool, so that none blocks the
 * event loop and none sees what is another's.
 *
 * A call fails with a {@link HandoffError} when the plugin says so, with a {@link HostError} when it met a limit, and with a `TypeError`
 * that names the path of an argument which has the wrong shape. No message holds what people wrote, or a secret.
 */
export declare class Connector {
  constructor(options?: Options);
  /** Ends the threads and closes the connections. Calls under way fail with `closed`. A process may also simply end. */
  shutdown(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** An error of the contract: branch on `kind`. `message` says what, where and what to do, on one line. */
export declare class HandoffError extends Error {
  readonly name: 'HandoffError';
  readonly kind: CallError['kind'];
  readonly field: CallError['field'];
  readonly remedy: CallError['remedy'];
  readonly retryAfterMs: CallError['retryAfterMs'];
  readonly log: CallError['log'];
  /** Not shown by `console.log` and `JSON.stringify`: it holds the names of human agents. */
  readonly session: CallError['session'];
  toJSON(): object;
}

/**
 * Why the host ended a call:
 *
 * - `timeout`, `compute`, `memory`: it met the limit of this name.
 * - `trap`: the plugin was stopped by a fault of its own.
 * - `plugin`: its thread could not be started, or ended.
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
  /** The connection that the webhook is for, or how to tell it by the request: by its path, for example. */
  settings: Settings | ((request: IncomingMessage) => Settings | Promise<Settings>);
  /**
   * Where sessions are kept, by the ids of `SessionInfo.conversationIds`: a `Map`, or two functions around a table.
   *
   * With several tenants, look for the session among those of the tenant that `settings` finds by the same request, and nowhere else: an id
   * is what the sender says, and a signature proves only that the sender is that tenant's account.
   */
  sessions: {
    get(id: string, request: IncomingMessage): Session | undefined | null | Promise<Session | undefined | null>;
    set(id: string, session: Session, request: IncomingMessage): unknown;
  };
  /**
   * Acts on the events; answers the newest update where it has called more, such as `relay` or `close`. Then its session is kept, and only
   * then is the webhook acknowledged. When the promise is broken, the vendor sends the webhook again.
   */
  act(update: Update, request: IncomingMessage): Update | undefined | void | Promise<Update | undefined | void>;
}

/**
 * A listener for `http.createServer`, or a handler of a framework that has left the body alone (or has its bytes in `request.body`). It reads the
 * body, verifies it, and answers: 200 when `act` is done, 401 when it is not from the vendor, 413 when it is larger than 256 KiB, 503 when the
 * vendor should send it again.
 *
 * Webhooks of one conversation are handled one after the other within this listener. Other calls for the conversation must not overlap with
 * them: call from `act`, or hold a lock of your own around both.
 */
export declare function webhooks(
  connector: Connector,
  options: WebhookOptions,
): (request: IncomingMessage, response: ServerResponse) => Promise<void>;
