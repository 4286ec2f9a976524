// Pools: get and put. pool.h has the whole picture.
//
// Get looks, in Go's order, for: its own young item; the head of its own young chain; the tails of
// the others' young chains; the same among the old. Then it makes one.
//
// Nothing here switches while it has a local in hand: `make` and `drop` are called at the end.
//
// Locks: a state's; pools. Blocks: as make and drop do.
#include "sync/pool.h"

#include "sched/sched.h"

#include <burrow/alloc.h>

// ---- locals -------------------------------------------------------------------------------------

static unsigned bucket_of(uint32_t index) {
  return index < BW_POOL_FIRST ? 0 : 30 - (unsigned)__builtin_clz(index);
}

// NULL: it has not been made.
static inline bw__pool_local *local_at(bw__pool_state *st, uint32_t index) {
  unsigned b = bucket_of(index);
  bw__pool_local *all = bw__shared_load(&st->buckets[b]);
  return all ? &all[index - bw__pool_bucket_begin(b)] : NULL;
}

static bw__pool_local *make_bucket(bw__pool_state *st, uint32_t size) {
  bw__pool_local *all = bw_aligned_alloc(BW_CACHE_LINE, size * sizeof *all);
  if (!all) return NULL;
  memset(all, 0, size * sizeof *all);
  for (uint32_t i = 0; i < size; i++) bw__shared_store(&all[i].age, bw__shared_load(&st->age));
  return all;
}

// NULL: no memory. Locks: the state's.
static BW_NOINLINE bw__pool_local *make_local(bw__pool_state *st, uint32_t index) {
  unsigned b = bucket_of(index);
  bw__mutex_lock(&st->lock);
  if (!bw__shared_load(&st->buckets[b]))
    bw__shared_store(&st->buckets[b], make_bucket(st, bw__pool_bucket_size(b)));
  bw__mutex_unlock(&st->lock);
  return local_at(st, index);
}

// The index of the caller's P; -1 on a plain thread.
static inline int here(void) {
  const bw__m *m = bw__m_current();
  return m && m->p ? m->p->index : -1;
}

static bw__pool_local *local_of(bw__pool_state *st, int index) {
  return index < 0 ? &st->shared : local_at(st, (uint32_t)index);
}

static inline bw__pool_chain *chain_of(bw__pool_local *l, bool old) {
  uint32_t young = bw__shared_load(&l->young); // a visitor may miss a change, and find less
  return &l->chains[old ? !young : young];
}

bool bw__pool_each(bw__pool_state *st, uint32_t from,
                   bool (*visit)(bw__pool_state *, bw__pool_local *, int, void *), void *arg) {
  unsigned first = bucket_of(from);
  for (unsigned i = 0; i < BW_POOL_BUCKETS; i++) {
    unsigned b = (first + i) % BW_POOL_BUCKETS;
    uint32_t size = bw__pool_bucket_size(b), begin = bw__pool_bucket_begin(b);
    bw__pool_local *all = bw__shared_load(&st->buckets[b]);
    if (!all) continue;
    bw__port_mem_sync(); // they may lie in memory that another thread grew
    for (uint32_t k = 0; k < size; k++) {
      uint32_t at = (from + k) % size;
      if (visit(st, &all[at], (int)(begin + at), arg)) return true;
    }
  }
  return visit(st, &st->shared, -1, arg);
}

// ---- what is left over --------------------------------------------------------------------------

static void drop(bw__pool_state *st, void *item) {
  if (item && st->pool->drop) st->pool->drop(item);
}

static void free_rings(bw__pool_state *st, bw__pool_ring *rings) {
  rings = bw__pool_rings_free(rings, &st->visitors);
  if (!rings) return;
  bw__pool_ring *last = rings;
  while (last->older) last = last->older;
  bw__mutex_lock(&st->lock);
  last->older = st->limbo;
  st->limbo = rings;
  bw__mutex_unlock(&st->lock);
}

void bw__pool_empty_limbo(bw__pool_state *st) {
  bw__mutex_lock(&st->lock);
  bw__pool_ring *rings = st->limbo;
  st->limbo = NULL;
  bw__mutex_unlock(&st->lock);
  free_rings(st, rings);
}

void bw__pool_finish(bw__pool_state *st, bw__pool_waste *waste) {
  free_rings(st, waste->rings);
  drop(st, waste->items[0]);
  drop(st, waste->items[1]);
}

// The old chain has items after all when its owner was behind and came to its local between 1 and 2
// of an ageing (pool.h). Then they are young again.
void bw__pool_renew(bw__pool_state *st, bw__pool_local *l, bw__pool_waste *waste) {
  uint32_t age = bw__shared_load(&st->age), behind = age - bw__shared_load(&l->age);
  if (BW_LIKELY(behind == 0)) return;
  waste->items[0] = l->old_item;
  l->old_item = l->item;
  l->item = NULL;
  if (behind > 1) {
    waste->items[1] = l->old_item;
    l->old_item = NULL;
  }
  bw__pool_chain *old = chain_of(l, true);
  if (bw__pool_chain_empty(old)) waste->rings = bw__pool_chain_reset(old);
  bw__shared_store(&l->young, !bw__shared_load(&l->young));
  bw__shared_store(&l->age, age);
}

// ---- get ----------------------------------------------------------------------------------------

void *bw__pool_visit(bw__pool_state *st, bw__pool_local *l, bool old) {
  return bw__pool_chain_visit(chain_of(l, old), &st->visitors);
}

typedef struct {
  bool old;
  void *item;
} search;

static bool look_at(bw__pool_state *st, bw__pool_local *l, int p, void *arg) {
  (void)p;
  search *s = arg;
  s->item = bw__pool_visit(st, l, s->old);
  return s->item != NULL;
}

static void *take_item(void **item) {
  void *taken = *item;
  *item = NULL;
  return taken;
}

// From a local that the caller owns.
static void *get_own(bw__pool_local *l, bool old) {
  void *item = take_item(old ? &l->old_item : &l->item);
  return item ? item : bw__pool_chain_pop(chain_of(l, old));
}

// From any of them. `l` is the caller's, or NULL: it has none.
static void *get_from_all(bw__pool_state *st, bw__pool_local *l, int index) {
  for (int old = 0; old < 2; old++) {
    search s = {.old = old};
    if (index < 0) bw__mutex_lock(&st->lock);
    if (l) s.item = get_own(l, old);
    if (index < 0) bw__mutex_unlock(&st->lock);
    if (s.item || bw__pool_each(st, index < 0 ? 0 : (uint32_t)index, look_at, &s)) return s.item;
  }
  return NULL;
}

static BW_NOINLINE void *get_slow(bw_pool *p, bw__pool_state *st, int index) {
  void *item = NULL;
  if (st) {
    bw__port_mem_sync(); // the state may lie in memory that another thread grew
    bw__pool_waste waste = {0};
    bw__pool_local *l = local_of(st, index);
    bw__port_mem_sync(); // so may the local
    if (index < 0) bw__mutex_lock(&st->lock);
    if (l) bw__pool_renew(st, l, &waste);
    if (index < 0) bw__mutex_unlock(&st->lock);
    item = get_from_all(st, l, index);
    bw__pool_finish(st, &waste);
  }
  if (!item && p->make) return p->make(p->arg);
  bw__port_mem_sync(); // it may lie in memory that the thread of who put it grew
  return item;
}

static inline bw__pool_state *state_of(bw_pool *p) {
  return __atomic_load_n(&p->state, __ATOMIC_ACQUIRE); // pairs with the store in make_state
}

static inline bool is_new(const bw__pool_state *st, const bw__pool_local *l) {
  return bw__shared_load(&l->age) == bw__shared_load(&st->age); // a moment late is early enough
}

void *bw_pool_get(bw_pool *p) {
  bw__pool_state *st = state_of(p);
  int index = here();
  if (BW_LIKELY(st && index >= 0)) {
    bw__pool_local *l = local_at(st, (uint32_t)index);
    if (BW_LIKELY(l && l->item && is_new(st, l))) return take_item(&l->item);
  }
  return get_slow(p, st, index);
}

// ---- put ----------------------------------------------------------------------------------------

// NULL: no memory. Locks: pools.
static BW_NOINLINE bw__pool_state *make_state(bw_pool *p) {
  bw__pools_lock();
  bw__pool_state *st = state_of(p);
  if (!st && (st = bw_aligned_alloc(BW_CACHE_LINE, sizeof *st))) {
    memset(st, 0, sizeof *st);
    st->pool = p;
    bw__mutex_init(&st->lock, BW_RANK_POOL);
    bw__pools_add_locked(st);
    __atomic_store_n(&p->state, st, __ATOMIC_RELEASE); // pairs with state_of
  }
  bw__pools_unlock();
  return st;
}

// Into a local that the caller owns. False: no memory.
static bool put_own(bw__pool_local *l, void *item) {
  if (l->item) return bw__pool_chain_push(chain_of(l, false), item);
  l->item = item;
  return true;
}

static BW_NOINLINE void put_slow(bw_pool *p, bw__pool_state *st, int index, void *item) {
  bw__pool_waste waste = {0};
  bool kept = false;
  if (!st) st = make_state(p);
  if (st) {
    bw__port_mem_sync(); // the state may lie in memory that another thread grew
    bw__pool_local *l = local_of(st, index);
    if (!l) l = make_local(st, (uint32_t)index);
    bw__port_mem_sync(); // so may the local
    if (index < 0) bw__mutex_lock(&st->lock);
    if (l) bw__pool_renew(st, l, &waste);
    kept = l && put_own(l, item);
    if (index < 0) bw__mutex_unlock(&st->lock);
    bw__pool_finish(st, &waste);
  }
  if (!kept && p->drop) p->drop(item);
}

void bw_pool_put(bw_pool *p, void *item) {
  if (!item) return;
  bw__pool_state *st = state_of(p);
  int index = here();
  if (BW_LIKELY(st && index >= 0)) {
    bw__pool_local *l = local_at(st, (uint32_t)index);
    if (BW_LIKELY(l && !l->item && is_new(st, l))) {
      l->item = item;
      return;
    }
  }
  put_slow(p, st, index, item);
}

// ---- drain --------------------------------------------------------------------------------------

static bool drain_local(bw__pool_state *st, bw__pool_local *l, int p, void *arg) {
  (void)p;
  (void)arg;
  for (int old = 0; old < 2; old++) {
    for (void *item; (item = get_own(l, old));) drop(st, item);
    bw__pool_rings_free(bw__pool_chain_reset(chain_of(l, old)), &st->visitors);
  }
  return false;
}

void bw_pool_drain(bw_pool *p) {
  bw__pool_state *st = state_of(p);
  if (!st) return;
  bw__port_mem_sync();
  bw__pools_remove(st);
  __atomic_store_n(&p->state, NULL, __ATOMIC_RELEASE);
  bw__pool_each(st, 0, drain_local, NULL);
  bw__pool_rings_free(st->limbo, &st->visitors);
  for (unsigned b = 0; b < BW_POOL_BUCKETS; b++) bw_free(bw__shared_load(&st->buckets[b]));
  bw_free(st);
}
