// Burrow's malloc in programs that have nothing else of Burrow: compiled here by emcc with the one-line
// link of the README, in the settings that matter to a malloc, and run under Node.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { execute } from './lib/c-tests.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const emcc = process.env.BURROW_EMCC ?? here('../.emsdk/bin/emcc'); // BURROW_EMCC: another cache of libraries
const out = here('../build/wasm/malloc-tests');
const archives = { plain: here('../build/wasm/src/libburrow_malloc.a'), mt: here('../build/wasm/src/libburrow_malloc-mt.a') };
const cases = here('fixtures/malloc/cases.c');
const family = here('../native-tests/dropin/family.c');

const growing = ['-sALLOW_MEMORY_GROWTH=1', '-Wno-pthreads-mem-growth'];
const upTo4 = [...growing, '-sMAXIMUM_MEMORY=4GB'];
const pool = ['-sPTHREAD_POOL_SIZE=5', '-sEXIT_RUNTIME=1'];
const fixed = ['-sINITIAL_MEMORY=16MB'];

/** name: archive, what is compiled, its flags, and the runs: argument, or [argument, status, text]. */
const programs = [
  ['plain-family', 'plain', family, ['-DFAMILY_MAIN', ...growing], ['']],
  ['mt-family', 'mt', family, ['-DFAMILY_MAIN', ...growing, '-sPROXY_TO_PTHREAD=1', '-sEXIT_RUNTIME=1'], ['']],
  ['plain-fixed', 'plain', cases, fixed, ['fixed', 'sbrk', ['misuse', 'not 0', 'was not allocated by Burrow']]],
  ['plain-modularize', 'plain', cases, [...upTo4, '-sSTRICT=1', '-sMODULARIZE=1', '-O2'], ['views', 'high', 'sbrk']],
  ['plain-wrapped', 'plain', cases, ['-DWRAPPED', ...growing], ['wrapped']],
  ['mt-fixed', 'mt', cases, [...fixed, ...pool], ['fixed', 'threads']],
  ['mt-growing', 'mt', cases, [...upTo4, ...pool, '-O2'], ['threads', 'views', 'high', 'sbrk']],
  ['mt-cxx', 'mt', here('fixtures/malloc/cxx.cc'), [...growing, ...pool, '-sDEFAULT_TO_CXX=1'], ['']],
];

function compile([name, kind, source, flags]) {
  // -fno-builtin: compilers remove pairs of malloc and free.
  const options = ['-O1', '-fno-builtin', ...(kind === 'mt' ? ['-pthread'] : []), '-sDEFAULT_TO_CXX=0', '-Wall', '-Werror'];
  const link = ['-sMALLOC=none', archives[kind], '-sENVIRONMENT=node,worker', ...(kind === 'plain' ? ['-sENVIRONMENT=node'] : [])];
  const compiler = source.endsWith('.cc') ? emcc.replace(/emcc$/, 'em++') : emcc;
  const args = [...options, `-I${here('../src/include')}`, source, ...link, ...flags, '-o', `${out}/${name}.cjs`];
  return execute(compiler, args, { env: process.env, seconds: 280 });
}

describe('malloc in any program of Emscripten\'s', { concurrency: 2 }, () => {
  mkdirSync(out, { recursive: true });
  for (const program of programs) {
    const [name, kind, , flags, runs] = program;
    test(name, async (t) => {
      assert.ok(existsSync(archives[kind]), 'build the preset "wasm" first');
      const { status, output } = await compile(program);
      assert.equal(status, 0, output);
      let file = `${out}/${name}.cjs`;
      if (flags.includes('-sMODULARIZE=1')) {
        writeFileSync(`${out}/${name}.run.cjs`, `require('./${name}.cjs')();\n`);
        file = `${out}/${name}.run.cjs`;
      }
      for (const run of runs) {
        const [argument, wanted, text] = Array.isArray(run) ? run : [run, 0, 'passed'];
        await t.test(argument || 'runs', async () => {
          const r = await execute(process.execPath, [file, argument], { env: process.env, seconds: 60 });
          const said = `status ${r.status}${r.timedOut ? ', killed' : ''}:\n${r.output}`;
          assert.ok(wanted === 0 ? r.status === 0 : r.status !== 0, said);
          assert.ok(r.output.includes(text), said);
        });
      }
    });
  }
});
