/**
 * Converts values to and from the plugin's, by the contract's shapes: names the path of a wrong value, fills in what may be left out, and
 * uses plain numbers.
 */
import { types } from './contract.js';

const LIMITS = { u8: 0xff, u16: 0xffff, u32: 0xffff_ffff, u64: Number.MAX_SAFE_INTEGER };

/** The contract's limit of a body, in bytes. */
const MOST_BODY = 256 * 1024;

const toText = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Converts a value for the plugin. Throws a `TypeError` that names the path and never shows the value. */
export function toPlugin(shape, value, path) {
  if (Array.isArray(shape)) {
    const [of, inner] = shape;
    if (of === 'option') return value === undefined || value === null ? undefined : toPlugin(inner, value, path);
    if (value === undefined || value === null) return [];
    if (!Array.isArray(value)) throw wrong(path, 'an array', value);
    // `map` would skip what is missing in the middle.
    return Array.from(value, (item, index) => toPlugin(inner, item, `${path}[${index}]`));
  }
  switch (shape) {
    case 'string':
      if (typeof value !== 'string') throw wrong(path, 'a string', value);
      return value;
    case 'bool':
      if (value === undefined || value === null) return false;
      if (typeof value !== 'boolean') throw wrong(path, 'true or false', value);
      return value;
    case 'now':
      return toPlugin('u64', value ?? Date.now(), path);
    case 'u8':
    case 'u16':
    case 'u32':
    case 'u64':
      return integer(shape, value, path);
    case 'settings':
      return settings(value, path);
    case 'body':
      return body(value, path);
    case 'pairs':
      return pairs(value, path);
  }
  const { cases, fields } = types[shape];
  if (cases) {
    if (!cases.includes(value)) throw wrong(path, `one of ${cases.map((word) => `'${word}'`).join(', ')}`, value);
    return value;
  }
  return record(fields, value, path);
}

/** Converts a value from the plugin: numbers instead of BigInts, and no field for an empty option. */
export function fromPlugin(shape, value) {
  if (value === undefined) return undefined;
  if (Array.isArray(shape)) {
    const [of, inner] = shape;
    return of === 'option' ? fromPlugin(inner, value) : value.map((item) => fromPlugin(inner, item));
  }
  if (typeof value === 'bigint') return Number(value);
  const fields = types[shape]?.fields;
  if (!fields) return value;
  const record = {};
  for (const [name, inner] of fields) {
    const found = fromPlugin(inner, value[name]);
    if (found !== undefined) record[name] = found;
  }
  return record;
}

function record(fields, value, path) {
  if (value === undefined || value === null) {
    if (!fields.every(([, inner]) => isFilledIn(inner))) throw wrong(path, 'an object', value);
    value = {};
  }
  if (typeof value !== 'object' || Array.isArray(value)) throw wrong(path, 'an object', value);
  for (const name of Object.keys(value)) {
    if (fields.some(([known]) => known === name)) continue;
    const camel = name.replace(/[-_]+(\w)/g, (_, letter) => letter.toUpperCase());
    const hint = fields.some(([known]) => known === camel) ? `: its name is \`${camel}\` in JavaScript` : '';
    // An unknown name may contain anything: show it only if it looks like a field name.
    const shown = /^[A-Za-z_][\w-]{0,40}$/.test(name) ? `${path}.${name}` : `${path}: a field`;
    throw new TypeError(`${shown} is not known to the contract${hint}`);
  }
  return Object.fromEntries(fields.map(([name, inner]) => [name, toPlugin(inner, value[name], `${path}.${name}`)]));
}

/** Whether a value of this shape may be left out. */
function isFilledIn(shape) {
  if (Array.isArray(shape) || shape === 'bool' || shape === 'now' || shape === 'pairs') return true;
  return types[shape]?.fields?.every(([, inner]) => isFilledIn(inner)) ?? false;
}

function integer(shape, value, path) {
  const most = LIMITS[shape];
  const number = typeof value === 'bigint' ? Number(value) : value;
  if (!Number.isSafeInteger(number) || number < 0 || number > most) {
    throw wrong(path, `a whole number from 0 to ${most}`, value);
  }
  return shape === 'u64' ? BigInt(number) : number;
}

/** Settings as JSON text; an object is accepted too. */
function settings(value, path) {
  if (typeof value === 'string') return value;
  // A Map, too: its JSON is an empty object.
  if (typeof value !== 'object' || value === null || Symbol.iterator in value) throw wrong(path, 'an object, or its JSON text', value);
  let text;
  try {
    text = JSON.stringify(value);
  } catch {
    // A cycle, a BigInt, a getter that throws. The reason may hold what the settings hold.
  }
  if (text === undefined) throw new TypeError(`${path}: expected what JSON can hold: no cycles, no BigInt`);
  return text;
}

/** The body of a webhook, unchanged. */
function body(value, path) {
  if (typeof value !== 'string' && !(value instanceof Uint8Array)) {
    throw wrong(path, 'the bytes of the request body (a Uint8Array), or its text', value);
  }
  if (Buffer.byteLength(value) > MOST_BODY) throw new TypeError(`${path}: expected at most ${MOST_BODY} bytes. The vendor sends no more: answer 413`);
  if (typeof value === 'string') return value;
  try {
    return toText.decode(value);
  } catch {
    throw new TypeError(`${path}: expected UTF-8. The body is not the vendor's: answer 400`);
  }
}

function pairs(value, path) {
  if (value === undefined || value === null) return [];
  if (typeof value !== 'object') throw wrong(path, 'pairs of names and values, or an object', value);
  const list = Symbol.iterator in value ? value : flat(Object.entries(value));
  return Array.from(list, (pair, index) => {
    const isPair = Array.isArray(pair) && pair.length === 2 && pair.every((text) => typeof text === 'string');
    if (!isPair) throw wrong(`${path}[${index}]`, 'a pair of texts', pair);
    return [...pair];
  });
}

/** A name may have several values or none, as in the headers of a Node request. */
function flat(entries) {
  return entries.flatMap(([name, value]) => [value ?? []].flat().map((one) => [name, one]));
}

function wrong(path, expected, value) {
  const kinds = { undefined: 'nothing', object: 'another object', string: 'another text', number: 'another number' };
  let found = value === null ? 'null' : (kinds[typeof value] ?? `a ${typeof value}`);
  if (Array.isArray(value)) found = 'an array';
  if (value instanceof Map) found = 'a Map';
  if (Number.isNaN(value)) found = 'NaN';
  if (value instanceof Date) found = 'a Date';
  return new TypeError(`${path}: expected ${expected}, got ${found}`);
}
