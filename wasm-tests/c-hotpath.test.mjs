// The allocator's code on wasm: nothing that malloc or free can reach is instrumented by asyncify, and
// their fast paths are short, call nothing and use no atomic instruction.
//
// After a change of the fast path on purpose: TEST_UPDATE=1 node --test wasm-tests/c-hotpath.test.mjs
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { longestWithoutCall, reachable, readFunctions } from './lib/wasm-code.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const objdump = here('../.emsdk/bin/llvm-objdump');
const goldenFile = here('fixtures/hotpath.json');
const FAST = ['bw_malloc', 'bw_free'];
const golden = JSON.parse(readFileSync(goldenFile));

// Other compilers make other instructions.
const llvm = existsSync(objdump) && /LLVM version (\d+)/.exec(execFileSync(objdump, ['--version']).toString())?.[1];

for (const target of ['wasm', 'wasi']) {
  describe(`the allocator's code, ${target}`, () => {
    const file = here(`../build/${target}/native-tests/burrow-hotpath.wasm`);
    if (!existsSync(file)) {
      test('the module', () => assert.fail(`build the preset "${target}" first`));
      return;
    }
    const functions = readFunctions(file, objdump);
    const indexOf = (name) => {
      const index = functions.findIndex((f) => f.name === name);
      assert.ok(index >= 0 && functions[index].code?.length > 0, `${name} is not in ${file}`);
      return index;
    };
    const codeOf = (name) => functions[indexOf(name)].code;

    // The variable that asyncify's checks look at is the one that its first function sets.
    const state = codeOf('asyncify_start_unwind').find(({ op }) => op === 'global.set').arg;
    const isInstrumented = ({ code }) => code?.some(({ op, arg }) => op === 'global.get' && arg === state);

    test('a function that switches goroutines is instrumented', () => {
      assert.ok(isInstrumented(functions[indexOf('bw_gosched')]));
      assert.ok(isInstrumented(functions[indexOf('body')]));
      const switching = reachable(functions, [indexOf('bw_gosched')]);
      assert.ok([...switching].some((i) => isInstrumented(functions[i])));
    });

    test('nothing that malloc and free reach is', () => {
      // A stack overflow is the end: what it calls matters to nobody.
      const living = functions.map((f) => (f.name === 'bw__ctx_sp_outside' ? { ...f, code: [] } : f));
      const all = reachable(living, [...FAST, 'bw_realloc'].map(indexOf));
      for (const name of ['bw__cache_alloc_slow', 'bw__central_fetch', 'bw__pageheap_alloc', 'bw__port_mem_grow'])
        assert.ok(all.has(indexOf(name)), `${name} is not called: what is it called now?`);
      for (const index of all) {
        const { name, code } = functions[index];
        assert.ok(!isInstrumented({ code }), `${name} is instrumented`);
        assert.ok(!code?.some(({ op }) => op.includes('call_indirect')), `${name} makes an indirect call`);
      }
    });

    test('the fast paths use no atomic instruction', () => {
      for (const name of FAST)
        assert.deepEqual(codeOf(name).filter(({ op }) => op.includes('atomic')), [], name);
      if (target === 'wasm') assert.ok(functions.some((f) => f.code?.some(({ op }) => /atomic\.rmw/.test(op))));
    });

    test('the fast paths call nothing, and are as long as before', (t) => {
      const counts = Object.fromEntries(FAST.map((name) => [name, longestWithoutCall(codeOf(name))]));
      for (const name of FAST) assert.ok(counts[name] > 10, `${name} has no way without a call`);
      t.diagnostic(JSON.stringify(counts));
      if (process.env.TEST_UPDATE) {
        golden[target] = counts;
        golden.llvm = llvm;
        writeFileSync(goldenFile, `${JSON.stringify(golden, null, 2)}\n`);
      }
      if (llvm !== golden.llvm) return t.skip(`the counts are those of LLVM ${golden.llvm}, this is ${llvm}`);
      assert.deepEqual(counts, golden[target], 'on purpose? Then run this with TEST_UPDATE=1');
    });
  });
}
