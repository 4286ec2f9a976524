// The objects in the caches of the parent's other threads are lost to the child: such a thread may
// have been in the middle of a change. It is what they happened to have cached, not what they used.
//
// The runtime above does not survive a fork: its threads are not there in the child. A child of a
// program that runs goroutines may allocate, and call exec or _exit.
#include "alloc/fork.h"

#include "alloc/heap.h"
#include "base/atomics.h"
#include "port/port.h"

static void before(void) { // lowest rank first, as everywhere
  bw__heaps_fork_before();
  bw__debug_fork_before();
  bw__cache_fork_before();
  bw__budget_fork_before();
  bw__central_fork_before();
  bw__profile_fork_before();
  bw__pageheap_fork_before();
}

static void after(void) {
  bw__pageheap_fork_after();
  bw__profile_fork_after();
  bw__central_fork_after();
  bw__budget_fork_after();
  bw__cache_fork_after();
  bw__debug_fork_after();
  bw__heaps_fork_after();
}

void bw__fork_protect(void) {
  static _Atomic(bool) done;
  if (bw__load_relaxed(&done) || bw__swap(&done, true)) return; // relaxed: the swap decides
  bw__port_at_fork(before, after);
}
