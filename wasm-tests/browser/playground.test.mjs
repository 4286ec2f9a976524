// The playground in Chromium, panel by panel. What is asserted are values that the runtime computed.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { launch } from './launch.mjs';
import { Playground, byId, openPage } from './page.mjs';
import { serve } from './serve.mjs';

const dist = fileURLToPath(new URL('../../web/playground/dist', import.meta.url));
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
assert.ok(existsSync(dist), 'web/playground/dist is not there: build the playground first (npm run build)');

let browser, server, page, problems, play;

before(async () => {
  browser = await launch('chromium');
  server = await serve(dist);
  ({ page, problems } = await openPage(browser, server.url));
  play = new Playground(page);
  await play.ready();
});

after(async () => {
  await browser?.close();
  await server?.close();
});

async function seriousViolations(target) {
  await target.evaluate(axe);
  const { violations } = await target.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(
      ({ id, nodes }) =>
        `${id}: ${nodes
          .map(({ target: where, failureSummary }) => `${where} ${failureSummary}`)
          .slice(0, 3)
          .join(' | ')}`,
    );
}

describe('page', () => {
  it('starts isolated, with four workers, and says so', async () => {
    assert.equal(await play.value('header-isolated'), 'true');
    assert.equal(await play.number('header-workers'), 4);
    assert.match(await play.text('header-version'), /^\d+\.\d+\.\d+/);
    assert.ok((await play.number('header-memory')) >= 1 << 20);
  });

  it('reaches each panel by its address, and by keyboard', async () => {
    for (const tab of ['slices', 'channels', 'allocator']) {
      await play.open(tab);
      assert.equal(await page.$eval(byId(`tab-${tab}`), (element) => element.getAttribute('aria-selected')), 'true');
    }
    await page.focus(byId('tab-allocator'));
    await page.keyboard.press('ArrowRight');
    await page.waitForSelector('#panel-slices:not([hidden])');
  });

  it('says that the runtime died, why, and starts a new one', async () => {
    const { page: doomed } = await openPage(browser, server.url, {
      // Keeps the module's exports where the test can call them: the page itself offers no way to do harm.
      before: () => {
        const { instantiate } = WebAssembly;
        WebAssembly.instantiate = async (...args) => {
          const instance = await instantiate.apply(WebAssembly, args);
          globalThis.kept = instance.exports;
          return instance;
        };
      },
    });
    const other = new Playground(doomed);
    await other.ready();
    await doomed.evaluate(() => {
      try {
        globalThis.kept.bw_js_free(12_345);
      } catch {
        // it never returns
      }
    });
    await doomed.waitForSelector(`${byId('death')}:not([hidden])`);
    assert.match(await other.text('death'), /The runtime has ended: .*(fatal error|panic)/);
    await other.open('allocator');
    await other.click('alloc-go');
    await other.waitText('alloc-status', /fatal error|panic/);
    await other.click('death-restart');
    await doomed.waitForSelector(`${byId('death')}[hidden]`);
    await doomed.waitForFunction(
      (selector) => Number(document.querySelector(selector).dataset.value) === 0,
      {},
      byId('object-count'),
    );
    await other.click('alloc-go');
    await other.waitValue('object-count', 1);
    await doomed.close();
  });

  it('without the headers names them and starts nothing', async () => {
    const plain = await serve(dist, { isolated: false });
    try {
      const { page: bare, problems: bareProblems } = await openPage(browser, plain.url);
      await bare.waitForSelector(byId('not-isolated'));
      const words = await bare.$eval(byId('not-isolated'), (element) => element.textContent);
      assert.match(words, /Cross-Origin-Opener-Policy: same-origin/);
      assert.match(words, /Cross-Origin-Embedder-Policy: require-corp/);
      assert.equal(await bare.$('[role="tab"]'), null);
      assert.equal(bare.workers().length, 0);
      assert.deepEqual(await seriousViolations(bare), []);
      assert.deepEqual(bareProblems, []);
      await bare.close();
    } finally {
      await plain.close();
    }
  });
});

describe('allocator', () => {
  beforeEach(() => play.open('allocator'));

  const allocate = async (size, count = 1) => {
    await play.set('alloc-size', size);
    await play.set('alloc-count', count);
    const there = await play.number('object-count');
    await play.click('alloc-go');
    await play.waitValue('object-count', there + count);
  };

  it('rounds 100 bytes up to the class of 112 and takes them back', async () => {
    const before = await play.number('stat-liveBytes');
    await allocate(100);
    assert.equal(await play.number('object-asked'), 100);
    assert.equal(await play.number('object-class'), 9);
    assert.equal(await play.number('object-object-size'), 112);
    assert.equal((await play.number('stat-liveBytes')) - before, 112);
    const at = await play.number('object-address');
    const span = await play.number('object-span-start');
    assert.equal(at, span + 112 * (await play.number('object-index')));
    const marked = await page.$eval(`${byId('class-table')} tr.chosen`, (row) => row.dataset.class);
    assert.equal(marked, '9');
    await play.click('free-all');
    await play.waitValue('object-count', 0);
    assert.equal(await play.number('stat-liveBytes'), before);
  });

  it('shows all 67 size classes, the published ones', async () => {
    const rows = await page.$$eval(`${byId('class-table')} tbody tr`, (list) =>
      list.map((row) => [...row.cells].map((cell) => cell.textContent.replaceAll(',', ''))),
    );
    assert.equal(rows.length, 67);
    assert.deepEqual(rows[0], ['1', '8', '8192', '1024', '0', '87.50%']);
    assert.deepEqual(rows[8], ['9', '112', '8192', '73', '16', '13.56%']);
    assert.deepEqual(rows[66], ['67', '32768', '32768', '1', '0', '12.50%']);
  });

  it('frees one of many, then every second, then all', async () => {
    const before = await play.number('stat-liveBytes');
    await allocate(1024, 200);
    assert.equal((await play.number('stat-liveBytes')) - before, 200 * 1024);
    await play.click('free-chosen');
    await play.waitValue('object-count', 199);
    await play.click('free-second');
    await play.waitValue('object-count', 100);
    assert.equal((await play.number('stat-liveBytes')) - before, 100 * 1024);
    await play.click('free-all');
    await play.waitValue('object-count', 0);
    assert.equal(await play.number('stat-liveBytes'), before);
  });

  it('takes the fast tier when it can: a freed object comes back at the same address', async () => {
    await allocate(48);
    const first = await play.number('object-address');
    await play.click('free-chosen');
    await play.waitValue('object-count', 0);
    const hits = await play.number('stat-cacheHits');
    await allocate(48);
    assert.equal(await play.number('object-address'), first);
    assert.ok((await play.number('stat-cacheHits')) > hits);
    await play.click('free-all');
    await play.waitValue('object-count', 0);
  });

  it('gives large objects whole pages and shows each memory.grow', async () => {
    const [calls, events, linear] = [
      await play.number('stat-systemCalls'),
      await play.number('grow-events'),
      await play.number('header-memory'),
    ];
    await allocate(40_000);
    assert.equal(await play.number('object-class'), 0);
    assert.equal(await play.number('object-span-bytes'), 40_960);
    await allocate(4 << 20, 8);
    assert.ok((await play.number('stat-systemCalls')) > calls);
    assert.ok((await play.number('grow-events')) > events);
    assert.match(await play.text('grow-events'), /memory\.grow: \+[\d,]+ KB at \d+\.\d\d s/);
    assert.ok((await play.number('header-memory')) >= linear + (16 << 20));
    const coalesces = await play.number('stat-heapCoalesces');
    await play.click('free-all');
    await play.waitValue('object-count', 0);
    assert.ok((await play.number('stat-heapCoalesces')) > coalesces, 'neighbours were joined');
    assert.ok((await play.number('span-map')) > 0);
  });

  it('says what is wrong with a size', async () => {
    await play.set('alloc-size', '-5');
    await play.click('alloc-go');
    await play.waitText('alloc-status', /Bytes must be a whole number/);
    await play.set('alloc-size', '100');
  });
});

describe('slices', () => {
  beforeEach(() => play.open('slices'));

  const make = async (len, cap, type = 'i64', rule = 'go118') => {
    await play.set('make-type', type);
    await play.set('make-len', len);
    await play.set('make-cap', cap);
    await play.set('make-rule', rule);
    await play.click('make-go');
    await play.waitText('slice-status', /has length/);
    return page.$eval(byId('slice-target'), (select) => select.value);
  };
  const append = async (to, values) => {
    await play.set('slice-target', to);
    await play.set('append-values', values);
    await play.click('append-go');
  };
  const set = async (on, index, value) => {
    await play.set('slice-target', on);
    await play.set('set-index', index);
    await play.set('set-value', value);
    await play.click('set-go');
  };
  const read = async (from, index) => {
    await play.set('slice-target', from);
    await play.set('set-index', index);
    await play.click('read-go');
    return play.value('slice-read');
  };
  const reslice = async (of, low, high, max = '') => {
    await play.set('slice-target', of);
    await play.set('slice-low', low);
    await play.set('slice-high', high);
    await play.set('slice-max', max);
    await play.click('reslice-go');
  };
  const chosen = () => page.$eval(byId('slice-target'), (select) => select.value);

  it('appends 1..10 with the capacities 1, 2, 4, 8, 16', async () => {
    const s = await make(0, 0);
    const caps = [];
    for (let i = 1; i <= 10; i++) {
      await append(s, String(i));
      await play.waitValue(`slice-${s}-len`, i);
      caps.push(await play.number(`slice-${s}-cap`));
    }
    assert.deepEqual([...new Set(caps)], [1, 2, 4, 8, 16]);
    assert.deepEqual(caps, [1, 2, 4, 4, 8, 8, 8, 8, 16, 16]);
    assert.equal(await read(s, 9), '10');
  });

  it('shares one array between a slice and its piece: set via one, read via the other', async () => {
    const s = await make(5, 8);
    await reslice(s, '1', '4');
    const piece = await chosen();
    assert.notEqual(piece, s);
    assert.equal(await play.number(`slice-${piece}-len`), 3);
    assert.equal(await play.number(`slice-${piece}-cap`), 7);
    assert.equal((await play.number(`slice-${piece}-ptr`)) - (await play.number(`slice-${s}-ptr`)), 8);
    await set(piece, 0, 77);
    assert.equal(await read(s, 1), '77');
    const flashes = await page.$$eval('.arrays td.flash', (cells) =>
      cells.map((cell) => `${cell.parentElement.dataset.slice} ${cell.textContent}`),
    );
    // Reading drew the arrays again, so the flash is looked for after one more write.
    assert.deepEqual(flashes, []);
    await set(s, 2, 88);
    const both = await page.$$eval('.arrays td.flash', (cells) =>
      cells.map((cell) => `${cell.parentElement.dataset.slice} ${cell.textContent}`),
    );
    assert.deepEqual(both.sort(), [`${piece} 88`, `${s} 88`].sort());
    // Append into the piece overwrites what the other slice sees, as in Go ...
    await append(piece, '99');
    assert.equal(await read(s, 4), '99');
    // ... unless the third index took the room away.
    await reslice(s, '1', '4', '4');
    const tight = await chosen();
    assert.equal(await play.number(`slice-${tight}-cap`), 3);
    await append(tight, '-1');
    assert.equal(await read(s, 4), '99');
    assert.notEqual(await play.number(`slice-${tight}-ptr`), (await play.number(`slice-${s}-ptr`)) + 8);
  });

  it('grows by both rules to their published capacities', async () => {
    await play.set('growth-type', 'i64');
    await play.set('growth-limit', 10_000);
    const table = await page.$eval(byId('growth-table'), ({ dataset }) => ({
      classic: dataset.classic,
      go118: dataset.go118,
    }));
    assert.equal(table.go118, '1 2 4 8 16 32 64 128 256 512 848 1280 1792 2560 3408 5120 7168 9216 12288');
    assert.equal(table.classic, '1 2 4 8 16 32 64 128 256 512 1024 1280 1696 2304 3072 4096 5120 7168 9216 12288');
    const s = await make(0, 0, 'i64', 'classic');
    await play.set('slice-target', s);
    await play.click('append-1000');
    await play.waitValue(`slice-${s}-len`, 1000);
    assert.equal(await play.number(`slice-${s}-cap`), 1024);
    await play.click('append-1000');
    await play.waitValue(`slice-${s}-len`, 2000);
    assert.equal(await play.number(`slice-${s}-cap`), 2304);
  });

  it('speaks Go’s words for what must not be', async () => {
    const s = await make(3, 3);
    await play.set('slice-target', s);
    await play.set('set-index', 5);
    await play.click('read-go');
    await play.waitText('slice-status', /index out of range \[5\] with length 3/);
    await reslice(s, '0', '9');
    await play.waitText('slice-status', /slice bounds out of range \[:9\] with capacity 3/);
    await reslice(s, '2', '1');
    await play.waitText('slice-status', /slice bounds out of range \[2:1\]/);
    await play.set('make-len', -1);
    await play.click('make-go');
    await play.waitText('slice-status', /makeslice: len out of range/);
    await play.set('make-len', 4);
    await play.set('make-cap', 2);
    await play.click('make-go');
    await play.waitText('slice-status', /makeslice: cap out of range/);
  });
});

describe('channels', () => {
  beforeEach(() => play.open('channels'));

  const workerSums = async (what) =>
    page.$$eval(`[data-testid^="worker-"][data-testid$="-${what}"]`, (list) =>
      list.map((element) => Number(element.dataset.value)),
    );

  it('adds up exactly over producers and consumers on four workers, which share the work', async () => {
    await play.useWorkers(4);
    await play.startDemo('producers', { goroutines: 8, capacity: 16, count: 50_000 });
    assert.equal(await play.finished(), 'done');
    const sum = (4n * 50_000n * 50_001n) / 2n;
    assert.equal(await play.value('chan-sum'), String(sum));
    assert.equal(await play.value('chan-expected'), String(sum));
    assert.equal(await play.value('chan-check'), 'ok');
    assert.equal(await play.number('chan-sent'), 200_000);
    assert.equal(await play.number('chan-received'), 200_000);
    const ops = await workerSums('ops');
    assert.equal(ops.length, 4);
    assert.equal(
      ops.reduce((a, b) => a + b),
      400_000,
    );
    assert.ok(ops.filter((n) => n > 0).length > 1, `operations by worker: ${ops}`);
    assert.ok((await play.number('chan-migrations')) > 0);
    assert.ok((await play.number('timeline')) > 0);
    assert.ok((await page.$$(`${byId('goroutines')} tbody tr`)).length >= 8);
  });

  it('counts every round trip of ping-pong', async () => {
    await play.startDemo('pingpong', { goroutines: 6, capacity: 0, count: 2000 });
    assert.equal(await play.finished(), 'done');
    assert.equal(await play.value('chan-trips'), '6000');
    assert.equal(await play.value('chan-check'), 'ok');
  });

  it('sieves 2000 primes: the last one is 17389', async () => {
    await play.startDemo('sieve', { capacity: 1, count: 2000 });
    assert.equal(await play.finished(120_000), 'done');
    assert.equal(await play.value('chan-found'), '2000');
    assert.equal(await play.value('chan-prime'), '17389');
    assert.equal(await play.value('chan-check'), 'ok');
  });

  it('prints receive default, and send default a second later', async () => {
    await play.startDemo('test4');
    await play.finished();
    const lines = await page.$$eval(`${byId('test4-lines')} li`, (list) =>
      list.map((li) => [li.dataset.value, li.textContent]),
    );
    assert.deepEqual(
      lines.map(([words]) => words),
      ['receive default', 'send default'],
    );
    assert.match(lines[0][1], /at [\d.]+ (µs|ms)$/);
    assert.match(lines[1][1], /at 1\.\d\d s$/);
  });

  const long = {
    producers: { goroutines: 8, capacity: 16, count: 5_000_000 },
    pingpong: { goroutines: 8, capacity: 0, count: 5_000_000 },
    sieve: { capacity: 100, count: 5000 },
    test4: {},
  };
  for (const [demo, fields] of Object.entries(long)) {
    it(`stops ${demo} in the middle within two seconds and starts it again`, async () => {
      for (let round = 0; round < 2; round++) {
        await play.startDemo(demo, fields);
        await play.waitValue('chan-running', 1);
        if (demo !== 'test4') await play.waitAtLeast('chan-sent', 1000);
        await play.click('chan-stop');
        await play.waitValue('chan-running', 0, 2000);
        assert.equal(await play.finished(), 'stopped');
        if (demo === 'producers') assert.equal(await play.value('chan-check'), 'ok', 'what was sent was received');
      }
    });
  }

  for (const workers of [1, 8, 2]) {
    it(`runs on ${workers} after a restart, and stays exact`, async () => {
      await play.useWorkers(workers);
      await play.startDemo('producers', { goroutines: 6, capacity: 0, count: 5000 });
      assert.equal(await play.finished(), 'done');
      assert.equal(await play.value('chan-sum'), String((3n * 5000n * 5001n) / 2n));
      assert.equal((await workerSums('ops')).length, workers);
    });
  }

  it('restarts while a demo runs: the demo is stopped first', async () => {
    await play.startDemo('producers', long.producers);
    await play.waitAtLeast('chan-sent', 1000);
    await play.useWorkers(4);
    assert.equal(await play.number('chan-running'), 0);
    await play.startDemo('pingpong', { goroutines: 2, count: 100 });
    assert.equal(await play.finished(), 'done');
    assert.equal(await play.value('chan-trips'), '100');
  });
});

describe('accessibility', () => {
  for (const [scheme, width] of [
    ['light', 1280],
    ['dark', 400],
    ['light', 360],
  ]) {
    it(`has no serious violation and fits, ${scheme} at ${width} px`, async () => {
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
      await page.setViewport({ width, height: 800 });
      for (const tab of ['allocator', 'slices', 'channels']) {
        await play.open(tab);
        assert.deepEqual(await seriousViolations(page), [], tab);
        await page.waitForFunction(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth, {
          timeout: 5000,
        });
      }
    });
  }
});

it('no error and no warning came up on the console', () => {
  assert.deepEqual(problems, []);
});
