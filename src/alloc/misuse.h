// What the allocator says when the program misuses it. Nothing here returns.
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

#endif
