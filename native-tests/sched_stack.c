// Goroutine stacks: deep use, printf, sizes to choose, migration with live frames, no memory.
#include "chan_util.h"

#include "base/atomics.h"
#include "port/port.h"
#include "sched/sched.h"
#include "sched/stack.h"

// Frames survive switches, on whatever thread they continue.
static __attribute__((noinline)) uint64_t recurse(int depth, uint64_t seed) {
  volatile uint64_t local[8];
  for (int i = 0; i < 8; i++) local[i] = seed * 31 + (uint64_t)(depth * 8 + i);
  bw_gosched();
  uint64_t below = depth > 0 ? recurse(depth - 1, seed) : 0;
  bw_gosched();
  for (int i = 0; i < 8; i++) CHECK(local[i] == seed * 31 + (uint64_t)(depth * 8 + i));
  return below + local[3];
}

static void deep(void *arg) {
  uint64_t seed = bw_goid();
  uint64_t a = recurse(40, seed), b = recurse(40, seed);
  CHECK(a == b);
  group_done(arg);
}

static int deep_frames(void *arg) {
  (void)arg;
  group g;
  int n = test_is_slow_build() ? 20 : 100;
  group_init(&g, n);
  for (int i = 0; i < n; i++) CHECK_EQ(bw_go(deep, &g), 0);
  group_wait(&g);
  return 0;
}
TEST(sched_frames_survive_migration) { test_run(deep_frames, NULL, 4); }

// The default stack is large enough for printf with floating point, the C library's hungriest
// function.
static void format(void *arg) {
  char text[400];
  for (int i = 0; i < 20; i++) {
    snprintf(text, sizeof text, "%.30Lf %s %g", (long double)i / 3, "text", 1e300 * i);
    CHECK(strlen(text) > 30);
    bw_gosched();
  }
  group_done(arg);
}

static int printf_fits(void *arg) {
  (void)arg;
  group g;
  group_init(&g, 50);
  for (int i = 0; i < 50; i++) CHECK_EQ(bw_go(format, &g), 0);
  group_wait(&g);
  return 0;
}
TEST(sched_default_stack_holds_printf) { test_run(printf_fits, NULL, 4); }

// A goroutine may ask for a large stack, and the next small one does not inherit its waste.
static void use_a_lot(void *arg) {
  volatile char big[600 << 10];
  for (size_t i = 0; i < sizeof big; i += 512) big[i] = (char)i;
  bw_gosched();
  for (size_t i = 0; i < sizeof big; i += 512) CHECK_EQ(big[i], (char)i);
  group_done(arg);
}

static int large_stacks(void *arg) {
  (void)arg;
  for (int round = 0; round < 5; round++) {
    group g;
    group_init(&g, 4);
    for (int i = 0; i < 4; i++)
      CHECK_EQ(bw_go_with(&(bw_go_options){.stack_size = 1 << 20}, use_a_lot, &g), 0);
    group_wait(&g);
  }
  return 0;
}
TEST(sched_large_stacks) { test_run(large_stacks, NULL, 2); }

// The main goroutine has room for what C's main() is used to.
static int main_uses_a_lot(void *arg) {
  (void)arg;
  volatile char big[200 << 10];
  for (size_t i = 0; i < sizeof big; i += 512) big[i] = (char)i;
  bw_gosched();
  for (size_t i = 0; i < sizeof big; i += 512) CHECK_EQ(big[i], (char)i);
  return 0;
}
TEST(sched_main_has_a_large_stack) { test_run(main_uses_a_lot, NULL, 1); }

// No memory for a stack: bw_go says so, and everything goes on.
static void nothing(void *arg) { group_done(arg); }

static int no_memory(void *arg) {
  (void)arg;
  group g;
  group_init(&g, 1);
  bw_go_options greedy = {.stack_size = SIZE_MAX / 2 - 4096};
  for (int i = 0; i < 10; i++) CHECK_EQ(bw_go_with(&greedy, nothing, &g), BW_ENOMEM);
  CHECK_EQ(bw_num_goroutine(), 1);
  CHECK_EQ(bw_go(nothing, &g), 0);
  group_wait(&g);
  return 0;
}
TEST(sched_go_without_memory) { test_run(no_memory, NULL, 2); }

static atomic_int parked_at;

static void park_at(void *gate) {
  atomic_fetch_add(&parked_at, 1);
  bw_chan_recv(gate, NULL);
}

// The tops of stacks do not all lie in the same lines of a page, or they would fall into the same
// few sets of the caches.
typedef struct {
  uint64_t lines;
  group started;
  bw_chan *gate;
} spread;

static void mark_line(void *arg) {
  spread *s = arg;
  int local = 0;
  s->lines |= UINT64_C(1) << ((uintptr_t)&local % 4096 / 64);
  group_done(&s->started);
  bw_chan_recv(s->gate, NULL);
}

static int tops_are_spread(void *arg) {
  (void)arg;
  spread s = {.gate = bw_chan_make(0, 0)};
  group_init(&s.started, 64);
  for (int i = 0; i < 64; i++) CHECK_EQ(bw_go(mark_line, &s), 0);
  group_wait(&s.started);
  CHECK(__builtin_popcountll(s.lines) >= 10);
  bw_chan_close(s.gate);
  while (bw_num_goroutine() > 1) bw_gosched();
  bw_chan_release(s.gate);
  return 0;
}
TEST(sched_stack_tops_are_spread) { test_run(tops_are_spread, NULL, 1); }

// Goroutines by the ten thousand, joined and recycled.
static int many(void *arg) {
  (void)arg;
  int n = test_is_slow_build() ? 300 : 10000;
  for (int round = 0; round < 3; round++) {
    group g;
    group_init(&g, n);
    for (int i = 0; i < n; i++) CHECK_EQ(bw_go(nothing, &g), 0);
    group_wait(&g);
  }
  return 0;
}
TEST(sched_many_goroutines) { test_run(many, NULL, 4); }

// Stacks that nobody wants go back to the system, half of them at a time, and not while they are in
// use.
static int trimmed(void *arg) {
  (void)arg;
  enum { ROUNDS = 40 };
  int n = test_is_slow_build() ? 400 : 2000;
  bw_chan *gate = bw_chan_make(0, 0);
  for (int i = 0; i < n; i++) CHECK_EQ(bw_go(park_at, gate), 0);
  while (bw_num_goroutine() > 1 && atomic_load(&parked_at) < n) bw_gosched();
  int64_t now = bw_now();
  bw_memory_info full = bw_memory_read();
  bw_alloc_stats stats_full, stats_end;
  bw_alloc_stats_read(&stats_full);
  bw_chan_close(gate);
  while (bw_num_goroutine() > 1) bw_gosched();
  CHECK(bw__g_trim_wanted());
  int rounds = 0;
  for (; bw__g_trim_wanted() && rounds < ROUNDS; rounds++) bw__g_trim(now += 2 * BW_SECOND);
  CHECK(rounds > 1 && rounds < ROUNDS);
  bw_memory_info end = bw_memory_read();
  bw_alloc_stats_read(&stats_end);
  if (bw__port_capabilities.maps_stacks)
    CHECK(end.resident_bytes + (uint64_t)n * 4096 / 2 < full.resident_bytes);
  else
    CHECK(stats_end.live_bytes + (uint64_t)n * bw_stack_size_default() / 2 < stats_full.live_bytes);
  bw_chan_release(gate);
  return 0;
}
TEST(sched_idle_stacks_go_back) { test_run(trimmed, NULL, 1); }

// Stacks that come from the heap are not written to before they are used, and are taken again.
TEST(sched_stacks_are_taken_untouched) {
  enum { N = 20, MARK = 0x5a };
  if (bw__port_capabilities.maps_stacks) SKIP("what is in a mapped stack goes to the system");
  size_t size = 0, want = bw_stack_size_default();
  unsigned char *first[N], *again[N];
  int same = 0;
  for (int i = 0; i < N; i++) {
    CHECK((first[i] = bw__stack_alloc(want, &size)));
    CHECK(size >= want && ((uintptr_t)first[i] + size) % 4096 == 0);
    memset(first[i], MARK, size);
  }
  for (int i = 0; i < N; i++) bw__stack_free(first[i], size);
  for (int i = 0; i < N; i++) CHECK((again[i] = bw__stack_alloc(want, &size)));
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) {
      if (again[i] != first[j]) continue;
      for (size_t at = 0; at < size; at++) CHECK_EQ(again[i][at], MARK);
      same++;
    }
  CHECK(same > 0);
  for (int i = 0; i < N; i++) bw__stack_free(again[i], size);
}

// Goroutines with stacks of many sizes, all alive at once, each of which writes to most of its own.
enum { SIZES = 12, EACH = 5, LEAST = 4, PAGE = 4096 }; // LEAST: pages, as are the sizes

typedef struct {
  group ended;
  bw_chan *gate;
} crowd;

typedef struct {
  crowd *crowd;
  int pages;
} member;

static __attribute__((noinline)) void fill_and_wait(bw_chan *gate, size_t n) {
  volatile unsigned char *room = __builtin_alloca(n);
  unsigned char seed = (unsigned char)bw_goid();
  for (size_t i = 0; i < n; i++) room[i] = (unsigned char)(seed + i);
  bw_chan_recv(gate, NULL);
  for (size_t i = 0; i < n; i++) CHECK_EQ(room[i], (unsigned char)(seed + i));
}

static void join_crowd(void *arg) {
  member *m = arg;
  fill_and_wait(m->crowd->gate, (size_t)(m->pages - 2) * PAGE);
  group_done(&m->crowd->ended);
}

static void gather(void) {
  crowd c = {.gate = bw_chan_make(0, 0)};
  group_init(&c.ended, SIZES * EACH);
  for (int i = 0; i < SIZES * EACH; i++) {
    member m = {&c, LEAST + i % SIZES};
    bw_go_options o = {.stack_size = (size_t)m.pages * PAGE, .arg_size = sizeof m};
    CHECK_EQ(bw_go_with(&o, join_crowd, &m), 0);
    if (i % 7 == 0) bw_gosched();
  }
  bw_chan_close(c.gate);
  group_wait(&c.ended);
  while (bw_num_goroutine() > 1) bw_gosched();
  bw_chan_release(c.gate);
}

static int mixed_sizes(void *arg) {
  (void)arg;
  bw_alloc_stats one, many;
  gather();
  bw_alloc_stats_read(&one);
  for (int round = 0; round < 5; round++) gather();
  bw_alloc_stats_read(&many);
  CHECK(many.live_bytes < one.live_bytes + (uint64_t)SIZES * EACH * LEAST * PAGE); // all given back
  return 0;
}
TEST(sched_stacks_of_mixed_sizes) {
  if (BW_ASAN) SKIP("AddressSanitizer's frames are larger");
  test_run(mixed_sizes, NULL, 4);
}

// What an ended goroutine used deep down on its stack goes back while its P is idle.
static uintptr_t used_lo;
static size_t used_size;

static void use_deep(void *arg) {
  bw__g *g = bw__g_current();
  char room[40 << 10];
  memset(room, 1, sizeof room);
  CHECK(((volatile char *)room)[0] == 1);
  used_lo = (uintptr_t)bw__g_stack_lo(g);
  used_size = g->stack_all;
  group_done(arg);
}

static size_t used_resident(void) {
  return bw__port_stack_resident((const void *)used_lo, used_size);
}

static int idle_deep(void *arg) {
  (void)arg;
  group g;
  group_init(&g, 1);
  CHECK_EQ(bw_go(use_deep, &g), 0);
  group_wait(&g);
  while (bw_num_goroutine() > 1) bw_gosched();
  CHECK(used_resident() >= 40 << 10);
  while (used_resident() > 8 << 10) bw_sleep(200 * BW_MILLISECOND); // never: the watchdog ends this
  return 0;
}
THREADS_TEST(sched_idle_procs_trim_their_stacks) {
  if (!bw__port_capabilities.maps_stacks)
    SKIP("stacks are blocks of the heap, which have no pages");
  if (BW_ASAN) SKIP("AddressSanitizer's frames may lie elsewhere");
  test_run(idle_deep, NULL, 1);
}
