// Copies the playground's own module (the runtime plus the demos) from the CMake build to where Vite
// picks it up as an asset. The folder is not under version control.
import { copyFileSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const built = process.env.PLAYGROUND_WASM ?? join(here, '../../../build/wasm/web/wasm/playground.wasm');
const target = join(here, '../src/wasm/playground.wasm');

if (!existsSync(built)) {
  console.error(`There is no ${built}: build the wasm preset first (npm run build:wasm at the top, or cmake).`);
  process.exit(1);
}
mkdirSync(dirname(target), { recursive: true });
copyFileSync(built, target);
console.log(`playground.wasm: ${statSync(target).size} bytes`);
