// The allocators to measure natively: shared libraries that replace the C library's malloc family.
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { basename, join } from 'node:path';

// Where Debian, Fedora, Arch, Alpine and a local install put them.
const folders = [
  ...['x86_64', 'aarch64', 'riscv64'].map((cpu) => `/usr/lib/${cpu}-linux-gnu`),
  '/usr/lib64', '/usr/lib', '/usr/local/lib64', '/usr/local/lib',
];

const wellKnown = {
  tcmalloc: /^libtcmalloc_minimal\.so\.4$/,
  jemalloc: /^libjemalloc\.so\.2$/,
  mimalloc: /^libmimalloc\.so\.[0-9]+(\.[0-9]+)?$/,
};

/** The first file in the well-known folders whose name matches. */
function find(pattern) {
  for (const folder of folders.filter((f) => existsSync(f))) {
    const name = readdirSync(folder).sort().reverse().find((n) => pattern.test(n));
    if (name) return join(folder, name);
  }
  return undefined;
}

/**
 * Returns [{ name, path }]: Burrow's, the C library's (no path) and what else is there.
 * @param burrow  Burrow's library; left out, with a line, when it is not there
 * @param more    { name: path } of others
 */
export function nativeAllocators(burrow, more) {
  const found = [];
  if (existsSync(burrow)) found.push({ name: 'burrow', path: realpathSync(burrow) });
  else console.log(`burrow is left out: ${burrow} is not there (cmake --build --preset release)`);
  found.push({ name: 'glibc', path: undefined });
  for (const [name, pattern] of Object.entries(wellKnown)) {
    const path = find(pattern);
    if (path) found.push({ name, path: realpathSync(path) });
    else console.log(`${name} is left out: not installed`);
  }
  for (const [name, path] of Object.entries(more)) {
    if (!existsSync(path)) throw new Error(`--allocator ${name}: ${path} is not there`);
    if (found.some((a) => a.name === name)) throw new Error(`--allocator ${name}: there is one of this name already`);
    found.push({ name, path: realpathSync(path) });
  }
  return found;
}

/** Does `origin`, where the program found malloc, belong to this allocator? */
export function isLaidUnder(allocator, origin) {
  if (!allocator.path) return basename(origin).startsWith('libc.') || basename(origin).startsWith('ld-musl');
  return existsSync(origin) && realpathSync(origin) === allocator.path;
}
