// The npm package as its users get it: packed, installed in an empty folder outside of this repository,
// bundled by Vite with a page and two workers of the user's own, and run in Chromium.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { launch } from './launch.mjs';
import { openPage } from './page.mjs';
import { serve } from './serve.mjs';

const web = fileURLToPath(new URL('../../web', import.meta.url));

const files = {
  'package.json': JSON.stringify({ name: 'somebodys-page', private: true, type: 'module' }),
  'index.html':
    '<!doctype html><html lang="en"><title>A page</title><link rel="icon" href="data:,"><script type="module" src="./main.js"></script></html>',
  'main.js': `
    import { start } from 'burrow-runtime';

    async function run() {
      const rt = await start({ workers: 2 });
      const block = rt.alloc(100);
      block.bytes().fill(7);
      const usable = block.usable;
      block.free();

      let s = rt.slice('i64');
      const caps = [];
      for (let i = 1; i <= 10; i++) {
        s = s.append(i);
        if (caps.at(-1) !== s.cap) caps.push(s.cap);
      }

      const numbers = rt.chan('i32', 4);
      const sender = new Worker(new URL('./sender.js', import.meta.url), { type: 'module' });
      const receiver = new Worker(new URL('./receiver.js', import.meta.url), { type: 'module' });
      const sum = new Promise((resolve, reject) => {
        receiver.onmessage = ({ data }) => resolve(data);
        sender.onerror = receiver.onerror = (event) => reject(new Error(event.message));
      });
      sender.postMessage({ token: rt.share(), out: numbers.handle() });
      receiver.postMessage({ token: rt.share(), from: numbers.handle() });
      const result = { usable, caps, values: s.toArray().map(Number), sum: await sum };
      await rt.stop();
      return result;
    }

    run().then(
      (result) => (document.documentElement.dataset.result = JSON.stringify(result)),
      (error) => (document.documentElement.dataset.result = JSON.stringify({ error: String(error) })),
    );
  `,
  'sender.js': `
    import { attach } from 'burrow-runtime';

    addEventListener('message', async ({ data: { token, out } }) => {
      const rt = await attach(token);
      const numbers = rt.open(out);
      for (let i = 1; i <= 10000; i++) numbers.sendSync(i);
      numbers.close();
      rt.detach();
    });
  `,
  'receiver.js': `
    import { attach } from 'burrow-runtime';

    addEventListener('message', async ({ data: { token, from } }) => {
      const rt = await attach(token);
      const numbers = rt.open(from);
      let sum = 0;
      for (let next = numbers.recvSync(); next.ok; next = numbers.recvSync()) sum += next.value;
      rt.detach();
      postMessage(sum);
    });
  `,
};

describe('package', () => {
  let folder, browser, server;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'burrow-package-'));
    const npm = (args, cwd) =>
      execFileSync('npm', args, { cwd, stdio: ['ignore', 'pipe', 'ignore'], encoding: 'utf8' });
    const packed = join(folder, 'packed');
    const site = join(folder, 'site');
    mkdirSync(packed);
    mkdirSync(site);
    npm(['pack', '--pack-destination', packed], web);
    const [tarball] = readdirSync(packed);
    for (const [name, text] of Object.entries(files)) writeFileSync(join(site, name), text);
    npm(['install', '--offline', '--no-audit', '--no-fund', join(packed, tarball)], site);
    await build({ root: site, configFile: false, logLevel: 'error' });
    server = await serve(join(site, 'dist'));
    browser = await launch('chromium');
  });

  after(async () => {
    await browser?.close();
    await server?.close();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  it('allocates, appends, and carries values between two workers of the page', async () => {
    const { page, problems } = await openPage(browser, server.url);
    await page.waitForFunction(() => document.documentElement.dataset.result, { timeout: 30_000 });
    const result = JSON.parse(await page.evaluate(() => document.documentElement.dataset.result));
    assert.deepEqual(result, {
      usable: 112,
      caps: [1, 2, 4, 8, 16],
      values: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
      sum: 50_005_000,
    });
    assert.deepEqual(problems, []);
  });
});
