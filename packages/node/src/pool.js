/**
 * Threads that run the plugin, so that no call blocks the event loop. A thread runs one call at a time. The pool starts threads while calls
 * wait, up to a limit, ends idle ones after a while, and terminates a thread whose call exceeds a limit.
 */
import { MessageChannel, Worker } from 'node:worker_threads';
import { HandoffError, HostError } from './errors.js';

/** How long an idle thread is kept. */
const IDLE = 30_000;

const REPEAT = 'It may have done part of its work: wait some seconds, then repeat it with `retry` and the last stored session.';

export class Pool {
  #plugin;
  #contract;
  #network;
  #limits;
  #workers = new Set();
  #waiting = [];
  #closed = false;

  /** `plugin` is a promise for the compiled modules. */
  constructor(plugin, contract, network, limits) {
    this.#plugin = plugin;
    this.#contract = contract;
    this.#network = network;
    this.#limits = limits;
  }

  /** Runs one call; settles within the time limit. */
  run(name, args, result, access) {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(closed());
      if (this.#waiting.length >= this.#limits.waiting) {
        return reject(new HostError('busy', `${this.#limits.waiting} calls wait already. Nothing was done: repeat it later.`));
      }
      const call = { name, args, result, access, resolve, reject, usage: { requests: 0, bytes: 0, underWay: new Set() } };
      call.deadline = setTimeout(() => this.#tooLate(call), this.#limits.timeoutMs);
      this.#waiting.push(call);
      return this.#next();
    });
  }

  /** Terminates all threads; running calls fail. */
  async close() {
    this.#closed = true;
    for (const call of this.#waiting.splice(0)) finish(call, () => call.reject(closed()));
    // Those under way may have sent something.
    await Promise.all([...this.#workers].map((worker) => worker.end(new HostError('closed', `The connector was shut down. ${REPEAT}`))));
    this.#network.destroy();
  }

  #next() {
    while (this.#waiting.length > 0) {
      const free = [...this.#workers].find((worker) => worker.isFree);
      if (free) free.take(this.#fairest());
      else {
        // One more thread for each waiting call.
        const starting = [...this.#workers].filter((worker) => worker.isStarting).length;
        if (starting < this.#waiting.length && this.#workers.size < this.#limits.workers) this.#start();
        return;
      }
    }
  }

  /**
   * The call to run next: the first of those whose connection has the fewest under way. A tenant whose account answers slowly waits for itself,
   * and not everybody for it.
   */
  #fairest() {
    const busy = new Map();
    for (const { access } of this.#workers) if (access) busy.set(access, (busy.get(access) ?? 0) + 1);
    let [best, least] = [0, Infinity];
    for (const [at, { access }] of this.#waiting.entries()) {
      const count = busy.get(access) ?? 0;
      if (count < least) [best, least] = [at, count];
      if (least === 0) break;
    }
    return this.#waiting.splice(best, 1)[0];
  }

  #start() {
    const worker = new Thread(this.#plugin, this.#contract, this.#network, this.#limits);
    this.#workers.add(worker);
    worker.onFree = () => this.#next();
    worker.onEnd = (error) => {
      this.#workers.delete(worker);
      // Otherwise the pool would restart a thread that cannot start, for ever.
      if (worker.isStarting) for (const call of this.#waiting.splice(0)) finish(call, () => call.reject(error));
      this.#next();
    };
    worker.start();
    this.#next();
  }

  #tooLate(call) {
    const { timeoutMs } = this.#limits;
    const at = this.#waiting.indexOf(call);
    if (at < 0) return call.thread.end(new HostError('timeout', `The call took longer than ${timeoutMs} ms. ${REPEAT}`));
    this.#waiting.splice(at, 1);
    const busy = new HostError('busy', `No thread was free for ${timeoutMs} ms. Nothing was done: repeat it later.`);
    return finish(call, () => call.reject(busy));
  }
}

function closed() {
  return new HostError('closed', 'The connector was shut down. Nothing was done.');
}

function finish(call, settle) {
  clearTimeout(call.deadline);
  for (const cut of call.usage.underWay) cut();
  settle();
}

class Thread {
  #plugin;
  #contract;
  #network;
  #limits;
  #worker;
  #port;
  #signal;
  #call;
  /** How many calls it has run. */
  #number = 0;
  #ended;
  #idle;
  /** Ends a call that computes for too long; waiting for responses does not count. */
  #computing;
  #slept;
  isStarting = true;

  constructor(plugin, contract, network, limits) {
    this.#plugin = plugin;
    this.#contract = contract;
    this.#network = network;
    this.#limits = limits;
  }

  get isFree() {
    return !this.isStarting && !this.#call && !this.#ended;
  }

  /** What the call under way may reach: the same object for the calls of one connection. */
  get access() {
    return this.#call?.access;
  }

  async start() {
    try {
      const modules = await this.#plugin;
      if (this.#ended) return;
      const { port1, port2 } = new MessageChannel();
      this.#port = port1;
      this.#signal = new Int32Array(new SharedArrayBuffer(16), 0, 2);
      this.#slept = new Float64Array(this.#signal.buffer, 8, 1);
      this.#worker = new Worker(new URL('./worker.js', import.meta.url), {
        workerData: { modules, network: port2, signal: this.#signal, contract: this.#contract, bodyBytes: this.#limits.totalBytes },
        transferList: [port2],
        resourceLimits: { maxOldGenerationSizeMb: Math.ceil(this.#limits.memoryBytes / (1 << 20)) + 64 },
        // The plugin must not see the environment, which may contain secrets.
        env: {},
        execArgv: [],
      });
    } catch (error) {
      this.#gone(new HostError('plugin', `The plugin cannot be started: ${error.message}`));
      return;
    }
    this.#port.on('message', (request) => this.#send(request));
    this.#worker.on('message', (message) => (message === 'ready' ? this.#ready() : this.#answer(message)));
    this.#worker.on('error', (error) => this.#gone(this.#failure(error)));
    this.#worker.on('exit', () => this.#gone(new HostError('plugin', `The plugin's thread has ended. ${REPEAT}`)));
  }

  take(call) {
    clearTimeout(this.#idle);
    this.#worker.ref();
    this.#port.ref();
    this.#call = call;
    call.thread = this;
    this.#compute();
    this.#number += 1;
    this.#worker.postMessage({ number: this.#number, name: call.name, args: call.args, result: call.result });
  }

  /** Terminates the thread; a running call fails with this error. */
  end(error) {
    this.#gone(error);
    return this.#worker?.terminate();
  }

  #ready() {
    this.isStarting = false;
    this.#rest();
  }

  #rest() {
    clearTimeout(this.#computing);
    // An idle thread does not keep the process alive.
    this.#worker.unref();
    this.#port.unref();
    this.#idle = setTimeout(() => this.end(), IDLE).unref();
    this.onFree();
  }

  #answer({ value, refused, stopped, memory }) {
    const call = this.#call;
    if (!call) return;
    this.#call = undefined;
    finish(call, () => {
      if (refused) call.reject(new HandoffError(refused));
      else if (stopped !== undefined) call.reject(this.#stopped(stopped, memory));
      else call.resolve(value);
    });
    this.#rest();
  }

  /** An instance is discarded after a trap; the thread is reused. */
  #stopped(text, memory) {
    const most = this.#limits.memoryBytes;
    // Running out of memory looks like a panic. Memory grows by doubling, so half of the limit is the best available sign.
    if (memory >= most / 2) return new HostError('memory', `The plugin needs more than its ${most} bytes of memory. ${REPEAT}`);
    return new HostError('trap', `The plugin was stopped: ${text}. ${REPEAT}`);
  }

  #failure(error) {
    if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') {
      return new HostError('memory', `The plugin's thread needs more than its memory. ${REPEAT}`);
    }
    return new HostError('plugin', `The plugin's thread failed: ${error.message}. ${REPEAT}`);
  }

  #gone(error) {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#idle);
    clearTimeout(this.#computing);
    this.#port?.close();
    const call = this.#call;
    this.#call = undefined;
    if (call) finish(call, () => call.reject(error));
    this.onEnd(error);
  }

  async #send({ id, call: number, ...request }) {
    const call = this.#call;
    // What a call left behind may arrive when the next one runs. It has no right to that one's credentials.
    if (!call || number !== this.#number) return;
    const answer = await this.#network.send(request, call.access, call.usage);
    if (this.#call !== call) return;
    this.#port.postMessage({ id, ...answer }, answer.body ? [answer.body.buffer] : []);
    Atomics.add(this.#signal, 0, 1);
    Atomics.notify(this.#signal, 0);
  }

  /** Judges by what the thread itself says about its sleep: a request that is pending does not mean that the plugin waits for it. */
  #compute() {
    const { computeMs } = this.#limits;
    const [since, slept] = [performance.now(), this.#slept[0]];
    const look = () => {
      const asleep = Atomics.load(this.#signal, 1) === 1;
      const left = computeMs - (performance.now() - since - (this.#slept[0] - slept));
      if (asleep) this.#computing = setTimeout(look, 50);
      else if (left > 0) this.#computing = setTimeout(look, Math.ceil(left));
      else this.end(new HostError('compute', `The plugin computed for more than ${computeMs} ms. ${REPEAT}`));
    };
    this.#computing = setTimeout(look, computeMs);
  }
}
