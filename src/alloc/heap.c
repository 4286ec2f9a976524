// A first-class heap has spans of its own (SPAN_HEAP), cut for a size class each, and one for each
// large object. It is what central and the thread caches are together for all other memory, without
// either: one lock, and behind it for each class a list of spans with a free object.
//
// The page map has no tag for these pages, so bw_free comes here on its slow path and the fast path
// knows nothing of heaps. It has the span for each page instead, and the span knows its owner.
//
// From a pointer to its heap, without the page heap's lock. bw_free reads the span in the page map,
// the owner in the span, locks that heap and looks again: is it still the owner, and is the pointer
// inside the span? A span's owner is only written under the owner's lock, so what is true then
// stays true. Until then nothing is certain, but nothing is lost: the records of spans and of heaps
// are never given back, so a stale one is a record of something else. With a pointer to an object
// in use there is no race at all: the object keeps its span, and the span its owner. A race needs a
// pointer that is none, or a heap that is destroyed while it is used; both end in a message, unless
// the memory has become somebody else's object by then.
//
// I1: each span is on one list: `full` when all its objects are in use, `large`, or its class's.
// I2: in a class's list at most one span has nothing in use. It is the last; `spare` says so. (The
//     next one that becomes empty goes back to the page heap, so a program that frees and allocates
//     a span's worth in turn does not ask the page heap each time.)
// I3: count.bytes and count.spans are of all its spans; count.objects == mallocs - frees.
// I4: no bit of an object in use is written here but its first eight bytes, when it is handed out.
//
// Free objects are in a chain for each span, as in central: chain.h says how a double free is seen.
// Here the test is sharper, since a link leads into the same span.
//
// Locks: heap, and the page heap's inside. Rejected: a cache for each thread and heap. Its objects
// would have to be found when the heap is destroyed, in all threads.
#include "alloc/heap.h"

#include <string.h>

#include "alloc/cache.h"
#include "alloc/heap_state.h"
#include "alloc/misuse.h"
#include "alloc/object.h"
#include "alloc/pageheap.h"
#include "alloc/poison.h"
#include "port/port.h"

// ---- locking -----------------------------------------------------------------------------------

// Twice in sync: the heap's record, then what other threads have put in the heap.
void bw__heap_lock(bw_heap *h, const char *function) {
  bw__port_mem_sync();
  bw__mutex_lock(&h->mu);
  bw__port_mem_sync();
  if (BW_UNLIKELY(!h->live)) bw__misuse_heap(function, h);
}

void bw__heap_unlock(bw_heap *h) { bw__mutex_unlock(&h->mu); }

bw_heap *bw__heap_lock_owner(const void *p, bw__span **span) {
  bw__port_mem_sync();
  bw__span *s = bw__pagemap_span((uintptr_t)p);
  bw_heap *h = s ? bw__load_relaxed(&s->owner) : NULL; // looked at again under the lock
  if (!h) return NULL;
  bw__mutex_lock(&h->mu);
  bw__port_mem_sync();
  if (BW_LIKELY(bw__load_relaxed(&s->owner) == h && bw__span_contains(s, (uintptr_t)p))) {
    *span = s;
    return h;
  }
  bw__mutex_unlock(&h->mu);
  return NULL;
}

// ---- spans -------------------------------------------------------------------------------------

static bw__span *span_of(bw__list *link) { return BW_CONTAINER(link, bw__span, link); }

void bw__heap_disown_locked(bw_heap *h, bw__span *s, bw__list **chain) {
  bw__list_remove(&s->link);
  bw__store_relaxed(&s->owner, NULL); // under the lock, which those who believe it hold
  h->count.bytes -= bw__span_bytes(s);
  h->count.spans--;
  bw__poison_span((void *)s->start, bw__span_bytes(s));
  s->link.next = *chain;
  *chain = &s->link;
}

size_t bw__heap_take_spare_locked(bw_heap *h, bw__list **chain) {
  uint64_t before = h->count.bytes;
  for (unsigned c = 1; c < BW_SIZECLASS_COUNT; c++) {
    bw__heap_class *k = &h->classes[c];
    if (!k->spare) continue;
    k->spare = false;
    bw__heap_disown_locked(h, span_of(k->spans.prev), chain);
  }
  return (size_t)(before - h->count.bytes);
}

// How many spans go under one lock of the page heap.
enum { GIVE_BACK_AT_ONCE = 64 };

void bw__heap_give_back(bw__list *chain) {
  while (chain) {
    bw__list *last = chain;
    for (int n = 1; n < GIVE_BACK_AT_ONCE && last->next; n++) last = last->next;
    bw__list *rest = last->next;
    last->next = NULL;
    bw__pageheap_free_objects(chain);
    chain = rest;
  }
}

// What to allocate, and what came of it.
typedef struct {
  unsigned size_class; // 0: large
  size_t pages, align;
  size_t dirty; // out: leading bytes that may hold something other than zeros
  bool limited; // out: the heap's own limit was in the way
} request;

static bool is_above_limit(const bw_heap *h, size_t pages) {
  return h->count.limit_bytes &&
         h->count.bytes + ((uint64_t)pages << BW_PAGE_SHIFT) > h->count.limit_bytes;
}

// Whether `pages` more are within the limit, if need be without the empty spans.
static bool make_room_locked(bw_heap *h, size_t pages) {
  if (BW_LIKELY(!is_above_limit(h, pages))) return true;
  bw__list *chain = NULL;
  if (!bw__heap_take_spare_locked(h, &chain)) return false;
  bw__heap_give_back(chain);
  return !is_above_limit(h, pages);
}

static void count_bytes(bw_heap *h, uint64_t bytes) {
  h->count.bytes = bytes;
  if (bytes > h->count.peak_bytes) h->count.peak_bytes = bytes;
}

static void count_live(bw_heap *h, uint64_t bytes) {
  h->count.live_bytes = bytes;
  if (bytes > h->count.peak_live_bytes) h->count.peak_live_bytes = bytes;
}

// A new span of the heap, on no list. NULL: no memory, or the limit.
static bw__span *add_span_locked(bw_heap *h, request *r) {
  r->limited = !make_room_locked(h, r->pages);
  if (r->limited) return NULL;
  bw__span *s = bw__pageheap_alloc_owned(r->pages, r->align, r->size_class);
  if (!s) return NULL;
  bw__port_mem_sync(); // its memory may be new
  bw__store_relaxed(&s->owner, h);
  h->count.spans++;
  count_bytes(h, h->count.bytes + bw__span_bytes(s));
  return s;
}

// ---- allocating --------------------------------------------------------------------------------

static bw__span *span_with_free_locked(bw_heap *h, request *r) {
  bw__heap_class *k = &h->classes[r->size_class];
  if (BW_LIKELY(!bw__list_empty(&k->spans))) return span_of(k->spans.next);
  bw__span *s = add_span_locked(h, r);
  if (s) bw__list_push_front(&k->spans, &s->link);
  return s;
}

static void *alloc_small_locked(bw_heap *h, request *r) {
  unsigned c = r->size_class;
  size_t size = bw__sizeclass_sizes[c];
  bw__span *s = span_with_free_locked(h, r);
  if (!s) return NULL;
  void *object = bw__object_take(s);
  bw__unpoison(object, size);
  bw__chain_clear(object);
  uint32_t in_use = bw__load_relaxed(&s->in_use) + 1u; // written under this lock only
  bw__store_relaxed(&s->in_use, (uint16_t)in_use);
  if (in_use == 1) h->classes[c].spare = false; // it was that one, or is new
  if (in_use == bw__sizeclass_rows[c].objects) {
    bw__list_remove(&s->link);
    bw__list_push_front(&h->full, &s->link);
  }
  count_live(h, h->count.live_bytes + size);
  return object;
}

static void *alloc_large_locked(bw_heap *h, request *r) {
  bw__span *s = add_span_locked(h, r);
  if (!s) return NULL;
  bw__list_push_front(&h->large, &s->link);
  bw__store_relaxed(&s->in_use, 1); // as above
  count_live(h, h->count.live_bytes + bw__span_bytes(s));
  r->dirty = s->dirty << BW_PAGE_SHIFT;
  return bw__object_large(s);
}

static void *alloc_once(bw_heap *h, request *r, const char *function) {
  bw__heap_lock(h, function);
  void *object = r->size_class ? alloc_small_locked(h, r) : alloc_large_locked(h, r);
  if (BW_LIKELY(object)) {
    h->count.mallocs++;
    h->count.objects++;
  }
  bw__mutex_unlock(&h->mu);
  return object;
}

// Out of memory: what waits in this thread's cache and in central may make up a span.
static void *alloc(bw_heap *h, request *r, const char *function) {
  void *object = alloc_once(h, r, function);
  if (BW_LIKELY(object) || r->limited) return object;
  bw__cache_flush();
  return alloc_once(h, r, function);
}

// What to ask for, for `size` bytes. False: more than there can be.
static bool plan(request *r, unsigned size_class, size_t align, size_t size) {
  *r = (request){.size_class = size_class, .align = BW_PAGE_SIZE};
  if (size_class) {
    r->pages = bw__sizeclass_pages[size_class];
    r->dirty = size;
    return true;
  }
  if (size > BW_PAGEHEAP_MAX_BYTES || align > BW_PAGEHEAP_MAX_BYTES - size) return false;
  r->pages = bw__pageheap_pages_for(size);
  if (!r->pages) r->pages = 1; // an alignment alone may make an object large
  r->align = align > BW_PAGE_SIZE ? align : BW_PAGE_SIZE;
  return true;
}

void *bw_heap_malloc(bw_heap *h, size_t size) {
  if (!h) return bw_malloc(size);
  request r;
  return plan(&r, bw__sizeclass_of16(size), 0, size) ? alloc(h, &r, "bw_heap_malloc") : NULL;
}

void *bw_heap_calloc(bw_heap *h, size_t count, size_t size) {
  size_t bytes;
  request r;
  if (!h) return bw_calloc(count, size);
  if (__builtin_mul_overflow(count, size, &bytes)) return NULL;
  if (!plan(&r, bw__sizeclass_of16(bytes), 0, bytes)) return NULL;
  void *object = alloc(h, &r, "bw_heap_calloc");
  if (object) memset(object, 0, r.dirty < bytes ? r.dirty : bytes);
  return object;
}

void *bw_heap_aligned_alloc(bw_heap *h, size_t align, size_t size) {
  request r;
  if (!h) return bw_aligned_alloc(align, size);
  if (align == 0 || (align & (align - 1)) != 0) return NULL;
  unsigned c = align <= 8 ? bw__sizeclass_of16(size) : bw__sizeclass_aligned(align, size);
  return plan(&r, c, align, size) ? alloc(h, &r, "bw_heap_aligned_alloc") : NULL;
}

void *bw_heap_realloc(bw_heap *h, void *p, size_t size) {
  if (!p) return bw_heap_malloc(h, size);
  if (h && bw_heap_of(p) != h) bw__misuse_foreign("bw_heap_realloc", p, h);
  return bw_realloc(p, size);
}

// ---- freeing -----------------------------------------------------------------------------------

bool bw__heap_is_free_locked(const bw__span *s, const void *object, uint64_t word) {
  uint64_t next = word ^ bw__chain_mask(object);
  if (BW_LIKELY(!bw__chain_plausible(next))) return false;
  if (next == 0) return true;
  uint64_t at = next - s->start; // huge when it lies before
  return at < (uint64_t)s->carved * bw__sizeclass_sizes[s->size_class] &&
         bw__sizeclass_starts(s->size_class, (uint32_t)at);
}

// Whether an object in use starts at `p`, which is in `s`.
static bool is_in_use_locked(const bw__span *s, const void *p) {
  size_t at = (uintptr_t)p - s->start;
  if (!s->size_class) return at == 0;
  return at < (size_t)s->carved * bw__sizeclass_sizes[s->size_class] &&
         bw__sizeclass_starts(s->size_class, (uint32_t)at) &&
         !bw__heap_is_free_locked(s, p, *(const bw__chain_word *)p);
}

// Puts the object on its span. A span that should not be kept goes to *chain.
static void put_small_locked(bw_heap *h, bw__span *s, void *object, bw__list **chain) {
  bw__heap_class *k = &h->classes[s->size_class];
  uint32_t in_use = bw__load_relaxed(&s->in_use); // written under this lock only
  bw__poison_freed(object, bw__sizeclass_sizes[s->size_class]);
  bw__chain_link(object, s->free);
  s->free = object;
  bw__store_relaxed(&s->in_use, (uint16_t)(in_use - 1));
  bool was_full = in_use == bw__sizeclass_rows[s->size_class].objects;
  if (BW_LIKELY(in_use > 1 && !was_full)) return;
  bw__list_remove(&s->link);
  if (in_use > 1) {
    bw__list_push_front(&k->spans, &s->link);
  } else if (!k->spare) {
    bw__list_push_back(&k->spans, &s->link);
    k->spare = true;
  } else {
    bw__heap_disown_locked(h, s, chain);
  }
}

bool bw__heap_free(void *p) {
  bw__span *s;
  bw__list *chain = NULL;
  bw_heap *h = bw__heap_lock_owner(p, &s);
  if (!h) return false;
  bool good = is_in_use_locked(s, p);
  if (BW_LIKELY(good)) {
    h->count.frees++;
    h->count.objects--;
    h->count.live_bytes -= s->size_class ? bw__sizeclass_sizes[s->size_class] : bw__span_bytes(s);
    if (s->size_class)
      put_small_locked(h, s, p, &chain);
    else
      bw__heap_disown_locked(h, s, &chain);
  }
  bw__mutex_unlock(&h->mu);
  if (BW_UNLIKELY(!good)) bw__misuse_pointer("bw_free", p);
  if (chain) bw__pageheap_free_objects(chain);
  return true;
}

// ---- sizes -------------------------------------------------------------------------------------

size_t bw__heap_object_bytes(const void *p, unsigned *size_class) {
  bw__span *s;
  bw_heap *h = bw__heap_lock_owner(p, &s);
  if (!h) return 0;
  *size_class = s->size_class;
  size_t bytes = s->size_class ? bw__sizeclass_sizes[s->size_class] : bw__span_bytes(s);
  if (!is_in_use_locked(s, p)) bytes = 0;
  bw__mutex_unlock(&h->mu);
  return bytes;
}

bool bw__heap_resize_large(void *p, size_t pages) {
  bw__span *s;
  bw_heap *h = bw__heap_lock_owner(p, &s);
  if (!h) return false;
  size_t old = s->pages;
  bool done = !s->size_class && s->start == (uintptr_t)p &&
              (pages <= old || make_room_locked(h, pages - old)) &&
              bw__pageheap_resize_owned(s, pages);
  if (done) {
    uint64_t change = ((uint64_t)pages - old) << BW_PAGE_SHIFT; // modulo 2^64
    count_bytes(h, h->count.bytes + change);
    count_live(h, h->count.live_bytes + change);
  }
  bw__mutex_unlock(&h->mu);
  return done;
}

bw_heap *bw_heap_of(const void *p) {
  bw__span *s;
  bw_heap *h = bw__heap_lock_owner(p, &s);
  if (h) bw__mutex_unlock(&h->mu);
  if (h) return h;
  bw_alloc_where at; // the middle of a large object, perhaps: not every page of it is in the map
  return bw__pageheap_where((uintptr_t)p, &at) && !at.size_class ? at.owner : NULL;
}
