// Everything the scheduler does at once, at random, with exact accounting.
//
// Actors, which are goroutines and plain threads, do random things until the round's budget is
// used up: start others, yield, send, receive, sleep, make blocking calls, change the number of
// Ps, lock themselves to their thread, end in the middle. Each send has one receive and each
// receive one send: whoever does the one starts a goroutine for the other, before or after. So a
// round always ends by itself, and nothing but the one wake-up that is due moves it on: a wake-up
// that is lost is a hang (or a deadlock report) and not just a delay. Half of the rounds use no
// timers and no plain threads, which would hide that.
//
// A message is a slot of a table, marked with a number while it is under way: one that is lost
// leaves its slot marked, one that comes twice finds it unmarked. It carries an object that its
// receiver frees.
//
// Longer, or again: BURROW_STRESS_SECONDS=60 BURROW_STRESS_SEED=7 burrow-tests sched_stress_mix
#include "chan_util.h"

#include "base/atomics.h"
#include "base/rand.h"
#include "port/port.h"

enum { CHANS = 8, SLOTS = 1024, ACTORS = 12, THREADS = 2, PROCS_MOST = 6 };
enum { BLOCKED_MOST = BW_WASM ? 2 : 6, LOCKED_MOST = BW_WASM ? 2 : 4 };
static const int capacities[CHANS] = {0, 0, 0, 1, 1, 2, 8, 64};

typedef struct {
  uint32_t slot, mark;
  unsigned char *object; // its first byte is the low byte of mark
} message;

typedef struct {
  bw__rand rng;
  uint64_t id; // what bw_goid said; 0: a plain thread
  int channel; // for chores
} actor;

static struct {
  bw_chan *chans[CHANS], *over;
  _Atomic(uint32_t) slots[SLOTS]; // 0: free
  atomic_int live;                // actors and chores
  atomic_int ops_left;
  atomic_int blocked, locked; // actors in blocking calls, locked to their threads
  atomic_llong sent, received, actors;
  bool timers; // r/o in a round
} w;

static uint32_t below(actor *a, uint32_t n) { return bw__rand_below(&a->rng, n); }

// ---- messages -----------------------------------------------------------------------------------

static message message_make(actor *a) {
  message m = {.mark = (uint32_t)bw__rand_next(&a->rng) | 1};
  for (m.slot = below(a, SLOTS);; m.slot = (m.slot + 1) % SLOTS) {
    uint32_t none = 0;
    if (bw__cas(&w.slots[m.slot], &none, m.mark)) break;
    if (m.slot == 0) bw_gosched(); // all in use, perhaps
  }
  m.object = bw_malloc(1 + below(a, 200));
  CHECK(m.object);
  m.object[0] = (unsigned char)m.mark;
  return m;
}

static void message_end(message m) {
  CHECK(m.slot < SLOTS);
  CHECK_EQ(m.object[0], (unsigned char)m.mark);
  bw_free(m.object);
  uint32_t mark = m.mark;
  if (!bw__cas(&w.slots[m.slot], &mark, 0))
    test_fail(__FILE__, __LINE__, "message %u of slot %u came twice", m.mark, m.slot);
}

static void send(actor *a, int channel) {
  message m = message_make(a);
  bw_chan_send(w.chans[channel], &m);
  atomic_fetch_add(&w.sent, 1);
}

static void receive(int channel) {
  message m;
  CHECK(bw_chan_recv(w.chans[channel], &m));
  message_end(m);
  atomic_fetch_add(&w.received, 1);
}

static bool try_send(actor *a, int channel) {
  message m = message_make(a);
  if (bw_chan_try_send(w.chans[channel], &m) != 0) {
    message_end(m);
    return false;
  }
  atomic_fetch_add(&w.sent, 1);
  return true;
}

static bool try_receive(int channel) {
  message m;
  if (bw_chan_try_recv(w.chans[channel], &m) != 0) return false;
  message_end(m);
  atomic_fetch_add(&w.received, 1);
  return true;
}

// ---- others -------------------------------------------------------------------------------------

static void one_ended(void) {
  if (atomic_fetch_sub(&w.live, 1) == 1) bw_chan_send(w.over, NULL);
}

// Starts fn with an actor of its own; a copy on its stack, or an object that it frees.
static void begin(actor *by, void (*fn)(void *), int channel) {
  actor a = {.rng = {bw__rand_next(&by->rng)}, .channel = channel};
  atomic_fetch_add(&w.live, 1);
  bw_go_options options = {.arg_size = sizeof a};
  if (below(by, 16) == 0) options.stack_size = (size_t)100 << 10;
  CHECK_EQ(bw_go_with(&options, fn, &a), 0);
}

static void chore_send(void *arg) {
  actor *a = arg;
  send(a, a->channel);
  one_ended();
}

static void chore_receive(void *arg) {
  actor *a = arg;
  receive(a->channel);
  one_ended();
}

static void exchange(actor *a) {
  int c = (int)below(a, CHANS);
  switch (below(a, 6)) {
  case 0:
    begin(a, chore_receive, c);
    send(a, c);
    break;
  case 1: // with room in the channel this actor need not wait
    if (try_send(a, c)) begin(a, chore_receive, c);
    break;
  case 2:
    begin(a, chore_send, c);
    receive(c);
    break;
  case 3:
    if (try_receive(c)) begin(a, chore_send, c);
    break;
  case 4:
    begin(a, chore_send, c);
    begin(a, chore_receive, c);
    break;
  default:
    for (int i = 0; i < 4; i++) begin(a, i % 2 ? chore_send : chore_receive, c);
  }
}

// ---- what actors do -----------------------------------------------------------------------------

static void act(void *arg);

static void in_blocking_call(void *arg) {
  actor *a = arg;
  switch (below(a, 5)) {
  case 0: exchange(a); break;
  case 1: bw__port_thread_yield(); break;
  case 2:
    if (w.timers) bw__port_sleep_until(bw__port_now() + below(a, 100 * 1000));
    break;
  default:
    for (uint32_t n = below(a, 2000); n > 0; n--) bw__cpu_relax();
  }
}

static void make_blocking_call(actor *a) {
  if (atomic_fetch_add(&w.blocked, 1) < BLOCKED_MOST) bw_blocking(in_blocking_call, a);
  atomic_fetch_sub(&w.blocked, 1);
}

static void step(actor *a);

static _Thread_local int here;
static __attribute__((noinline)) int *thread_mark(void) {
  __asm__ volatile("" ::: "memory");
  return &here;
}

// False: it stays locked and is to end.
static bool lock_and_step(actor *a) {
  bool go_on = true;
  if (atomic_fetch_add(&w.locked, 1) < LOCKED_MOST) {
    CHECK_EQ(bw_lock_os_thread(), 0);
    int *mark = thread_mark();
    for (uint32_t n = below(a, 4); n > 0; n--) step(a);
    CHECK(thread_mark() == mark);
    go_on = below(a, 4) > 0;
    if (go_on) bw_unlock_os_thread();
  }
  atomic_fetch_sub(&w.locked, 1);
  return go_on;
}

static void step(actor *a) {
  switch (below(a, 24)) {
  case 0: begin(a, act, 0); break;
  case 1:
    for (uint32_t n = below(a, 8); n > 0; n--) bw_gosched();
    break;
  case 2:
    if (w.timers) bw_sleep(below(a, 300 * 1000));
    break;
  case 3:
    if (a->id != 0) make_blocking_call(a);
    break;
  case 4:
    if (below(a, 8) == 0) CHECK(bw_gomaxprocs(1 + (int)below(a, PROCS_MOST)) > 0);
    break;
  case 5:
    for (uint32_t n = below(a, 1000); n > 0; n--) bw__cpu_relax();
    break;
  default: exchange(a);
  }
}

static void act(void *arg) {
  actor *a = arg;
  a->id = bw_goid();
  CHECK(a->id > 0);
  atomic_fetch_add(&w.actors, 1);
  bool go_on = true;
  while (go_on && atomic_fetch_sub(&w.ops_left, 1) > 0) {
    CHECK_EQ(bw_goid(), a->id);
    uint32_t what = below(a, 64);
    if (what == 0)
      go_on = lock_and_step(a);
    else if (what <= 2 && atomic_load(&w.live) > ACTORS)
      go_on = false;
    else
      step(a);
  }
  one_ended();
  if (below(a, 2)) bw_goexit();
}

static void act_as_thread(void *arg) {
  actor *a = arg;
  for (int i = 0; i < 100 && atomic_fetch_sub(&w.ops_left, 1) > 0; i++) step(a);
  one_ended();
  bw_outside_leave();
}

// ---- rounds -------------------------------------------------------------------------------------

static void join(void *thread) { bw__port_thread_join(thread); }

static void one_round(actor *main_actor, bool alone) {
  static bw__port_thread threads[THREADS];
  static actor thread_actors[THREADS];
  int helpers = alone || !bw__port_capabilities.threads ? 0 : THREADS;
  w.timers = !alone;
  atomic_store(&w.ops_left, test_is_slow_build() ? 300 : 3000);
  atomic_store(&w.live, 1); // main
  for (int i = 0; i < helpers; i++) {
    thread_actors[i] = (actor){.rng = {bw__rand_next(&main_actor->rng)}};
    atomic_fetch_add(&w.live, 1);
    bw_outside_enter();
    CHECK_EQ(bw__port_thread_start(&threads[i], act_as_thread, &thread_actors[i]), 0);
  }
  for (int i = 0; i < ACTORS; i++) begin(main_actor, act, 0);
  one_ended();
  CHECK(bw_chan_recv(w.over, NULL));
  for (int i = 0; i < helpers; i++) bw_blocking(join, &threads[i]);
  while (bw_num_goroutine() > 1) bw_gosched();
  CHECK_EQ(bw_num_goroutine(), 1);
  CHECK_EQ(atomic_load(&w.sent), atomic_load(&w.received));
  for (int i = 0; i < SLOTS; i++) CHECK_EQ(atomic_load(&w.slots[i]), 0);
  for (int i = 0; i < CHANS; i++) CHECK_EQ(bw_chan_len(w.chans[i]), 0);
  CHECK_EQ(atomic_load(&w.blocked) + atomic_load(&w.locked), 0);
}

static int some_rounds(void *arg) {
  actor *a = arg;
  w.over = bw_chan_make(0, 1);
  for (int i = 0; i < CHANS; i++) w.chans[i] = bw_chan_make(sizeof(message), capacities[i]);
  for (uint32_t n = 1 + below(a, 6); n > 0; n--) one_round(a, below(a, 2));
  for (int i = 0; i < CHANS; i++) bw_chan_release(w.chans[i]);
  bw_chan_release(w.over);
  return 0;
}

static uint64_t live_bytes(void) {
  bw_alloc_stats s;
  bw_alloc_stats_read(&s);
  return s.live_bytes;
}

TEST(sched_stress_mix) {
  uint64_t first = chan_seed(), before = 0;
  actor a = {.rng = {first}};
  int64_t end = bw_now() + test_stress_ns(2);
  for (int run = 0; run == 0 || bw_now() < end; run++) {
    test_run(some_rounds, &a, 1 + (int)below(&a, PROCS_MOST));
    if (run == 0) before = live_bytes();
    if (!BW_WASM) CHECK_EQ(live_bytes(), before); // there the C library's objects count too
  }
  printf("%lld messages, %lld actors\n", atomic_load(&w.received), atomic_load(&w.actors));
  CHECK(atomic_load(&w.received) > 0);
}

// ---- a lost wake-up is a hang -------------------------------------------------------------------

// Main starts a goroutine, or lets one out of a channel, and does not come to the scheduler before
// it has run: another M must be woken for it, and the moments before are such that this M is about
// to go to sleep.
static atomic_int rounds_done;

static void next_round(void *arg) {
  if (arg) bw_chan_recv(arg, NULL);
  atomic_fetch_add(&rounds_done, 1);
}

static void nap_for(void *arg) {
  bw_sleep((int64_t)(uintptr_t)arg);
  atomic_fetch_add(&rounds_done, 1);
}

static int wakes(void *arg) {
  actor a = {.rng = {chan_seed()}};
  bw_chan *c = bw_chan_make(0, 0);
  int64_t end = bw_now() + test_stress_ns(1) / 2;
  while (bw_now() < end) {
    atomic_store(&rounds_done, 0);
    uint32_t way = below(&a, arg ? 3 : 2);
    if (way == 0) {
      CHECK_EQ(bw_go(next_round, c), 0);
      bw_gosched();
      bw_chan_send(c, NULL);
    } else if (way == 1) {
      CHECK_EQ(bw_go(next_round, NULL), 0);
    } else {
      CHECK_EQ(bw_go(nap_for, (void *)(uintptr_t)below(&a, 50 * 1000)), 0);
    }
    while (atomic_load(&rounds_done) == 0) {}
    for (uint32_t n = below(&a, 3000); n > 0; n--) bw__cpu_relax();
  }
  bw_chan_release(c);
  return 0;
}
THREADS_TEST(sched_stress_wakes) { test_run(wakes, NULL, 2); }
THREADS_TEST(sched_stress_wakes_on_four_procs) { test_run(wakes, NULL, 4); }
THREADS_TEST(sched_stress_wakes_for_timers) { test_run(wakes, (void *)1, 2); }
