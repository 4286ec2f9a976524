// A canvas as wide as its box, sharp on every screen, redrawn when either changes.
import { onSchemeChange } from './colours.ts';
import { h } from './dom.ts';

export class Surface {
  readonly element: HTMLCanvasElement;
  readonly box: HTMLElement;
  width = 0;
  #height: number;
  readonly #draw: (context: CanvasRenderingContext2D, width: number, height: number) => void;
  #asked = false;

  constructor(testid: string, height: number, draw: (c: CanvasRenderingContext2D, w: number, h: number) => void) {
    this.element = h('canvas', { 'data-testid': testid, role: 'img', 'aria-label': '' });
    this.box = h('div', { class: 'surface' }, this.element);
    this.#height = height;
    this.#draw = draw;
    // The width comes from the observer: asking for it in a frame would force a layout each time.
    new ResizeObserver(([entry]) => {
      const width = Math.floor(entry.contentRect.width);
      if (width === this.width) return;
      this.width = width;
      this.redraw();
    }).observe(this.box);
    onSchemeChange(() => this.redraw());
  }

  // Shows what lies under the pointer; `describe` gives undefined where nothing does.
  explain(describe: (x: number, y: number) => string | undefined): void {
    const tip = h('div', { class: 'tip', hidden: true });
    this.box.append(tip);
    this.element.addEventListener('pointerleave', () => (tip.hidden = true));
    this.element.addEventListener('pointermove', ({ offsetX, offsetY }) => {
      const words = describe(offsetX, offsetY);
      tip.hidden = words === undefined;
      tip.textContent = words ?? '';
      tip.style.left = `${Math.max(0, Math.min(offsetX + 12, this.width - tip.offsetWidth))}px`;
      tip.style.top = `${offsetY + 16}px`;
    });
  }

  set label(words: string) {
    if (this.element.getAttribute('aria-label') !== words) this.element.setAttribute('aria-label', words);
  }

  set height(pixels: number) {
    this.#height = pixels;
  }

  // Draws once, before the next frame, however often it is called until then.
  redraw(): void {
    if (this.#asked) return;
    this.#asked = true;
    requestAnimationFrame(() => {
      this.#asked = false;
      this.#paint();
    });
  }

  #paint(): void {
    if (this.width === 0) return; // in a hidden panel
    const scale = devicePixelRatio || 1;
    const [w, hgt] = [Math.round(this.width * scale), Math.round(this.#height * scale)];
    if (this.element.width !== w || this.element.height !== hgt) {
      this.element.width = w;
      this.element.height = hgt;
      this.element.style.height = `${this.#height}px`;
    }
    const context = this.element.getContext('2d')!;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, this.width, this.#height);
    this.#draw(context, this.width, this.#height);
  }
}
