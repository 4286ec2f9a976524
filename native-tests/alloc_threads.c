// Several threads: blocks freed by other threads than made them, threads that end while their
// blocks live, caches that are used again, calls from a thread's last destructors.
#include "test.h"

#include "alloc/pageheap.h"
#include "base/atomics.h"
#include "base/rand.h"
#include "port/port.h"

#if BW_THREADS
#include <pthread.h>
#endif

static bw_alloc_stats stats(void) {
  bw_alloc_stats s;
  bw_alloc_stats_read(&s);
  return s;
}

// Nothing that the test made is left. On wasm the C library's records and stacks of ended threads
// are in the same heap, and are freed when its main thread finds time for it.
static void check_same_live(const bw_alloc_stats *before, const bw_alloc_stats *after) {
  if (BW_WASM) return;
  CHECK_EQ(after->live_bytes, before->live_bytes);
  CHECK_EQ(after->mallocs - before->mallocs, after->frees - before->frees);
}

// Bytes of spans that size classes have. (The stacks of wasm's threads are large objects.)
static uint64_t in_small(const bw_alloc_stats *s) { return s->heap_used_bytes - s->large_bytes; }

enum { THREADS = 4, SLOTS = 512 };

// Slots that all threads share: swapping a block in and out hands it to whoever comes next.
static _Atomic(unsigned char *) slots[SLOTS];

static void check_and_free(unsigned char *p) {
  uint32_t size;
  if (!p) return;
  memcpy(&size, p, sizeof size);
  CHECK(size >= 8 && bw_malloc_usable_size(p) >= size);
  for (uint32_t i = 4; i < size && i < 600; i++) CHECK_EQ(p[i], (unsigned char)(size * 31 + i));
  bw_free(p);
}

static unsigned char *make(bw__rand *rng) {
  uint32_t size = 8 + bw__rand_below(rng, bw__rand_below(rng, 50) ? 1000 : 70000);
  unsigned char *p = bw_malloc(size);
  CHECK(p);
  memcpy(p, &size, sizeof size);
  for (uint32_t i = 4; i < size && i < 600; i++) p[i] = (unsigned char)(size * 31 + i);
  return p;
}

static void exchange_blocks(void *arg) {
  bw__rand rng = {(uintptr_t)arg};
  int rounds = test_is_slow_build() ? 10000 : 150000;
  for (int i = 0; i < rounds; i++)
    check_and_free(bw__swap(&slots[bw__rand_below(&rng, SLOTS)], make(&rng)));
}

static void run_threads(void (*fn)(void *), int n) {
  bw__port_thread threads[8];
  for (int i = 0; i < n; i++)
    CHECK_EQ(bw__port_thread_start(&threads[i], fn, (void *)(uintptr_t)(i + 1)), 0);
  for (int i = 0; i < n; i++) bw__port_thread_join(&threads[i]);
}

THREADS_TEST(alloc_threads_free_each_others) {
  bw_alloc_stats before = stats();
  run_threads(exchange_blocks, THREADS);
  for (int i = 0; i < SLOTS; i++) check_and_free(bw__swap(&slots[i], NULL));
  bw_alloc_stats after = stats();
  check_same_live(&before, &after);
  CHECK_EQ(after.system_bytes,
           after.heap_free_bytes + after.heap_used_bytes + after.metadata_bytes);
  CHECK(bw__pageheap_valid());
}

// Statistics may be read at any time; each tier's numbers stay sane.
static _Atomic(bool) stop_reading;

static void read_stats(void *unused) {
  (void)unused;
  while (!bw__load(&stop_reading)) {
    bw_alloc_stats s = stats();
    CHECK_EQ(s.system_bytes, s.heap_free_bytes + s.heap_used_bytes + s.metadata_bytes);
    CHECK(bw__pageheap_valid());
    bw__port_thread_yield();
  }
}

THREADS_TEST(alloc_threads_stats_meanwhile) {
  bw__port_thread reader;
  CHECK_EQ(bw__port_thread_start(&reader, read_stats, NULL), 0);
  run_threads(exchange_blocks, 2);
  bw__store(&stop_reading, true);
  bw__port_thread_join(&reader);
}

// ---- threads that end --------------------------------------------------------------------------

enum { LEFT = 1000 };
static void *left[8][LEFT];

static void leave_blocks(void *arg) {
  for (int i = 0; i < LEFT; i++) {
    left[(uintptr_t)arg - 1][i] = bw_malloc((size_t)i + 1);
    memset(left[(uintptr_t)arg - 1][i], (int)(uintptr_t)arg, (size_t)i + 1);
    bw_free(bw_malloc(200));
  }
}

THREADS_TEST(alloc_threads_die_before_their_blocks) {
  bw_free(bw_malloc(1));
  bw_alloc_stats before = stats(), first = before;
  for (int round = 0; round < 40; round++) {
    run_threads(leave_blocks, 3);
    for (int t = 0; t < 3; t++)
      for (int i = 0; i < LEFT; i++) {
        unsigned char *p = left[t][i];
        CHECK(p[0] == t + 1 && p[i] == t + 1);
        bw_free(p);
      }
    if (round < 10) first = stats(); // how many threads are there at once is chance at first
  }
  bw_alloc_release();
  bw_alloc_stats after = stats();
  CHECK_EQ(after.caches, before.caches); // all handed back
  check_same_live(&before, &after);
  if (!BW_ALLOC_DEBUG) // there any thread may get what others freed, out of the quarantine
    CHECK(after.cache_free_bytes <= before.cache_free_bytes);
  CHECK(in_small(&after) <= in_small(&before) + (uint64_t)68 * 8192); // nothing stranded
  size_t records = BW_ALLOC_DEBUG ? 1 << 20 : 0; // those of objects in quarantine
  CHECK(after.metadata_bytes <= first.metadata_bytes + records + (64 << 10)); // caches used again
}

#if BW_THREADS
// Destructors of thread-specific data run in no particular order, some after the cache is gone.
static pthread_key_t keys[8];

static void destroy(void *p) {
  for (int i = 1; i < 100; i++) {
    char *q = bw_malloc((size_t)i * 50);
    CHECK(q);
    q[0] = 1;
    bw_free(q);
  }
  unsigned char *again = bw_malloc(16);
  again[0] = (unsigned char)(*(unsigned char *)p - 1);
  bw_free(p);
  for (int k = 0; k < 8; k++)
    if (!pthread_getspecific(keys[k]) && again[0]) {
      pthread_setspecific(keys[k], again); // come again in the next round
      return;
    }
  bw_free(again);
}

static void end_with_destructors(void *unused) {
  (void)unused;
  for (int k = 0; k < 8; k++) {
    unsigned char *p = bw_malloc(16);
    *p = 3;
    CHECK_EQ(pthread_setspecific(keys[k], p), 0);
  }
}

THREADS_TEST(alloc_threads_malloc_in_destructors) {
  for (int k = 0; k < 4; k++) CHECK_EQ(pthread_key_create(&keys[k], destroy), 0);
  bw_free(bw_malloc(1)); // the cache's own key lies between
  for (int k = 4; k < 8; k++) CHECK_EQ(pthread_key_create(&keys[k], destroy), 0);
  bw_alloc_stats before = stats();
  for (int i = 0; i < 10; i++) run_threads(end_with_destructors, 2);
  bw_alloc_stats after = stats();
  check_same_live(&before, &after);
  CHECK_EQ(after.caches, before.caches);
  CHECK(bw__pageheap_valid());
}
#endif

// One makes, the other frees: the maker's cache must not starve nor the other's grow without end.
static _Atomic(void *) ring[256];
static _Atomic(bool) made_all;

static void produce(void *unused) {
  (void)unused;
  int rounds = test_is_slow_build() ? 20000 : 300000;
  for (int i = 0; i < rounds; i++) {
    void *p = bw_malloc(64), *none = NULL;
    CHECK(p);
    while (!bw__cas(&ring[i % 256], &none, p)) {
      none = NULL;
      bw__port_thread_yield();
    }
  }
  bw__store(&made_all, true);
}

static void consume(void *unused) {
  (void)unused;
  for (bool last = false; !last;) {
    last = bw__load(&made_all);
    for (int i = 0; i < 256; i++) bw_free(bw__swap(&ring[i], NULL));
  }
}

static void produce_or_consume(void *arg) {
  if ((uintptr_t)arg == 1)
    produce(NULL);
  else
    consume(NULL);
}

THREADS_TEST(alloc_threads_producer_consumer) {
  bw_free(bw_malloc(64));
  bw_alloc_stats before = stats();
  run_threads(produce_or_consume, 2);
  bw_alloc_stats after = stats();
  check_same_live(&before, &after);
  size_t quarantine = BW_ALLOC_DEBUG ? 6 << 20 : 0;
  CHECK(after.heap_used_bytes <= before.heap_used_bytes + quarantine + (2 << 20));
}
