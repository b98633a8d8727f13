/**
 * One thread of the pool: runs calls one after the other, each in a fresh instance of the plugin.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { error as errorRecord } from './contract.js';
import { fromPlugin } from './shape.js';
import { wasi } from './wasi.js';

// jco's code tests for this seven times per instance, by catching the error when it is missing, and V8 takes 7 ms to render each error.
// The stub is never called.
WebAssembly.promising ??= () => {
  throw undefined;
};
const { instantiate } = await import('../component/connector.js');

const { modules, network, signal, contract, bodyBytes } = workerData;
const { imports, begin } = wasi(network, signal, bodyBytes);

/** A fresh instance: its exports, and its memory. */
function fresh() {
  let memory;
  const instantiateCore = (module, imports) => {
    const instance = new WebAssembly.Instance(module, imports);
    memory ??= instance.exports.memory;
    return instance;
  };
  const connector = instantiate((name) => modules[name], imports, instantiateCore)[contract];
  return { connector, memory };
}

/** Why an instance stopped. Only the engine's own messages: those of the generated code may contain values. */
function reason(error) {
  const own = error instanceof WebAssembly.RuntimeError || error instanceof RangeError;
  return own ? error.message : error.name;
}

/** Created ahead of the next call. */
let next;

parentPort.on('message', ({ number, name, args, result }) => {
  begin(number);
  const { connector, memory } = next ?? fresh();
  next = undefined;
  let answer;
  try {
    answer = { value: fromPlugin(result, connector[name](...args)) };
  } catch (error) {
    // The generated code throws an error of the contract as its record.
    answer =
      error instanceof Error
        ? { stopped: reason(error), memory: memory?.buffer.byteLength ?? 0 }
        : { refused: fromPlugin(errorRecord, error) };
  }
  parentPort.postMessage(answer);
  setImmediate(() => (next ??= fresh()));
});
parentPort.postMessage('ready');
