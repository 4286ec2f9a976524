import { BaseRuntime, LEFT, type Token } from './base.js';
import { Core } from './core.js';
import { BurrowError, describe } from './errors.js';
import { THREAD } from './exports.js';
import { Instance } from './instance.js';
import { onBlockingThread } from './platform.js';

/** A runtime as a thread sees it that joined with `attach()`. */
export class AttachedRuntime extends BaseRuntime {
  readonly #thread: number;

  /** @internal */
  constructor(core: Core, thread: number) {
    super(core);
    this.#thread = thread;
  }

  /**
   * Leaves: pending operations of this thread are taken back and reject with `ESTOPPED`, and its memory caches go to
   * the others. Call it before the thread ends, or what the thread had cached stays unused. Does nothing when the
   * runtime has ended or this thread has left it.
   */
  detach(): void {
    const { core } = this;
    const over = core.ended();
    core.end(over ?? new BurrowError('ESTOPPED', 'this thread has left the runtime'));
    if (over) return;
    core.leave();
    core.heap.store(this.#thread + THREAD.claimed, LEFT);
  }
}

/**
 * Joins a runtime that another thread started. For workers; a page's main thread can only start one.
 *
 * @param token - what `share()` gave on the other side; good for one thread
 * @example
 * import { attach } from 'burrow-runtime';
 *
 * addEventListener('message', async ({ data }) => {
 *   const rt = await attach(data.token);
 *   const ch = rt.open(data.ch);
 *   for (let i = 0; i < 1000; i++) ch.sendSync(i);
 *   ch.close();
 *   rt.detach();
 * });
 */
export async function attach(token: Token): Promise<AttachedRuntime> {
  if (typeof token !== 'object' || token === null || token.kind !== 'burrow-token') {
    throw new TypeError(`attach() takes what share() gave, not ${describe(token)}`);
  }
  if (!onBlockingThread()) throw new BurrowError('ENOTSUP', 'attach() is for workers: this thread must not block');
  const instance = await Instance.further(token.module, token.memory, token.thread);
  const core = new Core(instance, token.facts);
  core.check();
  return new AttachedRuntime(core, token.thread);
}
