// The ends of select: as many cases as may be, deadlines at the ends of the clock, no memory, what
// is left when bw_run returns, and what a deadlock says of it.
#include "chan_util.h"

#include "oom_util.h"

enum { FEW = 16, MOST = 65536 };

// ---- many cases ---------------------------------------------------------------------------------

typedef struct {
  bw_chan **chans;
  bw_case *cases;
  int *values;
  int n, index;
  atomic_bool done;
} many;

// n receives, of n channels or of a few in turn; every fifth case is nil.
static void many_begin(many *m, int n, int channels) {
  *m = (many){.n = n, .index = -100};
  m->chans = bw_calloc((size_t)n, sizeof *m->chans);
  m->cases = bw_calloc((size_t)n, sizeof *m->cases);
  m->values = bw_calloc((size_t)n, sizeof *m->values);
  CHECK(m->chans && m->cases && m->values);
  for (int i = 0; i < n; i++) {
    m->values[i] = -1;
    if (i % 5 == 4) continue;
    m->chans[i] =
        i < channels ? bw_chan_make(sizeof(int), 0) : bw_chan_retain(m->chans[i % channels]);
    m->cases[i] = bw_on_recv(m->chans[i], &m->values[i]);
  }
}

static void many_end(many *m) {
  for (int i = 0; i < m->n; i++) bw_chan_release(m->chans[i]);
  bw_free(m->chans);
  bw_free(m->cases);
  bw_free(m->values);
}

static void many_select(void *arg) {
  many *m = arg;
  m->index = bw_select(m->cases, (size_t)m->n);
  atomic_store(&m->done, true);
}

// The case that has happened is one of this channel, it has the value, and no other has.
static void many_check(many *m, bw_chan *c, int value) {
  CHECK(m->index >= 0 && m->index < m->n);
  CHECK(m->chans[m->index] == c);
  for (int i = 0; i < m->n; i++) CHECK_EQ(m->values[i], i == m->index ? value : -1);
  m->values[m->index] = -1;
}

static void many_try(many *m, int at) {
  bw_chan *c = m->chans[at];
  chan_call s = {.c = c, .value = at};
  CHECK_EQ(bw_try_select(m->cases, (size_t)m->n), BW_EAGAIN);
  CHECK_EQ(bw_select_until(m->cases, (size_t)m->n, bw_now() + 1000), BW_ETIMEDOUT);
  start(&s, chan_call_send);
  m->index = bw_try_select(m->cases, (size_t)m->n);
  many_check(m, c, at);
  settle();
  DOES_NOT_BLOCK(s);
  m->done = false;
  CHECK_EQ(bw_go(many_select, m), 0);
  settle();
  BLOCKS(*m);
  CHECK_EQ(bw_chan_try_send(c, &(int){7}), 0);
  settle();
  DOES_NOT_BLOCK(*m);
  many_check(m, c, 7);
}

static void many_cases(int n, int channels) {
  many m;
  many_begin(&m, n, channels);
  int ats[] = {0, n / 2, n - 1, channels - 1, FEW - 1, FEW};
  for (size_t i = 0; i < sizeof ats / sizeof *ats; i++)
    if (m.chans[ats[i]]) many_try(&m, ats[i]);
  for (int i = 0; i < channels; i++) CHECK(!m.chans[i] || bw_chan_try_send(m.chans[i], &i) < 0);
  many_end(&m);
}

static int many_sizes(void *arg) {
  (void)arg;
  for (int n = FEW + 1; n < 40; n++) {
    many_cases(n, n);
    many_cases(n, 3);
  }
  many_cases(1000, 1000);
  many_cases(MOST - 1, 1);
  many_cases(MOST, 1000);
  return 0;
}
TEST(select_many_cases) { test_run(many_sizes, NULL, 1); }

static int most_cases(void *arg) {
  (void)arg;
  many_cases(MOST, MOST);
  return 0;
}
TEST(select_most_cases_of_as_many_channels) { test_run(most_cases, NULL, 1); }

static int too_many(void *arg) {
  (void)arg;
  return bw_try_select(bw_calloc(MOST + 1, sizeof(bw_case)), MOST + 1);
}
DEATH_TEST(select_too_many_cases, 2, "panic: select: too many cases") {
  test_run(too_many, NULL, 1);
}

// ---- deadlines ----------------------------------------------------------------------------------

// Without any channel it is a sleep; deadlines that have passed do not wait.
static int no_channels(void *arg) {
  (void)arg;
  bw_case nil[] = {bw_on_recv(NULL, NULL), bw_on_send(NULL, NULL), bw_on_recv(NULL, NULL)};
  for (size_t n = 0; n <= 3; n++) {
    int64_t deadline = bw_now() + 2 * BW_MILLISECOND;
    CHECK_EQ(bw_select_until(nil, n, deadline), BW_ETIMEDOUT);
    CHECK(bw_now() >= deadline);
    CHECK_EQ(bw_select_until(nil, n, bw_now()), BW_ETIMEDOUT);
    CHECK_EQ(bw_select_until(nil, n, 0), BW_ETIMEDOUT);
    CHECK_EQ(bw_select_until(nil, n, -1), BW_ETIMEDOUT);
    CHECK_EQ(bw_select_until(nil, n, INT64_MIN), BW_ETIMEDOUT);
  }
  CHECK_EQ(bw_chan_send_until(NULL, NULL, bw_now() + 1000), BW_ETIMEDOUT);
  CHECK_EQ(bw_chan_recv_until(NULL, NULL, bw_now() + 1000), BW_ETIMEDOUT);
  return 0;
}
TEST(select_until_without_channels) { test_run(no_channels, NULL, 1); }
TEST(select_until_without_channels_on_a_plain_thread) { no_channels(NULL); }

static int deadlines(void *arg) {
  (void)arg;
  bw_chan *a = bw_chan_make(sizeof(int), 1), *b = bw_chan_make(sizeof(int), 0);
  int v = 3;
  for (int i = 0; i < 20; i++) {
    int64_t deadline = bw_now() + BW_MICROSECOND * 50 * i;
    CHECK_EQ(BW_SELECT_UNTIL(deadline, bw_on_recv(a, &v), bw_on_send(b, &v)), BW_ETIMEDOUT);
    CHECK(bw_now() >= deadline);
    deadline = bw_now() + BW_MICROSECOND * 50 * i;
    CHECK_EQ(bw_chan_recv_until(a, &v, deadline), BW_ETIMEDOUT);
    CHECK_EQ(bw_chan_send_until(b, &v, deadline), BW_ETIMEDOUT);
    CHECK(bw_now() >= deadline);
    CHECK_EQ(v, 3);
  }
  // Nobody is left in a queue.
  CHECK_EQ(bw_chan_try_send(b, &v), BW_EAGAIN);
  CHECK_EQ(bw_chan_try_recv(b, &v), BW_EAGAIN);
  // What can go on does so, though the deadline has passed.
  CHECK_EQ(bw_chan_send_until(a, &v, INT64_MIN), 0);
  CHECK_EQ(BW_SELECT_UNTIL(0, bw_on_send(b, &v), bw_on_recv(a, &v)), 1);
  bw_chan_close(b);
  CHECK_EQ(bw_chan_recv_until(b, &v, -1), BW_ECLOSED);
  CHECK_EQ(v, 0);
  bw_chan_release(a);
  bw_chan_release(b);
  return 0;
}
TEST(select_until_deadline) { test_run(deadlines, NULL, 2); }
TEST(select_until_deadline_on_a_plain_thread) { deadlines(NULL); }

// The end of the clock: it waits, and is woken.
typedef struct {
  bw_chan *c;
  int64_t deadline;
  int index;
  atomic_bool done;
} late;

static void wait_late(void *arg) {
  late *l = arg;
  l->index = BW_SELECT_UNTIL(l->deadline, bw_on_recv(NULL, NULL), bw_on_recv(l->c, NULL));
  atomic_store(&l->done, true);
}

static const int64_t far[] = {INT64_MAX, INT64_MAX - 1, INT64_MAX / 2};

static int end_of_clock(void *arg) {
  (void)arg;
  for (int i = 0; i < 3; i++) {
    late l = {.c = bw_chan_make(0, 0), .deadline = far[i]};
    CHECK_EQ(bw_go(wait_late, &l), 0);
    settle();
    BLOCKS(l);
    bw_sleep(BW_MILLISECOND);
    BLOCKS(l);
    CHECK_EQ(bw_chan_try_send(l.c, NULL), 0);
    settle();
    DOES_NOT_BLOCK(l);
    CHECK_EQ(l.index, 1);
    bw_chan_release(l.c);
  }
  return 0;
}
TEST(select_until_the_end_of_the_clock) { test_run(end_of_clock, NULL, 1); }

THREADS_TEST(select_until_the_end_of_the_clock_on_a_plain_thread) {
  for (int i = 0; i < 3; i++) {
    late l = {.c = bw_chan_make(0, 0), .deadline = far[i]};
    bw__port_thread t;
    CHECK_EQ(bw__port_thread_start(&t, wait_late, &l), 0);
    while (bw_chan_try_send(l.c, NULL) != 0) bw_gosched();
    bw__port_thread_join(&t);
    CHECK_EQ(l.index, 1);
    bw_chan_release(l.c);
  }
}

// ---- memory -------------------------------------------------------------------------------------

static void send_later(void *arg) {
  settle();
  bw_chan_send(arg, &(int){5});
}

// behaviour 44: up to 16 cases need none, also to wait; more say so, and nothing has happened
static int without_memory(void *arg) {
  (void)arg;
  bw_chan *ready = bw_chan_make(sizeof(int), 1), *later = bw_chan_make(sizeof(int), 0);
  bw_case cases[FEW + 1];
  int v = 0;
  for (int i = 0; i <= FEW; i++) cases[i] = bw_on_recv(later, &v);
  cases[3] = bw_on_recv(ready, &v);
  bw_chan_send(ready, &(int){4});
  CHECK_EQ(bw_go(send_later, later), 0);
  oom_block *all = oom_soak();
  oom_begin(1, OOM_FOR_EVER);
  CHECK_EQ(bw_select(cases, FEW + 1), BW_ENOMEM);
  CHECK_EQ(bw_try_select(cases, FEW + 1), BW_ENOMEM);
  CHECK_EQ(bw_select_until(cases, FEW + 1, bw_now() + BW_SECOND), BW_ENOMEM);
  CHECK(oom_end());
  CHECK_EQ(bw_chan_len(ready), 1);
  CHECK_EQ(v, 0);
  oom_begin(1, OOM_FOR_EVER);
  CHECK_EQ(bw_select(cases, FEW), 3);
  CHECK_EQ(v, 4);
  CHECK(bw_select(cases, FEW) != 3); // waits
  CHECK_EQ(v, 5);
  CHECK_EQ(bw_select_until(cases, FEW, bw_now() + 1000), BW_ETIMEDOUT);
  oom_end();
  oom_free(all);
  CHECK_EQ(bw_try_select(cases, FEW + 1), BW_EAGAIN);
  bw_chan_release(ready);
  bw_chan_release(later);
  return 0;
}
TEST(select_b44_without_memory) {
  SKIP_IN_ALLOC_DEBUG("its allocator has a heap of its own to soak");
  test_run(without_memory, NULL, 1);
}

// ---- the end of a run ---------------------------------------------------------------------------

// Goroutines that are left behind, parked in all forms; the channels are used on in a second run.
enum { LEFT = 2 * FORM_WAITING };

typedef struct {
  chan_form form;
  bw_chan *c, *dummy;
  bool sends;
} left_call;

static struct {
  bw_chan *sent, *received, *dummy, *first;
  left_call calls[LEFT];
} left;

static void stay(void *arg) {
  left_call *call = arg;
  int v = 13;
  if (call->sends)
    chan_form_send(call->form, call->c, &v, call->dummy);
  else
    chan_form_recv(call->form, call->c, &v, call->dummy);
}

static void stay_in_two(void *unused) {
  (void)unused;
  int v = 14;
  bw_case cases[FEW + 4];
  for (int i = 0; i < FEW + 4; i++)
    cases[i] = i % 2 ? bw_on_recv(left.received, &v) : bw_on_recv(left.first, &v);
  bw_select(cases, 2);
  bw_select(cases, FEW + 4);
}

static void left_open(void) {
  left.sent = bw_chan_make(sizeof(int), 0);
  left.received = bw_chan_make(sizeof(int), 0);
  left.first = bw_chan_make(sizeof(int), 0);
  left.dummy = bw_chan_make(0, 0);
}

static void leave_parked_now(void) {
  for (int i = 0; i < LEFT; i++) {
    left_call *call = &left.calls[i];
    *call = (left_call){(chan_form)(i / 2), i % 2 ? left.sent : left.received, left.dummy, i % 2};
    CHECK_EQ(bw_go(stay, call), 0);
  }
  settle();
}

static int leave_parked(void *arg) {
  (void)arg;
  leave_parked_now();
  CHECK_EQ(bw_num_goroutine(), 1 + LEFT);
  return 0;
}

// Ends a wait; on more Ps than one it may take a while until somebody waits.
static void end_one_wait(bw_chan *c) {
  while (bw_chan_try_send(c, &(int){1}) != 0) bw_gosched();
}

// Those whose selects have ended, but who have not run since.
static int leave_woken(void *arg) {
  (void)arg;
  for (int i = 0; i < 4; i++) CHECK_EQ(bw_go(stay_in_two, NULL), 0);
  settle();
  end_one_wait(left.first);
  end_one_wait(left.first);
  end_one_wait(left.received);
  return 0;
}

static int leave_woken_from_many(void *arg) {
  (void)arg;
  CHECK_EQ(bw_go(stay_in_two, NULL), 0);
  settle();
  end_one_wait(left.first);
  settle();
  end_one_wait(left.received);
  return 0;
}

// Those whose deadline has come, but who have not run since: main's came first.
static void stay_until(void *deadline) {
  int v = 15;
  bw_case cases[FEW + 4];
  for (int i = 0; i < FEW + 4; i++)
    cases[i] = i % 2 ? bw_on_recv(left.received, &v) : bw_on_send(left.sent, &v);
  bw_select_until(cases, bw_goid() % 2 ? FEW : FEW + 4, *(int64_t *)deadline);
}

static int leave_expired(void *arg) {
  (void)arg;
  static int64_t deadline;
  int64_t mine = bw_now() + BW_MILLISECOND;
  deadline = mine + 1;
  for (int i = 0; i < 10; i++) CHECK_EQ(bw_go(stay_until, &deadline), 0);
  BW_SELECT_UNTIL(mine, bw_on_recv(left.dummy, NULL), bw_on_recv(left.first, NULL));
  return 0;
}

// As if nothing had been: nobody waits, and all works.
static int use_on(void *arg) {
  (void)arg;
  bw_chan *all[] = {left.sent, left.received, left.first, left.dummy};
  for (int i = 0; i < 4; i++) {
    CHECK_EQ(bw_chan_try_recv(all[i], NULL), BW_EAGAIN);
    CHECK_EQ(bw_chan_try_send(all[i], &i), BW_EAGAIN);
    chan_call r = {.c = all[i]};
    if (all[i] == left.dummy) continue;
    start(&r, chan_call_recv);
    CHECK_EQ(BW_SELECT(bw_on_send(all[i], &i), bw_on_recv(left.dummy, NULL)), 0);
    settle();
    DOES_NOT_BLOCK(r);
    CHECK_EQ(r.value, i);
  }
  return 0;
}

static void run_leaving(int (*leave)(void *), int procs) {
  left_open();
  for (int i = 0; i < 3; i++) {
    test_run(leave, NULL, procs);
    test_run(use_on, NULL, 1);
  }
  test_run(leave, NULL, procs);
  bw_chan_release(left.sent);
  bw_chan_release(left.received);
  bw_chan_release(left.first);
  bw_chan_release(left.dummy);
}
TEST(select_left_parked_at_the_end) { run_leaving(leave_parked, 1); }
TEST(select_left_parked_at_the_end_of_two_procs) { run_leaving(leave_parked, 2); }
TEST(select_left_woken_at_the_end) { run_leaving(leave_woken, 1); }
TEST(select_left_woken_at_the_end_of_two_procs) { run_leaving(leave_woken, 2); }
TEST(select_left_woken_from_many_cases_at_the_end) { run_leaving(leave_woken_from_many, 1); }
TEST(select_left_expired_at_the_end) { run_leaving(leave_expired, 1); }
TEST(select_left_expired_at_the_end_of_two_procs) { run_leaving(leave_expired, 2); }

// Channels released while goroutines are parked on them, who have no reference of their own: they
// are forgotten. One that waits for another channel as well is woken by that.
typedef struct {
  bw_chan *gone, *stays;
  int index;
  atomic_bool done;
} half_gone;

static void wait_for_both(void *arg) {
  half_gone *h = arg;
  h->index =
      BW_SELECT(bw_on_recv(h->gone, NULL), bw_on_recv(h->stays, NULL), bw_on_send(h->gone, NULL));
  atomic_store(&h->done, true);
}

static int release_parked(void *arg) {
  (void)arg;
  half_gone h = {.gone = bw_chan_make(0, 0), .stays = bw_chan_make(0, 0)};
  CHECK_EQ(bw_go(wait_for_both, &h), 0);
  left_open();
  leave_parked_now();
  bw_chan_release(left.sent);
  bw_chan_release(left.received);
  bw_chan_release(left.first);
  bw_chan_release(left.dummy);
  bw_chan_release(h.gone);
  BLOCKS(h);
  CHECK_EQ(bw_chan_try_send(h.stays, NULL), 0);
  settle();
  DOES_NOT_BLOCK(h);
  CHECK_EQ(h.index, 1);
  bw_chan_release(h.stays);
  CHECK_EQ(bw_num_goroutine(), 1 + LEFT);
  return 0;
}
TEST(select_released_while_parked) { test_run(release_parked, NULL, 1); }

// ---- deadlocks and dumps ------------------------------------------------------------------------

static void select_for_ever(void *arg) {
  BW_SELECT(bw_on_recv(arg, NULL), bw_on_send(arg, NULL), bw_on_recv(NULL, NULL));
}

static int all_select(void *arg) {
  bw_chan *c[3];
  for (int i = 0; i < 3; i++) {
    c[i] = bw_chan_make(0, 0);
    CHECK_EQ(bw_go(select_for_ever, c[i]), 0);
  }
  settle();
  if (arg) {
    bw_debug_dump();
    bw__port_exit(0);
  }
  return bw_select(NULL, 0);
}
DEATH_TEST(select_deadlock, 2, "fatal error: all goroutines are asleep - deadlock!") {
  test_run(all_select, NULL, 1);
}
DEATH_TEST(select_deadlock_names_main, 2, "goroutine 1 [select (no cases)]:") {
  test_run(all_select, NULL, 2);
}
DEATH_TEST(select_deadlock_names_others, 2, "goroutine 4 [select]:") {
  test_run(all_select, NULL, 1);
}
DEATH_TEST(select_dump, 0, "goroutine 3 [select]") { test_run(all_select, (void *)1, 1); }

// A deadline keeps it from being one; when it has passed, it is.
static int deadlock_after_deadline(void *arg) {
  (void)arg;
  bw_chan *c = bw_chan_make(0, 0);
  CHECK_EQ(BW_SELECT_UNTIL(bw_now() + 3 * BW_MILLISECOND, bw_on_recv(c, NULL)), BW_ETIMEDOUT);
  printf("the deadline has passed\n");
  fflush(stdout);
  return BW_SELECT(bw_on_recv(c, NULL));
}
DEATH_TEST(select_deadlock_after_deadline, 2,
           "the deadline has passed\nfatal error: all goroutines are asleep - deadlock!\n\n"
           "goroutine 1 [chan receive]:") {
  test_run(deadlock_after_deadline, NULL, 2);
}
