// Goroutine stacks: mapped with a guard page where the port can, else pages from the page heap.
#ifndef BURROW_SCHED_STACK_H
#define BURROW_SCHED_STACK_H

#include "base/config.h"

// A stack of at least `want` bytes, which ends where a page of 4096 bytes does, and begins at a
// multiple of 16. *size: its bytes. Its memory is not touched. NULL: no memory.
void *bw__stack_alloc(size_t want, size_t *size);
void bw__stack_free(void *lo, size_t size);
// For tests: bw__stack_alloc finds no memory.
extern _Atomic(bool) bw__stack_refuse;
// A stack that nobody has written to since bw__stack_alloc gave it is about to be used. When there
// is no memory for what that takes, the program ends, as it would at the first touch of a page.
void bw__stack_first_use(void *lo, size_t size);

#endif
