// From runs to medians, from medians to tables.

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const geometricMean = (values) => Math.exp(values.reduce((sum, v) => sum + Math.log(v), 0) / values.length);

/** Of the runs of one allocator in one benchmark: medians, the best time, and how far the runs lie apart. */
export function summarize(runs) {
  const middle = (get) => median(runs.map(get));
  const mops = runs.map((r) => r.mops);
  return {
    mops: median(mops),
    spread: (Math.max(...mops) - Math.min(...mops)) / median(mops),
    best_ns_per_op: Math.min(...runs.map((r) => (r.secs * 1e9) / r.ops)),
    cpu_ns_per_op: runs[0].cpu_secs === null ? null : middle((r) => (r.cpu_secs * 1e9) / r.ops),
    mem_kib: middle((r) => r.mem_kib),
    peak_live_kib: middle((r) => r.peak_live_kib),
    end_mem_kib: middle((r) => r.end_mem_kib),
    end_live_kib: middle((r) => r.end_live_kib),
  };
}

/** Lines of cells as Markdown, columns aligned; the first to the left, the others to the right. */
export function table(head, lines) {
  const rule = head.map((_, i) => (i === 0 ? '---' : '--:'));
  const widths = head.map((_, i) => Math.max(3, ...[head, ...lines].map((line) => String(line[i]).length)));
  const cell = (text, i) => {
    if (text === '---') return '-'.repeat(widths[i]);
    if (text === '--:') return `${'-'.repeat(widths[i] - 1)}:`;
    return i === 0 ? String(text).padEnd(widths[i]) : String(text).padStart(widths[i]);
  };
  return [head, rule, ...lines].map((line) => `| ${line.map(cell).join(' | ')} |`).join('\n');
}

const mib = (kib) => (kib / 1024).toFixed(1);
const percent = (share) => `${(share * 100).toFixed(0)} %`;
const digits = (value) => (value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(1) : value.toPrecision(2));

/** One benchmark: a line for each allocator. `results` are of it alone. */
export function benchmarkTable(results) {
  const fastest = Math.max(...results.map((r) => r.mops));
  const cpu = results[0].cpu_ns_per_op !== null;
  const frag = results[0].bench === 'frag';
  const head = ['', 'Mops/s', 'spread', ...(cpu ? ['CPU ns/op'] : []), 'of the fastest', 'memory MiB', 'over live'];
  if (frag) head.push('end MiB', 'end over live');
  const lines = results.map((r) => [
    r.allocator, digits(r.mops), percent(r.spread), ...(cpu ? [digits(r.cpu_ns_per_op)] : []),
    (r.mops / fastest).toFixed(2), mib(r.mem_kib), (r.mem_kib / r.peak_live_kib).toFixed(2),
    ...(frag ? [mib(r.end_mem_kib), (r.end_mem_kib / r.end_live_kib).toFixed(2)] : []),
  ]);
  return table(head, lines);
}

/**
 * Each allocator against each other: the geometric mean of row over column, over the benchmarks both
 * have. `get` takes the figure, for which less is better, from a result.
 */
export function ratioTable(results, get) {
  const names = [...new Set(results.map((r) => r.allocator))];
  const figures = new Map(results.map((r) => [`${r.allocator} ${r.bench} ${r.threads}`, get(r)]));
  const ratio = (row, column) => {
    const ratios = results
      .filter((r) => r.allocator === row)
      .map((r) => get(r) / figures.get(`${column} ${r.bench} ${r.threads}`))
      .filter((x) => x > 0 && Number.isFinite(x));
    return ratios.length ? geometricMean(ratios).toFixed(2) : '-';
  };
  return table(['row / column', ...names], names.map((row) => [row, ...names.map((column) => ratio(row, column))]));
}

/** How much more is done by more threads, where a benchmark was run with one thread and with others. */
export function scalingTable(results, bench) {
  const of = results.filter((r) => r.bench === bench);
  const threads = [...new Set(of.map((r) => r.threads))].sort((a, b) => a - b);
  if (threads[0] !== 1 || threads.length < 2) return undefined;
  const names = [...new Set(of.map((r) => r.allocator))];
  const lines = names.map((name) => {
    const mops = threads.map((n) => of.find((r) => r.allocator === name && r.threads === n)?.mops ?? NaN);
    return [name, ...mops.map(digits), ...mops.slice(1).map((m) => `${(m / mops[0]).toFixed(2)}x`)];
  });
  return table(['', ...threads.map((n) => `${n} thr. Mops/s`), ...threads.slice(1).map((n) => `${n} / 1`)], lines);
}
