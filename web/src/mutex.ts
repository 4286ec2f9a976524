import type { Core } from './core.js';
import { ALIVE } from './death.js';
import { BurrowError, EAGAIN, ESTATE, OK } from './errors.js';
import { LOCK, OP, TAKEN } from './exports.js';
import { Lock, makePlace, type Place } from './lock.js';
import { idle, looksHelp } from './pause.js';
import { releasing, releasingSync, wait, waitSync, type BlockOptions, type WaitOptions } from './wait.js';

const LOCKED = 1, WOKEN = 2, STARVING = 4, WAITERS = 3; // the last: how far up they are counted

// Looking on, in us: the looks are so far apart, at first; doubled each time that the mutex is found locked again so soon
// after that, up to so far; and all of them take so long, about what a sleep and being woken cost. A mutex that changes
// hands brings along, from another core, its own line and those that it guards, which may take a microsecond. Who stays
// away for 8 lets the other lock and unlock dozens of times in between: together they get most done when they meet seldom.
const APART_MIN = 1, SOON = 100, APART_MAX = 8, LOOKS_ON = 20;

/**
 * @internal A bw_mutex in a record: its own, or a once's. What changes nothing but LOCKED is done here, without a call:
 * a lock of one that is free (bw_mutex_trylock), and an unlock that has nobody to wake, since nobody waits or one is awake
 * already (the bits are those of sync/mutex.c). All else is the module's to do.
 *
 * A thread that may sleep and finds it locked looks on for a while before it does, and again each time it was woken. Either
 * of them competes by take(), as a newcomer, and neither says so in the word:
 *
 *   - one who comes does not set WOKEN, as Go has it: it would be lost with a worker that is ended here, and nobody would
 *     be woken any more. So an unlock may wake one who sleeps, and then both compete;
 *   - for one who was woken WOKEN is set, and is its operation's, which stays in the agent's queue with EAGAIN. So all
 *     unlocks meanwhile wake nobody and need no call. What may happen:
 *
 *       it takes the mutex, makes the code TAKEN, and then has the module take the operation off: that clears WOKEN.
 *         Others who see LOCKED and WOKEN between the two see what they see when another has it and one is awake
 *       it does not get it, or finds STARVING: the module tries (it is its mutex, if STARVING) and lets it wait again
 *       the time is over: the operation cannot be taken back any more and arrives, by one of these two ways
 *       its worker is ended: whoever frees the thread finds the operation, TAKEN or not, and unlocks or gives up for it
 *
 *     The code says EAGAIN only after the unlock that has set WOKEN, until the module has the operation wait again.
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
  readonly #mayBlock: boolean;
  #apart = APART_MIN;
  #gotAt = -Infinity; // in ms, after looking on

  constructor(place: Place, offset: number) {
    const { core, at } = place;
    this.#place = place;
    this.#words = core.heap.words(Math.max(at + offset, core.instance.death.at));
    this.#index = (at + offset) >>> 2;
    this.#idIndex = (at + LOCK.id) >>> 2;
    this.#deathIndex = core.instance.death.at >>> 2;
    this.#mayBlock = core.mayBlock;
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

  lockSync(options?: BlockOptions): void {
    if (options !== undefined || !this.#mayBlock || !this.take()) this.#lockSyncLocked(options);
  }

  // Woken, it competes with those who run already, as a goroutine does: a thread that is asleep and is given the mutex
  // keeps all others waiting until it is awake. (Apart from lockSync, which so makes nothing for a closure.)
  #lockSyncLocked(options?: BlockOptions): void {
    const { core, at, id } = this.#place;
    core.checkMayBlock('lockSync');
    if (options === undefined && this.#lookOn(performance.now())) return;
    const begin = (key: number): number => core.exports.bw_js_mutex_lock(at, id, key, 1);
    waitSync(core, 'lockSync', begin, options, (op) => this.#tryAgain(op));
  }

  // It is locked, and was just now, at `since` (performance.now()). Whether it is ours after a while.
  #lookOn(since: number): boolean {
    if (!looksHelp) return false;
    this.#apart = since - this.#gotAt < SOON / 1000 ? Math.min(this.#apart * 2, APART_MAX) : APART_MIN;
    for (let time = since; time - since < LOOKS_ON / 1000; ) {
      idle(this.#apart);
      const got = this.take();
      time = performance.now();
      if (got) this.#gotAt = time;
      if (got) return true;
      if ((this.#words[this.#index]! & STARVING) !== 0 || this.#ended()) return false;
    }
    return false;
  }

  #tryAgain(op: number): void {
    const { heap } = this.#place.core;
    if (heap.load(op + OP.code) !== EAGAIN) return;
    if (this.take() || this.#lookOn(performance.now())) heap.store(op + OP.code, TAKEN);
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
