// The objects that the panel allocated, and what each operation did to the allocator's counters.
import type { AllocStats, Block } from 'burrow-runtime';
import { host } from '../app/host.ts';
import { bytes, count } from '../ui/format.ts';

export interface Item {
  id: number;
  asked: number;
  block: Block;
}

// One operation: the counters before and after, and what the system gave on the way.
export interface Operation {
  words: string;
  before: AllocStats;
  after: AllocStats;
}

export interface GrowEvent {
  at: number; // ms since the panel's clock started
  grown: number;
  calls: number;
  total: number;
}

export interface Sample {
  at: number;
  linear: number;
  live: number;
}

const sampleLimit = 4000;

export class AllocatorModel {
  items: Item[] = [];
  chosen: Item | null = null;
  lastClass = 0;
  last: Operation | null = null;
  readonly grows: GrowEvent[] = [];
  samples: Sample[] = [];
  readonly #epoch = performance.now();
  #ids = 0;
  #calls = 0;
  #system = 0;

  now(): number {
    return performance.now() - this.#epoch;
  }

  // A new runtime: nothing of the old one is valid.
  reset(): void {
    this.items = [];
    this.chosen = null;
    this.last = null;
    this.grows.length = 0;
    this.samples = [];
    const stats = host.runtime.allocStats();
    this.#calls = stats.systemCalls;
    this.#system = stats.systemBytes;
    this.sample();
  }

  allocate(size: number, times: number): void {
    const watchEvery = Math.max(1, Math.floor(times / 200));
    this.#operate(`allocate ${bytes(size)} × ${count(times)}`, () => {
      for (let i = 0; i < times; i++) {
        const block = host.runtime.alloc(size);
        this.items.push({ id: ++this.#ids, asked: size, block });
        if (i % watchEvery === 0) this.sample();
      }
    });
    this.chosen = this.items.at(-1) ?? null;
    this.lastClass = host.runtime.sizeClassOf(size);
  }

  free(which: (item: Item, index: number) => boolean, words: string): number {
    const kept: Item[] = [];
    let freed = 0;
    this.#operate(words, () => {
      this.items.forEach((item, index) => {
        if (!which(item, index)) {
          kept.push(item);
          return;
        }
        item.block.free();
        freed++;
      });
    });
    this.items = kept;
    if (this.chosen && !kept.includes(this.chosen)) this.chosen = null;
    return freed;
  }

  // Looks at the counters: a point for the chart, and an event when the system was asked for memory.
  sample(): AllocStats {
    const stats = host.runtime.allocStats();
    const linear = host.runtime.memory().virtualBytes;
    const at = this.now();
    if (stats.systemCalls !== this.#calls) {
      this.grows.push({
        at,
        grown: stats.systemBytes - this.#system,
        calls: stats.systemCalls - this.#calls,
        total: linear,
      });
      this.#calls = stats.systemCalls;
      this.#system = stats.systemBytes;
    }
    const previous = this.samples.at(-1);
    const same = previous && previous.linear === linear && previous.live === stats.liveBytes;
    const before = this.samples.at(-2);
    // A run of equal points needs only its two ends.
    if (same && before && before.linear === linear && before.live === stats.liveBytes) previous.at = at;
    else this.samples.push({ at, linear, live: stats.liveBytes });
    if (this.samples.length > sampleLimit)
      this.samples = this.samples.filter((_, i) => i % 2 === 0 || i > sampleLimit - 200);
    return stats;
  }

  #operate(words: string, action: () => void): void {
    const before = this.sample();
    try {
      action();
    } finally {
      this.last = { words, before, after: this.sample() };
    }
  }
}

// The way an operation took through the tiers, told from the counters' differences.
export function story({ before, after }: Operation): string[] {
  const d = (name: keyof AllocStats) => after[name] - before[name];
  const many = (n: number, one: string) => `${count(n)} ${n === 1 ? one : `${one}s`}`;
  const steps: string[] = [];
  if (d('cacheHits') > 0) steps.push(`${many(d('cacheHits'), 'object')} came straight from a thread cache`);
  if (d('cacheMisses') > 0) steps.push(`${many(d('cacheMisses'), 'time')} the cache’s list was empty`);
  if (d('centralFetches') > 0)
    steps.push(`${many(d('centralFetches'), 'batch').replace('batchs', 'batches')} fetched from a central free list`);
  if (d('centralReturns') > 0)
    steps.push(`${many(d('centralReturns'), 'batch').replace('batchs', 'batches')} handed back to central`);
  if (d('heapSplits') > 0) steps.push(`the page heap split ${many(d('heapSplits'), 'span')}`);
  if (d('heapCoalesces') > 0) steps.push(`it joined free neighbours ${many(d('heapCoalesces'), 'time')}`);
  if (d('systemCalls') > 0) steps.push(`the system was asked ${many(d('systemCalls'), 'time')} (memory.grow)`);
  if (steps.length === 0 && d('frees') > 0) steps.push(`${many(d('frees'), 'object')} went back without a lock`);
  return steps;
}
