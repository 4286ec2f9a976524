// Builds alloc-bench for wasm, once for each allocator, without threads and with them.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from '../../scripts/lib/run.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const emcc = join(process.env.BURROW_EMSDK_DIR ?? join(root, '.emsdk'), 'bin/emcc');
const sources = readdirSync(here).filter((name) => /\.[ch]$/.test(name)).map((name) => join(here, name));

// The same for every allocator. The compiler must not know what the measured calls do.
const common = [
  '-O3', '-DNDEBUG', '-D_GNU_SOURCE', '-sDEFAULT_TO_CXX=0', '-sENVIRONMENT=node', '-sEXIT_RUNTIME=1',
  '-sALLOW_MEMORY_GROWTH=1', '-sMAXIMUM_MEMORY=2GB', '-Wno-pthreads-mem-growth',
  ...['malloc', 'realloc', 'free', 'aligned_alloc', 'posix_memalign'].map((name) => `-fno-builtin-${name}`),
];

const peers = ['dlmalloc', 'emmalloc', 'mimalloc'];

/**
 * The builds to measure: [{ name, threaded, flags, inputs }]. What is not there is left out, with a line.
 * @param archives  of Burrow's allocator: { plain, threaded }, paths
 * @param more      [{ name, threaded, flags }] of others
 */
export function wasmAllocators(archives, more) {
  if (!existsSync(emcc)) {
    console.log(`wasm is left out: ${emcc} is not there (./emsdk-setup.sh)`);
    return [];
  }
  const builds = [];
  for (const threaded of [false, true]) {
    const archive = threaded ? archives.threaded : archives.plain;
    if (existsSync(archive)) {
      builds.push({ name: 'burrow', threaded, flags: ['-sMALLOC=none', archive], inputs: [archive] });
    } else {
      console.log(`burrow ${threaded ? 'with' : 'without'} threads is left out: ${archive} is not there (cmake --build --preset wasm)`);
    }
    for (const name of peers) builds.push({ name, threaded, flags: [`-sMALLOC=${name}`], inputs: [] });
    for (const other of more.filter((m) => m.threaded === threaded)) {
      builds.push({ ...other, inputs: other.flags.filter((flag) => existsSync(flag)) });
    }
  }
  return builds;
}

const written = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0);

/** Links `output` unless it is there, newer than `inputs`, and linked by the same command. */
function link(output, args, inputs) {
  const record = `${output}.command`;
  const command = [emcc, ...args, '-o', output].join(' ');
  const fresh = Math.min(written(output), written(record)) > Math.max(0, ...inputs.map(written));
  if (fresh && readFileSync(record, 'utf8') === command) return;
  mkdirSync(dirname(output), { recursive: true });
  // Emscripten builds a C library or an allocator it has not needed so far: minutes, once.
  const { status, error, stderr } = spawnSync(emcc, [...args, '-o', output], { cwd: root, encoding: 'utf8', timeout: 900_000 });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command}: exit status ${status}\n${stderr}`);
  writeFileSync(record, command);
}

/**
 * Builds one and returns { program, size }: the program for Node, and the bytes of the .wasm of a
 * program that does nothing but allocate.
 * @param settings  { threadsMost, flags }: flags are those that every build gets
 */
export function build(allocator, settings) {
  const folder = join(root, 'build/bench-alloc', `${allocator.name}${allocator.threaded ? '-threads' : ''}`);
  const threads = allocator.threaded ? ['-pthread', `-sPTHREAD_POOL_SIZE=${settings.threadsMost}`] : [];
  const flags = [...common, ...threads, ...settings.flags];
  const program = join(folder, 'alloc-bench.cjs');
  const c = sources.filter((path) => path.endsWith('.c'));
  link(program, [...flags, ...c, ...allocator.flags], [...sources, ...allocator.inputs]);

  const tiny = join(here, 'codesize/tiny.c');
  link(join(folder, 'tiny.cjs'), [...flags, tiny, ...allocator.flags], [tiny, ...allocator.inputs]);
  return { program, size: statSync(join(folder, 'tiny.wasm')).size };
}
