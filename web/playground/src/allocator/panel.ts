// The allocator panel: a form, the tiers, the span map, the chart, the table of size classes.
import type { Panel } from '../app/tabs.ts';
import { host } from '../app/host.ts';
import { bytes, count, plural } from '../ui/format.ts';
import { StatusLine, button, field, h, number, readInteger, section } from '../ui/dom.ts';
import { ClassTable } from './classes.ts';
import { MemoryChart } from './memorychart.ts';
import { AllocatorModel } from './model.ts';
import { ObjectsView } from './objects.ts';
import { SpanMap } from './spanmap.ts';
import { TiersView } from './tiers.ts';

const maxObjects = 100_000;
const presets: [size: number, times: number, label: string][] = [
  [100, 1, '100 B'],
  [8, 1000, '8 B × 1,000'],
  [1024, 200, '1 KB × 200'],
  [40_000, 10, '40 KB × 10'],
  [4 << 20, 1, '4 MB'],
];

export function allocatorPanel(): Panel {
  const model = new AllocatorModel();
  const status = new StatusLine('alloc-status');
  const tiers = new TiersView(model);
  const map = new SpanMap();
  const chart = new MemoryChart(model);
  const classes = new ClassTable();
  const size = number('alloc-size', 100, 0, 512 << 20);
  const times = number('alloc-count', 1, 1, 10_000);
  let shown = false;

  const render = () => {
    const stats = model.sample();
    if (!shown) return;
    tiers.render(stats);
    map.render(stats, model.chosen?.block.ptr ?? 0);
    chart.render();
    classes.mark(model.lastClass);
  };
  const renderAll = () => {
    objects.render();
    render();
  };

  const act = (action: () => string) =>
    status.run(() => {
      try {
        status.say(action());
      } finally {
        renderAll();
        host.tick();
      }
    });
  const allocate = () =>
    act(() => {
      const [n, many] = [readInteger(size, 'Bytes'), readInteger(times, 'Count')];
      if (model.items.length + many > maxObjects)
        throw new RangeError(`the list holds at most ${count(maxObjects)} objects; free some first`);
      model.allocate(n, many);
      const where = model.lastClass ? `size class ${model.lastClass}` : 'large, whole pages';
      return `Allocated ${plural(many, 'object')} of ${bytes(n)}: ${where}.`;
    });
  const free = (words: string, which: Parameters<AllocatorModel['free']>[0]) =>
    act(() => `Freed ${plural(model.free(which, words), 'object')}.`);

  const objects = new ObjectsView(model, {
    choose: (item) => {
      model.chosen = item;
      renderAll();
    },
    free: (item) => void free(`free object ${item.id}`, (other) => other === item),
  });

  host.beforeStop(() => {
    model.items = [];
    model.chosen = null;
  });
  host.onStart(() => {
    model.reset();
    classes.build();
    renderAll();
  });
  host.onTick(render);

  const form = h(
    'form',
    {
      class: 'form',
      onsubmit: (event: SubmitEvent) => {
        event.preventDefault();
        void allocate();
      },
      novalidate: true,
    },
    field('Bytes', size),
    field('Count', times),
    h('button', { type: 'submit', class: 'primary', 'data-testid': 'alloc-go' }, 'Allocate'),
  );

  const element = h(
    'div',
    { class: 'panel' },
    h(
      'div',
      { class: 'intro' },
      h('h2', null, 'Allocator'),
      h(
        'p',
        null,
        'Go does not ask the system for each object. A size is rounded up to one of 67 size classes, and ' +
          'each class keeps ready-made free objects: first in a cache that belongs to the thread, so that no ' +
          'lock is needed; then in a central list per class; behind that the page heap cuts spans of 8 KB ' +
          'pages; and only when no span fits does the system give more, here through memory.grow. Objects ' +
          'above 32 KB get pages of their own. Freeing goes the same way back, and free neighbours join into ' +
          'larger spans.',
      ),
    ),
    section(
      'Allocate and free',
      'alloc-form',
      form,
      h(
        'div',
        { class: 'row presets', role: 'group', 'aria-label': 'Examples' },
        ...presets.map(([n, many, label]) =>
          button(
            `preset-${n}`,
            label,
            () => {
              size.value = String(n);
              times.value = String(many);
              void allocate();
            },
            'quiet small',
          ),
        ),
      ),
      h(
        'div',
        { class: 'row' },
        button(
          'free-chosen',
          'Free the chosen one',
          () => void free('free the chosen object', (item) => item === model.chosen),
        ),
        button('free-second', 'Free every second', () => void free('free every second object', (_, i) => i % 2 === 1)),
        button('free-all', 'Free all', () => void free('free all', () => true)),
      ),
      status.element,
    ),
    section('From the fast tier to the slow one', 'alloc-tiers', tiers.element),
    h(
      'div',
      { class: 'columns' },
      section('Objects', 'alloc-objects', objects.list),
      section('Chosen object', 'alloc-chosen', objects.detail),
    ),
    section('Spans in address order', 'alloc-spans', map.element),
    section('Memory over time', 'alloc-memory', chart.element),
    section('Size classes', 'alloc-classes', classes.element),
  );

  return {
    id: 'allocator',
    title: 'Allocator',
    element,
    visible(now) {
      shown = now;
      if (now) renderAll();
    },
  };
}
