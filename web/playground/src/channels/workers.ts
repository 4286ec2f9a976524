// What each worker did: channel operations as a bar, and the scheduler's counters since the demo began.
import { host } from '../app/host.ts';
import { fill, h, output, show } from '../ui/dom.ts';
import type { Run } from './run.ts';

const columns = [
  ['runs', 'Runs'],
  ['migrations', 'Taken over'],
  ['parks', 'Parks'],
  ['sleeps', 'Sleeps'],
] as const;

interface Row {
  ops: HTMLOutputElement;
  bar: HTMLElement;
  cells: Map<string, HTMLOutputElement>;
}

export class WorkersView {
  readonly element: HTMLElement;
  readonly #run: Run;
  readonly #body = h('tbody', null);
  #rows: Row[] = [];

  constructor(run: Run) {
    this.#run = run;
    this.element = h(
      'div',
      { class: 'scroll tall', tabindex: 0, role: 'region', 'aria-label': 'Workers' },
      h(
        'table',
        { class: 'numbers workers', 'data-testid': 'workers' },
        h(
          'thead',
          null,
          h(
            'tr',
            null,
            ...['Worker', 'Channel operations', ...columns.map(([, label]) => label)].map((t) =>
              h('th', { scope: 'col' }, t),
            ),
          ),
        ),
        this.#body,
      ),
    );
  }

  render(): void {
    if (this.#rows.length !== host.workers) this.#build();
    const ops = this.#run.state?.ops ?? [];
    const most = Math.max(1, ...ops);
    this.#rows.forEach((row, i) => {
      show(row.ops, ops[i] ?? 0);
      row.bar.style.width = `${((ops[i] ?? 0) / most) * 100}%`;
      for (const [key] of columns) show(row.cells.get(key)!, this.#run.procs[i]?.[key] ?? 0);
    });
  }

  #build(): void {
    this.#rows = Array.from({ length: host.workers }, (_, i) => ({
      ops: output(`worker-${i}-ops`),
      bar: h('div', { class: 'bar' }),
      cells: new Map(columns.map(([key]) => [key, output(`worker-${i}-${key}`)])),
    }));
    fill(
      this.#body,
      ...this.#rows.map((row, i) =>
        h(
          'tr',
          null,
          h('th', { scope: 'row' }, `W${i}`),
          h('td', { class: 'barcell' }, h('div', { class: 'track' }, row.bar), row.ops),
          ...columns.map(([key]) => h('td', null, row.cells.get(key)!)),
        ),
      ),
    );
  }
}
