// Runs the Emscripten build's benchmarks under Node, with the arguments of burrow-bench:
//
//   node bench/wasm.mjs chan_pingpong --procs 1,2
//
// Its exit status is that of the program. The build is looked for in build/wasm/bench, or in the
// folder that $BURROW_BENCH_DIR names.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { join } from 'node:path';

const folder =
  process.env.BURROW_BENCH_DIR ?? fileURLToPath(new URL('../build/wasm/bench/', import.meta.url));
const program = ['burrow-bench.cjs', 'burrow-bench.mjs', 'burrow-bench.js']
  .map((name) => join(folder, name))
  .find((path) => existsSync(path));

if (!program) {
  console.error(`no burrow-bench.cjs, .mjs or .js in ${folder}: build the preset "wasm" first`);
  process.exit(1);
}

// A script runs by itself. A module may only export a factory, which then has to be called.
const starter = `
  process.argv.splice(1, 0, ${JSON.stringify(program)});
  const { default: start } = await import(${JSON.stringify(pathToFileURL(program).href)});
  if (typeof start === 'function') await start({ arguments: process.argv.slice(2) });
`;
const how = program.endsWith('.mjs') ? ['--input-type=module', '--eval', starter, '--'] : [program];
const child = spawnSync(process.execPath, [...how, ...process.argv.slice(2)], { stdio: 'inherit' });
if (child.error) throw child.error;
if (child.signal) console.error(`ended by ${child.signal}`);
process.exit(child.status ?? 1);
