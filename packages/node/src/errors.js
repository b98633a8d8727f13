/** Errors of calls. */

/**
 * An error of the contract, from the plugin. Branch on `kind`.
 */
export class HandoffError extends Error {
  constructor(record) {
    super(record.line ?? lineOf(record));
    this.kind = record.kind;
    this.field = record.field;
    this.remedy = record.remedy;
    this.retryAfterMs = record.retryAfterMs;
    this.log = record.log;
    // Up to 64 KiB, with the names of human agents: for the store, not for logs.
    Object.defineProperty(this, 'session', { value: record.session, enumerable: false });
  }

  /** For logs: everything except the session. */
  toJSON() {
    const { name, message, kind, field, remedy, retryAfterMs, log } = this;
    return { name, message, kind, field, remedy, retryAfterMs, log };
  }
}

/**
 * The host could not finish a call: a limit, or a bug. `code` says which. Unless it is `busy`, the call may have done part of its
 * work: wait some seconds, then repeat it with `retry` and the last stored session.
 */
export class HostError extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }

  toJSON() {
    const { name, message, code } = this;
    return { name, message, code };
  }
}

for (const type of [HandoffError, HostError]) {
  Object.defineProperty(type.prototype, 'name', { value: type.name, configurable: true, writable: true });
}

function lineOf({ kind, field, message, remedy }) {
  return `${kind}${field ? ` (${field})` : ''}: ${message}${remedy ? ` ${remedy}` : ''}`;
}
