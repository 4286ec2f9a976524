// Runs a WASI (preview 1) program: node --no-warnings wasi-run.mjs PROGRAM.wasm ARGUMENTS...
//
// Ends with the program's own status; with 134, as after abort() natively, when it traps; with 126
// when the module cannot be run at all. It sees the current folder as ".", and of the environment
// what is meant for it.
import { readFileSync } from 'node:fs';
import { WASI } from 'node:wasi';

const TRAPPED = 134;
const UNUSABLE = 126;

const args = process.argv.slice(2);
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => /^(BURROW|TEST)_/.test(name)));
const wasi = new WASI({ version: 'preview1', args, env, preopens: { '.': '.' }, returnOnExit: true });

let instance;
try {
  const module = await WebAssembly.compile(readFileSync(args[0]));
  instance = await WebAssembly.instantiate(module, wasi.getImportObject());
} catch (error) {
  console.error(`${args[0]} cannot be run: ${error.message}`);
  process.exit(UNUSABLE);
}
try {
  process.exitCode = wasi.start(instance);
} catch (error) {
  console.error(error instanceof WebAssembly.RuntimeError ? `trap: ${error.stack}` : error);
  process.exitCode = TRAPPED;
}
