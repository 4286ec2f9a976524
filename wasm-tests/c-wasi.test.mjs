// The C tests of native-tests/ on wasm32 with one thread, under Node's WASI.
import { fileURLToPath } from 'node:url';
import { declareTests } from './lib/c-tests.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

await declareTests({
  target: 'wasi',
  program: here('../build/wasi/native-tests/burrow-tests.wasm'),
  // Node 20: fast API calls use a stale address of linear memory after it has grown (src/HACKING.md).
  args: ['--no-warnings', '--no-turbo-fast-api-calls', here('lib/wasi-run.mjs')],
  hint: 'cmake --preset wasi && cmake --build --preset wasi',
});
