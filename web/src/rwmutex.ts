import type { Core } from './core.js';
import { BurrowError, EAGAIN, ESTATE, OK } from './errors.js';
import { Lock, makePlace, type Place } from './lock.js';
import { releasing, releasingSync, wait, waitSync, type BlockOptions, type WaitOptions } from './wait.js';

const READS = 0;
const WRITES = 1;

/**
 * Go's read-write mutex: held by any number of readers, or by one writer. A writer that waits keeps new readers out, so
 * nobody may read-lock it twice: between the two a writer may have come.
 *
 * @example
 * const table = rt.rwMutex();
 * const value = await table.read(() => lookUp(key));
 * await table.write(() => change(key, value + 1));
 */
export class RWMutex extends Lock<'rwmutex'> {
  /** @internal */
  constructor(place: Place) {
    super('rwmutex', place);
  }

  /** @internal */
  static make(core: Core): RWMutex {
    return new RWMutex(makePlace(core, 'rwmutex'));
  }

  /** Locks for reading. */
  rlock(options?: WaitOptions): Promise<void> {
    return this.#lock('rlock', READS, options);
  }

  /** As `rlock`, but blocks the thread: only on workers. */
  rlockSync(options?: BlockOptions): void {
    this.#lockSync('rlockSync', READS, options);
  }

  /** Locks for reading if that is possible at once; says whether it was. */
  tryRlock(): boolean {
    return this.#tryLock('tryRlock', READS);
  }

  /** Gives up one reader's lock. `ESTATE` when no reader has one. */
  runlock(): void {
    this.#unlock('runlock', READS, 'sync: RUnlock of unlocked RWMutex');
  }

  /** Locks for writing. */
  lock(options?: WaitOptions): Promise<void> {
    return this.#lock('lock', WRITES, options);
  }

  /** As `lock`, but blocks the thread: only on workers. */
  lockSync(options?: BlockOptions): void {
    this.#lockSync('lockSync', WRITES, options);
  }

  /** Locks for writing if that is possible at once; says whether it was. */
  tryLock(): boolean {
    return this.#tryLock('tryLock', WRITES);
  }

  /** Gives up the writer's lock. `ESTATE` when no writer has it. */
  unlock(): void {
    this.#unlock('unlock', WRITES, 'sync: Unlock of unlocked RWMutex');
  }

  /** Locks for reading, calls `fn` and waits for what it returns, and unlocks, whatever comes of it. */
  async read<R>(fn: () => R, options?: WaitOptions): Promise<Awaited<R>> {
    await this.rlock(options);
    return releasing(this.place.core, () => this.runlock(), fn);
  }

  /** The same on a worker, which it blocks. */
  readSync<R>(fn: () => R, options?: BlockOptions): R {
    this.rlockSync(options);
    return releasingSync(this.place.core, () => this.runlock(), fn);
  }

  /** Locks for writing, calls `fn` and waits for what it returns, and unlocks, whatever comes of it. */
  async write<R>(fn: () => R, options?: WaitOptions): Promise<Awaited<R>> {
    await this.lock(options);
    return releasing(this.place.core, () => this.unlock(), fn);
  }

  /** The same on a worker, which it blocks. */
  writeSync<R>(fn: () => R, options?: BlockOptions): R {
    this.lockSync(options);
    return releasingSync(this.place.core, () => this.unlock(), fn);
  }

  #lock(name: string, writes: number, options?: WaitOptions): Promise<void> {
    const { core, at, id } = this.place;
    return wait(core, name, (key) => core.exports.bw_js_rwmutex_lock(at, id, key, writes), options);
  }

  #lockSync(name: string, writes: number, options?: BlockOptions): void {
    const { core, at, id } = this.place;
    waitSync(core, name, (key) => core.exports.bw_js_rwmutex_lock(at, id, key, writes), options);
  }

  #tryLock(name: string, writes: number): boolean {
    const { core, at, id } = this.place;
    core.check();
    const code = core.exports.bw_js_rwmutex_try_lock(at, id, writes);
    return code === EAGAIN ? false : core.need(code, name) === OK;
  }

  #unlock(name: string, writes: number, misuse: string): void {
    const { core, at, id } = this.place;
    core.check();
    const code = core.exports.bw_js_rwmutex_unlock(at, id, writes);
    if (code === ESTATE) throw new BurrowError('ESTATE', misuse);
    core.need(code, name);
  }
}
