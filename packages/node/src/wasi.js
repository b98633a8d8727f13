/**
 * The plugin's imports for one worker: `wasi:http/outgoing-handler` 0.2 and its dependencies.
 *
 * A worker runs the plugin synchronously. It posts each request to the main thread, which checks the allow-list, adds the credentials and
 * sends it; the worker sleeps until the response arrives. The worker has no socket and no secret.
 */
import { receiveMessageOnPort } from 'node:worker_threads';

/** Largest chunk that a stream returns; the plugin asks for less. */
const MOST_BYTES = 1 << 20;

const toText = new TextDecoder();

function joined(pieces) {
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/** The error of a closed stream, as `wasi:io/streams` defines it. */
const CLOSED = { tag: 'closed' };

/**
 * The imports for this worker's instances, and `begin` for each call: `network` is the port to the main thread, `signal` wakes the worker,
 * `most` is how many bytes a call may write into bodies.
 */
export function wasi(network, signal, most) {
  /** Milliseconds, for the main thread: what the call sleeps is not computing. It also looks whether we sleep now. */
  const slept = new Float64Array(signal.buffer, 8, 1);
  /** Responses not fetched yet, by the request's number. */
  const futures = new Map();
  let requests = 0;
  /** The call that is under way. Its number goes with each request: two ports keep no order between them. */
  let call;
  let written = 0;

  function begin(number) {
    call = number;
    written = 0;
    futures.clear();
  }

  /** Bodies lie outside of the plugin's memory, and so outside of its limit. */
  function count(bytes) {
    written += bytes;
    if (written > most) throw { tag: 'last-operation-failed', val: IoError.of('the bodies of the call are too large') };
  }

  function drain() {
    for (let got = receiveMessageOnPort(network); got; got = receiveMessageOnPort(network)) {
      const future = futures.get(got.message.id);
      // The call may have ended; then its response has no future.
      if (future) future.answer = got.message;
      futures.delete(got.message.id);
    }
  }

  /** Sleeps until `ready` is true. */
  function sleepUntil(ready) {
    for (;;) {
      const seen = Atomics.load(signal, 0);
      drain();
      if (ready()) return;
      const from = performance.now();
      Atomics.store(signal, 1, 1);
      Atomics.wait(signal, 0, seen);
      slept[0] += performance.now() - from;
      Atomics.store(signal, 1, 0);
    }
  }

  class Pollable {
    #ready;
    static of(ready) {
      const pollable = new Pollable();
      pollable.#ready = ready;
      return pollable;
    }
    ready() {
      drain();
      return this.#ready();
    }
    block() {
      sleepUntil(this.#ready);
    }
    static poll(pollables) {
      let ready = [];
      sleepUntil(() => {
        ready = pollables.flatMap((pollable, index) => (pollable.#ready() ? [index] : []));
        return ready.length > 0;
      });
      return Uint32Array.from(ready);
    }
  }

  class IoError {
    #text;
    static of(text) {
      const error = new IoError();
      error.#text = text;
      return error;
    }
    toDebugString() {
      return this.#text;
    }
  }

  class InputStream {
    #bytes;
    #failed;
    #at = 0;
    static of(bytes, failed) {
      const stream = new InputStream();
      stream.#bytes = bytes;
      stream.#failed = failed;
      return stream;
    }
    read(most) {
      if (this.#at === this.#bytes.length) {
        throw this.#failed ? { tag: 'last-operation-failed', val: IoError.of(this.#failed) } : CLOSED;
      }
      const end = this.#at + Math.min(Number(most), MOST_BYTES);
      const piece = this.#bytes.subarray(this.#at, end);
      this.#at += piece.length;
      return piece;
    }
    blockingRead(most) {
      return this.read(most);
    }
    skip(most) {
      return BigInt(this.read(most).length);
    }
    blockingSkip(most) {
      return this.skip(most);
    }
    subscribe() {
      return Pollable.of(() => true);
    }
  }

  class OutputStream {
    #pieces;
    static into(pieces) {
      const stream = new OutputStream();
      stream.#pieces = pieces;
      return stream;
    }
    checkWrite() {
      return BigInt(MOST_BYTES);
    }
    write(bytes) {
      count(bytes.length);
      // Copy: the view is of the plugin's memory, which changes.
      this.#pieces.push(bytes.slice());
    }
    blockingWriteAndFlush(bytes) {
      this.write(bytes);
    }
    writeZeroes(length) {
      count(Number(length));
      this.#pieces.push(new Uint8Array(Number(length)));
    }
    blockingWriteZeroesAndFlush(length) {
      this.writeZeroes(length);
    }
    flush() {}
    blockingFlush() {}
    splice(source, most) {
      const piece = source.read(most);
      this.write(piece);
      return BigInt(piece.length);
    }
    blockingSplice(source, most) {
      return this.splice(source, most);
    }
    subscribe() {
      return Pollable.of(() => true);
    }
  }

  class Fields {
    #pairs = [];
    static fromList(pairs) {
      const fields = new Fields();
      fields.#pairs = pairs;
      return fields;
    }
    entries() {
      return this.#pairs;
    }
    append(name, value) {
      this.#pairs.push([name, value.slice()]);
    }
    set(name, values) {
      this.delete(name);
      for (const value of values) this.append(name, value);
    }
    delete(name) {
      this.#pairs = this.#pairs.filter(([other]) => other.toLowerCase() !== name.toLowerCase());
    }
    has(name) {
      return this.get(name).length > 0;
    }
    get(name) {
      return this.#pairs.flatMap(([other, value]) => (other.toLowerCase() === name.toLowerCase() ? [value] : []));
    }
    clone() {
      return Fields.fromList([...this.#pairs]);
    }
  }

  class RequestOptions {
    #milliseconds = {};
    static read(options) {
      return options?.#milliseconds ?? {};
    }
    #set(name, nanoseconds) {
      this.#milliseconds[name] = nanoseconds === undefined ? undefined : Number(nanoseconds / 1_000_000n);
    }
    #get(name) {
      const milliseconds = this.#milliseconds[name];
      return milliseconds === undefined ? undefined : BigInt(milliseconds) * 1_000_000n;
    }
    connectTimeout() {
      return this.#get('connect');
    }
    setConnectTimeout(nanoseconds) {
      this.#set('connect', nanoseconds);
    }
    firstByteTimeout() {
      return this.#get('firstByte');
    }
    setFirstByteTimeout(nanoseconds) {
      this.#set('firstByte', nanoseconds);
    }
    betweenBytesTimeout() {
      return this.#get('betweenBytes');
    }
    setBetweenBytesTimeout(nanoseconds) {
      this.#set('betweenBytes', nanoseconds);
    }
  }

  class OutgoingBody {
    /** The request goes out once both are there: the whole body, and the call to send it. */
    #pieces;
    #finished = false;
    #send;
    static new() {
      return new OutgoingBody();
    }
    static onFinish(body, send) {
      body.#send = send;
      if (body.#finished) send(body.#pieces ?? []);
    }
    write() {
      if (this.#pieces) throw undefined;
      this.#pieces = [];
      return OutputStream.into(this.#pieces);
    }
    static finish(body, _trailers) {
      body.#finished = true;
      body.#send?.(body.#pieces ?? []);
    }
  }

  class OutgoingRequest {
    #headers;
    #body;
    #parts = { method: { tag: 'get' }, path: '/' };
    constructor(headers) {
      this.#headers = headers;
    }
    body() {
      if (this.#body) throw undefined;
      return (this.#body = OutgoingBody.new());
    }
    method() {
      return this.#parts.method;
    }
    setMethod(method) {
      this.#parts.method = method;
    }
    pathWithQuery() {
      return this.#parts.path;
    }
    setPathWithQuery(path) {
      this.#parts.path = path;
    }
    scheme() {
      return this.#parts.scheme;
    }
    setScheme(scheme) {
      this.#parts.scheme = scheme;
    }
    authority() {
      return this.#parts.authority;
    }
    setAuthority(authority) {
      this.#parts.authority = authority;
    }
    headers() {
      return this.#headers;
    }
    static send(request, timeouts) {
      const { method, scheme, authority, path } = request.#parts;
      const id = ++requests;
      const future = FutureIncomingResponse.new();
      futures.set(id, future);
      const send = (pieces) => {
        const body = joined(pieces);
        const message = {
          id,
          call,
          method: method.tag === 'other' ? method.val : method.tag.toUpperCase(),
          scheme: scheme?.tag === 'HTTP' ? 'http' : scheme?.tag === 'other' ? scheme.val : 'https',
          authority: authority ?? '',
          path: path ?? '/',
          headers: request.#headers.entries().map(([name, value]) => [name, toText.decode(value)]),
          body,
          timeouts,
        };
        network.postMessage(message, [body.buffer]);
      };
      if (request.#body) OutgoingBody.onFinish(request.#body, send);
      else send([]);
      return future;
    }
  }

  class IncomingBody {
    #answer;
    static of(answer) {
      const body = new IncomingBody();
      body.#answer = answer;
      return body;
    }
    stream() {
      return InputStream.of(this.#answer.body, this.#answer.broken);
    }
    static finish() {
      throw new Error('trailers are not supported');
    }
  }

  class IncomingResponse {
    #answer;
    static of(answer) {
      const response = new IncomingResponse();
      response.#answer = answer;
      return response;
    }
    status() {
      return this.#answer.status;
    }
    headers() {
      return Fields.fromList(this.#answer.headers.map(([name, value]) => [name, Buffer.from(value, 'latin1')]));
    }
    consume() {
      return IncomingBody.of(this.#answer);
    }
  }

  class FutureIncomingResponse {
    answer;
    static new() {
      return new FutureIncomingResponse();
    }
    subscribe() {
      return Pollable.of(() => this.answer !== undefined);
    }
    get() {
      drain();
      if (!this.answer) return undefined;
      const { error } = this.answer;
      return {
        tag: 'ok',
        val: error ? { tag: 'err', val: error } : { tag: 'ok', val: IncomingResponse.of(this.answer) },
      };
    }
  }

  const imports = {
    'wasi:http/outgoing-handler': {
      handle: (request, options) => OutgoingRequest.send(request, RequestOptions.read(options)),
    },
    'wasi:http/types': {
      Fields,
      FutureIncomingResponse,
      IncomingBody,
      IncomingResponse,
      OutgoingBody,
      OutgoingRequest,
      RequestOptions,
    },
    'wasi:io/error': { Error: IoError },
    'wasi:io/poll': { Pollable, poll: Pollable.poll },
    'wasi:io/streams': { InputStream, OutputStream },
    'wasi:clocks/monotonic-clock': {},
  };
  return { imports, begin };
}
