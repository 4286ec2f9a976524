// Runs the benchmarks of the Emscripten build under Node, with the arguments of burrow-bench:
//
//   node bench/wasm.mjs chan_pingpong --procs 1,2
//
// Its exit status is that of the program.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../build/wasm/bench/burrow-bench.cjs', import.meta.url));
if (!existsSync(program)) {
  console.error('build/wasm/bench/burrow-bench.cjs is not there: ./emsdk-setup.sh, cmake --preset wasm, cmake --build --preset wasm');
  process.exit(1);
}
const child = spawnSync(process.execPath, [program, ...process.argv.slice(2)], { stdio: 'inherit' });
if (child.error) throw child.error;
if (child.signal) console.error(`ended by ${child.signal}`);
process.exit(child.status ?? 1);
