// The runner: one benchmark in one process, since a peak of memory belongs to a process.
//
//   alloc-bench NAME [--threads N] [--scale F] [--seed N]
//   alloc-bench --list
#include "bench.h"
#include "host.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { THREADS_MAX = 64, SLICE = 1000 };

static struct {
  bench_case *cases;
  int threads;
  double scale;
  uint64_t seed;
  pthread_barrier_t barrier;
  bench_worker workers[THREADS_MAX]; // as they ended
  // Written by worker 0, between two barriers:
  double wall, cpu; // seconds of the timed part
  int64_t end_kib;  // memory when it ended
} runner = {.threads = 1, .scale = 1, .seed = 1};

// Sorted by name, so that the order is the same on every target.
void bench_register(bench_case *b) {
  bench_case **at = &runner.cases;
  while (*at && strcmp((*at)->name, b->name) < 0) at = &(*at)->next;
  b->next = *at;
  *at = b;
}

// ---- for the benchmarks -------------------------------------------------------------------------

int64_t bench_count(int64_t full) {
  int64_t n = (int64_t)((double)full * runner.scale);
  return n > 1 ? n : 1;
}

int64_t bench_warmup(int64_t full) {
  int64_t timed = bench_count(full);
  return full / 10 < timed ? full / 10 : timed;
}

int64_t bench_size(int64_t full) { return runner.scale < 1 ? bench_count(full) : full; }

void bench_barrier(const bench_worker *w) {
  if (w->threads > 1) pthread_barrier_wait(&runner.barrier);
}

void bench_begin(const bench_worker *w) {
  bench_barrier(w);
  if (w->id == 0) {
    runner.wall = -host_wall();
    runner.cpu = -host_cpu();
  }
  bench_barrier(w);
}

void bench_end(bench_worker *w, int64_t ops) {
  w->ops = ops;
  bench_barrier(w);
  if (w->id == 0) {
    runner.wall += host_wall();
    runner.cpu += host_cpu();
    runner.end_kib = host_memory_now();
  }
  runner.workers[w->id] = *w; // what is live now; the peak is taken when the worker is done
  bench_barrier(w);
}

void bench_churn(bench_worker *w, int64_t full,
                 void (*step)(bench_worker *w, void *state, int64_t n), void *state) {
  for (int64_t left = bench_warmup(full); left > 0; left -= SLICE)
    step(w, state, left < SLICE ? left : SLICE);
  int64_t ops = bench_count(full);
  bench_begin(w);
  for (int64_t left = ops; left > 0; left -= SLICE) step(w, state, left < SLICE ? left : SLICE);
  bench_end(w, ops);
}

void *bench_table(bench_worker *w, size_t count, size_t size) {
  void *table = malloc(count * size);
  if (!table) bench_no_memory(count * size);
  bench_live_add(w, (int64_t)(count * size));
  return memset(table, 0, count * size);
}

void bench_table_free(bench_worker *w, void *table, size_t count, size_t size) {
  free(table);
  w->live -= (int64_t)(count * size);
}

void bench_corrupt(const char *what, const void *p, size_t n) {
  fprintf(stderr, "corrupt: %s of %zu bytes at %p\n", what, n, p);
  exit(1);
}

void bench_no_memory(size_t n) {
  fprintf(stderr, "out of memory, asking for %zu bytes\n", n);
  exit(2);
}

// ---- one run ------------------------------------------------------------------------------------

typedef struct start {
  bench_case *b;
  int id;
} start;

static void *work(void *arg) {
  const start *s = arg;
  // On the thread's own stack: nobody else writes near it.
  bench_worker w = {.id = s->id, .threads = runner.threads};
  w.rng = (runner.seed * THREADS_MAX + (uint64_t)s->id + 1) * UINT64_C(0x9E3779B97F4A7C15);
  s->b->run(&w);
  runner.workers[s->id].peak = w.peak;
  return NULL;
}

static void run_on_threads(bench_case *b) {
  static start starts[THREADS_MAX];
  static pthread_t threads[THREADS_MAX];
  pthread_barrier_init(&runner.barrier, NULL, (unsigned)runner.threads);
  for (int i = 0; i < runner.threads; i++) {
    starts[i] = (start){b, i};
    int code = pthread_create(&threads[i], NULL, work, &starts[i]);
    if (code) {
      fprintf(stderr, "cannot start thread %d: %s\n", i, strerror(code));
      exit(3);
    }
  }
  for (int i = 0; i < runner.threads; i++) pthread_join(threads[i], NULL);
  pthread_barrier_destroy(&runner.barrier);
}

static void print_seconds(const char *name, double secs) {
  if (secs < 0)
    printf(", \"%s\": null", name);
  else
    printf(", \"%s\": %.4f", name, secs);
}

static void print_result(const bench_case *b) {
  int64_t ops = 0, peak = 0, live = 0;
  for (int i = 0; i < runner.threads; i++) {
    ops += runner.workers[i].ops;
    peak += runner.workers[i].peak;
    live += runner.workers[i].live;
  }
  if (runner.wall < 1e-9) runner.wall = 1e-9;
  printf("{\"name\": \"%s\", \"threads\": %d, \"ops\": %lld", b->name, runner.threads,
         (long long)ops);
  print_seconds("secs", runner.wall);
  print_seconds("cpu_secs", host_cpu() < 0 ? -1 : runner.cpu);
  printf(", \"mops\": %.4f, \"peak_live_kib\": %lld, \"mem_kib\": %lld", // the whole run
         (double)ops / runner.wall / 1e6, (long long)peak / KIB, (long long)host_memory_peak());
  printf(", \"end_live_kib\": %lld, \"end_mem_kib\": %lld, \"malloc\": \"%s\"}\n",
         (long long)live / KIB, (long long)runner.end_kib, host_malloc_origin());
  fflush(stdout);
}

// ---- arguments ----------------------------------------------------------------------------------

static int usage(void) {
  fprintf(stderr, "usage: alloc-bench NAME [--threads N] [--scale F] [--seed N]\n"
                  "       alloc-bench --list\n");
  return 64;
}

static bool parse_option(const char *option, const char *value) {
  if (!value) return false;
  char *end = NULL;
  if (strcmp(option, "--threads") == 0) {
    long n = strtol(value, &end, 10);
    if (n < 1 || n > THREADS_MAX) return false;
    runner.threads = (int)n;
  } else if (strcmp(option, "--scale") == 0) {
    runner.scale = strtod(value, &end);
    if (!(runner.scale > 0 && runner.scale <= 1e6)) return false;
  } else if (strcmp(option, "--seed") == 0) {
    runner.seed = strtoull(value, &end, 10);
  } else {
    return false;
  }
  return end != value && *end == 0;
}

static bench_case *find(const char *name) {
  for (bench_case *b = runner.cases; b; b = b->next)
    if (strcmp(b->name, name) == 0) return b;
  return NULL;
}

int main(int argc, char **argv) {
  if (argc == 2 && strcmp(argv[1], "--list") == 0) {
    for (bench_case *b = runner.cases; b; b = b->next) printf("%s\n", b->name);
    return 0;
  }
  if (argc < 2 || argc % 2 != 0) return usage();
  for (int i = 2; i < argc; i += 2)
    if (!parse_option(argv[i], argv[i + 1])) return usage();
  bench_case *b = find(argv[1]);
  if (!b) {
    fprintf(stderr, "no such benchmark: %s\n", argv[1]);
    return 64;
  }
  if (runner.threads > 1 && !host_has_threads) {
    fprintf(stderr, "this build has no threads\n");
    return 64;
  }
  if (host_has_threads && (runner.threads > 1 || b->place == ON_THREAD))
    run_on_threads(b);
  else
    work(&(start){b, 0});
  print_result(b);
  return 0;
}
