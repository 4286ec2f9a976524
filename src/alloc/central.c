// A central list has a lock of its own for each size class, so threads that work with different
// sizes never meet here. What moves is a batch of objects, so that the lock is taken once for many.
//
// A span's objects are not linked when it is cut: `carved` counts those handed out so far, and a
// fetch takes from the span's free list first and then from the part never used. A fresh span's
// memory is therefore touched only as far as it is needed.
//
// A whole batch that comes back is not taken apart at once: up to `waiting_most` of them wait as
// they are for a thread that fetches a batch of this class. So where one thread allocates and
// another frees, what they exchange costs two short sections a batch, in which no object is
// touched; and the objects that come back are those that some core has just had in its cache.
//
// Rejected for frees in other threads than the allocating one: a remote list for each span or heap.
// It needs an atomic exchange for each free of a foreign object, an owner to be looked up, and
// memory that a sleeping owner does not collect. Here a foreign free is like any other, and what is
// one-sided flows back by batches (bench/alloc, xmalloc).
//
// I1: `spans` holds exactly the class's spans with in_use < objects, and none with in_use == 0: an
//     empty span goes back to the page heap at once, where it may serve any class.
// I2: free_objects is the sum of (objects - in_use) over the class's spans.
// I3: waiting[0 .. waiting_count) are chains of exactly a batch; their objects count as in use.
//
// Locks: one class's lock at a time. It is dropped before the page heap is asked, for then others
// may go on returning objects. Between the two a span belongs to the thread that carries it.
#include "alloc/central.h"

#include "alloc/fork.h"
#include "alloc/misuse.h"
#include "alloc/object.h"
#include "alloc/pageheap.h"
#include "alloc/poison.h"
#include "alloc/sizeclass.h"
#include "lock/mutex.h"
#include "port/port.h"

enum { WAITING_MOST = 16 };
#define WAITING_BYTES ((size_t)32 << 10) // of one class

typedef struct {
  _Alignas(BW_CACHE_LINE) bw__mutex mu;
  uint32_t waiting_count;      // under mu
  bw__list spans;              // under mu; zero until the first use
  uint64_t free_objects;       // under mu
  uint64_t fetches, returns;   // under mu
  void *waiting[WAITING_MOST]; // under mu
} central;

_Static_assert(offsetof(central, waiting) <= BW_CACHE_LINE, "all but the batches in one line");
_Static_assert(sizeof(central) % BW_CACHE_LINE == 0, "no line with another class");

static central lists[BW_SIZECLASS_COUNT] = {
    [0 ... BW_SIZECLASS_COUNT - 1] = {.mu = BW_MUTEX_INIT(BW_RANK_CENTRAL)}};

static central *lock(unsigned c) {
  central *l = &lists[c];
  bw__mutex_lock(&l->mu);
  bw__port_mem_sync(); // spans and chains may lie in memory that another thread grew
  if (BW_UNLIKELY(!l->spans.next)) bw__list_init(&l->spans);
  return l;
}

// ---- batches that wait -------------------------------------------------------------------------

static uint32_t waiting_most(unsigned c) {
  size_t n = WAITING_BYTES / ((size_t)bw__sizeclass_sizes[c] * bw__sizeclass_batches[c]);
  return n > WAITING_MOST ? WAITING_MOST : (uint32_t)n;
}

static bool keep_waiting_locked(central *l, unsigned c, void *chain, unsigned n) {
  if (n != bw__sizeclass_batches[c] || l->waiting_count >= waiting_most(c)) return false;
  l->waiting[l->waiting_count++] = chain;
  return true;
}

static void *take_waiting_locked(central *l) {
  return l->waiting_count ? l->waiting[--l->waiting_count] : NULL;
}

// ---- taking from spans -------------------------------------------------------------------------

static bw__span *first_span(central *l) {
  return bw__list_empty(&l->spans) ? NULL : BW_CONTAINER(l->spans.next, bw__span, link);
}

// What begins where the next object will be made, or in the tail if it was the last, looks free:
// who frees an object's end instead of its beginning hears of it.
static void mark_next(const bw__span *s) {
  uintptr_t at = s->start + s->carved * (size_t)bw__sizeclass_sizes[s->size_class];
  if (at + sizeof(bw__chain_word) > bw__span_end(s)) return;
  bw__unpoison((void *)at, sizeof(bw__chain_word));
  bw__chain_link((void *)at, NULL);
}

// A chain being made: objects are appended, and each is linked when the next one is known.
typedef struct {
  void *first, *last;
} builder;

static void append(builder *b, void *object) {
  if (b->last)
    bw__chain_link(b->last, object);
  else
    b->first = object;
  b->last = object;
}

// Appends up to `want` objects of `s`.
static unsigned take_from_locked(central *l, unsigned c, bw__span *s, unsigned want, builder *b) {
  uint32_t objects = bw__sizeclass_rows[c].objects;
  uint32_t in_use = bw__load_relaxed(&s->in_use); // written under this lock only
  unsigned n = objects - in_use < want ? objects - in_use : want;
  for (unsigned i = 0; i < n; i++) append(b, bw__object_take(s));
  mark_next(s);
  bw__store_relaxed(&s->in_use, in_use + n); // statistics read it without the lock
  l->free_objects -= n;
  if (in_use + n == objects) bw__list_remove(&s->link);
  return n;
}

// Asks the page heap for a span, without the lock meanwhile. False: no memory.
static bool add_span_locked(central *l, unsigned c) {
  bw__mutex_unlock(&l->mu);
  bw__span *s = bw__pageheap_alloc(bw__sizeclass_pages[c], c);
  bw__mutex_lock(&l->mu);
  bw__port_mem_sync(); // as in lock: others may have put spans here meanwhile
  if (!s) return false;
  bw__list_push_back(&l->spans, &s->link);
  l->free_objects += bw__sizeclass_rows[c].objects;
  return true;
}

static unsigned take_from_spans_locked(central *l, unsigned c, unsigned want, void **chain) {
  builder b = {NULL, NULL};
  unsigned n = 0;
  while (n < want) {
    bw__span *s = first_span(l);
    if (s)
      n += take_from_locked(l, c, s, want - n, &b);
    else if (!add_span_locked(l, c))
      break;
  }
  if (b.last) bw__chain_link(b.last, NULL);
  *chain = b.first;
  return n;
}

unsigned bw__central_fetch(unsigned c, unsigned want, void **chain) {
  unsigned n = want;
  central *l = lock(c);
  l->fetches++;
  void *batch = want == bw__sizeclass_batches[c] ? take_waiting_locked(l) : NULL;
  if (batch)
    *chain = batch;
  else
    n = take_from_spans_locked(l, c, want, chain);
  bw__mutex_unlock(&l->mu);
  return n;
}

// ---- giving back to spans ----------------------------------------------------------------------

// Puts `object` on its span. Returns the span when that makes it empty (and out of the list).
static bw__span *put_object_locked(central *l, unsigned c, void *object) {
  bw__span *s = bw__pagemap_span_of_object(object);
  uint32_t objects = bw__sizeclass_rows[c].objects;
  uint32_t in_use = bw__load_relaxed(&s->in_use); // written under this lock only
  BW_ASSERT(s->state == SPAN_OBJECTS && s->size_class == c);
  if (BW_UNLIKELY(in_use == 0 ||
                  (uintptr_t)object - s->start >= (size_t)s->carved * bw__sizeclass_sizes[c]))
    bw__misuse_pointer("bw_free", object); // freed twice unseen, or never given to anybody
  bw__chain_link(object, s->free);
  s->free = object;
  l->free_objects++;
  bw__store_relaxed(&s->in_use, in_use - 1); // statistics read it without the lock
  if (in_use > 1) {
    if (in_use == objects) bw__list_push_front(&l->spans, &s->link);
    return NULL;
  }
  bw__list_remove(&s->link);
  l->free_objects -= objects;
  return s;
}

// Takes a chain apart; spans that are empty now go on the list at *empty.
static void put_chain_locked(central *l, unsigned c, void *chain, bw__list **empty) {
  while (chain) {
    void *object = chain;
    chain = bw__chain_next(object);
    bw__span *s = put_object_locked(l, c, object);
    if (!s) continue;
    s->link.next = *empty;
    *empty = &s->link;
  }
}

void bw__central_return(unsigned c, void *chain, unsigned n) {
  bw__list *empty = NULL;
  central *l = lock(c);
  l->returns++;
  if (!keep_waiting_locked(l, c, chain, n)) put_chain_locked(l, c, chain, &empty);
  bw__mutex_unlock(&l->mu);
  if (empty) bw__pageheap_free_objects(empty);
}

void bw__central_drain(void) {
  for (unsigned c = 1; c < BW_SIZECLASS_COUNT; c++) {
    bw__list *empty = NULL;
    central *l = lock(c);
    for (void *chain; (chain = take_waiting_locked(l));) put_chain_locked(l, c, chain, &empty);
    bw__mutex_unlock(&l->mu);
    if (empty) bw__pageheap_free_objects(empty);
  }
}

// ---- statistics, fork --------------------------------------------------------------------------

static uint64_t free_objects_locked(const central *l, unsigned c) {
  return l->free_objects + (uint64_t)l->waiting_count * bw__sizeclass_batches[c];
}

void bw__central_stats(bw_alloc_stats *out) {
  for (unsigned c = 1; c < BW_SIZECLASS_COUNT; c++) {
    central *l = lock(c);
    out->central_free_bytes += free_objects_locked(l, c) * bw__sizeclass_sizes[c];
    out->central_fetches += l->fetches;
    out->central_returns += l->returns;
    bw__mutex_unlock(&l->mu);
  }
}

uint64_t bw__central_free_objects(unsigned c) {
  central *l = lock(c);
  uint64_t n = free_objects_locked(l, c);
  bw__mutex_unlock(&l->mu);
  return n;
}

void bw__central_lock(unsigned c) { lock(c); }

void bw__central_unlock(unsigned c) { bw__mutex_unlock(&lists[c].mu); }

// ---- fork (alloc/fork.h) ------------------------------------------------------------------------

void bw__central_fork_before(void) {
  for (unsigned c = 1; c < BW_SIZECLASS_COUNT; c++) bw__mutex_lock_unranked(&lists[c].mu);
}

void bw__central_fork_after(void) {
  for (unsigned c = 1; c < BW_SIZECLASS_COUNT; c++) bw__mutex_unlock_unranked(&lists[c].mu);
}
