// Where the page heap's memory comes from: the system; and memory for records, when the system has
// no more, from the free pages, so that these can be used to the last one, since to cut a span
// takes a record.
//
// Pages that have become memory for records are a span of their own, in state SPAN_RECORDS: so a
// region is a row of spans as before (I1 of pageheap.c), and they count as records (I4). Its record
// is the first that is cut from it. They stay that for good: stale entries of the page map lead to
// records that are dead, and must find a record there (heap.c). So they are taken in few pieces,
// each time as many pages as all times before if there are so many together: a heap of which all
// was freed again is cut into a few long spans, not into many short ones. (Half of 512 MB freed in
// small pieces, and these filled with small objects: 11 pieces in place of 249.) Of all pages one
// in 128 is needed, and two at most are taken.
//
// What is cut off a span when not even a page is free gets its record from its own last pages.
#include "alloc/pageheap_state.h"

#include <string.h>

#include "alloc/pagemap.h"
#include "alloc/poison.h"
#include "port/port.h"

#define GROW_LEAST ((size_t)1 << 20)
#define GROW_MOST  ((size_t)64 << 20)
#define GROW_SHARE (BW_WASM ? 32 : 8)

#define heap bw__pageheap

// ---- records ------------------------------------------------------------------------------------

// As many pages as all that are records already.
static size_t wanted(void) { return heap.record_pages ? heap.record_pages : 1; }

// Of a span in use, which is cut and needs the rest, one; nobody knows what is in it.
void bw__pageheap_feed_from(bw__span *s, size_t most) {
  bool in_use = s->state != SPAN_FREE;
  size_t pages = in_use ? 1 : wanted();
  while (pages > most) pages /= 2;
  if (in_use) {
    s->dirty = s->pages;
    heap.used_pages -= pages;
  }
  uintptr_t start = bw__span_end(s) - (pages << BW_PAGE_SHIFT);
  size_t clean = s->pages - s->dirty, dirty = clean < pages ? pages - clean : 0;
  bw__unpoison((void *)start, pages << BW_PAGE_SHIFT);
  memset((void *)start, 0, dirty << BW_PAGE_SHIFT);
  bw__meta_donate((void *)start, pages << BW_PAGE_SHIFT);
  s->pages -= pages;
  if (s->dirty > s->pages) s->dirty = s->pages;
  if (s->pages == 0) bw__meta_span_free(s);
  bw__span *self = bw__meta_alloc(sizeof *self); // there is room
  self->start = start;
  self->pages = self->dirty = pages;
  self->state = SPAN_RECORDS;
  bw__pagemap_set_ends(self);
  heap.record_pages += pages;
}

static bool feed(void) {
  bw__span *s = NULL;
  for (size_t pages = wanted(); pages > 0 && !s; pages /= 2)
    s = bw__freespans_find(&heap.free, pages);
  if (!s) return false;
  bw__freespans_take(&heap.free, s);
  bw__pageheap_feed_from(s, s->pages);
  if (s->state != SPAN_DEAD) bw__pageheap_put_free(s);
  return true;
}

bw__span *bw__pageheap_span_new(void) {
  bw__span *s = bw__meta_span_new();
  return s || !feed() ? s : bw__meta_span_new();
}

void *bw__pageheap_record(size_t bytes) {
  bw__mutex_lock(&heap.mu);
  bw__port_mem_sync(); // free pages may lie in memory that another thread grew under this lock
  void *p = bw__meta_alloc(bytes);
  if (!p && bytes <= BW_PAGE_SIZE - BW_CACHE_LINE && feed()) p = bw__meta_alloc(bytes);
  bw__mutex_unlock(&heap.mu);
  return p;
}

// ---- growing ------------------------------------------------------------------------------------

bool bw__pageheap_above_limit(size_t bytes) {
  return heap.limit && bw__pageheap_system_bytes() + bytes > heap.limit;
}

// Near the soft limit nothing is asked for ahead of need, and idle pages go first.
static size_t growth_for(size_t least) {
  size_t share = (size_t)(bw__meta_count.system_bytes / GROW_SHARE);
  if (share > GROW_MOST) share = GROW_MOST;
  if (share < GROW_LEAST) share = GROW_LEAST;
  share = bw__align_up(share, GROW_LEAST);
  if (least >= share) share = least;
  if (!bw__pageheap_above_limit(share)) return share;
  bw__freespans_release(&heap.free, SIZE_MAX, UINT32_MAX);
  return least;
}

// Makes new memory a free span. False: there is no memory for its records.
static bool add(uintptr_t start, size_t bytes) {
  bw__span *s = bw__pageheap_span_new();
  if (s && bw__pagemap_cover(start, bytes) && bw__region_add(&heap.regions, start, bytes)) {
    s->start = start;
    s->pages = bytes >> BW_PAGE_SHIFT;
    bw__pageheap_put_joined(s);
    return true;
  }
  if (s) bw__meta_span_free(s);
  return false;
}

// As much as the records of new memory need at most.
static size_t records_of(uintptr_t start, size_t bytes) {
  enum { SHIFT = BW_PAGE_SHIFT + BW_PAGEMAP_LEAF_BITS };
  size_t leaves = ((start + bytes - 1) >> SHIFT) - (start >> SHIFT) + 1;
  return bw__align_up(leaves * sizeof(bw__pagemap_leaf) + BW_PAGE_SIZE, BW_PAGE_SIZE);
}

// For new memory for whose records there is none: as much of it as they need becomes that.
static void add_with_records(uintptr_t start, size_t bytes) {
  size_t head = records_of(start, bytes);
  if (head > bytes) head = bytes;
  bw__meta_donate((void *)start, head);
  if (head < bytes && !add(start + head, bytes - head))
    bw__meta_donate((void *)(start + head), bytes - head);
}

bool bw__pageheap_grow(size_t pages) {
  enum { TRIES = 3 }; // one to get memory for records, which a further one may need
  size_t least = pages << BW_PAGE_SHIFT, got;
  for (int i = 0; i < TRIES; i++) {
    void *p = bw__meta_grow(least, growth_for(least), &got);
    if (!p) break;
    if (add((uintptr_t)p, got)) return true;
    add_with_records((uintptr_t)p, got);
    if (bw__freespans_find(&heap.free, pages)) return true;
  }
  return false;
}
