import type { Core } from './core.js';
import { ALIVE } from './death.js';
import { BurrowError, EAGAIN, ESTATE, OK } from './errors.js';
import { LOCK } from './exports.js';
import { Lock, makePlace, type Place } from './lock.js';
import { releasing, releasingSync, wait, waitSync, type BlockOptions, type WaitOptions } from './wait.js';

const LOCKED = 1, WOKEN = 2, STARVING = 4, WAITERS = 3; // the last: how far up they are counted

/**
 * @internal A bw_mutex in a record: its own, or a once's. What changes nothing but LOCKED is done here, without a call:
 * a lock of one that is free (bw_mutex_trylock), and an unlock that has nobody to wake, since nobody waits or one is awake
 * already (the bits are those of sync/mutex.c). All else is the module's to do.
 *
 * What an exchange costs is all that such a change may cost, so the other words are read as plain numbers, for which no
 * function is called: the exchange keeps them in their order. And the view is kept: memory only grows, so it stays good
 * for an address that it had once.
 */
export class MutexWord {
  readonly #place: Place;
  readonly #words: Int32Array;
  readonly #index: number; // of the word
  readonly #idIndex: number;
  readonly #deathIndex: number;

  constructor(place: Place, offset: number) {
    const { core, at } = place;
    this.#place = place;
    this.#words = core.heap.words(Math.max(at + offset, core.instance.death.at));
    this.#index = (at + offset) >>> 2;
    this.#idIndex = (at + LOCK.id) >>> 2;
    this.#deathIndex = core.instance.death.at >>> 2;
  }

  /** Locks if that is possible without a call. The record may be another's by now: then it is unlocked again. */
  take(): boolean {
    if (this.#ended()) return false;
    const was = this.#words[this.#index]!; // the exchange looks again
    if ((was & (LOCKED | STARVING)) !== 0) return false;
    if (Atomics.compareExchange(this.#words, this.#index, was, was | LOCKED) !== was) return false;
    const { core, at, id } = this.#place;
    const now = this.#words[this.#idIndex]!;
    if (now === id) return true;
    core.exports.bw_js_mutex_unlock(at, now);
    return false;
  }

  /** Unlocks if that is possible without a call. */
  #give(): boolean {
    if (this.#ended() || this.#words[this.#idIndex] !== this.#place.id) return false;
    const was = this.#words[this.#index]!;
    if ((was & (LOCKED | STARVING)) !== LOCKED || (was >> WAITERS !== 0 && (was & WOKEN) === 0)) return false;
    return Atomics.compareExchange(this.#words, this.#index, was, was & ~LOCKED) === was;
  }

  #ended(): boolean {
    return this.#words[this.#deathIndex] !== ALIVE || this.#place.core.over;
  }

  lock(options?: WaitOptions): Promise<void> {
    if (options === undefined && this.take()) return Promise.resolve();
    const { core, at, id } = this.#place;
    return wait(core, 'lock', (key) => core.exports.bw_js_mutex_lock(at, id, key, 0), options);
  }

  // Woken, it competes with those who run already, as a goroutine does: a thread that is asleep and is given the mutex
  // keeps all others waiting until it is awake.
  lockSync(options?: BlockOptions): void {
    const { core, at, id } = this.#place;
    core.checkMayBlock('lockSync');
    if (options === undefined && this.take()) return;
    waitSync(core, 'lockSync', (key) => core.exports.bw_js_mutex_lock(at, id, key, 1), options);
  }

  tryLock(): boolean {
    if (this.take()) return true;
    const { core, at, id } = this.#place;
    core.check();
    const code = core.exports.bw_js_mutex_try_lock(at, id);
    return code === EAGAIN ? false : core.need(code, 'tryLock') === OK;
  }

  unlock(): void {
    if (this.#give()) return;
    const { core, at, id } = this.#place;
    core.check();
    const code = core.exports.bw_js_mutex_unlock(at, id);
    if (code === ESTATE) throw new BurrowError('ESTATE', 'sync: unlock of unlocked mutex');
    core.need(code, 'unlock');
  }
}

/**
 * Go's mutex, shared by goroutines and by JavaScript on all threads. It is not recursive, and does not belong to who
 * locked it: any thread may unlock it.
 *
 * Waiting promises get it in the order of their calls, as long as no thread blocks in `lockSync` as well; who has waited
 * for a millisecond is given the mutex before all newcomers.
 *
 * @example
 * const mu = rt.mutex();
 * await mu.run(async () => {
 *   balance.set(0, balance.at(0) + (await deposit()));
 * });
 */
export class Mutex extends Lock<'mutex'> {
  readonly #word: MutexWord;

  /** @internal */
  constructor(place: Place) {
    super('mutex', place);
    this.#word = new MutexWord(place, LOCK.value);
  }

  /** @internal */
  static make(core: Core): Mutex {
    return new Mutex(makePlace(core, 'mutex'));
  }

  /** @internal */
  static placeOf(mutex: Mutex): Place {
    return mutex.place;
  }

  /** Locks. Settles when it is the caller's; see `WaitOptions` for giving up, after which it is not. */
  lock(options?: WaitOptions): Promise<void> {
    return this.#word.lock(options);
  }

  /** As `lock`, but blocks the thread. Only on workers: `ENOTSUP` on a page's or Node's main thread. */
  lockSync(options?: BlockOptions): void {
    this.#word.lockSync(options);
  }

  /** Locks if that is possible at once; says whether it was. */
  tryLock(): boolean {
    return this.#word.tryLock();
  }

  /** Unlocks. `ESTATE` when it is not locked. */
  unlock(): void {
    this.#word.unlock();
  }

  /** Locks, calls `fn` and waits for what it returns, and unlocks, whatever comes of it. Resolves with the result. */
  async run<R>(fn: () => R, options?: WaitOptions): Promise<Awaited<R>> {
    await this.lock(options);
    return releasing(this.place.core, () => this.unlock(), fn);
  }

  /** The same on a worker, which it blocks; `fn` is done when it returns. */
  runSync<R>(fn: () => R, options?: BlockOptions): R {
    this.lockSync(options);
    return releasingSync(this.place.core, () => this.unlock(), fn);
  }
}
