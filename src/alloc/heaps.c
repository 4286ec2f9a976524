// All first-class heaps: making and destroying them, their statistics, their locks around a fork,
// the check of their invariants.
//
// A record is never given back, since a stale pointer may lead to it (see heap.c): it waits to be
// made another heap. The longest dead is taken first, and only when there are a few, so that the
// use of a heap that was destroyed is nearly always seen.
//
// Locks: heaps.mu (rank list of heaps), before any heap's.
#include "alloc/heap.h"

#include "alloc/chain.h"
#include "alloc/heap_state.h"
#include "alloc/pageheap.h"
#include "port/port.h"

enum { DEAD_LEAST = 8 };

static struct {
  bw__mutex mu;
  bw__list live, dead;        // under mu; zero until the first use
  uint64_t count, dead_count; // under mu
  uint64_t mallocs, frees;    // under mu: of heaps that were destroyed
} heaps = {.mu = BW_MUTEX_INIT(BW_RANK_HEAPS)};

static void lock_list(void) {
  bw__mutex_lock(&heaps.mu);
  bw__port_mem_sync(); // records may lie in memory that another thread grew
  if (BW_LIKELY(heaps.live.next)) return;
  bw__list_init(&heaps.live);
  bw__list_init(&heaps.dead);
}

static bw_heap *heap_of(bw__list *link) { return BW_CONTAINER(link, bw_heap, link); }

#define FOR_EACH_HEAP(at) for (bw__list *at = heaps.live.next; at != &heaps.live; at = at->next)

// ---- making ------------------------------------------------------------------------------------

static bw_heap *take_dead(void) {
  bw_heap *h = NULL;
  lock_list();
  if (heaps.dead_count >= DEAD_LEAST) {
    heaps.dead_count--;
    h = heap_of(bw__list_pop_front(&heaps.dead));
  }
  bw__mutex_unlock(&heaps.mu);
  return h;
}

static bw_heap *new_record(void) {
  bw_heap *h = take_dead();
  if (h) return h;
  h = bw__pageheap_record(sizeof *h);
  bw__port_mem_sync(); // the memory may be new
  if (h) bw__mutex_init(&h->mu, BW_RANK_HEAP);
  return h;
}

static void set_name(bw_heap *h, const char *name) {
  size_t len = 0;
  for (; name && name[len] && len < BW_HEAP_NAME_LEN - 1; len++) h->name[len] = name[len];
  h->name[len] = 0;
}

bw_heap *bw_heap_create_with(const bw_heap_options *options) {
  bw_heap *h = new_record();
  if (!h) return NULL;
  lock_list();
  bw__mutex_lock(&h->mu); // a stale pointer may lead others here
  set_name(h, options ? options->name : NULL);
  h->count = (bw_heap_stats){.limit_bytes = options ? options->max_bytes : 0};
  bw__list_init(&h->full);
  bw__list_init(&h->large);
  for (unsigned c = 0; c < BW_SIZECLASS_COUNT; c++) {
    bw__list_init(&h->classes[c].spans);
    h->classes[c].spare = false;
  }
  h->live = true;
  bw__mutex_unlock(&h->mu);
  bw__list_push_back(&heaps.live, &h->link);
  heaps.count++;
  bw__mutex_unlock(&heaps.mu);
  return h;
}

bw_heap *bw_heap_create(void) { return bw_heap_create_with(NULL); }

// ---- destroying, releasing ---------------------------------------------------------------------

static void disown_all_locked(bw_heap *h, bw__list *spans, bw__list **chain) {
  while (!bw__list_empty(spans))
    bw__heap_disown_locked(h, BW_CONTAINER(spans->next, bw__span, link), chain);
}

static bw__list *end_heap_locked(bw_heap *h) {
  bw__list *chain = NULL;
  h->live = false;
  disown_all_locked(h, &h->full, &chain);
  disown_all_locked(h, &h->large, &chain);
  for (unsigned c = 1; c < BW_SIZECLASS_COUNT; c++)
    disown_all_locked(h, &h->classes[c].spans, &chain);
  BW_ASSERT(h->count.bytes == 0 && h->count.spans == 0);
  return chain;
}

void bw_heap_destroy(bw_heap *h) {
  if (!h) return;
  lock_list();
  bw__heap_lock(h, "bw_heap_destroy");
  bw__list *chain = end_heap_locked(h);
  heaps.mallocs += h->count.mallocs;
  heaps.frees += h->count.mallocs; // what was in use is freed
  bw__mutex_unlock(&h->mu);
  bw__list_remove(&h->link);
  bw__list_push_back(&heaps.dead, &h->link);
  heaps.count--;
  heaps.dead_count++;
  bw__mutex_unlock(&heaps.mu);
  bw__heap_give_back(chain);
}

size_t bw_heap_release(bw_heap *h) {
  if (!h) return bw_alloc_release();
  bw__list *chain = NULL;
  bw__heap_lock(h, "bw_heap_release");
  size_t bytes = bw__heap_take_spare_locked(h, &chain);
  bw__mutex_unlock(&h->mu);
  if (!bytes) return 0;
  bw__heap_give_back(chain);
  return bw__pageheap_release_some(bytes);
}

// ---- looking -----------------------------------------------------------------------------------

const char *bw__heap_name(const bw_heap *h) { return h->name; }

void bw_heap_stats_read(bw_heap *h, bw_heap_stats *out) {
  bw__heap_lock(h, "bw_heap_stats_read");
  *out = h->count;
  bw__mutex_unlock(&h->mu);
}

void bw__heaps_stats(bw_alloc_stats *out) {
  lock_list();
  out->heaps = heaps.count;
  out->mallocs += heaps.mallocs;
  out->frees += heaps.frees;
  FOR_EACH_HEAP(at) {
    bw_heap_stats s;
    bw_heap_stats_read(heap_of(at), &s);
    out->heaps_bytes += s.bytes;
    out->heaps_live_bytes += s.live_bytes;
    out->mallocs += s.mallocs;
    out->frees += s.frees;
  }
  bw__mutex_unlock(&heaps.mu);
  out->live_bytes += out->heaps_live_bytes;
}

// ---- fork --------------------------------------------------------------------------------------

void bw__heaps_fork_before(void) {
  bw__mutex_lock_unranked(&heaps.mu);
  if (!heaps.live.next) return;
  FOR_EACH_HEAP(at) bw__mutex_lock_unranked(&heap_of(at)->mu);
}

void bw__heaps_fork_after(void) {
  if (heaps.live.next) FOR_EACH_HEAP(at) bw__mutex_unlock_unranked(&heap_of(at)->mu);
  bw__mutex_unlock_unranked(&heaps.mu);
}

// ---- checking ----------------------------------------------------------------------------------

enum { IS_FULL, IS_LARGE, IS_PARTLY_FREE };

static bool chain_valid(const bw__span *s, uint32_t in_use) {
  uint32_t free_objects = 0;
  for (const void *object = s->free; object; object = bw__chain_next(object))
    if (++free_objects > s->carved) return false;
  return free_objects == s->carved - in_use;
}

static bool span_valid(const bw_heap *h, const bw__span *s, int kind, unsigned c) {
  uint32_t in_use = bw__load_relaxed(&s->in_use); // under the lock, as what follows
  if (s->state != SPAN_HEAP || bw__load_relaxed(&s->owner) != h) return false;
  if (kind == IS_LARGE) return s->size_class == 0 && in_use == 1;
  if (s->size_class == 0 || (kind == IS_PARTLY_FREE && s->size_class != c)) return false;
  uint32_t objects = bw__sizeclass_rows[s->size_class].objects;
  return s->carved <= objects && (in_use == objects) == (kind == IS_FULL) && chain_valid(s, in_use);
}

// Adds up a list; *empty: how many of its spans have nothing in use.
static bool list_valid(const bw_heap *h, const bw__list *list, int kind, unsigned c,
                       bw_heap_stats *sum, unsigned *empty) {
  *empty = 0;
  for (const bw__list *at = list->next; at != list; at = at->next) {
    const bw__span *s = BW_CONTAINER(at, bw__span, link);
    if (!span_valid(h, s, kind, c)) return false;
    uint32_t in_use = bw__load_relaxed(&s->in_use);
    *empty += in_use == 0;
    if (in_use == 0 && at->next != list) return false;
    sum->spans++;
    sum->bytes += bw__span_bytes(s);
    sum->objects += in_use;
    sum->live_bytes += kind == IS_LARGE ? bw__span_bytes(s)
                                        : (uint64_t)in_use * bw__sizeclass_sizes[s->size_class];
  }
  return true;
}

bool bw__heap_valid(bw_heap *h) {
  bw_heap_stats sum = {0};
  unsigned empty;
  bw__heap_lock(h, "bw__heap_valid");
  bool valid = list_valid(h, &h->full, IS_FULL, 0, &sum, &empty) &&
               list_valid(h, &h->large, IS_LARGE, 0, &sum, &empty);
  for (unsigned c = 1; c < BW_SIZECLASS_COUNT && valid; c++)
    valid = list_valid(h, &h->classes[c].spans, IS_PARTLY_FREE, c, &sum, &empty) &&
            empty == h->classes[c].spare;
  const bw_heap_stats *n = &h->count;
  valid = valid && sum.spans == n->spans && sum.bytes == n->bytes && sum.objects == n->objects &&
          sum.live_bytes == n->live_bytes && n->objects == n->mallocs - n->frees &&
          n->peak_bytes >= n->bytes && n->peak_live_bytes >= n->live_bytes;
  bw__mutex_unlock(&h->mu);
  return valid;
}
