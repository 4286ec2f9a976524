// A loop that fails the n-th request to the system, for every n: once that request only, once all
// from there on. What fails returns NULL, nothing is lost, the books agree, and afterwards
// everything works again.
#include "oom_util.h"

#include "alloc/alloc.h"
#include "base/rand.h"
#include "port/port.h"

#if !BW_WASM
#include <sys/wait.h>
#include <unistd.h>
#endif

#define KB ((size_t)1 << 10)
#define MB ((size_t)1 << 20)

#define LARGE (BW_SIZECLASS_MAX + 8 * KB)

// ---- the work ----------------------------------------------------------------------------------

typedef enum { MALLOC, ALLOC8, CALLOC, ALIGNED, REALLOC, CACHE, KINDS } kind;
enum { BLOCKS = 64 };

typedef struct {
  unsigned char *p;
  size_t size;
  unsigned char mark;
} block;

static struct {
  block blocks[BLOCKS];
  int used;
  int failed[KINDS]; // since the start of the process
  uint64_t live;     // blocks that the program holds
} work;

static size_t step_of(size_t size) { return size < 4096 ? 1 : 509; }

static void fill(block *b) {
  for (size_t i = 0; i < b->size; i += step_of(b->size)) b->p[i] = (unsigned char)(b->mark + i);
}

static void check(const block *b) {
  if (!b->p) return;
  CHECK(bw_malloc_usable_size(b->p) >= b->size);
  for (size_t i = 0; i < b->size; i += step_of(b->size))
    CHECK_EQ(b->p[i], (unsigned char)(b->mark + i));
}

static void drop(block *b) {
  check(b);
  work.live -= b->p != NULL;
  bw_free(b->p);
  b->p = NULL;
}

static block *take(kind k, size_t align, size_t size) {
  CHECK(work.used < BLOCKS);
  block *b = &work.blocks[work.used++];
  *b = (block){.size = size, .mark = (unsigned char)(work.used * 7)};
  switch (k) {
  case ALLOC8: b->p = bw__alloc8(size); break;
  case CALLOC: b->p = bw_calloc(1, size); break;
  case ALIGNED: b->p = bw_aligned_alloc(align, size); break;
  default: b->p = bw_malloc(size); break;
  }
  if (!b->p) {
    work.failed[k]++;
    return b;
  }
  work.live++;
  CHECK_EQ((uintptr_t)b->p & (align - 1), 0);
  for (size_t i = 0; k == CALLOC && i < size; i++) CHECK_EQ(b->p[i], 0);
  fill(b);
  return b;
}

// The block keeps its content, moved or not.
static void resize(block *b, size_t size) {
  if (!b->p) return;
  size_t old = b->size;
  unsigned char *p = bw_realloc(b->p, size);
  if (!p) {
    work.failed[REALLOC]++;
    check(b);
    return;
  }
  b->p = p;
  b->size = old < size && old >= 4096 ? old - old % 509 : old < size ? old : size;
  if (b->size >= 4096 || step_of(old) == step_of(b->size)) check(b);
  b->size = size;
  fill(b);
}

static void small(void) {
  static const size_t sizes[] = {1, 24, 100, 1000, 3000, 9000, 32768};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    for (int k = 0; k < 3; k++) take(k ? MALLOC : ALLOC8, 8, sizes[i]);
}

static void large(void) {
  take(MALLOC, BW_PAGE_SIZE, LARGE + 10 * KB);
  block *b = take(MALLOC, BW_PAGE_SIZE, LARGE + 50 * KB);
  take(CALLOC, BW_PAGE_SIZE, LARGE);
  resize(b, LARGE + 20 * KB); // needs a record for what is cut off
  resize(b, LARGE + 50 * KB); // takes it in again
  resize(b, LARGE + 100 * KB);
  drop(b);
  take(MALLOC, BW_PAGE_SIZE, LARGE + 60 * KB);
}

static void various(void) {
  for (size_t align = 16; align <= 64 * KB; align *= 8) take(ALIGNED, align, align + 100);
  take(ALIGNED, 64 * KB, 10 * KB);
  resize(take(MALLOC, 16, 600), 5000);
  resize(take(CALLOC, 16, 5000), LARGE + 30 * KB);
  resize(take(CALLOC, 16, LARGE + 30 * KB), 50);
}

// A P's cache, made and given back.
static void other_cache(void) {
  bw__cache *cache = bw__cache_new();
  if (!cache) {
    work.failed[CACHE]++;
    return;
  }
  bw__cache_use(cache);
  take(MALLOC, 16, 48);
  take(MALLOC, 16, 2000);
  bw__cache_use(NULL);
  bw__cache_delete(cache);
}

static void run_work(void) {
  other_cache();
  small();
  large();
  various();
  for (int i = 0; i < work.used; i += 3) drop(&work.blocks[i]);
  small();
}

static void end_work(void) {
  for (int i = 0; i < work.used; i++) drop(&work.blocks[i]);
  work.used = 0;
}

static int failures(void) {
  int n = 0;
  for (int k = 0; k < KINDS; k++) n += work.failed[k];
  return n;
}

// ---- every n -----------------------------------------------------------------------------------

// On Emscripten other threads' malloc is ours as well.
static bool alone(void) { return !(BW_WASM && BW_THREADS); }

static uint64_t live_objects(void) {
  bw_alloc_stats s;
  bw_alloc_stats_read(&s);
  return s.mallocs - s.frees;
}

// Does the work with request `n` refused. False: it made fewer requests.
static bool fail_at(uint64_t n, int64_t count) {
  oom_block *soaked = oom_soak();
  uint64_t others = live_objects() - work.live;
  int before = failures();
  oom_begin(n, count);
  run_work();
  bool refused = oom_end();
  if (!refused) CHECK_EQ(failures(), before);
  if (count > 0) CHECK(failures() <= before + count);
  oom_check_books();
  if (alone()) CHECK_EQ(live_objects() - others, work.live);
  for (int i = 0; i < work.used; i++) check(&work.blocks[i]);
  before = failures();
  end_work();
  run_work();
  CHECK_EQ(failures(), before); // everything works again
  end_work();
  oom_free(soaked);
  bw_alloc_release();
  return refused;
}

// Every request at first, then ever fewer of them: they come to be alike.
static uint64_t after(uint64_t n) { return n + 1 + n / (test_is_slow_build() ? 4 : 16); }

// With a soft limit no request is for more than is needed, so there are many.
static void fail_each(int64_t count) {
  bw_free(bw_malloc(1));
  uint64_t live = live_objects(), n = 1;
  bw_alloc_set_limit(1);
  for (; fail_at(n, count); n = after(n)) CHECK(n < 1000);
  CHECK(n >= 5);
  if (alone()) CHECK_EQ(live_objects(), live);
}

// A call that gets no memory empties the caches and asks again: no object fails for one refusal.
TEST(alloc_oom_one_request) {
  fail_each(1);
  CHECK_EQ(failures(), work.failed[CACHE]);
}
TEST(alloc_oom_two_requests) {
  fail_each(2);
  CHECK(failures() > work.failed[CACHE]);
}
TEST(alloc_oom_all_requests_from) {
  fail_each(OOM_FOR_EVER);
  for (int k = 0; k < REALLOC; k++) CHECK(work.failed[k] > 0);
}

// Requests of the usual size.
TEST(alloc_oom_growth) {
  for (uint64_t n = 1; fail_at(n, 2); n++) CHECK(n < 100);
  for (uint64_t n = 1; fail_at(n, OOM_FOR_EVER); n++) CHECK(n < 100);
}

// A new leaf of the page map: on wasm one for each 16 MB.
TEST(alloc_oom_leaf) {
  enum { N = 12 };
  char *p[N] = {NULL};
  bw_alloc_stats before, after;
  for (int i = 0; i < N; i++) {
    oom_block *soaked = oom_soak();
    bw_alloc_stats_read(&before);
    oom_begin((uint64_t)i % 3 + 1, OOM_FOR_EVER);
    p[i] = bw_malloc(5 * MB);
    if (p[i]) p[i][0] = p[i][5 * MB - 1] = (char)i;
    oom_end();
    oom_check_books();
    bw_alloc_stats_read(&after); // records took no more of the new memory than they need
    CHECK(after.metadata_bytes - before.metadata_bytes < 3 * MB); // 2 MB: a chunk from the system
    if (!p[i]) CHECK((p[i] = bw_calloc(5, MB)));
    oom_free(soaked);
  }
  for (int i = 0; i < N; i++) {
    CHECK(p[i][0] == p[i][5 * MB - 1] && (p[i][0] == i || p[i][0] == 0));
    bw_free(p[i]);
  }
  oom_check_books();
}

// An object that there was no memory to make smaller stays, and is freed by the size it has now.
TEST(alloc_oom_not_made_smaller) {
  unsigned char *p = bw_malloc(3000), *q = bw_aligned_alloc(64, 3000), *large = bw_malloc(4 * MB);
  bw_free(bw_malloc(40));
  memset(p, 1, 3000);
  oom_block *soaked = oom_soak();
  oom_begin(1, OOM_FOR_EVER);
  CHECK(bw_realloc(p, 40) == p && bw_realloc(q, 50) == q && bw_realloc(large, 100) == large);
  CHECK(p[0] == 1 && p[39] == 1);
  bw_free_sized(p, 40);
  bw_free_sized(q, 50);
  bw_free_sized(large, 100);
  oom_end();
  oom_free(soaked);
  oom_check_books();
}

// Memory for records comes from the free pages when the system has none.
static void take_records(void) {
  bw__mutex_lock(&bw__pageheap.mu);
  while (bw__meta_span_new()) {}
  bw__mutex_unlock(&bw__pageheap.mu);
}

static uint64_t free_bytes(void) {
  bw_alloc_stats s;
  bw_alloc_stats_read(&s);
  return s.heap_free_bytes;
}

TEST(alloc_oom_records_from_free_pages) {
  enum { SMALL = 64 };
  char *p = bw_malloc(6 * MB), *wall = bw_malloc(LARGE), *small = bw_malloc(SMALL);
  bw_free(p);
  oom_begin(1, OOM_FOR_EVER);
  take_records(); // each of these is cut off something:
  char *a = bw_malloc(MB), *b = bw_aligned_alloc(64 * KB, MB), *c = bw_realloc(NULL, MB);
  CHECK(a && b && c && (uintptr_t)b % (64 * KB) == 0);
  take_records();
  CHECK(bw_realloc(a, MB / 2) == a);
  take_records();
  CHECK(bw_realloc(a, MB) == a);
  memset(a, 1, MB);
  memset(c, 1, MB);
  take_records();
  oom_check_books();

  // Small objects come to nearly all that is there.
  uint64_t before = free_bytes(), n = 0;
  oom_block *all = NULL;
  for (void *o; (o = bw_malloc(SMALL)); n++) oom_take(&all, o);
  CHECK(n * SMALL > before - before / 32);
  CHECK_EQ(free_bytes(), 0);
  CHECK(!bw_malloc(SMALL) && !bw_malloc(MB) && !bw_aligned_alloc(64 * KB, MB));
  CHECK(!bw_realloc(wall, MB) && bw_realloc(a, MB / 2) == a);
  CHECK(bw__pageheap_valid());
  oom_free(all);
  CHECK((all = bw_malloc(MB)));
  bw_free(all);
  oom_end();
  oom_check_books();
  bw_free(a);
  bw_free(b);
  bw_free(c);
  bw_free(wall);
  bw_free(small);
  oom_check_books();
}

// Freed, it has become memory for records.
DEATH_TEST(alloc_oom_double_free_of_records, 2, "is in the allocator's own records") {
  char *p = bw_malloc(3 * MB);
  oom_block *soaked = oom_soak();
  bw_free(p);
  oom_begin(1, OOM_FOR_EVER);
  while (bw__pageheap_record(1)) {}
  oom_end();
  bw_free(soaked);
  bw_free(p);
}

// Who makes a block smaller when nothing else is free has the rest of it.
TEST(alloc_oom_smaller_gives_back) {
  char *p = bw_malloc(8 * MB);
  bw_free(bw_malloc(40));
  memset(p, 1, 8 * MB);
  oom_block *soaked = oom_soak();
  oom_begin(1, OOM_FOR_EVER);
  CHECK(!bw_malloc(MB) && !bw_malloc(64));
  CHECK(bw_realloc(p, 4 * MB) == p && p[4 * MB - 1] == 1);
  char *q = bw_calloc(1, 3 * MB), *small = bw_malloc(64);
  CHECK(q && small);
  for (size_t i = 0; i < 3 * MB; i += 509) CHECK_EQ(q[i], 0);
  CHECK(bw_realloc(p, 4 * MB - BW_PAGE_SIZE) == p); // one page, which records take
  oom_check_books();
  oom_end();
  oom_free(soaked);
  bw_free(p);
  bw_free(q);
  bw_free(small);
  oom_check_books();
}

// Memory that was in small pieces and was filled with small objects is in large pieces again.
TEST(alloc_oom_pieces) {
  enum { N = 3000, SMALL = 64 };
  static void *p[N];
  oom_block *soaked = oom_soak(), *all = NULL;
  char *whole = bw_malloc(40 * MB);
  CHECK(whole);
  oom_begin(1, OOM_FOR_EVER);
  bw_free(whole);
  for (int i = 0; i < N; i++) CHECK((p[i] = bw_malloc(i % 2 ? 4096 : 8192)));
  for (int i = 0; i < N; i += 3) bw_free(p[i]);
  for (void *o; (o = bw_malloc(SMALL));) oom_take(&all, o);
  for (int i = 0; i < N; i++)
    if (i % 3) bw_free(p[i]);
  oom_free(all);
  CHECK((whole = bw_malloc(8 * MB)));
  bw_free(whole);
  oom_end();
  oom_free(soaked);
  oom_check_books();
}

// ---- the first use of all ----------------------------------------------------------------------

#if !BW_WASM
// In a child, which has no heap, no cache, no leaf. Its status: 0 nothing was refused, 1 all is
// well, else not.
static int first_use(uint64_t n, int64_t count) {
  oom_begin(n, count);
  run_work();
  bool refused = oom_end();
  oom_check_books();
  CHECK_EQ(live_objects(), work.live);
  end_work();
  int before = failures();
  run_work();
  CHECK_EQ(failures(), before);
  end_work();
  oom_check_books();
  return refused ? 42 : 0;
}

static bool first_use_in_child(uint64_t n, int64_t count) {
  fflush(NULL);
  pid_t pid = fork();
  CHECK(pid >= 0);
  if (pid == 0) _exit(first_use(n, count));
  int state;
  CHECK_EQ(waitpid(pid, &state, 0), pid);
  CHECK(WIFEXITED(state));
  CHECK(WEXITSTATUS(state) == 0 || WEXITSTATUS(state) == 42);
  return WEXITSTATUS(state) == 42;
}

TEST(alloc_oom_first_use) {
  for (int limited = 0; limited < 2; limited++) {
    bw_alloc_set_limit((uint64_t)limited);
    for (uint64_t n = 1; first_use_in_child(n, 1); n = after(n)) CHECK(n < 1000);
    for (uint64_t n = 1; first_use_in_child(n, OOM_FOR_EVER); n = after(n)) CHECK(n < 1000);
  }
}
#endif

// ---- threads -----------------------------------------------------------------------------------

enum { THREADS = 4, HELD = 64 };

static struct {
  _Atomic(uint32_t) go; // 0: wait
  _Atomic(uint32_t) running;
  _Atomic(uint64_t) failed;
} crew;

// Without memory for a cache a thread goes to the central lists by itself.
static void use_memory(void *arg) {
  bw__rand rng = {(uintptr_t)arg};
  block held[HELD] = {{0}};
  bw__add(&crew.running, 1);
  bw__port_futex_wake(&crew.running, 1);
  while (!bw__load(&crew.go)) bw__port_futex_wait(&crew.go, 0, -1);
  int rounds = test_is_slow_build() ? 3000 : 20000;
  for (int i = 0; i < rounds; i++) {
    block *b = &held[bw__rand_below(&rng, HELD)];
    check(b);
    bw_free(b->p);
    *b =
        (block){.size = 1 + bw__rand_below(&rng, i % 64 ? 2000 : 100000), .mark = (unsigned char)i};
    b->p = bw_malloc(b->size);
    if (b->p)
      fill(b);
    else
      bw__add_relaxed(&crew.failed, 1); // a count
  }
  for (int i = 0; i < HELD; i++) {
    check(&held[i]);
    bw_free(held[i].p);
  }
  bw__sub(&crew.running, 1);
}

THREADS_TEST(alloc_oom_threads) {
  bw__port_thread threads[THREADS];
  bw_alloc_set_limit(1);
  for (int i = 0; i < THREADS; i++)
    CHECK_EQ(bw__port_thread_start(&threads[i], use_memory, (void *)(uintptr_t)(i + 1)), 0);
  for (uint32_t n; (n = bw__load(&crew.running)) < THREADS;)
    bw__port_futex_wait(&crew.running, n, -1);
  oom_block *soaked = oom_soak();
  oom_begin(1, OOM_FOR_EVER); // nobody has a cache, and nobody gets one
  bw__store(&crew.go, 1);
  bw__port_futex_wake(&crew.go, THREADS);
  for (uint64_t i = 1; bw__load(&crew.running) > 0; i++) {
    bw__port_sleep_until(bw__port_now() + 2000000);
    oom_begin(i % 5, (int64_t)(i % 7) + 1);
    CHECK(bw__pageheap_valid());
  }
  oom_end();
  for (int i = 0; i < THREADS; i++) bw__port_thread_join(&threads[i]);
  CHECK(bw__load(&crew.failed) > 0);
  oom_free(soaked);
  oom_check_books();
}
