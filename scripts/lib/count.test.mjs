import { test } from 'node:test';
import assert from 'node:assert/strict';
import { countCtest, countNode } from './count.mjs';

test('ctest: every kind of result is counted', () => {
  const output = `
    Start 1: ok
1/9 Test #1: ok ...............................   Passed    0.02 sec
 2/9 Test  #2: bad ..............................***Failed    0.02 sec
3/9 Test #3: skip .............................***Skipped   0.02 sec
4/9 Test #5: dis ..............................***Not Run (Disabled)   0.00 sec
5/9 Test #6: gone .............................***Not Run   0.00 sec
6/9 Test #7: will .............................   Passed    0.01 sec
7/9 Test #8: segv .............................***Exception: SegFault  0.02 sec
8/9 Test #4: slow .............................***Timeout   1.00 sec
9/9 Test #9: missing ..........................***Failed  Required regular expression not found. Regex=[a b
]  0.01 sec
10/11 Test #10: a_name_as_long_as_the_column_of_names_is_wide_and_more ...   Passed    0.02 sec
11/11 Test #11: text .............................***Failed  Error regular expression found in output. Regex=[x]  0.01 sec

50% tests passed, 6 tests failed out of 10
`;
  const names = ['bad', 'gone', 'segv', 'slow', 'missing', 'text'];
  assert.deepEqual(countCtest(output), { passed: 3, failed: 6, skipped: 2, names });
  assert.deepEqual(countCtest('No tests were found!!!\n'), { passed: 0, failed: 0, skipped: 0, names: [] });
});

test('node --test: the sums at the end are read', () => {
  const tests = '▶ suite\n  ✔ good (3.1ms)\n  ✖ bad one (1.5ms)\n    Error: x\n✖ suite (5ms)\n✖ worse (2ms)\n';
  const sums = 'ℹ tests 9\nℹ suites 1\nℹ pass 4\nℹ fail 2\nℹ cancelled 1\nℹ skipped 1\nℹ todo 1\n';
  const output = `${tests}${sums}✖ failing tests:\n✖ bad one (1.5ms)\n`;
  assert.deepEqual(countNode(output), { passed: 4, failed: 3, skipped: 2, names: ['bad one', 'worse'] });
  assert.deepEqual(countNode('SyntaxError\n'), { passed: 0, failed: 0, skipped: 0, names: [] });
});
