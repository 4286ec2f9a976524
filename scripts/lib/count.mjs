// Reads out of what the two test runners print how many tests passed, were skipped and failed, and
// the names of those that failed.

/** ctest: a line a test. What neither passed nor was skipped on purpose has failed. */
export function countCtest(output) {
  const counts = { passed: 0, failed: 0, skipped: 0, names: [] };
  for (const [, name, result] of output.matchAll(/^ *\d+\/\d+ Test +#\d+: (\S+) \.*(.*)$/gm)) {
    if (/^ *Passed/.test(result)) counts.passed++;
    else if (/^\*\*\*(Skipped|Not Run \(Disabled\))/.test(result)) counts.skipped++;
    else counts.names.push(name);
  }
  // Its own sum, should a line not have been understood.
  const sum = Number(output.match(/ (\d+) tests? failed out of \d+/)?.[1] ?? 0);
  return { ...counts, failed: Math.max(counts.names.length, sum) };
}

/** node --test with the spec reporter: the lines at the end. */
export function countNode(output) {
  const line = (name) => Number(output.match(new RegExp(`^ℹ ${name} (\\d+)$`, 'm'))?.[1] ?? 0);
  const marked = (mark) => output.matchAll(new RegExp(`^ *${mark} (.*?)(?: \\([\\d.]+ms\\))?$`, 'gm'));
  const all = (mark) => Array.from(marked(mark), ([, name]) => name);
  const suites = new Set(all('▶'));
  return {
    passed: line('pass'),
    failed: line('fail') + line('cancelled'),
    skipped: line('skipped') + line('todo'),
    // Each is printed where it happens and again at the end; a suite fails with its tests.
    names: [...new Set(all('✖'))].filter((name) => name !== 'failing tests:' && !suites.has(name)),
  };
}
