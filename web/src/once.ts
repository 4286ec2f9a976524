import type { Core } from './core.js';
import { BurrowError } from './errors.js';
import { LOCK } from './exports.js';
import { Lock, makePlace, type Place } from './lock.js';
import { MutexWord } from './mutex.js';
import { releasing, releasingSync, type BlockOptions, type WaitOptions } from './wait.js';

/**
 * Something that is done once, on whatever thread comes first.
 *
 * @example
 * const ready = rt.once();
 * await ready.do(async () => fillTable(await load())); // on each thread, before it looks at the table
 */
export class Once extends Lock<'once'> {
  readonly #mutex: MutexWord;

  /** @internal */
  constructor(place: Place) {
    super('once', place);
    this.#mutex = new MutexWord(place, LOCK.onceMutex);
  }

  /** @internal */
  static make(core: Core): Once {
    return new Once(makePlace(core, 'once'));
  }

  /** Whether it is done. */
  get done(): boolean {
    const { core, at, id } = this.place;
    core.check();
    const done = core.heap.load(at + LOCK.onceDone) !== 0;
    if (core.heap.load(at + LOCK.id) !== id) throw new BurrowError('EHANDLE', 'once: not a live handle of this runtime');
    return done;
  }

  /**
   * Calls `fn` if this is the first call, and waits for what it returns; else waits until the first call's is over, also
   * if it failed. Resolves with whether `fn` was called; rejects if it failed. Within `fn`, it would wait for itself.
   */
  async do(fn: () => unknown, options?: WaitOptions): Promise<boolean> {
    if (this.done) return false;
    await this.#mutex.lock(options);
    return releasing(this.place.core, () => this.#mutex.unlock(), () => this.#first(fn));
  }

  /** The same on a worker, which it blocks; `fn` is done when it returns. */
  doSync(fn: () => unknown, options?: BlockOptions): boolean {
    if (this.done) return false;
    this.#mutex.lockSync(options);
    return releasingSync(this.place.core, () => this.#mutex.unlock(), () => this.#firstSync(fn));
  }

  async #first(fn: () => unknown): Promise<boolean> {
    if (this.done) return false;
    await releasing(this.place.core, () => this.#setDone(), fn);
    return true;
  }

  #firstSync(fn: () => unknown): boolean {
    if (this.done) return false;
    releasingSync(this.place.core, () => this.#setDone(), fn);
    return true;
  }

  #setDone(): void {
    this.place.core.heap.store(this.place.at + LOCK.onceDone, 1);
  }
}
