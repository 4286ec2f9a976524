// Goroutine stacks: deep use, printf, sizes to choose, migration with live frames, no memory.
#include "chan_util.h"

#include "base/atomics.h"
#include "port/port.h"

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
