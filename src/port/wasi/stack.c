// The bounds of the only thread's stack, which the linker lays out.
#include "port/wasm/stack.h"

extern char __stack_low, __stack_high;

char *bw__stack_low(void) { return &__stack_low; }
char *bw__stack_high(void) { return &__stack_high; }
