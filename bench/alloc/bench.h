// What the allocator benchmarks share. They call the C library's malloc family and nothing of
// Burrow's, so whichever allocator is laid under the program is the one that is measured.
//
//   static void step(bench_worker *w, void *state, int64_t n) { ... n operations ... }
//
//   BENCH(small, ON_MAIN) {
//     struct window s = {.blocks = bench_table(w, WINDOW, sizeof(block))};
//     bench_churn(w, 20000000, step, &s); // warm-up, then the timed part
//     ... free all ...
//   }
//
// A benchmark is a function that each worker runs. Between bench_begin and bench_end is the timed
// part, which begins and ends for all workers together. On wasm an engine replaces a function by
// its optimised form at the next call, never in the middle of one: what is timed must be a function
// that is called often, of a thousand operations or so, and that the warm-up has called before.
#ifndef ALLOC_BENCH_H
#define ALLOC_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

enum { KIB = 1024, MIB = 1024 * 1024, PAGE = 4096 };

typedef struct bench_worker {
  int id, threads; // 0 <= id < threads
  uint64_t rng;
  // Bytes the worker asked for, less what it freed, and the most this ever was. The peak of the
  // program is taken to be the sum over the workers; where they free each other's blocks the
  // benchmark puts its own figure here.
  int64_t live, peak;
  int64_t ops;
  unsigned char next_tag;
} bench_worker;

// Where the only worker runs when there is one: a program that never started a thread is cheap for
// some allocators. ON_THREAD still means the main thread where the target has no threads.
typedef enum bench_place { ON_MAIN, ON_THREAD } bench_place;

typedef struct bench_case {
  const char *name;
  void (*run)(bench_worker *w);
  bench_place place;
  struct bench_case *next;
} bench_case;

void bench_register(bench_case *b);

#define BENCH(title, where)                                                                        \
  static void title##_run(bench_worker *w);                                                        \
  __attribute__((constructor)) static void title##_register(void) {                                \
    static bench_case b = {#title, title##_run, where, NULL};                                      \
    bench_register(&b);                                                                            \
  }                                                                                                \
  static void title##_run(bench_worker *w)

// How often to do what is done `full` times at --scale 1; at least once.
int64_t bench_count(int64_t full);
// The same for the part that is not timed: a tenth of `full` whatever the scale, though no more
// than the timed part.
int64_t bench_warmup(int64_t full);
// A size at --scale 1, smaller below that, never larger.
int64_t bench_size(int64_t full);

// All workers wait for each other.
void bench_barrier(const bench_worker *w);
// The timed part of all workers. `ops` is what this worker did in it.
void bench_begin(const bench_worker *w);
void bench_end(bench_worker *w, int64_t ops);

// One benchmark of bench_count(full) operations: warms up, then calls step(w, state, n) with a sum
// of n that is this number, all of it timed.
void bench_churn(bench_worker *w, int64_t full,
                 void (*step)(bench_worker *w, void *state, int64_t n), void *state);

// Zeroed memory that is in use from the start, counted as live. Freed by bench_table_free.
void *bench_table(bench_worker *w, size_t count, size_t size);
void bench_table_free(bench_worker *w, void *table, size_t count, size_t size);

// End the program: status 1, a block did not hold what was written to it; status 2, no memory.
_Noreturn void bench_corrupt(const char *what, const void *p, size_t n);
_Noreturn void bench_no_memory(size_t n);

// ---- random numbers (xorshift64*) ---------------------------------------------------------------

static inline uint64_t bench_random(bench_worker *w) {
  uint64_t x = w->rng;
  x ^= x >> 12;
  x ^= x << 25;
  x ^= x >> 27;
  w->rng = x;
  return x * UINT64_C(0x2545F4914F6CDD1D);
}

// 0 <= result < n.
static inline uint32_t bench_below(bench_worker *w, uint32_t n) {
  return (uint32_t)(((bench_random(w) >> 32) * n) >> 32);
}

// From 2^from up to 2^to, each power of two as often as the next.
static inline uint32_t bench_log_uniform(bench_worker *w, uint32_t from, uint32_t to) {
  uint32_t base = UINT32_C(1) << (from + bench_below(w, to - from));
  return base + bench_below(w, base);
}

// ---- blocks -------------------------------------------------------------------------------------

// Memory of n bytes, or none (p NULL). Its first and its last byte hold the tag, and of what lies
// between one byte a page is written, so that the system has to give it.
typedef struct block {
  unsigned char *p;
  uint32_t n;
  unsigned char tag;
} block;

static inline void bench_live_add(bench_worker *w, int64_t bytes) {
  w->live += bytes;
  if (w->live > w->peak) w->peak = w->live;
}

// Writes bytes from..n: those of a block that grew, or with 0 of a new one.
static inline void block_touch(const block *b, uint32_t from) {
  for (size_t i = from; i < b->n; i += PAGE) b->p[i] = b->tag;
  b->p[b->n - 1] = b->tag;
}

static inline void block_check(const block *b) {
  if (b->p[0] != b->tag || b->p[b->n - 1] != b->tag) bench_corrupt("block", b->p, b->n);
}

// Takes memory that the allocator gave for `n` > 0 bytes.
static inline block block_of(bench_worker *w, void *p, uint32_t n) {
  if (!p) bench_no_memory(n);
  block b = {p, n, w->next_tag++};
  block_touch(&b, 0);
  bench_live_add(w, n);
  return b;
}

static inline block block_make(bench_worker *w, uint32_t n) { return block_of(w, malloc(n), n); }

static inline void block_free(bench_worker *w, block *b) {
  if (!b->p) return;
  block_check(b);
  free(b->p);
  w->live -= b->n;
  b->p = NULL;
}

static inline void block_free_all(bench_worker *w, block *blocks, size_t count) {
  for (size_t i = 0; i < count; i++) block_free(w, &blocks[i]);
}

#endif
