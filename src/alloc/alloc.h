// What the layers above use besides <burrow/alloc.h>: allocation with 8-byte alignment, for which
// every size class is good, and the sizes it gives.
#ifndef BURROW_ALLOC_ALLOC_H
#define BURROW_ALLOC_ALLOC_H

#include <burrow/alloc.h>

#include "base/config.h"

// Functions that lie between a program's call of the allocator and the heap profiler: they stand in
// a section of their own, so that stacks can begin at the program's frame whatever the compiler
// inlined, split or turned into a jump. Put before a declaration.
#if BW_WASM
#define BW_ALLOC_CODE
#else
#define BW_ALLOC_CODE __attribute__((section("bw_alloc")))
#endif

// As bw_malloc, but aligned to 8 only. (Go's allocator gives 8 too; a slice of three words wants
// the class of 24 bytes, which bw_malloc may not use.)
void *bw__alloc8(size_t size);

// The bytes that bw__alloc8(size) gives: a class size as far as there are classes, whole pages
// above. Go's roundupsize. `size` itself when rounding would overflow.
size_t bw__alloc_round8(size_t size);

// As bw_malloc, zeroed.
void *bw__alloc_zeroed(size_t size);

// As bw_free_sized where the size cannot have been changed by a realloc (C++'s sized delete): it
// must be one for which bw_malloc gives this very object.
void bw__free_exact(void *p, size_t size);

// As bw_aligned_alloc, in a thread whose thread-local variables do not exist yet: touches none.
void *bw__alloc_before_tls(size_t align, size_t size);

// Whole pages, aligned to BW_PAGE_SIZE, however few: the allocator writes to none of them, neither
// now nor when they are given back. For what is used in part only, like a goroutine's stack. NULL:
// no memory. They count as a large object. In a debug build they have neither canaries nor
// quarantine. Locks: page heap, profile. Blocks: M.
void *bw__alloc_pages(size_t bytes);
void bw__free_pages(void *p);

typedef struct bw__cache bw__cache;

// A cache that belongs to no thread, for a P; NULL: no memory. Given back with its objects by
// bw__cache_delete. Locks: caches, central, page heap. Blocks: M.
bw__cache *bw__cache_new(void);
void bw__cache_delete(bw__cache *cache);
// Makes this thread use `cache`, which no other thread uses, in place of its own; NULL: its own
// again. Locks: none. Blocks: never.
void bw__cache_use(bw__cache *cache);

// Called with one line without a newline when the program misuses the allocator; must not return
// and must not allocate. The default writes "fatal error: <text>" to stderr and exits with
// status 2. Set once at start-up by the layer that can say more.
extern void (*bw__alloc_fatal)(const char *text);

#endif
