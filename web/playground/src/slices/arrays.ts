// Backing arrays as rows of cells, each with the slices that look at it, column under column: who shares
// what can be seen. A value that changed flashes in every slice that has it.
import type { Slice } from 'burrow-runtime';
import { host } from '../app/host.ts';
import { hex, plural } from '../ui/format.ts';
import { hue } from '../ui/colours.ts';
import { fill, h } from '../ui/dom.ts';
import { elementBytes, goNames, type ElementType, type SlicesModel, type Variable } from './model.ts';

interface Viewed {
  variable: Variable;
  offset: number; // in elements, from the array's start
}

interface ArrayView {
  key: string;
  start: number;
  extent: number; // elements that some slice can reach
  slices: Viewed[];
}

const headCells = 40;
const tailCells = 4;

export class ArraysView {
  readonly element = h('div', { class: 'arrays', 'data-testid': 'arrays' });
  readonly #model: SlicesModel;
  #known = new Map<string, Map<number, string>>();

  constructor(model: SlicesModel) {
    this.#model = model;
  }

  render(): void {
    const arrays = group(this.#model.variables);
    const known = new Map<string, Map<number, string>>();
    fill(
      this.element,
      ...arrays.map((array, i) => {
        const columns = columnsOf(array);
        const values = valuesOf(array, columns);
        const before = this.#known.get(array.key);
        known.set(array.key, values);
        const changed = (at: number) => before !== undefined && before.get(at) !== values.get(at);
        return diagram(array, i + 1, columns, values, changed);
      }),
    );
    if (arrays.length === 0) fill(this.element, h('p', { class: 'hint' }, 'No slices yet.'));
    this.element.dataset.value = String(arrays.length);
    this.#known = known;
  }
}

// Where the array of a slice begins. The allocator gives each array an object of its own.
function arrayOf(slice: Slice<ElementType>): number {
  const where = host.runtime.where(slice.ptr);
  return where ? where.spanStart + where.objectIndex * where.objectSize : slice.ptr;
}

// Slices with the same array belong together.
export function group(variables: Variable[]): ArrayView[] {
  const arrays = new Map<string, ArrayView>();
  for (const variable of variables) {
    const { slice, type } = variable;
    const start = slice.cap === 0 ? slice.ptr : arrayOf(slice);
    const key = slice.cap === 0 ? `empty ${variable.name}` : `${start}`;
    const offset = (slice.ptr - start) / elementBytes[type];
    let array = arrays.get(key);
    if (!array) arrays.set(key, (array = { key, start, extent: 0, slices: [] }));
    array.extent = Math.max(array.extent, offset + slice.cap);
    array.slices.push({ variable, offset });
  }
  return [...arrays.values()];
}

// Which elements get a column: the first ones, and a few around the end of each slice. -1 is a gap.
function columnsOf(array: ArrayView): number[] {
  const wanted = new Set<number>();
  for (let i = 0; i < Math.min(headCells, array.extent); i++) wanted.add(i);
  for (const {
    offset,
    variable: { slice },
  } of array.slices) {
    for (const edge of [offset, offset + slice.len, offset + slice.cap]) {
      for (let i = Math.max(0, edge - tailCells); i < Math.min(array.extent, edge + 2); i++) wanted.add(i);
    }
  }
  const columns: number[] = [];
  for (const at of [...wanted].sort((a, b) => a - b)) {
    if (columns.length > 0 && at !== columns.at(-1)! + 1) columns.push(-1);
    columns.push(at);
  }
  return columns;
}

// The elements of these columns, as far as some slice holds them.
function valuesOf(array: ArrayView, columns: number[]): Map<number, string> {
  const values = new Map<number, string>();
  for (const {
    offset,
    variable: { slice },
  } of array.slices) {
    for (const at of columns)
      if (at >= offset && at < offset + slice.len) values.set(at, String(slice.at(at - offset)));
  }
  return values;
}

function diagram(
  array: ArrayView,
  ordinal: number,
  columns: number[],
  values: Map<number, string>,
  changed: (at: number) => boolean,
): HTMLElement {
  const type = array.slices[0].variable.type;
  const names = array.slices.map(({ variable }) => variable.name).join(', ');
  const title =
    array.extent === 0
      ? `${names}: no array (capacity 0)`
      : `Array ${ordinal}: ${plural(array.extent, goNames[type])} at ${hex(array.start)}`;
  const rows = array.slices.map((viewed) => row(viewed, columns, values, changed));
  const shared = array.slices.length > 1 ? ` · shared by ${names}` : '';
  return h(
    'div',
    { class: 'array' },
    h('h4', null, title, h('span', { class: 'hint' }, shared)),
    array.extent > 0 &&
      h(
        'div',
        { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': title },
        h(
          'table',
          { class: 'cells' },
          h(
            'thead',
            null,
            h(
              'tr',
              null,
              h('th', { scope: 'col' }, 'index'),
              ...columns.map((at) => h('th', { scope: 'col' }, at < 0 ? '…' : at)),
            ),
          ),
          h('tbody', null, ...rows),
        ),
      ),
  );
}

function row(
  { variable, offset }: Viewed,
  columns: number[],
  values: Map<number, string>,
  changed: (at: number) => boolean,
): HTMLElement {
  const end = offset + variable.slice.len;
  const limit = offset + variable.slice.cap;
  const colour = hue(variable.name.charCodeAt(0) - 97);
  const cells = columns.map((at) => {
    if (at < 0) return h('td', { class: 'gap' }, '…');
    if (at < offset || at >= limit) return h('td', { class: 'outside' });
    if (at >= end) return h('td', { class: 'spare', title: 'behind the length, within the capacity' });
    const flash = changed(at) ? ' flash' : '';
    return h('td', { class: `held${flash}`, 'data-at': at - offset }, values.get(at));
  });
  return h(
    'tr',
    { style: `--c:${colour}`, 'data-slice': variable.name },
    h('th', { scope: 'row' }, h('span', { class: 'key' }), variable.name),
    ...cells,
  );
}
