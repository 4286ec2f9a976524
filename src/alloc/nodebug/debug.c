// What a build without BURROW_ALLOC_DEBUG has in place of alloc/debug/.
#include <string.h>

#include <burrow/alloc.h>

#include "alloc/fork.h"

bool bw_alloc_check(void) { return true; }

bool bw_alloc_check_object(const void *p) {
  (void)p;
  return true;
}

bool bw_alloc_debug_get(bw_alloc_debug_options *out) {
  memset(out, 0, sizeof *out);
  return false;
}

bool bw_alloc_debug_set(const bw_alloc_debug_options *options) {
  (void)options;
  return false;
}

void bw__debug_fork_before(void) {}
void bw__debug_fork_after(void) {}
