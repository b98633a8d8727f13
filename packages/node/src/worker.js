/**
 * One thread of the pool: runs calls one after the other, each in a fresh instance of the plugin.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { error as errorRecord } from './contract.js';
import { fromPlugin } from './shape.js';
import { wasi } from './wasi.js';

// The generated code asks in every instance whether this is there, by catching the error when it is not. Rendering that error takes V8
// 7 ms, seven times. It is not called.
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

/** Why an instance was stopped. Only the engine's own words: those of the generated code may hold values. */
function reason(error) {
  const own = error instanceof WebAssembly.RuntimeError || error instanceof RangeError;
  return own ? error.message : error.name;
}

/** Made while nobody waits. */
let next;

parentPort.on('message', ({ number, name, args, result }) => {
  begin(number);
  const { connector, memory } = next ?? fresh();
  next = undefined;
  let answer;
  try {
    answer = { value: fromPlugin(result, connector[name](...args)) };
  } catch (error) {
    // An error of the contract is thrown as the record that it is.
    answer =
      error instanceof Error
        ? { stopped: reason(error), memory: memory?.buffer.byteLength ?? 0 }
        : { refused: fromPlugin(errorRecord, error) };
  }
  parentPort.postMessage(answer);
  setImmediate(() => (next ??= fresh()));
});
parentPort.postMessage('ready');
