import { Block } from './block.js';
import { Chan, type ChanHandle } from './chan.js';
import { Cond } from './cond.js';
import type { Core } from './core.js';
import type { ElementType } from './elements.js';
import { BurrowError } from './errors.js';
import { THREAD } from './exports.js';
import type { LockHandle, LockKind } from './lock.js';
import { isLockHandle, openLock, type Locks } from './locks.js';
import { Mutex } from './mutex.js';
import { Once } from './once.js';
import { RWMutex } from './rwmutex.js';
import { Semaphore } from './semaphore.js';
import { nextCap, Slice, type GrowthRule, type SliceOptions } from './slice.js';
import * as stats from './stats.js';
import { WaitGroup } from './waitgroup.js';
import type { WasmExports, WasmMemory, WasmModule } from './wasm-types.js';

/**
 * What lets one other thread join: give it to `attach()` there. It can be sent by postMessage, to workers of the same
 * page or process, and serves once.
 */
export interface Token {
  readonly kind: 'burrow-token';
  /** What all threads of the runtime know of it. */
  readonly facts: { readonly id: string; readonly workers: number; readonly maxBytes: number };
  readonly module: WasmModule;
  readonly memory: WasmMemory;
  /** Address of the thread's record. */
  readonly thread: number;
}

/** What every thread can do with a runtime: the one that started it and those that joined. */
export abstract class BaseRuntime {
  /** @internal */
  protected readonly core: Core;
  #shared: number[] = [];
  #alone = true;

  /** @internal */
  constructor(core: Core) {
    this.core = core;
  }

  /** Number of workers that run goroutines. */
  get workers(): number {
    return this.core.facts.workers;
  }

  /** Whether the runtime has ended, for whatever reason, or this thread has left it. */
  get closed(): boolean {
    return this.core.ended() !== undefined;
  }

  /** Allocates memory that all threads see. */
  alloc(size: number): Block {
    return Block.make(this.core, size);
  }

  /**
   * Makes a slice.
   *
   * @example
   * const s = rt.slice('f64', { len: 3, cap: 8 });
   */
  slice<T extends ElementType>(type: T, options?: SliceOptions): Slice<T> {
    return Slice.make(this.core, type, options);
  }

  /**
   * Makes a channel.
   *
   * @param capacity - values that it holds without a receiver; 0 is a rendezvous
   * @example
   * const done = rt.chan('bool');
   * const packets = rt.chan({ bytes: 1500 }, 64);
   */
  chan<T extends ElementType>(type: T, capacity = 0): Chan<T> {
    return Chan.make(this.core, type, capacity);
  }

  /** Makes a mutex. */
  mutex(): Mutex {
    return Mutex.make(this.core);
  }

  /** Makes a read-write mutex. */
  rwMutex(): RWMutex {
    return RWMutex.make(this.core);
  }

  /**
   * Makes a semaphore.
   *
   * @param permits - how many it begins with
   */
  semaphore(permits: number): Semaphore {
    return Semaphore.make(this.core, permits);
  }

  /** Makes a wait group. */
  waitGroup(): WaitGroup {
    return WaitGroup.make(this.core);
  }

  /** Makes something that is done once. */
  once(): Once {
    return Once.make(this.core);
  }

  /**
   * Makes a condition variable for what `mutex` guards.
   *
   * @example
   * const filled = rt.cond(mu);
   */
  cond(mutex: Mutex): Cond {
    return Cond.make(this.core, mutex);
  }

  /** The channel that another thread's `handle()` names. */
  open<T extends ElementType>(handle: ChanHandle<T>): Chan<T>;
  /** The lock that another thread's `handle()` names. */
  open<K extends LockKind>(handle: LockHandle<K>): Locks[K];
  open(handle: ChanHandle | LockHandle): Chan<ElementType> | Locks[LockKind] {
    return isLockHandle(handle) ? openLock(this.core, handle) : Chan.open(this.core, handle);
  }

  /**
   * A token with which one worker can join: call it once for each.
   *
   * @example
   * const worker = new Worker(new URL('./task.js', import.meta.url), { type: 'module' });
   * worker.postMessage({ token: rt.share(), ch: ch.handle() });
   */
  share(): Token {
    const { core } = this;
    core.check();
    this.#freeLeft();
    const thread = core.exports.bw_js_thread_make() >>> 0;
    if (thread === 0) throw new BurrowError('ENOMEM', 'out of memory for another thread');
    this.#shared.push(thread);
    this.#alone = false;
    const { module, memory } = core.instance;
    return { kind: 'burrow-token', facts: core.facts, module, memory, thread };
  }

  /** @internal Whether no thread was ever invited. */
  protected get alone(): boolean {
    return this.#alone;
  }

  // Stacks of threads that have come and gone.
  #freeLeft(): void {
    const { heap, exports } = this.core;
    this.#shared = this.#shared.filter((thread) => {
      if (heap.load(thread + THREAD.claimed) !== LEFT) return true;
      exports.bw_js_thread_free(thread);
      return false;
    });
  }

  /** Where an address lies; `undefined` when it is in no span that is in use. */
  where(ptr: number): stats.Where | undefined {
    return stats.where(this.core, ptr);
  }

  /** The size-class table; row 0 stands for large objects. */
  sizeClasses(): stats.SizeClass[] {
    return stats.sizeClasses(this.core);
  }

  /** The size class that serves `size` bytes; 0 for a large object. */
  sizeClassOf(size: number): number {
    return stats.sizeClassOf(this.core, size);
  }

  /** What the allocator holds. */
  allocStats(): stats.AllocStats {
    return stats.allocStats(this.core);
  }

  /** The size of linear memory. */
  memory(): stats.MemoryInfo {
    return stats.memoryInfo(this.core);
  }

  /** What processor `index` (0 to `workers - 1`) has done. */
  procStats(index: number): stats.ProcStats {
    return stats.procStats(this.core, index);
  }

  /** All spans in the order of their addresses. */
  spans(): stats.Span[] {
    return stats.spans(this.core);
  }

  /** The objects of the span that an address is in, one by one; `undefined` when it is in none that is in use. */
  objects(ptr: number): stats.SpanObjects | undefined {
    return stats.objects(this.core, ptr);
  }

  /** Goroutines that have not ended. */
  numGoroutine(): number {
    this.core.check();
    return this.core.exports.bw_js_num_goroutine();
  }

  /**
   * The capacity that an append gets when `needed` elements do not fit into `oldCap`.
   *
   * @example
   * rt.nextCap('go118', 8, 512, 513);   // 848
   */
  nextCap(rule: GrowthRule, elemSize: number, oldCap: number, needed: number): number {
    return nextCap(this.core, rule, elemSize, oldCap, needed);
  }

  /**
   * For modules with functions of their own, built on Burrow's C library: the exports of this thread's instance, and
   * the memory. A view of `memory.buffer` goes stale when any thread grows the memory: use `bytes`.
   */
  get raw(): { readonly exports: WasmExports; readonly memory: WasmMemory } {
    return { exports: this.core.instance.raw, memory: this.core.instance.memory };
  }

  /** A fresh view of memory, wherever it was grown. */
  bytes(ptr: number, size: number): Uint8Array {
    return this.core.heap.bytes(ptr, size);
  }
}

/** @internal What `claimed` holds when a thread has left and its record may be freed. */
export const LEFT = 2;
