// The slices panel: make, append, reslice, set, read; the list, the arrays, the growth rules.
import type { GrowthRule } from 'burrow-runtime';
import type { Panel } from '../app/tabs.ts';
import { host } from '../app/host.ts';
import { StatusLine, fill, h, output, readInteger, section, show } from '../ui/dom.ts';
import { ArraysView } from './arrays.ts';
import { Forms, type Actions } from './forms.ts';
import { GrowthView } from './growth.ts';
import { renderList } from './list.ts';
import { SlicesModel, goNames, parseValue, parseValues, type ElementType, type Variable } from './model.ts';

const shownLines = 60;
const heads = ['Name', 'Type', 'Pointer', 'Len', 'Cap', 'Array', 'Rule'];

interface Done {
  words: string;
  chosen?: string; // the slice to work on next
}

class SlicesPanel implements Actions {
  readonly element: HTMLElement;
  readonly #model = new SlicesModel();
  readonly #forms = new Forms();
  readonly #status = new StatusLine('slice-status');
  readonly #arrays = new ArraysView(this.#model);
  readonly #growth = new GrowthView();
  readonly #list = h('tbody', { 'data-testid': 'slice-list' });
  readonly #log = h('ol', { class: 'events code', 'data-testid': 'slice-log' });
  readonly #read = output('slice-read', '');

  constructor() {
    this.element = this.#layout();
    host.onStart(() => {
      this.#model.reset();
      this.#render();
      this.#growth.render();
    });
  }

  make = (): void =>
    this.#act(() => {
      const { len, cap, type, rule } = this.#forms;
      const n = readInteger(len, 'Length');
      const most = cap.value === '' ? n : readInteger(cap, 'Capacity');
      const { name, slice } = this.#model.make(type.value as ElementType, n, most, rule.value as GrowthRule);
      return { words: `${name} has length ${slice.len} and capacity ${slice.cap}.`, chosen: name };
    });

  append = (): void => this.#append(({ type }) => parseValues(this.#forms.values.value, type));

  appendThousand = (): void =>
    this.#append(({ type }) =>
      Array.from({ length: 1000 }, (_, i) => parseValue(String(type === 'u8' ? i % 256 : i), type)),
    );

  reslice = (): void =>
    this.#act(() => {
      const { low, high, max } = this.#forms;
      const of = this.#current();
      const from = parseIndex(low.value) ?? 0;
      const { name, slice } = this.#model.slice(
        of,
        from,
        parseIndex(high.value) ?? of.slice.len,
        parseIndex(max.value),
      );
      return {
        words: `${name} looks at the array of ${of.name}: length ${slice.len}, capacity ${slice.cap}.`,
        chosen: name,
      };
    });

  set = (): void =>
    this.#act(() => {
      const on = this.#current();
      const index = this.#index();
      const value = parseValue(this.#forms.value.value, on.type);
      this.#model.set(on, index, value);
      return { words: `${on.name}[${index}] is ${value} now, in every slice that shares the array.` };
    });

  read = (): void =>
    this.#act(() => {
      const from = this.#current();
      const index = this.#index();
      const value = this.#model.read(from, index);
      const words = `${from.name}[${index}] is ${value}`;
      show(this.#read, value, words);
      return { words: `${words}.` };
    });

  visible(now: boolean): void {
    if (now && host.ready) this.#growth.render();
  }

  #append(list: (to: Variable) => (number | bigint)[]): void {
    this.#act(() => {
      const to = this.#current();
      const { cap, ptr } = to.slice;
      const { oneByOne, intoNew } = this.#forms;
      const { name, slice } = this.#model.append(to, list(to), oneByOne.checked, intoNew.checked);
      const array = slice.ptr === ptr ? 'the same array' : 'a new array, the elements were copied';
      return { words: `${name}: length ${slice.len}, capacity ${cap} → ${slice.cap}; ${array}.`, chosen: name };
    });
  }

  #drop(variable: Variable): void {
    this.#act(() => {
      this.#model.drop(variable);
      return { words: `${variable.name} was dropped.` };
    });
  }

  #current(): Variable {
    return this.#model.find(this.#forms.target.value);
  }

  #index(): number {
    const index = parseIndex(this.#forms.index.value);
    if (index === undefined) throw new SyntaxError('give an index');
    return index;
  }

  // Runs an action and shows what it did, or the error in its own words.
  #act(action: () => Done): void {
    void this.#status.run(() => {
      let chosen: string | undefined;
      try {
        const done = action();
        chosen = done.chosen;
        this.#status.say(done.words);
      } finally {
        this.#render(chosen);
        host.tick();
      }
    });
  }

  #render(chosen?: string): void {
    if (!host.ready) return;
    const { variables, log } = this.#model;
    const { target } = this.#forms;
    const keep = chosen ?? target.value;
    const option = ({ name, type }: Variable) => h('option', { value: name }, `${name}  []${goNames[type]}`);
    fill(target, ...variables.map(option));
    if (variables.some(({ name }) => name === keep)) target.value = keep;
    renderList(this.#list, this.#model, (variable) => this.#drop(variable));
    this.#arrays.render();
    const lines = log.slice(-shownLines).reverse();
    const comment = (note: string) => h('span', { class: 'hint' }, note && `  // ${note}`);
    fill(this.#log, ...lines.map(({ code, note }) => h('li', null, code, comment(note))));
  }

  #layout(): HTMLElement {
    const scroll = (label: string, kind: string, content: HTMLElement) =>
      h('div', { class: `scroll ${kind}`, tabindex: 0, role: 'region', 'aria-label': label }, content);
    const columns = heads.map((head) => h('th', { scope: 'col' }, head));
    const dropColumn = h('th', { scope: 'col' }, h('span', { class: 'hidden' }, 'Drop'));
    const table = h('table', null, h('thead', null, h('tr', null, ...columns, dropColumn)), this.#list);
    return h(
      'div',
      { class: 'panel' },
      h('div', { class: 'intro' }, h('h2', null, 'Slices'), h('p', null, intro)),
      h(
        'div',
        { class: 'columns' },
        section('Make', 'slice-make', this.#forms.making(this)),
        section('Work on a slice', 'slice-work', ...this.#forms.working(this), h('p', { class: 'row' }, this.#read)),
      ),
      this.#status.element,
      section('Slices', 'slice-all', scroll('Slices', '', table)),
      section('Backing arrays', 'slice-arrays', this.#arrays.element),
      section('What was done', 'slice-done', scroll('Operations, newest first', 'short', this.#log)),
      section('How capacity grows', 'slice-growth', this.#growth.element),
    );
  }
}

const intro =
  'A slice is three words: a pointer into an array, a length and a capacity. Copying a slice, passing it on or ' +
  'cutting a piece out of it copies only these words, so several slices look at the same elements and a write ' +
  'through one is seen through all. Append writes behind the length while the capacity lasts, which other slices ' +
  'may notice; when it does not last, append takes a larger array, copies, and from then on the ways part.';

// Go's indexes may be anything an int holds; whether they are in range is the runtime's to say.
function parseIndex(words: string): number | undefined {
  if (words.trim() === '') return undefined;
  if (!/^\s*[+-]?\d{1,9}\s*$/.test(words)) throw new SyntaxError(`${words.trim()} is not an index`);
  return Number(words);
}

export function slicesPanel(): Panel {
  const panel = new SlicesPanel();
  return { id: 'slices', title: 'Slices', element: panel.element, visible: (now) => panel.visible(now) };
}
