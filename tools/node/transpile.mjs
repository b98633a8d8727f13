// Turns the plugin into core modules and the JavaScript around them: node transpile.mjs <plugin> <folder>
import { transpile, writeFiles } from '@bytecodealliance/jco-transpile';

const [plugin, outDir] = process.argv.slice(2);
const { files, imports } = await transpile(plugin, {
  name: 'connector',
  outDir,
  // One instance for each call, with imports of our own.
  instantiation: 'sync',
  wasiShim: false,
  nodejsCompat: false,
  noComponentErrorWrapping: true,
  minify: true,
});
const ours = ['wasi:http/outgoing-handler', 'wasi:http/types', 'wasi:io/error', 'wasi:io/poll', 'wasi:io/streams'];
const other = imports.filter((name) => !ours.includes(name));
if (other.length > 0) throw new Error(`the plugin imports what the package does not have: ${other.join(', ')}`);
// Its types know no documentation; those of the package are made from the contract.
await writeFiles(Object.fromEntries(Object.entries(files).filter(([name]) => !name.endsWith('.d.ts'))));
