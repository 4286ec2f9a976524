import { BurrowError, checkInteger } from './errors.js';
import type { Core } from './core.js';
import { where } from './stats.js';

/**
 * A block of the shared memory, as `malloc` gives it. It is not freed by JavaScript's collector: other threads may
 * know its address.
 *
 * @example
 * const block = rt.alloc(100);
 * block.bytes().fill(7);
 * block.usable; // 112: the size class that serves 100 bytes
 * block.free();
 */
export class Block {
  readonly #core: Core;
  readonly #size: number;
  readonly #ptr: number;
  #freed = false;

  private constructor(core: Core, size: number) {
    this.#core = core;
    this.#size = checkInteger('size', size, 0, 2 ** 32 - 1);
    this.#ptr = core.allocate(size);
  }

  /** @internal */
  static make(core: Core, size: number): Block {
    core.check();
    return new Block(core, size);
  }

  /** Its address. */
  get ptr(): number {
    return this.#ptr;
  }

  /** Bytes asked for. */
  get size(): number {
    return this.#size;
  }

  /** Bytes that may be used: the size class, or whole pages. */
  get usable(): number {
    this.#check();
    return where(this.#core, this.#ptr)!.objectSize;
  }

  /** A fresh view of the `size` bytes. Make a new one after each `await`. */
  bytes(): Uint8Array {
    this.#check();
    return this.#core.heap.bytes(this.#ptr, this.#size);
  }

  /** Gives the memory back. Throws when that was done before. */
  free(): void {
    this.#check();
    this.#freed = true;
    this.#core.exports.bw_js_free(this.#ptr);
  }

  #check(): void {
    this.#core.check();
    if (this.#freed) throw new BurrowError('EHANDLE', 'this block was freed');
  }
}
