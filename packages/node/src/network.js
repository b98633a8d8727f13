/**
 * The plugin's network access, on the main thread: allow-list, credentials, pooled connections, limits. It does not follow redirects: the
 * next host might not be allowed, and the credentials are for this one.
 */
import { lookup } from 'node:dns';
import http from 'node:http';
import https from 'node:https';
import { OriginError, isPublic, parseOrigin } from './allow.js';

/** Default time-out, in milliseconds, when the plugin sets none. */
const CONNECT = 10_000;
const FIRST_BYTE = 30_000;
const BETWEEN_BYTES = 30_000;

/**
 * How long an idle connection is kept. Servers close theirs after a minute or more; if the server closes a connection while a request is
 * in flight, the outcome of the request is unknown.
 */
const IDLE = 15_000;

/** Certificate errors, by the names of OpenSSL and Node. */
const CERTIFICATE = /^(CERT_|ERR_TLS_CERT|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|HOSTNAME_MISMATCH|INVALID_CA)/;

const DENIED = { tag: 'HTTP-request-denied' };

/**
 * Not TRACE, whose answer holds the credentials that were added, and not CONNECT, which opens a way to elsewhere.
 */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Headers that say where a message ends and whom it is for. They are the host's: connections are shared by calls. */
const OWN_HEADERS = [
  'connection', 'expect', 'host', 'http2-settings', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection', 'te',
  'trailer', 'transfer-encoding', 'upgrade',
];

/** The longest time that a timer can wait. */
const LONGEST = 2 ** 31 - 1;

/** A pool of connections. There are two: for the internet, and for the operator's internal origins. */
class Pool {
  constructor(options) {
    const kept = { keepAlive: true, timeout: IDLE, scheduling: 'lifo', ...options };
    this.http = new http.Agent(kept);
    this.https = new https.Agent(kept);
  }
  destroy() {
    this.http.destroy();
    this.https.destroy();
  }
}

/** Resolves a name to internet addresses, at every connection: an earlier check proves nothing (DNS rebinding). */
function lookupPublic(name, options, done) {
  lookup(name, { ...options, all: true }, (error, found) => {
    if (error) return done(error);
    const addresses = found.filter(({ address }) => isPublic(address));
    if (addresses.length === 0) return done(Object.assign(new Error('no address of the internet'), { code: 'EPROHIBITED' }));
    return options.all ? done(null, addresses) : done(null, addresses[0].address, addresses[0].family);
  });
}

/** `localhost` is always this machine, whatever DNS says. */
function lookupInternal(name, options, done) {
  lookup(name, { ...options, all: true }, (error, found) => {
    if (error) return done(error);
    const local = /(^|\.)localhost\.?$/.test(name);
    const addresses = found.filter(({ address }) => !local || address === '::1' || address.startsWith('127.'));
    if (addresses.length === 0) return done(Object.assign(new Error('not this machine'), { code: 'EPROHIBITED' }));
    return options.all ? done(null, addresses) : done(null, addresses[0].address, addresses[0].family);
  });
}

export class Network {
  #internet = new Pool({ lookup: lookupPublic });
  #internal = new Pool({ lookup: lookupInternal });
  #limits;

  constructor(limits) {
    this.#limits = limits;
  }

  destroy() {
    this.#internet.destroy();
    this.#internal.destroy();
  }

  /**
   * Sends a request of a call. `access` is what the call may reach, `usage` what it has used so far and its requests in flight. Settles
   * once, with the whole response or a `wasi:http` error code.
   */
  send(request, access, usage) {
    return new Promise((resolve) => {
      let rule;
      try {
        rule = access.rule(parseOrigin(`${request.scheme}://${request.authority}`));
      } catch (error) {
        if (!(error instanceof OriginError)) throw error;
      }
      if (!rule || usage.requests >= this.#limits.requests) {
        resolve({ error: DENIED });
        return;
      }
      usage.requests += 1;
      if (!this.#take(usage, request.body.length)) resolve({ error: { tag: 'HTTP-request-body-size' } });
      else this.#exchange(request, rule, usage, resolve);
    });
  }

  #take(usage, bytes) {
    usage.bytes += bytes;
    return usage.bytes <= this.#limits.totalBytes;
  }

  #exchange({ method, scheme, authority, path, headers, body, timeouts }, rule, usage, resolve) {
    const pool = rule.internal ? this.#internal : this.#internet;
    const [protocol, agent] = scheme === 'https' ? [https, pool.https] : [http, pool.http];
    if (!METHODS.has(method)) return resolve({ error: { tag: 'HTTP-request-method-invalid' } });
    let sent;
    try {
      const all = new Headers(headers);
      if (OWN_HEADERS.some((name) => all.has(name))) return resolve({ error: DENIED });
      const announced = all.get('content-length');
      if (announced !== null && announced !== `${body.length}`) return resolve({ error: { tag: 'HTTP-request-body-size' } });
      // Node gives a GET or DELETE with a body no length, and the server takes the body for the next request on the connection.
      if (body.length > 0) all.set('content-length', `${body.length}`);
      if (!path.startsWith('/')) throw new Error('not a path');
      for (const [name, value] of rule.headers) if (!all.has(name)) all.append(name, value);
      const { hostname, port } = new URL(`${scheme}://${authority}`);
      // Sockets take an IPv6 address without brackets.
      const host = hostname.replace(/^\[|\]$/g, '');
      sent = protocol.request({ method, host, port, path, agent, headers: Object.fromEntries(all) });
    } catch {
      return resolve({ error: { tag: 'HTTP-request-URI-invalid' } });
    }

    let connected = false;
    let timer;
    let answered = false;
    const cut = () => sent.destroy();
    usage.underWay.add(cut);
    const settle = (answer) => {
      if (answered) return;
      answered = true;
      clearTimeout(timer);
      usage.underWay.delete(cut);
      resolve(answer);
    };
    const fail = (error) => {
      settle({ error });
      sent.destroy();
    };
    const wait = (milliseconds, tag) => {
      clearTimeout(timer);
      timer = setTimeout(() => fail({ tag }), Math.min(milliseconds, LONGEST));
    };

    wait(timeouts.connect ?? CONNECT, 'connection-timeout');
    const onConnected = () => {
      connected = true;
      wait(timeouts.firstByte ?? FIRST_BYTE, 'connection-read-timeout');
    };
    sent.on('socket', (socket) => {
      if (sent.reusedSocket || !(socket.connecting || socket.destroyed)) onConnected();
      else socket.once(scheme === 'https' ? 'secureConnect' : 'connect', onConnected);
    });
    sent.on('error', (error) => settle({ error: { tag: connected ? exchangeError(error) : connectError(error), ...detail(error, connected) } }));
    // Without an error and without a response, when the server switches to another protocol.
    let responded = false;
    sent.on('close', () => {
      if (!responded) settle({ error: { tag: 'connection-terminated' } });
    });
    sent.on('response', (response) => {
      responded = true;
      const between = () => wait(timeouts.betweenBytes ?? BETWEEN_BYTES, 'connection-read-timeout');
      const pieces = [];
      let size = 0;
      between();
      const finish = (broken) =>
        settle({
          status: response.statusCode,
          headers: pairs(response.rawHeaders),
          body: new Uint8Array(Buffer.concat(pieces, size)),
          broken,
        });
      response.on('data', (piece) => {
        between();
        size += piece.length;
        if (size > this.#limits.responseBytes || !this.#take(usage, piece.length)) {
          size -= piece.length;
          finish('the body is too large');
          sent.destroy();
        } else {
          pieces.push(piece);
        }
      });
      response.on('end', () => finish());
      response.on('error', () => finish('the connection broke off'));
      response.on('close', () => finish('the connection broke off'));
    });
    // A small body goes out in one write with the head.
    return sent.end(body);
  }
}

const pairs = (flat) => Array.from({ length: flat.length / 2 }, (_, at) => [flat[2 * at], flat[2 * at + 1]]);

/** Nothing was sent. */
function connectError({ code = '' }) {
  if (code === 'EPROHIBITED') return 'destination-IP-prohibited';
  if (code === 'ENOTFOUND' || code.startsWith('EAI_')) return 'DNS-error';
  if (code === 'ECONNREFUSED') return 'connection-refused';
  if (code === 'ETIMEDOUT') return 'connection-timeout';
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH') return 'destination-IP-unroutable';
  if (CERTIFICATE.test(code)) return 'TLS-certificate-error';
  if (code === 'EPROTO' || code.startsWith('ERR_SSL')) return 'TLS-protocol-error';
  return 'destination-unavailable';
}

/** Something may have been sent. */
function exchangeError({ code = '' }) {
  return code.startsWith('HPE_') ? 'HTTP-protocol-error' : 'connection-terminated';
}

/** The payload of the variant's case. */
function detail(error, connected) {
  return !connected && connectError(error) === 'DNS-error' ? { val: { rcode: error.code, infoCode: undefined } } : {};
}
