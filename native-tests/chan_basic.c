// Channels, one operation at a time. The numbers are those of the list of behaviours that Go's own
// tests check.
#include "chan_util.h"

enum { CAPS = 200 };

// behaviour 1: receive on an empty channel parks; two receivers both stay parked
static int receive_parks(void *arg) {
  (void)arg;
  for (int cap = 0; cap < 3; cap++) {
    bw_chan *c = bw_chan_make(sizeof(int), cap);
    chan_call a = {.c = c}, b = {.c = c};
    start(&a, chan_call_recv);
    start(&b, chan_call_recv);
    BLOCKS(a);
    BLOCKS(b);
    bw_chan_send(c, &(int){1});
    settle();
    DOES_NOT_BLOCK(a); // first come, first served
    BLOCKS(b);
    bw_chan_send(c, &(int){2});
    settle();
    DOES_NOT_BLOCK(b);
    CHECK(a.ok && b.ok && a.value == 1 && b.value == 2);
    bw_chan_release(c);
  }
  return 0;
}
TEST(chan_b1_receive_parks) { test_run(receive_parks, NULL, 1); }

// behaviours 2 and 4: the try forms take the default on an empty and on a full channel
static int try_forms(void *arg) {
  (void)arg;
  for (int cap = 0; cap < 5; cap++) {
    bw_chan *c = bw_chan_make(sizeof(int), cap);
    int v = 77;
    CHECK_EQ(bw_chan_try_recv(c, &v), BW_EAGAIN);
    CHECK_EQ(v, 77);
    for (int i = 0; i < cap; i++) CHECK_EQ(bw_chan_try_send(c, &i), 0);
    CHECK_EQ(bw_chan_try_send(c, &v), BW_EAGAIN);
    for (int i = 0; i < cap; i++) {
      CHECK_EQ(bw_chan_try_recv(c, &v), 0);
      CHECK_EQ(v, i);
    }
    bw_chan_release(c);
  }
  return 0;
}
TEST(chan_b2_b4_try_forms) { test_run(try_forms, NULL, 1); }

// The try forms wake whom they serve: a parked sender (cap 0 and full ring) and a parked receiver.
static int try_forms_wake(void *arg) {
  (void)arg;
  for (int cap = 0; cap < 3; cap++) {
    bw_chan *c = bw_chan_make(sizeof(int), cap);
    for (int i = 0; i < cap; i++) bw_chan_send(c, &i);
    chan_call s = {.c = c, .value = cap};
    start(&s, chan_call_send);
    BLOCKS(s);
    for (int i = 0, v; i <= cap; i++) {
      CHECK_EQ(bw_chan_try_recv(c, &v), 0);
      CHECK_EQ(v, i);
    }
    settle();
    DOES_NOT_BLOCK(s);
    chan_call r = {.c = c};
    start(&r, chan_call_recv);
    BLOCKS(r);
    CHECK_EQ(bw_chan_try_send(c, &(int){9}), 0);
    settle();
    DOES_NOT_BLOCK(r);
    CHECK(r.ok && r.value == 9);
    bw_chan_release(c);
  }
  return 0;
}
TEST(chan_try_forms_wake_waiters) { test_run(try_forms_wake, NULL, 1); }

// behaviour 3: send on a full channel parks; one receive releases it
static int send_parks(void *arg) {
  (void)arg;
  for (int cap = 0; cap < CAPS; cap += 13) {
    bw_chan *c = bw_chan_make(sizeof(int), cap);
    for (int i = 0; i < cap; i++) bw_chan_send(c, &i);
    chan_call s = {.c = c, .value = cap};
    start(&s, chan_call_send);
    BLOCKS(s);
    int v;
    CHECK(bw_chan_recv(c, &v));
    CHECK_EQ(v, 0);
    settle();
    DOES_NOT_BLOCK(s);
    for (int i = 1; i <= cap; i++) {
      CHECK(bw_chan_recv(c, &v));
      CHECK_EQ(v, i);
    }
    bw_chan_release(c);
  }
  return 0;
}
TEST(chan_b3_send_parks) { test_run(send_parks, NULL, 1); }

// behaviours 5 and 14: after close the buffered values in order, then zero for ever, never blocking
static int drain_after_close(void *arg) {
  (void)arg;
  for (int cap = 0; cap < CAPS; cap++) {
    bw_chan *c = bw_chan_make(sizeof(int), cap);
    for (int i = 0; i < cap; i++) bw_chan_send(c, &(int){i + 1});
    bw_chan_close(c);
    int v;
    for (int i = 0; i < cap; i++) {
      CHECK(bw_chan_recv(c, &v));
      CHECK_EQ(v, i + 1);
    }
    for (int i = 0; i < 3; i++) {
      v = 5;
      CHECK(!bw_chan_recv(c, &v));
      CHECK_EQ(v, 0);
      v = 5;
      CHECK_EQ(bw_chan_try_recv(c, &v), BW_ECLOSED);
      CHECK_EQ(v, 0);
    }
    bw_chan_release(c);
  }
  return 0;
}
TEST(chan_b5_b14_drain_after_close) { test_run(drain_after_close, NULL, 1); }

// behaviour 6: close wakes parked receivers with (zero, false)
static int close_wakes(void *arg) {
  (void)arg;
  bw_chan *c = bw_chan_make(sizeof(int), 0);
  chan_call r[5];
  for (int i = 0; i < 5; i++) {
    r[i] = (chan_call){.c = c, .value = 9, .ok = true};
    start(&r[i], chan_call_recv);
    BLOCKS(r[i]);
  }
  bw_chan_close(c);
  settle();
  for (int i = 0; i < 5; i++) {
    DOES_NOT_BLOCK(r[i]);
    CHECK(!r[i].ok);
    CHECK_EQ(r[i].value, 0);
  }
  bw_chan_release(c);
  return 0;
}
TEST(chan_b6_close_wakes_receivers) { test_run(close_wakes, NULL, 1); }

// behaviours 7 and 21: 100 values arrive in order for every capacity; the range ends at close
static void send_100(void *arg) {
  bw_chan *c = arg;
  for (int i = 0; i < 100; i++) bw_chan_send(c, &i);
  bw_chan_close(c);
}

static int fifo(void *arg) {
  (void)arg;
  for (int cap = 0; cap < CAPS; cap++) {
    bw_chan *c = bw_chan_make(sizeof(int), cap);
    CHECK_EQ(bw_go(send_100, c), 0);
    int want = 0;
    for (int v; bw_chan_recv(c, &v); want++) CHECK_EQ(v, want);
    CHECK_EQ(want, 100);
    bw_chan_release(c);
  }
  return 0;
}
TEST(chan_b7_b21_fifo) { test_run(fifo, NULL, 0); }

// behaviour 9: len and cap
static int len_and_cap(void *arg) {
  (void)arg;
  for (int cap = 0; cap < CAPS; cap += 7) {
    bw_chan *c = bw_chan_make(sizeof(int), cap);
    CHECK_EQ(bw_chan_len(c), 0);
    CHECK_EQ(bw_chan_cap(c), cap);
    for (int i = 0; i < cap; i++) bw_chan_send(c, &i);
    CHECK_EQ(bw_chan_len(c), cap);
    CHECK_EQ(bw_chan_cap(c), cap);
    bw_chan_release(c);
  }
  CHECK_EQ(bw_chan_len(NULL), 0);
  CHECK_EQ(bw_chan_cap(NULL), 0);
  return 0;
}
TEST(chan_b9_len_and_cap) { test_run(len_and_cap, NULL, 1); }

// behaviour 10: a daisy chain keeps the order
typedef struct {
  bw_chan *mine, *next;
  int number;
  int *order, *at;
} link;

static void pass_on(void *arg) {
  link *l = arg;
  CHECK(bw_chan_recv(l->mine, NULL));
  l->order[(*l->at)++] = l->number;
  bw_chan_send(l->next, NULL);
}

static int daisy_chain(void *arg) {
  (void)arg;
  enum { N = 100 };
  bw_chan *c[N + 1];
  link links[N];
  int order[N], at = 0;
  for (int i = 0; i <= N; i++) c[i] = bw_chan_make(0, 0);
  for (int i = N - 1; i >= 0; i--) {
    links[i] = (link){c[i], c[i + 1], i, order, &at};
    CHECK_EQ(bw_go(pass_on, &links[i]), 0);
  }
  bw_chan_send(c[0], NULL);
  CHECK(bw_chan_recv(c[N], NULL));
  for (int i = 0; i < N; i++) CHECK_EQ(order[i], i);
  for (int i = 0; i <= N; i++) bw_chan_release(c[i]);
  return 0;
}
TEST(chan_b10_daisy_chain) { test_run(daisy_chain, NULL, 0); }

// behaviours 11 to 13: misuse panics in Go's words
static int send_on_closed(void *arg) {
  (void)arg;
  bw_chan *c = bw_chan_make(sizeof(int), 1);
  bw_chan_close(c);
  bw_chan_send(c, &(int){1});
  return 0;
}
DEATH_TEST(chan_b11_send_on_closed, 2, "panic: send on closed channel") {
  test_run(send_on_closed, NULL, 1);
}

static int try_send_on_closed(void *arg) {
  (void)arg;
  bw_chan *c = bw_chan_make(sizeof(int), 1);
  bw_chan_close(c);
  bw_chan_try_send(c, &(int){1});
  return 0;
}
DEATH_TEST(chan_b11_try_send_on_closed, 2, "panic: send on closed channel") {
  test_run(try_send_on_closed, NULL, 1);
}

static int closed_while_sending(void *arg) {
  (void)arg;
  chan_call s = {.c = bw_chan_make(sizeof(int), 0)};
  start(&s, chan_call_send);
  BLOCKS(s);
  bw_chan_close(s.c);
  settle();
  return 0;
}
DEATH_TEST(chan_b11_closed_while_sending, 2,
           "panic: send on closed channel\n\ngoroutine 2 [running]:") {
  test_run(closed_while_sending, NULL, 1);
}

static int close_nil(void *arg) {
  (void)arg;
  bw_chan_close(NULL);
  return 0;
}
DEATH_TEST(chan_b12_close_of_nil, 2, "panic: close of nil channel") {
  test_run(close_nil, NULL, 1);
}

static int close_twice(void *arg) {
  (void)arg;
  bw_chan *c = bw_chan_make(sizeof(int), 0);
  bw_chan_close(c);
  bw_chan_close(c);
  return 0;
}
DEATH_TEST(chan_b12_close_of_closed, 2, "panic: close of closed channel") {
  test_run(close_twice, NULL, 1);
}

static ptrdiff_t minus_one = -1; // not a constant the compiler may warn about

DEATH_TEST(chan_b13_negative_size, 2, "panic: makechan: size out of range") {
  bw_chan_make(sizeof(int), minus_one);
}

DEATH_TEST(chan_b13_huge_size, 2, "panic: makechan: size out of range") {
  bw_chan_make(65535, PTRDIFF_MAX / 4);
}

DEATH_TEST(chan_element_too_large, 2, "panic: makechan: invalid channel element type") {
  bw_chan_make(65536, 1);
}

TEST(chan_make_without_memory_is_null) {
  CHECK(bw_chan_make(65535, PTRDIFF_MAX / 65536 - 8) == NULL);
}

// behaviour 16: nil channels block for ever; the dump says so
static int send_nil(void *arg) {
  (void)arg;
  bw_chan_send(NULL, &(int){1});
  return 0;
}
DEATH_TEST(chan_b16_send_on_nil, 2, "goroutine 1 [chan send (nil chan)]:") {
  test_run(send_nil, NULL, 1);
}

static int recv_nil(void *arg) {
  (void)arg;
  bw_chan_recv(NULL, NULL);
  return 0;
}
DEATH_TEST(chan_b16_receive_on_nil, 2, "goroutine 1 [chan receive (nil chan)]:") {
  test_run(recv_nil, NULL, 1);
}

TEST(chan_b16_try_forms_on_nil) {
  CHECK_EQ(bw_chan_try_send(NULL, NULL), BW_EAGAIN);
  CHECK_EQ(bw_chan_try_recv(NULL, NULL), BW_EAGAIN);
}

// behaviours 17 and 18: element sizes, unbuffered and buffered
typedef struct {
  bw_chan *c;
  size_t size;
} sized;

static void send_pattern(void *arg) {
  sized *s = arg;
  unsigned char value[1000];
  for (int round = 0; round < 20; round++) {
    for (size_t i = 0; i < s->size; i++) value[i] = (unsigned char)(i + (size_t)round);
    bw_chan_send(s->c, value);
  }
  bw_chan_close(s->c);
}

static int element_sizes(void *arg) {
  (void)arg;
  static const size_t sizes[] = {0, 1, 2, 3, 4, 5, 7, 8, 12, 16, 24, 100, 1000};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    for (int cap = 0; cap < 3; cap++) {
      sized s = {bw_chan_make(sizes[i], cap), sizes[i]};
      unsigned char value[1001];
      CHECK_EQ(bw_go(send_pattern, &s), 0);
      int round = 0;
      for (value[s.size] = 0xee; bw_chan_recv(s.c, value); round++) {
        for (size_t k = 0; k < s.size; k++) CHECK_EQ(value[k], (unsigned char)(k + (size_t)round));
        CHECK_EQ(value[s.size], 0xee);
      }
      CHECK_EQ(round, 20);
      bw_chan_release(s.c);
    }
  }
  return 0;
}
TEST(chan_b17_b18_element_sizes) { test_run(element_sizes, NULL, 0); }

// a NULL target drops the value
static int drop_value(void *arg) {
  (void)arg;
  bw_chan *c = bw_chan_make(sizeof(int), 1);
  bw_chan_send(c, &(int){1});
  CHECK(bw_chan_recv(c, NULL));
  CHECK_EQ(bw_chan_len(c), 0);
  bw_chan_release(c);
  return 0;
}
TEST(chan_receive_into_nothing) { test_run(drop_value, NULL, 1); }
