// One thread's share of a runtime: what channels, locks, slices and blocks are made on.
import { Agent, type Pending } from './agent.js';
import { BurrowError, errorOf } from './errors.js';
import { THREAD, type Exports } from './exports.js';
import type { Instance } from './instance.js';
import type { Heap } from './memory.js';
import { onBlockingThread } from './platform.js';

const SCRATCH = 4096;

/** @internal What is the same on all threads of a runtime. */
export interface RuntimeFacts {
  /** The runtime's name: handles of one runtime mean nothing to another. */
  readonly id: string;
  /** Number of workers in the pool. */
  readonly workers: number;
  /** Limit of the memory. */
  readonly maxBytes: number;
}

/** @internal */
export class Core {
  readonly instance: Instance;
  readonly exports: Exports;
  readonly heap: Heap;
  readonly facts: RuntimeFacts;
  readonly #agent: Agent;
  readonly #mayBlock = onBlockingThread();
  readonly #scratch: number;
  #over: BurrowError | undefined;

  constructor(instance: Instance, facts: RuntimeFacts) {
    this.instance = instance;
    this.exports = instance.exports;
    this.heap = instance.heap;
    this.facts = facts;
    const thread = this.exports.bw_js_thread_self() >>> 0;
    this.#agent = new Agent(instance, this.heap.u32(thread + THREAD.agent));
    this.#scratch = this.allocate(SCRATCH);
  }

  /** Throws when the runtime has ended, or this thread's part in it. */
  check(): void {
    const error = this.ended();
    if (error) throw error;
  }

  /** Why nothing works any more; undefined while it does. */
  ended(): BurrowError | undefined {
    if (this.#over) return new BurrowError(this.#over.code, this.#over.message);
    return this.instance.death.error();
  }

  /** Whether this thread's part in it has ended. */
  get over(): boolean {
    return this.#over !== undefined;
  }

  /** Pending operations fail with `error`, and so do all later ones. */
  end(error: BurrowError): void {
    this.#over ??= error;
    this.#agent.end(error);
  }

  /** The last call into the module on a thread that leaves. */
  leave(): void {
    this.exports.bw_js_free(this.#scratch);
    this.exports.bw_js_thread_leave();
  }

  /** A code that says a number or fails. */
  need(code: number, what: string): number {
    if (code < 0) throw errorOf(code, what);
    return code;
  }

  /** Memory of the module's; the caller frees it. */
  allocate(size: number): number {
    const at = this.exports.bw_js_alloc(size) >>> 0;
    if (at === 0) throw new BurrowError('ENOMEM', `out of memory: ${size} bytes`);
    return at;
  }

  /** Calls `use` with the address of `size` bytes that are its own until it returns. */
  with<R>(size: number, use: (at: number) => R): R {
    if (size <= SCRATCH) return use(this.#scratch);
    const at = this.allocate(size);
    try {
      return use(at);
    } finally {
      this.exports.bw_js_free(at);
    }
  }

  /** A key for an operation that may stay behind. */
  key(): number {
    return this.#agent.key();
  }

  expect(key: number, pending: Pending): void {
    this.#agent.expect(key, pending);
  }

  block(key: number, pending: Pending): void {
    this.#agent.block(key, pending);
  }

  blockUntil(key: number, pending: Pending, deadline: number): void {
    this.#agent.blockUntil(key, pending, deadline);
  }

  lastOp(): number {
    return this.#agent.lastOp();
  }

  cancel(key: number, op: number): boolean {
    return this.#agent.cancel(key, op);
  }

  /** Whether this thread may sleep. */
  get mayBlock(): boolean {
    return this.#mayBlock;
  }

  /** Throws on a thread that must not sleep. */
  checkMayBlock(name: string): void {
    if (this.#mayBlock) return;
    const instead = name.replace('Sync', '');
    throw new BurrowError('ENOTSUP', `${name}() would block this thread; it is for workers. Here, await ${instead}().`);
  }
}
