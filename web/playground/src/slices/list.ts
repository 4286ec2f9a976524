// All slices with their three words: pointer, length, capacity.
import { hex } from '../ui/format.ts';
import { fill, h, output, show } from '../ui/dom.ts';
import { group } from './arrays.ts';
import { goNames, type SlicesModel, type Variable } from './model.ts';

export function renderList(body: HTMLElement, model: SlicesModel, drop: (variable: Variable) => void): void {
  const arrays = group(model.variables);
  const ordinal = (variable: Variable) =>
    arrays.findIndex((array) => array.slices.some((viewed) => viewed.variable === variable)) + 1;
  const cell = (variable: Variable, what: string, value: number, words?: string) => {
    const shown = output(`slice-${variable.name}-${what}`);
    show(shown, value, words);
    return h('td', { class: what === 'ptr' ? 'code' : '' }, shown);
  };
  fill(
    body,
    ...model.variables.map((variable) =>
      h(
        'tr',
        null,
        h('th', { scope: 'row' }, variable.name),
        h('td', null, `[]${goNames[variable.type]}`),
        cell(variable, 'ptr', variable.slice.ptr, hex(variable.slice.ptr)),
        cell(variable, 'len', variable.slice.len),
        cell(variable, 'cap', variable.slice.cap),
        h('td', null, variable.slice.cap === 0 ? '–' : `array ${ordinal(variable)}`),
        h('td', null, variable.rule === 'classic' ? 'classic' : 'Go ≥ 1.18'),
        h(
          'td',
          null,
          h(
            'button',
            {
              type: 'button',
              class: 'quiet small',
              'aria-label': `Drop ${variable.name}`,
              'data-testid': `drop-${variable.name}`,
              onclick: () => drop(variable),
            },
            'Drop',
          ),
        ),
      ),
    ),
    model.variables.length === 0 && h('tr', null, h('td', { colspan: 8, class: 'hint' }, 'None yet.')),
  );
}
