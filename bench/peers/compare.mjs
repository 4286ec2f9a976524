// From what the programs print to a table of Burrow beside its peers, with the goals.
import { median, table } from '../alloc/summary.mjs';

/**
 * The results in a program's output: lines `NAME/pN  X ops/s  Y ns/op` and `NAME/pN  VALUE UNIT`, or
 * `NA/pN_ME` for NA_ME. Other lines are left out.
 * @returns [{ name, procs, value, unit }]; unit is `ns/op` for the first kind
 */
export function parseResults(text) {
  const results = [];
  for (const line of text.split('\n')) {
    const [, head, procs, tail, rest] = /^(\S+)\/p(\d+)(_\S+)?\s+(.+)$/.exec(line) ?? [];
    if (!head) continue;
    const name = head + (tail ?? '');
    const [, value, unit] = /^(?:[\d.]+ ops\/s\s+)?(-?[\d.]+) (\S+)$/.exec(rest) ?? [];
    if (value !== undefined) results.push({ name, procs: Number(procs), value: Number(value), unit });
  }
  return results;
}

// What Burrow is to reach: `most` times the peer's figure, or a figure of its own from `least` or up
// to `limit`. P: on this many Ps only. The first line that fits counts.
const goals = {
  native: [
    { name: /^gosched$/, P: 1, peer: 'libdill', most: 1 },
    { name: /^spawn_join_/, peer: 'go', most: 1 / 4 },
    { name: /^park.*_rss$/, limit: 4400 },
    { name: /^skynet1M_total$/, peer: 'go', most: 1 / 3 },
    { name: /^(timer_(create|reset|stop|fire)|ctx_)/, peer: 'go', most: 1 / 2 },
    { name: /^(timer_late_|sleep10ms_|sleep1ms_overshoot_mean$)/, peer: 'go', most: 1 },
    { name: /^cpu_pool_speedup$/, P: 2, least: 1.8 },
    { name: /^chan_(pingpong|unbuf_stream)$/, P: 1, peer: 'libdill', most: 1 },
    { name: /^select_default1$/, peer: 'go', most: 1 },
    { name: /^(chan_|select|sieve2000$)/, peer: 'go', most: 1 / 2 },
    { name: /^thread_pingpong_ratio$/, limit: 1.3 },
    { name: /^mutex_(fair20us_g16_max_wait|hog_(max|mean)_wait)$/, P: 2, peer: 'go', most: 1 },
    { name: /^(mutex_(g|work50_g)\d+|rwmutex_.*|waitgroup_.*|once_done)$/, peer: 'go', most: 1 },
    { name: /^cond_/, peer: 'go', most: 1 / 2 },
  ],
  wasm: [
    { name: /^(gosched|spawn_join_|park.*_(spawn|wake_join)$|skynet1M_total$)/, peer: 'go', most: 1 / 4 },
    { name: /^(timer_(create|reset|stop|fire)|ctx_)/, peer: 'go', most: 1 / 2 },
    { name: /^(timer_late_|sleep10ms_|sleep1ms_overshoot_mean$)/, peer: 'go', most: 1 },
    { name: /^cpu_pool_speedup$/, P: 2, least: 1.8 },
    { name: /^(chan_pingpong|chan_unbuf_stream|select4_b0|sieve2000)$/, peer: 'go', most: 1 / 5 },
    { name: /^(chan_|select4_b128)/, peer: 'go', most: 1 / 2 },
    { name: /^thread_pingpong_ratio$/, limit: 1.3 },
    { name: /^thread_mutex_ratio$/, limit: 1.5 },
    { name: /^(mutex_(g|work50_g)\d+|rwmutex_.*|waitgroup_.*|once_done)$/, peer: 'go', most: 1 },
    { name: /^cond_/, peer: 'go', most: 1 / 4 },
  ],
};

/** The goal of a result of a target (native, wasm), or nothing. */
export function goalOf(target, name, procs) {
  return goals[target].find((goal) => goal.name.test(name) && (goal.P ?? procs) === procs);
}

const fraction = (most) => (most < 1 ? `1/${Math.round(1 / most)} of ` : '');

/** Who stands beside Burrow, in the order of the columns, and what the columns are called. */
const peerNames = { go: 'Go', libdill: 'libdill', neco: 'neco', nsync: 'nsync', pthread: 'pthread' };
const peers = Object.keys(peerNames);

// Peers whose threads are no Ps: their figures stand beside any number of them, and beside the same
// benchmark between plain threads, `thread_...`, too.
const threadPeers = ['nsync', 'pthread'];

function describeGoal(goal) {
  if (!goal) return '';
  if (goal.least) return `>= ${goal.least}`;
  return goal.limit ? `<= ${goal.limit}` : `<= ${fraction(goal.most)}${peerNames[goal.peer]}`;
}

/** true, false, or undefined where a figure is missing. */
function holds(goal, ours, theirs) {
  if (!goal || ours === undefined) return undefined;
  if (goal.least) return ours >= goal.least;
  if (goal.limit) return ours <= goal.limit;
  return theirs[goal.peer] === undefined ? undefined : ours <= goal.most * theirs[goal.peer].figure;
}

/**
 * One row for each result that Burrow or a peer has, in the order in which they first appeared. A peer's that stands
 * beside any number of Ps has a row of its own only where nobody else has one of that name.
 * @param target   native or wasm
 * @param samples  [{ subject, name, procs, value, unit }] of all rounds; subject is burrow or a peer.
 *                 Go on wasm has one thread only: its figures stand beside all of Burrow's, as those of
 *                 nsync and pthread do on all targets
 * @param useBest  compares the best rounds, not the medians
 * @returns [{ name, procs, unit, burrow, go, libdill, neco, nsync, pthread, goal, holds }]; of each that is there,
 *          { figure, spread, runs }; figure is the median, or the best
 */
export function compare(target, samples, useBest = false) {
  const best = (runs, name) => (goalOf(target, name, 2)?.least ? Math.max(...runs) : Math.min(...runs));
  const besideAll = (subject) => threadPeers.includes(subject) || (target === 'wasm' && subject !== 'burrow');
  const of = (subject, name, procs) => {
    const theirName = threadPeers.includes(subject) ? name.replace(/^thread_/, '') : name;
    const fits = (s) => s.subject === subject && s.name === theirName && (s.procs === procs || besideAll(subject));
    const runs = samples.filter(fits).map((s) => s.value);
    if (runs.length === 0) return undefined;
    const middle = median(runs);
    const spread = (Math.max(...runs) - Math.min(...runs)) / Math.abs(middle || 1);
    return { figure: useBest ? best(runs, name) : middle, spread, runs };
  };
  const names = new Set(samples.filter((s) => !besideAll(s.subject)).flatMap((s) => [s.name, s.name.replace(/^thread_/, '')]));
  const withRows = samples.filter((s) => !besideAll(s.subject) || !names.has(s.name));
  const keys = new Map(withRows.map(({ name, procs, unit }) => [`${name}/p${procs}`, { name, procs, unit }]));
  return [...keys.values()].map(({ name, procs, unit }) => {
    const burrow = of('burrow', name, procs);
    const theirs = Object.fromEntries(peers.map((peer) => [peer, of(peer, name, procs)]));
    const goal = goalOf(target, name, procs);
    return { name, procs, unit, burrow, ...theirs, goal: describeGoal(goal), holds: holds(goal, burrow?.figure, theirs) };
  });
}

const digits = (value) => (value >= 1000 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));
const shown = (f) => (f ? `${digits(f.figure)} (${(f.spread * 100).toFixed(0)} %)` : '');
const ratio = (a, b) => (a && b && b.figure > 0 ? (a.figure / b.figure).toFixed(2) : '');

/** The rows of compare() as Markdown; a peer without any figure has no columns. */
export function comparisonTable(rows) {
  const present = peers.filter((peer) => rows.some((r) => r[peer]));
  const head = ['', 'P', 'burrow', ...present.flatMap((peer) => [peerNames[peer], `burrow / ${peerNames[peer]}`]), 'unit', 'goal', 'holds'];
  const lines = rows.map((r) => [
    r.name, r.procs, shown(r.burrow), ...present.flatMap((peer) => [shown(r[peer]), ratio(r.burrow, r[peer])]),
    r.unit, r.goal, r.holds === undefined ? '' : r.holds ? 'yes' : 'NO',
  ]);
  return table(head, lines);
}
