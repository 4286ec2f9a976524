// The queue of a pool, and pools under load: every item exactly once.
#include "chan_util.h"

#include "base/rand.h"
#include "sync/pool.h"

// ---- the queue ----------------------------------------------------------------------------------

// Against an array: the owner's end is a stack, the other a queue.
TEST(pool_b120_chain_model) {
  enum { STEPS = 20000 };
  static uint64_t model[STEPS + 1];
  bw__pool_chain c = {0};
  _Atomic(int32_t) visitors = 0;
  bw__rand r = {chan_seed()};
  uint64_t first = 0, next = 0, value = 0;
  for (int i = 0; i < STEPS; i++) {
    uint64_t x = bw__rand_next(&r) % 8;
    if (x < (i % 2000 < 1200 ? 5 : 2)) {
      model[next++] = ++value;
      CHECK(bw__pool_chain_push(&c, (void *)(uintptr_t)value));
    } else if (x == 7) {
      uint64_t want = next > first ? model[--next] : 0;
      CHECK_EQ((uintptr_t)bw__pool_chain_pop(&c), want);
    } else {
      uint64_t want = next > first ? model[first++] : 0;
      CHECK_EQ((uintptr_t)bw__pool_chain_visit(&c, &visitors), want);
    }
    CHECK_EQ(bw__pool_chain_empty(&c), next == first);
  }
  CHECK(!bw__pool_rings_free(bw__pool_chain_reset(&c), &visitors));
  CHECK(!bw__pool_chain_visit(&c, &visitors) && !bw__pool_chain_pop(&c) &&
        bw__pool_chain_empty(&c));
}

// One pushes and pops, the others take; each item comes out once. The takers do not stop before the
// last item is out.
typedef struct {
  bw__pool_chain chain;
  _Atomic(int32_t) visitors;
  atomic_int left;
  atomic_uchar *seen;
} deque;

static void out(deque *d, void *item) {
  CHECK_EQ(atomic_fetch_add(&d->seen[(uintptr_t)item - 1], 1), 0);
  atomic_fetch_sub(&d->left, 1);
}

static void take_items(void *arg) {
  deque *d = arg;
  while (atomic_load(&d->left) > 0) {
    void *item = bw__pool_chain_visit(&d->chain, &d->visitors);
    if (item)
      out(d, item);
    else
      bw_gosched();
  }
}

static void push_and_pop(deque *d, int n) {
  bw__rand r = {chan_seed()};
  for (int i = 1; i <= n; i++) {
    CHECK(bw__pool_chain_push(&d->chain, (void *)(uintptr_t)i));
    uint64_t x = bw__rand_next(&r);
    void *item = x % 10 == 0 ? bw__pool_chain_pop(&d->chain) : NULL;
    if (item) out(d, item);
    if (x % 256 == 0) bw_gosched();
  }
  while (atomic_load(&d->left) > 0) {
    void *item = bw__pool_chain_pop(&d->chain);
    if (item)
      out(d, item);
    else
      bw_gosched();
  }
}

static int one_producer(void *arg) {
  enum { TAKERS = 3 };
  int n = test_is_slow_build() ? 20000 : 200000;
  (void)arg;
  deque d = {.seen = bw_calloc((size_t)n, 1)};
  CHECK(d.seen);
  atomic_init(&d.left, n);
  chan_thread t[TAKERS];
  for (int i = 0; i < TAKERS; i++) chan_thread_start(&t[i], take_items, &d);
  push_and_pop(&d, n);
  for (int i = 0; i < TAKERS; i++) chan_thread_join(&t[i]);
  for (int i = 0; i < n; i++) CHECK_EQ(atomic_load(&d.seen[i]), 1);
  CHECK(bw__pool_chain_empty(&d.chain));
  CHECK(!bw__pool_rings_free(bw__pool_chain_reset(&d.chain), &d.visitors));
  bw_free(d.seen);
  return 0;
}
THREADS_TEST(pool_b120_one_producer_many_takers) { test_run(one_producer, NULL, 2); }

// ---- pools --------------------------------------------------------------------------------------

// Items that know whether they are in the pool.
typedef struct {
  atomic_int inside;
  int payload;
} item;

static atomic_int made, dropped;
static atomic_bool stop;

static void *make_item(void *unused) {
  (void)unused;
  item *x = bw_calloc(1, sizeof *x);
  CHECK(x);
  atomic_fetch_add(&made, 1);
  return x;
}

static void drop_item(void *arg) {
  item *x = arg;
  CHECK_EQ(atomic_load(&x->inside), 1);
  atomic_fetch_add(&dropped, 1);
  bw_free(x);
}

static bw_pool pool;

static void get_and_put(void *seed) {
  enum { MOST = 20 };
  bw__rand r = {(uintptr_t)seed};
  item *mine[MOST];
  int n = 0;
  while (!atomic_load(&stop)) {
    uint64_t x = bw__rand_next(&r);
    if (n == 0 || (n < MOST && x % 2)) {
      item *got = bw_pool_get(&pool);
      if (atomic_load(&got->inside)) atomic_fetch_sub(&got->inside, 1);
      CHECK_EQ(atomic_load(&got->inside), 0);
      got->payload++; // a second owner would be a data race
      mine[n++] = got;
    } else {
      CHECK_EQ(atomic_fetch_add(&mine[--n]->inside, 1), 0);
      bw_pool_put(&pool, mine[n]);
    }
    if (x >> 8 & 1) bw_gosched();
    if ((x >> 16) % 512 == 0) bw_pools_age();
  }
  while (n > 0) {
    atomic_fetch_add(&mine[--n]->inside, 1);
    bw_pool_put(&pool, mine[n]);
  }
}

static int member(void *seed) {
  get_and_put(seed);
  return 0;
}

static int stress(void *arg) {
  (void)arg;
  enum { GOROUTINES = 20, OUTSIDE = 2 };
  uint64_t seed = chan_seed();
  pool = (bw_pool)BW_POOL(make_item, drop_item);
  bw_group *g = bw_group_make();
  for (uintptr_t i = 0; i < GOROUTINES; i++)
    CHECK_EQ(bw_group_go(g, member, (void *)((uintptr_t)seed + i)), 0);
  chan_thread t[OUTSIDE];
  for (uintptr_t i = 0; i < OUTSIDE && bw__port_capabilities.threads; i++)
    chan_thread_start(&t[i], get_and_put, (void *)((uintptr_t)seed + 100 + i));
  int64_t end = bw_now() + test_stress_ns(1);
  for (int n = 1; bw_now() < end; n++) {
    bw_sleep(20 * BW_MILLISECOND);
    if (bw__port_capabilities.threads) bw_gomaxprocs(1 + n % 4);
  }
  atomic_store(&stop, true);
  for (int i = 0; i < OUTSIDE && bw__port_capabilities.threads; i++) chan_thread_join(&t[i]);
  CHECK_EQ(bw_group_wait(g), 0);
  bw_pool_drain(&pool);
  CHECK_EQ(atomic_load(&made), atomic_load(&dropped));
  CHECK(atomic_load(&made) > 0);
  return 0;
}
TEST(pool_b120_stress) { test_run(stress, NULL, 3); }
