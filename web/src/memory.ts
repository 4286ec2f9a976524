// The one shared memory, and looking at it from JavaScript.
//
// Stale memory. When one thread grows shared memory, the `buffer` that another thread sees keeps its old
// length (in Chromium for good) until that thread calls grow(0). A view is therefore made for an address,
// never kept for ever: Heap compares the end of what is asked for with what it sees and refreshes when
// that is short. Memory never shrinks, so a view that is long enough is right.
import { BurrowError } from './errors.js';

/** @internal */
export const PAGE = 65536;
/** @internal Pages in 4 GB. */
export const MAX_PAGES = 65536;

/** @internal Limits in pages. */
export interface Limits {
  initial: number;
  maximum: number;
}

/** @internal What a module of this project asks for when its bytes are not at hand. */
export const usualLimits: Limits = { initial: 16, maximum: MAX_PAGES };

/** @internal The limits of the memory that the module imports. JavaScript has no other way to ask. */
export function readLimits(bytes: Uint8Array): Limits {
  let at = 8;
  const number = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  const skip = (count: number): void => void (at += count);
  while (at < bytes.length) {
    const section = number();
    const end = number() + at;
    if (section === 2) {
      for (let imports = number(); imports > 0; imports--) {
        skip(number());
        skip(number());
        const kind = bytes[at++];
        if (kind === 0) number();
        else if (kind === 3) skip(2);
        else {
          if (kind === 1) skip(1);
          const flags = number();
          const initial = number();
          const maximum = flags & 1 ? number() : MAX_PAGES;
          if (kind === 2) return { initial, maximum };
        }
      }
    }
    at = end;
  }
  throw new BurrowError('ELOAD', 'this WebAssembly module imports no memory: it is not a build of Burrow');
}

/** @internal A memory, and the limit it was made with: JavaScript cannot ask for that later. */
export interface SharedMemory {
  memory: WebAssembly.Memory;
  maxBytes: number;
}

/** @internal A shared memory within the limits; a smaller maximum where the system refuses the one wanted. */
export function makeMemory({ initial, maximum }: Limits): SharedMemory {
  for (let pages = maximum; ; pages = Math.max(initial, Math.floor(pages / 2))) {
    try {
      const memory = new WebAssembly.Memory({ initial, maximum: pages, shared: true });
      return { memory, maxBytes: pages * PAGE };
    } catch (cause) {
      if (pages <= initial) throw new BurrowError('ENOMEM', 'the system gives no shared memory', { cause });
    }
  }
}

/** @internal One thread's views on the memory. */
export class Heap {
  readonly #memory: WebAssembly.Memory;
  #view!: DataView;
  #words!: Int32Array;
  #size = 0;

  constructor(memory: WebAssembly.Memory) {
    this.#memory = memory;
    this.#look();
  }

  #look(): void {
    const { buffer } = this.#memory;
    this.#view = new DataView(buffer);
    this.#words = new Int32Array(buffer);
    this.#size = buffer.byteLength;
  }

  #reach(at: number, size: number): void {
    if (at + size <= this.#size) return;
    this.#memory.grow(0);
    this.#look();
    if (at + size > this.#size) throw new RangeError(`address ${at} with ${size} bytes lies outside of memory`);
  }

  /** A view of the whole memory in which [at, at + size) lies. */
  view(at: number, size: number): DataView {
    this.#reach(at, size);
    return this.#view;
  }

  /** A fresh view of these bytes. */
  bytes(at: number, size: number): Uint8Array<ArrayBufferLike> {
    this.#reach(at, size);
    return new Uint8Array(this.#view.buffer, at, size);
  }

  /** A copy of these bytes; what TextDecoder and file systems want. */
  copy(at: number, size: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.bytes(at, size));
  }

  /** All words, for Atomics; the word at address `at` has the index at / 4. */
  words(at: number): Int32Array {
    this.#reach(at, 4);
    return this.#words;
  }

  load(at: number): number {
    return Atomics.load(this.words(at), at >>> 2);
  }

  store(at: number, value: number): void {
    Atomics.store(this.words(at), at >>> 2, value);
  }

  exchangeIf(at: number, expected: number, value: number): boolean {
    return Atomics.compareExchange(this.words(at), at >>> 2, expected, value) === expected;
  }

  u32(at: number): number {
    return this.view(at, 4).getUint32(at, true);
  }

  i32(at: number): number {
    return this.view(at, 4).getInt32(at, true);
  }

  /** `count` numbers of 64 bits. Counters and sizes stay below 2 ** 53. */
  u64s(at: number, count: number): number[] {
    const view = this.view(at, count * 8);
    return Array.from({ length: count }, (_, i) => Number(view.getBigUint64(at + i * 8, true)));
  }
}
