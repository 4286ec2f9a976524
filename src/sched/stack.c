#include "sched/stack.h"

#include "port/port.h"

#include <burrow/alloc.h>
#include <burrow/go.h>

enum { LEAST = 4096 };

_Atomic(bool) bw__stack_refuse;

static size_t rounded(size_t want) { return bw__align_up(want < LEAST ? LEAST : want, LEAST); }

void *bw__stack_alloc(size_t want, size_t *size) {
  if (want > PTRDIFF_MAX / 2 || bw__load_relaxed(&bw__stack_refuse)) return NULL;
  want = rounded(want);
  if (bw__port_capabilities.maps_stacks) return bw__port_stack_map(want, size);
  *size = want;
  return bw_aligned_alloc(16, want);
}

void bw__stack_free(void *lo, size_t size) {
  if (bw__port_capabilities.maps_stacks)
    bw__port_stack_unmap(lo, size);
  else
    bw_free(lo);
}

bool bw__stack_fits(size_t size, size_t want) {
  want = rounded(want);
  return size >= want && size - want <= want / 4;
}

size_t bw_stack_size_default(void) { return bw__port_capabilities.stack_size; }
