// The size class table; the row of the last allocation is marked and kept in view.
import { host } from '../app/host.ts';
import { count, percent } from '../ui/format.ts';
import { fill, h } from '../ui/dom.ts';
import { hue, onSchemeChange } from '../ui/colours.ts';

export class ClassTable {
  readonly element: HTMLElement;
  readonly #body = h('tbody', null);
  readonly #scroll: HTMLElement;
  #marked: HTMLElement | null = null;

  constructor() {
    const heads = ['Class', 'Bytes/object', 'Bytes/span', 'Objects', 'Tail waste', 'Max waste'];
    this.#scroll = h(
      'div',
      { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Size classes' },
      h(
        'table',
        { class: 'numbers', 'data-testid': 'class-table' },
        h('thead', null, h('tr', null, ...heads.map((t) => h('th', { scope: 'col' }, t)))),
        this.#body,
      ),
    );
    this.element = this.#scroll;
    onSchemeChange(() => host.ready && this.build());
  }

  build(): void {
    this.#marked = null;
    const classes = host.runtime.sizeClasses();
    fill(
      this.#body,
      ...classes
        .slice(1)
        .map((row, i) =>
          h(
            'tr',
            { 'data-class': i + 1 },
            h('td', null, h('span', { class: 'key', style: `--c:${hue(i + 1)}` }), String(i + 1)),
            h('td', null, count(row.size)),
            h('td', null, count(row.spanBytes)),
            h('td', null, count(row.objects)),
            h('td', null, count(row.tailWaste)),
            h('td', null, percent(row.maxWaste)),
          ),
        ),
    );
  }

  mark(sizeClass: number): void {
    const row = this.#body.children[sizeClass - 1] as HTMLElement | undefined;
    if (row === this.#marked) return;
    this.#marked?.classList.remove('chosen');
    this.#marked?.removeAttribute('aria-current');
    this.#marked = row ?? null;
    if (!row) return;
    row.classList.add('chosen');
    row.setAttribute('aria-current', 'true');
    this.#scroll.scrollTop = row.offsetTop - this.#scroll.clientHeight / 2;
  }
}
