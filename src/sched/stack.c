#include "sched/stack.h"

#include "port/port.h"
#include "sched/sched.h"

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
  return bw_aligned_alloc(LEAST, want);
}

void bw__stack_free(void *lo, size_t size) {
  if (bw__port_capabilities.maps_stacks)
    bw__port_stack_unmap(lo, size);
  else
    bw_free(lo);
}

void bw__stack_first_use(void *lo, size_t size) {
  if (bw__port_capabilities.maps_stacks && !bw__port_stack_first_use(lo, size))
    bw__fatal("out of memory: no guard for a goroutine's stack");
}

size_t bw_stack_size_default(void) { return bw__port_capabilities.stack_size; }
