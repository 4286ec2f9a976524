// The page heap's memory for records. It comes from the system, as all memory; when the system has
// no more, from the free pages, so that these can be used to the last one: to cut a span takes a
// record.
//
// A page that has become memory for records is a span of its own for good, in state SPAN_RECORDS:
// so a region is a row of spans as before (I1 of pageheap.c), and the page counts as records (I4).
// Its record is the first that is cut from it. It is taken from the end of the shortest free span:
// that one is likely to be cut further, and the long ones stay long. It has room for 127 more, and
// the record of a span that disappears is used again: so it is one page of 128 at most.
#include "alloc/pageheap_state.h"

#include <string.h>

#include "alloc/pagemap.h"
#include "alloc/poison.h"
#include "port/port.h"

#define heap bw__pageheap

static bool feed(void) {
  bw__span *s = bw__freespans_find(&heap.free, 1);
  if (!s) return false;
  bw__freespans_take(&heap.free, s);
  uintptr_t page = bw__span_end(s) - BW_PAGE_SIZE;
  bw__unpoison((void *)page, BW_PAGE_SIZE);
  memset((void *)page, 0, BW_PAGE_SIZE);
  bw__meta_donate((void *)page, BW_PAGE_SIZE);
  if (--s->pages > 0) {
    if (s->dirty > s->pages) s->dirty = s->pages;
    bw__pageheap_put_free(s);
  } else {
    bw__meta_span_free(s);
  }
  bw__span *self = bw__meta_alloc(sizeof *self); // the donated page has room
  self->start = page;
  self->pages = self->dirty = 1;
  self->state = SPAN_RECORDS;
  bw__pagemap_set_ends(self);
  return true;
}

void *bw__pageheap_meta(size_t bytes) {
  void *p = bw__meta_alloc(bytes);
  if (p || bytes > BW_PAGE_SIZE - BW_CACHE_LINE || !feed()) return p;
  return bw__meta_alloc(bytes);
}

bw__span *bw__pageheap_span_new(void) {
  bw__span *s = bw__meta_span_new();
  return s || !feed() ? s : bw__meta_span_new();
}

void *bw__pageheap_record(size_t bytes) {
  bw__mutex_lock(&heap.mu);
  bw__port_mem_sync(); // free pages may lie in memory that another thread grew under this lock
  void *p = bw__pageheap_meta(bytes);
  bw__mutex_unlock(&heap.mu);
  return p;
}
