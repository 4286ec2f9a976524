// Goroutine stacks: mapped with a guard page where the port can, else from the page heap.
#ifndef BURROW_SCHED_STACK_H
#define BURROW_SCHED_STACK_H

#include "base/config.h"

// A stack of at least `want` bytes, 16-byte aligned at both ends. NULL: no memory.
void *bw__stack_alloc(size_t want, size_t *size);
void bw__stack_free(void *lo, size_t size);
// For tests: bw__stack_alloc finds no memory.
extern _Atomic(bool) bw__stack_refuse;
// Whether a stack of `size` bytes serves a wish for `want`: large enough and not wastefully so.
bool bw__stack_fits(size_t size, size_t want);

#endif
