// Goroutines: made, named, recycled.
//
// A G and its stack live together: when a goroutine ends, its G goes to the free list of the P it
// ended on with the stack still attached, and the next bw_go on that P takes it from there without
// a lock. A P that has too many gives half to the global list. Gs are freed only at tear-down, so
// the list of all Gs only grows while the runtime runs and dumps can walk it under one short lock.
//
// Locks: allg (the list of all), sched (the global free list). Never both.
#include "sched/sched.h"

#include "sched/stack.h"

#include <burrow/alloc.h>

enum { LOCAL_FREE_MAX = 64 };

static struct {
  bw__mutex lock;
  bw__g *head; // under lock
  _Atomic(uint64_t) next_id;
  _Atomic(int64_t) live;
} all = {.lock = BW_MUTEX_INIT(BW_RANK_ALLG)};

static void set_name(bw__g *g, const char *name) {
  uint64_t words[BW_NAME_WORDS] = {0};
  if (name) {
    size_t n = strlen(name);
    memcpy(words, name, n < sizeof words - 1 ? n : sizeof words - 1);
  }
  for (int i = 0; i < BW_NAME_WORDS; i++) bw__store_relaxed(&g->name[i], words[i]);
}

void bw__g_name(bw__g *g, char out[BW_NAME_WORDS * 8]) {
  for (int i = 0; i < BW_NAME_WORDS; i++) {
    uint64_t word = bw__load_relaxed(&g->name[i]);
    memcpy(out + (size_t)i * 8, &word, 8);
  }
  out[BW_NAME_WORDS * 8 - 1] = 0;
}

static void entry(void *arg) {
  bw__g *g = arg;
  g->fn(g->arg);
}

// Takes a few Gs from the global list, so that the lock is paid once for many.
static bw__g *take_free(bw__m *m) {
  if (m && m->p->free_gs) {
    bw__g *g = m->p->free_gs;
    m->p->free_gs = g->next;
    m->p->free_count--;
    return g;
  }
  bw__sched *s = &bw__sched_state;
  bw__mutex_lock(&s->lock);
  bw__g *g = s->free_gs;
  if (g) s->free_gs = g->next;
  for (int i = 0; m && i < LOCAL_FREE_MAX / 2 && s->free_gs; i++) {
    bw__g *more = s->free_gs;
    s->free_gs = more->next;
    more->next = m->p->free_gs;
    m->p->free_gs = more;
    m->p->free_count++;
  }
  bw__port_mem_sync(); // a G from the global list may lie in memory that another M grew
  bw__mutex_unlock(&s->lock);
  return g;
}

static bw__g *make_new(void) {
  bw__g *g = bw_calloc(1, sizeof *g);
  if (!g) return NULL;
  bw__mutex_lock(&all.lock);
  g->all_next = all.head;
  all.head = g;
  bw__mutex_unlock(&all.lock);
  return g;
}

// To the P's own list, or to the global one on a plain thread or when the P has plenty.
static void give_free(bw__m *m, bw__g *g) {
  if (m && m->p->free_count < LOCAL_FREE_MAX) {
    g->next = m->p->free_gs;
    m->p->free_gs = g;
    m->p->free_count++;
    return;
  }
  bw__sched *s = &bw__sched_state;
  bw__mutex_lock(&s->lock);
  g->next = s->free_gs;
  s->free_gs = g;
  for (int i = 0; m && i < LOCAL_FREE_MAX / 2; i++) {
    bw__g *more = m->p->free_gs;
    m->p->free_gs = more->next;
    m->p->free_count--;
    more->next = s->free_gs;
    s->free_gs = more;
  }
  bw__mutex_unlock(&s->lock);
}

static void drop_stack(bw__g *g) {
  if (g->stack_lo) bw__stack_free(g->stack_lo, g->stack_size);
  g->stack_lo = NULL;
}

bw__g *bw__g_make(const bw_go_options *options, void (*fn)(void *), void *arg) {
  bw__m *m = bw__m_current();
  size_t want = options && options->stack_size ? options->stack_size : bw__sched_state.stack_size;
  bw__g *g = take_free(m);
  if (!g) g = make_new();
  if (!g) return NULL;
  if (g->stack_lo && !bw__stack_fits(g->stack_size, want)) drop_stack(g);
  if (!g->stack_lo) g->stack_lo = bw__stack_alloc(want, &g->stack_size);
  if (!g->stack_lo) {
    give_free(m, g);
    return NULL;
  }
  g->fn = fn;
  g->arg = arg;
  g->next = NULL;
  g->last_proc = -1;
  bw__ctx_make(&g->ctx, g->stack_lo, g->stack_size, entry, g);
  set_name(g, options ? options->name : NULL);
  bw__store_relaxed(&g->entry, (uintptr_t)fn);
  bw__store_relaxed(&g->parent, m && m->cur ? bw__load_relaxed(&m->cur->id) : 0);
  bw__store_relaxed(&g->reason, BW_REASON_NONE);
  bw__store_relaxed(&g->id, bw__add_relaxed(&all.next_id, 1) + 1);
  bw__store_release(&g->state, BW_G_RUNNABLE); // pairs with the acquire in bw__g_each
  bw__add_relaxed(&all.live, 1);
  return g;
}

void bw__g_recycle(bw__m *m, bw__g *g) {
  bw__ctx_destroy(&g->ctx);
  bw__store_relaxed(&g->state, BW_G_FREE);
  bw__add_relaxed(&all.live, -1);
  give_free(m, g);
}

void bw__g_free_all(void) {
  for (bw__g *g = all.head, *next; g; g = next) {
    next = g->all_next;
    if (bw__load_relaxed(&g->state) != BW_G_FREE) bw__ctx_destroy(&g->ctx);
    drop_stack(g);
    bw_free(g);
  }
  all.head = NULL;
  bw__sched_state.free_gs = NULL;
  bw__store_relaxed(&all.next_id, 0);
  bw__store_relaxed(&all.live, 0);
}

void bw__g_each(void (*visit)(bw__g *g, void *arg), void *arg) {
  bw__mutex_lock(&all.lock);
  bw__g *g = all.head;
  bw__port_mem_sync();
  bw__mutex_unlock(&all.lock);
  for (; g; g = g->all_next) // all_next never changes once linked
    if (bw__load_acquire(&g->state) != BW_G_FREE) visit(g, arg);
}

int bw_num_goroutine(void) { return (int)bw__load_relaxed(&all.live); }

uint64_t bw_goid(void) {
  bw__g *g = bw__g_current();
  return g ? bw__load_relaxed(&g->id) : 0;
}
