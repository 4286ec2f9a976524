// What the allocator says when the program misuses it.
#ifndef BURROW_ALLOC_MISUSE_H
#define BURROW_ALLOC_MISUSE_H

#include "alloc/chain.h"

#include <burrow/heap.h>

// `p`, given to `function`, is not the start of an object in use. Says what it is instead: freed
// already, inside an object, in a free span, or nobody's memory.
_Noreturn void bw__misuse_pointer(const char *function, const void *p);

// `p` is a whole object, but not of the size that `function` was told.
_Noreturn void bw__misuse_size(const char *function, const void *p, size_t size);

// `h`, given to `function`, was destroyed.
_Noreturn void bw__misuse_heap(const char *function, const bw_heap *h);

// `p`, given to `function` together with `h`, is not in that heap.
_Noreturn void bw__misuse_foreign(const char *function, const void *p, const bw_heap *h);

// Ends the program as the functions above do, with a text of the caller's.
_Noreturn void bw__misuse_end(const char *text);

// Writes "fatal error: <text>" to stderr, and returns: for those who end the program in another
// way.
void bw__misuse_print(const char *text);

#endif
