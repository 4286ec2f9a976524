import { test } from 'node:test';
import assert from 'node:assert/strict';
import { compare, comparisonTable, goalOf, parseResults } from './compare.mjs';

test('both kinds of lines are read, whatever the spaces, and nothing else is', () => {
  const text = 'gosched/p1 2610729 ops/s 383.03 ns/op\ngosched/p2  40 ops/s  25.00 ns/op\nsleep/p1  -1.50 us\n'
    + 'park1M/p2  skipped: no memory\nrest\npark1M_rss/p2 2732.15 B/goroutine\n'
    + 'mutex_fair20us_g16/p2_max_wait 15021.40 us\n';
  assert.deepEqual(parseResults(text), [
    { name: 'gosched', procs: 1, value: 383.03, unit: 'ns/op' },
    { name: 'gosched', procs: 2, value: 25, unit: 'ns/op' },
    { name: 'sleep', procs: 1, value: -1.5, unit: 'us' },
    { name: 'park1M_rss', procs: 2, value: 2732.15, unit: 'B/goroutine' },
    { name: 'mutex_fair20us_g16_max_wait', procs: 2, value: 15021.4, unit: 'us' },
  ]);
});

test('a goal counts on its target and its Ps only', () => {
  assert.equal(goalOf('native', 'gosched', 1).peer, 'libdill');
  assert.equal(goalOf('native', 'gosched', 2), undefined);
  assert.equal(goalOf('native', 'gosched1k', 1), undefined);
  assert.equal(goalOf('wasm', 'gosched1k', 2).most, 1 / 4);
  assert.equal(goalOf('native', 'sleep1ms_overshoot_max', 1), undefined);
});

const sample = (subject, name, procs, value) => ({ subject, name, procs, value, unit: 'ns/op' });

test('medians are laid against the goals', () => {
  const rows = compare('native', [
    ...[30, 10, 12].map((v) => sample('burrow', 'gosched', 1, v)),
    ...[14, 12, 20].map((v) => sample('libdill', 'gosched', 1, v)),
    sample('burrow', 'spawn_join_1', 2, 100), sample('go', 'spawn_join_1', 2, 399),
    sample('burrow', 'park1M_rss', 1, 4400), sample('burrow', 'timer_stop100k', 1, 4),
    sample('burrow', 'cpu_pool_speedup', 2, 1.7), sample('go', 'skynet1M_total', 1, 900),
  ]);
  assert.deepEqual(rows.map((r) => [r.name, r.holds]), [
    ['gosched', true], ['spawn_join_1', false], ['park1M_rss', true], ['timer_stop100k', undefined],
    ['cpu_pool_speedup', false], ['skynet1M_total', undefined],
  ]);
  assert.deepEqual([rows[0].burrow.figure, rows[0].libdill.figure, rows[0].go], [12, 14, undefined]);
  assert.equal(rows[0].burrow.spread, 20 / 12);
  assert.match(comparisonTable(rows), /\| gosched +\| +1 \| +12\.0 \(167 %\) \| +\| +\| +14\.0 \(57 %\) \| +0\.86 \| +ns\/op \| +<= libdill \| +yes \|/);
  assert.match(comparisonTable(rows), /\| spawn_join_1 .* 0\.25 .* <= 1\/4 of Go \| +NO \|/);
});

test("Go's one thread on wasm stands beside any number of Ps", () => {
  const rows = compare('wasm', [1, 2].map((p) => sample('burrow', 'gosched', p, 90)).concat(sample('go', 'gosched', 1, 400)));
  assert.deepEqual(rows.map((r) => [r.procs, r.go.figure, r.holds]), [[1, 400, true], [2, 400, true]]);
});

test('on request the best rounds are compared', () => {
  const runs = (name, values) => values.map((v) => sample('burrow', name, 2, v));
  const rows = compare('native', [...runs('gosched', [30, 10, 12]), ...runs('cpu_pool_speedup', [1.2, 1.9, 1.1])], true);
  assert.deepEqual(rows.map((r) => [r.burrow.figure, r.holds]), [[10, undefined], [1.9, true]]);
});

test('a peer has columns where it has figures, and none where it has not', () => {
  const rows = compare('native', [
    sample('burrow', 'chan_mpmc4x4_c128', 1, 14), sample('neco', 'chan_mpmc4x4_c128', 1, 100), sample('burrow', 'chan_mpmc4x4_c128', 8, 20),
    sample('go', 'chan_mpmc4x4_c128', 8, 39),
  ]);
  const cells = comparisonTable(rows).split('\n').map((line) => line.split('|').slice(1, -1).map((cell) => cell.trim()));
  assert.deepEqual(cells.filter((_, i) => i !== 1), [
    ['', 'P', 'burrow', 'Go', 'burrow / Go', 'neco', 'burrow / neco', 'unit', 'goal', 'holds'],
    ['chan_mpmc4x4_c128', '1', '14.0 (0 %)', '', '', '100.0 (0 %)', '0.14', 'ns/op', '<= 1/2 of Go', ''],
    ['chan_mpmc4x4_c128', '8', '20.0 (0 %)', '39.0 (0 %)', '0.51', '', '', 'ns/op', '<= 1/2 of Go', 'NO'],
  ]);
});

test("threads' figures stand beside any number of Ps, and beside the same benchmark between threads", () => {
  const rows = compare('native', [
    ...[2, 8].map((p) => sample('burrow', 'mutex_g2', p, 5)), sample('go', 'mutex_g2', 2, 5), sample('burrow', 'thread_mutex_g2', 1, 12),
    sample('nsync', 'mutex_g2', 1, 10), sample('pthread', 'mutex_g2', 2, 24), sample('nsync', 'once_done', 1, 1),
  ]);
  assert.deepEqual(rows.map((r) => [r.name, r.procs, r.nsync?.figure, r.pthread?.figure, r.holds]), [
    ['mutex_g2', 2, 10, 24, true], ['mutex_g2', 8, 10, 24, undefined], ['thread_mutex_g2', 1, 10, 24, undefined],
    ['once_done', 1, 1, undefined, undefined],
  ]);
});

test("a lock's goals: speed beside Go on any P, fairness with two, the bare word on wasm", () => {
  for (const name of ['mutex_g1', 'mutex_work50_g16', 'rwmutex_w10pct_g4', 'waitgroup_add_done_wait', 'once_done']) {
    for (const target of ['native', 'wasm']) assert.deepEqual([goalOf(target, name, 1).peer, goalOf(target, name, 2).most], ['go', 1]);
  }
  for (const name of ['mutex_fair20us_g16_max_wait', 'mutex_hog_max_wait', 'mutex_hog_mean_wait']) {
    assert.equal(goalOf('native', name, 2).most, 1);
    assert.deepEqual([goalOf('native', name, 1), goalOf('wasm', name, 2)], [undefined, undefined]);
  }
  for (const name of ['mutex_fair20us_g16_p50_wait', 'mutex_fair20us_g2_max_wait', 'mutex_hog_acq', 'thread_mutex_g2']) {
    assert.equal(goalOf('native', name, 2), undefined);
  }
  assert.deepEqual(['native', 'wasm'].map((target) => goalOf(target, 'cond_barrier100', 2).most), [1 / 2, 1 / 4]);
  assert.deepEqual(['native', 'wasm'].map((target) => goalOf(target, 'thread_mutex_ratio', 1)?.limit), [undefined, 1.5]);
});
