/**
 * Where the plugin may send requests. Same rules as the Rust host library.
 */
import { BlockList, isIP, isIPv4 } from 'node:net';

/** A reason to refuse an origin. */
export class OriginError extends Error {}

/** Addresses that are not on the internet. */
const INTERNAL = new BlockList();
for (const range of [
  // Loopback, private networks, shared addresses (CGNAT), link-local.
  '0.0.0.0/8', '10.0.0.0/8', '127.0.0.0/8', '100.64.0.0/10', '169.254.0.0/16', '172.16.0.0/12', '192.168.0.0/16',
  // Protocol assignments, documentation, deprecated 6to4 relays, benchmarking.
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

/** The global unicast range allocated so far. NAT64, which embeds IPv4 addresses, is outside it. */
const INTERNET_V6 = new BlockList();
INTERNET_V6.addSubnet('2000::', 3, 'ipv6');

/** Whether an address is on the internet: not loopback, private, link-local, the cloud provider's or reserved. */
export function isPublic(address) {
  // A zone such as in `fe80::1%eth0` is of this machine, and no URL has one.
  if (!isIP(address) || address.includes('%')) return false;
  const mapped = unmapped(address);
  if (isIPv4(mapped)) return !INTERNAL.check(mapped, 'ipv4');
  return INTERNET_V6.check(mapped, 'ipv6') && !INTERNAL.check(mapped, 'ipv6');
}

/** The IPv4 address in an IPv4-mapped IPv6 address. */
function unmapped(address) {
  if (isIPv4(address)) return address;
  const [, high, low] = /^\[::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/.exec(new URL(`http://[${address}]`).hostname) ?? [];
  if (high === undefined) return address;
  const bits = (parseInt(high, 16) << 16) | parseInt(low, 16);
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 0xff).join('.');
}

/**
 * An origin in the normal form of the URL standard. `text` is scheme, host and port.
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

/** A host whose last label is a number is an address or invalid (WHATWG URL standard, "ends in a number"). */
const endsInNumber = ({ host }) => /(^|\.)(\d+|0x[0-9a-f]*)\.?$/.test(host);

/** Refuses origins that would send credentials unencrypted over a network. */
function encrypted(origin) {
  if (origin.scheme === 'http' && !isLoopback(origin)) {
    throw new OriginError('http is for this machine only; use https');
  }
  return origin;
}

/** An origin that the operator allows, including on this machine or in a private network. */
export function internalOrigin(text) {
  return encrypted(parseOrigin(text));
}

/**
 * An origin that the plugin's `describe` names, possibly chosen by a tenant: must be on the internet, as far as its text shows. Names are
 * checked again when they are resolved.
 */
export function publicOrigin(text) {
  const origin = parseOrigin(text);
  const internal = origin.address ? !isPublic(origin.address) : isLocalhost(origin) || endsInNumber(origin);
  if (internal) throw new OriginError('an address of this machine or of a private network: only the operator may allow it');
  return encrypted(origin);
}
