// A thread cache holds, for each size class, free objects that its thread can take and give without
// a lock or an atomic operation. Everything in this file is the slow path: a list is empty or too
// long, a thread begins or ends.
//
// Capacity. A list may hold `capacity` objects. It starts at none, doubles with each miss up to a
// batch and then grows by batches: a thread that needs three objects of a size gets few more than
// three. All capacities together, in bytes, stay within BUDGET. When the budget is used up a list
// that wants more looks at others in turn (`hand`): one that has done nothing since the last look
// goes back to central, one that has room unused loses half of that.
//
// A list that gets too long gives a batch back. Batches are what makes the cost of the lock and of
// finding each object's span small in the mean.
//
// I1: length of a list == moved + frees - allocs, and is what its chain holds.
// I2: limit == capacity - moved.
// I3: budget + sum of capacity * size == BUDGET, over all classes.
//
// Threads. A cache is made at a thread's first malloc and given back when the thread ends. The
// record is then used for another thread: its counters go on counting, so sums over all records are
// the totals since the start. After that a thread can still call malloc and free, from destructors
// of thread-local data: these go to central directly. So does a thread that has no thread-local
// memory yet (see has_tls).
//
// Locks: caches.mu guards the lists of records.
#include "alloc/cache.h"

#include <string.h>

#include "alloc/fork.h"
#include "alloc/pageheap.h"
#include "lock/mutex.h"
#include "port/port.h"

#define BUDGET    ((int64_t)(BW_WASM ? 1 : 2) << 20)
#define LIST_MOST (BUDGET / 4) // bytes of one list
#define LOOK_AT   8            // lists looked at for capacity at a time

// thread: no cache yet -> has one -> gave it back (ended).
static _Thread_local bool ended;
_Thread_local bw__cache *bw__cache_mine;

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
  bw__central_return(c, chain);
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

static void find_budget(bw__cache *cache, unsigned wanting, int64_t bytes) {
  for (unsigned i = 0; i < LOOK_AT && cache->budget < bytes; i++) {
    cache->hand = cache->hand % (BW_SIZECLASS_COUNT - 1) + 1;
    if (cache->hand != wanting && capacity_of(cache, cache->hand) > 0) squeeze(cache, cache->hand);
  }
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
  bw__cache *cache = bw__pageheap_record(sizeof *cache);
  if (!cache) return NULL;
  cache->budget = BUDGET;
  bw__mutex_lock(&caches.mu);
  cache->next = caches.all;
  caches.all = cache;
  caches.count++;
  bw__mutex_unlock(&caches.mu);
  return cache;
}

// Empties the lists and takes their capacity, so that the next thread starts slowly again.
static void empty_cache(bw__cache *cache) {
  for (unsigned c = 1; c < BW_SIZECLASS_COUNT; c++) {
    give_back(cache, c, length_of(cache, c));
    add_capacity(cache, c, -capacity_of(cache, c));
  }
  BW_ASSERT(cache->budget == BUDGET);
}

static void thread_ends(void) {
  bw__cache *cache = bw__cache_mine;
  bw__cache_mine = NULL;
  ended = true;
  if (!cache) return;
  empty_cache(cache);
  bw__mutex_lock(&caches.mu);
  cache->next_idle = caches.idle;
  caches.idle = cache;
  caches.idle_count++;
  bw__mutex_unlock(&caches.mu);
}

// This thread's cache, made when there is none; NULL when it shall have none or has no memory.
static bw__cache *my_cache(void) {
  if (!has_tls()) return NULL;
  if (bw__cache_mine || ended) return bw__cache_mine;
  bw__cache *cache = take_idle();
  if (!cache) cache = make_cache();
  bw__cache_mine = cache; // before at_exit, which may allocate
  if (cache) bw__port_thread_at_exit(thread_ends);
  if (cache) bw__fork_protect();
  return cache;
}

// ---- slow paths --------------------------------------------------------------------------------

static void *refill(bw__cache *cache, unsigned c) {
  bw__tally_add(&cache->misses, 1);
  raise_capacity(cache, c);
  int64_t want = capacity_of(cache, c), batch = bw__sizeclass_batches[c];
  if (want > batch) want = batch;
  void *chain;
  unsigned n = bw__central_fetch(c, want > 0 ? (unsigned)want : 1, &chain);
  if (!n) return NULL;
  bw__port_mem_sync(); // after the fetch: until then another thread may have grown memory for it
  cache->lists[c].head = chain;
  add_moved(cache, c, n);
  return bw__cache_pop(cache, c);
}

static void *alloc_direct(unsigned c) {
  void *object;
  if (!bw__central_fetch(c, 1, &object)) return NULL;
  bw__port_mem_sync();                          // as in refill
  bw__add_relaxed(&caches.direct_allocs[c], 1); // a statistic
  return object;
}

BW_NOINLINE void *bw__cache_alloc_slow(unsigned c) {
  bw__cache *cache = my_cache();
  if (!cache) return alloc_direct(c);
  void *object = bw__cache_pop(cache, c);
  if (!object) object = refill(cache, c);
  if (object) return object;
  empty_cache(cache); // out of memory: what this thread holds may make up a span
  return refill(cache, c);
}

BW_NOINLINE void bw__cache_free_slow(unsigned c, void *object) {
  bw__cache *cache = my_cache();
  if (cache) {
    if (bw__cache_push(cache, c, object)) bw__cache_overflow(c);
    return;
  }
  bw__chain_link(object, NULL);
  bw__add_relaxed(&caches.direct_frees[c], 1); // a statistic
  bw__central_return(c, object);
}

BW_NOINLINE void bw__cache_overflow(unsigned c) {
  bw__cache *cache = bw__cache_mine;
  int64_t batch = bw__sizeclass_batches[c];
  if (capacity_of(cache, c) < batch) raise_capacity(cache, c);
  int64_t length = length_of(cache, c);
  if (length > capacity_of(cache, c)) give_back(cache, c, length < batch ? length : batch);
}

BW_NOINLINE void bw__cache_flush(void) {
  bw__cache *cache = has_tls() ? bw__cache_mine : NULL;
  if (cache) empty_cache(cache);
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

// ---- fork (alloc/fork.h) ------------------------------------------------------------------------

void bw__cache_fork_before(void) { bw__mutex_lock_unranked(&caches.mu); }
void bw__cache_fork_after(void) { bw__mutex_unlock_unranked(&caches.mu); }
