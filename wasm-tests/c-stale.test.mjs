// The stale-memory rule is needed: the test that passes with it dies without it.
//
// Not at every single run: a thread that the system interrupts at the right moment refreshes by itself (about
// one run in eighty). So it gets several, and one death is proof enough.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { execute } from './lib/c-tests.mjs';

const program = fileURLToPath(new URL('../build/wasm/native-tests/burrow-tests.cjs', import.meta.url));
const name = 'port_memory_filled_with_the_rule';
const RUNS = 8;

test('without the stale-memory rule the program dies', async () => {
  assert.ok(existsSync(program), 'build the preset "wasm" first');
  const env = { ...process.env, BURROW_STALE_MEMORY: '1' };
  const outputs = [];
  for (let run = 0; run < RUNS; run++) {
    const { status, output } = await execute(process.execPath, [program, name], { env });
    outputs.push(`status ${status}: ${output}`);
    if (status === 1 && output.includes('memory access out of bounds')) return;
  }
  assert.fail(`lived ${RUNS} times:\n${outputs.join('\n')}`);
});
