// The bounds of this thread's own stack, as Emscripten's C library keeps them: set by its
// JavaScript for each pthread, and by entry/js/thread.c for JavaScript's threads.
#include "port/wasm/stack.h"

#include <emscripten/stack.h>

char *bw__stack_low(void) { return (char *)emscripten_stack_get_end(); }
char *bw__stack_high(void) { return (char *)emscripten_stack_get_base(); }
