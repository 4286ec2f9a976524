// npm run bench: builds the benchmarks optimised and runs them natively, then on wasm threads.
//
//   npm run bench -- chan_pingpong gosched --procs 1,2    arguments as in bench/README.md
import { spawnSync } from 'node:child_process';
import { root, run } from './lib/run.mjs';
import * as steps from './lib/steps.mjs';

const args = process.argv.slice(2);

/** Runs a program with this one's standard streams. */
function show(title, command, ...more) {
  console.log(`\n${title}`);
  const { status, error } = spawnSync(command, [...more, ...args], { cwd: root, stdio: 'inherit' });
  if (error) throw error;
  if (status !== 0) throw new Error(`${title}: exit status ${status}`);
}

try {
  await run('native release: configure', 'cmake', ['--preset', 'release']);
  await run('native release: build', 'cmake', ['--build', '--preset', 'release', '--target', 'burrow-bench']);
  await steps.wasm('wasm', 'burrow-bench');
  show('native', 'build/release/bench/burrow-bench');
  show('wasm threads', process.execPath, 'bench/wasm.mjs');
} catch (error) {
  console.error(`\nnpm run bench: ${error.message}`);
  process.exit(1);
}
