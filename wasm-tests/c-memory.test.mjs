// Linear memory at its limits (native-tests/memory/): above 2 GB, a small maximum, no growth at all.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { execute } from './lib/c-tests.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const targets = {
  wasm: { suffix: '.cjs', args: [] },
  // Node 20: see c-wasi.test.mjs.
  wasi: { suffix: '.wasm', args: ['--no-warnings', '--no-turbo-fast-api-calls', here('lib/wasi-run.mjs')] },
};

for (const [target, { suffix, args }] of Object.entries(targets)) {
  const run = async (kind, ...rest) => {
    const program = here(`../build/${target}/native-tests/burrow-memory-${kind}${suffix}`);
    assert.ok(existsSync(program), `build the preset "${target}" first`);
    const { status, output } = await execute(process.execPath, [...args, program, ...rest]);
    assert.equal(status, 0, output);
    return output;
  };
  describe(`memory at its limits, ${target}`, () => {
    test('nearly 4 GB can be used', async () => assert.match(await run('usual', 'big'), /took (3[89]|40)\d\d MB/));
    test('a small maximum', async () => assert.match(await run('small', 'full', '24'), /took \d+ KB/));
    test('a memory that cannot grow', async () => assert.match(await run('fixed', 'full', '24'), /took \d+ KB/));
  });
}
