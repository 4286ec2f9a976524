// Run queues by themselves: order, overflow, thieves; the order in which victims are visited.
#include "chan_util.h"

#include "port/port.h"
#include "sched/runq.h"

static bw__p *p_make(bool solo) {
  bw__p *p = bw__sched_record(sizeof *p);
  p->q.solo = solo;
  return p;
}

// behaviour 56: put and get
static void order(bool solo) {
  static bw__g gs[BW_RING];
  bw__p *p = p_make(solo);
  CHECK(bw__runq_empty(p));
  CHECK(!bw__runq_take(p));
  for (int round = 0; round < 3; round++) {
    for (int i = 0; i < BW_RING; i++) bw__runq_put(p, &gs[i], false);
    CHECK(!bw__runq_empty(p));
    for (int i = 0; i < BW_RING; i++) CHECK(bw__runq_take(p) == &gs[i]);
    CHECK(bw__runq_empty(p));
  }
  bw__runq_put(p, &gs[0], false);
  bw__runq_put(p, &gs[1], true);
  bw__runq_put(p, &gs[2], true); // pushes gs[1] to the tail
  CHECK(bw__runq_take(p) == &gs[2]);
  CHECK(bw__runq_take(p) == &gs[0]);
  CHECK(bw__runq_take(p) == &gs[1]);
  CHECK(!bw__runq_take(p));
  bw_free(p);
}
TEST(sched_b56_queue_order) {
  order(true);
  order(false);
}

// behaviour 56: a thief takes the older half, rounded up, and the next one only when desperate
TEST(sched_b56_queue_steal) {
  static bw__g gs[BW_RING];
  for (int n = 0; n <= BW_RING; n++) {
    bw__p *p = p_make(false), *thief = p_make(false);
    for (int i = 0; i < n; i++) bw__runq_put(p, &gs[i], false);
    bw__g *g = bw__runq_steal(thief, p, false, false);
    int stolen = 0;
    CHECK((g != NULL) == (n > 0));
    for (bw__g *more; (more = bw__runq_take(thief)); stolen++) CHECK(more == &gs[stolen]);
    if (g) CHECK(g == &gs[stolen++]);
    CHECK_EQ(stolen, n - n / 2);
    for (int i = stolen; i < n; i++) CHECK(bw__runq_take(p) == &gs[i]);
    CHECK(bw__runq_empty(p) && bw__runq_empty(thief));
    bw_free(p);
    bw_free(thief);
  }
  bw__p *p = p_make(false), *thief = p_make(false);
  bw__runq_put(p, &gs[0], true);
  CHECK(!bw__runq_steal(thief, p, false, false));
  CHECK(bw__runq_steal(thief, p, false, true) == &gs[0]);
  CHECK(bw__runq_empty(p));
  bw_free(p);
  bw_free(thief);
}

// A greedy one takes all, in order, and the next one last.
TEST(sched_queue_steal_all) {
  static bw__g gs[BW_RING + 1];
  for (int n = 0; n <= BW_RING; n++) {
    bw__p *p = p_make(false), *thief = p_make(false);
    for (int i = 0; i < n; i++) bw__runq_put(p, &gs[i], false);
    bw__runq_put(p, &gs[n], true);
    bw__g *g = bw__runq_steal(thief, p, true, false);
    CHECK(bw__runq_empty(p));
    CHECK(g == &gs[n > 0 ? n - 1 : 0]);
    for (int i = 0; i < n - 1; i++) CHECK(bw__runq_take(thief) == &gs[i]);
    if (n > 0) CHECK(bw__runq_take(thief) == &gs[n]);
    CHECK(bw__runq_empty(thief));
    bw_free(p);
    bw_free(thief);
  }
}

// Two goroutines that ready each other make way for one that waits in the ring after two looks.
// (More, when the system interrupts it or the clock ticks in microseconds, as it may on wasm; but
// thousands fit into what a chain may last.)
static int turns_before_the_ring(bw__p *p) {
  static bw__g pair[2], third;
  int turns = 0;
  bw__runq_put(p, &third, false);
  for (bw__g *g = &pair[0]; g != &third; turns++) {
    bw__runq_put(p, &pair[turns % 2], true);
    g = bw__runq_take(p);
  }
  CHECK(bw__runq_take(p) == &pair[(turns - 1) % 2]);
  CHECK(bw__runq_empty(p));
  return turns - 1;
}

static void chains(bool solo, int turns_wanted) {
  bw__p *p = p_make(solo);
  int least = turns_before_the_ring(p);
  for (int i = 0; i < 1000; i++) {
    int turns = turns_before_the_ring(p);
    if (turns < least) least = turns;
  }
  CHECK(least >= turns_wanted - 2 &&
        least <= 8 * turns_wanted); // what was left over is the first of the next chain
  bw_free(p);
}
TEST(sched_queue_chain_makes_way) {
  chains(true, 2 * BW_CHAIN_LOOKS_EVERY_SOLO);
  chains(false, 2 * BW_CHAIN_LOOKS_EVERY);
}

// A pair whose turns are short beside the others' has a share of the time, not of the turns.
TEST(sched_b54_queue_chain_shares_time) {
  enum { CHAIN = 16 * 200 * 1000 }; // ns: of sixteen turns
  static bw__g pair[2], others;
  bw__p *p = p_make(true);
  int64_t light = 0, heavy = 0;
  for (int round = 0; round < 20; round++) {
    int64_t begin = bw__port_now();
    while (bw__port_now() - begin < CHAIN) {}
    int64_t middle = bw__port_now();
    bw__runq_put(p, &others, false);
    for (int i = 0;; i++) {
      bw__runq_put(p, &pair[i % 2], true);
      if (bw__runq_take(p) == &others) break;
    }
    CHECK(bw__next_take(p));
    heavy += middle - begin;
    light += bw__port_now() - middle;
  }
  CHECK(light <= 20 * heavy && heavy <= 20 * light);
  bw_free(p);
}

// A full ring gives its older half and the newcomer to the global queue as one batch.
TEST(sched_queue_overflow) {
  static bw__g gs[BW_RING + 1];
  bw__p *p = p_make(true), *other = p_make(true);
  for (int i = 0; i <= BW_RING; i++) bw__runq_put(p, &gs[i], false);
  for (int i = BW_RING / 2; i < BW_RING; i++) CHECK(bw__runq_take(p) == &gs[i]);
  CHECK(bw__runq_empty(p));
  bw__g *oldest = NULL; // not each time
  for (int i = 0; i < 100 && !oldest; i++) oldest = bw__globq_take_oldest();
  CHECK(oldest == &gs[0]);
  bool of_batch;
  CHECK(bw__globq_take(other, &of_batch) == &gs[1] && of_batch);
  for (int i = 2; i < BW_RING / 2; i++) CHECK(bw__runq_take(other) == &gs[i]);
  CHECK(bw__runq_take(other) == &gs[BW_RING]);
  CHECK(bw__runq_empty(other));
  CHECK(!bw__globq_take(other, &of_batch));
  CHECK(!bw__globq_take_oldest());
  bw_free(p);
  bw_free(other);
}

// behaviour 56: never a false "empty" while the owner moves its one goroutine between next and ring
typedef struct {
  bw__p *p;
  atomic_bool stop;
  atomic_int false_empty, looks;
} watch;

static void look_for_empty(void *arg) {
  watch *w = arg;
  while (!atomic_load(&w->stop)) {
    if (bw__runq_empty(w->p)) atomic_fetch_add(&w->false_empty, 1);
    atomic_fetch_add(&w->looks, 1);
  }
}

THREADS_TEST(sched_b56_never_falsely_empty) {
  static bw__g a, b;
  watch w = {.p = p_make(false)};
  bw__port_thread t;
  bw__runq_put(w.p, &a, true);
  CHECK_EQ(bw__port_thread_start(&t, look_for_empty, &w), 0);
  for (int i = 0; i < 200000 || atomic_load(&w.looks) < 1000; i++) {
    bw__runq_put(w.p, i % 2 ? &a : &b, true); // the one before moves to the ring
    CHECK(bw__ring_pop(w.p));                 // and out
  }
  atomic_store(&w.stop, true);
  bw__port_thread_join(&t);
  CHECK_EQ(atomic_load(&w.false_empty), 0);
  bw_free(w.p);
}

// Owner and three thieves: every goroutine comes out exactly once.
enum { THIEVES = 3, PIECES = 200 };

typedef struct {
  bw__p *owner;
  bw__g *gs;
  atomic_int *seen;
  atomic_bool stop;
} heist;

static void thief(void *arg) {
  heist *h = arg;
  bw__p *own = p_make(false);
  for (bool last = false; !last;) {
    last = atomic_load(&h->stop);
    for (bw__g *g = bw__runq_steal(own, h->owner, false, true); g; g = bw__runq_take(own))
      atomic_fetch_add(&h->seen[g - h->gs], 1);
  }
  bw_free(own);
}

THREADS_TEST(sched_queue_thieves_stress) {
  int rounds = test_is_slow_build() ? 30 : 500;
  heist h = {.owner = p_make(false),
             .gs = bw_calloc(PIECES, sizeof(bw__g)),
             .seen = bw_calloc(PIECES, sizeof(atomic_int))};
  bw__port_thread t[THIEVES];
  for (int i = 0; i < THIEVES; i++) CHECK_EQ(bw__port_thread_start(&t[i], thief, &h), 0);
  for (int round = 1; round <= rounds; round++) {
    for (int i = 0; i < PIECES; i++) bw__runq_put(h.owner, &h.gs[i], i % 3 == 0);
    for (bw__g *g; (g = bw__runq_take(h.owner));) atomic_fetch_add(&h.seen[g - h.gs], 1);
    for (int i = 0; i < PIECES; i++)
      while (atomic_load(&h.seen[i]) < round) bw__port_thread_yield(); // a thief has it
  }
  atomic_store(&h.stop, true);
  for (int i = 0; i < THIEVES; i++) bw__port_thread_join(&t[i]);
  for (int i = 0; i < PIECES; i++) CHECK_EQ(atomic_load(&h.seen[i]), rounds);
  bw_free(h.owner);
  bw_free(h.gs);
  bw_free(h.seen);
}

// behaviour 57: every P once, from any start
TEST(sched_b57_steal_order) {
  bw__rand r = {57};
  for (uint32_t n = 1; n <= 130; n = n < 70 ? n + 1 : n + 13)
    for (int k = 0; k < 50; k++) {
      bool seen[130] = {false};
      uint32_t i, count = 0;
      bw__steal_order o = bw__steal_order_start(n, bw__rand_next(&r));
      for (; bw__steal_order_next(&o, &i); count++) {
        CHECK(i < n && !seen[i]);
        seen[i] = true;
      }
      CHECK_EQ(count, n);
    }
}
