// Pools: what is put comes back, what nobody gets is dropped by the second ageing.
#include "chan_util.h"
#include "oom_util.h"

#include "sync/pool.h"

// ---- items that are counted ---------------------------------------------------------------------

static atomic_int made, dropped;

static void *make_item(void *arg) {
  (void)arg;
  atomic_fetch_add(&made, 1);
  return bw_malloc(16);
}

static void drop_item(void *item) {
  atomic_fetch_add(&dropped, 1);
  bw_free(item);
}

static char items[8]; // to be put into pools without `drop`

static void counts_begin(void) {
  atomic_store(&made, 0);
  atomic_store(&dropped, 0);
}

// ---- one P: the order is Go's -------------------------------------------------------------------

static int gives_back(void *arg) {
  (void)arg;
  bw_pool p = {0};
  CHECK(!bw_pool_get(&p));
  bw_pool_put(&p, NULL);
  CHECK(!bw_pool_get(&p));
  for (int i = 0; i < 5; i++) bw_pool_put(&p, &items[i]);
  CHECK(bw_pool_get(&p) == &items[0]);                             // in reach of this P alone
  for (int i = 4; i > 0; i--) CHECK(bw_pool_get(&p) == &items[i]); // then the last put
  CHECK(!bw_pool_get(&p));
  bw_pool_drain(&p);
  bw_pool_drain(&p);
  bw_pool_put(&p, &items[0]); // as new
  CHECK(bw_pool_get(&p) == &items[0]);
  bw_pool_drain(&p);
  return 0;
}
TEST(pool_b119_put_then_get) { test_run(gives_back, NULL, 1); }
TEST(pool_b119_put_then_get_without_runtime) { CHECK_EQ(gives_back(NULL), 0); }

static void *count_in(void *counter) {
  ++*(int *)counter;
  return counter;
}

static int makes(void *arg) {
  (void)arg;
  int n = 0;
  bw_pool p = {.make = count_in, .arg = &n};
  CHECK(bw_pool_get(&p) == &n && n == 1);
  CHECK(bw_pool_get(&p) == &n && n == 2);
  bw_pool_put(&p, &items[0]);
  CHECK(bw_pool_get(&p) == &items[0] && n == 2);
  CHECK(bw_pool_get(&p) == &n && n == 3);
  bw_pool_drain(&p);
  return 0;
}
TEST(pool_b119_new_is_used_when_empty) { test_run(makes, NULL, 1); }

// ---- ageing -------------------------------------------------------------------------------------

enum { MANY = 100 };

static void put_many(bw_pool *p, int n) {
  for (int i = 0; i < n; i++) bw_pool_put(p, make_item(NULL));
}

static int get_all(bw_pool *p) {
  int n = 0;
  for (void *item; (item = bw_pool_get(p)); n++) bw_free(item);
  return n;
}

static int ages(void *arg) {
  (void)arg;
  bw_pool p = BW_POOL(NULL, drop_item), empty = BW_POOL(NULL, drop_item);
  counts_begin();
  bw_pools_age(); // of nothing
  put_many(&p, MANY);
  bw_pools_age();
  CHECK_EQ(atomic_load(&dropped), 0);
  CHECK_EQ(get_all(&p), MANY); // one ageing is survived

  put_many(&p, MANY);
  bw_pools_age();
  put_many(&p, 7);
  bw_pools_age();
  CHECK_EQ(atomic_load(&dropped), MANY); // two are not
  CHECK_EQ(get_all(&p), 7);

  put_many(&p, MANY);
  bw_pools_age();
  void *item = bw_pool_get(&p); // who is got is young again
  bw_pool_put(&p, item);
  bw_pools_age();
  CHECK_EQ(atomic_load(&dropped), MANY + MANY - 1);
  CHECK_EQ(get_all(&p), 1);

  put_many(&p, MANY);
  bw_pool_drain(&p);
  CHECK_EQ(atomic_load(&dropped), MANY + MANY - 1 + MANY);
  CHECK(!bw_pool_get(&empty));
  bw_pools_age();
  return 0;
}
TEST(pool_b119_lives_through_one_ageing) { test_run(ages, NULL, 1); }
TEST(pool_b119_lives_through_one_ageing_without_runtime) { CHECK_EQ(ages(NULL), 0); }

static int put_some(void *arg, size_t i) {
  (void)i;
  put_many(arg, MANY);
  bw_gosched();
  return 0;
}

// What lies with Ps that are idle now, or whose owner has not come back, goes as well.
static int ages_of_all(void *arg) {
  (void)arg;
  bw_pool p = BW_POOL(NULL, drop_item);
  counts_begin();
  CHECK_EQ(bw_parallel(20, 20, put_some, &p), 0);
  bw_gomaxprocs(2); // some Ps go
  while (atomic_load(&dropped) < 20 * MANY) {
    bw_pools_age();
    bw_sleep(BW_MILLISECOND); // others go idle
  }
  CHECK_EQ(atomic_load(&dropped), atomic_load(&made));
  CHECK(!bw_pool_get(&p));
  bw_pool_drain(&p);
  return 0;
}
TEST(pool_b119_ageing_reaches_all_procs) { test_run(ages_of_all, NULL, 6); }

// Rings go back when their chain is old and empty: the memory does not grow.
static int gives_memory_back(void *arg) {
  (void)arg;
  bw_pool p = BW_POOL(NULL, NULL);
  for (int i = 0; i < 10000; i++) bw_pool_put(&p, &items[0]);
  bw_alloc_stats before, after;
  bw_alloc_stats_read(&before);
  for (int i = 0; i < 3; i++) bw_pools_age();
  bw_alloc_stats_read(&after);
  CHECK(after.live_bytes + 10000 * sizeof(void *) < before.live_bytes);
  bw_pool_drain(&p);
  return 0;
}
TEST(pool_old_rings_are_freed) {
  SKIP_IN_ALLOC_DEBUG("counts bytes");
  test_run(gives_memory_back, NULL, 1);
}

// ---- by itself ----------------------------------------------------------------------------------

static int aged_by_the_monitor(void *arg) {
  (void)arg;
  bw_pool p = BW_POOL(NULL, drop_item);
  counts_begin();
  put_many(&p, MANY);
  while (atomic_load(&dropped) < MANY) bw_sleep(BW_MILLISECOND);
  bw_pool_drain(&p);
  return 0;
}
TEST(pool_the_monitor_ages) {
  if (!bw__port_capabilities.monitors) SKIP("there is no monitor");
  bw__store(&bw__pools_period, BW_MILLISECOND);
  test_run(aged_by_the_monitor, NULL, 2);
  test_run(aged_by_the_monitor, NULL, 1); // in a runtime that comes later, too
}

// Nobody runs, not even the monitor, which has gone to sleep for as long as it has nothing to do.
static bw_chan *last_drop;

static void drop_and_tell(void *item) {
  drop_item(item);
  bw_chan_close(last_drop);
}

static int aged_while_all_sleep(void *arg) {
  (void)arg;
  bw_pool p = BW_POOL(NULL, drop_and_tell);
  last_drop = bw_chan_make(0, 0);
  bw_pool_put(&p, make_item(NULL));
  bw_outside_enter(); // the monitor is no help that a deadlock is judged by
  bw_chan_recv(last_drop, NULL);
  bw_outside_leave();
  bw_pool_drain(&p);
  bw_chan_release(last_drop);
  return 0;
}
TEST(pool_the_monitor_ages_while_all_sleep) {
  if (!bw__port_capabilities.monitors) SKIP("there is no monitor");
  bw__store(&bw__pools_period, 300 * BW_MILLISECOND); // it sleeps deep after a tenth of that
  test_run(aged_while_all_sleep, NULL, 2);
}

// ---- an item that is dropped may do what it likes -----------------------------------------------

static bw_pool parking;
static bw_chan *parked;

static void drop_parking(void *item) {
  bw_chan_send(parked, &item);
  bw_pool_put(&parking, item);
  bw_pool_get(&parking);
}

static void age_twice(void *done) {
  bw_pools_age();
  bw_pools_age();
  bw_chan_close(done);
}

static int drop_parks(void *arg) {
  (void)arg;
  bw_chan *done = bw_chan_make(0, 0);
  parked = bw_chan_make(sizeof(void *), 0);
  parking = (bw_pool)BW_POOL(NULL, drop_parking);
  for (int i = 0; i < 3; i++) bw_pool_put(&parking, &items[i]);
  CHECK_EQ(bw_go(age_twice, done), 0);
  void *item;
  for (int i = 0; i < 3; i++) CHECK(bw_chan_recv(parked, &item));
  bw_chan_recv(done, NULL);
  parking.drop = NULL;
  bw_pool_drain(&parking);
  bw_chan_release(parked);
  bw_chan_release(done);
  return 0;
}
TEST(pool_drop_may_park) { test_run(drop_parks, NULL, 1); }

// ---- no memory ----------------------------------------------------------------------------------

static int no_memory(void *arg) {
  (void)arg;
  bw_pool p = BW_POOL(NULL, drop_item);
  void *all_items[20];
  counts_begin();
  for (int i = 0; i < 20; i++) all_items[i] = make_item(NULL);
  oom_block *all = oom_soak();
  oom_begin(1, OOM_FOR_EVER);
  bw_pool_put(&p, all_items[0]); // not even a state, until that item's memory is there: its bytes
  bw_pool_put(&p, all_items[1]); // are not enough
  CHECK_EQ(atomic_load(&dropped), 2);
  CHECK(!bw_pool_get(&p));
  oom_end();
  oom_free(all);

  bw_pool_put(&p, all_items[2]);
  all = oom_soak();
  oom_begin(1, OOM_FOR_EVER);
  for (int i = 3; i < 20; i++) bw_pool_put(&p, all_items[i]); // no ring, only the P's own place
  CHECK(oom_end());
  oom_free(all);
  CHECK_EQ(atomic_load(&dropped) + get_all(&p), 20);
  CHECK(atomic_load(&dropped) > 2);
  bw_pool_drain(&p);
  oom_check_books();
  return 0;
}
TEST(pool_no_memory_drops) {
  SKIP_IN_ALLOC_DEBUG("what is freed waits in the quarantine");
  test_run(no_memory, NULL, 1);
}
