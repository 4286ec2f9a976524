// The allocator in a wasm module that switches goroutines, linked with the names of its functions:
// wasm-tests/c-hotpath.test.mjs reads the code.
#include <burrow/burrow.h>

static int body(void *arg) {
  void **p = arg;
  bw_gosched(); // the positive control: what calls it is instrumented
  *p = bw_realloc(*p, 200);
  return 0;
}

int main(void) {
  void *p = bw_malloc(100);
  int status = bw_run(body, &p, NULL);
  bw_free(p);
  return status;
}
