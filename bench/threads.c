// Two plain threads, no goroutine on either side: a round trip through two channels, and beside it
// the least that a round trip between two threads that sleep can cost, two words and the futex.
#include "bench.h"

#include "port/port.h"

enum { ROUNDS = 50000 };

typedef struct {
  int64_t n;
  int64_t ns;
  bool failed;
  bw_chan *there, *back;
  _Atomic(uint32_t) turn; // 0: ours, 1: the other's
} duel;

// ---- channels -----------------------------------------------------------------------------------

static void echo_chan(void *arg) {
  duel *d = arg;
  for (int64_t v; bw_chan_recv(d->there, &v);) {
    v++;
    bw_chan_send(d->back, &v);
  }
}

static void play_chan(duel *d) {
  for (int64_t i = 0, v; i < d->n; i++) {
    bw_chan_send(d->there, &i);
    bw_chan_recv(d->back, &v);
    if (v != i + 1) d->failed = true;
  }
}

// ---- bare ---------------------------------------------------------------------------------------

static void wait_for_turn(duel *d, uint32_t turn) {
  for (uint32_t now; (now = atomic_load(&d->turn)) != turn;) bw__port_futex_wait(&d->turn, now, -1);
}

static void pass_turn(duel *d, uint32_t turn) {
  atomic_store(&d->turn, turn);
  bw__port_futex_wake(&d->turn, 1);
}

static void echo_futex(void *arg) {
  duel *d = arg;
  for (int64_t i = 0; i < d->n; i++) {
    wait_for_turn(d, 1);
    pass_turn(d, 0);
  }
}

static void play_futex(duel *d) {
  for (int64_t i = 0; i < d->n; i++) {
    pass_turn(d, 1);
    wait_for_turn(d, 0);
  }
}

// ---- the two side by side -----------------------------------------------------------------------

typedef struct {
  duel *d;
  void (*echo)(void *arg);
  void (*play)(duel *d);
} match;

// On a thread of its own, while it lasts: the goroutine's, which runs nothing else meanwhile.
static void run_match(void *arg) {
  match *m = arg;
  bw__port_thread other;
  m->d->failed = bw__port_thread_start(&other, m->echo, m->d) != 0;
  if (m->d->failed) return;
  int64_t start = bw_now();
  m->play(m->d);
  m->d->ns = bw_now() - start;
  if (m->d->there) bw_chan_close(m->d->there);
  bw__port_thread_join(&other);
}

// 50,000 round trips; op = one round trip. `thread_pingpong_ratio`: channels to the bare futex.
BENCH(thread_pingpong) {
  if (!bw__port_capabilities.threads) {
    bench_skip("there is one thread only");
    return;
  }
  duel bare = {.n = bench_count(ROUNDS)};
  duel chan = {
      .n = bare.n, .there = bench_chan(sizeof(int64_t), 0), .back = bench_chan(sizeof(int64_t), 0)};
  bw_blocking(run_match, &(match){&bare, echo_futex, play_futex});
  bw_blocking(run_match, &(match){&chan, echo_chan, play_chan});
  if (bare.failed || chan.failed) bw_panic("no thread, or a wrong value");
  bench_result_as("thread_pingpong_futex", bare.n, bare.ns);
  bench_result_as("thread_pingpong_chan", chan.n, chan.ns);
  bench_value("thread_pingpong_ratio", (double)chan.ns / (double)bare.ns, "times");
}
