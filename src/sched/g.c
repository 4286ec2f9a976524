// Goroutines: made, begun, named, recycled.
//
// Each G that is not bare owns a stack (g.h), so bw_go is where memory may be lacking, and what it
// has started can run. Which stack that is may change once, at the moment it begins (bw__g_begin):
// when the last goroutine that ended on this P has left a stack that is still in the cache, the two
// are swapped. So a burst of short goroutines runs on one stack a P, however many have been started
// before the first of them ran; their own stacks are never touched. Goroutines that ask for a size
// or an argument copy keep the stack that was made for them.
//
// When a goroutine ends, its G goes to the free Gs of the P it ended on, and the next bw_go on
// that P takes it from there without a lock. A P keeps at most two batches; whole batches go to the
// global pool and come from it. What has lain in the pool for a while loses its stack and becomes
// bare. Those of a P that is idle for a while keep the first pages of their stacks only: the
// monitor sees to that. Only Gs with stacks of the default size are kept.
//
// Locks: allg (records.c), gpool. Never both.
#include "sched/sched.h"

#include "sched/stack.h"

enum { BATCH = 32, IDS = 16 };
enum { TRIM_EVERY = 1000 * 1000 * 1000 };
enum { COPY_MOST = 512 }; // bytes of an argument copy that a stack of the default size has room for

static struct {
  _Atomic(uint64_t) last_id;
  _Atomic(uint64_t) spawns, ends; // of threads without a P
} all;

static struct {
  bw__mutex lock;
  bw__g *batches;           // linked by arg of each batch's first G: under lock
  _Atomic(int32_t) count;   // of batches: written under lock
  int32_t least;            // of count since the last trim: under lock
  _Atomic(int64_t) trimmed; // when
} pool = {.lock = BW_MUTEX_INIT(BW_RANK_GPOOL)};

// ---- records with stacks ------------------------------------------------------------------------

// Where the context of a stack is. Stacks end at pages, so the tops of all would lie in the same
// few sets of the caches: they are shifted by 0 to 15 lines in turn. (Touching 1,000 of them in
// turn takes a third of the time; 10,000, which the TLB does not hold, 95 %.) Small stacks have no
// room for it.
static bw__ctx *context_of(char *lo, size_t size) {
  enum { COLOUR_FROM = 16 << 10, COLOURS = 16 };
  uintptr_t at = (uintptr_t)lo, colour = ((at >> 12) ^ (at >> 15)) % COLOURS;
  uintptr_t top = at + size - (size < COLOUR_FROM ? 0 : colour * BW_CACHE_LINE);
  return (bw__ctx *)((top - sizeof(bw__ctx)) & ~(uintptr_t)(BW_CACHE_LINE - 1));
}

static bw__g *make(size_t want, unsigned marks) {
  size_t size;
  char *lo = bw__stack_alloc(want, &size);
  if (!lo) return NULL;
  bw__g *g = bw__record_take();
  if (!g) {
    bw__stack_free(lo, size);
    return NULL;
  }
  g->ctx = context_of(lo, size);
  g->stack_all = size;
  bw__shared_store(&g->marks, (uint8_t)(marks | BW_G_UNTOUCHED));
  return g;
}

static void unmake(bw__g *g) {
  char *lo = bw__g_stack_lo(g);
  size_t size = g->stack_all;
  bw__record_give(g); // first: see records.c
  bw__stack_free(lo, size);
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
    unmake(g);
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

// A few pages a stack are what the next goroutine touches again, and stay.
static void trim_deep(const bw__g *g) {
  enum { KEPT = 8 << 10 };
  for (; g; g = g->next)
    if (!bw__g_has(g, BW_G_UNTOUCHED) && g->stack_all > KEPT)
      bw__port_stack_trim(bw__g_stack_lo(g), g->stack_all - KEPT);
}

void bw__g_trim_deep(bw__p *p) {
  trim_deep(p->free_gs);
  trim_deep(p->spare_gs);
}

// ---- taken and given ----------------------------------------------------------------------------

// The first of p->free_gs. Its marks are those of its stack.
static inline bw__g *take_first(bw__p *p) {
  bw__g *g = p->free_gs;
  p->free_gs = g->next;
  p->free_count--;
  p->free_hot = false;
  if (g->next) __builtin_prefetch(g->next, 1); // thousands of free Gs are in no cache
  bw__shared_store(&g->marks, bw__shared_load(&g->marks) & (BW_G_USUAL | BW_G_UNTOUCHED));
  return g;
}

static bw__g *take_free(bw__p *p) {
  if (!p->free_gs) {
    p->free_gs = p->spare_gs ? p->spare_gs : pool_take();
    p->spare_gs = NULL;
    p->free_count = p->free_gs ? BATCH : 0;
  }
  return p->free_gs ? take_first(p) : NULL;
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
  p->free_hot = true;
}

// A list that is no whole batch is given back to the system.
void bw__g_flush(bw__p *p) {
  if (p->spare_gs) pool_put(p->spare_gs);
  free_chain(p->free_gs);
  p->spare_gs = p->free_gs = NULL;
  p->free_count = 0;
  p->free_hot = false;
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
  bw__g_mark(g, BW_G_NAMED, true);
}

void bw__g_name(bw__g *g, char out[BW_NAME_WORDS * 8]) {
  out[0] = 0;
  if (!bw__g_has(g, BW_G_NAMED)) return;
  for (int i = 0; i < BW_NAME_WORDS; i++) {
    uint64_t word = bw__shared_load(&g->name[i]);
    memcpy(out + (size_t)i * 8, &word, 8);
  }
  out[BW_NAME_WORDS * 8 - 1] = 0;
}

// ---- life ---------------------------------------------------------------------------------------

#if BW_TSAN
static void make_fiber(bw__g *g) { g->fiber = bw__ctx_fiber_make(); }
static void free_fiber(bw__g *g) { bw__ctx_fiber_free(g->fiber); }
static void *fiber_of(bw__g *g) { return g->fiber; }
#else
static inline void make_fiber(bw__g *g) { (void)g; }
static inline void free_fiber(bw__g *g) { (void)g; }
static inline void *fiber_of(bw__g *g) {
  (void)g;
  return NULL;
}
#endif

// The first use of g's own stack.
static BW_NOINLINE void touch(bw__g *g) {
  char *lo = bw__g_stack_lo(g);
  bw__stack_first_use(lo, g->stack_all);
  g->ctx->lo = lo;
  bw__g_mark(g, BW_G_UNTOUCHED, false);
}

// The argument is copied below the context.
static void *copy_arg(bw__g *g, const void *arg, size_t size) {
  bw__g_mark(g, BW_G_COPY, true);
  if (bw__g_has(g, BW_G_UNTOUCHED)) touch(g);
  return memcpy((char *)g->ctx - bw__align_up(size, 16), arg, size);
}

// Whatever the options say. *arg: what the goroutine is given.
static BW_NOINLINE bw__g *take_or_make(bw__p *p, const bw_go_options *o, void **arg) {
  size_t usual = bw__sched_state.stack_size, copied = o ? o->arg_size : 0;
  size_t want = o && o->stack_size ? o->stack_size : usual;
  bw__g *g = NULL;
  if (copied > PTRDIFF_MAX / 2) return NULL;
  if (want != usual || copied > COPY_MOST)
    g = make(want + bw__align_up(copied, 16), 0);
  else if (!p || !(g = take_free(p)))
    g = make(want, BW_G_USUAL);
  if (g && o && o->name) set_name(g, o->name);
  if (g && copied > 0) *arg = copy_arg(g, *arg, copied);
  return g;
}

bw__g *bw__g_make(bw__m *m, const bw_go_options *o, void (*fn)(void *), void *arg, uintptr_t made) {
  bw__p *p = m ? m->p : NULL;
  bw__g *g = !o && p && p->free_gs ? take_first(p) : take_or_make(p, o, &arg);
  if (BW_UNLIKELY(!g)) return NULL;
  make_fiber(g);
  g->arg = arg;
  bw__shared_store(&g->entry, (uintptr_t)fn);
  bw__shared_store(&g->last_proc, -1);
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

// g gets the stack of the free G, which has run last on this P, for its own.
static inline void swap_stacks(bw__g *g, bw__g *hot) {
  bw__ctx *ctx = g->ctx;
  BW_ASSERT(g->stack_all == hot->stack_all && bw__g_has(hot, BW_G_USUAL));
  g->ctx = hot->ctx;
  hot->ctx = ctx;
  if (!bw__g_has(g, BW_G_UNTOUCHED)) return;
  bw__g_mark(g, BW_G_UNTOUCHED, false);
  bw__g_mark(hot, BW_G_UNTOUCHED, true);
}

// (Where a stack that has been used begins, its context knows: the G's second line, which says it
// for the others, is not looked at.)
void bw__g_begin(bw__p *p, bw__g *g) {
  unsigned marks = bw__shared_load(&g->marks);
  if (p->free_hot && (marks & (BW_G_USUAL | BW_G_COPY)) == BW_G_USUAL) {
    swap_stacks(g, p->free_gs);
    p->free_hot = false;
  } else if (marks & BW_G_UNTOUCHED) {
    touch(g);
  }
  char *lo = g->ctx->lo, *top = BW_UNLIKELY(marks & BW_G_COPY) ? g->arg : (char *)g->ctx;
  BW_ASSERT(lo == bw__g_stack_lo(g));
  bw__ctx_make(g->ctx, lo, (size_t)(top - lo), (void (*)(void *))bw__shared_load(&g->entry), g->arg,
               fiber_of(g));
}

void bw__g_recycle(bw__m *m, bw__g *g) {
  if (bw__g_has(g, BW_G_PINNED)) bw__pinned_end(m);
  free_fiber(g);
  bw__shared_store(&g->state, BW_G_FREE);
  bw__p *p = m->p;
  if (!p)
    bw__add(&all.ends, 1);
  else
    bw__shared_store(&p->ends, bw__shared_load(&p->ends) + 1);
  if (p && bw__g_has(g, BW_G_USUAL))
    give_free(p, g);
  else
    unmake(g);
}

static void drop_stack(bw__g *g) {
  if (bw__shared_load(&g->state) != BW_G_FREE) free_fiber(g);
  bw__stack_free(bw__g_stack_lo(g), g->stack_all);
}

void bw__g_free_all(void) {
  bw__records_free(drop_stack);
  pool.batches = NULL;
  pool.least = 0;
  bw__store_relaxed(&pool.count, 0);
  bw__store_relaxed(&all.last_id, 0);
  bw__store_relaxed(&all.spawns, 0);
  bw__store_relaxed(&all.ends, 0);
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
