// The C tests of native-tests/ on wasm32 with threads. The runtime gets four workers, whatever the
// machine has, unless a test asks for a number of its own.
import { fileURLToPath } from 'node:url';
import { declareTests } from './lib/c-tests.mjs';

await declareTests({
  target: 'wasm threads',
  program: fileURLToPath(new URL('../build/wasm/native-tests/burrow-tests.cjs', import.meta.url)),
  env: { BURROW_PROCS: process.env.BURROW_PROCS ?? '4' },
  hint: 'cmake --preset wasm && cmake --build --preset wasm',
});
