// The page heap owns all memory that is not the allocator's own records, in spans.
//
// Free spans of 1..128 pages are in a list for each length, longer ones in a set ordered by length
// and address. A request for k pages
//   1. takes from the first list, from k on, that has a span;
//   2. else takes the best fit of the set;
//   3. else asks the system for more, at least 1 MB, and begins again;
// splits what it found and puts the rest back where its length belongs. A span that is given back
// swallows the free spans to its left and right first, so two free spans are never neighbours.
//
// The heap grows in steps of an eighth of its size: the number of calls (and on wasm of
// memory.grow, whose cost does not depend on the amount) stays logarithmic while at most an eighth
// is ahead of need.
//
// A region is memory that came in one piece, or in several that happen to touch. Regions are only
// for walking in address order: a region is a row of spans without a gap.
//
// I1: every page of every region is in exactly one live span.
// I2: a span with state SPAN_FREE is in listed[pages] or, above 128 pages, in `longer`; bit pages
// of
//     `nonempty` says whether listed[pages] has any.
// I3: no two neighbours are both free.
// I4: system bytes == records + free_pages + used_pages, in bytes.
//
// Locks: heap.mu (rank page heap), taken by every function of the header; no other is taken inside.
//
// Rejected: a buddy system (rounds 129 pages up to 256); boundary tags inside the memory (the page
// map answers the same without touching free pages, which may be with the system).
#include "alloc/pageheap.h"

#include "alloc/fork.h"
#include "alloc/freespans.h"
#include "alloc/meta.h"
#include "alloc/pagemap.h"
#include "alloc/poison.h"
#include "alloc/region.h"
#include "alloc/sizeclass.h"
#include "lock/mutex.h"
#include "port/port.h"

#define GROW_LEAST ((size_t)1 << 20)
#define GROW_MOST  ((size_t)64 << 20)
#define GROW_SHARE 8

static struct {
  bw__mutex mu;
  bw__freespans free;
  bw__region *regions;
  size_t used_pages, large_pages;
  uint64_t splits, coalesces;
  uint64_t large_allocs, large_frees;
} heap = {.mu = BW_MUTEX_INIT(BW_RANK_PAGEHEAP)}; // all under mu

static void put_free(bw__span *s) {
  s->state = SPAN_FREE;
  bw__pagemap_set_ends(s);
  bw__freespans_put(&heap.free, s);
}

static void take_free(bw__span *s) {
  BW_ASSERT(s->state == SPAN_FREE);
  bw__freespans_take(&heap.free, s);
}

// ---- splitting and joining ---------------------------------------------------------------------

// Cuts `s`, which is in no list, after `pages`. The new record is the right part; NULL: no memory
// for it, `s` is as it was.
static bw__span *split(bw__span *s, size_t pages) {
  bw__span *right = bw__meta_span_new();
  if (!right) return NULL;
  right->start = s->start + (pages << BW_PAGE_SHIFT);
  right->pages = s->pages - pages;
  right->dirty = s->dirty > pages ? s->dirty - pages : 0;
  right->released = s->released;
  s->pages = pages;
  if (s->dirty > pages) s->dirty = pages;
  heap.splits++;
  return right;
}

// Joins `right`, which follows `left` directly, to it. Both are in no list.
static void join(bw__span *left, bw__span *right) {
  if (right->dirty) left->dirty = left->pages + right->dirty;
  left->released = left->released && right->released;
  left->pages += right->pages;
  bw__meta_span_free(right);
  heap.coalesces++;
}

static bw__span *free_neighbour(uintptr_t address) {
  bw__span *s = bw__pagemap_span(address);
  return s && s->state == SPAN_FREE ? s : NULL;
}

// Puts `s`, which is in no list, among the free spans, joined with what is free on both sides.
static void put_joined(bw__span *s) {
  bw__span *left = free_neighbour(s->start - BW_PAGE_SIZE);
  bw__span *right = free_neighbour(bw__span_end(s));
  if (right) {
    take_free(right);
    join(s, right);
  }
  if (left) {
    take_free(left);
    join(left, s);
    s = left;
  }
  put_free(s);
}

// Back from use: its content is whatever the program left.
static void put_used(bw__span *s) {
  heap.used_pages -= s->pages;
  s->dirty = s->pages;
  s->released = false;
  put_joined(s);
}

// ---- growing -----------------------------------------------------------------------------------

static size_t growth_for(size_t least) {
  size_t share = (size_t)(bw__meta_count.system_bytes / GROW_SHARE);
  if (share > GROW_MOST) share = GROW_MOST;
  if (share < GROW_LEAST) share = GROW_LEAST;
  share = bw__align_up(share, GROW_LEAST);
  return least > share ? least : share;
}

// More free pages, at least `pages` of them in one piece. False: the system has no more.
static bool grow(size_t pages) {
  bw__span *s = bw__meta_span_new();
  if (!s) return false;
  size_t least = pages << BW_PAGE_SHIFT, got;
  void *p = bw__meta_grow(least, growth_for(least), &got);
  if (p) {
    uintptr_t start = (uintptr_t)p;
    if (bw__pagemap_cover(start, got) && bw__region_add(&heap.regions, start, got)) {
      s->start = start;
      s->pages = got >> BW_PAGE_SHIFT;
      put_joined(s);
      return true;
    }
    // No memory for the records of this memory: it becomes memory for records, so that the next
    // try gets further.
    bw__meta_donate(p, got);
  }
  bw__meta_span_free(s);
  return false;
}

// ---- taking ------------------------------------------------------------------------------------

// A span of exactly `pages`, in no list and in use; NULL: no memory.
static bw__span *take(size_t pages) {
  bw__port_mem_sync(); // under the lock: all memory of the heap was grown under it
  bw__span *s = bw__freespans_find(&heap.free, pages);
  if (!s) {
    if (!grow(pages)) return NULL;
    s = bw__freespans_find(&heap.free, pages);
  }
  take_free(s);
  if (s->pages > pages) {
    bw__span *rest = split(s, pages);
    if (!rest) {
      put_free(s);
      return NULL;
    }
    put_free(rest);
  }
  heap.used_pages += pages;
  return s;
}

static void become_large(bw__span *s) {
  s->state = SPAN_LARGE;
  s->released = false;
  heap.large_pages += s->pages;
  heap.large_allocs++;
  bw__pagemap_set_ends(s);
}

static void become_objects(bw__span *s, unsigned size_class) {
  s->state = SPAN_OBJECTS;
  s->released = false;
  s->size_class = (uint8_t)size_class;
  s->carved = 0;
  s->free = NULL;
  s->link = (bw__list){NULL, NULL};
  bw__store_relaxed(&s->in_use, 0);
  bw__pagemap_set_objects(s);
}

bw__span *bw__pageheap_alloc(size_t pages, unsigned size_class) {
  bw__mutex_lock(&heap.mu);
  bw__span *s = take(pages);
  if (s) {
    bw__unpoison((void *)s->start, bw__span_bytes(s));
    if (size_class)
      become_objects(s, size_class);
    else
      become_large(s);
  }
  bw__mutex_unlock(&heap.mu);
  return s;
}

// Cuts the used span `s` so that `pages` from an aligned address are left. False: no memory for the
// records, `s` is whole.
static bool trim(bw__span **s, size_t pages, size_t align) {
  uintptr_t start = bw__align_up((*s)->start, align);
  size_t head = (start - (*s)->start) >> BW_PAGE_SHIFT;
  if (head) {
    bw__span *right = split(*s, head);
    if (!right) return false;
    bw__span *left = *s;
    *s = right;
    bw__pagemap_set_ends(right);
    heap.used_pages -= head;
    put_joined(left);
  }
  if ((*s)->pages > pages) {
    bw__span *tail = split(*s, pages);
    if (!tail) return true; // longer than asked for: no harm
    bw__pagemap_set_ends(*s);
    heap.used_pages -= tail->pages;
    put_joined(tail);
  }
  return true;
}

bw__span *bw__pageheap_alloc_aligned(size_t pages, size_t align) {
  if (align <= BW_PAGE_SIZE) return bw__pageheap_alloc(pages, 0);
  bw__mutex_lock(&heap.mu);
  bw__span *s = take(pages + (align >> BW_PAGE_SHIFT) - 1);
  if (s) {
    // The neighbours must not take it for a free one while it is cut.
    s->state = SPAN_LARGE;
    if (trim(&s, pages, align)) {
      bw__unpoison((void *)s->start, bw__span_bytes(s));
      become_large(s);
    } else {
      heap.used_pages -= s->pages;
      put_joined(s);
      s = NULL;
    }
  }
  bw__mutex_unlock(&heap.mu);
  return s;
}

// ---- giving back -------------------------------------------------------------------------------

void bw__pageheap_free_objects(bw__list *first) {
  bw__mutex_lock(&heap.mu);
  while (first) {
    bw__span *s = BW_CONTAINER(first, bw__span, link);
    first = first->next;
    bw__pagemap_clear_objects(s);
    put_used(s);
  }
  bw__mutex_unlock(&heap.mu);
}

static bw__span *large_at(const void *p) {
  bw__span *s = bw__pagemap_span((uintptr_t)p);
  return s && s->state == SPAN_LARGE && s->start == (uintptr_t)p ? s : NULL;
}

size_t bw__pageheap_free_large(void *p) {
  bw__mutex_lock(&heap.mu);
  bw__span *s = large_at(p);
  size_t bytes = s ? bw__span_bytes(s) : 0;
  if (s) {
    heap.large_pages -= s->pages;
    heap.large_frees++;
    put_used(s);
  }
  bw__mutex_unlock(&heap.mu);
  return bytes;
}

size_t bw__pageheap_large_bytes(const void *p) {
  bw__mutex_lock(&heap.mu);
  bw__span *s = large_at(p);
  size_t bytes = s ? bw__span_bytes(s) : 0;
  bw__mutex_unlock(&heap.mu);
  return bytes;
}

static bool shrink_large(bw__span *s, size_t pages) {
  bw__span *tail = split(s, pages);
  if (!tail) return false;
  bw__pagemap_set_ends(s);
  heap.large_pages -= tail->pages;
  put_used(tail);
  return true;
}

static bool extend_large(bw__span *s, size_t pages) {
  bw__span *right = free_neighbour(bw__span_end(s));
  size_t more = pages - s->pages;
  if (!right || right->pages < more) return false;
  take_free(right);
  bw__span *rest = right->pages > more ? split(right, more) : NULL;
  if (right->pages > more) { // no record for the rest
    put_free(right);
    return false;
  }
  if (rest) put_free(rest);
  heap.used_pages += more;
  heap.large_pages += more;
  bw__meta_span_free(right);
  s->pages = pages;
  bw__pagemap_set_ends(s);
  return true;
}

bool bw__pageheap_resize_large(void *p, size_t pages) {
  bw__mutex_lock(&heap.mu);
  bw__port_mem_sync(); // as in take
  bw__span *s = large_at(p);
  bool done = false;
  if (s) {
    if (pages == s->pages)
      done = true;
    else
      done = pages < s->pages ? shrink_large(s, pages) : extend_large(s, pages);
    if (done) bw__unpoison((void *)s->start, bw__span_bytes(s));
  }
  bw__mutex_unlock(&heap.mu);
  return done;
}

void *bw__pageheap_record(size_t bytes) {
  bw__mutex_lock(&heap.mu);
  void *p = bw__meta_alloc(bytes);
  bw__mutex_unlock(&heap.mu);
  return p;
}

size_t bw__pageheap_release(void) {
  bw__mutex_lock(&heap.mu);
  size_t bytes = bw__freespans_release(&heap.free);
  bw__mutex_unlock(&heap.mu);
  return bytes;
}

// ---- reading -----------------------------------------------------------------------------------

void bw__pageheap_stats(bw_alloc_stats *out) {
  bw__mutex_lock(&heap.mu);
  out->system_bytes = bw__meta_count.system_bytes;
  out->system_calls = bw__meta_count.system_calls;
  out->metadata_bytes = bw__meta_count.bytes;
  out->released_bytes = (uint64_t)heap.free.released_pages << BW_PAGE_SHIFT;
  out->heap_free_bytes = (uint64_t)heap.free.pages << BW_PAGE_SHIFT;
  out->heap_free_spans = heap.free.spans;
  out->heap_used_bytes = (uint64_t)heap.used_pages << BW_PAGE_SHIFT;
  out->heap_splits = heap.splits;
  out->heap_coalesces = heap.coalesces;
  out->large_bytes = (uint64_t)heap.large_pages << BW_PAGE_SHIFT;
  bw__mutex_unlock(&heap.mu);
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

bool bw__pageheap_where(uintptr_t address, bw_alloc_where *out) {
  bw__mutex_lock(&heap.mu);
  bw__span *s = span_containing(address);
  bool used = s && s->state != SPAN_FREE;
  if (used && s->state == SPAN_OBJECTS) {
    bw_size_class row = bw__sizeclass_rows[s->size_class];
    *out = (bw_alloc_where){
        .span_start = s->start,
        .span_bytes = bw__span_bytes(s),
        .size_class = s->size_class,
        .object_size = row.size,
        .object_index = bw__sizeclass_index(s->size_class, (uint32_t)(address - s->start)),
        .span_objects = row.objects,
        .span_in_use = bw__load_relaxed(&s->in_use), // a statistic: the class's lock is not held
    };
  } else if (used) {
    size_t bytes = bw__span_bytes(s);
    *out = (bw_alloc_where){s->start, bytes, 0, bytes, 0, 1, 1};
  }
  bw__mutex_unlock(&heap.mu);
  return used;
}

static bw_alloc_span describe(const bw__span *s) {
  bw_alloc_span d = {.start = s->start, .bytes = bw__span_bytes(s), .size_class = -1};
  if (s->state == SPAN_OBJECTS) {
    d.size_class = s->size_class;
    d.objects = bw__sizeclass_rows[s->size_class].objects;
    d.in_use = bw__load_relaxed(&s->in_use); // a statistic: the class's lock is not held
  } else if (s->state == SPAN_LARGE) {
    d.size_class = 0;
    d.objects = d.in_use = 1;
  }
  return d;
}

void bw__pageheap_walk(bool (*visit)(const bw_alloc_span *span, void *arg), void *arg) {
  bw__region *r;
  bw__mutex_lock(&heap.mu);
  for (bw__span *s = bw__region_next_span(heap.regions, &r, NULL); s;
       s = bw__region_next_span(heap.regions, &r, s)) {
    bw_alloc_span d = describe(s);
    if (!visit(&d, arg)) break;
  }
  bw__mutex_unlock(&heap.mu);
}

// One span of a walk: its place in lists and map. `left_free`: its left neighbour is free.
static bool span_valid(const bw__span *s, uintptr_t at, bool left_free) {
  if (!s || s->start != at || s->pages == 0 || s->dirty > s->pages) return false;
  if (bw__pagemap_span(bw__span_end(s) - 1) != s) return false;
  if (s->state == SPAN_OBJECTS)
    return s->pages == bw__sizeclass_pages[s->size_class] && bw__pagemap_tag(at) == s->size_class;
  if (bw__pagemap_tag(at) != 0) return false;
  if (s->state == SPAN_LARGE) return true;
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
      *(left_free ? free_pages : used_pages) += s->pages;
      at = bw__span_end(s);
    }
  }
  return true;
}

bool bw__pageheap_valid(void) {
  bw__mutex_lock(&heap.mu);
  size_t free_pages = 0, used_pages = 0, free_spans = 0;
  bool valid = spans_valid(&free_pages, &used_pages, &free_spans) &&
               free_pages == heap.free.pages && used_pages == heap.used_pages &&
               free_spans == heap.free.spans && bw__spanset_valid(&heap.free.longer) &&
               bw__meta_count.system_bytes ==
                   bw__meta_count.bytes + ((uint64_t)(free_pages + used_pages) << BW_PAGE_SHIFT);
  bw__mutex_unlock(&heap.mu);
  return valid;
}

// ---- fork (alloc/fork.h), sbrk ------------------------------------------------------------------

void bw__pageheap_fork_before(void) { bw__mutex_lock_unranked(&heap.mu); }
void bw__pageheap_fork_after(void) { bw__mutex_unlock_unranked(&heap.mu); }

void *bw__pageheap_sbrk(size_t bytes) {
  bw__mutex_lock(&heap.mu);
  bw__port_mem_sync(); // as in take
  void *p = bw__port_mem_sbrk(bytes);
  bw__mutex_unlock(&heap.mu);
  return p;
}
