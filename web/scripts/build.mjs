// Builds the package into dist/: the compiled TypeScript and a copy of the module.
//
//   node scripts/build.mjs [path/to/burrow.wasm]   default: ../build/wasm/web/wasm/burrow.wasm
//   node scripts/build.mjs --no-wasm               TypeScript only
//   node scripts/build.mjs --verify                builds nothing; fails when dist/ is not complete
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const web = join(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(web, 'dist');
const [option = join(web, '../build/wasm/web/wasm/burrow.wasm')] = process.argv.slice(2);

function fail(text) {
  console.error(text);
  process.exit(1);
}

function verify() {
  const needed = ['index.js', 'index.d.ts', 'worker.js', 'burrow.wasm'];
  const missing = needed.filter((name) => !existsSync(join(dist, name)));
  if (missing.length > 0) fail(`dist/ lacks ${missing.join(', ')}: run "npm run build" first.`);
}

// The compiler's program, from wherever npm has put the package.
function compiler() {
  const manifest = createRequire(join(web, 'package.json')).resolve('typescript/package.json');
  return join(dirname(manifest), 'bin/tsc');
}

function build(wasm) {
  if (wasm && !existsSync(wasm)) {
    fail(`There is no ${wasm}: build it with "cmake --preset wasm && cmake --build --preset wasm" at the top.`);
  }
  rmSync(dist, { recursive: true, force: true });
  mkdirSync(dist);
  const { status } = spawnSync(process.execPath, [compiler(), '-p', join(web, 'tsconfig.json')], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
  if (!wasm) return;
  copyFileSync(wasm, join(dist, 'burrow.wasm'));
  console.log(`dist/burrow.wasm: ${statSync(wasm).size} bytes`);
}

if (option === '--verify') verify();
else build(option === '--no-wasm' ? undefined : resolve(option));
