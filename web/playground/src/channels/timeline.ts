// Rows are workers, ticks are events, colours are goroutines: a colour in several rows is a goroutine that
// moved. The list of goroutines holds the same in words.
import { host } from '../app/host.ts';
import { Surface } from '../ui/canvas.ts';
import { hue, token } from '../ui/colours.ts';
import { count, duration, plural } from '../ui/format.ts';
import { h } from '../ui/dom.ts';
import { roles, texts, type DemoEvent } from './demo.ts';
import type { Run } from './run.ts';

const rowHeight = 30;
const left = 34;
const axis = 22;

export class Timeline {
  readonly element: HTMLElement;
  readonly #run: Run;
  readonly #surface: Surface;
  readonly #note = h('p', { class: 'legend' });

  constructor(run: Run) {
    this.#run = run;
    this.#surface = new Surface('timeline', 4 * rowHeight + axis, (context, width, height) =>
      this.#draw(context, width, height),
    );
    this.#surface.explain((x, y) => this.#at(x, y));
    this.element = h('div', null, this.#surface.box, this.#note);
  }

  render(): void {
    const { events, missed, goroutines } = this.#run;
    this.#surface.height = host.workers * rowHeight + axis;
    const [n, who] = [plural(events.length, 'event'), plural(goroutines.size, 'goroutine')];
    this.#surface.label = `${n} of ${who} on ${plural(host.workers, 'worker')} in ${duration(this.#run.now)}`;
    this.#surface.element.dataset.value = String(events.length);
    this.#note.textContent =
      events.length === 0
        ? 'One row per worker; a colour stands for a goroutine. Start a demo to fill it.'
        : `${n} of the log${missed ? ` (${count(missed)} came too fast to be shown)` : ''}; one row per worker, ` +
          'one colour per goroutine. Long runs log only some of their operations.';
    this.#surface.redraw();
  }

  #draw(context: CanvasRenderingContext2D, width: number, height: number): void {
    const rows = host.workers;
    const span = Math.max(this.#run.now, 0.001);
    const scale = (width - left - 4) / span;
    context.font = '11px system-ui, sans-serif';
    context.textBaseline = 'middle';
    for (let row = 0; row < rows; row++) {
      context.fillStyle = token(row % 2 ? 'surface' : 'sunken');
      context.fillRect(left, row * rowHeight, width - left, rowHeight);
      context.fillStyle = token('muted');
      context.fillText(`W${row}`, 4, row * rowHeight + rowHeight / 2);
    }
    context.fillStyle = token('muted');
    for (const tick of ticks(span, Math.max(2, Math.floor(width / 140)))) {
      const x = left + tick * scale;
      context.fillRect(x, rows * rowHeight, 1, 4);
      context.textAlign = x > width - 40 ? 'right' : x < left + 20 ? 'left' : 'center';
      context.fillText(tick === 0 ? '0' : duration(tick), x, height - 8);
    }
    context.textAlign = 'left';
    // Of several events on one pixel the first is drawn: a long run has more events than the row has pixels.
    const drawn = new Uint8Array(rows * Math.ceil(width));
    for (const event of this.#run.events) {
      const x = left + event.at * scale;
      const pixel = event.worker * Math.ceil(width) + Math.floor(x);
      const loud = event.kind === 'start' || event.kind === 'end' || event.kind === 'text';
      if (drawn[pixel] > (loud ? 1 : 0)) continue;
      drawn[pixel] = loud ? 2 : 1;
      context.fillStyle = hue(event.goroutine);
      const inset = loud ? 1 : 6;
      context.fillRect(x, event.worker * rowHeight + inset, loud ? 2 : 1.5, rowHeight - 2 * inset);
    }
  }

  #at(x: number, y: number): string | undefined {
    const span = this.#run.now;
    const width = this.#surface.width - left - 4;
    const time = ((x - left) / width) * span;
    const near = nearest(this.#run.events, Math.floor(y / rowHeight), time);
    if (!near || Math.abs(near.at - time) > (6 / width) * span) return undefined;
    return `${duration(near.at)}: goroutine ${near.goroutine} on worker ${near.worker}, ${describe(near)}`;
  }
}

export function describe(event: DemoEvent): string {
  switch (event.kind) {
    case 'start':
      return `begins as ${roles[event.value] ?? 'goroutine'}`;
    case 'end':
      return 'ends';
    case 'send':
      return `sends ${count(event.value)}`;
    case 'receive':
      return `receives ${count(event.value)}`;
    case 'prime':
      return `finds the prime ${count(event.value)}`;
    case 'text':
      return `prints “${texts[event.value]}”`;
  }
}

function nearest(events: DemoEvent[], worker: number, time: number): DemoEvent | undefined {
  let best: DemoEvent | undefined;
  for (const event of events) {
    if (event.worker === worker && (!best || Math.abs(event.at - time) < Math.abs(best.at - time))) best = event;
  }
  return best;
}

// Round times (1, 2, 5 × 10ⁿ ms), at most `most` of them.
function ticks(span: number, most: number): number[] {
  let step = 10 ** Math.floor(Math.log10(span / most));
  for (const factor of [2, 2.5, 2]) {
    if (span / step <= most) break;
    step *= factor;
  }
  const list: number[] = [];
  for (let t = 0; t <= span * 1.0001; t += step) list.push(t);
  return list;
}
