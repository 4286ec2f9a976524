// Very many goroutines that wait at once: what starting them, waking them and keeping them costs.
#include "bench.h"

typedef struct {
  bw_chan *gate; // closed when all may go
  bench_latch latch;
  _Atomic(int64_t) up; // goroutines that are at the gate, or one step before it
} parking;

static void park(void *arg) {
  parking *p = arg;
  atomic_fetch_add(&p->up, 1);
  bw_chan_recv(p->gate, NULL);
  bench_latch_done(&p->latch);
}

// Starts as many goroutines as the runner's divisor leaves of `full`, all of which receive from one
// channel, then closes it. NAME_spawn: from the first start until all have reached the receive;
// NAME_wake_join: from the close until all are joined; op = one goroutine. NAME_rss: what the
// resident set grew by, per goroutine.
static void park_many(const char *name, int64_t full) {
  int64_t n = bench_count(full);
  if ((uint64_t)n > (uint64_t)UINTPTR_MAX / bw_stack_size_default()) {
    bench_skip("that many stacks do not fit into memory");
    return;
  }
  parking p = {.gate = bench_chan(1, 0), .latch = bench_latch_make()};
  bench_latch_add(&p.latch, n);
  int64_t before = bench_resident_bytes();
  int64_t start = bw_now();
  for (int64_t i = 0; i < n; i++) bench_go(park, &p);
  while (atomic_load(&p.up) != n) bw_gosched();
  int64_t spawned = bw_now() - start;
  int64_t grown = bench_resident_bytes() - before;

  start = bw_now();
  bw_chan_close(p.gate);
  bench_latch_wait(&p.latch);
  int64_t joined = bw_now() - start;

  char part[64];
  snprintf(part, sizeof part, "%s_spawn", name);
  bench_result_as(part, n, spawned);
  snprintf(part, sizeof part, "%s_wake_join", name);
  bench_result_as(part, n, joined);
  snprintf(part, sizeof part, "%s_rss", name);
  bench_value(part, (double)grown / (double)n, "B/goroutine");
}

// 1,000,000 goroutines; skipped where their stacks have no room in the address space.
BENCH(park1M) { park_many("park1M", 1000000); }

// The same with a tenth of them.
BENCH(park100000) { park_many("park100000", 100000); }
