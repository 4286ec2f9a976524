// The channels panel: choose a demo, start and stop it, see which worker runs what.
import type { Panel } from '../app/tabs.ts';
import { host, maxWorkers } from '../app/host.ts';
import { StatusLine, button, field, h, number, output, readInteger, section, select, show } from '../ui/dom.ts';
import { demos, type DemoName } from './demo.ts';
import { plural } from '../ui/format.ts';
import { GoroutinesView } from './goroutines.ts';
import { ResultView } from './result.ts';
import { Run } from './run.ts';
import { Timeline } from './timeline.ts';
import { WorkersView } from './workers.ts';

// The log holds 4,096 events, which some demos write in a few milliseconds: it is read much more often than
// the page is drawn.
const lookMs = 8;
const drawMs = 100;

export function channelsPanel(): Panel {
  const run = new Run();
  const status = new StatusLine('chan-status');
  const timeline = new Timeline(run);
  const workersView = new WorkersView(run);
  const goroutinesView = new GoroutinesView(run);
  const result = new ResultView(run);

  const demo = select(
    'chan-demo',
    demos.map(({ name, title }) => [name, title]),
  );
  const about = h('p', { class: 'about' });
  const goroutines = number('chan-goroutines', 1, 1, 1000);
  const capacity = number('chan-capacity', 0, 0, 100_000);
  const total = number('chan-count', 1, 1, 1);
  const workers = select(
    'chan-workers',
    Array.from({ length: maxWorkers }, (_, i) => [String(i + 1), String(i + 1)]),
  );
  const totalField = field('Count', total);
  const goroutinesField = field('Goroutines', goroutines);
  const capacityField = field('Channel capacity', capacity);
  const start = h('button', { type: 'submit', class: 'primary', 'data-testid': 'chan-start' }, 'Start');
  const stop = button(
    'chan-stop',
    'Stop',
    () =>
      void status.run(() => {
        run.stop();
        render();
      }),
  );
  const [running, sent, received, alive, migrations] = [
    'chan-running',
    'chan-sent',
    'chan-received',
    'chan-alive',
    'chan-migrations',
  ].map((id) => output(id));

  const choose = () => {
    const kind = demos.find(({ name }) => name === demo.value)!;
    about.textContent = kind.about;
    goroutinesField.hidden = kind.goroutines === undefined;
    capacityField.hidden = kind.capacity === undefined;
    totalField.hidden = kind.count === undefined;
    goroutines.value = String(kind.goroutines ?? 2);
    capacity.value = String(kind.capacity ?? 0);
    total.value = String(kind.count?.value ?? 1);
    total.max = String(kind.count?.max ?? 1);
    totalField.querySelector('label')!.textContent = kind.count?.label ?? '';
  };

  const render = () => {
    const { state } = run;
    show(running, state?.running ? 1 : 0, state?.running ? (run.stopped ? 'stopping' : 'running') : 'idle');
    show(sent, state?.sent ?? 0);
    show(received, state?.received ?? 0);
    show(alive, state?.goroutines ?? 0);
    show(
      migrations,
      run.procs.reduce((sum, proc) => sum + proc.migrations, 0),
    );
    start.disabled = run.running || !host.ready;
    stop.disabled = !run.running;
    workersView.render();
    timeline.render();
    goroutinesView.render();
    result.render();
  };

  // A timer, not animation frames: a demo also ends while its tab is in the background.
  let next = 0;
  setInterval(() => {
    if (!run.look()) return;
    const begin = performance.now();
    if (run.running && begin < next) return;
    render();
    // On a machine whose cores are all busy with goroutines the page takes a fifth of its own thread, no more.
    const end = performance.now();
    next = end + Math.max(drawMs, 4 * (end - begin));
  }, lookMs);

  const begin = () =>
    status.run(() => {
      run.start({
        demo: demo.value as DemoName,
        goroutines: readInteger(goroutines, 'Goroutines'),
        capacity: readInteger(capacity, 'Channel capacity'),
        count: readInteger(total, totalField.querySelector('label')!.textContent!),
      });
      status.say('');
      render();
    });

  const restart = () =>
    status.run(async () => {
      const wanted = Number(workers.value);
      workers.disabled = start.disabled = true;
      status.say(`Starting a runtime with ${wanted} workers…`);
      try {
        await host.start(wanted);
        status.say(`A new runtime with ${plural(wanted, 'worker')} is up. Objects and slices of the old one are gone.`);
      } finally {
        workers.disabled = false;
        render();
      }
    });

  demo.addEventListener('input', choose);
  workers.addEventListener('change', () => void restart());
  host.beforeStop(async () => {
    if (!run.running) return;
    run.stop();
    await run.ended();
  });
  host.onStart(() => {
    workers.value = String(host.workers);
    run.clear();
    render();
  });
  choose();

  const fact = (label: string, value: HTMLElement) => h('div', null, h('dt', null, label), h('dd', null, value));
  const element = h(
    'div',
    { class: 'panel' },
    h(
      'div',
      { class: 'intro' },
      h('h2', null, 'Channels'),
      h(
        'p',
        null,
        'A goroutine is a function with a small stack of its own. Switching from one to another saves a few ' +
          'words and asks no kernel, so there may be thousands. Workers, here Web Workers, take them ' +
          'from one queue, so a goroutine may start on one worker, wait ' +
          'at a channel, and go on running on another. A channel hands values over: when nobody is ready on ' +
          'the other side (and the buffer is full or empty) the goroutine is parked and its worker takes the ' +
          'next one.',
      ),
    ),
    section(
      'Run a demo',
      'chan-form',
      h(
        'form',
        {
          class: 'form',
          novalidate: true,
          onsubmit: (event: SubmitEvent) => {
            event.preventDefault();
            void begin();
          },
        },
        field('Demo', demo),
        goroutinesField,
        capacityField,
        totalField,
        field('Workers', workers, 'a change restarts the runtime'),
        start,
        stop,
      ),
      about,
      status.element,
      h(
        'dl',
        { class: 'facts wide' },
        fact('State', running),
        fact('Sends', sent),
        fact('Receives', received),
        fact('Goroutines alive', alive),
        fact('Moves between workers', migrations),
      ),
      result.element,
    ),
    section('Which worker did what', 'chan-workers-card', workersView.element),
    section('Timeline', 'chan-timeline', timeline.element),
    section('Goroutines', 'chan-goroutines-card', goroutinesView.element),
  );

  return { id: 'channels', title: 'Channels', element, visible: (now) => now && render() };
}
