// Tabs that follow the address: #allocator, #slices, #channels. Arrow keys, Home and End move between them.
import { h } from '../ui/dom.ts';

export interface Panel {
  id: string;
  title: string;
  element: HTMLElement;
  // Called when the panel comes into view and when it leaves.
  visible?(shown: boolean): void;
}

export class Tabs {
  readonly bar: HTMLElement;
  readonly body: HTMLElement;
  readonly #panels: Panel[];
  #current: Panel | null = null;

  constructor(panels: Panel[]) {
    this.#panels = panels;
    this.bar = h(
      'div',
      {
        class: 'tabs',
        role: 'tablist',
        'aria-label': 'Parts of the runtime',
        onkeydown: (e: KeyboardEvent) => this.#key(e),
      },
      ...panels.map((panel) =>
        h(
          'a',
          {
            href: `#${panel.id}`,
            id: `tab-${panel.id}`,
            role: 'tab',
            'aria-controls': `panel-${panel.id}`,
            'data-testid': `tab-${panel.id}`,
          },
          panel.title,
        ),
      ),
    );
    this.body = h(
      'main',
      null,
      ...panels.map((panel) => {
        panel.element.id = `panel-${panel.id}`;
        panel.element.setAttribute('role', 'tabpanel');
        panel.element.setAttribute('aria-labelledby', `tab-${panel.id}`);
        panel.element.hidden = true;
        return panel.element;
      }),
    );
    addEventListener('hashchange', () => this.show(location.hash.slice(1)));
  }

  show(id: string): void {
    const next = this.#panels.find((panel) => panel.id === id) ?? this.#panels[0];
    if (next === this.#current) return;
    for (const panel of this.#panels) {
      const chosen = panel === next;
      panel.element.hidden = !chosen;
      const tab = this.#tab(panel);
      tab.setAttribute('aria-selected', String(chosen));
      tab.tabIndex = chosen ? 0 : -1;
    }
    const previous = this.#current;
    this.#current = next;
    previous?.visible?.(false);
    next.visible?.(true);
    document.title = `${next.title} – Burrow playground`;
  }

  #tab(panel: Panel): HTMLElement {
    return this.bar.children[this.#panels.indexOf(panel)] as HTMLElement;
  }

  #key(event: KeyboardEvent): void {
    const last = this.#panels.length - 1;
    const here = this.#panels.indexOf(this.#current!);
    const moves: Record<string, number> = {
      ArrowRight: here === last ? 0 : here + 1,
      ArrowLeft: here === 0 ? last : here - 1,
      Home: 0,
      End: last,
    };
    const to = moves[event.key];
    if (to === undefined) return;
    event.preventDefault();
    location.hash = this.#panels[to].id;
    this.#tab(this.#panels[to]).focus();
  }
}
