// npm run build: sets up what is missing, then builds the native library and programs, the two wasm
// targets, the npm package and the playground. Runs no test.
import { run } from './lib/run.mjs';
import * as steps from './lib/steps.mjs';

try {
  steps.emsdk({ prefix: 'emsdk | ' });
  await run('native release: configure', 'cmake', ['--preset', 'release']);
  await run('native release: build', 'cmake', ['--build', '--preset', 'release']);
  await steps.wasm('wasm');
  await steps.wasm('wasi');
  await steps.playground();
} catch (error) {
  console.error(`\nnpm run build: ${error.message}`);
  process.exit(1);
}
