// The benchmark runner's registry and what the benchmarks share.
//
//   BENCH(gosched) {
//     int64_t n = bench_count(5000000), start = bw_now();
//     ... n operations ...
//     bench_result(n, bw_now() - start);
//   }
//
// Each benchmark runs as the main goroutine of a runtime of its own, once per number of Ps asked
// for. It measures its own time, so what it sets up does not count, and it checks its own sums:
// a wrong one is a panic. What bench_chan and bench_latch_make make belongs to the runner, which
// gives it back after the runtime has ended: only then is nobody still on the way out of a send.
#ifndef BURROW_BENCH_H
#define BURROW_BENCH_H

#include <burrow/burrow.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct bench_case {
  const char *name;
  void (*run)(void);
  struct bench_case *next;
} bench_case;

void bench_register(bench_case *b);

#define BENCH(fn)                                                                                  \
  static void fn(void);                                                                            \
  __attribute__((constructor)) static void fn##_register(void) {                                   \
    static bench_case b = {#fn, fn, NULL};                                                         \
    bench_register(&b);                                                                            \
  }                                                                                                \
  static void fn(void)

// How often to do a thing that is done `full` times when not hurried: full / --divide, at least 1.
// The operation itself is the same whatever the divisor.
int64_t bench_count(int64_t full);

// `ops` operations took `ns`: the result under the benchmark's own name.
void bench_result(int64_t ops, int64_t ns);
// The same under another name, for a benchmark that measures several things.
void bench_result_as(const char *name, int64_t ops, int64_t ns);
// Something else than the time of an operation. `unit` goes with the figure: "ms", "B/goroutine".
void bench_value(const char *name, double value, const char *unit);
// Instead of bench_result: this target cannot do it, for this reason.
void bench_skip(const char *why);

// The process's resident set; on wasm what has been handed out of linear memory.
static inline int64_t bench_resident_bytes(void) {
  bw_alloc_stats stats;
  bw_alloc_stats_read(&stats);
  return (int64_t)stats.resident_bytes;
}

// A channel that the runner releases. Ends the program when there is no memory.
bw_chan *bench_chan(size_t elem_size, ptrdiff_t capacity);

// Starts a goroutine or ends the program.
static inline void bench_go(void (*fn)(void *arg), void *arg) {
  int code = bw_go(fn, arg);
  if (code) bw_panic("bw_go: %s", bw_strerror(code));
}

// Joins goroutines, in place of Go's WaitGroup: an atomic counter, and a channel of capacity 1 on
// which whoever counts down to zero sends. One goroutine adds and waits; after a wait it may add
// again. In a line of its own: it mostly lies on the stack of a benchmark, which others must not
// write to.
typedef struct bench_latch {
  _Alignas(64) _Atomic(int64_t) left;
  bw_chan *done;
} bench_latch;

static inline bench_latch bench_latch_make(void) { return (bench_latch){0, bench_chan(1, 1)}; }

// Expects `n` > 0 more calls of bench_latch_done before the wait ends. Not while any is expected.
static inline void bench_latch_add(bench_latch *l, int64_t n) { atomic_store(&l->left, n); }

// Does not touch *l after the count: the waiter may have gone on, and *l with it.
static inline void bench_latch_done(bench_latch *l) {
  bw_chan *done = l->done;
  if (atomic_fetch_sub(&l->left, 1) == 1) bw_chan_send(done, "");
}

static inline void bench_latch_wait(bench_latch *l) { bw_chan_recv(l->done, NULL); }

#endif
