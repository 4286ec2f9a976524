import { defineConfig } from 'vite';

// SharedArrayBuffer exists only on a page that is cross-origin isolated, which these two headers ask for.
const headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

export default defineConfig({
  base: './',
  server: { headers },
  preview: { headers },
  worker: { format: 'es' },
  build: { target: 'es2022', assetsInlineLimit: 0 },
  // The package finds its worker and its wasm relative to its own modules; pre-bundling would move them.
  optimizeDeps: { exclude: ['burrow-runtime'] },
});
