// The list of objects, a page at a time, and the one that was chosen.
import { host } from '../app/host.ts';
import { bytes, count, hex, plural } from '../ui/format.ts';
import { button, fill, h, output, show } from '../ui/dom.ts';
import type { AllocatorModel, Item } from './model.ts';

const rows = 40;
const pageBytes = 8192;

export class ObjectsView {
  readonly list: HTMLElement;
  readonly detail: HTMLElement;
  readonly #model: AllocatorModel;
  readonly #act: { choose(item: Item): void; free(item: Item): void };
  readonly #body = h('tbody', null);
  readonly #count = output('object-count', '0');
  readonly #range = h('span', { class: 'hint' });
  readonly #older = button('objects-older', 'Older', () => this.#turn(1), 'quiet small');
  readonly #newer = button('objects-newer', 'Newer', () => this.#turn(-1), 'quiet small');
  #page = 0;

  constructor(model: AllocatorModel, act: { choose(item: Item): void; free(item: Item): void }) {
    this.#model = model;
    this.#act = act;
    this.list = h(
      'div',
      null,
      h('p', { class: 'row' }, this.#count, this.#range, this.#newer, this.#older),
      h(
        'div',
        { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Objects' },
        h(
          'table',
          null,
          h(
            'thead',
            null,
            h(
              'tr',
              null,
              ...['Object', 'Asked', 'Address', ''].map((t) =>
                h('th', { scope: 'col' }, t || h('span', { class: 'hidden' }, 'Free')),
              ),
            ),
          ),
          this.#body,
        ),
      ),
    );
    this.detail = h('dl', { class: 'detail', 'data-testid': 'object-detail' });
  }

  #turn(step: number): void {
    this.#page += step;
    this.render();
  }

  render(): void {
    const { items, chosen } = this.#model;
    const pages = Math.max(1, Math.ceil(items.length / rows));
    this.#page = Math.min(Math.max(0, this.#page), pages - 1);
    const end = items.length - this.#page * rows;
    const shown = items.slice(Math.max(0, end - rows), end).reverse();
    show(this.#count, items.length, plural(items.length, 'object'));
    this.#range.textContent =
      pages > 1 ? `page ${this.#page + 1} of ${pages}, newest first` : items.length > 1 ? 'newest first' : '';
    this.#newer.hidden = this.#older.hidden = pages === 1;
    this.#newer.disabled = this.#page === 0;
    this.#older.disabled = this.#page === pages - 1;
    fill(
      this.#body,
      ...(shown.length
        ? shown.map((item) => this.#row(item, item === chosen))
        : [h('tr', null, h('td', { colspan: 4, class: 'hint' }, 'None yet.'))]),
    );
    this.#renderDetail();
  }

  #row(item: Item, chosen: boolean): HTMLElement {
    return h(
      'tr',
      { class: chosen ? 'chosen' : '' },
      h(
        'td',
        null,
        h(
          'button',
          {
            type: 'button',
            class: 'link',
            'aria-pressed': chosen,
            'data-testid': `object-${item.id}`,
            onclick: () => this.#act.choose(item),
          },
          `#${item.id}`,
        ),
      ),
      h('td', null, bytes(item.asked)),
      h('td', { class: 'code' }, hex(item.block.ptr)),
      h(
        'td',
        null,
        h(
          'button',
          {
            type: 'button',
            class: 'quiet small',
            'aria-label': `Free object ${item.id}`,
            'data-testid': `free-${item.id}`,
            onclick: () => this.#act.free(item),
          },
          'Free',
        ),
      ),
    );
  }

  #renderDetail(): void {
    const item = this.#model.chosen;
    if (!item) {
      fill(
        this.detail,
        h(
          'div',
          null,
          h('dt', null, 'No object is chosen'),
          h('dd', { class: 'hint' }, 'Allocate one, or pick one from the list.'),
        ),
      );
      return;
    }
    const where = host.runtime.where(item.block.ptr);
    if (!where) {
      fill(this.detail, h('div', null, h('dt', null, 'Address'), h('dd', null, hex(item.block.ptr))));
      return;
    }
    const large = where.sizeClass === 0;
    const facts: [label: string, key: string, value: number, text: string][] = [
      ['Size asked', 'asked', item.asked, `${count(item.asked)} B`],
      ['Size class', 'class', where.sizeClass, large ? 'none: a large object' : String(where.sizeClass)],
      ['Bytes/object', 'object-size', where.objectSize, `${count(where.objectSize)} B`],
      [
        'Unused inside',
        'waste',
        where.objectSize - item.asked,
        `${count(where.objectSize - item.asked)} B (${((1 - item.asked / where.objectSize) * 100).toFixed(1)}%)`,
      ],
      ['Address', 'address', item.block.ptr, hex(item.block.ptr)],
      [
        'Object in span',
        'index',
        where.objectIndex,
        large ? 'the only one' : `${count(where.objectIndex)} of ${count(where.spanObjects)}`,
      ],
      ['Span starts', 'span-start', where.spanStart, hex(where.spanStart)],
      [
        'Span',
        'span-bytes',
        where.spanBytes,
        `${plural(where.spanBytes / pageBytes, 'page')} (${bytes(where.spanBytes)})`,
      ],
      ['In use in span', 'span-in-use', where.spanInUse, `${count(where.spanInUse)}, cached ones included`],
    ];
    fill(
      this.detail,
      ...facts.map(([label, key, value, words]) => {
        const shown = output(`object-${key}`);
        show(shown, value, words);
        return h('div', null, h('dt', null, label), h('dd', null, shown));
      }),
    );
  }
}
