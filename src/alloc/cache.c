// A thread cache holds, for each size class, free objects that its thread can take and give without
// a lock or an atomic operation. Everything in this file is the slow path: a list is empty or too
// long, a thread begins or ends.
//
// Capacity. A list may hold `capacity` objects. It starts at none, doubles with each miss up to a
// batch and then grows by batches: a thread that needs three objects of a size gets few more than
// three. All capacities together, in bytes, stay within what the cache was granted (budget.h). When
// that is used up a list that wants more looks at others in turn (`hand`): one that has done
// nothing since the last look goes back to central, one that has room unused loses half of that.
//
// A list that gets too long gives a batch back. Batches are what makes the cost of the lock and of
// finding each object's span small in the mean.
//
// I1: length of a list == moved + frees - allocs, and is what its chain holds.
// I2: limit == capacity - moved.
// I3: budget + sum of capacity * size == granted + owed, over all classes.
//
// Threads. A cache is made at a thread's first malloc and given back when the thread ends. The
// record is then used for another thread: its counters go on counting, so sums over all records are
// the totals since the start. After that a thread can still call malloc and free, from destructors
// of thread-local data: these go to central directly. So does a thread that has no thread-local
// memory yet (see has_tls). While a thread runs goroutines it uses the cache of its P instead of
// its own: what goroutines free stays with the P, whichever thread holds it next.
//
// Locks: caches.mu guards the lists of records.
#include "alloc/cache.h"

#include <string.h>

#include "alloc/fork.h"
#include "alloc/pageheap.h"
#include "alloc/profile.h"
#include "lock/mutex.h"
#include "port/port.h"

#define LIST_MOST (BW_BUDGET_MOST / 4) // bytes of one list
#define LOOK_AT   8                    // lists looked at for capacity at a time

// This thread: no cache yet -> has one -> gave it back (ended).
static _Thread_local struct {
  bw__cache *cache; // what it uses
  bw__cache *aside; // its own, while it uses a P's
  bool lent;        // it uses a P's
  bool ended;
} self;
bw__cache bw__cache_none; // zeros: no list has an object, nor room for one
_Thread_local bw__cache *bw__cache_mine = &bw__cache_none;
_Atomic(bool) bw__cache_watched;

static struct {
  bw__mutex mu;
  bw__cache *all;             // under mu; linked by next
  bw__cache *idle;            // under mu; linked by next_idle
  uint64_t count, idle_count; // under mu
  // Objects of threads without a cache.
  _Atomic(uint64_t) direct_allocs[BW_SIZECLASS_COUNT];
  _Atomic(uint64_t) direct_frees[BW_SIZECLASS_COUNT];
} caches = {.mu = BW_MUTEX_INIT(BW_RANK_CACHES)};

// ---- one list ----------------------------------------------------------------------------------

static int64_t size_of(unsigned c) { return bw__sizeclass_sizes[c]; }

static int64_t length_of(const bw__cache *cache, unsigned c) {
  const bw__cache_list *l = &cache->lists[c];
  return bw__shared_load(&cache->moved[c]) + (int64_t)bw__tally_read(&l->frees) -
         (int64_t)bw__tally_read(&l->allocs);
}

static int64_t capacity_of(const bw__cache *cache, unsigned c) {
  return cache->lists[c].limit + bw__shared_load(&cache->moved[c]);
}

static void add_capacity(bw__cache *cache, unsigned c, int64_t n) {
  cache->lists[c].limit += n;
  cache->budget -= n * size_of(c);
}

static void add_moved(bw__cache *cache, unsigned c, int64_t n) {
  bw__shared_store(&cache->moved[c], bw__shared_load(&cache->moved[c]) + n);
  cache->lists[c].limit -= n;
}

// Gives the first `n` objects of the list back to central.
static void give_back(bw__cache *cache, unsigned c, int64_t n) {
  if (n <= 0) return;
  bw__cache_list *l = &cache->lists[c];
  void *chain = l->head, *last = chain;
  for (int64_t i = 1; i < n; i++) last = bw__chain_next(last);
  l->head = bw__chain_next(last);
  bw__chain_link(last, NULL);
  add_moved(cache, c, -n);
  bw__central_return(c, chain, (unsigned)n);
}

// ---- capacity ----------------------------------------------------------------------------------

// Takes capacity from list `c`: all of it when the list is idle, half of what it does not use else.
static void squeeze(bw__cache *cache, unsigned c) {
  bw__cache_list *l = &cache->lists[c];
  uint64_t now = bw__tally_read(&l->allocs) + bw__tally_read(&l->frees);
  bool idle = now == cache->seen[c];
  cache->seen[c] = now;
  if (idle) give_back(cache, c, length_of(cache, c));
  int64_t unused = capacity_of(cache, c) - length_of(cache, c);
  add_capacity(cache, c, idle ? -unused : -((unused + 1) / 2));
}

// Looks at up to `looks` lists for capacity, so that `bytes` are unspent.
static void squeeze_others(bw__cache *cache, unsigned wanting, int64_t bytes, unsigned looks) {
  for (unsigned i = 0; i < looks && cache->budget < bytes; i++) {
    cache->hand = cache->hand % (BW_SIZECLASS_COUNT - 1) + 1;
    if (cache->hand != wanting && capacity_of(cache, cache->hand) > 0) squeeze(cache, cache->hand);
  }
}

static void drop_list(bw__cache *cache, unsigned c) {
  give_back(cache, c, length_of(cache, c));
  add_capacity(cache, c, -capacity_of(cache, c));
}

// Pays what other caches took from this one's grant: lists that do little first, then any.
static void pay_debt(bw__cache *cache) {
  cache->budget -= bw__budget_debt(&cache->share);
  if (BW_LIKELY(cache->budget >= 0)) return;
  squeeze_others(cache, 0, 0, 2 * BW_SIZECLASS_COUNT);
  for (unsigned c = BW_SIZECLASS_COUNT - 1; c > 0 && cache->budget < 0; c--) drop_list(cache, c);
}

static void find_budget(bw__cache *cache, unsigned wanting, int64_t bytes) {
  if (cache->budget >= bytes) return;
  cache->budget += bw__budget_claim(&cache->share, bytes);
  squeeze_others(cache, wanting, bytes, LOOK_AT);
}

// Lets list `c` grow: double up to a batch, by a batch from there; as far as the budget goes.
static void raise_capacity(bw__cache *cache, unsigned c) {
  int64_t capacity = capacity_of(cache, c), batch = bw__sizeclass_batches[c];
  int64_t step = capacity == 0 ? 1 : capacity < batch ? capacity : batch;
  if (capacity >= batch && (capacity + step) * size_of(c) > LIST_MOST) return;
  find_budget(cache, c, step * size_of(c));
  if (cache->budget >= step * size_of(c)) add_capacity(cache, c, step);
}

// ---- a thread's begin and end ------------------------------------------------------------------

// An Emscripten thread's first allocation may be the memory for its thread-local variables.
static bool has_tls(void) {
#if BW_WASM && BW_THREADS
  return __builtin_wasm_tls_base() != NULL;
#else
  return true;
#endif
}

static bw__cache *take_idle(void) {
  bw__mutex_lock(&caches.mu);
  bw__cache *cache = caches.idle;
  if (cache) {
    caches.idle = cache->next_idle;
    caches.idle_count--;
  }
  bw__mutex_unlock(&caches.mu);
  return cache;
}

static bw__cache *make_cache(void) {
  bw__profile_env();
  bw__cache *cache = bw__pageheap_record(sizeof *cache);
  if (!cache) return NULL;
  bw__mutex_lock(&caches.mu);
  cache->next = caches.all;
  caches.all = cache;
  caches.count++;
  bw__mutex_unlock(&caches.mu);
  return cache;
}

bw__cache *bw__cache_new(void) {
  bw__cache *cache = take_idle();
  if (!cache) cache = make_cache();
  bw__port_mem_sync(); // the record may lie in memory that another thread grew
  if (cache) cache->budget = bw__budget_open(&cache->share);
  return cache;
}

// Empties the lists and takes their capacity, so that they start slowly again.
static void empty_cache(bw__cache *cache) {
  for (unsigned c = 1; c < BW_SIZECLASS_COUNT; c++) drop_list(cache, c);
}

void bw__cache_delete(bw__cache *cache) {
  if (!cache) return;
  empty_cache(cache);
  bw__budget_close(&cache->share);
  bw__mutex_lock(&caches.mu);
  cache->next_idle = caches.idle;
  caches.idle = cache;
  caches.idle_count++;
  bw__mutex_unlock(&caches.mu);
}

static void use(bw__cache *cache) {
  self.cache = cache;
  bw__cache_mine = cache && !bw__cache_is_watched() ? cache : &bw__cache_none;
}

void bw__cache_set_watched(bool watched) {
  bw__store_relaxed(&bw__cache_watched, watched); // seen sooner or later
  if (has_tls()) use(self.cache);
}

BW_NOINLINE void bw__cache_use(bw__cache *cache) {
  if (self.lent) use(self.aside);
  self.lent = cache != NULL;
  if (!cache) return;
  self.aside = self.cache;
  use(cache);
}

static void thread_ends(void) {
  bw__cache_use(NULL);
  bw__cache *cache = self.cache;
  use(NULL);
  self.ended = true;
  bw__cache_delete(cache);
}

// This thread's cache, made when there is none; NULL when it shall have none or has no memory.
static bw__cache *my_cache(void) {
  if (!has_tls()) return NULL;
  if (self.cache || self.ended) {
    use(self.cache); // watched or not, as it is by now
    return self.cache;
  }
  use(bw__cache_new()); // before what follows, which may allocate
  if (!self.cache) return NULL;
  bw__port_thread_at_exit(thread_ends);
  bw__fork_protect();
  return self.cache;
}

// ---- slow paths --------------------------------------------------------------------------------

static void *refill(bw__cache *cache, unsigned c) {
  pay_debt(cache);
  raise_capacity(cache, c);
  int64_t want = capacity_of(cache, c), batch = bw__sizeclass_batches[c];
  if (want > batch) want = batch;
  void *chain;
  unsigned n = bw__central_fetch(c, want > 0 ? (unsigned)want : 1, &chain);
  if (!n) return NULL;
  bw__tally_add(&cache->misses, 1);
  bw__port_mem_sync(); // after the fetch: until then another thread may have grown memory for it
  cache->lists[c].head = chain;
  add_moved(cache, c, n);
  return bw__cache_pop(cache, c);
}

static void *alloc_direct(unsigned c) {
  void *object;
  if (!bw__central_fetch(c, 1, &object)) return NULL;
  bw__port_mem_sync(); // as in refill
  bw__chain_clear(object);
  bw__add_relaxed(&caches.direct_allocs[c], 1); // a statistic
  return object;
}

BW_NOINLINE bw__sampler *bw__cache_sampler(void) {
  bw__cache *cache = my_cache();
  return cache ? &cache->sampler : NULL;
}

BW_NOINLINE void *bw__cache_alloc_slow(unsigned c) {
  bw__cache *cache = my_cache();
  if (BW_UNLIKELY(bw__cache_is_watched())) {
    void *sampled = bw__profile_alloc(cache ? &cache->sampler : NULL, c);
    if (sampled) return sampled;
  }
  if (!cache) return alloc_direct(c);
  void *object = bw__cache_pop(cache, c);
  if (!object) object = refill(cache, c);
  if (object) return object;
  bw__cache_flush(); // out of memory: what waits here and in central may make up a span
  return refill(cache, c);
}

// Lets list `c` grow, or gives a batch of it back, so that it has room for one more.
static void make_room(bw__cache *cache, unsigned c) {
  int64_t batch = bw__sizeclass_batches[c];
  pay_debt(cache);
  if (capacity_of(cache, c) < batch) raise_capacity(cache, c);
  int64_t length = length_of(cache, c);
  if (length >= capacity_of(cache, c)) give_back(cache, c, length < batch ? length : batch);
}

BW_NOINLINE void bw__cache_free_slow(unsigned c, void *object) {
  bw__cache *cache = my_cache();
  if (cache && bw__cache_is_watched() && bw__cache_push(cache, c, object)) return;
  if (cache) make_room(cache, c);
  if (cache && bw__cache_push(cache, c, object)) return;
  bw__chain_link(object, NULL);
  bw__add_relaxed(&caches.direct_frees[c], 1); // a statistic
  bw__central_return(c, object, 1);
}

BW_NOINLINE void bw__cache_flush(void) {
  bw__cache *cache = has_tls() ? self.cache : NULL;
  if (cache) empty_cache(cache);
  bw__central_drain();
}

// ---- statistics --------------------------------------------------------------------------------

static void add_list(bw_alloc_stats *out, bw__cache_totals *t, const bw__cache *cache, unsigned c) {
  const bw__cache_list *l = &cache->lists[c];
  uint64_t allocs = bw__tally_read(&l->allocs), frees = bw__tally_read(&l->frees);
  int64_t length = length_of(cache, c);
  t->allocs += allocs;
  t->frees += frees;
  t->live_bytes += (allocs - frees) * bw__sizeclass_sizes[c]; // may be "negative": freed elsewhere
  if (length > 0) out->cache_free_bytes += (uint64_t)(length * size_of(c));
}

void bw__cache_stats(bw_alloc_stats *out, bw__cache_totals *totals) {
  memset(totals, 0, sizeof *totals);
  bw__mutex_lock(&caches.mu);
  out->caches = caches.count - caches.idle_count;
  for (const bw__cache *cache = caches.all; cache; cache = cache->next) {
    for (unsigned c = 1; c < BW_SIZECLASS_COUNT; c++) add_list(out, totals, cache, c);
    out->cache_misses += bw__tally_read(&cache->misses);
  }
  bw__mutex_unlock(&caches.mu);
  out->cache_hits = totals->allocs - out->cache_misses;
  for (unsigned c = 1; c < BW_SIZECLASS_COUNT; c++) {
    uint64_t allocs = bw__load_relaxed(&caches.direct_allocs[c]);
    uint64_t frees = bw__load_relaxed(&caches.direct_frees[c]);
    totals->allocs += allocs;
    totals->frees += frees;
    totals->live_bytes += (allocs - frees) * bw__sizeclass_sizes[c];
  }
}

void bw__cache_class_stats(unsigned c, bw_alloc_class_stats *out) {
  int64_t cached = 0;
  out->allocs = bw__load_relaxed(&caches.direct_allocs[c]);
  out->frees = bw__load_relaxed(&caches.direct_frees[c]);
  bw__mutex_lock(&caches.mu);
  for (const bw__cache *cache = caches.all; cache; cache = cache->next) {
    out->allocs += bw__tally_read(&cache->lists[c].allocs);
    out->frees += bw__tally_read(&cache->lists[c].frees);
    cached += length_of(cache, c);
  }
  bw__mutex_unlock(&caches.mu);
  out->in_use = out->allocs > out->frees ? out->allocs - out->frees : 0; // others are at work
  out->cached = cached > 0 ? (uint64_t)cached : 0;
}

// ---- fork (alloc/fork.h) ------------------------------------------------------------------------

void bw__cache_fork_before(void) { bw__mutex_lock_unranked(&caches.mu); }
void bw__cache_fork_after(void) { bw__mutex_unlock_unranked(&caches.mu); }
