import type { Core } from './core.js';
import { BurrowError, describe, EAGAIN, ESTATE } from './errors.js';
import { LOCK } from './exports.js';
import { Lock, makePlace, type Place } from './lock.js';
import { Mutex } from './mutex.js';
import { wait, waitSync, type BlockOptions, type WaitOptions } from './wait.js';

/**
 * Go's condition variable: where threads and goroutines wait for something to become true that a mutex guards.
 *
 * A wait unlocks the mutex, waits for a signal, and locks it again: so look again then, somebody else may have had it. A
 * wait that is given up comes back with the mutex locked as well. Who waits is woken in the order of the calls.
 *
 * @example
 * await mu.run(async () => {
 *   while (queue.len === 0) await filled.wait();
 *   take(queue);
 * });
 */
export class Cond extends Lock<'cond'> {
  readonly #mutex: Mutex;

  /** @internal */
  constructor(place: Place, mutex?: Mutex) {
    super('cond', place);
    const { core, at } = place;
    const owner = { core, at: core.heap.u32(at + LOCK.condMutex), id: core.heap.u32(at + LOCK.condMutexId) };
    this.#mutex = mutex ?? new Mutex(owner);
  }

  /** @internal */
  static make(core: Core, mutex: Mutex): Cond {
    if (!(mutex instanceof Mutex)) throw new TypeError(`cond() takes a Mutex, not ${describe(mutex)}`);
    const owner = Mutex.placeOf(mutex);
    if (owner.core !== core) throw new TypeError('cond() takes a mutex of the same runtime');
    return new Cond(makePlace(core, 'cond', 0, owner), mutex);
  }

  /** Its mutex. */
  get mutex(): Mutex {
    return this.#mutex;
  }

  /** Waits for a signal; the mutex is locked before and after. `ESTATE` when it is not locked. */
  wait(options?: WaitOptions): Promise<void> {
    return wait(this.place.core, 'wait', (key) => this.#begin(key), options);
  }

  /** As `wait`, but blocks the thread: only on workers. */
  waitSync(options?: BlockOptions): void {
    waitSync(this.place.core, 'waitSync', (key) => this.#begin(key), options);
  }

  /** Wakes the first who waits; nothing happens when nobody does. The mutex need not be locked. */
  signal(): void {
    this.#wake('signal', 0);
  }

  /** Wakes all who wait. */
  broadcast(): void {
    this.#wake('broadcast', 1);
  }

  #begin(key: number): number {
    const { core, at, id } = this.place;
    const code = core.exports.bw_js_cond_wait(at, id, key);
    if (code === ESTATE) throw new BurrowError('ESTATE', 'wait at a condition whose mutex is not locked');
    return code === EAGAIN ? code : core.need(code, 'wait');
  }

  #wake(name: string, all: number): void {
    const { core, at, id } = this.place;
    core.check();
    core.need(core.exports.bw_js_cond_wake(at, id, all), name);
  }
}
