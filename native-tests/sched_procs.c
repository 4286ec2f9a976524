// Ps, threads, blocking calls, goroutines locked to their thread, ends of goroutines.
#include "chan_util.h"

#include "base/atomics.h"
#include "lock/note.h"
#include "port/port.h"

// ---- gomaxprocs ---------------------------------------------------------------------------------

static int set_and_ask(void *arg) {
  (void)arg;
  if (!bw__port_capabilities.threads) {
    CHECK_EQ(bw_gomaxprocs(7), 1);
    CHECK_EQ(bw_gomaxprocs(0), 1);
    return 0;
  }
  CHECK_EQ(bw_gomaxprocs(0), 2);
  CHECK_EQ(bw_gomaxprocs(5), 2);
  CHECK_EQ(bw_gomaxprocs(-1), 5);
  CHECK_EQ(bw_procs(), 5);
  CHECK_EQ(bw_gomaxprocs(1025), BW_EINVAL);
  CHECK_EQ(bw_gomaxprocs(1), 5);
  CHECK_EQ(bw_gomaxprocs(1), 1);
  return 0;
}
TEST(sched_gomaxprocs_returns_what_it_was) {
  CHECK_EQ(bw_gomaxprocs(2), BW_ESTATE);
  test_run(set_and_ask, NULL, 2);
}

// behaviour 59
static void nothing(void *arg) { group_done(arg); }

static int thousand(void *arg) {
  (void)arg;
  if (!bw__port_capabilities.threads) return 0;
  CHECK_EQ(bw_gomaxprocs(1024), 2);
  group g;
  group_init(&g, 1000);
  for (int i = 0; i < 1000; i++) CHECK_EQ(bw_go(nothing, &g), 0);
  group_wait(&g);
  CHECK_EQ(bw_gomaxprocs(2), 1024);
  return 0;
}
TEST(sched_b59_gomaxprocs_1024) {
  if (BW_WASM) SKIP("a Web Worker a P: 1,024 of them are too much for Node");
  test_run(thousand, NULL, 2);
}

// The number of Ps changes all the time while goroutines work, from goroutines and from a plain
// thread. Nothing is lost, and with one P in the end only one goroutine runs at a time.
typedef struct {
  bw_chan *c;
  atomic_llong sum;
  atomic_bool stop;
  atomic_int inside, most;
  group g;
} changing;

static void send_some(void *arg) {
  changing *w = arg;
  for (int i = 1; i <= 200; i++) {
    bw_chan_send(w->c, &i);
    if (i % 16 == 0) bw_gosched();
  }
  group_done(&w->g);
}

static void add_up(void *arg) {
  changing *w = arg;
  for (int v; bw_chan_recv(w->c, &v);) atomic_fetch_add(&w->sum, v);
}

static void change_from_thread(void *arg) {
  changing *w = arg;
  for (int n = 1; !atomic_load(&w->stop); n = n % 6 + 1) {
    CHECK(bw_gomaxprocs(n) > 0);
    bw__port_thread_yield();
  }
  bw_outside_leave();
}

static void stay_inside(void *arg) {
  changing *w = arg;
  for (int i = 0; i < 200; i++) {
    int now = atomic_fetch_add(&w->inside, 1) + 1;
    if (now > atomic_load(&w->most)) atomic_store(&w->most, now);
    for (int k = 0; k < 50; k++) bw__cpu_relax();
    atomic_fetch_sub(&w->inside, 1);
    bw_gosched();
  }
  group_done(&w->g);
}

static int keeps_changing(void *arg) {
  (void)arg;
  int n = test_is_slow_build() ? 20 : 200;
  changing *w = bw_calloc(1, sizeof *w);
  w->c = bw_chan_make(sizeof(int), 4);
  group_init(&w->g, n);
  bw__port_thread t;
  bw_outside_enter();
  CHECK_EQ(bw__port_thread_start(&t, change_from_thread, w), 0);
  for (int i = 0; i < n; i++) CHECK_EQ(bw_go(send_some, w), 0);
  for (int i = 0; i < 8; i++) CHECK_EQ(bw_go(add_up, w), 0);
  for (int i = 0; i < 100; i++) {
    CHECK(bw_gomaxprocs(1 + i % 4) > 0);
    bw_gosched();
  }
  group_wait(&w->g);
  bw_chan_close(w->c);
  while (bw_num_goroutine() > 1) bw_gosched();
  atomic_store(&w->stop, true);
  bw__port_thread_join(&t);
  CHECK_EQ(atomic_load(&w->sum), (long long)n * (200 * 201 / 2));

  CHECK(bw_gomaxprocs(1) > 0);
  do { // the others leave as they come to the scheduler: soon, and then for good
    atomic_store(&w->most, 0);
    group_init(&w->g, 8);
    for (int i = 0; i < 8; i++) CHECK_EQ(bw_go(stay_inside, w), 0);
    group_wait(&w->g);
  } while (bw_proc_index() != 0 || atomic_load(&w->most) != 1);
  bw_chan_release(w->c);
  bw_free(w);
  return 0;
}
THREADS_TEST(sched_gomaxprocs_keeps_changing) { test_run(keeps_changing, NULL, 3); }

// ---- blocking calls -----------------------------------------------------------------------------

static void sleep_on(void *arg) { bw__note_sleep(arg, -1); }

static void wake(void *arg) { bw__note_wake(arg); }

// With one P: whoever wakes the sleeper can only run if the blocking call gave the P away.
static int others_go_on(void *arg) {
  (void)arg;
  for (int i = 0; i < 20; i++) {
    bw__note note = {0};
    CHECK_EQ(bw_go(wake, &note), 0);
    bw_blocking(sleep_on, &note);
    CHECK(bw__note_woken(&note));
    CHECK_EQ(bw_goid(), 1);
  }
  return 0;
}
THREADS_TEST(sched_blocking_hands_the_p_on) { test_run(others_go_on, NULL, 1); }

typedef struct {
  bw__note note;
  group *asleep, *awake;
} blocked;

static void note_and_sleep(void *arg) {
  blocked *b = arg;
  group_done(b->asleep); // a channel operation on a thread in a blocking call
  bw__note_sleep(&b->note, -1);
}

static void block(void *arg) {
  blocked *b = arg;
  bw_blocking(note_and_sleep, b);
  group_done(b->awake);
}

static int many_blocked(void *arg) {
  (void)arg;
  enum { N = 8 };
  static blocked b[N];
  group asleep, awake;
  for (int round = 0; round < 5; round++) {
    group_init(&asleep, N);
    group_init(&awake, N);
    for (int i = 0; i < N; i++) {
      b[i] = (blocked){{0}, &asleep, &awake};
      CHECK_EQ(bw_go(block, &b[i]), 0);
    }
    group_wait(&asleep); // all N in their calls at once, on fewer Ps
    for (int i = 0; i < N; i++) bw__note_wake(&b[i].note);
    group_wait(&awake);
  }
  return 0;
}
THREADS_TEST(sched_blocking_many_at_once) { test_run(many_blocked, NULL, 2); }

static void count(void *arg) { ++*(int *)arg; }

static int short_calls(void *arg) {
  (void)arg;
  int n = 0;
  for (int i = 0; i < 1000; i++) bw_blocking(count, &n);
  CHECK_EQ(n, 1000);
  return 0;
}
TEST(sched_blocking_short_calls) {
  int n = 0;
  bw_blocking(count, &n); // on a plain thread
  CHECK_EQ(n, 1);
  test_run(short_calls, NULL, 2);
}

// behaviour 60
static void block_for_ever(void *arg) { bw_blocking(sleep_on, arg); }

static int too_many_threads(void *arg) {
  (void)arg;
  static bw__note never;
  for (int i = 0; i < 100; i++) CHECK_EQ(bw_go(block_for_ever, &never), 0);
  for (;;) bw_gosched();
}
THREADS_DEATH_TEST(sched_b60_thread_exhaustion, 2, "fatal error: thread exhaustion") {
  bw_run(too_many_threads, NULL, &(bw_options){.procs = 2, .threads_max = 5});
}

// ---- locked to a thread -------------------------------------------------------------------------

static _Thread_local int here;

static __attribute__((noinline)) int *thread_mark(void) {
  __asm__ volatile("" ::: "memory");
  return &here;
}

// behaviour 50
typedef struct {
  bw_chan *c, *back;
  group *g;
} locked_talk;

static void echo_locked(void *arg) {
  locked_talk *t = arg;
  CHECK_EQ(bw_lock_os_thread(), 0);
  CHECK_EQ(bw_lock_os_thread(), 0);
  int *mark = thread_mark();
  for (int v; bw_chan_recv(t->c, &v);) {
    CHECK(thread_mark() == mark);
    bw_chan_send(t->back, &v);
    bw_gosched();
    CHECK(thread_mark() == mark);
  }
  bw_unlock_os_thread();
  bw_gosched();
  CHECK(thread_mark() == mark);
  bw_unlock_os_thread();
  group_done(t->g);
}

static int locked_channels(void *arg) {
  int n = (int)(intptr_t)arg;
  locked_talk t = {bw_chan_make(sizeof(int), 0), bw_chan_make(sizeof(int), 0), &(group){0}};
  group_init(t.g, n);
  for (int i = 0; i < n; i++) CHECK_EQ(bw_go(echo_locked, &t), 0);
  for (int i = 0, v; i < 300; i++) {
    bw_chan_send(t.c, &i);
    CHECK(bw_chan_recv(t.back, &v));
    CHECK_EQ(v, i);
  }
  bw_chan_close(t.c);
  group_wait(t.g);
  bw_chan_release(t.c);
  bw_chan_release(t.back);
  return 0;
}
TEST(sched_b50_locked_blocks_on_channels) { test_run(locked_channels, (void *)1, 1); }
TEST(sched_b50_many_locked_on_two_procs) { test_run(locked_channels, (void *)4, 2); }

// behaviour 50: the main goroutine and another, both locked
static int both_locked(void *arg) {
  CHECK_EQ(bw_lock_os_thread(), 0);
  int code = locked_channels(arg);
  bw_unlock_os_thread();
  return code;
}
TEST(sched_b50_main_locked_too) { test_run(both_locked, (void *)2, 2); }

// behaviour 48: yielding lets others in when locked as well
static atomic_bool flag;

static void set_flag(void *arg) {
  if (arg) CHECK_EQ(bw_lock_os_thread(), 0);
  atomic_store(&flag, true);
}

static int yield_locked(void *other_locked) {
  atomic_store(&flag, false);
  CHECK_EQ(bw_lock_os_thread(), 0);
  CHECK_EQ(bw_go(set_flag, other_locked), 0);
  while (!atomic_load(&flag)) bw_gosched();
  bw_unlock_os_thread();
  return 0;
}
TEST(sched_b48_yield_locked) { test_run(yield_locked, NULL, 1); }
TEST(sched_b48_yield_both_locked) { test_run(yield_locked, (void *)1, 1); }

// Timers run on a P whose goroutine is locked and yields all the time.
static void nap_and_set(void *arg) {
  (void)arg;
  bw_sleep(2 * BW_MILLISECOND);
  atomic_store(&flag, true);
}

static int yield_locked_beside_a_sleeper(void *arg) {
  (void)arg;
  atomic_store(&flag, false);
  CHECK_EQ(bw_go(nap_and_set, NULL), 0);
  CHECK_EQ(bw_lock_os_thread(), 0);
  while (!atomic_load(&flag)) bw_gosched();
  bw_unlock_os_thread();
  return 0;
}
TEST(sched_locked_beside_a_sleeper) { test_run(yield_locked_beside_a_sleeper, NULL, 1); }

// A goroutine that ends while it is locked leaves a thread that works on.
static int ends_locked(void *arg) {
  (void)arg;
  for (int i = 0; i < 50; i++) {
    atomic_store(&flag, false);
    CHECK_EQ(bw_go(set_flag, (void *)1), 0);
    while (!atomic_load(&flag)) bw_gosched();
  }
  return 0;
}
TEST(sched_locked_goroutine_ends) { test_run(ends_locked, NULL, 2); }

TEST(sched_lock_on_a_plain_thread) {
  CHECK_EQ(bw_lock_os_thread(), BW_ESTATE);
  bw_unlock_os_thread();
}

// behaviour 62: deadlocks with locked threads
static int main_locked_waits(void *arg) {
  (void)arg;
  bw_lock_os_thread();
  bw_chan_recv(bw_chan_make(0, 0), NULL);
  return 0;
}
DEATH_TEST(sched_b62_deadlock_locked, 2, "all goroutines are asleep - deadlock!") {
  test_run(main_locked_waits, NULL, 2);
}

static void lock_and_wait(void *arg) {
  bw_lock_os_thread();
  bw_chan_recv(arg, NULL);
}

static int other_locked_waits(void *arg) {
  (void)arg;
  bw_chan *c = bw_chan_make(0, 0);
  CHECK_EQ(bw_go(lock_and_wait, c), 0);
  bw_chan_recv(c, NULL);
  return 0;
}
DEATH_TEST(sched_b62_deadlock_other_locked, 2, "all goroutines are asleep - deadlock!") {
  test_run(other_locked_waits, NULL, 2);
}

// ---- ends ---------------------------------------------------------------------------------------

// behaviour 63
static void count_and_exit(void *arg) {
  atomic_fetch_add((atomic_int *)arg, 1);
  bw_goexit();
}

static int goexit_ends_one(void *arg) {
  (void)arg;
  atomic_int n = 0;
  for (int i = 0; i < 1000; i++) CHECK_EQ(bw_go(count_and_exit, &n), 0);
  while (bw_num_goroutine() > 1) bw_gosched();
  CHECK_EQ(atomic_load(&n), 1000);
  return 0;
}
TEST(sched_goexit) { test_run(goexit_ends_one, NULL, 0); }

static void say_done(void *arg) {
  (void)arg;
  for (int i = 0; i < 10; i++) bw_gosched();
  bw__port_write(2, "the other ran on\n", 17);
}

static int main_exits(void *arg) {
  (void)arg;
  CHECK_EQ(bw_go(say_done, NULL), 0);
  bw_goexit();
}
DEATH_TEST(
    sched_b63_goexit_of_main, 2,
    "the other ran on\nfatal error: no goroutines (main called runtime.Goexit) - deadlock!") {
  test_run(main_exits, NULL, 2);
}

static void wait_for_ever(void *arg) {
  (void)arg;
  bw_chan_recv(NULL, NULL);
}

static int main_exits_others_wait(void *arg) {
  (void)arg;
  CHECK_EQ(bw_go(wait_for_ever, NULL), 0);
  bw_goexit();
}
DEATH_TEST(sched_b63_goexit_of_main_others_wait, 2, "all goroutines are asleep - deadlock!") {
  test_run(main_exits_others_wait, NULL, 2);
}
DEATH_TEST(sched_goexit_on_a_plain_thread, 2, "bw_goexit on a thread that is no goroutine") {
  bw_goexit();
}

// ---- argument copies ----------------------------------------------------------------------------

typedef struct {
  uint64_t words[100];
  group *g;
} large_arg;

static void check_copy(void *arg) {
  large_arg *a = arg;
  CHECK_EQ((uintptr_t)a % 16, 0);
  for (uint64_t i = 1; i < 100; i++) CHECK(a->words[i] == a->words[0] + i);
  bw_gosched();
  for (uint64_t i = 1; i < 100; i++) CHECK(a->words[i] == a->words[0] + i);
  group_done(a->g);
}

static int copies(void *arg) {
  (void)arg;
  group g;
  group_init(&g, 200);
  for (uint64_t k = 0; k < 200; k++) {
    large_arg a = {.g = &g}; // gone before the goroutine runs
    for (uint64_t i = 0; i < 100; i++) a.words[i] = k * 1000 + i;
    CHECK_EQ(bw_go_with(&(bw_go_options){.arg_size = sizeof a}, check_copy, &a), 0);
  }
  group_wait(&g);
  bw_go_options greedy = {.arg_size = SIZE_MAX - 8};
  CHECK_EQ(bw_go_with(&greedy, check_copy, &g), BW_ENOMEM);
  return 0;
}
TEST(sched_argument_copies) { test_run(copies, NULL, 2); }
