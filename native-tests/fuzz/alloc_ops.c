// The public functions: any sequence of calls, with the content of every block checked, other
// caches, and requests to the system that fail.
#include "fuzz.h"

#include "alloc/alloc.h"
#include "alloc/meta.h"
#include "alloc/pageheap_state.h"
#include "alloc/sizeclass.h"

enum { BLOCKS = 64, CACHES = 3, MOST_BITS = 21 };
#define MOST_BYTES ((size_t)24 << 20) // at a time

typedef struct {
  uint8_t *p;
  size_t size, align;
  uint8_t mark;
  bool aligned; // of bw_aligned_alloc, not resized since
} block;

static struct {
  block blocks[BLOCKS];
  bw__cache *caches[CACHES];
  size_t bytes;
  bool refusing;
  uint8_t marks;
} run;

static uint8_t content(const block *b, size_t i) { return (uint8_t)(b->mark + i * 3); }

// Of long blocks the ends and some bytes between.
static size_t step_of(const block *b) { return b->size < 512 ? 1 : b->size / 64; }

static void fill(block *b) {
  b->mark = run.marks++;
  for (size_t i = 0; i < b->size; i += step_of(b)) b->p[i] = content(b, i);
  if (b->size) b->p[b->size - 1] = content(b, b->size - 1);
}

static void check(const block *b) {
  if (!b->p) return;
  size_t usable = bw_malloc_usable_size(b->p);
  bw_alloc_where where;
  FUZZ_CHECK(usable >= b->size && ((uintptr_t)b->p & (b->align - 1)) == 0);
  FUZZ_CHECK(bw_alloc_where_is(b->p + (usable - 1), &where));
  FUZZ_CHECK(where.object_size == usable);
  FUZZ_CHECK(where.span_start + where.object_index * usable == (uintptr_t)b->p);
  for (size_t i = 0; i < b->size; i += step_of(b)) FUZZ_CHECK(b->p[i] == content(b, i));
  if (b->size) FUZZ_CHECK(b->p[b->size - 1] == content(b, b->size - 1));
}

static void forget(block *b) {
  run.bytes -= b->size;
  *b = (block){0};
}

static void drop(block *b, unsigned how) {
  check(b);
  if (how == 0)
    bw_free(b->p);
  else if (b->aligned)
    bw_free_aligned_sized(b->p, b->align, b->size);
  else
    bw_free_sized(b->p, b->size);
  forget(b);
}

// What was asked for came, or may be refused.
static void keep(block *b, void *p, size_t size, size_t align, bool aligned) {
  FUZZ_CHECK(p || run.refusing);
  if (!p) return;
  *b = (block){.p = p, .size = size, .align = align, .aligned = aligned};
  run.bytes += size;
  fill(b);
}

static void allocate(fuzz_input *in, block *b, unsigned how) {
  size_t size = fuzz_size(in, MOST_BITS), align = size > 8 ? 16 : 8;
  if (run.bytes + size > MOST_BYTES) return;
  void *p;
  if (how == 0) {
    p = bw_malloc(size);
    if (p) FUZZ_CHECK(bw_malloc_usable_size(p) == bw_malloc_good_size(size) || size == 0);
  } else if (how == 1) {
    p = bw_calloc(1, size);
    for (size_t i = 0; p && i < size; i++) FUZZ_CHECK(((uint8_t *)p)[i] == 0);
  } else if (how == 2) {
    p = bw__alloc8(size);
    align = 8;
  } else {
    align = (size_t)1 << fuzz_byte(in) % 18;
    p = bw_aligned_alloc(align, size);
  }
  keep(b, p, size, align, how == 3);
}

static void resize(fuzz_input *in, block *b) {
  size_t size = fuzz_size(in, MOST_BITS);
  if (!b->p || run.bytes + size > MOST_BYTES) return;
  check(b);
  uint8_t *p = bw_realloc(b->p, size);
  if (size == 0) {
    FUZZ_CHECK(!p);
    forget(b);
    return;
  }
  FUZZ_CHECK(p || run.refusing);
  if (!p) {
    check(b); // as it was
    return;
  }
  size_t least = size < b->size ? size : b->size;
  for (size_t i = 0; i < least; i += step_of(b)) FUZZ_CHECK(p[i] == content(b, i));
  run.bytes += size - b->size;
  *b = (block){.p = p, .size = size, .align = 8};
  fill(b);
}

static void change_cache(unsigned which) {
  if (which >= CACHES) {
    bw__cache_use(NULL);
    return;
  }
  if (!run.caches[which]) run.caches[which] = bw__cache_new();
  bw__cache_use(run.caches[which]);
}

// Refuses `count` of the requests from the n-th on; none for 0.
static void refuse(unsigned n, unsigned count) {
  bw__mutex_lock(&bw__pageheap.mu);
  bw__meta_refuse.first = bw__meta_refuse.requests + 1 + n;
  bw__meta_refuse.last = bw__meta_refuse.requests + n + count;
  bw__mutex_unlock(&bw__pageheap.mu);
  run.refusing = count > 0;
}

static void step(fuzz_input *in) {
  uint32_t what = fuzz_byte(in);
  block *b = &run.blocks[fuzz_byte(in) % BLOCKS];
  switch (what % 16) {
  case 0:
  case 1:
  case 2:
  case 3:
  case 4:
  case 5:
  case 6:
    if (b->p)
      drop(b, what % 2);
    else
      allocate(in, b, what % 4);
    break;
  case 7:
  case 8:
  case 9: resize(in, b); break;
  case 10: check(b); break;
  case 11: change_cache(what / 16); break;
  case 12: bw_alloc_set_limit(what / 16 ? (uint64_t)1 << (15 + what / 16) : 0); break;
  case 13: refuse(what / 16 % 4, fuzz_byte(in) % 8); break;
  case 14: FUZZ_CHECK(bw__pageheap_valid()); break;
  default: bw_alloc_release(); break;
  }
}

static uint64_t live_objects(void) {
  bw_alloc_stats s;
  bw_alloc_stats_read(&s);
  FUZZ_CHECK(s.system_bytes == s.heap_free_bytes + s.heap_used_bytes + s.metadata_bytes);
  FUZZ_CHECK(s.live_bytes + s.cache_free_bytes + s.central_free_bytes <= s.heap_used_bytes);
  return s.mallocs - s.frees;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz_input in = {data, data + size};
  memset(&run, 0, sizeof run);
  uint64_t before = live_objects();
  while (fuzz_more(&in)) step(&in);
  refuse(0, 0);
  bw_alloc_set_limit(0);
  for (int i = 0; i < BLOCKS; i++)
    if (run.blocks[i].p) drop(&run.blocks[i], 0);
  bw__cache_use(NULL);
  for (int i = 0; i < CACHES; i++) bw__cache_delete(run.caches[i]);
  bw_alloc_release();
  FUZZ_CHECK(live_objects() == before || (BW_WASM && BW_THREADS)); // there others call malloc
  FUZZ_CHECK(bw__pageheap_valid());
  return 0;
}
