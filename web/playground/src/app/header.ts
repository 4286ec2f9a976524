// The line that is always there: which version, how many workers, how much memory, isolated or not.
import { bytes } from '../ui/format.ts';
import { h, output, show } from '../ui/dom.ts';
import { host } from './host.ts';

export function header(version: string): HTMLElement {
  const workers = output('header-workers');
  const memory = output('header-memory');
  const isolated = output('header-isolated');
  const shownVersion = output('header-version');
  show(shownVersion, version);
  show(isolated, String(crossOriginIsolated), crossOriginIsolated ? 'yes' : 'no');
  host.onTick(() => {
    show(workers, host.workers);
    const now = host.runtime.memory().virtualBytes;
    show(memory, now, bytes(now));
  });
  const fact = (name: string, value: HTMLElement) => h('div', null, h('dt', null, name), h('dd', null, value));
  return h(
    'header',
    { class: 'top' },
    h('div', { class: 'brand' }, h('h1', null, 'Burrow'), h('p', null, 'Go’s runtime in C, at work in this page')),
    h(
      'dl',
      { class: 'facts' },
      fact('Version', shownVersion),
      fact('Workers', workers),
      fact('Linear memory', memory),
      fact('Cross-origin isolated', isolated),
    ),
  );
}
