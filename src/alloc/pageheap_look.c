// Reading the page heap: statistics, where a pointer lives, the walk over all spans, the check of
// its invariants. Everything takes the page heap's lock.
#include "alloc/pageheap_state.h"

#include "alloc/meta.h"
#include "alloc/pagemap.h"
#include "alloc/sizeclass.h"
#include "port/port.h"

#define heap bw__pageheap

// Atomics are read in records that may lie in memory which another thread grew under this lock.
static void lock_to_look(void) {
  bw__mutex_lock(&heap.mu);
  bw__port_mem_sync();
}

void bw__pageheap_stats(bw_alloc_stats *out) {
  bw__mutex_lock(&heap.mu);
  out->system_bytes = bw__meta_count.system_bytes;
  out->system_calls = bw__meta_count.system_calls;
  out->metadata_bytes = bw__meta_count.bytes;
  out->released_bytes = (uint64_t)heap.free.released.pages << BW_PAGE_SHIFT;
  out->heap_free_bytes = (uint64_t)bw__freespans_pages(&heap.free) << BW_PAGE_SHIFT;
  out->heap_free_spans = bw__freespans_count(&heap.free);
  out->heap_used_bytes = (uint64_t)heap.used_pages << BW_PAGE_SHIFT;
  out->heap_splits = heap.splits;
  out->heap_coalesces = heap.coalesces;
  out->large_bytes = (uint64_t)heap.large_pages << BW_PAGE_SHIFT;
  out->limit_bytes = heap.limit;
  uint64_t bytes = bw__pageheap_system_bytes(); // records may have grown since the last peak
  out->peak_system_bytes = bytes > heap.peak_system_bytes ? bytes : heap.peak_system_bytes;
  out->peak_used_bytes = (uint64_t)heap.peak_used_pages << BW_PAGE_SHIFT;
  bw__mutex_unlock(&heap.mu);
}

uint64_t bw__pageheap_class_spans(unsigned c) {
  bw__mutex_lock(&heap.mu);
  uint64_t spans = heap.class_spans[c];
  bw__mutex_unlock(&heap.mu);
  return spans;
}

void bw__pageheap_large_counts(uint64_t *allocs, uint64_t *frees) {
  bw__mutex_lock(&heap.mu);
  *allocs = heap.large_allocs;
  *frees = heap.large_frees;
  bw__mutex_unlock(&heap.mu);
}

// The live span that contains `address`; NULL when it is not ours.
static bw__span *span_containing(uintptr_t address) {
  bw__span *s = bw__pagemap_span(address);
  if (s && bw__span_contains(s, address)) return s; // a dead record has no pages
  bw__region *r = bw__region_of(heap.regions, address);
  if (!r) return NULL;
  s = bw__pagemap_span(r->start);
  while (!bw__span_contains(s, address)) s = bw__region_next_span(heap.regions, &r, s);
  return s;
}

static bool is_cut(const bw__span *s) {
  return s->state == SPAN_OBJECTS || (s->state == SPAN_HEAP && s->size_class);
}

bool bw__pageheap_where(uintptr_t address, bw_alloc_where *out) {
  lock_to_look();
  bw__span *s = span_containing(address);
  bool used = s && s->state != SPAN_FREE && s->state != SPAN_RECORDS;
  if (used && is_cut(s)) {
    bw_size_class row = bw__sizeclass_rows[s->size_class];
    *out = (bw_alloc_where){
        .span_start = s->start,
        .span_bytes = bw__span_bytes(s),
        .size_class = s->size_class,
        .object_size = row.size,
        .object_index = bw__sizeclass_index(s->size_class, (uint32_t)(address - s->start)),
        .span_objects = row.objects,
        .span_in_use = bw__load_relaxed(&s->in_use), // a statistic: its lock is not held
        .owner = bw__load_relaxed(&s->owner),        // the same
    };
  } else if (used) {
    size_t bytes = bw__span_bytes(s);
    *out = (bw_alloc_where){s->start, bytes, 0, bytes, 0, 1, 1, bw__load_relaxed(&s->owner)};
  }
  bw__mutex_unlock(&heap.mu);
  return used;
}

static bw_alloc_span describe(const bw__span *s) {
  bw_alloc_span d = {.start = s->start, .bytes = bw__span_bytes(s), .size_class = -1};
  if (s->state == SPAN_HEAP) d.owner = bw__load_relaxed(&s->owner); // a statistic, as below
  if (is_cut(s)) {
    d.size_class = s->size_class;
    d.objects = bw__sizeclass_rows[s->size_class].objects;
    d.in_use = bw__load_relaxed(&s->in_use); // its lock is not held
  } else if (s->state != SPAN_FREE) {
    d.size_class = 0;
    d.objects = d.in_use = 1;
  }
  return d;
}

bool bw__pageheap_free_span(uintptr_t address, bw_alloc_span *out) {
  lock_to_look();
  bw__span *s = span_containing(address);
  bool found = s && s->state == SPAN_FREE;
  if (found) *out = describe(s);
  bw__mutex_unlock(&heap.mu);
  return found;
}

bool bw__pageheap_in_records(uintptr_t address) {
  lock_to_look();
  bw__span *s = span_containing(address);
  bool in_records = s && s->state == SPAN_RECORDS;
  bw__mutex_unlock(&heap.mu);
  return in_records;
}

void bw__pageheap_walk(bool (*visit)(const bw_alloc_span *span, void *arg), void *arg) {
  bw__region *r;
  lock_to_look();
  for (bw__span *s = bw__region_next_span(heap.regions, &r, NULL); s;
       s = bw__region_next_span(heap.regions, &r, s)) {
    if (s->state == SPAN_RECORDS) continue;
    bw_alloc_span d = describe(s);
    if (!visit(&d, arg)) break;
  }
  bw__mutex_unlock(&heap.mu);
}

// A first-class heap's span: the map leads to it from every object.
static bool owned_valid(const bw__span *s) {
  if (!s->size_class) return true;
  for (size_t i = 0; i < s->pages; i++)
    if (bw__pagemap_span(s->start + (i << BW_PAGE_SHIFT)) != s) return false;
  return s->pages == bw__sizeclass_pages[s->size_class];
}

// One span of a walk: its place in lists and map. `left_free`: its left neighbour is free.
static bool span_valid(const bw__span *s, uintptr_t at, bool left_free) {
  if (!s || s->start != at || s->pages == 0 || s->dirty > s->pages) return false;
  if (bw__pagemap_span(bw__span_end(s) - 1) != s) return false;
  if (s->state == SPAN_OBJECTS)
    return s->pages == bw__sizeclass_pages[s->size_class] && bw__pagemap_tag(at) == s->size_class;
  if (bw__pagemap_tag(at) != 0) return false;
  if (s->state == SPAN_HEAP) return owned_valid(s);
  if (bw__load_relaxed(&s->owner)) return false; // no heap changes a span that is not its own
  if (s->state == SPAN_LARGE || s->state == SPAN_RECORDS) return true;
  return s->state == SPAN_FREE && !left_free;
}

static bool spans_valid(size_t *free_pages, size_t *used_pages, size_t *free_spans) {
  for (bw__region *r = heap.regions; r; r = r->next) {
    if (r->next && r->next->start <= r->end) return false;
    bool left_free = false;
    for (uintptr_t at = r->start; at < r->end;) {
      bw__span *s = bw__pagemap_span(at);
      if (!span_valid(s, at, left_free)) return false;
      left_free = s->state == SPAN_FREE;
      *free_spans += left_free;
      if (s->state != SPAN_RECORDS) *(left_free ? free_pages : used_pages) += s->pages;
      at = bw__span_end(s);
    }
  }
  return true;
}

bool bw__pageheap_valid(void) {
  lock_to_look();
  size_t free_pages = 0, used_pages = 0, free_spans = 0;
  bool valid = spans_valid(&free_pages, &used_pages, &free_spans) &&
               free_pages == bw__freespans_pages(&heap.free) && used_pages == heap.used_pages &&
               free_spans == bw__freespans_count(&heap.free) && bw__freespans_valid(&heap.free) &&
               bw__meta_count.system_bytes ==
                   bw__meta_count.bytes + ((uint64_t)(free_pages + used_pages) << BW_PAGE_SHIFT);
  bw__mutex_unlock(&heap.mu);
  return valid;
}
