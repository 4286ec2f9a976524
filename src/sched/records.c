// Records of goroutines: where they lie, and the walk over all of them.
//
// Records come in chunks of CHUNK bytes, aligned to their size, so that a record finds its chunk.
// A bare record has no stack; it is on its chunk's list, and the chunk is on the list of those
// that have any. A chunk whose records are all bare is given back, but for one that stays for the
// next who asks.
//
// A walk holds the lock, and nobody takes a stack from a record without it (bw__record_give): so
// the context of a G that a walk has seen alive can be read until the walk is over, whosever it is
// by then.
//
// Locks: allg. Memory is asked for and given back outside of it.
#include "sched/sched.h"

#include <burrow/alloc.h>

enum { CHUNK = 8192 };

typedef struct {
  bw__list all, roomy; // lists of all chunks, and of those with bare records: under lock
  bw__g *bare;         // linked by next: under lock, as their number
  uint32_t bare_count;
  bw__g g[];
} chunk;

enum { RECORDS = (CHUNK - sizeof(chunk)) / sizeof(bw__g) };

static struct {
  bw__mutex lock;
  bw__list all, roomy; // under lock
} records = {.lock = BW_MUTEX_INIT(BW_RANK_ALLG),
             .all = {&records.all, &records.all},
             .roomy = {&records.roomy, &records.roomy}};

static chunk *chunk_of(bw__g *g) { return (chunk *)((uintptr_t)g & ~(uintptr_t)(CHUNK - 1)); }

static chunk *make_chunk(void) {
  chunk *c = bw_aligned_alloc(CHUNK, CHUNK);
  if (!c) return NULL;
  memset(c, 0, CHUNK);
  for (int i = RECORDS; i-- > 0;) {
    c->g[i].next = c->bare;
    c->bare = &c->g[i];
  }
  c->bare_count = RECORDS;
  return c;
}

static bw__g *take_locked(void) {
  bw__port_mem_sync();
  if (bw__list_empty(&records.roomy)) return NULL;
  chunk *c = BW_CONTAINER(records.roomy.next, chunk, roomy);
  bw__g *g = c->bare;
  c->bare = g->next;
  if (--c->bare_count == 0) bw__list_remove(&c->roomy);
  return g;
}

bw__g *bw__record_take(void) {
  bw__mutex_lock(&records.lock);
  bw__g *g = take_locked();
  bw__mutex_unlock(&records.lock);
  if (g) return g;
  chunk *c = make_chunk();
  if (!c) return NULL;
  bw__mutex_lock(&records.lock);
  bw__list_push_back(&records.all, &c->all);
  bw__list_push_front(&records.roomy, &c->roomy);
  g = take_locked();
  bw__mutex_unlock(&records.lock);
  return g;
}

// The chunk, if nobody needs it any more; it is on no list then.
static chunk *give_locked(bw__g *g) {
  chunk *c = chunk_of(g);
  g->next = c->bare;
  c->bare = g;
  if (++c->bare_count == 1) bw__list_push_front(&records.roomy, &c->roomy);
  bool only = records.roomy.next == records.roomy.prev;
  if (c->bare_count < RECORDS || only) return NULL;
  bw__list_remove(&c->roomy);
  bw__list_remove(&c->all);
  return c;
}

void bw__record_give(bw__g *g) {
  bw__mutex_lock(&records.lock);
  bw__port_mem_sync();
  g->ctx = NULL;
  chunk *idle = give_locked(g);
  bw__mutex_unlock(&records.lock);
  bw_free(idle);
}

void bw__records_free(void (*drop_stack)(bw__g *g)) {
  for (bw__list *l; (l = bw__list_pop_front(&records.all));) {
    chunk *c = BW_CONTAINER(l, chunk, all);
    for (int i = 0; i < RECORDS; i++)
      if (c->g[i].ctx) drop_stack(&c->g[i]);
    bw_free(c);
  }
  bw__list_init(&records.roomy);
}

void bw__g_each_at_end(void (*visit)(bw__g *g, void *arg), void *arg) {
  bw__port_mem_sync();
  for (bw__list *l = records.all.next; l != &records.all; l = l->next) {
    chunk *c = BW_CONTAINER(l, chunk, all);
    for (int i = 0; i < RECORDS; i++)
      if (bw__shared_load(&c->g[i].state) != BW_G_FREE) visit(&c->g[i], arg);
  }
}

bool bw__g_each(void (*visit)(bw__g *g, void *arg), void *arg) {
  enum { TRIES = 10000 };
  for (int i = 0; !bw__mutex_trylock(&records.lock); i++) {
    if (i == TRIES) return false;
    bw__port_thread_yield();
  }
  bw__g_each_at_end(visit, arg);
  bw__mutex_unlock(&records.lock);
  return true;
}
