// The table at the end of a test run.
import { timings } from './run.mjs';

const plural = (n, word) => `${n} ${word}${n === 1 ? '' : 's'}`;

/** `seconds` as m:ss. */
const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`;

/** Lines of cells, the first column to the left and the others to the right. */
function table(lines) {
  const widths = lines[0].map((_, i) => Math.max(...lines.map((line) => String(line[i]).length)));
  const cell = (text, i) => (i === 0 ? String(text).padEnd(widths[i]) : String(text).padStart(widths[i]));
  return lines.map((line) => `  ${line.map(cell).join('   ').trimEnd()}`).join('\n');
}

/**
 * Prints where the time went, then target -> passed, failed, skipped; the last line is the sum.
 * @param rows  { target, passed, failed, skipped, names, seconds, note }; names: of the failed tests
 */
export function report(rows, seconds) {
  const slow = timings.filter((t) => t.seconds >= 1);
  console.log(`\nsteps of a second or more\n${table(slow.map((t) => [t.step, clock(t.seconds), t.how]))}`);

  const head = ['target', 'passed', 'failed', 'skipped', 'time'];
  const lines = rows.map((r) => [r.target, r.passed, r.failed, r.skipped, clock(r.seconds)]);
  console.log(`\n${table([head, ...lines])}`);
  for (const { target, note, names } of rows) {
    if (note) console.log(`\n  ${target}: ${note}`);
    if (names.length > 0) console.log(`\n  ${target}: failed:\n${names.map((name) => `    ${name}`).join('\n')}`);
  }

  const sum = (key) => rows.reduce((total, r) => total + r[key], 0);
  const skipped = sum('skipped');
  console.log(`\n  ${plural(rows.length, 'target')} in ${clock(seconds)}\n`);
  console.log(`${sum('passed')} passed, ${sum('failed')} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
}
