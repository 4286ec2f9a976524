// The playground in Firefox: each panel does its work.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { launch } from './launch.mjs';
import { Playground, openPage } from './page.mjs';
import { serve } from './serve.mjs';

const dist = fileURLToPath(new URL('../../web/playground/dist', import.meta.url));
let browser, server, page, problems, play;

before(async () => {
  browser = await launch('firefox');
  server = await serve(dist);
  ({ page, problems } = await openPage(browser, server.url));
  play = new Playground(page);
  await play.ready();
});

after(async () => {
  await browser?.close();
  await server?.close();
});

it('is isolated', async () => {
  assert.equal(await play.value('header-isolated'), 'true');
});

it('allocates, grows memory and frees', async () => {
  await play.open('allocator');
  const before = await play.number('stat-liveBytes');
  await play.click('preset-100');
  await play.waitValue('object-count', 1);
  assert.equal(await play.number('object-object-size'), 112);
  const linear = await play.number('header-memory');
  await play.set('alloc-size', 4 << 20);
  await play.set('alloc-count', 8);
  await play.click('alloc-go');
  await play.waitValue('object-count', 9);
  assert.ok((await play.number('header-memory')) > linear);
  await play.click('free-all');
  await play.waitValue('object-count', 0);
  assert.equal(await play.number('stat-liveBytes'), before);
});

it('appends to a slice', async () => {
  await play.open('slices');
  await play.click('make-go');
  await play.waitValue('slice-a-cap', 0);
  await play.set('append-values', '1 2 3 4 5');
  await play.click('append-go');
  await play.waitValue('slice-a-len', 5);
  assert.equal(await play.number('slice-a-cap'), 8);
});

it('runs goroutines on four workers and stops them', async () => {
  await play.open('channels');
  await play.startDemo('producers', { goroutines: 8, capacity: 16, count: 20_000 });
  assert.equal(await play.finished(), 'done');
  assert.equal(await play.value('chan-sum'), String((4n * 20_000n * 20_001n) / 2n));
  assert.equal(await play.value('chan-check'), 'ok');
  await play.startDemo('sieve', { capacity: 1, count: 5000 });
  await play.waitAtLeast('chan-sent', 1000);
  await play.click('chan-stop');
  await play.waitValue('chan-running', 0, 2000);
});

it('no error and no warning came up on the console', () => {
  assert.deepEqual(problems, []);
});
