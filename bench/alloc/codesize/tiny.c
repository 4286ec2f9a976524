// The smallest program that needs an allocator: what of its .wasm file is the allocator's?
#include <stdlib.h>

int main(int argc, char **argv) {
  (void)argv;
  void *volatile p = malloc((size_t)argc * 100);
  p = realloc(p, (size_t)argc * 200);
  free(p);
  return 0;
}
