// The page heap by itself: spans of any length and alignment, made, resized and given back, with
// requests to the system that fail. Pages that are said to be zero are looked at.
#include "fuzz.h"

#include "alloc/meta.h"
#include "alloc/pagemap.h"
#include "alloc/pageheap_state.h"
#include "alloc/sizeclass.h"

enum { SPANS = 48, MOST_BITS = 10 };
#define MOST_PAGES ((size_t)4096) // at a time

static struct {
  bw__span *spans[SPANS];
  size_t pages;
  bool refusing;
} run;

// One word a page says whose it is.
static uintptr_t *word_of(uintptr_t start, size_t page) {
  return (uintptr_t *)(start + (page << BW_PAGE_SHIFT));
}

static void write_words(uintptr_t start, size_t pages) {
  for (size_t i = 0; i < pages; i++) *word_of(start, i) = ~(start + i);
}

static void check_words(uintptr_t start, size_t pages) {
  for (size_t i = 0; i < pages; i++) FUZZ_CHECK(*word_of(start, i) == ~(start + i));
}

static void keep(bw__span **at, bw__span *s, size_t pages, size_t align) {
  FUZZ_CHECK(s || run.refusing);
  if (!s) return;
  FUZZ_CHECK(s->pages >= pages && (s->start & (align - 1)) == 0);
  FUZZ_CHECK(s->pages == pages || run.refusing); // no record for what is too much
  for (size_t i = s->dirty; i < s->pages; i++) FUZZ_CHECK(*word_of(s->start, i) == 0);
  write_words(s->start, s->pages);
  run.pages += s->pages;
  *at = s;
}

static void make(fuzz_input *in, bw__span **at, unsigned how) {
  size_t pages = fuzz_size(in, MOST_BITS) + 1, align = BW_PAGE_SIZE;
  if (run.pages + pages > MOST_PAGES) return;
  if (how == 0) {
    unsigned c = 1 + (unsigned)pages % (BW_SIZECLASS_COUNT - 1);
    pages = bw__sizeclass_pages[c];
    keep(at, bw__pageheap_alloc(pages, c), pages, align);
  } else if (how == 1) {
    align <<= fuzz_byte(in) % 9;
    keep(at, bw__pageheap_alloc_aligned(pages, align), pages, align);
  } else {
    keep(at, bw__pageheap_alloc(pages, 0), pages, align);
  }
}

static void give_back(bw__span **at) {
  bw__span *s = *at;
  check_words(s->start, s->pages);
  run.pages -= s->pages;
  *at = NULL;
  if (s->state == SPAN_OBJECTS) {
    s->link = (bw__list){NULL, NULL};
    bw__pageheap_free_objects(&s->link);
  } else {
    size_t bytes = bw__span_bytes(s);
    void *p = (void *)s->start;
    FUZZ_CHECK(bw__pageheap_large_bytes(p) == bytes);
    FUZZ_CHECK(bw__pageheap_free_large(p) == bytes);
    FUZZ_CHECK(bw__pageheap_free_large(p) == 0); // it is not there any more
  }
}

static void resize(fuzz_input *in, bw__span *s) {
  size_t pages = fuzz_size(in, MOST_BITS) + 1, before = s->pages;
  if (s->state != SPAN_LARGE || run.pages + pages > MOST_PAGES) return;
  bool done = bw__pageheap_resize_large((void *)s->start, pages);
  FUZZ_CHECK(s->pages == (done ? pages : before));
  check_words(s->start, before < s->pages ? before : s->pages);
  write_words(s->start, s->pages);
  run.pages += s->pages - before;
}

static void refuse(unsigned n, unsigned count) {
  bw__mutex_lock(&bw__pageheap.mu);
  bw__meta_refuse.first = bw__meta_refuse.requests + 1 + n;
  bw__meta_refuse.last = bw__meta_refuse.requests + n + count;
  bw__mutex_unlock(&bw__pageheap.mu);
  run.refusing = count > 0;
}

static void look(const bw__span *s) {
  bw_alloc_where where;
  uintptr_t middle = s->start + bw__span_bytes(s) / 2;
  FUZZ_CHECK(bw_alloc_where_is((void *)middle, &where));
  FUZZ_CHECK(where.span_start == s->start && where.span_bytes == bw__span_bytes(s));
  FUZZ_CHECK(bw__pagemap_tag_class(bw__pagemap_tag(middle)) ==
             (s->state == SPAN_OBJECTS ? s->size_class : 0));
}

static void step(fuzz_input *in) {
  uint32_t what = fuzz_byte(in);
  bw__span **at = &run.spans[fuzz_byte(in) % SPANS];
  switch (what % 8) {
  case 0:
  case 1:
  case 2:
  case 3:
    if (*at)
      give_back(at);
    else
      make(in, at, what % 4);
    break;
  case 4:
    if (*at) resize(in, *at);
    break;
  case 5:
    if (*at) look(*at);
    break;
  case 6: refuse(what / 8 % 4, fuzz_byte(in) % 8); break;
  default:
    if (what & 8)
      bw__pageheap_release();
    else
      FUZZ_CHECK(bw__pageheap_valid());
    break;
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz_input in = {data, data + size};
  memset(&run, 0, sizeof run);
  while (fuzz_more(&in)) step(&in);
  refuse(0, 0);
  FUZZ_CHECK(bw__pageheap_valid());
  for (int i = 0; i < SPANS; i++)
    if (run.spans[i]) give_back(&run.spans[i]);
  FUZZ_CHECK(bw__pageheap_valid());
  return 0;
}
