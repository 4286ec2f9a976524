// Stack overflow: the goroutine, its limit, where it was, and a fatal error with the dump.
#include "chan_util.h"

#include "base/atomics.h"
#include "port/port.h"
#include "sched/sched.h"

#if !BW_WASM
#include <signal.h>
#endif

#if BW_WASM
#define SKIP_ON_WASM() SKIP("found late on wasm, or not at all")
#else
#define SKIP_ON_WASM() ((void)0)
#endif

#define LIMIT "runtime: goroutine stack exceeds "
#define FATAL "]\nfatal error: stack overflow\n"

// ---- ways to use up a stack ---------------------------------------------------------------------

static int dig(int depth);
static int (*volatile dig_on)(int depth) = dig; // or the compiler makes a loop of it

static int dig(int depth) {
  volatile char frame[40];
  frame[depth % 40] = (char)depth;
  return depth == 0 ? 0 : dig_on(depth - 1) + frame[depth % 40];
}

static void dig_deep(void *arg) {
  dig_on(1 << 28);
  group_done(arg);
}

// With frames of some size: ThreadSanitizer counts to 65,535 of them.
static int dig_wide(int depth);
static int (*volatile dig_wide_on)(int depth) = dig_wide;

static int dig_wide(int depth) {
  volatile char frame[2000];
  frame[depth % 2000] = (char)depth;
  return depth == 0 ? 0 : dig_wide_on(depth - 1) + frame[depth % 2000];
}

static void dig_wide_and_deep(void *arg) {
  dig_wide_on(1 << 28);
  group_done(arg);
}

// The frame is larger than the guard and than the whole stack.
static BW_NOINLINE int use_huge_frame(void) {
  volatile char frame[400 << 10];
  for (size_t i = 0; i < sizeof frame; i += 64) frame[i] = 1;
  return frame[sizeof frame / 2];
}

static void huge_frame(void *arg) {
  use_huge_frame();
  group_done(arg);
}

static int run_one(void (*fn)(void *), const bw_go_options *options) {
  group g;
  group_init(&g, 1);
  CHECK_EQ(bw_go_with(options, fn, &g), 0);
  group_wait(&g);
  return 0;
}

// ---- tests --------------------------------------------------------------------------------------

static int small_frames(void *arg) {
  (void)arg;
  return run_one(dig_deep, NULL);
}
DEATH_TEST(sched_b68_overflow_small_frames, 2, FATAL) {
  SKIP_ON_WASM();
  test_run(small_frames, NULL, 1);
}
DEATH_TEST(sched_b68_overflow_dumps_the_others, 2, "goroutine 1 [chan receive]:\n  main") {
  SKIP_ON_WASM();
  test_run(small_frames, NULL, 1); // so that main waits before the other runs
}

// On its way to another goroutine, directly: the stack that overflows is that of one which does not
// run any more by the books. Pads put the end of the stack at different places of that way.
static bw_chan *endless;
static int pad;

static void send_for_ever(void *arg) {
  (void)arg;
  for (int v = 1;;) bw_chan_send(endless, &v);
}

static int receive_on(int depth);
static int (*volatile receive_deeper)(int depth) = receive_on;

static int receive_on(int depth) {
  int v = 0;
  bw_chan_recv(endless, &v);
  return receive_deeper(depth + v) + v;
}

static void receive_deep(void *arg) {
  volatile char room[pad + 16];
  room[pad] = 1;
  receive_deeper(room[pad]);
  group_done(arg);
}

static int receiving(void *arg) {
  (void)arg;
  endless = bw_chan_make(sizeof(int), 0);
  CHECK_EQ(bw_go(send_for_ever, NULL), 0);
  return run_one(receive_deep, &(bw_go_options){.name = "receiver"});
}
#define OVERFLOW_ON_THE_WAY(n)                                                                     \
  DEATH_TEST(sched_b68_overflow_on_the_way_##n, 2, "receiver\n") {                                 \
    SKIP_ON_WASM();                                                                                \
    if (BW_TSAN) SKIP("the stack may end inside ThreadSanitizer, which then holds its own locks"); \
    pad = n;                                                                                       \
    test_run(receiving, NULL, 1);                                                                  \
  }
OVERFLOW_ON_THE_WAY(0)
OVERFLOW_ON_THE_WAY(64)
OVERFLOW_ON_THE_WAY(128)
OVERFLOW_ON_THE_WAY(192)
OVERFLOW_ON_THE_WAY(256)
OVERFLOW_ON_THE_WAY(320)

// What the frame may overwrite are stacks of goroutines that do not run any more.
static void wait_for_ever(void *arg) { bw_chan_recv(arg, NULL); }

static int huge_frames(void *arg) {
  (void)arg;
  bw_chan *never = bw_chan_make(0, 0);
  bw_go_options options = {.stack_size = 64 << 10};
  for (int i = 0; i < 30; i++) CHECK_EQ(bw_go_with(&options, wait_for_ever, never), 0);
  bw_gosched();
  return run_one(huge_frame, &options);
}
DEATH_TEST(sched_b68_overflow_huge_frame, 2, FATAL) {
  if (BW_UBSAN) SKIP("it stops the dump at what the frame has overwritten");
  SKIP_ON_WASM();
  if (BW_ASAN) SKIP("AddressSanitizer sees the frame overwrite others before it meets the guard");
  test_run(huge_frames, NULL, 1);
}

static int main_digs(void *arg) {
  (void)arg;
  return dig_on(1 << 28);
}
DEATH_TEST(sched_b68_overflow_of_main, 2,
           LIMIT "1048576-byte limit: goroutine 1 main\nruntime: sp=0x") {
  SKIP_ON_WASM();
  test_run(main_digs, NULL, 1);
}

static int named(void *arg) {
  (void)arg;
  return run_one(dig_deep, &(bw_go_options){.name = "digger", .stack_size = 96 << 10});
}
DEATH_TEST(sched_b68_overflow_of_chosen_size, 2,
           LIMIT "98304-byte limit: goroutine 2 digger\nruntime: sp=0x") {
  SKIP_ON_WASM();
  test_run(named, NULL, 1);
}

static int large(void *arg) {
  (void)arg;
  return run_one(dig_wide_and_deep, &(bw_go_options){.stack_size = 5 << 20});
}
DEATH_TEST(sched_b68_overflow_of_large_stack, 2,
           LIMIT "5242880-byte limit: goroutine 2\nruntime: sp=0x") {
  SKIP_ON_WASM();
  test_run(large, NULL, 1);
}

// On the stack that another has just left, with its own still untouched: bounds and guard are those
// of where it runs.
static char *left_behind;

static void leave(void *arg) {
  left_behind = bw__g_stack_lo(bw__g_current());
  group_done(arg);
}

static void dig_there(void *arg) {
  CHECK(bw__g_stack_lo(bw__g_current()) == left_behind);
  dig_deep(arg);
}

static int swapped(void *arg) {
  (void)arg;
  group g;
  group_init(&g, 2);
  CHECK_EQ(bw_go(dig_there, &g), 0);
  CHECK_EQ(bw_go(leave, &g), 0); // which runs first
  group_wait(&g);
  return 0;
}
DEATH_TEST(sched_b68_overflow_on_a_swapped_stack, 2, "-byte limit: goroutine 2\nruntime: sp=0x") {
  SKIP_ON_WASM();
  test_run(swapped, NULL, 1);
}

static int nothing(void *arg) {
  (void)arg;
  return 0;
}
DEATH_TEST(sched_b68_overflow_in_a_later_run, 2, FATAL) {
  SKIP_ON_WASM();
  for (int i = 0; i < 6; i++) test_run(nothing, NULL, 2);
  test_run(small_frames, NULL, 1);
}

// A goroutine leaves its P by force: it waits for one that, running on the very same P, sends and
// then keeps the P. Tried until the helper happens to run there.
typedef struct {
  bw_chan *wake;
  int proc;
  _Atomic(bool) moved;
} mover;

static void push_away(void *arg) {
  mover *v = arg;
  bool same = bw_proc_index() == v->proc;
  bw_chan_send(v->wake, NULL);
  while (same && !bw__load(&v->moved)) bw__cpu_relax();
}

static void dig_after_migration(void *arg) {
  mover v = {.wake = bw_chan_make(0, 1)};
  do {
    v.proc = bw_proc_index();
    CHECK_EQ(bw_go(push_away, &v), 0);
    CHECK(bw_chan_recv(v.wake, NULL));
  } while (bw_proc_index() == v.proc);
  bw__store(&v.moved, true);
  dig_deep(arg);
}

static int migrate(void *arg) {
  (void)arg;
  return run_one(dig_after_migration, &(bw_go_options){.stack_size = 96 << 10, .name = "mover"});
}
THREADS_DEATH_TEST(sched_b68_overflow_after_migration, 2, " mover\nruntime: sp=0x") {
  SKIP_ON_WASM();
  test_run(migrate, NULL, 2);
}

// The overflow may well be inside malloc, with its locks held.
static int dig_allocating(int depth);
static int (*volatile dig_allocating_on)(int depth) = dig_allocating;

static int dig_allocating(int depth) {
  char *small = bw_malloc(24 + (size_t)depth % 400), *large = bw_malloc(70000);
  CHECK(small && large);
  small[0] = large[0] = 1;
  bw_free(large);
  int below = dig_allocating_on(depth + 1);
  bw_free(small);
  return below + 1;
}

static void dig_deep_allocating(void *arg) {
  dig_allocating_on(0);
  group_done(arg);
}

static int allocating(void *arg) {
  (void)arg;
  return run_one(dig_deep_allocating, NULL);
}
DEATH_TEST(sched_b68_overflow_among_mallocs, 2, FATAL) {
  SKIP_ON_WASM();
  test_run(allocating, NULL, 2);
}

// ---- what is no overflow ------------------------------------------------------------------------

#if !BW_WASM
#define SKIP_WITH_SANITIZERS()                                                                     \
  if (BW_ASAN || BW_TSAN) SKIP("the sanitizer says it in its own way")

static int *volatile null;

// (UndefinedBehaviorSanitizer would see it first.)
__attribute__((no_sanitize("undefined"))) static void read_null(void *arg) {
  CHECK_EQ(*null, 0);
  group_done(arg);
}

static int null_on_goroutine(void *arg) {
  (void)arg;
  return run_one(read_null, NULL);
}
DEATH_TEST(sched_b68_null_still_dies_by_signal, 128 + SIGSEGV, NULL) {
  SKIP_WITH_SANITIZERS();
  test_run(null_on_goroutine, NULL, 1);
}

// A wild pointer into the guard, with the stack hardly used.
static void hit_guard(void *arg) {
  ((volatile char *)bw__g_stack_lo(bw__g_current()))[-8] = 1;
  group_done(arg);
}

static int wild_pointer(void *arg) {
  (void)arg;
  return run_one(hit_guard, NULL);
}
DEATH_TEST(sched_b68_wild_pointer_is_no_overflow, 128 + SIGSEGV, NULL) {
  SKIP_WITH_SANITIZERS();
  test_run(wild_pointer, NULL, 1);
}

// A handler that was there before is asked.
static void own_handler(int signal_number, siginfo_t *info, void *context) {
  (void)info;
  (void)context;
  static const char text[] = "the program's own handler\n";
  bw__port_write(2, text, sizeof text - 1);
  bw__port_exit(signal_number);
}

DEATH_TEST(sched_b68_handler_of_the_program, SIGSEGV, "the program's own handler") {
  struct sigaction own = {.sa_sigaction = own_handler, .sa_flags = SA_SIGINFO};
  CHECK_EQ(sigaction(SIGSEGV, &own, NULL), 0);
  test_run(null_on_goroutine, NULL, 1);
}

// The stack for handlers is the thread's while it runs goroutines, and the program's own stays.
static bool has_handler_stack(void) {
  stack_t now;
  CHECK_EQ(sigaltstack(NULL, &now), 0);
  return !(now.ss_flags & SS_DISABLE);
}

static int check_handler_stack(void *arg) {
  (void)arg;
  CHECK(has_handler_stack());
  return 0;
}

TEST(sched_b68_handler_stack) {
  if (has_handler_stack()) SKIP("the sanitizer gives each thread one");
  test_run(check_handler_stack, NULL, 1);
  CHECK(!has_handler_stack());
  static char own[1 << 16];
  stack_t mine = {.ss_sp = own, .ss_size = sizeof own}, now;
  CHECK_EQ(sigaltstack(&mine, NULL), 0);
  test_run(check_handler_stack, NULL, 1);
  CHECK_EQ(sigaltstack(NULL, &now), 0);
  CHECK(now.ss_sp == own);
}
#endif
