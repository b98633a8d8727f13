/**
 * Where the plugin may send requests: the same rules as those of the host library in Rust.
 */
import { BlockList, isIP, isIPv4 } from 'node:net';

/** A reason to refuse an origin. */
export class OriginError extends Error {}

/** Addresses that do not belong to the internet. */
const INTERNAL = new BlockList();
for (const range of [
  // This machine, private networks, shared addresses, links.
  '0.0.0.0/8', '10.0.0.0/8', '127.0.0.0/8', '100.64.0.0/10', '169.254.0.0/16', '172.16.0.0/12', '192.168.0.0/16',
  // Protocol assignments, documentation, the old relays of 6to4, benchmarks.
  '192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24',
  // Multicast, reserved, broadcast.
  '224.0.0.0/3',
  // Azure's platform address (learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16).
  '168.63.129.16/32',
  // Teredo and other protocol assignments, documentation, 6to4.
  '2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20',
]) {
  const [address, bits] = range.split('/');
  INTERNAL.addSubnet(address, Number(bits), isIPv4(address) ? 'ipv4' : 'ipv6');
}

/** All that has been given out for the internet so far. NAT64 lies outside, and wraps IPv4 addresses. */
const INTERNET_V6 = new BlockList();
INTERNET_V6.addSubnet('2000::', 3, 'ipv6');

/** Whether an address belongs to the internet rather than to this machine, its neighbourhood, its provider or nobody. */
export function isPublic(address) {
  // A zone such as in `fe80::1%eth0` is of this machine, and no URL has one.
  if (!isIP(address) || address.includes('%')) return false;
  const mapped = unmapped(address);
  if (isIPv4(mapped)) return !INTERNAL.check(mapped, 'ipv4');
  return INTERNET_V6.check(mapped, 'ipv6') && !INTERNAL.check(mapped, 'ipv6');
}

/** An IPv4 address that stands in an IPv6 one. */
function unmapped(address) {
  if (isIPv4(address)) return address;
  const [, high, low] = /^\[::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/.exec(new URL(`http://[${address}]`).hostname) ?? [];
  if (high === undefined) return address;
  const bits = (parseInt(high, 16) << 16) | parseInt(low, 16);
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 0xff).join('.');
}

/**
 * An origin as a URL has it, in one form. `text` is scheme, host and port.
 */
export function parseOrigin(text) {
  const found = /^(https?):\/\/(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?\/?$/i.exec(text);
  if (!found) throw new OriginError(`not an origin such as \`https://acme.example\``);
  const [scheme, host] = [found[1].toLowerCase(), found[2].toLowerCase()];
  const port = found[3] === undefined ? { http: 80, https: 443 }[scheme] : Number(found[3]);
  if (port > 65535) throw new OriginError('the port is not a number from 0 to 65535');
  const address = host.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  return { scheme, host, port, address: isIP(address) ? address : undefined, key: `${scheme}://${host}:${port}` };
}

const isLocalhost = ({ host }) => /(^|\.)localhost\.?$/.test(host);

/** True for this machine's own addresses and for `localhost`. */
function isLoopback(origin) {
  const address = origin.address && unmapped(origin.address);
  return isLocalhost(origin) || address === '::1' || (address !== undefined && isIPv4(address) && address.startsWith('127.'));
}

/** A host whose last label is a number is an address, or nothing (WHATWG URL standard, "ends in a number"). */
const endsInNumber = ({ host }) => /(^|\.)(\d+|0x[0-9a-f]*)\.?$/.test(host);

/** Refuses what would send credentials unencrypted over a network. */
function encrypted(origin) {
  if (origin.scheme === 'http' && !isLoopback(origin)) {
    throw new OriginError('http is for this machine only; use https');
  }
  return origin;
}

/** An origin that the operator allows, wherever it is: on this machine, in a private network. */
export function internalOrigin(text) {
  return encrypted(parseOrigin(text));
}

/**
 * An origin that the plugin's `describe` names, and so perhaps a tenant: of the internet, as far as the text shows it. Names are looked at
 * again when they are resolved.
 */
export function publicOrigin(text) {
  const origin = parseOrigin(text);
  const internal = origin.address ? !isPublic(origin.address) : isLocalhost(origin) || endsInNumber(origin);
  if (internal) throw new OriginError('an address of this machine or of a private network: only the operator may allow it');
  return encrypted(origin);
}
