// The heap profiler: counts that are exact or within bounds, stacks, the text, the fast path
// afterwards. Statistical tests have a seed, so they pass always or never; their bounds are wide
// enough (six standard deviations) for any seed.
#include "test.h"

#include "alloc/alloc.h"
#include "alloc/cache.h"
#include "alloc/pageheap.h"
#include "base/atomics.h"
#include "port/port.h"

static void start(size_t rate) {
  CHECK_EQ(bw_profile_heap_start(&(bw_profile_heap_options){.rate = rate, .seed = 12345}), 0);
}

typedef struct {
  uint64_t allocs, frees, alloc_bytes, used_bytes;
  double estimate_allocs, estimate_used; // objects
  double estimate_bytes;                 // allocated
} sums;

static bool add(const bw_profile_heap_site *s, void *arg) {
  sums *t = arg;
  CHECK(s->allocs >= s->frees && s->depth <= BW_PROFILE_FRAMES && s->scale >= 1);
  t->allocs += s->allocs;
  t->frees += s->frees;
  t->alloc_bytes += s->allocs * s->size;
  t->used_bytes += (s->allocs - s->frees) * s->size;
  t->estimate_allocs += (double)s->allocs * s->scale;
  t->estimate_used += (double)(s->allocs - s->frees) * s->scale;
  t->estimate_bytes += (double)s->allocs * s->scale * (double)s->size;
  return true;
}

static sums look(void) {
  sums t = {0};
  bw_profile_heap_walk(add, &t);
  return t;
}

static bool is_near(double value, double want, double bound) {
  bool near = value - want < bound && want - value < bound;
  if (!near) fprintf(stderr, "%g is not within %g of %g\n", value, bound, want);
  return near;
}

// On wasm the C library allocates here as well (its own records of threads).
static bool is_ours_alone(void) { return !BW_WASM; }

// ---- the distribution --------------------------------------------------------------------------

TEST(alloc_profile_distance_is_exponential) {
  enum { N = 200000, MEAN = 512 << 10 };
  bw__rand rng = {7};
  double sum = 0, squares = 0;
  int above_mean = 0;
  for (int i = 0; i < N; i++) {
    double x = (double)bw__sampler_exponential(&rng, MEAN) / MEAN;
    sum += x;
    squares += x * x;
    above_mean += x > 1;
  }
  CHECK(is_near(sum / N, 1, 6 / 447.0));                            // sigma = 1 / sqrt(N)
  CHECK(is_near(squares / N, 2, 6 * 4.48 / 447));                   // of x^2: sqrt(20)
  CHECK(is_near(above_mean / (double)N, 0.36788, 6 * 0.483 / 447)); // 1 / e
  CHECK_EQ(bw__sampler_exponential(&rng, 1), 0);
}

TEST(alloc_profile_scale) {
  CHECK(is_near(bw__sampler_scale(512 << 10, 512 << 10), 1.5819767, 1e-6));
  CHECK(is_near(bw__sampler_scale(8, 512 << 10), 65536.5, 0.01));
  CHECK(is_near(bw__sampler_scale(1 << 20, 1 << 10), 1, 1e-9));
  CHECK(is_near(bw__sampler_scale(100, 1), 1, 1e-12));
}

// ---- estimates ---------------------------------------------------------------------------------

// A sample of n Bernoulli trials with chance p, each scaled by 1/p: sigma = sqrt(n (1 - p) / p).
static double six_sigma(double n, double scale) {
  double variance = n * (scale - 1), root = variance > 1 ? variance : 1;
  for (int i = 0; i < 40; i++) root = (root + variance / root) / 2;
  return 6 * root + 1;
}

// `n` allocations of `size`, the second half of them freed.
static void check_estimate(size_t rate, size_t size, int n) {
  void **kept = malloc((size_t)n * sizeof *kept);
  start(rate);
  for (int i = 0; i < n; i++) CHECK((kept[i] = bw_malloc(size)));
  for (int i = n / 2; i < n; i++) bw_free(kept[i]);
  bw_profile_heap_stop();
  sums t = look();
  double scale = bw__sampler_scale(bw_malloc_good_size(size), rate);
  CHECK(is_near(t.estimate_allocs, n, six_sigma(n, scale)));
  CHECK(is_near(t.estimate_used, n / 2.0, six_sigma(n / 2.0, scale)));
  for (int i = 0; i < n / 2; i++) bw_free(kept[i]);
  CHECK_EQ(look().used_bytes, 0); // freed after the stop, and yet seen
  free(kept);
}

TEST(alloc_profile_estimates) {
  int n = test_is_slow_build() ? 20000 : 100000;
  check_estimate(32 << 10, 8, n);
  check_estimate(32 << 10, 100, n);
  check_estimate(64 << 10, 1000, n / 4);
  check_estimate(512 << 10, 9000, n / 50);
  check_estimate(512 << 10, 100000, n / 200);
  check_estimate(512 << 10, 2 << 20, 20);
  CHECK(bw__pageheap_valid());
}

TEST(alloc_profile_estimates_of_mixed_sizes) {
  bw__rand rng = {99};
  double bytes = 0;
  start(128 << 10);
  for (int i = 0; i < 60000; i++) {
    size_t size = bw__rand_below(&rng, bw__rand_below(&rng, 20) ? 500 : 60000);
    bytes += (double)bw_malloc_good_size(size);
    bw_free(bw_malloc(size));
  }
  bw_profile_heap_stop();
  // Of bytes: each sample stands for 128 KB or for itself, so sigma^2 < bytes * (rate + largest).
  CHECK(is_near(look().estimate_bytes, bytes, six_sigma(bytes, 195 << 10)));
  CHECK_EQ(look().used_bytes, 0);
}

// ---- rate 1: exact
// -------------------------------------------------------------------------------

static uint64_t good(size_t size) { return bw_malloc_good_size(size); }

TEST(alloc_profile_exact) {
  start(1);
  sums before = look();
  char *a = bw_malloc(100), *b = bw_calloc(3, 50), *c = bw_aligned_alloc(64, 200);
  char *d = bw_malloc(50000), *e = bw_aligned_alloc(16384, 100), *f = bw_malloc(0);
  char *g = bw__alloc8(24), *h = bw_calloc(1, 100000);
  for (int i = 0; i < 150; i++) CHECK_EQ(b[i], 0);
  for (int i = 0; i < 100000; i++) CHECK_EQ(h[i], 0);
  CHECK((uintptr_t)c % 64 == 0 && (uintptr_t)e % 16384 == 0);
  CHECK_EQ(bw_malloc_usable_size(a), good(100));
  CHECK_EQ(bw_malloc_usable_size(d), good(50000));
  sums t = look();
  if (is_ours_alone()) {
    CHECK_EQ(t.allocs - before.allocs, 8);
    CHECK_EQ(t.used_bytes - before.used_bytes, good(100) + good(150) + 256 + good(50000) + 8192 +
                                                   good(0) + bw__alloc_round8(24) + good(100000));
  }
  bw_free(a);
  bw_free(b);
  bw_free_aligned_sized(c, 64, 200);
  bw_free_sized(d, 50000);
  bw_free(e);
  bw__free_exact(f, 0);
  bw_free_sized(g, 24);
  bw__free_exact(h, 100000);
  if (is_ours_alone()) CHECK_EQ(look().used_bytes, before.used_bytes);
  CHECK(bw__pageheap_valid());
}

TEST(alloc_profile_exact_realloc) {
  start(1);
  sums before = look();
  char *p = bw_malloc(20);
  memset(p, 7, 20);
  CHECK((p = bw_realloc(p, 30)) && (p = bw_realloc(p, 700)));
  CHECK_EQ(bw_malloc_usable_size(p), good(700));
  CHECK((p = bw_realloc(p, 40000)));
  if (is_ours_alone()) CHECK_EQ(look().used_bytes - before.used_bytes, good(40000));
  size_t sizes[] = {1 << 20, 1 << 21, 60000, 300000, 50000};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) { // some of these in place
    CHECK((p = bw_realloc(p, sizes[i])));
    if (is_ours_alone()) CHECK_EQ(look().used_bytes - before.used_bytes, good(sizes[i]));
  }
  for (int i = 0; i < 20; i++) CHECK_EQ(p[i], 7);
  CHECK_EQ(bw_realloc(p, 0) == NULL, 1);
  if (is_ours_alone()) CHECK_EQ(look().used_bytes, before.used_bytes);
  CHECK(bw__pageheap_valid());
}

// Shrinking in place keeps the estimate fair: an object stays a sample if its first point stays.
TEST(alloc_profile_shrunk_objects_are_thinned) {
  enum { N = 1000, FROM = 512 << 10, TO = 64 << 10 };
  static void *kept[N];
  start(FROM);
  for (int i = 0; i < N; i++) {
    CHECK((kept[i] = bw_malloc(FROM)));
    CHECK((kept[i] = bw_realloc(kept[i], TO)));
  }
  bw_profile_heap_stop();
  CHECK(is_near(look().estimate_used, N, six_sigma(N, bw__sampler_scale(TO, FROM))));
  for (int i = 0; i < N; i++) bw_free(kept[i]);
  CHECK_EQ(look().used_bytes, 0);
}

// What is freed by its size is held to it, sampled or not.
DEATH_TEST(alloc_profile_free_sized_is_checked, 2, " is freed as 200 bytes, but is ") {
  start(1);
  bw_free_sized(bw_malloc(100), 200);
}

DEATH_TEST(alloc_profile_double_free, 2, "fatal error: bw_free: double free") {
  start(1);
  char *volatile p = bw_malloc(100);
  bw_free(p);
  bw_free(p);
}

// ---- threads and goroutines
// ----------------------------------------------------------------------

enum { THREADS = 4, LIVE = 64, ROUNDS = 2000 };
static void *left[THREADS][LIVE];

static void churn(void *arg) {
  void **mine = left[(uintptr_t)arg];
  for (int i = 0; i < ROUNDS; i++) {
    bw_free(mine[i % LIVE]);
    CHECK((mine[i % LIVE] = bw_malloc(64 + (size_t)(i % 3) * 1000)));
  }
}

THREADS_TEST(alloc_profile_threads_exact) {
  bw__port_thread threads[THREADS];
  start(1);
  sums before = look();
  for (uintptr_t i = 0; i < THREADS; i++)
    CHECK_EQ(bw__port_thread_start(&threads[i], churn, (void *)i), 0);
  for (int i = 0; i < THREADS; i++) bw__port_thread_join(&threads[i]);
  uint64_t bytes = 0;
  for (int i = 0; i < THREADS; i++)
    for (int k = 0; k < LIVE; k++) bytes += bw_malloc_usable_size(left[i][k]);
  sums t = look();
  CHECK(t.allocs - before.allocs >= (uint64_t)THREADS * ROUNDS);
  if (is_ours_alone()) CHECK_EQ(t.used_bytes - before.used_bytes, bytes);
  for (int i = 0; i < THREADS; i++)
    for (int k = 0; k < LIVE; k++) bw_free(left[i][k]);
  if (is_ours_alone()) CHECK_EQ(look().used_bytes, before.used_bytes);
  CHECK(bw__pageheap_valid());
}

// Started, read and stopped while others allocate: nothing breaks, and nothing is left.
static _Atomic(bool) enough;

static void churn_on(void *arg) {
  while (!bw__load(&enough)) churn(arg);
}

THREADS_TEST(alloc_profile_threads_start_and_stop) {
  bw__port_thread threads[2];
  for (uintptr_t i = 0; i < 2; i++)
    CHECK_EQ(bw__port_thread_start(&threads[i], churn_on, (void *)i), 0);
  for (int i = 0; i < (test_is_slow_build() ? 20 : 100); i++) {
    start(i % 2 ? 1000 : 1);
    bw__port_thread_yield();
    look();
    CHECK(bw_profile_heap_text(NULL, 0) > 0);
    CHECK(bw__pageheap_valid());
    bw_profile_heap_stop();
  }
  bw__store(&enough, true);
  for (int i = 0; i < 2; i++) bw__port_thread_join(&threads[i]);
  for (int i = 0; i < 2; i++)
    for (int k = 0; k < LIVE; k++) bw_free(left[i][k]);
  if (is_ours_alone()) CHECK_EQ(look().used_bytes, 0);
}

// ---- start, stop, again
// --------------------------------------------------------------------------

static BW_NOINLINE bool is_fast(void) { return bw__cache_mine != &bw__cache_none; }

TEST(alloc_profile_stop_restores_the_fast_path) {
  bw_free(bw_malloc(8));
  CHECK(is_fast());
  CHECK_EQ(bw_profile_heap_start(NULL), 0);
  bw_free(bw_malloc(8));
  CHECK(!is_fast());
  CHECK_EQ(bw_profile_heap_start(NULL), BW_ESTATE);
  bw_profile_heap_stop();
  CHECK(is_fast());
  bw_profile_heap_stop();
  CHECK(is_fast());
}

TEST(alloc_profile_new_one_forgets) {
  start(1);
  void *p = bw_malloc(1000);
  bw_profile_heap_stop();
  CHECK(look().used_bytes >= good(1000));
  bw_free(bw_malloc(1000));
  uint64_t allocs = look().allocs;
  bw_free(bw_malloc(1000));
  CHECK_EQ(look().allocs, allocs); // stopped
  start(1);
  if (is_ours_alone()) CHECK_EQ(look().allocs, 0);
  bw_free(p);
  if (is_ours_alone()) CHECK_EQ(look().frees, 0);
  CHECK_EQ(bw_malloc_usable_size(p = bw_malloc(10)), 16);
  bw_free(p);
}

TEST(alloc_profile_same_seed_same_samples) {
  uint64_t bytes[2];
  for (int run = 0; run < 2; run++) {
    start(4096);
    for (int i = 0; i < 10000; i++) bw_free(bw_malloc((size_t)i % 700));
    bw_profile_heap_stop();
    bytes[run] = look().alloc_bytes;
  }
  if (is_ours_alone()) CHECK_EQ(bytes[0], bytes[1]);
  CHECK(bytes[0] > 0);
}
