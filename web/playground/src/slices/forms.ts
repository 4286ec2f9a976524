// The controls of the slices panel and how they are laid out; what they do is panel.ts's business.
import { button, field, h, number, select, text } from '../ui/dom.ts';
import { elementTypes, goNames } from './model.ts';

const maxElements = 100_000;

export interface Actions {
  make(): void;
  append(): void;
  appendThousand(): void;
  reslice(): void;
  set(): void;
  read(): void;
}

export class Forms {
  readonly type = select(
    'make-type',
    elementTypes.map((type) => [type, goNames[type]]),
  );
  // Below zero too: what Go says to that is worth seeing.
  readonly len = number('make-len', 0, -10, maxElements);
  readonly cap = number('make-cap', 0, -10, maxElements);
  readonly rule = select('make-rule', [
    ['go118', 'Go ≥ 1.18'],
    ['classic', 'classic: 1,024, then 1.25×'],
  ]);
  readonly target = select('slice-target', []);
  readonly values = text('append-values', '1, 2, 3');
  readonly oneByOne = h('input', { type: 'checkbox', 'data-testid': 'append-one', checked: true });
  readonly intoNew = h('input', { type: 'checkbox', 'data-testid': 'append-new' });
  readonly low = text('slice-low', '', '0');
  readonly high = text('slice-high', '', 'len');
  readonly max = text('slice-max', '', 'cap');
  readonly index = text('set-index', '0');
  readonly value = text('set-value', '42');

  making(act: Actions): HTMLElement {
    return form(
      'make-form',
      act.make,
      field('Element', this.type),
      field('Length', this.len),
      field('Capacity', this.cap),
      field('Growth rule', this.rule),
      submit('make-go', 'Make', 'primary'),
    );
  }

  working(act: Actions): HTMLElement[] {
    return [
      h('div', { class: 'form' }, field('Slice', this.target)),
      form(
        'append-form',
        act.append,
        field('Append values', this.values),
        submit('append-go', 'Append', 'primary'),
        button('append-1000', 'Append 1000', act.appendThousand),
      ),
      h('div', { class: 'row' }, tick(this.oneByOne, 'one at a time'), tick(this.intoNew, 'result into a new slice')),
      form(
        'reslice-form',
        act.reslice,
        field('low', this.low),
        field('high', this.high),
        field('max', this.max),
        submit('reslice-go', 's[low:high:max]'),
      ),
      form(
        'set-form',
        act.set,
        field('Index', this.index),
        field('Value', this.value),
        submit('set-go', 'Set'),
        button('read-go', 'Read', act.read),
      ),
    ];
  }
}

function form(testid: string, action: () => void, ...children: HTMLElement[]): HTMLElement {
  const onsubmit = (event: SubmitEvent) => {
    event.preventDefault();
    action();
  };
  return h('form', { class: 'form', 'data-testid': testid, novalidate: true, onsubmit }, ...children);
}

const submit = (testid: string, label: string, kind = ''): HTMLElement =>
  h('button', { type: 'submit', class: kind, 'data-testid': testid }, label);

const tick = (input: HTMLElement, label: string): HTMLElement => h('label', { class: 'tick' }, input, label);
