// The demos. Each is what one would write in Go: goroutines, channels, range and close. Stopping is
// cooperative and reaches everywhere by the same path as the normal end: the source of values stops
// and closes its channel, and close runs down the pipeline.
#include "demos.h"

#include <stdatomic.h>
#include <string.h>

enum {
  GOROUTINES_MAX = 10000,
  ROLE_PRODUCER = 0,
  ROLE_CONSUMER,
  ROLE_PLAYER,
  ROLE_FILTER,
  ROLE_MAIN
};

static demo_state state;
static struct {
  int kind, goroutines, capacity, count;
  uint32_t sample; // one of so many operations is logged
  int64_t start;
  _Atomic(uint32_t) producers; // that still produce
} demo;

demo_state *demo_state_get(void) { return &state; }

void demo_stop(void) { atomic_store(&state.stopping, 1); }

static bool stopping(void) { return atomic_load_explicit(&state.stopping, memory_order_relaxed); }

// ---- the log ------------------------------------------------------------------------------------

static void note(demo_event_kind kind, int value) {
  uint32_t i = atomic_fetch_add(&state.event_count, 1);
  state.events[i % DEMO_EVENTS] = (demo_event){
      .kind = kind,
      .value = value,
      .goroutine = (uint32_t)bw_goid(),
      .proc = (uint32_t)bw_proc_index(),
      .time_ms = (double)(bw_now() - demo.start) / 1e6,
  };
}

static void count_op(_Atomic(uint32_t) *counter, demo_event_kind kind, int value) {
  uint32_t n = atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
  int p = bw_proc_index();
  if (p >= 0 && p < DEMO_PROCS)
    atomic_fetch_add_explicit(&state.ops_by_proc[p], 1, memory_order_relaxed);
  if (n % demo.sample == 0) note(kind, value);
}

static void send(bw_chan *c, int value) {
  bw_chan_send(c, &value);
  count_op(&state.sent, EVENT_SEND, value);
}

static bool receive(bw_chan *c, int *value) {
  if (!bw_chan_recv(c, value)) return false;
  count_op(&state.received, EVENT_RECEIVE, *value);
  return true;
}

static void add64(_Atomic(uint32_t) *lo, _Atomic(uint32_t) *hi, uint64_t n) {
  uint32_t low = (uint32_t)n, before = atomic_fetch_add(lo, low);
  atomic_fetch_add(hi, (uint32_t)(n >> 32) + (before + low < before));
}

// ---- life of a goroutine ------------------------------------------------------------------------

static void begin(int role) { note(EVENT_START, role); }

// The last goroutine of the demo to end says that it is over. Goroutines are counted when they are
// started, so the number cannot touch zero too early.
static void end(void) {
  note(EVENT_END, 0);
  if (atomic_fetch_sub(&state.goroutines, 1) != 1) return;
  atomic_store(&state.elapsed_us, (uint32_t)((bw_now() - demo.start) / 1000));
  atomic_store(&state.running, 0);
}

static bool spawn(const char *name, void (*fn)(void *), void *arg) {
  atomic_fetch_add(&state.goroutines, 1);
  if (bw_go_with(&(bw_go_options){.name = name}, fn, arg) == 0) return true;
  atomic_fetch_sub(&state.goroutines, 1);
  return false;
}

// ---- producers and consumers --------------------------------------------------------------------

static void producer(void *arg) {
  bw_chan *c = arg;
  begin(ROLE_PRODUCER);
  uint64_t sum = 0;
  for (int i = 1; i <= demo.count && !stopping(); i++) {
    send(c, i);
    sum += (uint64_t)i;
  }
  add64(&state.expected_lo, &state.expected_hi, sum);
  if (atomic_fetch_sub(&demo.producers, 1) == 1) bw_chan_close(c);
  bw_chan_release(c);
  end();
}

static void consumer(void *arg) {
  bw_chan *c = arg;
  begin(ROLE_CONSUMER);
  uint64_t sum = 0;
  for (int v; receive(c, &v);) sum += (uint64_t)v;
  add64(&state.result_lo, &state.result_hi, sum);
  bw_chan_release(c);
  end();
}

static int start_producers(void) {
  bw_chan *c = bw_chan_make(sizeof(int), demo.capacity);
  if (!c) return BW_ENOMEM;
  int producers = (demo.goroutines + 1) / 2, consumers = demo.goroutines - producers;
  if (consumers < 1) consumers = 1;
  bool failed = false;
  atomic_store(&demo.producers, (uint32_t)producers);
  for (int i = 0; i < consumers; i++) {
    bw_chan_retain(c);
    if (!spawn("consumer", consumer, c)) bw_chan_release(c), failed = true;
  }
  for (int i = 0; i < producers; i++) {
    bw_chan_retain(c);
    if (!failed && spawn("producer", producer, c)) continue;
    bw_chan_release(c);
    failed = true;
    if (atomic_fetch_sub(&demo.producers, 1) == 1) bw_chan_close(c);
  }
  bw_chan_release(c);
  if (failed) demo_stop(); // those that did start end at once
  return failed ? BW_ENOMEM : 0;
}

// ---- ping-pong ----------------------------------------------------------------------------------

// Each pair has two channels; the serving side counts round trips and closes its channel to end the
// match, the returning side closes the other.
typedef struct {
  bw_chan *ping, *pong;
} table;

static void returner(void *arg) {
  table t = *(table *)arg;
  begin(ROLE_PLAYER);
  for (int ball; receive(t.ping, &ball);) send(t.pong, ball + 1);
  bw_chan_close(t.pong);
  bw_chan_release(t.ping);
  bw_chan_release(t.pong);
  end();
}

static void server(void *arg) {
  table *t = arg;
  begin(ROLE_PLAYER);
  for (int i = 0, ball = 0; i < demo.count && !stopping(); i++) {
    send(t->ping, ball);
    if (!receive(t->pong, &ball)) break;
    add64(&state.result_lo, &state.result_hi, 1);
  }
  bw_chan_close(t->ping);
  for (int ball; bw_chan_recv(t->pong, &ball);) {
  } // until the other side has closed: it no longer reads *t
  bw_chan_release(t->ping);
  bw_chan_release(t->pong);
  bw_free(t);
  end();
}

static int start_pair(void) {
  table *t = bw_calloc(1, sizeof *t);
  if (t)
    *t =
        (table){bw_chan_make(sizeof(int), demo.capacity), bw_chan_make(sizeof(int), demo.capacity)};
  if (t && t->ping && t->pong) {
    bw_chan_retain(t->ping);
    bw_chan_retain(t->pong);
    if (spawn("returner", returner, t)) {
      if (spawn("server", server, t)) return 0;
      bw_chan_close(t->ping); // ends the returner; *t stays, it may still be reading it
      bw_chan_release(t->ping);
      bw_chan_release(t->pong);
      return BW_ENOMEM;
    }
    bw_chan_release(t->ping);
    bw_chan_release(t->pong);
  }
  if (t) bw_chan_release(t->ping), bw_chan_release(t->pong);
  bw_free(t);
  return BW_ENOMEM;
}

static int start_pingpong(void) {
  int pairs = demo.goroutines < 2 ? 1 : demo.goroutines / 2;
  add64(&state.expected_lo, &state.expected_hi, (uint64_t)pairs * (uint64_t)demo.count);
  for (int i = 0; i < pairs; i++) {
    if (start_pair() == 0) continue;
    demo_stop();
    return BW_ENOMEM;
  }
  return 0;
}

// ---- prime sieve --------------------------------------------------------------------------------

typedef struct {
  bw_chan *in, *out;
  int prime;
} sieve_stage;

static void generator(void *arg) {
  bw_chan *out = arg;
  begin(ROLE_PRODUCER);
  // Long enough for any count up to 100,000 primes; the sieve's main stops us long before.
  for (int i = 2; i < 1300000 && !stopping(); i++) send(out, i);
  bw_chan_close(out);
  bw_chan_release(out);
  end();
}

static void filter(void *arg) {
  sieve_stage s = *(sieve_stage *)arg;
  bw_free(arg);
  begin(ROLE_FILTER);
  for (int v; receive(s.in, &v);)
    if (v % s.prime != 0 && !stopping()) send(s.out, v); // stopping: what is in flight is dropped
  bw_chan_close(s.out);
  bw_chan_release(s.in);
  bw_chan_release(s.out);
  end();
}

// The reference to `in` passes to the new filter; NULL: no memory, and it stays with the caller.
static bw_chan *add_filter(bw_chan *in, int prime) {
  sieve_stage *s = bw_malloc(sizeof *s);
  bw_chan *out = bw_chan_make(sizeof(int), demo.capacity);
  if (s && out) {
    *s = (sieve_stage){in, bw_chan_retain(out), prime};
    if (spawn("filter", filter, s)) return out;
    bw_chan_release(out);
  }
  bw_chan_release(out);
  bw_free(s);
  return NULL;
}

static void sieve_main(void *arg) {
  bw_chan *c = arg;
  begin(ROLE_MAIN);
  int prime;
  for (int found = 0; found < demo.count && !stopping() && receive(c, &prime); found++) {
    atomic_store(&state.result_lo, (uint32_t)prime);
    atomic_store(&state.result_hi, (uint32_t)(found + 1));
    note(EVENT_PRIME, prime);
    bw_chan *next = add_filter(c, prime);
    if (!next) break;
    c = next;
  }
  demo_stop();
  for (int v; bw_chan_recv(c, &v);) {} // drain: the filters are still sending
  bw_chan_release(c);
  end();
}

static int start_sieve(void) {
  bw_chan *c = bw_chan_make(sizeof(int), demo.capacity);
  if (!c) return BW_ENOMEM;
  if (!spawn("sieve", sieve_main, bw_chan_retain(c))) { // the receiving side first: it can be ended
    bw_chan_release(c);
    bw_chan_release(c);
    return BW_ENOMEM;
  }
  if (spawn("generator", generator, c)) return 0;
  bw_chan_close(c);
  bw_chan_release(c);
  return BW_ENOMEM;
}

// ---- the seed's test4 ---------------------------------------------------------------------------

enum { TEXT_RECEIVE_DEFAULT, TEXT_SEND_DEFAULT, TEXT_SEND, TEXT_RECEIVE };

// One second, in steps so that Stop need not wait for it.
static void sleep_a_second(void) {
  for (int i = 0; i < 50 && !stopping(); i++) bw_sleep(20 * BW_MILLISECOND);
}

static void test4_sender(void *arg) {
  bw_chan *c = arg;
  begin(ROLE_PRODUCER);
  sleep_a_second();
  int one = 1;
  if (!stopping()) note(EVENT_TEXT, bw_chan_try_send(c, &one) == 0 ? TEXT_SEND : TEXT_SEND_DEFAULT);
  bw_chan_release(c);
  end();
}

static void test4_main(void *arg) {
  bw_chan *c = arg;
  begin(ROLE_MAIN);
  int t;
  note(EVENT_TEXT, bw_chan_try_recv(c, &t) == 0 ? TEXT_RECEIVE : TEXT_RECEIVE_DEFAULT);
  sleep_a_second();
  bw_chan_release(c);
  end();
}

static int start_test4(void) {
  bw_chan *c = bw_chan_make(sizeof(int), 0);
  if (!c) return BW_ENOMEM;
  if (!spawn("test4", test4_main, bw_chan_retain(c))) {
    bw_chan_release(c);
    bw_chan_release(c);
    return BW_ENOMEM;
  }
  if (spawn("sender", test4_sender, c)) return 0;
  bw_chan_release(c);
  return BW_ENOMEM;
}

// ---- start --------------------------------------------------------------------------------------

static void reset(void) {
  demo_event *events = state.events;
  memset(&state, 0, offsetof(demo_state, events));
  memset(events, 0, sizeof state.events);
}

// The starter counts as a goroutine, so that the demo cannot end while it is being built up.
int demo_start(int kind, int goroutines, int capacity, int count) {
  if (kind < DEMO_PRODUCERS || kind > DEMO_TEST4 || goroutines < 1 || goroutines > GOROUTINES_MAX ||
      capacity < 0 || capacity > 1 << 20 || count < 1 || (kind == DEMO_SIEVE && count > 100000))
    return BW_EINVAL;
  if (atomic_load(&state.running)) return BW_ESTATE;
  reset();
  demo.kind = kind;
  demo.goroutines = goroutines;
  demo.capacity = capacity;
  demo.count = count;
  demo.sample = kind == DEMO_SIEVE ? 64 : count > 1000 ? (uint32_t)count / 250 : 1;
  demo.start = bw_now();
  atomic_store(&state.running, 1);
  atomic_store(&state.goroutines, 1);
  int (*const starts[])(void) = {start_producers, start_pingpong, start_sieve, start_test4};
  int code = starts[kind]();
  end();
  return code;
}
