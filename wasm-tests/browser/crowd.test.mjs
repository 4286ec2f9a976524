// A page stays responsive while 10,000 goroutines compute and talk on four workers: its main thread,
// which runs none of them, keeps drawing frames.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { launch } from './launch.mjs';
import { openPage } from './page.mjs';
import { serve } from './serve.mjs';

const folder = fileURLToPath(new URL('../../build/wasm/page', import.meta.url));
assert.ok(existsSync(`${folder}/crowd.js`), 'build/wasm/page is not there: build the target burrow-page (preset wasm)');

const SECONDS = 3;
const FRAME_MS = 50; // what a frame may take
const TRIES = 3; // other programs' load is not what is measured: the best counts

let browser, server;

before(async () => {
  browser = await launch('chromium');
  server = await serve(folder);
});

after(async () => {
  await browser?.close();
  await server?.close();
});

function distribution(times) {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  return { frames: sorted.length, median: at(0.5), p95: at(0.95), p99: at(0.99), max: sorted.at(-1) };
}

// One visit: the frames with all goroutines at work, and what these did meanwhile.
async function visit() {
  const { page, problems } = await openPage(browser, server.url);
  await page.waitForFunction(() => globalThis._crowd_started?.() === 10_000, { timeout: 60_000, polling: 100 });
  const seen = await page.evaluate(async (ms) => {
    const before = _crowd_rounds();
    const times = await globalThis.frames(ms);
    return { times, rounds: (_crowd_rounds() - before) >>> 0, procs: _crowd_procs_used() };
  }, SECONDS * 1000);
  await page.evaluate(() => _crowd_stop());
  await page.waitForFunction(() => _crowd_over() === 1, { timeout: 60_000, polling: 100 });
  assert.deepEqual(problems, []);
  await page.close();
  return { ...distribution(seen.times), rounds: seen.rounds, procs: seen.procs };
}

it('draws its frames while 10,000 goroutines run', async (t) => {
  let best;
  for (let i = 0; i < TRIES && !(best?.max < FRAME_MS); i++) {
    const seen = await visit();
    t.diagnostic(JSON.stringify(seen, (_, value) => (typeof value === 'number' ? Math.round(value * 10) / 10 : value)));
    assert.equal(seen.procs, 0b1111, 'all four workers took part');
    assert.ok(seen.rounds > 10_000, `${seen.rounds} rounds in ${SECONDS} s`);
    if (!best || seen.max < best.max) best = seen;
  }
  assert.ok(best.max < FRAME_MS, `the longest frame took ${best.max.toFixed(1)} ms in the best of ${TRIES}`);
});
