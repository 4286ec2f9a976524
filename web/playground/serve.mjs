// Serves the built playground with the headers that SharedArrayBuffer needs.
//
//   PORT=8080 node serve.mjs [folder]
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sirv from 'sirv';

const folder = process.argv[2] ?? join(dirname(fileURLToPath(import.meta.url)), 'dist');
const port = Number(process.env.PORT ?? 8080);
if (!existsSync(join(folder, 'index.html'))) {
  console.error(`${folder} holds no index.html: run the build first.`);
  process.exit(1);
}

const files = sirv(folder, { etag: true });
const server = createServer((request, response) => {
  response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
  response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
  response.setHeader('Cross-Origin-Resource-Policy', 'same-origin');
  files(request, response, () => {
    response.statusCode = 404;
    response.end('not found\n');
  });
});

server.on('error', (error) => {
  const taken = error.code === 'EADDRINUSE';
  console.error(taken ? `Port ${port} is taken; choose another one with PORT.` : String(error));
  process.exit(1);
});
server.listen(port, () => console.log(`Playground: http://localhost:${server.address().port}/`));

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    server.close(() => process.exit(0));
    server.closeAllConnections();
  });
}
