// What the page says when it may not share memory between threads.
import { h } from '../ui/dom.ts';

export function isolationMessage(): HTMLElement {
  return h(
    'main',
    { class: 'notice', role: 'alert', 'data-testid': 'not-isolated' },
    h('h1', null, 'This page is not cross-origin isolated'),
    h(
      'p',
      null,
      'Burrow runs goroutines on several threads that share one WebAssembly memory. Browsers allow a ' +
        'SharedArrayBuffer only on pages whose server sends both of these headers:',
    ),
    h('pre', null, 'Cross-Origin-Opener-Policy: same-origin\nCross-Origin-Embedder-Policy: require-corp'),
    h(
      'p',
      null,
      'The page must also come over https, or from localhost. The server in this project does both: run ',
      h('code', null, 'npm start'),
      ' and open the address that it prints. Nothing was started here.',
    ),
  );
}
