import type { Core } from './core.js';
import { BurrowError, checkInteger, ERANGE, ESTATE } from './errors.js';
import { Lock, makePlace, type Place } from './lock.js';
import { releasing, wait, waitSync, type BlockOptions, type WaitOptions } from './wait.js';

const COUNT_MAX = 2 ** 31 - 1;

/**
 * Go's wait group: counts what is not done yet; any number may wait until that is 0.
 *
 * @example
 * const wg = rt.waitGroup();
 * for (const worker of workers) {
 *   wg.add();
 *   worker.postMessage({ wg: wg.handle() }); // calls rt.open(wg).done()
 * }
 * await wg.wait();
 */
export class WaitGroup extends Lock<'waitgroup'> {
  /** @internal */
  constructor(place: Place) {
    super('waitgroup', place);
  }

  /** @internal */
  static make(core: Core): WaitGroup {
    return new WaitGroup(makePlace(core, 'waitgroup'));
  }

  /**
   * Adds to the count, or takes from it when `n` is negative. At 0 all who wait go on. A RangeError when it would be
   * negative, or more than 2147483647.
   */
  add(n = 1): void {
    const { core, at, id } = this.place;
    checkInteger('n', n, -COUNT_MAX, COUNT_MAX);
    core.check();
    const code = core.exports.bw_js_waitgroup_add(at, id, n);
    if (code === ERANGE && n < 0) throw new RangeError('sync: negative WaitGroup counter');
    if (code === ERANGE) throw new RangeError('sync: WaitGroup counter out of range');
    if (code === ESTATE) {
      throw new BurrowError('ESTATE', 'sync: WaitGroup misuse: Add called concurrently with Wait');
    }
    core.need(code, 'add');
  }

  /** Takes 1 from the count. */
  done(): void {
    this.add(-1);
  }

  /** Settles when the count is 0. */
  wait(options?: WaitOptions): Promise<void> {
    const { core, at, id } = this.place;
    return wait(core, 'wait', (key) => core.exports.bw_js_waitgroup_wait(at, id, key), options);
  }

  /** As `wait`, but blocks the thread: only on workers. */
  waitSync(options?: BlockOptions): void {
    const { core, at, id } = this.place;
    waitSync(core, 'waitSync', (key) => core.exports.bw_js_waitgroup_wait(at, id, key), options);
  }

  /** Adds 1 and calls `fn`; it is done when what that returns has settled. Resolves with the result. */
  async go<R>(fn: () => R): Promise<Awaited<R>> {
    this.add();
    return releasing(this.place.core, () => this.done(), fn);
  }
}
