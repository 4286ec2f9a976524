// The central free lists against a reference that knows every object it holds: chains of any
// length are fetched and returned in any order. And the page map, against the walk over all spans.
#include "test.h"

#include "alloc/alloc.h"
#include "alloc/cache.h"
#include "alloc/central.h"
#include "alloc/pageheap.h"
#include "alloc/pagemap.h"
#include "alloc/sizeclass.h"
#include "base/rand.h"

static bw_alloc_stats stats(void) {
  bw_alloc_stats s;
  bw_alloc_stats_read(&s);
  return s;
}

// ---- the model ---------------------------------------------------------------------------------

enum { MOST = 6000 };

static struct {
  unsigned c;
  void *objects[MOST]; // that the test holds
  unsigned count;
  uint64_t fetches, returns;
} model;

static int by_address(const void *a, const void *b) {
  uintptr_t x = (uintptr_t) * (void *const *)a, y = (uintptr_t) * (void *const *)b;
  return x < y ? -1 : x > y;
}

static void check_object(const void *object) {
  bw_alloc_where where;
  CHECK(bw_alloc_where_is(object, &where));
  CHECK_EQ(where.size_class, model.c);
  CHECK_EQ(where.span_start + where.object_index * where.object_size, (uintptr_t)object);
  CHECK(where.object_index < where.span_objects);
  CHECK(where.span_in_use > 0 && where.span_in_use <= where.span_objects);
}

static void fetch(unsigned want) {
  void *chain = NULL;
  unsigned n = bw__central_fetch(model.c, want, &chain);
  CHECK_EQ(n, want);
  model.fetches++;
  for (; chain; n--) {
    void *next = bw__chain_next(chain);
    CHECK(n > 0);
    check_object(chain);
    memset(chain, 0xa5, bw__sizeclass_sizes[model.c]); // all of it is ours
    model.objects[model.count++] = chain;
    chain = next;
  }
  CHECK_EQ(n, 0);
}

// Returns `n` objects from anywhere in a chain of any order.
static void give_back(bw__rand *rng, unsigned n) {
  void *chain = NULL;
  for (unsigned i = 0; i < n; i++) {
    unsigned at = bw__rand_below(rng, model.count);
    void *object = model.objects[at];
    model.objects[at] = model.objects[--model.count];
    bw__chain_link(object, chain);
    chain = object;
  }
  bw__central_return(model.c, chain, n);
  model.returns++;
}

static void check_no_duplicates(void) {
  static void *sorted[MOST];
  memcpy(sorted, model.objects, model.count * sizeof *sorted);
  qsort(sorted, model.count, sizeof *sorted, by_address);
  for (unsigned i = 1; i < model.count; i++)
    CHECK((uintptr_t)sorted[i] - (uintptr_t)sorted[i - 1] >= bw__sizeclass_sizes[model.c]);
}

typedef struct {
  unsigned c;
  uint64_t spans, objects, in_use;
} class_spans;

static bool count_spans(const bw_alloc_span *span, void *arg) {
  class_spans *sum = arg;
  if (span->size_class != (int)sum->c) return true;
  sum->spans++;
  sum->objects += span->objects;
  sum->in_use += span->in_use;
  return true;
}

static class_spans spans_of(unsigned c) {
  class_spans sum = {.c = c};
  bw_alloc_walk(count_spans, &sum);
  return sum;
}

// What spans hold, the test has or central. (Objects in batches that wait count as in use.)
static void check_counts(const bw_alloc_stats *before) {
  bw_alloc_stats now = stats();
  class_spans sum = spans_of(model.c);
  uint64_t size = bw__sizeclass_sizes[model.c];
  CHECK_EQ(now.central_fetches - before->central_fetches, model.fetches);
  CHECK_EQ(now.central_returns - before->central_returns, model.returns);
  CHECK_EQ(now.central_free_bytes - before->central_free_bytes, (sum.objects - model.count) * size);
  CHECK(sum.in_use >= model.count && sum.in_use <= sum.objects);
  CHECK(bw__pageheap_valid());
}

// Empty spans go at once, but for those of batches that wait; after a drain there is none.
static void check_drained(void) {
  bw__central_drain();
  class_spans sum = spans_of(model.c);
  CHECK_EQ(sum.in_use, model.count);
  CHECK(sum.spans <= model.count);
}

static void run_model(unsigned c, uint64_t seed) {
  bw__rand rng = {seed};
  model.c = c;
  model.count = 0;
  model.fetches = model.returns = 0;
  bw_alloc_stats before = stats();
  unsigned batch = bw__sizeclass_batches[c], most = bw__sizeclass_sizes[c] > 4096 ? 300 : MOST;
  int rounds = test_is_slow_build() ? 100 : 300;
  for (int i = 0; i < rounds; i++) {
    // Phases of growth and of shrinking; every other chain is a whole batch, and may wait.
    unsigned n = bw__rand_below(&rng, 2) ? batch : 1 + bw__rand_below(&rng, 3 * batch);
    if (bw__rand_below(&rng, 10) < (i / 50 % 2 ? 3u : 7u)) {
      if (model.count + n <= most) fetch(n);
    } else if (model.count > 0) {
      give_back(&rng, n < model.count ? n : model.count);
    }
    if (i % 25 == 0) check_counts(&before);
    if (i % 60 == 0) check_no_duplicates();
    if (i % 100 == 99) check_drained();
  }
  while (model.count) give_back(&rng, model.count < batch ? model.count : batch);
  check_counts(&before);
  check_drained();
  CHECK_EQ(spans_of(c).spans, 0);
}

// The class must be nobody else's: the test's own calls and, on wasm, the C library's keep objects.
static bool is_unused(unsigned c) { return spans_of(c).spans == 0; }

TEST(alloc_central_model) {
  int done = 0;
  bw_alloc_release();
  for (unsigned c = 1; c < BW_SIZECLASS_COUNT; c += test_is_slow_build() ? 5 : 2) {
    if (!is_unused(c)) continue;
    run_model(c, (uint64_t)c * 977);
    done++;
  }
  CHECK(done > 5);
  CHECK(bw__pageheap_valid());
}

// A batch that waits is what the next fetch gets, unlinked and unlooked at; a part of one is not.
TEST(alloc_central_batches_wait) {
  unsigned c = (unsigned)bw_size_class_of(64), batch = bw__sizeclass_batches[c], n = 1;
  void *chain, *last, *again;
  bw_alloc_release();
  CHECK_EQ(bw__central_fetch(c, batch, &chain), batch);
  for (last = chain; bw__chain_next(last); n++) last = bw__chain_next(last);
  CHECK_EQ(n, batch);
  uint64_t in_use = spans_of(c).in_use;
  bw__central_return(c, chain, batch);
  CHECK_EQ(spans_of(c).in_use, in_use);
  CHECK_EQ(bw__central_fetch(c, batch, &again), batch);
  CHECK(again == chain);
  void *rest = bw__chain_next(chain); // one by itself, and the others
  bw__chain_link(chain, NULL);
  bw__central_return(c, chain, 1);
  bw__central_return(c, rest, batch - 1);
  CHECK_EQ(spans_of(c).in_use, in_use - batch);
}

// ---- a thread's cache --------------------------------------------------------------------------

static uint64_t length_of(void *head) {
  uint64_t n = 0;
  for (; head; head = bw__chain_next(head)) n++;
  return n;
}

static bw__cache *cache_in_use(void) { return bw__cache_mine; }

// What the statistics say is what hangs on the lists.
static void check_lists(const bw__cache *cache, uint64_t others) {
  uint64_t bytes = 0;
  for (unsigned c = 1; c < BW_SIZECLASS_COUNT; c++)
    bytes += length_of(cache->lists[c].head) * bw__sizeclass_sizes[c];
  CHECK_EQ(stats().cache_free_bytes - others, bytes);
  CHECK(bytes <= (uint64_t)BW_BUDGET_MOST + BW_BUDGET_MOST / 2);
}

TEST(alloc_cache_lists_match_stats) {
  enum { N = 3000 };
  static void *p[N];
  bw__rand rng = {31};
  if (BW_WASM && BW_THREADS) SKIP("other threads have caches that change");
  bw_free(bw_malloc(1));
  bw__cache *cache = bw__cache_new();
  CHECK(cache);
  bw__cache_use(cache);
  uint64_t others = stats().cache_free_bytes;
  CHECK(cache_in_use() == cache);
  int rounds = test_is_slow_build() ? 20000 : 100000;
  for (int i = 0; i < rounds; i++) {
    void **at = &p[bw__rand_below(&rng, N)];
    bw_free(*at);
    *at = bw__rand_below(&rng, 3)
              ? bw_malloc(bw__rand_below(&rng, 1u << bw__rand_below(&rng, 15)) + 1)
              : NULL;
    if (i % (rounds / 40) == 0) check_lists(cache, others);
  }
  for (int i = 0; i < N; i++) bw_free(p[i]);
  check_lists(cache, others);
  bw__cache_use(NULL);
  bw__cache_delete(cache);
  CHECK_EQ(stats().cache_free_bytes, others);
}

// ---- the page map ------------------------------------------------------------------------------

// Each page of a span of objects says its class and its place; those of others say nothing.
static bool check_map(const bw_alloc_span *span, void *arg) {
  size_t pages = span->bytes >> BW_PAGE_SHIFT;
  *(uint64_t *)arg += pages;
  for (size_t i = 0; i < pages; i++) {
    uintptr_t page = span->start + (i << BW_PAGE_SHIFT);
    unsigned tag = bw__pagemap_tag(page + 77);
    bool edge = i == 0 || i == pages - 1;
    if (span->size_class > 0) {
      CHECK_EQ(bw__pagemap_tag_class(tag), span->size_class);
      CHECK_EQ(bw__pagemap_tag_offset(tag, page + 77), (i << BW_PAGE_SHIFT) + 77);
      edge = true;
    } else {
      CHECK_EQ(tag, 0);
    }
    if (edge) CHECK_EQ(bw__pagemap_span(page)->start, span->start);
  }
  return true;
}

TEST(alloc_pagemap_model) {
  enum { N = 2000 };
  static void *p[N];
  bw__rand rng = {8};
  for (int round = 0; round < 30; round++) {
    for (int i = 0; i < N; i++) {
      void **at = &p[bw__rand_below(&rng, N)];
      bw_free(*at);
      *at =
          bw__rand_below(&rng, 4) ? bw_malloc(bw__rand_below(&rng, 1u << (5 + round % 14))) : NULL;
    }
    uint64_t pages = 0;
    bw_alloc_walk(check_map, &pages);
    bw_alloc_stats s = stats();
    CHECK_EQ(pages << BW_PAGE_SHIFT, s.heap_used_bytes + s.heap_free_bytes);
  }
  for (int i = 0; i < N; i++) bw_free(p[i]);
  CHECK_EQ(bw__pagemap_tag(0), 0);
  CHECK_EQ(bw__pagemap_tag(UINTPTR_MAX), 0);
}
