// Binaryen's asyncify pass replaces these four imports (port/wasm/ctx.c). emcc checks for undefined
// symbols before that pass runs, so they are declared here; none of them is ever called.
addToLibrary({
  start_unwind: () => abort('the module was not processed by asyncify'),
  stop_unwind: () => abort('the module was not processed by asyncify'),
  start_rewind: () => abort('the module was not processed by asyncify'),
  stop_rewind: () => abort('the module was not processed by asyncify'),
  bw__sp_check: () => abort('the module was not processed by stack-check'),
});
