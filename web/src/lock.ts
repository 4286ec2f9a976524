// What all locks have in common: a record in the shared memory (bw_js_lock in abi.h), its address, and its id, which
// is the handle that names it on other threads. Every use says both; the record knows whether they still belong together.
import type { Core } from './core.js';
import { BurrowError, describe, ESTATE } from './errors.js';
import { LOCK } from './exports.js';

/** The kinds of locks, as handles name them. */
export type LockKind = 'mutex' | 'rwmutex' | 'semaphore' | 'waitgroup' | 'once' | 'cond';

/** A lock's name, for postMessage. Give it to `open()` of a runtime on another thread. */
export interface LockHandle<K extends LockKind = LockKind> {
  readonly kind: K;
  readonly id: number;
  /** The runtime it belongs to. */
  readonly runtime: string;
}

/** @internal bw_js_lock_kind. */
export const kinds: Readonly<Record<LockKind, number>> = {
  mutex: 0,
  rwmutex: 1,
  semaphore: 2,
  waitgroup: 3,
  once: 4,
  cond: 5,
};

/** @internal What a lock is made of. */
export interface Place {
  readonly core: Core;
  readonly at: number;
  readonly id: number;
}

/** @internal A new record. `mutex` is a condition's. */
export function makePlace(core: Core, kind: LockKind, permits = 0, mutex?: Place): Place {
  core.check();
  const made = core.exports.bw_js_lock_make(kinds[kind], permits, mutex?.at ?? 0, mutex?.id ?? 0);
  const id = core.need(made, kind);
  return { core, at: core.exports.bw_js_lock_find(id, kinds[kind]) >>> 0, id };
}

/** @internal The record that a handle names. */
export function findPlace(core: Core, handle: LockHandle): Place {
  core.check();
  const { kind, id, runtime } = handle;
  if (!Number.isInteger(id)) throw new TypeError(`open() takes what handle() gave, not ${describe(handle)}`);
  if (runtime !== core.facts.id) throw new BurrowError('EHANDLE', 'this handle belongs to another runtime');
  const at = core.exports.bw_js_lock_find(id, kinds[kind]) >>> 0;
  if (at === 0) throw new BurrowError('EHANDLE', 'open: not a live handle of this runtime');
  return { core, at, id };
}

/** What mutexes and their kin have in common. */
export abstract class Lock<K extends LockKind> {
  /** @internal */
  protected readonly place: Place;
  readonly #kind: K;

  /** @internal */
  constructor(kind: K, place: Place) {
    this.#kind = kind;
    this.place = place;
  }

  /**
   * The address of its C object (`bw_mutex`, `bw_rwmutex`, ...), which is the same on all threads: for modules with
   * functions of their own, whose goroutines may use it as well.
   */
  get ptr(): number {
    return this.place.at + (this.#kind === 'cond' ? LOCK.cond : LOCK.value);
  }

  /** Its name, to be sent to other threads. It is good until the drop. */
  handle(): LockHandle<K> {
    return { kind: this.#kind, id: this.place.id, runtime: this.place.core.facts.id };
  }

  /**
   * Gives it up, for all threads: its handle is worth nothing from now on (`EHANDLE`). `ESTATE` while it is locked, or
   * somebody waits, goroutines that have its `ptr` included. It is not dropped by JavaScript's collector, since other
   * threads may hold its handle.
   */
  drop(): void {
    const { core, at, id } = this.place;
    core.check();
    const code = core.exports.bw_js_lock_drop(at, id);
    if (code === ESTATE) throw new BurrowError('ESTATE', `drop of a ${this.#kind} that is in use`);
    core.need(code, 'drop');
  }
}
