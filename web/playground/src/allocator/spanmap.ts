// All spans of the heap in address order, as cells of one or more 8 KB pages.
import type { AllocStats, Span } from 'burrow-runtime';
import { host } from '../app/host.ts';
import { Surface } from '../ui/canvas.ts';
import { hue, token } from '../ui/colours.ts';
import { bytes, count, hex, plural } from '../ui/format.ts';
import { fill, h } from '../ui/dom.ts';

const pageBytes = 8192;
const listLimit = 200;
const maxHeight = 240;

export class SpanMap {
  readonly element: HTMLElement;
  readonly #surface: Surface;
  readonly #legend = h('p', { class: 'legend' });
  readonly #list = h('tbody', null);
  readonly #details: HTMLDetailsElement;
  #spans: Span[] = [];
  #cells: Int32Array = new Int32Array(0); // cell -> index of its span
  #cell = 10;
  #columns = 1;
  #seen = '';
  #chosen = 0; // address of the chosen object

  constructor() {
    this.#surface = new Surface('span-map', 40, (context, width) => this.#draw(context, width));
    this.#surface.explain((x, y) => this.#at(x, y));
    this.#details = h(
      'details',
      { ontoggle: () => this.#renderList() },
      h('summary', null, 'The same spans as a list'),
      h(
        'div',
        { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Spans' },
        h(
          'table',
          { 'data-testid': 'span-list' },
          h(
            'thead',
            null,
            h('tr', null, ...['Start', 'Size', 'Class', 'Objects in use'].map((t) => h('th', { scope: 'col' }, t))),
          ),
          this.#list,
        ),
      ),
    );
    this.element = h('div', null, this.#surface.box, this.#legend, this.#details);
  }

  // The walk itself takes a little memory for its result, so it is made only when something has moved.
  render(stats: AllocStats, chosen: number): void {
    const seen = [
      stats.liveBytes,
      stats.heapUsedBytes,
      stats.heapFreeBytes,
      stats.heapSplits,
      stats.heapCoalesces,
      chosen,
    ].join(' ');
    if (seen === this.#seen) return;
    this.#seen = seen;
    this.#chosen = chosen;
    this.#spans = host.runtime.spans();
    const pages = this.#spans.reduce((sum, span) => sum + span.bytes / pageBytes, 0);
    const free = this.#spans.filter((span) => span.sizeClass < 0).length;
    const large = this.#spans.filter((span) => span.sizeClass === 0).length;
    const small = this.#spans.length - free - large;
    this.#surface.label =
      `${plural(this.#spans.length, 'span')} on ${plural(pages, 'page')}: ` +
      `${small} for size classes, ${large} large, ${free} free`;
    this.#surface.element.dataset.value = String(this.#spans.length);
    this.#surface.redraw();
    this.#renderList();
  }

  #layout(width: number): number {
    const pages = this.#spans.reduce((sum, span) => sum + Math.ceil(span.bytes / pageBytes), 0);
    let perCell = 1;
    this.#cell = 12;
    const rows = () => Math.ceil(Math.ceil(pages / perCell) / Math.floor(width / this.#cell));
    while (rows() * this.#cell > maxHeight) {
      if (this.#cell > 5) this.#cell--;
      else perCell *= 2;
    }
    this.#columns = Math.floor(width / this.#cell);
    const cells: number[] = [];
    let page = 0;
    this.#spans.forEach((span, index) => {
      const first = Math.floor(page / perCell);
      page += Math.ceil(span.bytes / pageBytes);
      // Of several spans in one cell the first one that is in use gives the colour.
      for (let cell = first; cell < Math.ceil(page / perCell); cell++) {
        if (cells[cell] === undefined || this.#spans[cells[cell]].sizeClass < 0) cells[cell] = index;
      }
    });
    this.#cells = Int32Array.from(cells);
    return perCell;
  }

  #draw(context: CanvasRenderingContext2D, width: number): void {
    const perCell = this.#layout(width);
    const height = Math.max(1, Math.ceil(this.#cells.length / this.#columns)) * this.#cell;
    if (this.#surface.element.clientHeight !== height) {
      this.#surface.height = height;
      this.#surface.redraw();
    }
    const free = token('free');
    const large = token('large');
    const ink = token('ink');
    const size = this.#cell;
    const rowGap = size > 6 ? 1 : 0;
    for (let cell = 0; cell < this.#cells.length; cell++) {
      const span = this.#spans[this.#cells[cell]];
      const [x, y] = [(cell % this.#columns) * size, Math.floor(cell / this.#columns) * size];
      const full = span.objects > 0 ? span.inUse / span.objects : 1;
      context.fillStyle =
        span.sizeClass < 0
          ? free
          : span.sizeClass === 0
            ? large
            : hue(span.sizeClass, full > 0.66 ? 1 : full > 0.33 ? 0.7 : 0.4);
      // Cells of one span touch; between spans is a gap. Small cells leave none between rows, or all would be stripes.
      const joined = cell + 1 < this.#cells.length && this.#cells[cell + 1] === this.#cells[cell];
      context.fillRect(x, y, size - (joined ? 0 : 1), size - rowGap);
      if (this.#chosen >= span.start && this.#chosen < span.start + span.bytes && span.sizeClass >= 0) {
        context.fillStyle = ink;
        context.fillRect(x, y + size - 3, size - (joined ? 0 : 1), 2);
      }
    }
    fill(
      this.#legend,
      h('span', { class: 'key', style: `--c:${hue(9)}` }),
      'size class (one colour each; pale: mostly empty) ',
      h('span', { class: 'key', style: `--c:${large}` }),
      'large object ',
      h('span', { class: 'key', style: `--c:${free}` }),
      'free ',
      `· one cell is ${bytes(perCell * pageBytes)}, the chosen object’s span is underlined`,
    );
  }

  #at(x: number, y: number): string | undefined {
    const cell = Math.floor(y / this.#cell) * this.#columns + Math.floor(x / this.#cell);
    const span = this.#spans[this.#cells[cell] ?? -1];
    return span && describe(span);
  }

  #renderList(): void {
    if (!this.#details.open) return;
    fill(
      this.#list,
      ...this.#spans
        .slice(0, listLimit)
        .map((span) =>
          h(
            'tr',
            null,
            h('td', { class: 'code' }, hex(span.start)),
            h('td', null, bytes(span.bytes)),
            h('td', null, kind(span)),
            h('td', null, span.sizeClass > 0 ? `${count(span.inUse)} of ${count(span.objects)}` : '–'),
          ),
        ),
      this.#spans.length > listLimit &&
        h('tr', null, h('td', { colspan: 4 }, `… and ${count(this.#spans.length - listLimit)} more`)),
    );
  }
}

function kind(span: Span): string {
  if (span.sizeClass < 0) return 'free';
  if (span.sizeClass === 0) return 'large';
  return `class ${span.sizeClass} (${count(host.runtime.sizeClasses()[span.sizeClass].size)} B)`;
}

function describe(span: Span): string {
  const where = `${hex(span.start)}, ${plural(span.bytes / pageBytes, 'page')}: ${kind(span)}`;
  return span.sizeClass > 0
    ? `${where}, ${count(span.inUse)} of ${count(span.objects)} objects in use or cached`
    : where;
}
