// Behaviours 11 to 13 and 34, recovered: every operation that panics does so as a run-time error
// with Go's words, holds no lock meanwhile, and leaves its channel as it was.
#include "chan_util.h"

// ---- one operation, and what it panicked with ---------------------------------------------------

typedef struct {
  void (*operation)(bw_chan *c);
  bw_chan *c;
  char said[64]; // "": it did not panic
  bool runtime_error;
} attempt;

static void note_panic(void *arg, bw_panicking *panicking) {
  attempt *a = arg;
  const bw_panic_info *info = bw_recover(panicking);
  if (!info) return;
  snprintf(a->said, sizeof a->said, "%s", info->message);
  a->runtime_error = info->runtime_error;
}

static void try_it(attempt *a) {
  BW_DEFER_SCOPE;
  BW_ON_RECOVER() return;
  BW_DEFER(note_panic, a);
  a->operation(a->c);
}

static void check_panics(void (*operation)(bw_chan *c), bw_chan *c, const char *words) {
  attempt a = {operation, c, "", false};
  try_it(&a);
  CHECK_STR(a.said, words);
  CHECK(a.runtime_error);
}

// ---- operations ---------------------------------------------------------------------------------

static const int one = 1;
static bw_chan *idle; // an open channel where nothing happens

static void send(bw_chan *c) { bw_chan_send(c, &one); }
static void try_send(bw_chan *c) { bw_chan_try_send(c, &one); }
static void send_late(bw_chan *c) { bw_chan_send_until(c, &one, 0); }
static void send_soon(bw_chan *c) { bw_chan_send_until(c, &one, bw_now() + 3600 * BW_SECOND); }
static void send_many(bw_chan *c) { bw_chan_send_n(c, (int[]){1, 2, 3}, 3); }
static void select_one(bw_chan *c) { (void)BW_SELECT(bw_on_send(c, &one)); }
static void select_two(bw_chan *c) { (void)BW_SELECT(bw_on_recv(idle, NULL), bw_on_send(c, &one)); }
static void try_select(bw_chan *c) {
  (void)BW_TRY_SELECT(bw_on_send(c, &one), bw_on_recv(idle, NULL));
}
static void select_many(bw_chan *c) { // more cases than need no memory
  bw_case cases[40];
  for (int i = 0; i < 40; i++) cases[i] = bw_on_recv(idle, NULL);
  cases[17] = bw_on_send(c, &one);
  bw_select(cases, 40);
}
static void close(bw_chan *c) { bw_chan_close(c); }
static void make_negative(bw_chan *c) {
  (void)c;
  bw_chan_make(1, -1);
}
static void make_huge(bw_chan *c) {
  (void)c;
  bw_chan_make(1000, PTRDIFF_MAX / 500);
}
static void make_wide(bw_chan *c) {
  (void)c;
  bw_chan_make(1 << 16, 0);
}

static void (*const sends[])(bw_chan *c) = {send,       try_send,   send_late,
                                            send_soon,  send_many,  select_one,
                                            select_two, try_select, select_many};
enum { SENDS = sizeof sends / sizeof *sends };

// ---- at once ------------------------------------------------------------------------------------

static int sends_on_closed(void *arg) {
  (void)arg;
  idle = bw_chan_make(sizeof(int), 0);
  for (int cap = 0; cap < 3; cap++) {
    bw_chan *c = bw_chan_make(sizeof(int), cap);
    for (int i = 0; i < cap; i++) bw_chan_send(c, &(int){10 + i});
    bw_chan_close(c);
    for (int i = 0; i < SENDS; i++) check_panics(sends[i], c, "send on closed channel");
    check_panics(close, c, "close of closed channel");
    CHECK_EQ(bw_chan_len(c), cap); // nothing was stored
    int v;
    for (int i = 0; i < cap; i++) {
      CHECK(bw_chan_recv(c, &v));
      CHECK_EQ(v, 10 + i);
    }
    CHECK(!bw_chan_recv(c, &v));
    bw_chan_release(c);
  }
  CHECK_EQ(bw_chan_try_send(idle, &one), BW_EAGAIN); // no select is left in its queues
  bw_chan_release(idle);
  return 0;
}
TEST(chan_b11_b34_send_on_closed_recovered) { test_run(sends_on_closed, NULL, 1); }

static int other_misuse(void *arg) {
  (void)arg;
  check_panics(close, NULL, "close of nil channel");
  check_panics(make_negative, NULL, "makechan: size out of range");
  check_panics(make_huge, NULL, "makechan: size out of range");
  check_panics(make_wide, NULL, "makechan: invalid channel element type");
  bw_chan *c = bw_after(3600 * BW_SECOND);
  check_panics(send, c, "send to receive-only channel");
  check_panics(try_send, c, "send to receive-only channel");
  check_panics(send_many, c, "send to receive-only channel");
  check_panics(select_one, c, "send to receive-only channel");
  check_panics(close, c, "close of receive-only channel");
  bw_chan_release(c);
  return 0;
}
TEST(chan_b12_b13_misuse_recovered) { test_run(other_misuse, NULL, 1); }

// ---- while they wait ----------------------------------------------------------------------------

typedef struct {
  attempt a;
  group *done;
} waiting;

static void wait_and_recover(void *arg) {
  waiting *w = arg;
  try_it(&w->a);
  group_done(w->done);
}

// Senders of every form wait; the close wakes each, and each panics and recovers.
static int closed_under_senders(void *arg) {
  (void)arg;
  static void (*const parking[])(bw_chan * c) = {send,       send_soon,  send_many,
                                                 select_one, select_two, select_many};
  enum { WAYS = sizeof parking / sizeof *parking };
  idle = bw_chan_make(sizeof(int), 0);
  bw_chan *c = bw_chan_make(sizeof(int), 0);
  waiting w[WAYS];
  group done;
  group_init(&done, WAYS);
  for (int i = 0; i < WAYS; i++) {
    w[i] = (waiting){{parking[i], c, "", false}, &done};
    CHECK_EQ(bw_go(wait_and_recover, &w[i]), 0);
  }
  settle();
  for (int i = 0; i < WAYS; i++) CHECK_STR(w[i].a.said, "");
  bw_chan_close(c);
  group_wait(&done);
  for (int i = 0; i < WAYS; i++) {
    CHECK_STR(w[i].a.said, "send on closed channel");
    CHECK(w[i].a.runtime_error);
  }
  CHECK_EQ(bw_chan_try_send(idle, &one), BW_EAGAIN);
  CHECK_EQ(bw_chan_try_recv(c, NULL), BW_ECLOSED);
  bw_chan_release(c);
  bw_chan_release(idle);
  return 0;
}
TEST(chan_b11_closed_under_senders_recovered) { test_run(closed_under_senders, NULL, 1); }
