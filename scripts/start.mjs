// npm start: sets up what is missing, builds the playground and serves it until Ctrl-C.
//
//   PORT=8080 npm start    at this port
import { playground } from './lib/steps.mjs';

try {
  await playground();
} catch (error) {
  console.error(`\nnpm start: ${error.message}`);
  process.exit(1);
}
console.log();
await import('../web/playground/serve.mjs');
