// Runs the commands of the build, one named step each: output live and line by line, time taken,
// and on failure a message that names the step and the command to repeat by hand.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

/** The project's folder; every command runs there. */
export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** Of each finished step: { step, seconds, how }. */
export const timings = [];

export class StepError extends Error {
  constructor(step, command, how) {
    super(`step "${step}": ${command}: ${how}`);
    this.step = step;
  }
}

/** Seconds since `start` (of performance.now()), with one decimal. */
export const secondsSince = (start) => Math.round((performance.now() - start) / 100) / 10;

/**
 * Runs `command` to its end and resolves with { output, status }; rejects with a StepError when the
 * status is not 0, unless it `mayFail`.
 * @param options.prefix  goes before each line, for what runs beside another step
 * @param options.hide    lines that match it are not shown
 * @param options.env     added to the environment
 * @param options.limit   seconds after which it is ended
 * @param options.tries   how often it is begun, for what hangs on the network
 */
export async function run(step, command, args, options = {}) {
  const { prefix = '', mayFail = false, tries = 1 } = options;
  const shown = [command, ...args].join(' ');
  console.log(`\n${prefix}== ${step}: ${shown}`);
  const start = performance.now();
  const { output, status, how } = await launch(command, args, { limit: 3600, ...options, prefix });
  const seconds = secondsSince(start);
  timings.push({ step, seconds, how });
  console.log(`${prefix}== ${step}: ${how}, ${seconds} s`);
  if (status !== 0 && tries > 1) return run(step, command, args, { ...options, tries: tries - 1 });
  if (status !== 0 && !mayFail) throw new StepError(step, shown, how);
  return { output, status };
}

function launch(command, args, { prefix, hide, env, limit }) {
  return new Promise((resolve) => {
    const stdio = ['ignore', 'pipe', 'pipe'];
    const child = spawn(command, args, { cwd: root, env: { ...process.env, ...env }, stdio });
    let output = '';
    let late = false;
    const show = (line) => {
      output += `${line}\n`;
      if (!hide?.test(line)) process.stdout.write(`${prefix}${line}\n`);
    };
    for (const stream of [child.stdout, child.stderr]) eachLine(stream, show);

    const timers = [
      setTimeout(() => (late = child.kill('SIGTERM')), limit * 1000),
      setTimeout(() => child.kill('SIGKILL'), (limit + 10) * 1000),
    ];
    const finish = (status, how) => {
      timers.forEach(clearTimeout);
      resolve({ output, status, how: late ? `ended after ${limit} s` : how });
    };
    child.on('error', (error) => finish(127, `cannot be started (${error.message})`));
    child.on('close', (code, signal) => {
      if (signal) finish(128 + constants.signals[signal], `ended by ${signal}`);
      else finish(late ? 124 : code, code === 0 ? 'done' : `exit status ${code}`);
    });
    // A grandchild that outlives a step that was ended may keep its pipes open.
    child.on('exit', () => late && setTimeout(finish, 5000, 124));
  });
}

function eachLine(stream, show) {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop();
    lines.forEach(show);
  });
  stream.on('end', () => {
    if (rest) show(rest);
  });
}
