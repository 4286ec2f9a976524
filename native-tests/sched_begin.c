// The beginning of a goroutine: which stack it runs on, what a start touches, and goroutines that
// never begin.
#include "chan_util.h"

#include "base/rand.h"
#include "port/port.h"
#include "sched/sched.h"
#include "sched/stack.h"

// How much memory is in use: the allocator's, and natively what stacks are mapped.
static uint64_t live_bytes(void) {
  bw_alloc_stats stats;
  bw_alloc_stats_read(&stats);
  return stats.live_bytes;
}

static uint64_t resident_bytes(void) { return bw__port_mem_read().resident_bytes; }

// The running goroutine's stack, after a look at whether it is really on it.
static char *own_stack(void) {
  bw__g *g = bw__g_current();
  char local, *lo = bw__g_stack_lo(g);
  if (!BW_ASAN) CHECK(&local > lo && &local < (char *)g->ctx); // (it may keep locals elsewhere)
  CHECK((char *)g->ctx < lo + g->stack_all);
  CHECK(g->ctx->lo == lo);
  return lo;
}

// ---- a burst ------------------------------------------------------------------------------------

enum { STACKS_MOST = 64 };

typedef struct {
  group all;
  char *stacks[STACKS_MOST]; // that were run on
  int count;
} burst;

static void note_stack(void *arg) {
  burst *b = arg;
  char *lo = own_stack();
  int i = 0;
  while (i < b->count && b->stacks[i] != lo) i++;
  CHECK(i < STACKS_MOST);
  b->stacks[i] = lo;
  if (i == b->count) b->count++;
  group_done(&b->all);
}

// However many goroutines are started before the first of them runs: they run on few stacks, and
// the others are never touched.
static int run_burst(void *arg) {
  (void)arg;
  int n = test_is_slow_build() ? 300 : BW_WASM ? 2000 : 10000;
  uint64_t before = resident_bytes();
  burst b = {.count = 0};
  group_init(&b.all, n);
  for (int i = 0; i < n; i++) CHECK_EQ(bw_go(note_stack, &b), 0);
  group_wait(&b.all);
  CHECK(b.count <= 4);
  if (bw__port_capabilities.maps_stacks && !test_is_slow_build())
    CHECK(resident_bytes() - before < (uint64_t)n * 1024); // a page each would be four times that
  return 0;
}
TEST(sched_burst_runs_on_few_stacks) { test_run(run_burst, NULL, 1); }

static void add_one(void *arg) { atomic_fetch_add((atomic_int *)arg, 1); }

// On several Ps, and between goroutines that park: nobody's stack is another's.
typedef struct {
  group all;
  bw_chan *gate;
  atomic_int ran;
} crowd;

static BW_NOINLINE void check_mine(crowd *c, uint64_t seed, int turns) {
  volatile uint64_t mine[40];
  for (int i = 0; i < 40; i++) mine[i] = seed + (uint64_t)i;
  char *lo = own_stack();
  for (int t = 0; t < turns; t++) {
    if (t % 2)
      bw_gosched();
    else
      CHECK(bw_chan_recv(c->gate, NULL));
    CHECK(own_stack() == lo);
    for (int i = 0; i < 40; i++) CHECK(mine[i] == seed + (uint64_t)i);
  }
}

static void parks(void *arg) {
  crowd *c = arg;
  check_mine(c, bw_goid() << 8, 4);
  group_done(&c->all);
}

static void ends_at_once(void *arg) {
  crowd *c = arg;
  check_mine(c, bw_goid() << 8, 0);
  group_done(&c->all);
}

static void wants_much(void *arg) {
  crowd *c = arg;
  CHECK(bw__g_current()->stack_all >= 3 * bw_stack_size_default());
  check_mine(c, bw_goid() << 8, 2);
  group_done(&c->all);
}

typedef struct {
  crowd *c;
  uint64_t id;
  unsigned char bytes[1000]; // so many, or fewer
} copied;

static void has_copy(void *arg) {
  copied *mine = arg;
  CHECK_EQ((uintptr_t)arg % 16, 0);
  CHECK((char *)arg > own_stack() && (char *)arg < (char *)bw__g_current()->ctx);
  check_mine(mine->c, mine->id, mine->id % 3 ? 0 : 2);
  for (size_t i = 0; i < mine->id % sizeof mine->bytes; i++)
    CHECK_EQ(mine->bytes[i], (unsigned char)(mine->id + i));
  group_done(&mine->c->all);
}

static void start_copy(crowd *c, uint64_t id) {
  copied mine = {c, id, {0}};
  size_t n = id % sizeof mine.bytes;
  for (size_t i = 0; i < n; i++) mine.bytes[i] = (unsigned char)(id + i);
  bw_go_options options = {.arg_size = offsetof(copied, bytes) + n, .name = "copied"};
  CHECK_EQ(bw_go_with(&options, has_copy, &mine), 0);
  memset(&mine, 0xee, sizeof mine);
}

static void open_gate(void *arg) {
  crowd *c = arg;
  while (atomic_load(&c->all.left) > 1) {
    bw_chan_try_send(c->gate, NULL);
    bw_gosched();
  }
  group_done(&c->all);
}

static int mixed(void *arg) {
  (void)arg;
  static void (*const plain[])(void *) = {parks, ends_at_once, ends_at_once};
  int n = test_is_slow_build() ? 200 : BW_WASM ? 600 : 3000;
  crowd c = {.gate = bw_chan_make(0, 0)};
  bw__rand r = {7};
  group_init(&c.all, n + 1);
  CHECK_EQ(bw_go(open_gate, &c), 0);
  for (int i = 0; i < n; i++) {
    uint64_t kind = bw__rand_below(&r, 8);
    bw_go_options large = {.stack_size = 3 * bw_stack_size_default()};
    if (kind == 0)
      CHECK_EQ(bw_go_with(&large, wants_much, &c), 0);
    else if (kind < 3)
      start_copy(&c, bw__rand_next(&r) >> 32);
    else
      CHECK_EQ(bw_go(plain[kind % 3], &c), 0);
    if (bw__rand_below(&r, 64) == 0) bw_gosched();
  }
  group_wait(&c.all);
  bw_chan_release(c.gate);
  return 0;
}
TEST(sched_stacks_are_not_mixed_up) { test_run(mixed, NULL, 1); }
THREADS_TEST(sched_stacks_are_not_mixed_up_on_threads) { test_run(mixed, NULL, 4); }

// ---- never begun --------------------------------------------------------------------------------

static void must_not_run(void *arg) {
  (void)arg;
  CHECK(false);
}

// Main returns while they wait for their first turn: all that they have is given back.
static int leave_them(void *arg) {
  int n = test_is_slow_build() ? 100 : 500, *left = arg;
  bw_go_options named = {.name = "named", .arg_size = sizeof n};
  bw_go_options large = {.stack_size = 3 * bw_stack_size_default()};
  for (int i = 0; i < n; i++) {
    CHECK_EQ(bw_go(must_not_run, NULL), 0);
    if (i % 10 == 0) CHECK_EQ(bw_go_with(&named, must_not_run, &n), 0);
    if (i % 10 == 1) CHECK_EQ(bw_go_with(&large, must_not_run, NULL), 0);
  }
  *left = bw_num_goroutine() - 1;
  return 0;
}

TEST(sched_end_with_goroutines_that_never_ran) {
  int left = 0;
  test_run(leave_them, &left, 1);
  uint64_t live = live_bytes(), space = bw__port_mem_read().virtual_bytes;
  for (int i = 0; i < 3; i++) test_run(leave_them, &left, 1);
  CHECK(left >= 100);
  CHECK_EQ(live_bytes(), live);
  uint64_t tables = BW_TSAN ? 8 : 1; // MB: ThreadSanitizer's own grow; a slab of stacks has 16
  CHECK(bw__port_mem_read().virtual_bytes <= space + (tables << 20));
}

// A dump shows them too, and does not look into stacks that hold nothing yet.
static int dump_them(void *arg) {
  int left;
  leave_them(&left);
  (void)arg;
  bw__fatal("that will do");
}
DEATH_TEST(sched_dump_of_goroutines_that_never_ran, 2, " [runnable]:\n  named fn ") {
  test_run(dump_them, NULL, 1);
}

// ---- no memory ----------------------------------------------------------------------------------

// What bw_go has promised runs, although there is no memory for a stack from now on.
static int refused(void *arg) {
  (void)arg;
  enum { MOST = 200 };
  atomic_int ran = 0;
  int begun = 0;
  for (; begun < 50; begun++) CHECK_EQ(bw_go(add_one, &ran), 0);
  bw__store_relaxed(&bw__stack_refuse, true);
  int code = 0;
  for (; begun < MOST && (code = bw_go(add_one, &ran)) == 0;) begun++;
  CHECK_EQ(code, BW_ENOMEM);
  while (atomic_load(&ran) < begun) bw_gosched();
  settle();
  for (int i = 0; i < 50; i++) CHECK_EQ(bw_go(add_one, &ran), 0); // on what those have left
  while (atomic_load(&ran) < begun + 50) bw_gosched();
  bw__store_relaxed(&bw__stack_refuse, false);
  CHECK_EQ(bw_go(add_one, &ran), 0);
  while (bw_num_goroutine() > 1) bw_gosched();
  CHECK_EQ(atomic_load(&ran), begun + 51);
  return 0;
}
TEST(sched_begun_without_memory) { test_run(refused, NULL, 1); }

// ---- records ------------------------------------------------------------------------------------

static void count_one(bw__g *g, void *count) {
  (void)g;
  ++*(int *)count;
}

static int listed(void) {
  int n = 0;
  CHECK(bw__g_each(count_one, &n));
  return n;
}

static void wait_at(void *gate) { bw_chan_recv(gate, NULL); }

// Records are all found while their goroutines live, and go back when these have ended and nobody
// has wanted their stacks for a while.
static int records(void *arg) {
  (void)arg;
  enum { ROUNDS = 40 };
  int n = test_is_slow_build() ? 400 : 2000, rounds = 0;
  bw_chan *gate = bw_chan_make(0, 0);
  for (int i = 0; i < n; i++) CHECK_EQ(bw_go(wait_at, gate), 0);
  CHECK_EQ(listed(), n + 1);
  settle();
  CHECK_EQ(listed(), n + 1);
  uint64_t full = live_bytes();
  bw_chan_close(gate);
  while (bw_num_goroutine() > 1) bw_gosched();
  CHECK_EQ(listed(), 1);
  int64_t now = bw_now();
  while (bw__g_trim_wanted() && rounds++ < ROUNDS) bw__g_trim(now += 2 * BW_SECOND);
  CHECK(rounds < ROUNDS);
  CHECK(live_bytes() + (uint64_t)n * sizeof(bw__g) / 2 < full);
  for (int i = 0; i < 300; i++) CHECK_EQ(bw_go(wait_at, gate), 0); // which is closed
  CHECK_EQ(listed(), 301);
  while (bw_num_goroutine() > 1) bw_gosched();
  bw_chan_release(gate);
  return 0;
}
TEST(sched_records_come_and_go) { test_run(records, NULL, 1); }
