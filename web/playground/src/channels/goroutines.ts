// Goroutines and the workers they were seen on, from the event log.
import { count, plural } from '../ui/format.ts';
import { fill, h, output, show } from '../ui/dom.ts';
import { hue } from '../ui/colours.ts';
import { roles } from './demo.ts';
import type { GoroutineInfo, Run } from './run.ts';

const shownRows = 100;
const whileRunningMs = 500;

export class GoroutinesView {
  readonly element: HTMLElement;
  readonly #run: Run;
  #next = 0;
  readonly #body = h('tbody', null);
  readonly #summary = output('moved-goroutines', '');

  constructor(run: Run) {
    this.#run = run;
    this.element = h(
      'div',
      null,
      h('p', null, this.#summary),
      h(
        'div',
        { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Goroutines' },
        h(
          'table',
          { 'data-testid': 'goroutines' },
          h(
            'thead',
            null,
            h(
              'tr',
              null,
              ...['Goroutine', 'Role', 'Logged', 'Seen on workers', 'State'].map((t) => h('th', { scope: 'col' }, t)),
            ),
          ),
          this.#body,
        ),
      ),
    );
  }

  render(): void {
    // The list is long: while a demo runs it need not be new in every frame.
    const now = performance.now();
    if (this.#run.running && now < this.#next) return;
    this.#next = now + whileRunningMs;
    const all = [...this.#run.goroutines.values()].sort((a, b) => a.id - b.id);
    const moved = all.filter((g) => g.workers.size > 1).length;
    show(
      this.#summary,
      moved,
      all.length === 0
        ? 'No goroutine has run yet.'
        : `${plural(moved, 'goroutine was', 'goroutines were')} seen on more than one worker, of ${count(all.length)}.`,
    );
    fill(
      this.#body,
      ...all.slice(0, shownRows).map(row),
      all.length > shownRows && h('tr', null, h('td', { colspan: 5 }, `… and ${count(all.length - shownRows)} more`)),
    );
  }
}

function row(g: GoroutineInfo): HTMLElement {
  const workers = [...g.workers]
    .sort(([a], [b]) => a - b)
    .map(([worker, n]) => h('span', { class: 'chip' }, `W${worker} `, h('small', null, `× ${count(n)}`)));
  return h(
    'tr',
    null,
    h('th', { scope: 'row' }, h('span', { class: 'key', style: `--c:${hue(g.id)}` }), String(g.id)),
    h('td', null, roles[g.role] ?? '–'),
    h('td', null, count(g.events)),
    h('td', null, ...workers),
    h('td', null, g.ended ? 'ended' : 'alive'),
  );
}
