// A static server for the tests: with the isolation headers, or without to see what the page says then.
import { createServer } from 'node:http';
import sirv from 'sirv';

const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

// { url, close() } for a folder, on a port of the system's choice.
export async function serve(folder, { isolated = true } = {}) {
  const files = sirv(folder, { etag: true });
  const server = createServer((request, response) => {
    if (isolated) for (const [name, value] of Object.entries(isolation)) response.setHeader(name, value);
    files(request, response, () => {
      response.statusCode = 404;
      response.end();
    });
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  return {
    url: `http://localhost:${server.address().port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}
