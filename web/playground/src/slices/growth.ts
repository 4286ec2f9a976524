// The capacities that repeated appends of one element walk through, by the two rules, side by side.
import type { GrowthRule } from 'burrow-runtime';
import { host } from '../app/host.ts';
import { Chart } from '../ui/chart.ts';
import { count } from '../ui/format.ts';
import { StatusLine, field, fill, h, number, readInteger, select } from '../ui/dom.ts';
import { elementBytes, elementTypes, goNames, type ElementType } from './model.ts';

const firstLimit = 2500;

export class GrowthView {
  readonly element: HTMLElement;
  readonly #limit = number('growth-limit', firstLimit, 1, 50_000_000);
  readonly #type = select(
    'growth-type',
    elementTypes.map((type) => [type, `${goNames[type]} (${elementBytes[type]} B)`]),
  );
  readonly #status = new StatusLine('growth-status');
  readonly #body = h('tbody', null);
  readonly #table: HTMLElement;
  readonly #chart = new Chart({
    label: 'Capacity against length for both growth rules; the table holds the same numbers',
    height: 260,
    x: { label: 'length', format: whole },
    y: { label: 'capacity', format: whole },
    lines: [
      { label: 'classic: double below 1,024, then 1.25×', colour: 'series-1', width: 3 },
      { label: 'Go ≥ 1.18', colour: 'series-2', dash: [6, 4] },
    ],
  });

  constructor() {
    this.#table = h(
      'table',
      { class: 'numbers', 'data-testid': 'growth-table' },
      h(
        'thead',
        null,
        h(
          'tr',
          null,
          h('th', { scope: 'col', rowspan: 2 }, 'Step'),
          h('th', { scope: 'colgroup', colspan: 2 }, 'Classic (before 1.18)'),
          h('th', { scope: 'colgroup', colspan: 2 }, 'Go ≥ 1.18'),
        ),
        h('tr', null, ...['Capacity', 'Factor', 'Capacity', 'Factor'].map((t) => h('th', { scope: 'col' }, t))),
      ),
      this.#body,
    );
    const update = () => void this.#status.run(() => this.render());
    this.#limit.addEventListener('input', update);
    this.#type.addEventListener('input', update);
    this.element = h(
      'div',
      null,
      h(
        'p',
        null,
        'An append that does not fit takes a larger array. The classic rule doubles while the capacity is ' +
          'below 1,024 and then adds a quarter. Since Go 1.18 the change is smooth: doubling below 256, and ' +
          'from there the factor slides from 2 down to 1.25. Both then round up to a size class of the ' +
          'allocator, which is why the numbers are not round.',
      ),
      h('div', { class: 'form' }, field('Element', this.#type), field('Up to length', this.#limit)),
      this.#status.element,
      h(
        'div',
        { class: 'split wide' },
        this.#chart.box,
        h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Capacity steps' }, this.#table),
      ),
    );
  }

  render(): void {
    this.#status.say('');
    const limit = readInteger(this.#limit, 'Up to length');
    const size = elementBytes[this.#type.value as ElementType];
    const classic = capacities('classic', size, limit);
    const current = capacities('go118', size, limit);
    this.#table.dataset.classic = classic.join(' ');
    this.#table.dataset.go118 = current.join(' ');
    const lengths = [
      ...new Set([...classic, ...current].map((cap) => cap + 1).filter((n) => n <= limit)),
      1,
      limit,
    ].sort((a, b) => a - b);
    const at = (caps: number[]) => lengths.map((n) => caps.find((cap) => cap >= n) ?? null);
    this.#chart.data = [lengths, at(classic), at(current)];
    const rows = Math.max(classic.length, current.length);
    fill(
      this.#body,
      ...Array.from({ length: rows }, (_, i) =>
        h('tr', null, h('th', { scope: 'row' }, i + 1), ...cells(classic, i), ...cells(current, i)),
      ),
    );
  }
}

function capacities(rule: GrowthRule, elementSize: number, limit: number): number[] {
  const steps: number[] = [];
  for (let cap = 0; cap < limit;) {
    cap = host.runtime.nextCap(rule, elementSize, cap, cap + 1);
    steps.push(cap);
  }
  return steps;
}

function cells(caps: number[], step: number): HTMLElement[] {
  if (step >= caps.length) return [h('td', null), h('td', null)];
  const factor = step === 0 ? '' : `${(caps[step] / caps[step - 1]).toFixed(2)}×`;
  return [h('td', null, count(caps[step])), h('td', null, factor)];
}

const whole = (value: number): string => (Number.isInteger(value) ? count(value) : '');
