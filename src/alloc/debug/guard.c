#include "alloc/debug/guard.h"

#include "alloc/debug/plain.h"
#include "alloc/debug/report.h"
#include "alloc/sizeclass.h"
#include "port/port.h"

#define GUARDED_MOST 4096
#define ALIGN_MOST   ((size_t)4096)

static struct {
  _Atomic(uint32_t) seen;  // objects that might have been sampled; wraps
  _Atomic(uint32_t) count; // guarded objects, those in quarantine included
  _Atomic(bool) refused;   // the system did not protect: never asked again
  _Atomic(bool) listening; // to faults
} guard;

bool bw__guard_wanted(const bw_alloc_debug_options *options, size_t align, size_t size) {
  if (!bw__port_capabilities.protects || align > ALIGN_MOST || size > PTRDIFF_MAX / 2) return false;
  uint32_t one_in = options->guard_one_in;
  bool sampled = one_in && bw__add_relaxed(&guard.seen, 1) % one_in == one_in - 1;
  return (sampled || size >= options->guard_from) && !bw__load_relaxed(&guard.refused) &&
         bw__load_relaxed(&guard.count) < GUARDED_MOST;
}

// Whole pages from the start of a page; NULL: no memory, or what there is does not begin or end so.
static char *alloc_pages(size_t bytes, bool zeroed, size_t *got) {
  bool large = bytes > BW_SIZECLASS_MAX;
  char *base = zeroed && large ? bw__plain_alloc_zeroed(bytes)
                               : bw__plain_aligned_alloc(BW_PAGE_SIZE, bytes);
  if (!base) return NULL;
  *got = bw__plain_usable_size(base);
  if ((((uintptr_t)base | *got) & (BW_PAGE_SIZE - 1)) == 0) return base;
  bw__plain_free(base);
  return NULL;
}

bool bw__guard_alloc(bw__debug_object *o, size_t align, size_t size, bool zeroed) {
  size_t got;
  if (align < 16) align = 16;
  size_t room = bw__align_up(BW_FRONT + size + align, BW_PAGE_SIZE);
  char *base = alloc_pages(room + BW_GUARD_SIZE, zeroed, &got);
  if (!base) return false;
  char *end = base + got - BW_GUARD_SIZE;
  if (!bw__port_mem_protect(end, BW_GUARD_SIZE, false)) {
    bw__store_relaxed(&guard.refused, true);
    bw__plain_free(base);
    return false;
  }
  o->base = base;
  o->end = end;
  o->size = size;
  o->guarded = true;
  o->user = end - bw__align_up(size, align); // `end` is aligned
  bw__add_relaxed(&guard.count, 1);
  if (!bw__swap(&guard.listening, true)) bw__port_at_fault(bw__report_fault);
  return true;
}

void bw__guard_seal(bw__debug_object *o) {
  o->sealed = bw__port_mem_protect(o->base, (size_t)(o->end - o->base), false);
}

bool bw__guard_open(const bw__debug_object *o) {
  bw__add_relaxed(&guard.count, (uint32_t)-1);
  return bw__port_mem_protect(o->base, bw__debug_bytes(o), true);
}
