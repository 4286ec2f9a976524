// Many values at once: bw_chan_send_n and bw_chan_recv_n against a plain list, and under load.
#include "chan_util.h"

#include "base/rand.h"

// ---- alone --------------------------------------------------------------------------------------

static int wraps_around(void *arg) {
  (void)arg;
  bw_chan *c = bw_chan_make(sizeof(int), 5);
  int next_in = 0, next_out = 0, v[8];
  for (int round = 0; round < 40; round++) {
    int n = 1 + round % 5;
    for (int i = 0; i < n; i++) v[i] = next_in++;
    bw_chan_send_n(c, v, (size_t)n);
    CHECK_EQ(bw_chan_len(c), n);
    CHECK_EQ(bw_chan_recv_n(c, v, 8), n);
    for (int i = 0; i < n; i++) CHECK_EQ(v[i], next_out++);
  }
  bw_chan_send_n(c, NULL, 0);
  CHECK_EQ(bw_chan_recv_n(c, v, 0), 0);
  bw_chan_send_n(c, (int[]){1, 2, 3}, 3);
  CHECK_EQ(bw_chan_recv_n(c, NULL, 2), 2); // dropped
  bw_chan_close(c);
  CHECK_EQ(bw_chan_recv_n(c, v, 8), 1);
  CHECK_EQ(v[0], 3);
  CHECK_EQ(bw_chan_recv_n(c, v, 8), 0);
  CHECK_EQ(v[0], 0); // as after one that waited while the channel was closed
  bw_chan_release(c);
  return 0;
}
TEST(chan_bulk_wraps_around) { test_run(wraps_around, NULL, 1); }

static int zero_size(void *arg) {
  (void)arg;
  bw_chan *c = bw_chan_make(0, 7);
  bw_chan_send_n(c, NULL, 7);
  CHECK_EQ(bw_chan_recv_n(c, NULL, 100), 7);
  bw_chan_release(c);
  return 0;
}
TEST(chan_bulk_of_nothing) { test_run(zero_size, NULL, 1); }

DEATH_TEST(chan_bulk_send_on_closed, 2, "panic: send on closed channel") {
  bw_chan *c = bw_chan_make(sizeof(int), 4);
  bw_chan_close(c);
  bw_chan_send_n(c, (int[]){1, 2}, 2);
}

// ---- those who wait -----------------------------------------------------------------------------

typedef struct {
  bw_chan *c;
  int n;
  int first;
  atomic_bool done;
} bulk_call;

static void send_many(void *arg) {
  bulk_call *call = arg;
  int values[64];
  for (int i = 0; i < call->n; i++) values[i] = call->first + i;
  bw_chan_send_n(call->c, values, (size_t)call->n);
  atomic_store(&call->done, true);
}

// Receivers that wait get theirs first, then the ring fills up, then the sender waits.
static int serves_waiters_first(void *arg) {
  (void)arg;
  for (int cap = 0; cap < 3; cap++) {
    bw_chan *c = bw_chan_make(sizeof(int), cap);
    chan_call a = {.c = c}, b = {.c = c};
    start(&a, chan_call_recv);
    start(&b, chan_call_recv);
    bulk_call many = {.c = c, .n = 10, .first = 100};
    CHECK_EQ(bw_go(send_many, &many), 0);
    settle();
    DOES_NOT_BLOCK(a);
    DOES_NOT_BLOCK(b);
    CHECK(a.value == 100 && b.value == 101);
    BLOCKS(many);
    CHECK_EQ(bw_chan_len(c), cap);
    for (int next = 102, v[64]; next < 110;) {
      size_t got = bw_chan_recv_n(c, v, 64);
      CHECK(got >= 1 && got <= 64);
      for (size_t i = 0; i < got; i++) CHECK_EQ(v[i], next++);
      settle();
    }
    DOES_NOT_BLOCK(many);
    bw_chan_release(c);
  }
  return 0;
}
TEST(chan_bulk_serves_waiters_first) { test_run(serves_waiters_first, NULL, 1); }

// A receiver of many takes the ring, then what waits behind it, in this order; the values of
// senders that it leaves move into the ring.
static int takes_senders_too(void *arg) {
  (void)arg;
  enum { CAP = 3, SENDERS = 6 };
  for (size_t most = 1; most <= CAP + SENDERS; most++) {
    bw_chan *c = bw_chan_make(sizeof(int), CAP);
    bw_chan_send_n(c, (int[]){0, 1, 2}, CAP);
    chan_call s[SENDERS];
    for (int i = 0; i < SENDERS; i++) {
      s[i] = (chan_call){.c = c, .value = CAP + i};
      start(&s[i], chan_call_send);
    }
    int v[CAP + SENDERS], next = 0;
    CHECK_EQ(bw_chan_recv_n(c, v, most), most);
    for (size_t i = 0; i < most; i++) CHECK_EQ(v[i], next++);
    settle();
    for (int i = 0; i < SENDERS; i++) CHECK_EQ(atomic_load(&s[i].done), i < (int)most);
    size_t left = CAP + SENDERS - most;
    CHECK_EQ(bw_chan_len(c), left < CAP ? left : CAP);
    while (next < CAP + SENDERS) {
      CHECK(bw_chan_recv(c, &v[0]));
      CHECK_EQ(v[0], next++);
    }
    settle();
    bw_chan_release(c);
  }
  return 0;
}
TEST(chan_bulk_takes_senders_too) { test_run(takes_senders_too, NULL, 1); }

static void recv_many_until_closed(void *arg) {
  bulk_call *call = arg;
  int v[4];
  while (bw_chan_recv_n(call->c, v, 4) > 0) {}
  atomic_store(&call->done, true);
}

static int close_ends_the_wait(void *arg) {
  (void)arg;
  bw_chan *c = bw_chan_make(sizeof(int), 2);
  bulk_call r = {.c = c};
  CHECK_EQ(bw_go(recv_many_until_closed, &r), 0);
  settle();
  BLOCKS(r);
  bw_chan_close(c);
  settle();
  DOES_NOT_BLOCK(r);
  bw_chan_release(c);
  return 0;
}
TEST(chan_bulk_close_ends_the_wait) { test_run(close_ends_the_wait, NULL, 1); }

static int closed_while_waiting(void *arg) {
  (void)arg;
  bw_chan *c = bw_chan_make(sizeof(int), 2);
  bulk_call many = {.c = c, .n = 10};
  CHECK_EQ(bw_go(send_many, &many), 0);
  settle();
  bw_chan_close(c);
  settle();
  return 0;
}
DEATH_TEST(chan_bulk_closed_while_waiting, 2, "panic: send on closed channel") {
  test_run(closed_while_waiting, NULL, 1);
}

// ---- a crowd ------------------------------------------------------------------------------------

// Every sender's values arrive once each, and each sender's in their order at each receiver.
enum { SENDERS = 3, RECEIVERS = 3 };

typedef struct {
  bw_chan *c;
  int per_sender;
  group senders, receivers;
  atomic_llong sum, count;
} bulk_crowd;

typedef struct {
  bulk_crowd *w;
  int number;
} member;

static void bulk_sender(void *arg) {
  member *m = arg;
  bulk_crowd *w = m->w;
  bw__rand rand = {(uint64_t)m->number};
  int64_t values[40];
  for (int sent = 0, n; sent < w->per_sender; sent += n) {
    n = 1 + (int)bw__rand_below(&rand, 40);
    if (n > w->per_sender - sent) n = w->per_sender - sent;
    for (int i = 0; i < n; i++) values[i] = (int64_t)m->number << 32 | (sent + i);
    if (n == 1)
      bw_chan_send(w->c, values);
    else
      bw_chan_send_n(w->c, values, (size_t)n);
  }
  group_done(&w->senders);
}

static void bulk_receiver(void *arg) {
  member *m = arg;
  bulk_crowd *w = m->w;
  bw__rand rand = {100 + (uint64_t)m->number};
  int64_t values[64], last[SENDERS], sum = 0, count = 0;
  for (int i = 0; i < SENDERS; i++) last[i] = -1;
  for (size_t got; (got = bw_chan_recv_n(w->c, values, 1 + bw__rand_below(&rand, 64))) > 0;) {
    for (size_t i = 0; i < got; i++, count++) {
      int from = (int)(values[i] >> 32);
      int64_t v = values[i] & 0xffffffff;
      CHECK(from < SENDERS && v > last[from]);
      last[from] = v;
      sum += v;
    }
  }
  atomic_fetch_add(&w->sum, sum);
  atomic_fetch_add(&w->count, count);
  group_done(&w->receivers);
}

static int crowd_of_many(void *arg) {
  (void)arg;
  static const int caps[] = {0, 1, 16, 100};
  for (int k = 0; k < 4; k++) {
    bulk_crowd w = {.c = bw_chan_make(sizeof(int64_t), caps[k])};
    w.per_sender = test_is_slow_build() ? 2000 : 20000;
    group_init(&w.senders, SENDERS);
    group_init(&w.receivers, RECEIVERS);
    member members[SENDERS + RECEIVERS];
    for (int i = 0; i < SENDERS + RECEIVERS; i++) {
      members[i] = (member){&w, i < SENDERS ? i : i - SENDERS};
      CHECK_EQ(bw_go(i < SENDERS ? bulk_sender : bulk_receiver, &members[i]), 0);
    }
    group_wait(&w.senders);
    bw_chan_close(w.c);
    group_wait(&w.receivers);
    int64_t n = w.per_sender;
    CHECK_EQ(atomic_load(&w.count), SENDERS * n);
    CHECK_EQ(atomic_load(&w.sum), SENDERS * (n * (n - 1) / 2));
    bw_chan_release(w.c);
  }
  return 0;
}
TEST(chan_bulk_crowd) { test_run(crowd_of_many, NULL, 4); }

// ---- left behind --------------------------------------------------------------------------------

// Goroutines that the end of the runtime leaves parked are in no queue any more: the channel works
// on, in a second run too.
static bw_chan *kept;

static void recv_for_ever(void *arg) {
  (void)arg;
  bw_chan_recv(kept, NULL);
}

static int leave_some_parked(void *arg) {
  (void)arg;
  for (int i = 0; i < 5; i++) CHECK_EQ(bw_go(recv_for_ever, NULL), 0);
  settle();
  return 0;
}

static int use_it_again(void *arg) {
  (void)arg;
  int v = 0;
  bw_chan_send(kept, &(int){42}); // there is room, and nobody takes it
  CHECK_EQ(bw_chan_len(kept), 1);
  CHECK_EQ(bw_chan_try_recv(kept, &v), 0);
  CHECK_EQ(v, 42);
  return 0;
}

TEST(chan_is_usable_after_a_run_left_receivers) {
  kept = bw_chan_make(sizeof(int), 1);
  test_run(leave_some_parked, NULL, 2);
  test_run(use_it_again, NULL, 1);
  bw_chan_release(kept);
}

static int release_under_them(void *arg) {
  (void)arg;
  leave_some_parked(NULL);
  bw_chan_release(kept);
  return 0;
}

TEST(chan_released_under_parked_goroutines) {
  kept = bw_chan_make(sizeof(int), 0);
  test_run(release_under_them, NULL, 1);
}
