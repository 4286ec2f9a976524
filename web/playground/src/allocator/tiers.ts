// The four tiers in the order an allocation asks them, with their counters. The ones that the last
// operation touched are marked.
import type { AllocStats } from 'burrow-runtime';
import { bytes, count, signed } from '../ui/format.ts';
import { h, output, show } from '../ui/dom.ts';
import type { AllocatorModel } from './model.ts';
import { story } from './model.ts';

type Counter = { key: keyof AllocStats; label: string; bytes?: boolean };

const tiers: { title: string; note: string; counters: Counter[] }[] = [
  {
    title: 'Thread caches',
    note: 'one free list per class, no lock',
    counters: [
      { key: 'cacheHits', label: 'hits' },
      { key: 'cacheMisses', label: 'misses' },
      { key: 'cacheFreeBytes', label: 'free', bytes: true },
      { key: 'caches', label: 'caches' },
    ],
  },
  {
    title: 'Central free lists',
    note: 'one list and one lock per class',
    counters: [
      { key: 'centralFetches', label: 'batches out' },
      { key: 'centralReturns', label: 'batches back' },
      { key: 'centralFreeBytes', label: 'free', bytes: true },
    ],
  },
  {
    title: 'Page heap',
    note: 'spans of 8 KB pages, best fit',
    counters: [
      { key: 'heapSplits', label: 'splits' },
      { key: 'heapCoalesces', label: 'joins' },
      { key: 'heapFreeSpans', label: 'free spans' },
      { key: 'heapFreeBytes', label: 'free', bytes: true },
      { key: 'heapUsedBytes', label: 'in use', bytes: true },
    ],
  },
  {
    title: 'System',
    note: 'memory.grow, at least 1 MB',
    counters: [
      { key: 'systemCalls', label: 'requests' },
      { key: 'systemBytes', label: 'got', bytes: true },
      { key: 'metadataBytes', label: 'own records', bytes: true },
    ],
  },
];

export class TiersView {
  readonly element: HTMLElement;
  readonly #model: AllocatorModel;
  readonly #cells = new Map<keyof AllocStats, { value: HTMLOutputElement; change: HTMLElement; bytes: boolean }>();
  readonly #boxes: { element: HTMLElement; keys: (keyof AllocStats)[] }[] = [];
  readonly #story = h('p', { class: 'story', 'aria-live': 'polite', 'data-testid': 'alloc-story' });
  readonly #live = output('stat-liveBytes');
  readonly #mallocs = output('stat-mallocs');
  readonly #frees = output('stat-frees');

  constructor(model: AllocatorModel) {
    this.#model = model;
    const list = h('ol', { class: 'tiers' });
    for (const tier of tiers) {
      const rows = tier.counters.map(({ key, label, bytes: inBytes }) => {
        const value = output(`stat-${key}`);
        const change = h('span', { class: 'change' });
        this.#cells.set(key, { value, change, bytes: inBytes ?? false });
        return h('div', null, h('dt', null, label), h('dd', null, value, change));
      });
      const element = h(
        'li',
        { class: 'tier' },
        h('h4', null, tier.title),
        h('p', { class: 'hint' }, tier.note),
        h('dl', null, ...rows),
      );
      this.#boxes.push({
        element,
        keys: tier.counters.map((c) => c.key).filter((k) => !/FreeBytes|caches$|metadata/.test(k)),
      });
      list.append(element);
    }
    this.element = h(
      'div',
      null,
      list,
      h(
        'p',
        { class: 'sums' },
        'In use by the program: ',
        this.#live,
        ' · allocated ',
        this.#mallocs,
        ' · freed ',
        this.#frees,
      ),
      this.#story,
    );
  }

  render(stats: AllocStats): void {
    const operation = this.#model.last;
    for (const [key, cell] of this.#cells) {
      show(cell.value, stats[key], cell.bytes ? bytes(stats[key]) : count(stats[key]));
      const change = operation ? operation.after[key] - operation.before[key] : 0;
      const words =
        change === 0 ? '' : cell.bytes ? `${change > 0 ? '+' : '−'}${bytes(Math.abs(change))}` : signed(change);
      if (cell.change.textContent !== words) cell.change.textContent = words;
    }
    for (const box of this.#boxes) {
      const touched = operation !== null && box.keys.some((key) => operation.after[key] !== operation.before[key]);
      box.element.classList.toggle('touched', touched);
    }
    show(this.#live, stats.liveBytes, bytes(stats.liveBytes));
    show(this.#mallocs, stats.mallocs);
    show(this.#frees, stats.frees);
    const steps = operation ? story(operation) : [];
    const words = operation
      ? `Last operation (${operation.words}): ${steps.join('; ') || 'no tier was needed'}.`
      : 'Allocate something to see which tiers take part.';
    if (this.#story.textContent !== words) this.#story.textContent = words;
  }
}
