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
// The heap grows in steps of an eighth of its size, so the number of calls stays logarithmic while
// at most an eighth is ahead of need; on wasm, where memory is had for good, of a thirty-second.
//
// A region is memory that came in one piece, or in several that happen to touch. Regions are only
// for walking in address order: a region is a row of spans without a gap.
//
// I1: every page of every region is in exactly one live span. (One in state SPAN_RECORDS is memory
//     for records: pageheap_grow.c.)
// I2: the spans with state SPAN_FREE are those in `free`.
// I3: no two neighbours are both free.
// I4: system bytes == records + free pages + used_pages, in bytes.
//
// Locks: heap.mu (rank page heap), taken by every function of the header; no other is taken inside.
//
// Rejected: a buddy system (rounds 129 pages up to 256); boundary tags inside the memory (the page
// map answers the same without touching free pages, which may be with the system).
#include "alloc/pageheap_state.h"

#include "alloc/chain.h"
#include "alloc/fork.h"
#include "alloc/meta.h"
#include "alloc/pagemap.h"
#include "alloc/poison.h"
#include "alloc/profile.h"
#include "alloc/sizeclass.h"
#include "base/rand.h"
#include "port/port.h"

uint64_t bw__chain_key;

bw__pageheap_state bw__pageheap = {.mu = BW_MUTEX_INIT(BW_RANK_PAGEHEAP)};
#define heap bw__pageheap

void bw__pageheap_put_free(bw__span *s) {
  s->state = SPAN_FREE;
  bw__pagemap_set_ends(s);
  bw__freespans_put(&heap.free, s);
}

static void take_free(bw__span *s) {
  BW_ASSERT(s->state == SPAN_FREE);
  bw__freespans_take(&heap.free, s);
}

// ---- splitting and joining ---------------------------------------------------------------------

// Cuts `s`, which is in no list, after `pages`; the result is the right part. Its record may be in
// its own last pages. NULL: there were no others, and `s` ends before them.
static bw__span *split(bw__span *s, size_t pages) {
  bw__span *right = bw__pageheap_span_new();
  if (!right) {
    bw__pageheap_feed_from(s, s->pages - pages);
    if (s->pages == pages) return NULL;
    right = bw__meta_span_new();
  }
  right->start = s->start + (pages << BW_PAGE_SHIFT);
  right->pages = s->pages - pages;
  right->dirty = s->dirty > pages ? s->dirty - pages : 0;
  right->released = s->released;
  right->window = s->window;
  s->pages = pages;
  if (s->dirty > pages) s->dirty = pages;
  heap.splits++;
  return right;
}

// Takes the free span `s` off its list and puts back what is beyond `pages`.
static void take_cut(bw__span *s, size_t pages) {
  take_free(s);
  if (s->pages == pages) return;
  bw__span *rest = split(s, pages);
  if (rest) bw__pageheap_put_free(rest);
}

// Joins `right`, which follows `left` directly, to it. Both are in no list.
static void join(bw__span *left, bw__span *right) {
  if (right->dirty) left->dirty = left->pages + right->dirty;
  left->released = left->released && right->released;
  if (right->window > left->window) left->window = right->window;
  left->pages += right->pages;
  bw__meta_span_free(right);
  heap.coalesces++;
}

static bw__span *free_neighbour(uintptr_t address) {
  bw__span *s = bw__pagemap_span(address);
  return s && s->state == SPAN_FREE ? s : NULL;
}

void bw__pageheap_put_joined(bw__span *s) {
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
  bw__pageheap_put_free(s);
}

// Back from use: its content is whatever the program left.
static void put_used(bw__span *s) {
  size_t pages = s->pages;
  heap.used_pages -= pages;
  s->dirty = pages;
  s->released = false;
  s->window = heap.scavenge.window;
  bw__pageheap_put_joined(s);
  bw__scavenge_came_back(&heap.scavenge, &heap.free, pages);
}

// ---- taking ------------------------------------------------------------------------------------

// After used_pages or what is resident became more.
static void note_peaks(void) {
  if (heap.used_pages > heap.peak_used_pages) heap.peak_used_pages = heap.used_pages;
  uint64_t bytes = bw__pageheap_system_bytes();
  if (bytes > heap.peak_system_bytes) heap.peak_system_bytes = bytes;
}

// A span of exactly `pages`, in no list and in use; NULL: no memory.
static bw__span *take(size_t pages) {
  bw__port_mem_sync(); // under the lock: all memory of the heap was grown under it
  bw__span *s = bw__freespans_find(&heap.free, pages);
  if (!s) {
    if (!bw__pageheap_grow(pages)) return NULL;
    s = bw__freespans_find(&heap.free, pages);
  }
  take_cut(s, pages);
  heap.used_pages += pages;
  note_peaks();
  return s;
}

static void become_large(bw__span *s) {
  s->state = SPAN_LARGE;
  s->released = false;
  s->sample = NULL;
  heap.large_pages += s->pages;
  heap.large_allocs++;
  bw__pagemap_set_ends(s);
}

// Before the first object there is. Not a secret from those who can read memory: it is there so
// that what the program writes by mistake is no link.
static void choose_key(void) {
  bw__rand seed = {(uint64_t)bw__port_now() ^ (uintptr_t)&seed ^ bw__port_seed()};
  do bw__chain_key = bw__rand_next(&seed);
  while (!bw__chain_key);
}

// What is cut into objects, none of them made yet.
static void become_cut(bw__span *s, bw__span_state state, unsigned size_class) {
  s->state = (uint8_t)state;
  s->released = false;
  s->size_class = (uint8_t)size_class;
  s->carved = 0;
  s->free = NULL;
  s->link = (bw__list){NULL, NULL};
  bw__store_relaxed(&s->in_use, 0);
  if (BW_UNLIKELY(!bw__chain_key)) choose_key();
}

static void become_objects(bw__span *s, unsigned size_class) {
  become_cut(s, SPAN_OBJECTS, size_class);
  heap.class_spans[size_class]++;
  bw__pagemap_set_objects(s);
}

static void become_owned(bw__span *s, unsigned size_class) {
  become_cut(s, SPAN_HEAP, size_class);
  if (size_class)
    bw__pagemap_set_all(s);
  else
    bw__pagemap_set_ends(s);
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
    if (right->pages < pages) { // the record took the last page
      join(*s, right);
      return false;
    }
    bw__span *left = *s;
    *s = right;
    bw__pagemap_set_ends(right);
    heap.used_pages -= head;
    bw__pageheap_put_joined(left);
  }
  if ((*s)->pages > pages) {
    bw__span *tail = split(*s, pages);
    bw__pagemap_set_ends(*s);
    if (!tail) return true;
    heap.used_pages -= tail->pages;
    bw__pageheap_put_joined(tail);
  }
  return true;
}

static bw__span *take_aligned(size_t pages, size_t align) {
  if (align <= BW_PAGE_SIZE) return take(pages);
  bw__span *s = take(pages + (align >> BW_PAGE_SHIFT) - 1);
  if (!s) return NULL;
  s->state = SPAN_LARGE; // the neighbours must not take it for a free one while it is cut
  if (trim(&s, pages, align)) return s;
  heap.used_pages -= s->pages;
  bw__pageheap_put_joined(s);
  return NULL;
}

bw__span *bw__pageheap_alloc_aligned(size_t pages, size_t align) {
  bw__mutex_lock(&heap.mu);
  bw__span *s = take_aligned(pages, align);
  if (s) {
    bw__unpoison((void *)s->start, bw__span_bytes(s));
    become_large(s);
  }
  bw__mutex_unlock(&heap.mu);
  return s;
}

bw__span *bw__pageheap_alloc_owned(size_t pages, size_t align, unsigned size_class) {
  bw__mutex_lock(&heap.mu);
  bw__span *s = take_aligned(pages, align);
  if (s) {
    bw__unpoison((void *)s->start, bw__span_bytes(s));
    become_owned(s, size_class);
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
    if (s->state == SPAN_OBJECTS) {
      heap.class_spans[s->size_class]--;
      bw__pagemap_clear_objects(s);
    }
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
  struct bw__sample *sample = s ? s->sample : NULL;
  if (s) {
    heap.large_pages -= s->pages;
    heap.large_frees++;
    put_used(s);
  }
  bw__mutex_unlock(&heap.mu);
  if (BW_UNLIKELY(sample)) bw__profile_freed(sample);
  return bytes;
}

size_t bw__pageheap_large_bytes(const void *p) {
  bw__mutex_lock(&heap.mu);
  bw__span *s = large_at(p);
  size_t bytes = s ? bw__span_bytes(s) : 0;
  bw__mutex_unlock(&heap.mu);
  return bytes;
}

size_t bw__pageheap_large_usable(const void *p, unsigned *size_class) {
  bw__mutex_lock(&heap.mu);
  bw__span *s = large_at(p);
  size_t bytes = s ? bw__span_bytes(s) : 0;
  *size_class = s && s->sample ? bw__profile_class(s->sample) : 0;
  bw__mutex_unlock(&heap.mu);
  return *size_class ? bw__sizeclass_sizes[*size_class] : bytes;
}

static bool shrink_large(bw__span *s, size_t pages) {
  size_t had = s->pages;
  bw__span *tail = split(s, pages);
  bw__pagemap_set_ends(s);
  if (s->state == SPAN_LARGE) heap.large_pages -= had - pages;
  if (tail) put_used(tail);
  return true;
}

static bool extend_large(bw__span *s, size_t pages) {
  bw__span *right = free_neighbour(bw__span_end(s));
  size_t more = pages - s->pages;
  if (!right || right->pages < more) return false;
  take_cut(right, more);
  heap.used_pages += more;
  if (s->state == SPAN_LARGE) heap.large_pages += more;
  note_peaks();
  bw__meta_span_free(right);
  s->pages = pages;
  bw__pagemap_set_ends(s);
  return true;
}

static bool resize_large(bw__span *s, size_t pages) {
  if (pages == s->pages) return true;
  bool done = pages < s->pages ? shrink_large(s, pages) : extend_large(s, pages);
  if (done) bw__unpoison((void *)s->start, bw__span_bytes(s));
  return done;
}

bool bw__pageheap_resize_large(void *p, size_t pages) {
  bw__mutex_lock(&heap.mu);
  bw__port_mem_sync(); // as in take
  bw__span *s = large_at(p);
  size_t old_bytes = s ? bw__span_bytes(s) : 0;
  bool done = s && resize_large(s, pages);
  bw__mutex_unlock(&heap.mu);
  if (done && pages << BW_PAGE_SHIFT != old_bytes) bw__profile_resized(s, old_bytes);
  return done;
}

bool bw__pageheap_resize_owned(bw__span *s, size_t pages) {
  bw__mutex_lock(&heap.mu);
  bw__port_mem_sync(); // as in take
  bool done = resize_large(s, pages);
  bw__mutex_unlock(&heap.mu);
  return done;
}

size_t bw__pageheap_release_some(size_t bytes) {
  bw__mutex_lock(&heap.mu);
  size_t pages = bw__freespans_release(&heap.free, bytes >> BW_PAGE_SHIFT, UINT32_MAX);
  bw__mutex_unlock(&heap.mu);
  return pages << BW_PAGE_SHIFT;
}

size_t bw__pageheap_release(void) { return bw__pageheap_release_some(SIZE_MAX); }

void bw__pageheap_set_limit(uint64_t bytes) {
  bw__mutex_lock(&heap.mu);
  heap.limit = bytes;
  if (bw__pageheap_above_limit(0)) bw__freespans_release(&heap.free, SIZE_MAX, UINT32_MAX);
  bw__mutex_unlock(&heap.mu);
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
