// The page by which every thread learns that the runtime ended (bw_js_death in abi.h).
//
//   word 0      0 alive, 1 died, 2 stopped; written last
//   word 1      length of the message in bytes
//   word 2..    the message
//   last word   claimed by the first thread that reports a death: only that one writes
import { BurrowError } from './errors.js';
import type { Heap } from './memory.js';

const WORDS = 1024;
const TEXT_MAX = 4000;

/** @internal */
export const ALIVE = 0;
/** @internal */
export const DIED = 1;
/** @internal */
export const STOPPED = 2;

// The line that says why; what is around it is the dump.
function headline(text: string): string {
  const lines = text.match(/^(panic|fatal error): .*$/gm);
  return lines?.at(-1) ?? text.trim().split('\n').at(-1) ?? '';
}

/** @internal */
export class DeathPage {
  readonly #heap: Heap;
  /** Its address. */
  readonly at: number;

  constructor(heap: Heap, at: number) {
    this.#heap = heap;
    this.at = at;
  }

  get state(): number {
    return this.#heap.load(this.at);
  }

  /** Writes the message, unless another thread has. The caller wakes the others. */
  died(text: string): void {
    if (!this.#heap.exchangeIf(this.at + (WORDS - 1) * 4, 0, 1)) return;
    const bytes = new TextEncoder().encode(text).slice(-TEXT_MAX);
    this.#heap.bytes(this.at + 8, TEXT_MAX).set(bytes);
    this.#heap.store(this.at + 4, bytes.length);
    this.#heap.store(this.at, DIED);
  }

  /** Says that the runtime was stopped, unless it died before. */
  stopped(): void {
    this.#heap.exchangeIf(this.at, ALIVE, STOPPED);
  }

  /** The error that every operation gets from now on; undefined while the runtime lives. */
  error(): BurrowError | undefined {
    const state = this.state;
    if (state === ALIVE) return undefined;
    if (state === STOPPED) return new BurrowError('ESTOPPED', 'the runtime was stopped');
    const length = Math.min(this.#heap.load(this.at + 4), TEXT_MAX);
    const detail = new TextDecoder().decode(this.#heap.copy(this.at + 8, length));
    return new BurrowError('EFATAL', headline(detail) || 'the runtime died', { detail });
  }
}
