// Where this thread's finished operations arrive (bw_js_agent in abi.h).
//
// One wait a thread, however many operations are pending, and none while nothing is. Whoever ends an
// operation (1) pushes it on the agent's queue, (2) increments the agent's word, (3) notifies the word's
// waiters. This thread (a) reads the word, (b) takes everything off the queue, (c) waits while the word
// still is what (a) read.
//
// No wake-up is lost. Suppose (b) missed an operation. Then its (1) came after (b), hence its (2) after
// (a), and either (2) came before (c), which then sees another word and does not wait, or after it, and
// (3) ends the wait. A word that moved without an operation behind it costs one look at the queue.
//
// The end of the runtime comes the same way: the death page is written, then every agent's word moves.
//
// A short look before each wait. To sleep and be woken costs 5 to 10 us, often more than the answer takes, so
// the word is watched for about as long as that first. Looks that were of use double the next one's
// length, others halve it: between threads that answer at once nobody sleeps, and on a machine with other
// work to do the looks shrink to nothing much. Every 64th is of full length, to notice when that changes.
//
// Without Atomics.waitAsync (older Firefox) the word is polled by a timer: at once, then after 1, 2,
// 4 and at most 8 ms while nothing comes. An idle thread with a pending operation so wakes 125 times a
// second, and a completion may come 8 ms late.
import { OK, type BurrowError } from './errors.js';
import { AGENT, OP } from './exports.js';
import type { Instance } from './instance.js';
import { pause } from './pause.js';
import { KeepAlive, now } from './platform.js';

const POLL_MAX_MS = 8;

const LOOKS_MAX = pause ? 200 : 2000; // about 10 us
const LOOKS_MIN = 8;

/** @internal What is to happen when an operation ends. */
export interface Pending {
  /** The operation's code, and the address of its value. */
  done(code: number, value: number): void;
  failed(error: BurrowError): void;
  /**
   * Of one that blocks: called before what has arrived is taken off the queue, again and again. The operation at `op` may
   * have come with EAGAIN; then what it wants may be taken for it, and its code be made TAKEN.
   */
  tryAgain?: ((op: number) => void) | undefined;
}

/** @internal */
export class Agent {
  readonly #instance: Instance;
  readonly #at: number;
  readonly #pending = new Map<number, Pending>();
  readonly #keepAlive = new KeepAlive();
  #lastKey = 0;
  #listening = false;
  #ended = false;
  #taken: number | undefined; // the word before the last time that everything was taken
  #looks = LOOKS_MAX;
  #waits = 0;

  /** `at`: the address of this thread's bw_js_agent. */
  constructor(instance: Instance, at: number) {
    this.#instance = instance;
    this.#at = at;
  }

  /** A key for the next operation. */
  key(): number {
    do this.#lastKey = (this.#lastKey + 1) >>> 0;
    while (this.#pending.has(this.#lastKey));
    return this.#lastKey;
  }

  /** The operation `key` is pending: `pending` hears of its end. */
  expect(key: number, pending: Pending): void {
    this.#pending.set(key, pending);
    if (this.#listening) return;
    this.#listening = true;
    this.#keepAlive.hold();
    this.#listen();
  }

  /** As expect, but sleeps until then. Only where Atomics.wait is allowed. */
  block(key: number, pending: Pending): void {
    this.blockUntil(key, pending, Infinity);
  }

  /**
   * The same until `deadline`, a time of now(). When that has passed and the operation could be taken back, `pending`
   * hears nothing.
   */
  blockUntil(key: number, pending: Pending, deadline: number): void {
    const { heap, death } = this.#instance;
    const op = this.lastOp();
    let until = deadline;
    this.#pending.set(key, pending);
    for (;;) {
      const seen = heap.load(this.#at);
      pending.tryAgain?.(op);
      this.#takeNew(seen);
      if (!this.#pending.has(key)) return;
      const error = death.error();
      if (error) return this.#failAll(error);
      const left = until === Infinity ? Infinity : until - now();
      if (left <= 0) {
        if (this.cancel(key, op)) return;
        until = Infinity;
        continue;
      }
      const words = heap.words(this.#at);
      if (!this.#look(words, seen)) Atomics.wait(words, this.#at >>> 2, seen, left);
    }
  }

  /** Right after an operation was left behind: its address. */
  lastOp(): number {
    return this.#instance.heap.u32(this.#at + AGENT.op);
  }

  /** Takes back the operation `key` at `op`. True: nothing will come. False: it has come, or will. */
  cancel(key: number, op: number): boolean {
    if (!this.#pending.has(key) || this.#instance.exports.bw_js_op_cancel(op) !== OK) return false;
    this.#pending.delete(key);
    if (this.#pending.size === 0 && this.#listening) this.#wake();
    return true;
  }

  /** Ends everything that is pending; nothing comes from here any more. */
  end(error: BurrowError): void {
    this.#ended = true;
    this.#failAll(error);
    this.#keepAlive.end();
  }

  // Watches the word for a moment; whether it moved.
  #look(words: Int32Array, seen: number): boolean {
    const index = this.#at >>> 2;
    let left = this.#waits++ % 64 === 0 ? LOOKS_MAX : this.#looks;
    while (left > 0 && Atomics.load(words, index) === seen) {
      pause?.();
      left--;
    }
    this.#looks = left > 0 ? Math.min(this.#looks * 2, LOOKS_MAX) : Math.max(this.#looks >>> 1, LOOKS_MIN);
    return left > 0;
  }

  // Takes off what has arrived; whether anything may have. `seen` is the word, read before. Where it is what it
  // was before the last time, nothing has arrived since.
  #takeNew(seen: number): boolean {
    if (seen === this.#taken) return false;
    const { exports, heap } = this.#instance;
    let op = exports.bw_js_agent_next(this.#at) >>> 0;
    for (; op !== 0; op = exports.bw_js_agent_next(this.#at) >>> 0) {
      const key = heap.u32(op + OP.key);
      const pending = this.#pending.get(key);
      this.#pending.delete(key);
      pending?.done(heap.i32(op + OP.code), heap.u32(op + OP.value));
      exports.bw_js_op_free(op);
    }
    this.#taken = seen;
    return true;
  }

  // Has #listen look again, which holds the process open.
  #wake(): void {
    const words = this.#instance.heap.words(this.#at);
    Atomics.add(words, this.#at >>> 2, 1);
    Atomics.notify(words, this.#at >>> 2);
  }

  #failAll(error: BurrowError): void {
    const all = [...this.#pending.values()];
    this.#pending.clear();
    for (const pending of all) pending.failed(error);
  }

  #listen(pollMs = 0): void {
    while (!this.#ended) {
      const { heap, death } = this.#instance;
      const seen = heap.load(this.#at);
      if (this.#takeNew(seen)) pollMs = 0;
      const error = death.error();
      if (error) this.#failAll(error);
      if (this.#pending.size === 0) break;
      if (!Atomics.waitAsync) {
        setTimeout(() => this.#listen(Math.min(pollMs * 2 || 1, POLL_MAX_MS)), pollMs);
        return;
      }
      const words = heap.words(this.#at);
      if (this.#look(words, seen)) continue;
      const wait = Atomics.waitAsync(words, this.#at >>> 2, seen);
      if (wait.async) {
        void wait.value.then(() => this.#listen());
        return;
      }
    }
    this.#listening = false;
    this.#keepAlive.release();
  }
}
