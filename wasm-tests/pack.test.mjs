// The package as its users get it: packed, installed into an empty folder, run and type-checked there.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const here = dirname(fileURLToPath(import.meta.url));
const web = join(here, '../web');
let folder;
let packed;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'burrow-pack-'));
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: web });
  [packed] = JSON.parse(stdout.slice(stdout.indexOf('[')));
  const manifest = { name: 'consumer', version: '1.0.0', private: true, type: 'module' };
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
  const options = ['--offline', '--no-audit', '--no-fund', '--no-package-lock'];
  await run('npm', ['install', ...options, join(folder, packed.filename)], { cwd: folder });
  await cp(join(here, 'fixtures/consumer'), folder, { recursive: true });
});
after(() => rm(folder, { recursive: true, force: true }));

test('the tarball holds the build, its documents, and nothing else', () => {
  const paths = packed.files.map(({ path }) => path);
  const built = ['index.js', 'index.d.ts', 'worker.js', 'burrow.wasm'].map((name) => `dist/${name}`);
  for (const path of ['package.json', 'README.md', 'LICENSE', ...built]) {
    assert.ok(paths.includes(path), `${path} is missing`);
  }
  for (const path of paths) {
    assert.match(path, /^(package\.json|README\.md|LICENSE|dist\/[a-z-]+\.(js|d\.ts|wasm))$/);
  }
  assert.ok(packed.size < 150_000, `${packed.size} bytes packed`);
});

test('it depends on nothing', async () => {
  const manifest = JSON.parse(await readFile(join(folder, 'node_modules/burrow-runtime/package.json'), 'utf8'));
  assert.equal(manifest.dependencies, undefined);
  assert.equal(manifest.type, 'module');
  assert.equal(manifest.scripts.postinstall, undefined);
});

test('a program runs: memory, slices, and a channel between two workers', async () => {
  const { stdout, stderr } = await run(process.execPath, ['main.mjs'], { cwd: folder });
  assert.equal(stderr, '');
  assert.deepEqual(stdout.trim().split('\n'), [
    'block 100 of 112 bytes, first 7, last 7',
    'slice [1,2,3,4,5], length 5, capacity 6',
    'squares 1000, sum 333833500',
    'stopped true',
  ]);
});

for (const [name, options] of [
  ['a page', { module: 'ESNext', moduleResolution: 'Bundler', lib: ['ES2022', 'DOM'], types: [] }],
  ['Node', { module: 'NodeNext', moduleResolution: 'NodeNext', lib: ['ES2022'], types: ['node'] }],
]) {
  test(`a consumer in TypeScript compiles, as for ${name}`, async () => {
    const compilerOptions = { ...options, target: 'ES2022', strict: true, noEmit: true, skipLibCheck: false };
    const require = createRequire(join(web, 'package.json'));
    if (options.types.length > 0) {
      await mkdir(join(folder, 'node_modules/@types'), { recursive: true });
      for (const needed of ['@types/node', 'undici-types']) {
        const types = createRequire(require.resolve('@types/node/package.json'));
        const from = dirname(types.resolve(`${needed}/package.json`));
        await cp(from, join(folder, 'node_modules', needed), { recursive: true, dereference: true });
      }
    }
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['consumer.ts'] }));
    const compiler = join(dirname(require.resolve('typescript/package.json')), 'bin/tsc');
    await run(process.execPath, [compiler, '-p', folder], { cwd: folder }).catch(({ stdout }) => assert.fail(stdout));
  });
}
