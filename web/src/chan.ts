import type { Core } from './core.js';
import { elementOf, type Element, type ElementType, type InputOf, type ValueOf } from './elements.js';
import { BurrowError, describe, EAGAIN, ECLOSED, errorOf, OK } from './errors.js';

/** What a receive gives: the value, or the type's zero value with `ok: false` from a closed, drained channel. */
export interface Received<V> {
  value: V;
  ok: boolean;
}

/** A channel's name, for postMessage. Give it to `open()` of a runtime on another thread. */
export interface ChanHandle<T extends ElementType = ElementType> {
  readonly kind: 'chan';
  readonly type: T;
  readonly id: number;
  /** The runtime it belongs to. */
  readonly runtime: string;
}

const CAPACITY_MAX = 2 ** 31 - 1;

/**
 * A channel with Go's semantics, shared by goroutines and by JavaScript on all threads. Values are copied.
 * Capacity 0 is a rendezvous; waiters are served first come, first served.
 *
 * `send` and `recv` take their place in the queue when they are called, not when they are awaited, and cannot be
 * taken back.
 *
 * @example
 * const ch = rt.chan('i32', 8);
 * await ch.send(1);
 * ch.close();
 * for await (const value of ch) console.log(value);
 * ch.drop();
 */
export class Chan<T extends ElementType> implements AsyncIterable<ValueOf<T>> {
  readonly #core: Core;
  readonly #id: number;
  readonly #type: T;
  readonly #element: Element;

  private constructor(core: Core, id: number, type: T, element: Element) {
    this.#core = core;
    this.#id = id;
    this.#type = type;
    this.#element = element;
  }

  /** @internal */
  static make<T extends ElementType>(core: Core, type: T, capacity: number): Chan<T> {
    core.check();
    const element = elementOf(type);
    if (typeof capacity !== 'number') throw new TypeError(`capacity must be a number, not ${describe(capacity)}`);
    const bytes = capacity * element.size;
    if (!Number.isInteger(capacity) || capacity < 0 || bytes > CAPACITY_MAX - 4096) {
      throw new RangeError('makechan: size out of range');
    }
    const id = core.need(core.exports.bw_js_chan_make(element.size, capacity), 'chan');
    return new Chan(core, id, type, element);
  }

  /** @internal */
  static open<T extends ElementType>(core: Core, handle: ChanHandle<T>): Chan<T> {
    core.check();
    const isHandle = typeof handle === 'object' && handle !== null && handle.kind === 'chan';
    if (!isHandle || !Number.isInteger(handle.id)) {
      throw new TypeError(`open() takes what handle() gave, not ${describe(handle)}`);
    }
    const element = elementOf(handle.type);
    if (handle.runtime !== core.facts.id) throw new BurrowError('EHANDLE', 'this handle belongs to another runtime');
    const size = core.need(core.exports.bw_js_chan_elem_size(handle.id), 'open');
    if (size !== element.size) {
      throw new TypeError(`the channel's elements have ${size} bytes, those of the handle's type ${element.size}`);
    }
    return new Chan(core, handle.id, handle.type, element);
  }

  /**
   * Sends. Settles when a receiver or the buffer has taken the value; rejects with `ECLOSED` when the channel is
   * closed, now or while waiting.
   */
  send(value: InputOf<T>): Promise<void> {
    return new Promise((resolve, reject) => {
      const { key, code } = this.#beginSend(value);
      const done = (end: number): void => (end === OK ? resolve() : reject(sendError(end)));
      if (code === EAGAIN) this.#core.expect(key, { done, failed: reject });
      else done(code);
    });
  }

  /** Receives. On a closed channel: what is left in the buffer, then zero values with `ok: false`. */
  recv(): Promise<Received<ValueOf<T>>> {
    return new Promise((resolve, reject) => {
      const { key, code, received } = this.#beginRecv();
      if (received) resolve(received);
      else if (code !== EAGAIN) throw errorOf(code, 'recv');
      else {
        const done = (end: number, at: number): void => resolve(this.#read(end, at));
        this.#core.expect(key, { done, failed: reject });
      }
    });
  }

  /** As `send`, but blocks the thread. Only on workers: `ENOTSUP` on a page's or Node's main thread. */
  sendSync(value: InputOf<T>): void {
    this.#core.checkMayBlock('sendSync');
    const { key, code } = this.#beginSend(value);
    let end: number | BurrowError = code;
    const done = (last: number): void => void (end = last);
    if (code === EAGAIN) this.#core.block(key, { done, failed: (error) => (end = error) });
    if (end !== OK) throw sendError(end);
  }

  /** As `recv`, but blocks the thread. Only on workers: `ENOTSUP` on a page's or Node's main thread. */
  recvSync(): Received<ValueOf<T>> {
    this.#core.checkMayBlock('recvSync');
    const { key, code, received } = this.#beginRecv();
    if (received) return received;
    if (code !== EAGAIN) throw errorOf(code, 'recvSync');
    let end: Received<ValueOf<T>> | BurrowError | undefined;
    const done = (last: number, at: number): void => void (end = this.#read(last, at));
    this.#core.block(key, { done, failed: (error) => (end = error) });
    if (end instanceof BurrowError) throw end;
    return end!;
  }

  /** Sends if that is possible at once; says whether it was. Throws `ECLOSED` on a closed channel. */
  trySend(value: InputOf<T>): boolean {
    const code = this.#with(value, (at) => this.#core.exports.bw_js_chan_try_send(this.#id, at));
    if (code !== OK && code !== EAGAIN) throw sendError(code);
    return code === OK;
  }

  /** Receives if that is possible at once, else `undefined`. A closed, drained channel gives `ok: false`. */
  tryRecv(): Received<ValueOf<T>> | undefined {
    this.#core.check();
    return this.#core.with(this.#element.size, (at) => {
      const code = this.#core.exports.bw_js_chan_try_recv(this.#id, at);
      if (code === EAGAIN) return undefined;
      if (code !== OK && code !== ECLOSED) throw errorOf(code, 'tryRecv');
      return this.#read(code, at);
    });
  }

  /** Closes: receivers get what is buffered and then `ok: false`; waiting senders fail. Twice: `ECLOSED`. */
  close(): void {
    this.#core.check();
    const code = this.#core.exports.bw_js_chan_close(this.#id);
    if (code === ECLOSED) throw new BurrowError('ECLOSED', 'close of closed channel');
    this.#core.need(code, 'close');
  }

  /** Values in the buffer. */
  get len(): number {
    this.#core.check();
    return this.#core.need(this.#core.exports.bw_js_chan_len(this.#id), 'len');
  }

  /** The buffer's capacity. */
  get cap(): number {
    this.#core.check();
    return this.#core.need(this.#core.exports.bw_js_chan_cap(this.#id), 'cap');
  }

  /** The type of its elements. */
  get type(): T {
    return this.#type;
  }

  /** Receives until the channel is closed and drained: Go's range. */
  async *[Symbol.asyncIterator](): AsyncGenerator<ValueOf<T>, void, undefined> {
    for (;;) {
      const { value, ok } = await this.recv();
      if (!ok) return;
      yield value;
    }
  }

  /** The channel's name, to be sent to other threads. It is good until the channel is dropped. */
  handle(): ChanHandle<T> {
    return { kind: 'chan', type: this.#type, id: this.#id, runtime: this.#core.facts.id };
  }

  /**
   * Gives the channel up, for all threads: its handle is worth nothing from now on (`EHANDLE`), and its memory is
   * freed when the last pending operation has ended. A channel is not dropped by JavaScript's collector, since other
   * threads may hold its handle.
   */
  drop(): void {
    this.#core.check();
    this.#core.need(this.#core.exports.bw_js_chan_drop(this.#id), 'drop');
  }

  #with<R>(value: InputOf<T>, use: (at: number) => R): R {
    const core = this.#core;
    const { size } = this.#element;
    core.check();
    this.#element.check(value);
    return core.with(size, (at) => {
      this.#element.write(core.heap.view(at, size), at, value as never);
      return use(at);
    });
  }

  #beginSend(value: InputOf<T>): { key: number; code: number } {
    const key = this.#core.key();
    return { key, code: this.#with(value, (at) => this.#core.exports.bw_js_chan_send(this.#id, at, key)) };
  }

  #beginRecv(): { key: number; code: number; received: Received<ValueOf<T>> | undefined } {
    const core = this.#core;
    core.check();
    const key = core.key();
    return core.with(this.#element.size, (at) => {
      const code = core.exports.bw_js_chan_recv(this.#id, at, key);
      const received = code === OK || code === ECLOSED ? this.#read(code, at) : undefined;
      return { key, code, received };
    });
  }

  #read(code: number, at: number): Received<ValueOf<T>> {
    const view = this.#core.heap.view(at, this.#element.size);
    return { value: this.#element.read(view, at) as ValueOf<T>, ok: code === OK };
  }
}

function sendError(end: number | BurrowError): BurrowError {
  if (typeof end !== 'number') return end;
  return end === ECLOSED ? new BurrowError('ECLOSED', 'send on closed channel') : errorOf(end, 'send');
}
