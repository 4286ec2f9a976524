// Many file descriptors at once: exact accounting, and a stress of everything together.
// BURROW_STRESS_SECONDS lengthens the stress.
#include "io_util.h"

#include "base/rand.h"

#if !BW_WASM

static int stress_seconds(int usual) {
  const char *s = bw__port_env("BURROW_STRESS_SECONDS");
  return s && atoi(s) > 0 ? atoi(s) : usual;
}

// ---- 500 pairs ----------------------------------------------------------------------------------

enum { PAIRS = 500, FEW_PAIRS = 100 };

typedef struct {
  int fds[2];
  size_t bytes; // to send
  uint64_t sent, received;
  group *all;
} stream;

static void send_stream(void *arg) {
  stream *s = arg;
  char buf[4000];
  bw__rand r = {(uint64_t)s->fds[0]};
  for (size_t left = s->bytes; left > 0;) {
    size_t n = 1 + bw__rand_below(&r, sizeof buf);
    if (n > left) n = left;
    for (size_t i = 0; i < n; i++) s->sent += (uint8_t)(buf[i] = (char)bw__rand_next(&r));
    CHECK_EQ(bw_write(s->fds[1], buf, n), n);
    left -= n;
  }
  CHECK_EQ(bw_close_fd(s->fds[1]), 0);
  group_done(s->all);
}

static void receive_stream(void *arg) {
  stream *s = arg;
  char buf[3000];
  size_t total = 0;
  for (ptrdiff_t n; (n = bw_read(s->fds[0], buf, sizeof buf)) != 0;) {
    CHECK(n > 0);
    total += (size_t)n;
    for (ptrdiff_t i = 0; i < n; i++) s->received += (uint8_t)buf[i];
  }
  CHECK_EQ(total, s->bytes);
  CHECK_EQ(bw_close_fd(s->fds[0]), 0);
  group_done(s->all);
}

static int many_pairs(void *arg) {
  (void)arg;
  struct rlimit files;
  CHECK_EQ(getrlimit(RLIMIT_NOFILE, &files), 0);
  files.rlim_cur = files.rlim_max;
  CHECK_EQ(setrlimit(RLIMIT_NOFILE, &files), 0);
  int pairs = test_is_slow_build() ? FEW_PAIRS : PAIRS;
  stream *all = calloc((size_t)pairs, sizeof *all);
  group g;
  group_init(&g, 2 * pairs);
  for (int i = 0; i < pairs; i++) {
    pair_open(all[i].fds, SOCKETS);
    all[i].bytes = 10000 + (size_t)i * 10;
    all[i].all = &g;
  }
  for (int i = 0; i < pairs; i++) {
    CHECK_EQ(bw_go(receive_stream, &all[i]), 0);
    CHECK_EQ(bw_go(send_stream, &all[pairs - 1 - i]), 0);
  }
  group_wait(&g);
  for (int i = 0; i < pairs; i++) CHECK_EQ(all[i].sent, all[i].received);
  free(all);
  return 0;
}
TEST(io_many_pairs) { test_run(many_pairs, NULL, 1); }
TEST(io_many_pairs_on_many_procs) { test_run(many_pairs, NULL, 4); }

// ---- stress -------------------------------------------------------------------------------------
//
// Lanes: each is a pair on which one goroutine asks and another answers, one number each time, with
// deadlines that often pass, sleeps, yields, blocking calls and thread hops in between. Now and
// then a lane is closed under the answerer's feet, and opened anew. The number of Ps changes all
// the time. In the end: each answer was right, and each question was answered or its lane closed.

enum { LANES = 24 };

typedef struct {
  bw__rand rand;
  int64_t until;
  uint64_t asked, answered, timeouts, closings;
  group *all;
} lane;

typedef struct {
  int fd;
  uint64_t seen;
  int end;
  bw_chan *done;
} answerer;

static void nap_on_thread(void *arg) { bw__port_sleep_until(bw_now() + *(int64_t *)arg); }

static void something_else(bw__rand *r) {
  int64_t ns = (int64_t)bw__rand_below(r, 100) * BW_MICROSECOND;
  switch (bw__rand_below(r, 16)) {
  case 0: bw_sleep(ns); break;
  case 1:
  case 2: bw_gosched(); break;
  case 3: bw_blocking(nap_on_thread, &ns); break;
  default: break;
  }
}

static void answer(void *arg) {
  answerer *a = arg;
  bw__rand r = {(uint64_t)a->fd};
  for (;;) {
    uint64_t n;
    ptrdiff_t got = bw_read_until(a->fd, &n, sizeof n, bw_now() + 300 * BW_MICROSECOND);
    if (got == BW_ETIMEDOUT) continue;
    if (got <= 0) {
      a->end = (int)got;
      break;
    }
    CHECK_EQ(got, (ptrdiff_t)sizeof n);
    something_else(&r);
    a->seen++;
    n = ~n;
    ptrdiff_t put = bw_write(a->fd, &n, sizeof n);
    if (put < 0) {
      a->end = (int)put;
      break;
    }
  }
  bw_chan_send(a->done, NULL);
}

// One life of a lane.
static void live(lane *l) {
  int fds[2];
  pair_open(fds, SOCKETS);
  answerer a = {.fd = fds[1], .done = bw_chan_make(0, 1)};
  CHECK_EQ(bw_go(answer, &a), 0);
  uint64_t asked = 0, rounds = 1 + bw__rand_below(&l->rand, 200);
  for (; asked < rounds && bw_now() < l->until; asked++) {
    uint64_t out = bw__rand_next(&l->rand), in = 0;
    CHECK_EQ(bw_write(fds[0], &out, sizeof out), (ptrdiff_t)sizeof out);
    something_else(&l->rand);
    for (;;) {
      int64_t until = bw_now() + (int64_t)bw__rand_below(&l->rand, 200) * BW_MICROSECOND;
      ptrdiff_t got = bw_read_until(fds[0], &in, sizeof in, until);
      if (got == (ptrdiff_t)sizeof in) break;
      CHECK_EQ(got, BW_ETIMEDOUT);
      l->timeouts++;
    }
    CHECK_EQ(in, ~out);
  }
  if (bw__rand_below(&l->rand, 2)) CHECK_EQ(shutdown(fds[1], SHUT_RDWR), 0);
  CHECK_EQ(bw_close_fd(fds[0]), 0);
  CHECK(bw_chan_recv(a.done, NULL));
  CHECK_EQ(a.end, 0);
  CHECK_EQ(a.seen, asked);
  CHECK_EQ(bw_close_fd(fds[1]), 0);
  bw_chan_release(a.done);
  l->asked += asked;
  l->answered += a.seen;
  l->closings++;
}

static void run_lane(void *arg) {
  lane *l = arg;
  while (bw_now() < l->until) live(l);
  group_done(l->all);
}

static int stress(void *arg) {
  (void)arg;
  static lane lanes[LANES];
  group g;
  int64_t until = bw_now() + stress_seconds(2) * BW_SECOND;
  group_init(&g, LANES);
  for (int i = 0; i < LANES; i++) {
    lanes[i] = (lane){.rand = {(uint64_t)i + 1}, .until = until, .all = &g};
    CHECK_EQ(bw_go(run_lane, &lanes[i]), 0);
  }
  bw__rand r = {99};
  while (bw_now() < until) {
    CHECK(bw_gomaxprocs(1 + (int)bw__rand_below(&r, 6)) > 0);
    bw_sleep((int64_t)bw__rand_below(&r, 3000) * BW_MICROSECOND);
  }
  group_wait(&g);
  uint64_t asked = 0, answered = 0, timeouts = 0, closings = 0;
  for (int i = 0; i < LANES; i++) {
    asked += lanes[i].asked;
    answered += lanes[i].answered;
    timeouts += lanes[i].timeouts;
    closings += lanes[i].closings;
  }
  CHECK_EQ(asked, answered);
  printf("%" PRIu64 " questions, %" PRIu64 " deadlines passed, %" PRIu64 " lives\n", asked,
         timeouts, closings);
  CHECK(asked > 0 && timeouts > 0 && closings > 0);
  return 0;
}
TEST(io_stress) { test_run(stress, NULL, 4); }

// Descriptors are closed while others wait for them, are about to, or have just timed out; the
// numbers come back at once. A reader that is late reads from another's file: nobody writes, so
// that it can only be woken by that one's end. (All files have O_NONBLOCK: a late read() of one
// that blocks would hold its thread, and two of them the two ends of a pair, for ever.)
typedef struct {
  bw__rand rand;
  int64_t until;
  uint64_t woken, late;
  group *all;
} closer;

enum { READERS = 3 };

static void close_and_open(void *arg) {
  closer *c = arg;
  while (bw_now() < c->until) {
    int fds[2];
    io_call calls[READERS] = {0};
    if (bw__rand_below(&c->rand, 2))
      pair_open(fds, PIPE_NONBLOCK);
    else
      CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    for (int i = 0; i < READERS; i++) {
      calls[i] = (io_call){.fd = fds[0], .deadline = BW_NO_DEADLINE};
      if (i == 0) calls[i].deadline = bw_now() + 200 * BW_MICROSECOND;
      CHECK_EQ(bw_go(io_call_read, &calls[i]), 0);
    }
    bw_sleep((int64_t)bw__rand_below(&c->rand, 300) * BW_MICROSECOND);
    CHECK_EQ(bw_close_fd(fds[0]), 0);
    CHECK_EQ(bw_close_fd(fds[1]), 0);
    for (int i = 0; i < READERS; i++) {
      io_wait_done(&calls[i]);
      ptrdiff_t result = calls[i].result;
      CHECK(result == 0 || result == BW_ECLOSED || result == BW_ETIMEDOUT ||
            bw_errno((int)result) == EBADF);
      result == BW_ECLOSED ? c->woken++ : c->late++;
    }
  }
  group_done(c->all);
}

static int stress_close(void *arg) {
  (void)arg;
  static closer closers[LANES];
  group g;
  uint64_t woken = 0, late = 0;
  group_init(&g, LANES);
  for (int i = 0; i < LANES; i++) {
    closers[i] = (closer){{(uint64_t)i}, bw_now() + stress_seconds(1) * BW_SECOND, 0, 0, &g};
    CHECK_EQ(bw_go(close_and_open, &closers[i]), 0);
  }
  group_wait(&g);
  for (int i = 0; i < LANES; i++) {
    woken += closers[i].woken;
    late += closers[i].late;
  }
  printf("%" PRIu64 " readers woken, %" PRIu64 " not\n", woken, late);
  CHECK(woken > 0);
  return 0;
}
TEST(io_stress_close) {
#if BW_TSAN
  SKIP("it uses numbers of descriptors that others closed, which ThreadSanitizer reports");
#endif
  test_run(stress_close, NULL, 4);
}

#endif
