/**
 * Hands an AI agent's conversation to human agents in Freshworks: the plugin in a pool of threads, behind functions that return promises.
 */
import { readFile } from 'node:fs/promises';
import { OriginError, internalOrigin } from './allow.js';
import { contract, functions } from './contract.js';
import { Network } from './network.js';
import { Pool } from './pool.js';
import { toPlugin } from './shape.js';
import { NOWHERE, Tenants } from './tenants.js';

/** The limits of a call and of the pool: those of the Rust host library. */
const LIMITS = {
  timeoutMs: 60_000,
  computeMs: 5_000,
  memoryBytes: 64 << 20,
  workers: 16,
  waiting: 1_000,
  requests: 1_000,
  responseBytes: 16 << 20,
  totalBytes: 512 << 20,
};

/** Timers wait no longer (25 days), and a memory of 32 bits has no more. Node would end a call with a longer time at once. */
const MOST = { timeoutMs: 2 ** 31 - 1, computeMs: 2 ** 31 - 1, memoryBytes: 2 ** 32 };

const PARTS = ['connector.core.wasm', 'connector.core2.wasm', 'connector.core3.wasm'];

export class Connector {
  #pool;
  #tenants;

  constructor(options = {}) {
    const { internal, subdomains, keysInside, limits } = checked(options);
    const plugin = compile(limits.memoryBytes);
    // The first call reports a failure.
    plugin.catch(() => {});
    this.#pool = new Pool(plugin, contract, new Network(limits), limits);
    const describe = (settings) => this.#run('describe', [settings], NOWHERE);
    this.#tenants = new Tenants(describe, { internal, subdomains, keysInside });
  }

  async #call(name, given) {
    const { params } = functions[name];
    const args = params.map(([param, shape], at) => toPlugin(shape, given[at], param));
    if (typeof args[0] !== 'string' || params[0][0] !== 'settings') return this.#run(name, args, NOWHERE);
    const { settings, secrets, access } = await this.#tenants.of(args[0]);
    const answer = await this.#run(name, [settings, ...args.slice(1)], access);
    // The caller stores complete settings, so add the keys that the plugin has not seen.
    if (name === 'connect') answer.settings = JSON.stringify({ ...JSON.parse(answer.settings), ...secrets });
    return answer;
  }

  #run(name, args, access) {
    return this.#pool.run(name, args, functions[name].result, access);
  }

  shutdown() {
    return this.#pool.close();
  }

  [Symbol.asyncDispose]() {
    return this.shutdown();
  }

  static {
    for (const name of Object.keys(functions)) {
      const call = function (...given) {
        return this.#call(name, given);
      };
      Object.defineProperty(this.prototype, name, { value: Object.defineProperty(call, 'name', { value: name }) });
    }
  }
}

/** The core modules of the component, compiled once for all threads. */
async function compile(memoryBytes) {
  const folder = new URL('../component/', import.meta.url);
  const modules = PARTS.map(async (name) => {
    const binary = limitMemory(await readFile(new URL(name, folder)), memoryBytes);
    return [name, await WebAssembly.compile(binary)];
  });
  return Object.fromEntries(await Promise.all(modules));
}

/** Sets the maximum of the memory in a module that defines one. */
function limitMemory(binary, bytes) {
  const read = (at) => {
    let [value, shift] = [0, 0];
    for (;;) {
      const byte = binary[at++];
      value |= (byte & 0x7f) << shift;
      shift += 7;
      if (byte < 0x80) return [value >>> 0, at];
    }
  };
  const written = (value) => (value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...written(value >>> 7)]);
  const [MEMORY, PAGE] = [5, 1 << 16];
  for (let at = 8; at < binary.length; ) {
    const [size, start] = read(at + 1);
    if (binary[at] !== MEMORY) {
      at = start + size;
      continue;
    }
    // One memory: flags and minimum stay, an existing maximum is replaced.
    const [, flags] = read(start);
    const [pages] = read(flags + 1);
    const limits = [1, 1, ...written(pages), ...written(Math.max(pages, Math.floor(bytes / PAGE)))];
    return Buffer.concat([binary.subarray(0, at), Buffer.from([MEMORY, ...written(limits.length), ...limits]), binary.subarray(start + size)]);
  }
  return binary;
}

/** Options with their defaults. Throws a `TypeError` that names what is wrong. */
function checked(options) {
  const { internal = [], subdomains = [], keysInSandbox = false, limits = {}, ...unknown } = options;
  const [name] = Object.keys(unknown);
  if (name) throw new TypeError(`options.${name} is not known`);
  if (!Array.isArray(internal)) throw new TypeError('options.internal: expected an array of origins');
  if (!Array.isArray(subdomains)) throw new TypeError('options.subdomains: expected an array of origins');
  const below = subdomains.map((text, at) => {
    // A last label of digits belongs to an address, and `*.com` would match almost everything.
    const [, host] = /^https:\/\/\*\.((?:[a-z0-9_-]+\.)+[a-z][a-z0-9-]*)$/i.exec(text) ?? [];
    if (!host) throw new TypeError(`options.subdomains[${at}]: expected an origin such as \`https://*.files.example.com\``);
    return host.toLowerCase();
  });
  if (typeof keysInSandbox !== 'boolean') throw new TypeError('options.keysInSandbox: expected true or false');
  for (const [name, value] of Object.entries(limits)) {
    if (!Object.hasOwn(LIMITS, name)) throw new TypeError(`options.limits.${name} is not known`);
    const most = MOST[name] ?? Number.MAX_SAFE_INTEGER;
    if (!Number.isSafeInteger(value) || value < 1 || value > most) {
      throw new TypeError(`options.limits.${name}: expected a whole number from 1 to ${most}`);
    }
  }
  const origins = internal.map((text, at) => {
    try {
      return internalOrigin(text);
    } catch (error) {
      if (!(error instanceof OriginError)) throw error;
      throw new TypeError(`options.internal[${at}]: ${error.message}`);
    }
  });
  return { internal: origins, subdomains: below, keysInside: keysInSandbox, limits: { ...LIMITS, ...limits } };
}
