// The heap profiler inside the allocator; <burrow/profile.h> is the outside. See profile.c.
#ifndef BURROW_ALLOC_PROFILE_H
#define BURROW_ALLOC_PROFILE_H

#include "alloc/sampler.h"
#include "alloc/span.h"

#include <burrow/profile.h>

typedef struct bw__sample bw__sample;

// ---- for malloc and free ------------------------------------------------------------------------

// Counts an object of size class `c` on `s` (NULL: on one that all share). When it is to be sampled
// and there is memory: the object, in a span of its own. Else NULL. Not inlined, as
// bw__cache_alloc_slow. Locks: profile, page heap. Blocks: M.
void *bw__profile_alloc(bw__sampler *s, unsigned c);

// Counts a new large object, and samples it when its time has come. Locks and Blocks: as above.
void bw__profile_large(bw__span *s);

// The large object in `s`, which had `old_bytes`, is longer or shorter now. Locks and Blocks: as
// above.
void bw__profile_resized(bw__span *s, size_t old_bytes);

// An object that was sampled is freed; `sample` goes with it. Locks: profile. Blocks: M.
void bw__profile_freed(bw__sample *sample);

// Its size class, 0 for a large one.
unsigned bw__profile_class(const bw__sample *sample);

// ---- for the rooms that write it ----------------------------------------------------------------

// The rate of the profile there is, whether it runs or not. Locks: profile. Blocks: M.
uint64_t bw__profile_rate(void);

// What one stack has in use, all sizes together.
typedef struct {
  const uintptr_t *frames;
  unsigned depth;
  uint64_t objects; // estimates
  uint64_t bytes;
  const void *id; // tells stacks with the same bytes apart
} bw__profile_use;

// The stack with the most bytes in use among those that come after `*use` in the order of bytes
// (all come after {.bytes = UINT64_MAX}). False: none is left. Locks: profile. Blocks: M.
bool bw__profile_next_use(bw__profile_use *use);
// The sum of all stacks' objects and bytes; how many have any. Locks: profile. Blocks: M.
unsigned bw__profile_total_use(bw__profile_use *total);

// What the environment asks for is looked at by a constructor. The allocator calls this as well
// when it makes its first caches, which may be earlier. Natively only. Locks: profile, page heap.
// Blocks: M.
#if BW_WASM
static inline void bw__profile_env(void) {}
#else
void bw__profile_env(void);
#endif

#endif
