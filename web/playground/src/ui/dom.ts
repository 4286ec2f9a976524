// Building and updating elements: one short function an element, no templates.

import { count } from './format.ts';

type Child = Node | string | number | null | undefined | false;
type Props = Record<string, unknown>;

// h('button', { class: 'quiet', onclick: f, 'data-testid': 'x' }, 'Free'). Functions become properties,
// booleans become attributes that are there or not, everything else a plain attribute.
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props | null,
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (typeof value === 'function') (element as unknown as Props)[name] = value;
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value != null) element.setAttribute(name, String(value));
  }
  add(element, children);
  return element;
}

export function add(parent: Node, children: Child[]): void {
  for (const child of children) {
    if (child == null || child === false) continue;
    parent.appendChild(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

export function fill(parent: Element, ...children: Child[]): void {
  parent.textContent = '';
  add(parent, children);
}

// A number the page shows and tests read: text for people, data-value for programs.
export function output(testid: string, text: Child = '–'): HTMLOutputElement {
  return h('output', { 'data-testid': testid, class: 'value' }, text);
}

export function show(target: HTMLElement, value: string | number | bigint, text?: string): void {
  const plain = String(value);
  if (target.dataset.value !== plain) target.dataset.value = plain;
  const words = text ?? (typeof value === 'number' ? count(value) : plain);
  if (target.textContent !== words) target.textContent = words;
}

let ids = 0;
export const uniqueId = (prefix: string): string => `${prefix}-${++ids}`;

// A control with its label above it.
export function field(label: string, control: HTMLElement, hint?: string): HTMLElement {
  if (!control.id) control.id = uniqueId('field');
  const note = hint ? h('small', { id: `${control.id}-hint`, class: 'hint' }, hint) : null;
  if (note) control.setAttribute('aria-describedby', note.id);
  return h('div', { class: 'field' }, h('label', { for: control.id }, label), control, note);
}

export function number(testid: string, value: number, min: number, max: number): HTMLInputElement {
  return h('input', {
    type: 'number',
    inputmode: 'numeric',
    'data-testid': testid,
    value,
    min,
    max,
    step: 1,
    required: true,
  });
}

export function text(testid: string, value: string, placeholder = ''): HTMLInputElement {
  return h('input', {
    type: 'text',
    'data-testid': testid,
    value,
    placeholder,
    spellcheck: 'false',
    autocomplete: 'off',
  });
}

export function select(testid: string, options: [value: string, label: string][], chosen?: string): HTMLSelectElement {
  const list = h('select', { 'data-testid': testid });
  for (const [value, label] of options) {
    list.append(h('option', { value, selected: value === chosen }, label));
  }
  return list;
}

export function button(testid: string, label: string, onclick: () => void, kind = ''): HTMLButtonElement {
  return h('button', { type: 'button', 'data-testid': testid, class: kind, onclick }, label);
}

// Reads a number field; a value that is missing or out of bounds is an error with the field's own words.
export function readInteger(input: HTMLInputElement, name: string): number {
  const value = input.valueAsNumber;
  const [min, max] = [Number(input.min), Number(input.max)];
  if (!Number.isInteger(value) || value < min || value > max) {
    input.focus();
    throw new RangeError(`${name} must be a whole number from ${count(min)} to ${count(max)}`);
  }
  return value;
}

// The line under a form where results and errors are read out.
export class StatusLine {
  readonly element: HTMLElement;
  constructor(testid: string) {
    this.element = h('p', { class: 'status', role: 'status', 'aria-live': 'polite', 'data-testid': testid });
  }
  say(words: string): void {
    this.element.className = 'status';
    this.element.textContent = words;
  }
  fail(error: unknown): void {
    this.element.className = 'status error';
    this.element.textContent = error instanceof Error ? error.message : String(error);
  }
  // Runs what a button stands for; what it throws is shown here and nowhere else.
  async run(action: () => unknown): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.fail(error);
    }
  }
}

export function section(title: string, id: string, ...children: Child[]): HTMLElement {
  return h('section', { class: 'card', 'aria-labelledby': id }, h('h3', { id }, title), ...children);
}
