// Start-up: check that the page may share memory, start the runtime, put the panels in place.
import './style.css';
import { allocatorPanel } from './allocator/panel.ts';
import { firstWorkers, host } from './app/host.ts';
import { header } from './app/header.ts';
import { isolationMessage } from './app/isolation.ts';
import { Tabs } from './app/tabs.ts';
import { channelsPanel } from './channels/panel.ts';
import { slicesPanel } from './slices/panel.ts';
import { button, fill, h } from './ui/dom.ts';
import { version } from 'burrow-runtime/package.json';

const refreshMs = 500;

// The line that comes up when the runtime dies of a fatal error: why, and a way to go on.
function deathNotice(): HTMLElement {
  const notice = h('div', { class: 'death', role: 'alert', 'data-testid': 'death', hidden: true });
  const restart = async () => {
    fill(notice, h('p', null, 'Starting a new runtime…'));
    try {
      await host.start(host.workers);
      notice.hidden = true;
    } catch (error) {
      host.onDeath(error instanceof Error ? error.message : String(error));
    }
  };
  host.onDeath = (why) => {
    notice.hidden = false;
    fill(
      notice,
      h('p', null, h('strong', null, 'The runtime has ended: '), h('code', null, why)),
      button('death-restart', 'Start a new one', () => void restart()),
    );
  };
  return notice;
}

async function main(app: HTMLElement): Promise<void> {
  if (!crossOriginIsolated) {
    app.append(isolationMessage());
    return;
  }
  const waiting = h('p', { class: 'notice', role: 'status' }, 'Starting the runtime…');
  app.append(waiting);
  try {
    await host.start(firstWorkers);
  } catch (error) {
    waiting.setAttribute('role', 'alert');
    waiting.dataset.testid = 'start-failed';
    waiting.textContent = `The runtime did not start: ${error instanceof Error ? error.message : error}`;
    return;
  }
  waiting.remove();

  const tabs = new Tabs([allocatorPanel(), slicesPanel(), channelsPanel()]);
  const death = deathNotice();
  app.append(
    header(version),
    death,
    tabs.bar,
    tabs.body,
    h('footer', null, 'Every number on this page is read from the runtime’s memory; nothing is simulated.'),
  );
  tabs.show(location.hash.slice(1));
  host.tick();
  setInterval(() => host.tick(), refreshMs);
  app.dataset.ready = 'true';
}

void main(document.getElementById('app')!);
