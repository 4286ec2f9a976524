#include "sched/stack.h"

#include "alloc/alloc.h"
#include "port/port.h"
#include "sched/sched.h"

#include <burrow/alloc.h>
#include <burrow/go.h>

enum { LEAST = 4096 }; // and what sizes are rounded up to

_Atomic(bool) bw__stack_refuse;

static size_t rounded(size_t want) { return bw__align_up(want < LEAST ? LEAST : want, LEAST); }

// Whether stacks of this size are pages of their own. An object of a size class has the link of a
// free list at its beginning, which is the far end of a stack, and would be all that is ever
// written there: half of the memory of a goroutine that waits.
static bool is_pages(size_t size) { return size % BW_PAGE_SIZE == 0; }

void *bw__stack_alloc(size_t want, size_t *size) {
  if (want > PTRDIFF_MAX / 2 || bw__load_relaxed(&bw__stack_refuse)) return NULL;
  want = rounded(want);
  if (bw__port_capabilities.maps_stacks) return bw__port_stack_map(want, size);
  *size = want;
  return is_pages(want) ? bw__alloc_pages(want) : bw_aligned_alloc(LEAST, want);
}

void bw__stack_free(void *lo, size_t size) {
  if (bw__port_capabilities.maps_stacks)
    bw__port_stack_unmap(lo, size);
  else if (is_pages(size))
    bw__free_pages(lo);
  else
    bw_free(lo);
}

void bw__stack_first_use(void *lo, size_t size) {
  if (bw__port_capabilities.maps_stacks && !bw__port_stack_first_use(lo, size))
    bw__fatal("out of memory: no guard for a goroutine's stack");
}

size_t bw_stack_size_default(void) { return bw__port_capabilities.stack_size; }
