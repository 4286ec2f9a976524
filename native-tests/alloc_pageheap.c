// The page heap, seen through the public functions and the statistics: splitting, best fit, joining
// of neighbours, growing, running out; and the ordered set by itself.
#include "test.h"

#include "alloc/alloc.h"
#include "alloc/pageheap.h"
#include "alloc/sizeclass.h"
#include "alloc/spanset.h"
#include "base/rand.h"
#include "port/port.h"

#define PAGE ((size_t)8192)
#define MB   ((size_t)1 << 20)

// Whole pages, and more than any size class has: 64 KB with Go's.
#define LARGE (BW_SIZECLASS_MAX + 4 * PAGE)

static bw_alloc_stats stats(void) {
  bw_alloc_stats s;
  bw_alloc_stats_read(&s);
  CHECK_EQ(s.system_bytes, s.heap_free_bytes + s.heap_used_bytes + s.metadata_bytes);
  return s;
}

TEST(alloc_pageheap_first_growth_is_a_megabyte) {
  SKIP_IN_ALLOC_DEBUG("counts the bytes of one object");
  bw_alloc_stats before = stats();
  void *p = bw_malloc(LARGE);
  bw_alloc_stats after = stats();
  CHECK(p);
  CHECK(after.heap_free_bytes + after.heap_used_bytes >= MB);
  CHECK_EQ(after.large_bytes - before.large_bytes, LARGE);
  bw_free(p);
}

// The heap asks for geometrically more, so few calls get a lot.
TEST(alloc_pageheap_growth_is_geometric) {
  enum { N = 128 };
  static void *p[N];
  bw_alloc_stats before = stats();
  for (int i = 0; i < N; i++) CHECK((p[i] = bw_malloc(MB / 2)));
  bw_alloc_stats after = stats();
  CHECK(after.system_calls - before.system_calls < (BW_WASM ? 70 : 40));
  CHECK(after.system_bytes - before.system_bytes < N * MB * 3 / 4);
  for (int i = 0; i < N; i++) bw_free(p[i]);
}

TEST(alloc_pageheap_split_and_join) {
  SKIP_IN_ALLOC_DEBUG("freed objects do not go to the page heap at once");
  enum { PARTS = 8 };
  void *whole = bw_malloc(PARTS * LARGE), *wall = bw_malloc(LARGE);
  bw_free(whole);
  bw_alloc_stats before = stats();
  char *part[PARTS];
  for (int i = 0; i < PARTS; i++) CHECK((part[i] = bw_malloc(LARGE)));
  CHECK(stats().heap_splits > before.heap_splits);
  for (int i = 0; i < PARTS; i += 2) bw_free(part[i]);
  bw_alloc_stats holes = stats();
  for (int i = 1; i < PARTS; i += 2) bw_free(part[i]);
  bw_alloc_stats after = stats();
  CHECK(after.heap_coalesces >= holes.heap_coalesces + PARTS / 2 - 1);
  CHECK_EQ(after.heap_free_spans, before.heap_free_spans);
  CHECK_EQ(after.heap_free_bytes, before.heap_free_bytes);
  bw_free(wall);
  CHECK(bw__pageheap_valid());
}

TEST(alloc_pageheap_free_all_leaves_few_spans) {
  enum { N = 4000 };
  static void *p[N];
  bw__rand rng = {7};
  bw_alloc_stats before = stats();
  for (int i = 0; i < N; i++) CHECK((p[i] = bw_malloc(1 + bw__rand_below(&rng, 30000))));
  for (int i = 0; i < N; i += 2) bw_free(p[i]);
  CHECK(stats().heap_free_spans > before.heap_free_spans);
  for (int i = 1; i < N; i += 2) bw_free(p[i]);
  bw_alloc_release();
  bw_alloc_stats after = stats();
  CHECK(after.heap_free_spans < before.heap_free_spans + 40);
  CHECK(after.live_bytes <= before.live_bytes);
  CHECK(bw__pageheap_valid());
}

// Of two free spans above 1 MB that fit the shorter one is taken.
TEST(alloc_pageheap_best_fit) {
  SKIP_IN_ALLOC_DEBUG("an object is not where its span begins");
  char *longer = bw_malloc(6 * MB), *wall1 = bw_malloc(9 * PAGE);
  char *shorter = bw_malloc(3 * MB), *wall2 = bw_malloc(9 * PAGE);
  CHECK(longer && wall1 && shorter && wall2);
  bw_free(longer);
  bw_free(shorter);
  char *p = bw_malloc(2 * MB + PAGE);
  bw_alloc_where where;
  CHECK(bw_alloc_where_is(p + MB, &where)); // the middle of a large object
  CHECK_EQ(where.span_start, (uintptr_t)p);
  CHECK_EQ(where.size_class, 0);
  CHECK(p < longer || p >= longer + 6 * MB);
  bw_free(p);
  bw_free(wall1);
  bw_free(wall2);
  CHECK(bw__pageheap_valid());
}

TEST(alloc_pageheap_large_resizes_in_place) {
  SKIP_IN_ALLOC_DEBUG("bw_realloc always moves");
  char *p = bw_malloc(4 * MB);
  memset(p, 3, 4 * MB);
  CHECK(bw_realloc(p, 2 * MB) == p); // the end is cut off
  CHECK_EQ(bw_malloc_usable_size(p), 2 * MB);
  CHECK(bw_realloc(p, 3 * MB) == p); // and taken in again
  CHECK_EQ(bw_malloc_usable_size(p), 3 * MB);
  for (size_t i = 0; i < 2 * MB; i += 4001) CHECK_EQ(p[i], 3);
  CHECK(bw__pageheap_valid());
  bw_free(p);
}

TEST(alloc_calloc_zeroes_what_was_used) {
  for (size_t size = 1; size < 6 * MB; size = size * 5 / 3 + 1) {
    unsigned char *p = bw_malloc(size);
    CHECK(p);
    memset(p, 0xff, size);
    bw_free(p);
    p = bw_calloc(size, 1);
    for (size_t i = 0; i < size; i++) CHECK(p[i] == 0);
    memset(p, 0xff, size);
    bw_free(p);
    p = bw_calloc(1, size + 40 * PAGE); // partly used, partly fresh
    for (size_t i = 0; i < size + 40 * PAGE; i++) CHECK(p[i] == 0);
    bw_free(p);
  }
}

TEST(alloc_calloc_overflow) {
  CHECK(bw_calloc(SIZE_MAX / 2, 3) == NULL);
  CHECK(bw_calloc((size_t)1 << (sizeof(size_t) * 4), (size_t)1 << (sizeof(size_t) * 4)) == NULL);
  void *p = bw_calloc(0, 5);
  CHECK(p);
  bw_free(p);
}

TEST(alloc_aligned) {
  for (size_t align = 1; align <= 4 * MB; align *= 2)
    for (size_t size = 0; size < 200000; size = size * 3 + 1) {
      char *p = bw_aligned_alloc(align, size);
      CHECK(p);
      CHECK_EQ((uintptr_t)p % align, 0);
      CHECK(bw_malloc_usable_size(p) >= size);
      memset(p, 1, size);
      bw_free(p);
    }
  CHECK(bw_aligned_alloc(0, 8) == NULL);
  CHECK(bw_aligned_alloc(24, 8) == NULL);
  CHECK(bw__pageheap_valid());
}

TEST(alloc_realloc_keeps_content) {
  size_t usable = 0;
  unsigned char *p = NULL;
  for (size_t size = 1; size < 3 * MB; size = size * 3 / 2 + 1) {
    p = bw_realloc(p, size);
    CHECK(p);
    for (size_t i = 0; i < usable; i++) CHECK(p[i] == (unsigned char)(i * 7));
    for (size_t i = usable; i < size; i++) p[i] = (unsigned char)(i * 7);
    usable = size;
  }
  while (usable > 1) {
    usable = usable * 2 / 3;
    p = bw_realloc(p, usable);
    for (size_t i = 0; i < usable; i++) CHECK(p[i] == (unsigned char)(i * 7));
  }
  CHECK(bw_realloc(p, 0) == NULL);
}

TEST(alloc_realloc_in_place) {
  SKIP_IN_ALLOC_DEBUG("bw_realloc always moves");
  char *p = bw_malloc(100); // class 112
  CHECK(bw_realloc(p, 112) == p);
  CHECK(bw_realloc(p, 56) == p);
  char *q = bw_realloc(p, 55); // less than half
  CHECK(bw_malloc_usable_size(q) == 64);
  bw_free(q);
}

// A large block lies where small ones were freed: what those left must not look like one that is
// free where realloc has copied it to.
TEST(alloc_realloc_copies_no_link) {
  enum { FREED = 2048, N = 512 };
  static char *p[FREED];
  for (int i = 0; i < FREED; i++) CHECK((p[i] = bw_malloc(16384)));
  for (int i = 0; i < FREED; i++) bw_free(p[i]);
  for (int i = 0; i < N; i++) CHECK((p[i] = bw_malloc(40960))); // written to by nobody
  for (int i = 0; i < N; i++) CHECK((p[i] = bw_realloc(p[i], 16384)));
  for (int i = 0; i < N; i++) bw_free(p[i]);
  CHECK(bw__pageheap_valid());
}

TEST(alloc_malloc_0_is_unique) {
  void *p = bw_malloc(0), *q = bw_malloc(0);
  CHECK(p && q && p != q);
  bw_free(p);
  bw_free(q);
  bw_free(NULL);
  CHECK_EQ(bw_malloc_usable_size(NULL), 0);
}

// ---- out of memory -----------------------------------------------------------------------------

TEST(alloc_too_much_is_null) {
  bw_alloc_stats before = stats();
  CHECK(bw_malloc(SIZE_MAX) == NULL);
  CHECK(bw_malloc(SIZE_MAX - 4096) == NULL);
  CHECK(bw_malloc((size_t)PTRDIFF_MAX) == NULL);
  CHECK(bw_malloc((size_t)PTRDIFF_MAX + 1) == NULL);
  CHECK(bw_aligned_alloc((size_t)1 << (sizeof(size_t) * 8 - 1), 1) == NULL);
  CHECK(bw_aligned_alloc(8192, SIZE_MAX - 5) == NULL);
  if (sizeof(size_t) == 4) CHECK(bw_malloc((size_t)0xf3000000) == NULL);
  char *p = bw_malloc(40);
  CHECK(bw_realloc(p, SIZE_MAX - 9) == NULL);
  p[39] = 1; // still there
  bw_free(p);
  CHECK(stats().heap_used_bytes <= before.heap_used_bytes + PAGE); // p's span, if it is new
}

// Chains blocks of one size until there is no more; how many.
static size_t exhaust(size_t size, void **chain) {
  size_t n = 0;
  *chain = NULL;
  for (void **p; (p = bw_malloc(size)); n++) {
    *p = *chain;
    *chain = p;
  }
  return n;
}

static void release_chain(void *chain) {
  for (void *next; chain; chain = next) {
    next = *(void **)chain;
    bw_free(chain);
  }
}

static void exhaust_and_go_on(void) {
  static const size_t sizes[] = {100 * MB / 64, 5000, 64, 100000, 24};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    void *chain;
    size_t n = exhaust(sizes[i], &chain);
    CHECK(n * sizes[i] > (BW_ALLOC_DEBUG ? 2 : 12) * MB); // records and guards take the rest
    CHECK(bw_malloc(sizes[i]) == NULL);
    CHECK(bw_calloc(1, 64 * MB) == NULL);
    CHECK(bw_aligned_alloc(MB, 64 * MB) == NULL);
    release_chain(chain);
    CHECK(bw__pageheap_valid());
    void *p = bw_malloc(4 * MB); // all came back and was joined
    CHECK(p);
    bw_free(p);
    stats();
  }
}

// Natively only: to fill up all of a wasm memory would take gigabytes.
TEST(alloc_out_of_memory_goes_on) {
  bw_free(bw_malloc(1));
  test_limit_memory();
  if (!BW_WASM && (!test_is_slow_build() || BW_ALLOC_DEBUG)) exhaust_and_go_on();
}

// ---- walking and statistics ---------------------------------------------------------------------

typedef struct {
  uintptr_t last_end;
  size_t used, free, spans, objects_in_use;
  bool ordered, last_free, joined;
} walked;

static bool visit(const bw_alloc_span *s, void *arg) {
  walked *w = arg;
  bool free = s->size_class < 0;
  if (s->start < w->last_end) w->ordered = false;
  if (free && w->last_free && s->start == w->last_end) w->joined = false;
  *(free ? &w->free : &w->used) += s->bytes;
  w->spans++;
  w->objects_in_use += s->in_use;
  w->last_end = s->start + s->bytes;
  w->last_free = free;
  return true;
}

static bool stop_at_third(const bw_alloc_span *s, void *arg) {
  (void)s;
  return ++*(int *)arg < 3;
}

TEST(alloc_walk_covers_all) {
  enum { N = 3000 };
  static void *p[N];
  bw__rand rng = {3};
  for (int i = 0; i < N; i++) CHECK((p[i] = bw_malloc(1 + bw__rand_below(&rng, 60000))));
  for (int i = 0; i < N; i += 3) bw_free(p[i]);
  walked w = {.ordered = true, .joined = true};
  bw_alloc_walk(visit, &w);
  bw_alloc_stats s = stats();
  CHECK(w.ordered && w.joined);
  CHECK_EQ(w.used, s.heap_used_bytes);
  CHECK_EQ(w.free, s.heap_free_bytes);
  int count = 0;
  bw_alloc_walk(stop_at_third, &count);
  CHECK_EQ(count, 3);
  for (int i = 0; i < N; i++)
    if (i % 3) bw_free(p[i]);
}

TEST(alloc_where_is) {
  SKIP_IN_ALLOC_DEBUG("an object is not where its span begins");
  bw_alloc_where where;
  static int not_ours;
  CHECK(!bw_alloc_where_is(NULL, &where));
  CHECK(!bw_alloc_where_is(&not_ours, &where));
  CHECK(!bw_alloc_where_is((void *)UINTPTR_MAX, &where));
  char *p = bw_malloc(2000);
  CHECK(bw_alloc_where_is(p + 1999, &where));
  bw_size_class row = bw_size_class_at(bw_size_class_of(2000));
  CHECK_EQ(where.size_class, bw_size_class_of(2000));
  CHECK_EQ(where.object_size, 2048);
  CHECK_EQ(where.span_objects, row.objects);
  CHECK_EQ(where.span_bytes, row.span_bytes);
  CHECK_EQ(where.span_start + where.object_index * 2048, (uintptr_t)p);
  bw_free(p);
  p = bw_malloc(3 * MB);
  CHECK(bw_alloc_where_is(p + 2 * MB, &where));
  CHECK_EQ(where.span_bytes, 3 * MB);
  bw_free(p);
  CHECK(!bw_alloc_where_is(p + 2 * MB, &where));
}

// Every byte asked of the system is in one place, and objects are in one tier.
TEST(alloc_stats_add_up) {
  SKIP_IN_ALLOC_DEBUG("usable sizes are those asked for, statistics count what is around");
  enum { N = 20000 };
  static void *p[N];
  bw__rand rng = {11};
  bw_alloc_stats before = stats();
  uint64_t live = 0;
  for (int i = 0; i < N; i++) {
    CHECK((p[i] = bw_malloc(bw__rand_below(&rng, 3000))));
    live += bw_malloc_usable_size(p[i]);
  }
  bw_alloc_stats s = stats();
  CHECK_EQ(s.live_bytes - before.live_bytes, live);
  CHECK_EQ(s.mallocs - before.mallocs, N);
  CHECK_EQ(s.cache_hits + s.cache_misses - before.cache_hits - before.cache_misses, N);
  CHECK(s.cache_misses - before.cache_misses < N / 8);
  uint64_t parts = s.live_bytes + s.cache_free_bytes + s.central_free_bytes;
  CHECK(parts <= s.heap_used_bytes);
  CHECK(parts > s.heap_used_bytes - s.heap_used_bytes / 15); // the rest is tails
  for (int i = 0; i < N; i++) bw_free(p[i]);
  s = stats();
  CHECK_EQ(s.live_bytes, before.live_bytes);
  CHECK_EQ(s.mallocs - before.mallocs, s.frees - before.frees);
  CHECK(s.cache_free_bytes <= 5 * MB / 2);
  CHECK_EQ(s.caches, before.caches ? before.caches : 1);
}

TEST(alloc_release_gives_back) {
  SKIP_IN_ALLOC_DEBUG("counts the bytes of one object");
  enum { N = 30 };
  void *p[N];
  for (int i = 0; i < N; i++) memset((p[i] = bw_malloc(MB)), 1, MB);
  for (int i = 0; i < N; i++) bw_free(p[i]);
  size_t bytes = bw_alloc_release();
  bw_alloc_stats s = stats();
  if (!bw__port_capabilities.gives_back) {
    CHECK_EQ(bytes, 0);
    return;
  }
  CHECK(bytes >= N * MB);
  CHECK_EQ(s.released_bytes, s.heap_free_bytes);
  CHECK_EQ(bw_alloc_release(), 0); // nothing is given back twice
  void *q = bw_calloc(1, 10 * MB);
  for (size_t i = 0; i < 10 * MB; i += 999) CHECK_EQ(((char *)q)[i], 0);
  CHECK_EQ(stats().released_bytes, s.released_bytes - 10 * MB);
  bw_free(q);
}

// ---- the ordered set ---------------------------------------------------------------------------

TEST(alloc_spanset_model) {
  enum { N = 300 };
  static bw__span spans[N];
  static bool in[N];
  bw__spanset set = {NULL};
  bw__rand rng = {5};
  for (int i = 0; i < N; i++) {
    spans[i].start = (uintptr_t)(i + 1) << 22;
    spans[i].pages = 129 + bw__rand_below(&rng, 40);
  }
  for (int round = 0; round < 5000; round++) {
    int i = (int)bw__rand_below(&rng, N);
    if (in[i])
      bw__spanset_remove(&set, &spans[i]);
    else
      bw__spanset_insert(&set, &spans[i]);
    in[i] = !in[i];
    size_t want = 120 + bw__rand_below(&rng, 60);
    bw__span *best = NULL;
    for (int k = N; k-- > 0;)
      if (in[k] && spans[k].pages >= want && (!best || spans[k].pages <= best->pages))
        best = &spans[k];
    CHECK(bw__spanset_best_fit(&set, want) == best);
    if (round % 100 == 0) CHECK(bw__spanset_valid(&set));
  }
  int count = 0, members = 0;
  for (bw__span *s = bw__spanset_next(&set, NULL); s; s = bw__spanset_next(&set, s)) count++;
  for (int i = 0; i < N; i++) members += in[i];
  CHECK_EQ(count, members);
}
