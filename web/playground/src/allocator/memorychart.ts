// Linear memory and live bytes over time, and the list of memory.grow events.
import { Chart } from '../ui/chart.ts';
import { bytes, count } from '../ui/format.ts';
import { fill, h } from '../ui/dom.ts';
import type { AllocatorModel } from './model.ts';

const shownEvents = 50;

export class MemoryChart {
  readonly element: HTMLElement;
  readonly #model: AllocatorModel;
  readonly #events = h('ul', { class: 'events', 'data-testid': 'grow-events', 'data-value': 0 });
  readonly #chart = new Chart({
    label: 'Linear memory and live bytes over time; the events are listed beside it',
    height: 220,
    x: { label: 'seconds', format: (v) => `${Number(v.toFixed(2))}` },
    y: { label: 'bytes', format: bytes, steps: Array.from({ length: 24 }, (_, i) => 2 ** (i + 9)) },
    lines: [
      { label: 'linear memory', colour: 'series-1' },
      { label: 'live bytes', colour: 'series-2' },
    ],
  });
  #shown = -1;

  constructor(model: AllocatorModel) {
    this.#model = model;
    this.element = h(
      'div',
      { class: 'split' },
      this.#chart.box,
      h(
        'div',
        null,
        h('h4', null, 'Memory asked of the system'),
        h(
          'div',
          { class: 'scroll short', tabindex: 0, role: 'region', 'aria-label': 'memory.grow events' },
          this.#events,
        ),
      ),
    );
  }

  render(): void {
    const { samples, grows } = this.#model;
    this.#chart.data = [samples.map((s) => s.at / 1000), samples.map((s) => s.linear), samples.map((s) => s.live)];
    if (this.#shown === grows.length && this.#events.childElementCount > 0) return;
    this.#shown = grows.length;
    this.#events.dataset.value = String(grows.length);
    fill(
      this.#events,
      ...(grows.length === 0
        ? [h('li', { class: 'hint' }, 'Nothing yet: free spans were enough. Allocate 4 MB a few times.')]
        : grows
            .slice(-shownEvents)
            .reverse()
            .map((event) =>
              h(
                'li',
                null,
                h('code', null, `memory.grow: +${count(Math.round(event.grown / 1024))} KB`),
                ` at ${(event.at / 1000).toFixed(2)} s`,
                event.calls > 1 ? ` (${event.calls} requests)` : '',
                `, now ${bytes(event.total)}`,
              ),
            )),
    );
  }
}
