// Goroutines: made, named, recycled.
//
// A goroutine's memory is one block, from bottom to top: its stack, which grows down; a copy of its
// argument if it was asked for; the G. So a parked goroutine that uses little of its stack touches
// one page of memory, and G and stack share a line of the page table.
//
// When a goroutine ends, its block goes to the free Gs of the P it ended on, and the next bw_go on
// that P takes it from there without a lock. A P keeps at most two batches; whole batches go to the
// global pool and come from it. What has lain in the pool for a while is given back. Only blocks
// of the default size are kept.
//
// Locks: allg (the list of all Gs that have a block), gpool. Never both.
#include "sched/sched.h"

#include "sched/stack.h"

#include <burrow/alloc.h>

enum { BATCH = 32, IDS = 16 };
enum { SMALL_ARG = 256 }; // copied into the usual block
enum { TRIM_EVERY = 1000 * 1000 * 1000 };

static struct {
  bw__mutex lock;
  bw__list head; // under lock
  _Atomic(uint64_t) last_id;
  _Atomic(uint64_t) spawns, ends; // of threads without a P
} all = {.lock = BW_MUTEX_INIT(BW_RANK_ALLG), .head = {&all.head, &all.head}};

static struct {
  bw__mutex lock;
  bw__g *batches;           // linked by arg of each batch's first G: under lock
  _Atomic(int32_t) count;   // of batches: written under lock
  int32_t least;            // of count since the last trim: under lock
  _Atomic(int64_t) trimmed; // when
} pool = {.lock = BW_MUTEX_INIT(BW_RANK_GPOOL)};

// ---- blocks -------------------------------------------------------------------------------------

// Where the G of a block is. Blocks begin at pages, so the tops of all would lie in the same few
// sets of the caches: they are shifted by 0 to 15 lines in turn. (Touching 1,000 of them in turn
// takes a third of the time; 10,000, which the TLB does not hold, 95 %.) Small blocks have no room
// for it.
static bw__g *g_of(void *lo, size_t size) {
  enum { COLOUR_FROM = 16 << 10, COLOURS = 16 };
  uintptr_t at = (uintptr_t)lo, colour = ((at >> 12) ^ (at >> 15)) % COLOURS;
  uintptr_t top = at + size - (size < COLOUR_FROM ? 0 : colour * BW_CACHE_LINE);
  return (bw__g *)((top - sizeof(bw__g)) & ~(uintptr_t)(BW_CACHE_LINE - 1));
}

static bw__g *make_block(size_t want) {
  size_t size;
  void *lo = bw__stack_alloc(want, &size);
  if (!lo) return NULL;
  bw__g *g = g_of(lo, size);
  memset(g, 0, sizeof *g);
  g->stack_lo = lo;
  g->stack_all = size;
  bw__mutex_lock(&all.lock);
  bw__list_push_back(&all.head, &g->all);
  bw__mutex_unlock(&all.lock);
  return g;
}

static void free_block(bw__g *g) {
  bw__mutex_lock(&all.lock);
  bw__port_mem_sync();
  bw__list_remove(&g->all);
  bw__mutex_unlock(&all.lock);
  bw__stack_free(g->stack_lo, g->stack_all);
}

// ---- the pool -----------------------------------------------------------------------------------

static void pool_put(bw__g *batch) {
  bw__mutex_lock(&pool.lock);
  batch->arg = pool.batches;
  pool.batches = batch;
  bw__store_relaxed(&pool.count, bw__load_relaxed(&pool.count) + 1);
  bw__mutex_unlock(&pool.lock);
}

static bw__g *pool_take_locked(void) {
  bw__g *batch = pool.batches;
  if (!batch) return NULL;
  pool.batches = batch->arg;
  int32_t count = bw__load_relaxed(&pool.count) - 1;
  bw__store_relaxed(&pool.count, count);
  if (count < pool.least) pool.least = count;
  return batch;
}

static bw__g *pool_take(void) {
  if (bw__load_relaxed(&pool.count) == 0) return NULL;
  bw__mutex_lock(&pool.lock);
  bw__port_mem_sync();
  bw__g *batch = pool_take_locked();
  bw__mutex_unlock(&pool.lock);
  return batch;
}

static void free_chain(bw__g *g) {
  for (bw__g *next; g; g = next) {
    next = g->next;
    free_block(g);
  }
}

bool bw__g_trim_wanted(void) { return bw__load_relaxed(&pool.count) > 0; }

// Half of what nobody wanted since the last time.
void bw__g_trim(int64_t now) {
  int64_t last = bw__load_relaxed(&pool.trimmed);
  if (bw__load_relaxed(&pool.count) == 0 || now - last < TRIM_EVERY) return;
  if (!bw__cas(&pool.trimmed, &last, now)) return; // somebody else does it
  bw__mutex_lock(&pool.lock);
  int32_t n = (pool.least + 1) / 2;
  pool.least = bw__load_relaxed(&pool.count) - n;
  bw__mutex_unlock(&pool.lock);
  for (bw__g *batch; n > 0 && (batch = pool_take()); n--) free_chain(batch);
}

// ---- taken and given ----------------------------------------------------------------------------

// What the start of a goroutine on g will touch. (Thousands of free Gs are in no cache.)
static inline void prefetch_start(bw__g *g) {
  const char *at = (const char *)g;
  __builtin_prefetch(at, 1);
  __builtin_prefetch(at + BW_CACHE_LINE, 1);
  __builtin_prefetch(at + (ptrdiff_t)2 * BW_CACHE_LINE, 1);
  __builtin_prefetch(at - BW_CACHE_LINE, 1); // its first frame
}

static bw__g *take_free(bw__p *p) {
  if (!p->free_gs) {
    p->free_gs = p->spare_gs ? p->spare_gs : pool_take();
    p->spare_gs = NULL;
    p->free_count = p->free_gs ? BATCH : 0;
    if (!p->free_gs) return NULL;
  }
  bw__g *g = p->free_gs;
  p->free_gs = g->next;
  p->free_count--;
  if (p->free_gs) prefetch_start(p->free_gs);
  return g;
}

static void give_free(bw__p *p, bw__g *g) {
  if (p->free_count == BATCH) {
    if (p->spare_gs) pool_put(p->spare_gs);
    p->spare_gs = p->free_gs;
    p->free_gs = NULL;
    p->free_count = 0;
  }
  g->next = p->free_gs;
  p->free_gs = g;
  p->free_count++;
}

// A list that is no whole batch is given back to the system.
void bw__g_flush(bw__p *p) {
  if (p->spare_gs) pool_put(p->spare_gs);
  free_chain(p->free_gs);
  p->spare_gs = p->free_gs = NULL;
  p->free_count = 0;
}

static bool is_default(const bw__g *g) {
  return bw__stack_fits(g->stack_all, bw__sched_state.stack_size);
}

// ---- numbers and names --------------------------------------------------------------------------

static uint64_t next_id(bw__p *p) {
  if (!p) return bw__add_relaxed(&all.last_id, 1) + 1;
  if (p->next_id == p->end_id) {
    p->next_id = bw__add_relaxed(&all.last_id, IDS) + 1;
    p->end_id = p->next_id + IDS;
  }
  return p->next_id++;
}

static void set_name(bw__g *g, const char *name) {
  uint64_t words[BW_NAME_WORDS] = {0};
  size_t n = strlen(name);
  memcpy(words, name, n < sizeof words - 1 ? n : sizeof words - 1);
  for (int i = 0; i < BW_NAME_WORDS; i++) bw__shared_store(&g->name[i], words[i]);
}

void bw__g_name(bw__g *g, char out[BW_NAME_WORDS * 8]) {
  for (int i = 0; i < BW_NAME_WORDS; i++) {
    uint64_t word = bw__shared_load(&g->name[i]);
    memcpy(out + (size_t)i * 8, &word, 8);
  }
  out[BW_NAME_WORDS * 8 - 1] = 0;
}

// ---- life ---------------------------------------------------------------------------------------

static void entry(void *arg) {
  bw__g *g = arg;
  ((void (*)(void *))bw__shared_load(&g->entry))(g->arg);
}

// Copies the argument below the G, and makes the context on what is left.
static void set_up(bw__g *g, const bw_go_options *o, void (*fn)(void *), void *arg) {
  char *top = (char *)g;
  if (o && o->arg_size > 0) {
    top -= bw__align_up(o->arg_size, 16);
    memcpy(top, arg, o->arg_size);
    arg = top;
  }
  bw__shared_store(&g->entry, (uintptr_t)fn);
  g->arg = arg;
  bw__shared_store(&g->last_proc, -1);
  g->stack_size = (size_t)(top - (char *)g->stack_lo);
  bw__ctx_make(&g->ctx, g->stack_lo, g->stack_size, entry, g);
}

bw__g *bw__g_make(const bw_go_options *o, void (*fn)(void *), void *arg, uintptr_t made) {
  bw__m *m = bw__m_current();
  bw__p *p = m ? m->p : NULL;
  size_t want = o && o->stack_size ? o->stack_size : bw__sched_state.stack_size;
  bool usual = !o || (!o->stack_size && o->arg_size <= SMALL_ARG);
  if (o && o->arg_size > PTRDIFF_MAX / 2) return NULL;
  if (!usual) want += bw__align_up(o->arg_size, 16);
  bw__g *g = usual && p ? take_free(p) : NULL;
  if (!g) g = make_block(want);
  if (!g) return NULL;
  set_up(g, o, fn, arg);
  if (o && o->name)
    set_name(g, o->name);
  else
    bw__shared_store(&g->name[0], 0);
  bw__shared_store(&g->made, made);
  bw__shared_store(&g->parent, p && m->cur ? bw__shared_load(&m->cur->id) : 0);
  bw__shared_store(&g->id, next_id(p));
  bw__shared_store(&g->state, BW_G_RUNNABLE); // pairs with the load in bw__g_each
  if (p)
    bw__tally_add(&p->spawns, 1);
  else
    bw__add_relaxed(&all.spawns, 1);
  return g;
}

void bw__g_recycle(bw__m *m, bw__g *g) {
  if (g->pinned) bw__pinned_end(m);
  bw__ctx_destroy(&g->ctx);
  bw__shared_store(&g->state, BW_G_FREE);
  bw__p *p = m->p;
  if (!p)
    bw__add(&all.ends, 1);
  else
    bw__shared_store(&p->ends, bw__shared_load(&p->ends) + 1);
  if (p && is_default(g))
    give_free(p, g);
  else
    free_block(g);
}

void bw__g_free_all(void) {
  for (bw__list *l; (l = bw__list_pop_front(&all.head));) {
    bw__g *g = BW_CONTAINER(l, bw__g, all);
    if (bw__shared_load(&g->state) != BW_G_FREE) bw__ctx_destroy(&g->ctx);
    bw__stack_free(g->stack_lo, g->stack_all);
  }
  pool.batches = NULL;
  pool.least = 0;
  bw__store_relaxed(&pool.count, 0);
  bw__store_relaxed(&all.last_id, 0);
  bw__store_relaxed(&all.spawns, 0);
  bw__store_relaxed(&all.ends, 0);
}

bool bw__g_each(void (*visit)(bw__g *g, void *arg), void *arg) {
  enum { TRIES = 10000 };
  for (int i = 0; !bw__mutex_trylock(&all.lock); i++) {
    if (i == TRIES) return false;
    bw__port_thread_yield();
  }
  bw__port_mem_sync();
  for (bw__list *l = all.head.next; l != &all.head; l = l->next) {
    bw__g *g = BW_CONTAINER(l, bw__g, all);
    if (bw__shared_load(&g->state) != BW_G_FREE) visit(g, arg);
  }
  bw__mutex_unlock(&all.lock);
  return true;
}

// Ends first: a goroutine that starts or ends meanwhile is counted rather than forgotten.
int bw_num_goroutine(void) {
  uint64_t ends = bw__load(&all.ends), spawns = 0;
  for (bw__p *p = bw__p_at(0); p; p = bw__p_after(p)) { ends += bw__shared_load(&p->ends); }
  atomic_thread_fence(memory_order_acquire);
  for (bw__p *p = bw__p_at(0); p; p = bw__p_after(p)) { spawns += bw__tally_read(&p->spawns); }
  return (int)(bw__load(&all.spawns) + spawns - ends);
}

uint64_t bw_goid(void) {
  bw__g *g = bw__g_current();
  return g ? bw__shared_load(&g->id) : 0;
}
