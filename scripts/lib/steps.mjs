// The steps of the build. Each is a function that does its work once in this process, after the steps
// it needs, and resolves when the work is done; what is there already from an earlier run is kept.
// A step that failed fails, with the same error, for all that need it.
import { existsSync, lstatSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from './run.mjs';

export const nativePresets = ['dev', 'release', 'asan', 'ubsan', 'tsan', 'go66', 'tcmalloc85', 'allocdebug'];

const begun = new Map();

/** The step `name`: `work` begins at the first call, and every call gets its outcome. */
function once(name, work) {
  if (!begun.has(name)) {
    const outcome = work();
    outcome.catch(() => {}); // reported where it is awaited
    begun.set(name, outcome);
  }
  return begun.get(name);
}

// ---- what is fresh ----------------------------------------------------------------------------

const at = (path) => join(root, path);
const written = (path) => (existsSync(at(path)) ? statSync(at(path)).mtimeMs : 0);

// Made by the build itself, or by npm.
const isOutput = (path) => /(^|\/)(node_modules|dist|\..*)$/.test(path) || path === 'web/playground/src/wasm';

/** When the newest file under `path` was written; Infinity when there is no such path. */
function newest(path) {
  if (!existsSync(at(path))) return Infinity;
  if (!statSync(at(path)).isDirectory()) return written(path);
  const inside = readdirSync(at(path)).map((name) => `${path}/${name}`);
  return Math.max(0, ...inside.filter((p) => !isOutput(p)).map(newest));
}

/** Does `work` unless `output` is there and no file under `inputs` is newer than its last success. */
async function unlessFresh(name, output, inputs, work) {
  const stamp = `build/stamps/${name}`;
  const start = new Date();
  if (existsSync(at(output)) && written(stamp) > Math.max(...inputs.map(newest))) {
    console.log(`\n== ${name}: nothing to do`);
    return;
  }
  await work();
  mkdirSync(at('build/stamps'), { recursive: true });
  writeFileSync(at(stamp), '');
  utimesSync(at(stamp), start, start); // what is edited while it builds is newer
}

// ---- tools from outside -------------------------------------------------------------------------

/** The npm packages of package-lock.json. */
export const install = (options) =>
  once('npm ci', async () => {
    // Another checkout's: npm would empty it before it replaced the link.
    if (lstatSync(at('node_modules'), { throwIfNoEntry: false })?.isSymbolicLink()) return;
    if (written('node_modules/.package-lock.json') >= newest('package-lock.json')) return;
    await run('npm ci', 'npm', ['ci', '--prefer-offline'], { ...options, tries: 3 });
  });

/** The WebAssembly toolchain, in .emsdk. The script knows itself what is missing. */
export const emsdk = (options) => once('emsdk', () => run('emsdk', './emsdk-setup.sh', [], { ...options, tries: 2 }));

/** The browsers of the browser tests; again the script knows. */
export const browsers = (options) =>
  once('browsers', () => run('browsers', 'wasm-tests/browser/install-browsers.sh', [], { ...options, tries: 2 }));

// ---- builds -------------------------------------------------------------------------------------

/** Configures, builds and tests a native preset; resolves with ctest's { output, status }. */
export async function nativeTests(preset) {
  await run(`native ${preset}: configure`, 'cmake', ['--preset', preset]);
  await run(`native ${preset}: build`, 'cmake', ['--build', '--preset', preset]);
  const hide = /^ +Start +\d+: /;
  return run(`native ${preset}: test`, 'ctest', ['--preset', preset], { hide, mayFail: true });
}

/** Builds a wasm preset (wasm or wasi), or only some targets of it. */
export const wasm = (preset, ...targets) =>
  once(`${preset} ${targets}`, async () => {
    await emsdk();
    await run(`${preset}: configure`, 'cmake', ['--preset', preset]);
    const only = targets.length > 0 ? ['--target', ...targets] : [];
    await run(`${preset}: build`, 'cmake', ['--build', '--preset', preset, ...only]);
  });

const modules = () => wasm('wasm', 'burrow-module', 'playground-module');

// The packages go by their names: to npm the folder web would mean the one inside it as well.

/** The npm package, in web/dist. */
export const web = () =>
  once('web', async () => {
    await install();
    await modules();
    const sources = ['package.json', 'tsconfig.json', 'scripts', 'src'].map((name) => `web/${name}`);
    const inputs = ['package-lock.json', ...sources, 'build/wasm/web/wasm/burrow.wasm'];
    const build = () => run('web: build', 'npm', ['run', 'build', '-w', 'burrow-runtime']);
    await unlessFresh('web', 'web/dist/burrow.wasm', inputs, build);
  });

/** The playground, in web/playground/dist. */
export const playground = () =>
  once('playground', async () => {
    await web();
    const inputs = ['build/stamps/web', 'web/playground', 'build/wasm/web/wasm/playground.wasm'];
    const build = () => run('playground: build', 'npm', ['run', 'build', '-w', 'burrow-playground']);
    await unlessFresh('playground', 'web/playground/dist/index.html', inputs, build);
  });
