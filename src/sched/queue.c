// Run queues, the long ways: a ring that is full, thieves, and the global queue.
//
// The global queue has two parts. Its list is first come, first served: goroutines that yielded
// while others wait there, and those readied where no P is at hand. Its batches are halves of rings
// that were full. An M with nothing of its own takes from the list or the *newest* batch, in turn;
// every 61st time it takes the goroutine that has waited longest in list or batches, so that nobody
// waits for ever. Newest first keeps the number of goroutines alive small: a program that starts
// goroutines which start goroutines walks its tree depth first, in strides, and works with
// stacks that are in the cache. (Oldest first walks it breadth first: a tree of a million
// goroutines then has all of them alive at once, 4 GB of stacks.) For the same reason the oldest of
// the batches comes only every 16th of these times.
//
// Locks: sched.
#include "sched/runq.h"

enum { HALF = BW_RING / 2, OLDEST_BATCH_EVERY = 16 };

// ---- global queue -------------------------------------------------------------------------------

static void add_queued_locked(bw__sched *s, int n) {
  bw__store(&s->queued, bw__load_relaxed(&s->queued) + (uint32_t)n); // see wakeups.md
}

static void list_push_locked(bw__sched *s, bw__g *g) {
  g->next = NULL;
  if (s->tail)
    s->tail->next = g;
  else
    s->head = g;
  s->tail = g;
  s->list_count++;
}

static bw__g *list_pop_locked(bw__sched *s) {
  bw__g *g = s->head;
  if (!g) return NULL;
  s->head = g->next;
  if (!s->head) s->tail = NULL;
  s->list_count--;
  return g;
}

void bw__globq_put(bw__g *g) {
  bw__sched *s = &bw__sched_state;
  bw__mutex_lock(&s->lock);
  list_push_locked(s, g);
  add_queued_locked(s, 1);
  bw__mutex_unlock(&s->lock);
}

// A chain of n goroutines, linked by next.
static void put_batch(bw__g *first, int n) {
  bw__sched *s = &bw__sched_state;
  bw__mutex_lock(&s->lock);
  first->batch_size = n;
  bw__list_push_front(&s->batches, &first->batch);
  add_queued_locked(s, n);
  bw__mutex_unlock(&s->lock);
}

// Takes a share of the list for p: enough that the Ps together empty it.
static bw__g *take_list_locked(bw__sched *s, bw__p *p, int *taken) {
  bw__g *g = list_pop_locked(s);
  if (!g) return NULL;
  int share = (int)s->list_count / bw__load_relaxed(&s->procs);
  if (share > HALF) share = HALF;
  for (*taken = 1; share > 0; share--, ++*taken) bw__ring_push(p, list_pop_locked(s));
  return g;
}

// The first of a batch; the others hang on it by next.
static bw__g *take_batch_locked(bw__sched *s, int *taken) {
  bw__list *l = bw__list_pop_front(&s->batches);
  if (!l) return NULL;
  bw__g *first = BW_CONTAINER(l, bw__g, batch);
  *taken = first->batch_size;
  return first;
}

static void push_chain(bw__p *p, bw__g *g) {
  for (bw__g *next; g; g = next) {
    next = g->next;
    bw__ring_push(p, g);
  }
}

bw__g *bw__globq_take(bw__p *p, bool *of_batch) {
  bw__sched *s = &bw__sched_state;
  int taken = 0;
  *of_batch = false;
  if (bw__load_relaxed(&s->queued) == 0) return NULL;
  bw__mutex_lock(&s->lock);
  bw__port_mem_sync(); // the Gs may lie in memory that other threads grew
  bool batches_turn = s->batches_turn = !s->batches_turn; // neither keeps the other from running
  bw__g *batch = batches_turn ? take_batch_locked(s, &taken) : NULL;
  bw__g *g = batch ? batch : take_list_locked(s, p, &taken);
  if (!g) g = batch = take_batch_locked(s, &taken);
  add_queued_locked(s, -taken);
  bw__mutex_unlock(&s->lock);
  if (batch) push_chain(p, batch->next);
  *of_batch = batch != NULL;
  return g;
}

// The first of the oldest batch. The rest stays where it is.
static bw__g *oldest_of_batches_locked(bw__sched *s) {
  if (bw__list_empty(&s->batches)) return NULL;
  bw__list *l = s->batches.prev;
  bw__g *g = BW_CONTAINER(l, bw__g, batch), *rest = g->next;
  if (rest) {
    rest->batch_size = g->batch_size - 1;
    bw__list_insert_after(l, &rest->batch);
  }
  bw__list_remove(l);
  return g;
}

bw__g *bw__globq_take_oldest(void) {
  bw__sched *s = &bw__sched_state;
  bw__mutex_lock(&s->lock);
  bw__port_mem_sync();
  bool batches_turn = ++s->turn % OLDEST_BATCH_EVERY == 0;
  bw__g *g = batches_turn ? oldest_of_batches_locked(s) : list_pop_locked(s);
  if (!g && batches_turn) g = list_pop_locked(s);
  if (g) add_queued_locked(s, -1);
  bw__mutex_unlock(&s->lock);
  return g;
}

// ---- the owner's long ways ----------------------------------------------------------------------

// Moves `n` goroutines off the head of p's ring into a chain. False: thieves have taken some.
static bool cut(bw__p *p, uint32_t head, uint32_t n, bw__g **first, bw__g **last) {
  bw__runq *q = &p->q;
  if (!bw__cas(&q->head, &head, head + n)) return false;
  *first = *last = bw__load_relaxed(&q->ring[head % BW_RING]);
  for (uint32_t i = 1; i < n; i++) {
    bw__g *g = bw__load_relaxed(&q->ring[(head + i) % BW_RING]);
    (*last)->next = g;
    *last = g;
  }
  return true;
}

BW_NOINLINE void bw__runq_overflow(bw__p *p, bw__g *g, uint32_t room) {
  bw__g *first, *last;
  uint32_t head = bw__load_acquire(&p->q.head); // pairs with a thief's CAS
  uint32_t n = bw__load_relaxed(&p->q.tail) - head;
  if (n < room || !cut(p, head, room / 2, &first, &last)) { // thieves have made room
    bw__ring_push(p, g);
    return;
  }
  last->next = g;
  g->next = NULL;
  put_batch(first, (int)room / 2 + 1);
}

// Chains that take turns of the same length get sixteen each, with one P twice as many: then
// nobody waits for long. One whose turns are short beside what the others took since its last chain
// goes on for a quarter of that time, so that they cannot have all of it (behaviour 54), and ten
// milliseconds at most. The clock is looked at twice in a chain, and only while somebody waits in
// the ring.
BW_NOINLINE bool bw__chain_goes_on(bw__p *p) {
  p->chain_left = bw__chain_looks_every(p);
  int64_t looks = ++p->chain_looks;
  if (bw__load_relaxed(&p->q.head) == bw__load_relaxed(&p->q.tail)) {
    p->chain_left *= 4; // nobody waits
    return true;
  }
  int64_t now = bw__port_now();
  bw__store_relaxed(&bw__sched_state.coarse_now, now);
  if (looks == 1) {
    p->chain_looked = now;
    return true;
  }
  int64_t own = now - p->chain_looked; // of all turns but those before the first look
  int64_t first = own / (looks - 1);   // of those
  int64_t others = p->before_chain + (p->chain_looked - p->chain_ended) - first;
  if (own < BW_SLICE && own < others / 4) return true;
  p->before_chain = now - p->chain_ended;
  p->chain_ended = now;
  return false;
}

void bw__runq_flush(bw__p *p) {
  bw__g *next = bw__next_take(p);
  if (next) bw__globq_put(next);
  for (bw__g *g; (g = bw__ring_pop(p));) bw__globq_put(g);
}

bool bw__runq_empty(bw__p *p) {
  bw__runq *q = &p->q;
  for (;;) { // the owner may move a goroutine from next to the ring between two of these loads
    uint32_t head = bw__load(&q->head), tail = bw__load(&q->tail);
    bw__g *next = bw__load(&q->next);
    if (tail == bw__load(&q->tail)) return head == tail && !next;
  }
}

// ---- thieves ------------------------------------------------------------------------------------

// Copies half of the victim's ring, or all, into p's, without publishing it there. Returns how
// many.
static uint32_t grab(bw__p *p, bw__p *victim, bool all) {
  bw__runq *from = &victim->q, *to = &p->q;
  uint32_t tail = bw__load_relaxed(&to->tail);
  for (;;) {
    uint32_t head = bw__load_acquire(&from->head);     // pairs with others' CAS
    uint32_t n = bw__load_acquire(&from->tail) - head; // pairs with the owner's push
    if (n == 0) return 0;
    if (n > BW_RING) continue; // head and tail were read at different times
    if (!all) n -= n / 2;
    for (uint32_t i = 0; i < n; i++) {
      bw__g *g = bw__load_relaxed(&from->ring[(head + i) % BW_RING]);
      bw__store_own(&to->ring[(tail + i) % BW_RING], g);
    }
    if (bw__cas(&from->head, &head, head + n)) return n;
  }
}

// The victim's next goroutine was most likely readied by one that is about to block: taking it
// would send it to another core for nothing. It is fair game when the victim does not come round
// to it for a while.
static bw__g *steal_next(bw__p *victim) {
  enum { PATIENCE = 64 };
  uint64_t runs = bw__tally_read(&victim->runs);
  if (!bw__load_relaxed(&victim->q.next)) return NULL;
  for (int i = 0; i < PATIENCE; i++) bw__cpu_relax();
  if (bw__tally_read(&victim->runs) != runs) return NULL;
  return bw__swap(&victim->q.next, NULL);
}

bw__g *bw__runq_steal(bw__p *p, bw__p *victim, bool all, bool desperate) {
  uint32_t n = grab(p, victim, all);
  bw__g *g;
  if (n > 0) {
    uint32_t tail = bw__load_relaxed(&p->q.tail);
    g = bw__load_relaxed(&p->q.ring[(tail + n - 1) % BW_RING]);
    if (n > 1) bw__store(&p->q.tail, tail + n - 1);
    bw__g *next = all ? steal_next(victim) : NULL;
    if (next) bw__ring_push(p, next);
  } else {
    g = all || desperate ? steal_next(victim) : NULL;
  }
  if (g) {
    bw__tally_add(&p->steals, 1);
    bw__port_mem_sync(); // the Gs may lie in memory that the victim's thread grew
  }
  return g;
}
