import type { Core } from './core.js';
import { checkInteger, EAGAIN, ERANGE, OK } from './errors.js';
import { Lock, makePlace, type Place } from './lock.js';
import { releasing, wait, waitSync, type BlockOptions, type WaitOptions } from './wait.js';

const PERMITS_MAX = 2 ** 31 - 1;

/**
 * A number of permits, shared by goroutines and by JavaScript on all threads. Who waits is served first come, first
 * served.
 *
 * @example
 * const connections = rt.semaphore(4);
 * const pages = await Promise.all(urls.map((url) => connections.run(() => fetch(url))));
 */
export class Semaphore extends Lock<'semaphore'> {
  /** @internal */
  constructor(place: Place) {
    super('semaphore', place);
  }

  /** @internal */
  static make(core: Core, permits: number): Semaphore {
    checkInteger('permits', permits, 0, PERMITS_MAX);
    return new Semaphore(makePlace(core, 'semaphore', permits));
  }

  /** Takes a permit. */
  acquire(options?: WaitOptions): Promise<void> {
    const { core, at, id } = this.place;
    return wait(core, 'acquire', (key) => core.exports.bw_js_sema_acquire(at, id, key), options);
  }

  /** As `acquire`, but blocks the thread: only on workers. */
  acquireSync(options?: BlockOptions): void {
    const { core, at, id } = this.place;
    waitSync(core, 'acquireSync', (key) => core.exports.bw_js_sema_acquire(at, id, key), options);
  }

  /** Takes a permit if there is one; says whether there was. */
  tryAcquire(): boolean {
    const { core, at, id } = this.place;
    core.check();
    const code = core.exports.bw_js_sema_try_acquire(at, id);
    return code === EAGAIN ? false : core.need(code, 'tryAcquire') === OK;
  }

  /** Gives permits, also such as nobody has taken. */
  release(permits = 1): void {
    const { core, at, id } = this.place;
    checkInteger('permits', permits, 0, PERMITS_MAX);
    core.check();
    const code = core.exports.bw_js_sema_release(at, id, permits);
    if (code === ERANGE) throw new RangeError(`a semaphore holds no more than ${PERMITS_MAX} permits`);
    core.need(code, 'release');
  }

  /** Takes a permit, calls `fn` and waits for what it returns, and gives the permit back, whatever comes of it. */
  async run<R>(fn: () => R, options?: WaitOptions): Promise<Awaited<R>> {
    await this.acquire(options);
    return releasing(this.place.core, () => this.release(), fn);
  }
}
