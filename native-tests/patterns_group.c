// Groups of goroutines and work in parallel: everything ends, every call is counted.
#include "chan_util.h"
#include "oom_util.h"
#include "panic_util.h"

#include "sched/stack.h"

enum { MEMBERS = 20, FIRST = -77, SECOND = -78 };

// Those that have returned may take a moment to be gone.
static void check_alone(void) {
  while (bw_num_goroutine() > 1) bw_gosched();
}

// ---- groups -------------------------------------------------------------------------------------

typedef struct {
  bw_group *group;
  bw_chan *chan;
  int number, written, code;
} member;

static int write_number(void *arg) {
  member *m = arg;
  for (int i = 0; i < m->number; i++) bw_gosched();
  m->written = m->number;
  return 0;
}

static int start_another(void *arg) {
  member *m = arg;
  return bw_group_go(m->group, write_number, m + 1);
}

static int waits_for_all(void *arg) {
  (void)arg;
  bw_group *g = bw_group_make();
  member m[MEMBERS];
  for (int i = 0; i < MEMBERS; i++) m[i] = (member){.group = g, .number = i};
  for (int i = 0; i < MEMBERS; i += 2) CHECK_EQ(bw_group_go(g, start_another, &m[i]), 0);
  for (int i = 0; i < MEMBERS; i += 2) CHECK_EQ(bw_group_go(g, write_number, &m[i]), 0);
  CHECK_EQ(bw_group_wait(g), 0);
  for (int i = 0; i < MEMBERS; i++) CHECK_EQ(m[i].written, i);
  check_alone();
  CHECK_EQ(bw_group_wait(bw_group_make()), 0); // of nobody
  return 0;
}
TEST(patterns_group_waits_for_all) { test_run(waits_for_all, NULL, 0); }
TEST(patterns_group_waits_for_all_on_one_p) { test_run(waits_for_all, NULL, 1); }

static int receive_for_ever(void *arg) {
  member *m = arg;
  int v;
  CHECK(!bw_group_recv(m->group, m->chan, &v));
  return m->code;
}

static int send_for_ever(void *arg) {
  member *m = arg;
  CHECK(!bw_group_send(m->group, m->chan, &m->number));
  return m->code;
}

static int select_for_ever(void *arg) {
  member *m = arg;
  CHECK_EQ(BW_SELECT(bw_on_recv(m->chan, NULL), bw_on_recv(bw_group_stopped(m->group), NULL)), 1);
  return m->code;
}

static int fail(void *arg) { return ((member *)arg)->code; }

// All who are parked by means of the group are ended by one who fails.
static int first_error_ends_all(void *arg) {
  (void)arg;
  bw_chan *empty = bw_chan_make(sizeof(int), 0), *full = bw_chan_make(sizeof(int), 1);
  bw_chan_send(full, &(int){0});
  bw_group *g = bw_group_make();
  member receiver = {g, empty, 1, 0, SECOND}, sender = {g, full, 1, 0, SECOND};
  member nil = {g, NULL, 1, 0, 0}, failing = {.code = FIRST};
  for (int i = 0; i < MEMBERS; i++) {
    CHECK_EQ(bw_group_go(g, receive_for_ever, &receiver), 0);
    CHECK_EQ(bw_group_go(g, send_for_ever, &sender), 0);
    CHECK_EQ(bw_group_go(g, receive_for_ever, &nil), 0);
    CHECK_EQ(bw_group_go(g, send_for_ever, &nil), 0);
    CHECK_EQ(bw_group_go(g, select_for_ever, &receiver), 0);
  }
  settle();
  CHECK_EQ(bw_chan_try_recv(bw_group_stopped(g), NULL), BW_EAGAIN);
  CHECK_EQ(bw_group_go(g, fail, &failing), 0);
  CHECK_EQ(bw_group_wait(g), FIRST);
  check_alone();
  CHECK_EQ(bw_chan_len(full), 1);
  bw_chan_release(empty);
  bw_chan_release(full);
  return 0;
}
TEST(patterns_group_first_error_ends_all) { test_run(first_error_ends_all, NULL, 0); }
TEST(patterns_group_first_error_on_one_p) { test_run(first_error_ends_all, NULL, 1); }

// "Enough" is no error; an error after it is one; the first counts.
static int stop_codes(void *arg) {
  (void)arg;
  bw_group *g = bw_group_make();
  bw_group_stop(g, 0);
  bw_group_stop(g, 0);
  CHECK_EQ(bw_chan_try_recv(bw_group_stopped(g), NULL), BW_ECLOSED);
  bw_chan *c = bw_chan_make(sizeof(int), 1);
  int v = 5;
  CHECK(!bw_group_send(g, c, &v)); // although there is room
  CHECK_EQ(bw_chan_len(c), 0);
  bw_chan_send(c, &v);
  CHECK(!bw_group_recv(g, c, &v));
  CHECK_EQ(bw_chan_len(c), 1);
  CHECK_EQ(bw_group_wait(g), 0);

  g = bw_group_make();
  bw_group_stop(g, 0);
  member failing = {.code = FIRST};
  CHECK_EQ(bw_group_go(g, fail, &failing), 0);
  settle();
  bw_group_stop(g, SECOND);
  CHECK_EQ(bw_group_wait(g), FIRST);
  bw_chan_release(c);
  return 0;
}
TEST(patterns_group_stop_codes) { test_run(stop_codes, NULL, 1); }

// Open groups pass values on, and say when the channel is drained.
static int send_and_receive(void *arg) {
  (void)arg;
  bw_group *g = bw_group_make();
  bw_chan *c = bw_chan_make(sizeof(int), 3);
  for (int i = 0; i < 3; i++) CHECK(bw_group_send(g, c, &i));
  bw_chan_close(c);
  int v;
  for (int i = 0; i < 3; i++) CHECK(bw_group_recv(g, c, &v) && v == i);
  CHECK(!bw_group_recv(g, c, &v));
  CHECK_EQ(v, 0);
  CHECK_EQ(bw_group_wait(g), 0);
  bw_chan_release(c);
  return 0;
}
TEST(patterns_group_send_and_receive) { test_run(send_and_receive, NULL, 1); }

// From a plain thread, which is blocked.
static void plain_thread(void *arg) { CHECK_EQ(waits_for_all(arg), 0); }
static int in_blocking_call(void *arg) {
  bw_blocking(plain_thread, arg);
  return 0;
}
THREADS_TEST(patterns_group_of_plain_thread) { test_run(in_blocking_call, NULL, 2); }

TEST(patterns_group_without_runtime) {
  bw_group *g = bw_group_make();
  CHECK_EQ(bw_group_go(g, fail, NULL), BW_ESTATE);
  CHECK_EQ(bw_group_wait(g), 0);
}

// ---- limits -------------------------------------------------------------------------------------

typedef struct {
  atomic_int now, most, calls;
} crowd;

static int be_in_crowd(void *arg) {
  crowd *c = arg;
  int now = atomic_fetch_add(&c->now, 1) + 1, most = atomic_load(&c->most);
  while (now > most && !atomic_compare_exchange_weak(&c->most, &most, now)) {}
  for (int i = 0; i < 5; i++) bw_gosched();
  atomic_fetch_add(&c->calls, 1);
  atomic_fetch_sub(&c->now, 1);
  return 0;
}

static int limited(void *arg) {
  (void)arg;
  for (int limit = 1; limit <= 10; limit++) {
    crowd c = {.now = 0};
    bw_group *g = bw_group_make();
    bw_group_set_limit(g, 0);
    CHECK_EQ(bw_group_try_go(g, be_in_crowd, &c), BW_EAGAIN);
    bw_group_set_limit(g, limit);
    for (int i = 0; i < 50; i++) CHECK_EQ(bw_group_go(g, be_in_crowd, &c), 0);
    CHECK_EQ(bw_group_wait(g), 0);
    CHECK_EQ(atomic_load(&c.calls), 50);
    CHECK(atomic_load(&c.most) <= limit);
  }
  check_alone();
  return 0;
}
TEST(patterns_group_limit) { test_run(limited, NULL, 0); }
TEST(patterns_group_limit_on_one_p) { test_run(limited, NULL, 1); }

static int wait_for_stop(void *g) {
  bw_chan_recv(bw_group_stopped(g), NULL);
  return 0;
}

static void set_limit(void *g) { bw_group_set_limit(g, 3); }

static int tries(void *arg) {
  (void)arg;
  caught c;
  bw_group *g = bw_group_make();
  for (int i = 0; i < 5; i++) CHECK_EQ(bw_group_try_go(g, wait_for_stop, g), 0); // no limit yet
  CHECK(panics(set_limit, g, &c));
  CHECK_STR(c.text, "errgroup: modify limit while 5 goroutines in the group are still active");
  bw_group_stop(g, 0);
  CHECK_EQ(bw_group_wait(g), 0);

  g = bw_group_make();
  bw_group_set_limit(g, 2);
  CHECK_EQ(bw_group_try_go(g, wait_for_stop, g), 0);
  CHECK_EQ(bw_group_try_go(g, wait_for_stop, g), 0);
  CHECK_EQ(bw_group_try_go(g, wait_for_stop, g), BW_EAGAIN);
  bw_group_stop(g, FIRST);
  CHECK_EQ(bw_group_go(g, wait_for_stop, g), 0); // when one of them has returned
  CHECK_EQ(bw_group_wait(g), FIRST);

  g = bw_group_make();
  bw_group_set_limit(g, 1);
  bw_group_set_limit(g, -1); // none again
  for (int i = 0; i < 5; i++) CHECK_EQ(bw_group_try_go(g, wait_for_stop, g), 0);
  bw_group_stop(g, 0);
  CHECK_EQ(bw_group_wait(g), 0);
  return 0;
}
TEST(patterns_group_try_go) { test_run(tries, NULL, 1); }

// ---- work in parallel ---------------------------------------------------------------------------

enum { ITEMS = 1000 };

typedef struct {
  atomic_int calls[ITEMS];
  atomic_int all, at_once, most;
  size_t fails_at;
} batch;

static int one_item(void *arg, size_t i) {
  batch *b = arg;
  int now = atomic_fetch_add(&b->at_once, 1) + 1, most = atomic_load(&b->most);
  while (now > most && !atomic_compare_exchange_weak(&b->most, &most, now)) {}
  atomic_fetch_add(&b->calls[i], 1);
  atomic_fetch_add(&b->all, 1);
  if (i % 7 == 0) bw_gosched();
  atomic_fetch_sub(&b->at_once, 1);
  return i >= b->fails_at ? FIRST - (int)i : 0;
}

static void check_parallel(size_t n, int workers, int most) {
  static batch b;
  memset((void *)&b, 0, sizeof b);
  b.fails_at = SIZE_MAX;
  CHECK_EQ(bw_parallel(n, workers, one_item, &b), 0);
  for (size_t i = 0; i < ITEMS; i++) CHECK_EQ(atomic_load(&b.calls[i]), i < n);
  CHECK(atomic_load(&b.most) <= most);
}

static int each_once(void *arg) {
  (void)arg;
  const int counts[] = {0, 1, 2, 7, ITEMS};
  for (int i = 0; i < 5; i++) {
    check_parallel((size_t)counts[i], 0, bw_procs());
    check_parallel((size_t)counts[i], 1, 1);
    check_parallel((size_t)counts[i], 3, 3);
    check_parallel((size_t)counts[i], 20, 20);
  }
  check_alone();
  return 0;
}
TEST(patterns_parallel_each_once) { test_run(each_once, NULL, 0); }
TEST(patterns_parallel_on_one_p) { test_run(each_once, NULL, 1); }
TEST(patterns_parallel_without_runtime) { check_parallel(ITEMS, 4, 1); }

static int error_stops(void *arg) {
  (void)arg;
  static batch b;
  for (int workers = 1; workers <= 8; workers *= 2) {
    memset((void *)&b, 0, sizeof b);
    b.fails_at = 100;
    int code = bw_parallel(ITEMS, workers, one_item, &b);
    int all = atomic_load(&b.all);
    CHECK(code <= FIRST - 100 && code >= FIRST - 100 - workers);
    CHECK(all >= 101 && all <= 100 + workers); // those that had begun
    if (workers == 1) CHECK_EQ(code, FIRST - 100);
    for (int i = 0; i < 100; i++) CHECK_EQ(atomic_load(&b.calls[i]), 1);
  }
  return 0;
}
TEST(patterns_parallel_error_stops) { test_run(error_stops, NULL, 0); }

// ---- panics and ends ----------------------------------------------------------------------------

// A panic in the caller's share, recovered further out: bw_parallel has waited for the others
// first.
typedef struct {
  atomic_int inside, calls;
  uint64_t caller;
  atomic_bool came; // the caller has its item
  bool rescued;
} panicking_crew;

static int panic_or_wait(void *arg, size_t i) {
  panicking_crew *p = arg;
  (void)i;
  atomic_fetch_add(&p->calls, 1);
  if (bw_goid() == p->caller) {
    while (atomic_load(&p->inside) == 0) bw_gosched();
    atomic_store(&p->came, true);
    bw_panic("enough");
  }
  atomic_fetch_add(&p->inside, 1);
  while (!atomic_load(&p->came)) bw_gosched(); // or the others do it all
  for (int k = 0; k < 20; k++) bw_gosched();
  atomic_fetch_sub(&p->inside, 1);
  return 0;
}

static void note_rescue(void *arg, bw_panicking *panicking) {
  panicking_crew *p = arg;
  CHECK_EQ(atomic_load(&p->inside), 0);
  p->rescued = bw_recover(panicking) != NULL;
}

static void run_crew(panicking_crew *p) {
  BW_DEFER_SCOPE;
  BW_ON_RECOVER() return;
  BW_DEFER(note_rescue, p);
  bw_parallel(1000, 4, panic_or_wait, p);
}

static int panicking_share(void *arg) {
  (void)arg;
  panicking_crew p = {.caller = bw_goid()};
  run_crew(&p);
  CHECK(p.rescued);
  int calls = atomic_load(&p.calls);
  for (int i = 0; i < 50; i++) bw_gosched();
  CHECK_EQ(atomic_load(&p.calls), calls);      // nobody goes on
  while (bw_num_goroutine() > 1) bw_gosched(); // they may still be on their last steps
  return 0;
}
TEST(patterns_parallel_panic_in_the_callers_share) { test_run(panicking_share, NULL, 1); }
TEST(patterns_parallel_panic_on_two_procs) { test_run(panicking_share, NULL, 2); }

static int end_here(void *arg) {
  (void)arg;
  bw_goexit();
}

static int goexit_in_a_group(void *arg) {
  (void)arg;
  bw_group *g = bw_group_make();
  for (int i = 0; i < 5; i++) CHECK_EQ(bw_group_go(g, end_here, NULL), 0);
  CHECK_EQ(bw_group_wait(g), 0);
  return 0;
}
TEST(patterns_group_goexit_counts_as_done) { test_run(goexit_in_a_group, NULL, 2); }

// ---- no memory ----------------------------------------------------------------------------------

static int few_goroutines(void *arg) {
  (void)arg;
  bw__store(&bw__stack_refuse, true);
  check_parallel(ITEMS, 8, 1);
  bw_group *g = bw_group_make();
  CHECK_EQ(bw_group_go(g, fail, NULL), BW_ENOMEM);
  bw_group_set_limit(g, 1);
  for (int i = 0; i < 3; i++)
    CHECK_EQ(bw_group_go(g, fail, NULL), BW_ENOMEM); // the place is free again
  CHECK_EQ(bw_group_wait(g), 0);
  bw__store(&bw__stack_refuse, false);
  return 0;
}
TEST(patterns_group_no_memory_for_goroutines) { test_run(few_goroutines, NULL, 1); }

static int no_memory(void *arg) {
  (void)arg;
  static batch b;
  oom_block *all = oom_soak();
  oom_begin(1, OOM_FOR_EVER);
  CHECK(!bw_group_make());
  CHECK_EQ(bw_parallel(ITEMS, 2, one_item, &b), BW_ENOMEM);
  CHECK(!bw_limiter_make(1, 1, 1));
  CHECK(oom_end());
  CHECK_EQ(atomic_load(&b.all), 0);
  oom_free(all);
  oom_check_books();
  return 0;
}
TEST(patterns_no_memory) { test_run(no_memory, NULL, 1); }
