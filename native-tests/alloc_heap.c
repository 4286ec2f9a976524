// First-class heaps: the functions, destroying at once, the limit, random operations against a
// model, several threads.
#include "test.h"

#include "alloc/alloc.h"
#include "alloc/heap.h"
#include "alloc/pageheap.h"
#include "base/atomics.h"
#include "base/rand.h"
#include "port/port.h"

#define PAGE ((size_t)8192)
#define MB   ((size_t)1 << 20)

static bw_alloc_stats stats(void) {
  bw_alloc_stats s;
  bw_alloc_stats_read(&s);
  CHECK_EQ(s.system_bytes, s.heap_free_bytes + s.heap_used_bytes + s.metadata_bytes);
  return s;
}

static bw_heap_stats stats_of(bw_heap *h) {
  bw_heap_stats s;
  CHECK(bw__heap_valid(h));
  bw_heap_stats_read(h, &s);
  return s;
}

// Destroys the heap; what it held is the page heap's again.
static void destroy(bw_heap *h) {
  bw_heap_stats held = stats_of(h);
  bw_alloc_stats before = stats();
  bw_heap_destroy(h);
  bw_alloc_stats after = stats();
  CHECK_EQ(before.heaps - after.heaps, 1);
  CHECK_EQ(before.heaps_bytes - after.heaps_bytes, held.bytes);
  CHECK_EQ(before.heaps_live_bytes - after.heaps_live_bytes, held.live_bytes);
  CHECK_EQ(before.heap_used_bytes - after.heap_used_bytes, held.bytes);
  CHECK_EQ(after.heap_free_bytes - before.heap_free_bytes, held.bytes);
  CHECK_EQ(before.live_bytes - after.live_bytes, held.live_bytes);
  CHECK_EQ(after.frees - before.frees, held.objects);
  CHECK_EQ(after.mallocs, before.mallocs);
  CHECK(bw__pageheap_valid());
}

TEST(heap_empty) {
  bw_alloc_stats before = stats();
  bw_heap *h = bw_heap_create();
  CHECK(h);
  bw_heap_stats s = stats_of(h);
  CHECK(s.bytes == 0 && s.spans == 0 && s.objects == 0 && s.mallocs == 0 && s.peak_bytes == 0);
  CHECK_EQ(stats().heaps, before.heaps + 1);
  CHECK_EQ(bw_heap_release(h), 0);
  destroy(h);
  bw_heap_destroy(NULL);
}

TEST(heap_every_class) {
  SKIP_IN_ALLOC_DEBUG("good sizes are those of the debug build");
  bw_heap *h = bw_heap_create();
  uint64_t live = 0;
  for (int c = 1; c < bw_size_class_count(); c++) {
    size_t size = bw_size_class_at(c).size;
    for (int i = 0; i < 3; i++) {
      bw_alloc_where where;
      char *p = bw_heap_aligned_alloc(h, 8, size), *q = bw_heap_malloc(h, size);
      size_t usable = bw_malloc_good_size(size); // 24 bytes are aligned to 16, in 32
      CHECK(p && q && p != q);
      memset(p, c, size);
      memset(q, c, size);
      CHECK_EQ(bw_malloc_usable_size(p), usable);
      CHECK_EQ(bw_malloc_usable_size(q), usable);
      CHECK_EQ((uintptr_t)q % (size > 8 ? 16 : 8), 0);
      CHECK(bw_alloc_where_is(q + size - 1, &where));
      CHECK_EQ(where.object_size, usable);
      CHECK_EQ(where.span_start + where.object_index * usable, (uintptr_t)q);
      CHECK(where.owner == h && bw_heap_of(q) == h && bw_heap_of(q + size - 1) == h);
      live += 2 * usable;
    }
  }
  CHECK_EQ(stats_of(h).live_bytes, live);
  CHECK_EQ(stats_of(h).objects, 67 * 6);
  destroy(h);
}

TEST(heap_large_objects) {
  bw_heap *h = bw_heap_create();
  char *p = bw_heap_malloc(h, MB), *q = bw_heap_aligned_alloc(h, MB, 3 * PAGE);
  bw_alloc_where where;
  CHECK(p && q && (uintptr_t)q % MB == 0);
  memset(p, 1, MB);
  memset(q, 2, 3 * PAGE);
  CHECK_EQ(bw_malloc_usable_size(p), MB);
  CHECK_EQ(bw_malloc_usable_size(q), 3 * PAGE);
  CHECK(bw_alloc_where_is(p + 70000, &where));
  CHECK(where.owner == h && where.size_class == 0 && where.span_start == (uintptr_t)p);
  CHECK_EQ(stats_of(h).bytes, MB + 3 * PAGE);
  bw_free(p);
  CHECK_EQ(stats_of(h).bytes, 3 * PAGE);
  CHECK_EQ(stats_of(h).peak_bytes, MB + 3 * PAGE);
  CHECK_EQ(stats_of(h).peak_live_bytes, MB + 3 * PAGE);
  CHECK_EQ(stats_of(h).objects, 1);
  destroy(h);
}

TEST(heap_calloc_is_zeroed) {
  bw_heap *h = bw_heap_create();
  for (size_t size = 1; size < MB; size = size * 3 + 1)
    for (int i = 0; i < 3; i++) {
      char *p = bw_heap_calloc(h, size, 1);
      CHECK(p);
      for (size_t at = 0; at < size; at++) CHECK_EQ(p[at], 0);
      memset(p, 0xff, size);
      if (i) bw_free(p);
    }
  CHECK(!bw_heap_calloc(h, SIZE_MAX / 2, 3));
  CHECK(!bw_heap_malloc(h, SIZE_MAX));
  CHECK(!bw_heap_malloc(h, SIZE_MAX - 100000));
  CHECK(!bw_heap_aligned_alloc(h, 24, 8));
  CHECK(!bw_heap_aligned_alloc(h, (size_t)1 << (sizeof(size_t) * 8 - 1), 8));
  destroy(h);
}

TEST(heap_realloc_stays_in_its_heap) {
  bw_heap *h = bw_heap_create();
  size_t sizes[] = {10, 100, 5000, 40000, MB, 3 * MB, 2 * MB, 33000, 700, 1};
  unsigned char *p = NULL;
  for (size_t i = 0, old = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    p = i % 2 ? bw_realloc(p, sizes[i]) : bw_heap_realloc(h, p, sizes[i]);
    CHECK(p && bw_heap_of(p) == h && bw_malloc_usable_size(p) >= sizes[i]);
    for (size_t at = 0; at < old && at < sizes[i]; at++) CHECK_EQ(p[at], (unsigned char)at);
    for (size_t at = 0; at < sizes[i]; at++) p[at] = (unsigned char)at;
    old = sizes[i];
    CHECK_EQ(stats_of(h).objects, 1);
  }
  CHECK(!bw_realloc(p, 0));
  CHECK_EQ(stats_of(h).objects, 0);
  CHECK_EQ(stats_of(h).live_bytes, 0);
  destroy(h);
}

TEST(heap_free_sized) {
  bw_heap *h = bw_heap_create();
  for (size_t size = 0; size < 100000; size = size * 2 + 7) {
    bw_free_sized(bw_heap_malloc(h, size), size);
    bw_free_aligned_sized(bw_heap_aligned_alloc(h, 256, size), 256, size);
  }
  CHECK_EQ(stats_of(h).objects, 0);
  destroy(h);
}

static char other_memory;

TEST(heap_null_is_no_heap) {
  bw_heap *other = bw_heap_create();
  void *p = bw_heap_malloc(NULL, 100), *q = bw_heap_calloc(NULL, 2, 50);
  void *r = bw_heap_aligned_alloc(NULL, 64, 100);
  CHECK(p && q && r && !bw_heap_of(p) && !bw_heap_of(q) && !bw_heap_of(r));
  p = bw_heap_realloc(NULL, p, 5000);
  CHECK(p && !bw_heap_of(p) && !bw_heap_of(NULL) && !bw_heap_of(&other_memory));
  bw_free(p);
  bw_free(q);
  bw_free(r);
  bw_heap_release(NULL);
  CHECK_EQ(stats_of(other).mallocs, 0);
  destroy(other);
}

// ---- giving back -------------------------------------------------------------------------------

TEST(heap_destroy_gives_all_back) {
  enum { HEAPS = 20, OBJECTS = 3000 };
  bw_heap_destroy(bw_heap_create());
  for (int round = 0; round < 3; round++) {
    bw_heap *heaps[HEAPS];
    bw__rand rng = {(uint64_t)round};
    for (int i = 0; i < HEAPS; i++) CHECK((heaps[i] = bw_heap_create()));
    bw_alloc_stats before = stats();
    for (int i = 0; i < OBJECTS; i++) {
      bw_heap *h = heaps[bw__rand_below(&rng, HEAPS)];
      size_t size = 1 + bw__rand_below(&rng, i % 50 ? 1000 : 100000);
      char *p = bw_heap_malloc(h, size);
      CHECK(p);
      memset(p, 0x55, size);
      if (i % 7 == 0) bw_free(p);
    }
    for (int i = 0; i < HEAPS; i++) destroy(heaps[i]);
    bw_alloc_stats after = stats();
    CHECK_EQ(after.heap_used_bytes, before.heap_used_bytes);
    CHECK_EQ(after.live_bytes, before.live_bytes);
    CHECK_EQ(after.mallocs - before.mallocs, OBJECTS);
    CHECK_EQ(after.frees - before.frees, OBJECTS);
    CHECK_EQ(after.heaps_bytes, before.heaps_bytes);
  }
}

TEST(heap_records_are_used_again) {
  for (int i = 0; i < 100; i++) bw_heap_destroy(bw_heap_create());
  uint64_t before = stats().metadata_bytes;
  for (int i = 0; i < 10000; i++) bw_heap_destroy(bw_heap_create());
  CHECK_EQ(stats().metadata_bytes, before);
}

// One empty span of a class is kept, until it is asked for.
TEST(heap_keeps_one_empty_span) {
  enum { N = 640 }; // ten spans
  static void *p[N];
  bw_heap *h = bw_heap_create();
  for (int round = 0; round < 3; round++) {
    for (int i = 0; i < N; i++) CHECK((p[i] = bw_heap_malloc(h, 128)));
    CHECK_EQ(stats_of(h).spans, 10);
    for (int i = 0; i < N; i++) bw_free(p[(i * 7) % N]);
    CHECK_EQ(stats_of(h).spans, 1);
  }
  size_t released = bw_heap_release(h);
  CHECK(bw__port_capabilities.gives_back ? released >= PAGE : released == 0);
  CHECK_EQ(stats_of(h).bytes, 0);
  CHECK_EQ(stats_of(h).peak_bytes, 10 * PAGE);
  void *q = bw_heap_malloc(h, 128);
  CHECK(q);
  CHECK_EQ(bw_heap_release(h), 0);
  CHECK_EQ(stats_of(h).spans, 1);
  destroy(h);
}

// ---- running out -------------------------------------------------------------------------------

TEST(heap_limit) {
  bw_heap *h = bw_heap_create_with(&(bw_heap_options){.name = "small", .max_bytes = MB});
  void *p[300] = {NULL};
  int n = 0;
  while ((p[n] = bw_heap_malloc(h, 4096))) n++;
  CHECK_EQ(n, MB / 4096);
  CHECK(!bw_heap_malloc(h, 8) && !bw_heap_malloc(h, 100000) && !bw_heap_calloc(h, 1, 100000));
  CHECK(!bw_realloc(p[0], 9000));
  memset(p[0], 1, 4096);
  CHECK(stats_of(h).bytes == MB && stats_of(h).limit_bytes == MB && stats_of(h).peak_bytes == MB);
  // Two objects make up a span, which then serves another class.
  bw_free(p[0]);
  bw_free(p[1]);
  for (int i = 0; i < 1024; i++) CHECK(bw_heap_malloc(h, 8));
  CHECK(!bw_heap_malloc(h, 16));
  // A large object grows as far as the limit.
  for (int i = 2; i < n; i++) bw_free(p[i]);
  char *q = bw_heap_malloc(h, MB / 2);
  CHECK(q);
  CHECK(!bw_realloc(q, MB));
  q = bw_realloc(q, MB / 4);
  CHECK(q && bw_malloc_usable_size(q) == MB / 4);
  q = bw_realloc(q, MB / 3);
  CHECK(q && bw_heap_of(q) == h && stats_of(h).bytes <= MB);
  destroy(h);
}

TEST(heap_out_of_memory) {
  if (test_is_slow_build()) return; // the sanitizers want memory too
  size_t size = BW_WASM ? 64 * MB : 64 << 10;
  for (int round = 0; round < 2; round++) {
    bw_heap *h = bw_heap_create();
    void *small = bw_heap_malloc(h, 100);
    CHECK(small);
    if (round == 0) test_limit_memory();
    uint64_t n = 0;
    while (bw_heap_malloc(h, size)) n++;
    CHECK(n > 20 && n < 10000);
    CHECK(!bw_heap_calloc(h, 2, size) && !bw_realloc(small, size) && !bw_malloc(size));
    CHECK(bw_heap_malloc(h, 100));
    CHECK_EQ(stats_of(h).objects, n + 2);
    bw_free(small);
    destroy(h); // and all of it can be had again
  }
}

// ---- the model ---------------------------------------------------------------------------------

typedef struct {
  unsigned char *p;
  size_t size;
  int heap;
  unsigned char mark;
} block;

enum { BLOCKS = 800, HEAPS = 5 };

static block blocks[BLOCKS];
static bw_heap *model_heaps[HEAPS];
static uint64_t live_objects[HEAPS];
static bw__rand rng;

static size_t pick_size(void) {
  uint32_t kind = bw__rand_below(&rng, 100);
  unsigned bits = kind < 85 ? bw__rand_below(&rng, 11) : 11 + bw__rand_below(&rng, 7);
  return ((size_t)1 << bits) + bw__rand_below(&rng, 1u << bits) - 1;
}

static void fill(block *b) {
  b->mark = (unsigned char)bw__rand_next(&rng);
  if (b->size) memset(b->p, b->mark, b->size);
}

static void check_block(const block *b, size_t size) {
  for (size_t i = 0; i < size; i += size < 2000 ? 1 : 97) CHECK_EQ(b->p[i], b->mark);
  if (size) CHECK_EQ(b->p[size - 1], b->mark);
}

static void allocate(block *b) {
  b->size = pick_size();
  b->heap = (int)bw__rand_below(&rng, HEAPS);
  bw_heap *h = model_heaps[b->heap];
  switch (bw__rand_below(&rng, 3)) {
  case 0: b->p = bw_heap_calloc(h, 1, b->size); break;
  case 1: b->p = bw_heap_aligned_alloc(h, (size_t)8 << bw__rand_below(&rng, 12), b->size); break;
  default: b->p = bw_heap_malloc(h, b->size); break;
  }
  CHECK(b->p && bw_heap_of(b->p) == h);
  live_objects[b->heap]++;
  fill(b);
}

static void reallocate(block *b) {
  size_t old = b->size;
  b->size = pick_size() + 1;
  b->p = bw_realloc(b->p, b->size);
  CHECK(b->p && bw_heap_of(b->p) == model_heaps[b->heap]);
  check_block(b, old < b->size ? old : b->size);
  fill(b);
}

static void release(block *b) {
  check_block(b, b->size);
  bw_free(b->p);
  b->p = NULL;
  live_objects[b->heap]--;
}

static void renew_heap(int i) {
  CHECK_EQ(stats_of(model_heaps[i]).objects, live_objects[i]);
  destroy(model_heaps[i]);
  CHECK((model_heaps[i] = bw_heap_create()));
  live_objects[i] = 0;
  for (int k = 0; k < BLOCKS; k++)
    if (blocks[k].heap == i) blocks[k].p = NULL;
}

TEST(heap_model) {
  int rounds = test_is_slow_build() ? 20000 : 100000;
  rng.state = 5;
  for (int i = 0; i < HEAPS; i++) CHECK((model_heaps[i] = bw_heap_create()));
  for (int i = 0; i < rounds; i++) {
    block *b = &blocks[bw__rand_below(&rng, BLOCKS)];
    if (!b->p)
      allocate(b);
    else if (bw__rand_below(&rng, 3) == 0)
      reallocate(b);
    else
      release(b);
    if (i % (rounds / 40) == 0) renew_heap((int)bw__rand_below(&rng, HEAPS));
    if (i % (rounds / 20) == 0)
      for (int k = 0; k < HEAPS; k++) CHECK_EQ(stats_of(model_heaps[k]).objects, live_objects[k]);
  }
  for (int i = 0; i < BLOCKS; i++)
    if (blocks[i].p) check_block(&blocks[i], blocks[i].size);
  for (int i = 0; i < HEAPS; i++) destroy(model_heaps[i]);
}

// ---- threads -----------------------------------------------------------------------------------

enum { SLOTS = 128 };

static _Atomic(unsigned char *) slots[SLOTS];
static bw_heap *shared_heaps[2];

static void check_and_free(unsigned char *p) {
  uint32_t size;
  if (!p) return;
  memcpy(&size, p, sizeof size);
  for (uint32_t i = 4; i < size && i < 300; i++) CHECK_EQ(p[i], (unsigned char)(size + i));
  bw_free(p);
}

static void exchange_blocks(void *arg) {
  bw__rand r = {(uintptr_t)arg};
  int rounds = test_is_slow_build() ? 3000 : 30000;
  for (int i = 0; i < rounds; i++) {
    uint32_t size = 8 + bw__rand_below(&r, bw__rand_below(&r, 30) ? 1000 : 60000);
    unsigned char *p = bw_heap_malloc(shared_heaps[bw__rand_below(&r, 2)], size);
    CHECK(p);
    memcpy(p, &size, sizeof size);
    for (uint32_t k = 4; k < size && k < 300; k++) p[k] = (unsigned char)(size + k);
    check_and_free(bw__swap(&slots[bw__rand_below(&r, SLOTS)], p));
    if (i % 1000 == 0) bw_heap_release(shared_heaps[0]);
  }
}

static void make_and_destroy(void *arg) {
  bw__rand r = {(uintptr_t)arg};
  int rounds = test_is_slow_build() ? 50 : 300;
  for (int i = 0; i < rounds; i++) {
    bw_heap *h = bw_heap_create();
    for (int k = 0; k < 200; k++) {
      char *p = bw_heap_malloc(h, 1 + bw__rand_below(&r, 3000));
      CHECK(p);
      *p = 1;
      if (k % 2) bw_free(p);
    }
    CHECK_EQ(stats_of(h).objects, 100);
    bw_heap_destroy(h);
    stats();
  }
}

static void exchange_or_make(void *arg) {
  if ((uintptr_t)arg % 3)
    exchange_blocks(arg);
  else
    make_and_destroy(arg);
}

THREADS_TEST(heap_threads) {
  enum { THREADS = 6 };
  bw__port_thread threads[THREADS];
  for (int i = 0; i < 2; i++) CHECK((shared_heaps[i] = bw_heap_create()));
  for (int i = 0; i < THREADS; i++)
    CHECK_EQ(bw__port_thread_start(&threads[i], exchange_or_make, (void *)(uintptr_t)(i + 1)), 0);
  for (int i = 0; i < THREADS; i++) bw__port_thread_join(&threads[i]);
  for (int i = 0; i < SLOTS; i++) check_and_free(bw__swap(&slots[i], NULL));
  for (int i = 0; i < 2; i++) {
    CHECK_EQ(stats_of(shared_heaps[i]).objects, 0);
    destroy(shared_heaps[i]);
  }
}

TEST(heap_locks_around_a_fork) {
  bw__heaps_fork_before();
  bw__heaps_fork_after();
  bw_heap *h = bw_heap_create(), *other = bw_heap_create();
  bw__heaps_fork_before();
  bw__heaps_fork_after();
  CHECK(bw_heap_malloc(h, 10) && bw_heap_malloc(other, 10));
  destroy(h);
  destroy(other);
}

TEST(heap_of_every_byte_of_a_large_object) {
  bw_heap *h = bw_heap_create();
  size_t size = (size_t)1 << 20;
  char *p = bw_heap_malloc(h, size), *other = bw_malloc(size);
  CHECK(p && other);
  for (size_t at = 0; at < size; at += 100001) {
    CHECK(bw_heap_of(p + at) == h);
    CHECK(bw_heap_of(other + at) == NULL);
  }
  bw_free(other);
  bw_heap_destroy(h);
}
