// Goroutine stacks from the port: what one is, what comes back, what a million would cost.
#include "test.h"

#include "base/atomics.h"
#include "base/rand.h"
#include "port/ctx.h"
#include "port/port.h"

#define SKIP_WITHOUT_STACKS()                                                                      \
  if (!bw__port_capabilities.maps_stacks) SKIP("stacks come from the page heap here")

enum { PAGE = 4096 };

#define KB ((size_t)1024)

static char *map(size_t size, size_t *usable) {
  char *lo = bw__port_stack_map(size, usable);
  CHECK(lo);
  CHECK(*usable >= size);
  CHECK_EQ((uintptr_t)lo % 16, 0);
  CHECK_EQ(*usable % 16, 0);
  CHECK(bw__port_stack_first_use(lo, *usable));
  return lo;
}

TEST(port_stacks_every_size) {
  SKIP_WITHOUT_STACKS();
  for (size_t size = 1; size < (size_t)5 << 20; size += size / 7 + 999) {
    size_t usable;
    char *lo = map(size, &usable);
    CHECK(usable <= size + size / 4 + 2 * (size_t)PAGE);
    memset(lo, 1, usable);
    bw__port_stack_unmap(lo, usable);
  }
  size_t usable;
  CHECK(!bw__port_stack_map(SIZE_MAX - 100, &usable));
  CHECK(!bw__port_stack_map(SIZE_MAX / 2, &usable));
}

// Random sizes, mapped and unmapped at random: nobody else's bytes at either end.
typedef struct {
  char *lo;
  size_t usable;
  uint64_t mark;
} held;

static void hold(held *h, bw__rand *r) {
  static const size_t sizes[] = {4096, 16384, 65536, 65536, 65536, 100000, 1 << 20, 3 << 20};
  h->lo = map(sizes[bw__rand_below(r, 8)], &h->usable);
  h->mark = bw__rand_next(r);
  CHECK(bw__port_stack_resident(h->lo, h->usable) <= PAGE); // the last holder's is given back
  memcpy(h->lo, &h->mark, 8);
  memcpy(h->lo + h->usable - 8, &h->mark, 8);
}

static void let_go(held *h) {
  CHECK(memcmp(h->lo, &h->mark, 8) == 0);
  CHECK(memcmp(h->lo + h->usable - 8, &h->mark, 8) == 0);
  bw__port_stack_unmap(h->lo, h->usable);
  h->lo = NULL;
}

static void hold_and_let_go(uint64_t seed, int steps) {
  enum { MOST = 400 };
  held *all = calloc(MOST, sizeof *all);
  bw__rand r = {seed};
  CHECK(all);
  for (int i = 0; i < steps; i++) {
    held *h = &all[bw__rand_below(&r, i / (steps / 4) % 2 ? 20 : MOST)]; // many, few, many, few
    if (h->lo)
      let_go(h);
    else
      hold(h, &r);
  }
  for (int i = 0; i < MOST; i++)
    if (all[i].lo) let_go(&all[i]);
  free(all);
}

TEST(port_stacks_model) {
  SKIP_WITHOUT_STACKS();
  hold_and_let_go(1, test_is_slow_build() ? 1000 : 6000);
}

static void churn(void *arg) {
  hold_and_let_go((uint64_t)(uintptr_t)arg, test_is_slow_build() ? 500 : 3000);
}

THREADS_TEST(port_stacks_threads) {
  SKIP_WITHOUT_STACKS();
  bw__port_thread threads[4];
  for (uintptr_t i = 0; i < 4; i++)
    CHECK_EQ(bw__port_thread_start(&threads[i], churn, (void *)(i + 2)), 0);
  for (int i = 0; i < 4; i++) bw__port_thread_join(&threads[i]);
}

// ---- guards -------------------------------------------------------------------------------------

static volatile uintptr_t guarded_lo; // read by a signal handler

static void note_fault(uintptr_t address, uintptr_t sp) {
  if (address >= guarded_lo || address < guarded_lo - PAGE || sp == 0) return;
  static const char text[] = "the guard was hit\n";
  bw__port_write(2, text, sizeof text - 1);
  bw__port_exit(3);
}

static void ignore_fault(uintptr_t address, uintptr_t sp) {
  (void)address;
  (void)sp;
}

// Touches one byte below a stack with neighbours, after the first, the last or a used one of many.
static void hit_guard(int which, size_t size, bool reused) {
  enum { MOST = 300 };
  char *all[MOST];
  size_t usable = 0;
  for (int i = 0; i < MOST; i++) all[i] = map(size, &usable);
  char *lo = all[which];
  memset(lo, 1, usable);
  bw__port_stack_trim(lo, usable);
  if (reused) {
    bw__port_stack_unmap(lo, usable);
    lo = map(size, &usable);
  }
  bw__port_at_fault(ignore_fault);
  bw__port_at_fault(note_fault);
  guarded_lo = (uintptr_t)lo;
  *(volatile char *)(lo - 1) = 1;
}

DEATH_TEST(port_stacks_guard, 3, "the guard was hit") {
  SKIP_WITHOUT_STACKS();
  hit_guard(0, 64 * KB, false);
}

DEATH_TEST(port_stacks_guard_of_a_later_one, 3, "the guard was hit") {
  SKIP_WITHOUT_STACKS();
  hit_guard(299, 64 * KB, false);
}

DEATH_TEST(port_stacks_guard_survives_reuse, 3, "the guard was hit") {
  SKIP_WITHOUT_STACKS();
  hit_guard(77, 16 * KB, true);
}

DEATH_TEST(port_stacks_guard_of_a_large_one, 3, "the guard was hit") {
  SKIP_WITHOUT_STACKS();
  hit_guard(5, 3 << 20, false);
}

// ---- memory -------------------------------------------------------------------------------------

TEST(port_stacks_trim) {
  SKIP_WITHOUT_STACKS();
  size_t usable, size = 256 * KB;
  char *lo = map(size, &usable);
  CHECK(bw__port_stack_resident(lo, usable) <= PAGE);
  memset(lo, 7, usable);
  CHECK_EQ(bw__port_stack_resident(lo, usable), usable);
  bw__port_stack_trim(lo + 100, usable / 2); // from the second page to the middle's
  CHECK_EQ(bw__port_stack_resident(lo, usable), usable / 2 + PAGE);
  CHECK_EQ(bw__port_stack_resident(lo + PAGE, usable / 2 - PAGE), 0);
  CHECK_EQ(lo[100], 7);
  CHECK_EQ(lo[PAGE - 1], 7);
  CHECK_EQ(lo[PAGE], 0);
  CHECK_EQ(lo[usable / 2 - 1], 0);
  CHECK_EQ(lo[usable / 2], 7);
  bw__port_stack_trim(lo + 1, PAGE - 2); // no page lies wholly inside
  CHECK_EQ(lo[100], 7);
  memset(lo, 8, usable);
  bw__port_stack_unmap(lo, usable);
}

// Address space comes back when stacks do, but for a reserve.
TEST(port_stacks_addresses_come_back) {
  SKIP_WITHOUT_STACKS();
  enum { MOST = 2000 };
  static char *all[MOST];
  size_t usable = 0;
  uint64_t before = bw__port_mem_read().virtual_bytes;
  for (int i = 0; i < MOST; i++) all[i] = map(64 * KB, &usable);
  CHECK(bw__port_mem_read().virtual_bytes - before >= MOST * KB * 64);
  for (int i = 0; i < MOST; i++) bw__port_stack_unmap(all[i], usable);
  CHECK(bw__port_mem_read().virtual_bytes - before <= (uint64_t)32 << 20);
}

#if !BW_WASM
// Kilobytes, from /proc/self/status.
static long status_kb(const char *key) {
  char line[256];
  long kb = -1;
  FILE *f = fopen("/proc/self/status", "r");
  CHECK(f);
  while (fgets(line, sizeof line, f))
    if (strncmp(line, key, strlen(key)) == 0) kb = atol(line + strlen(key));
  fclose(f);
  CHECK(kb >= 0);
  return kb;
}

static long memory_kb(void) { return status_kb("VmRSS:") + status_kb("VmPTE:"); }

// A page each and little for the page tables, before as after.
TEST(port_stacks_memory_of_many) {
  enum { MOST = 20000 };
  static char *all[MOST];
  size_t usable = 0;
  if (BW_ASAN || BW_TSAN) SKIP("sanitizers have memory of their own for each page");
  memset(all, 1, sizeof all);
  long before = memory_kb();
  for (int i = 0; i < MOST; i++) {
    all[i] = map(64 * KB, &usable);
    all[i][usable - 100] = 1;
  }
  double each = (double)(memory_kb() - before) * 1024 / MOST;
  printf("%.0f bytes a stack\n", each);
  CHECK(each <= 4400);
  for (int i = 0; i < MOST; i++) bw__port_stack_unmap(all[i], usable);
  CHECK(memory_kb() - before <= 2000); // of 80,000
}

// ---- contexts on them ---------------------------------------------------------------------------

static BW_NOINLINE void use_bytes(size_t n) {
  volatile char frame[24 * KB];
  for (size_t i = 0; i < n; i += 64) frame[sizeof frame - 1 - i] = 1;
}

static void use_and_suspend(void *c) {
  use_bytes(24 * KB);
  bw__ctx_suspend(c);
}

TEST(port_stacks_used_by_context) {
  bw__ctx c;
  size_t usable;
  char *lo = map(64 * KB, &usable);
  void *fiber = bw__ctx_fiber_make();
  bw__ctx_make(&c, lo, usable, use_and_suspend, &c, fiber);
  CHECK(bw__ctx_resume(&c));
  CHECK(bw__ctx_used(&c) >= (BW_DEBUG ? 24 * KB : 64));
  CHECK(bw__ctx_used(&c) <= usable);
  CHECK_EQ(bw__ctx_headroom(&c) > 0, true);
  CHECK(!bw__ctx_resume(&c)); // returned by itself
  bw__ctx_fiber_free(fiber);
  bw__port_stack_unmap(lo, usable);
}
#endif

// Memory that is locked takes no guard regions: stacks that are handed out before, and used after
// that is found out, have a guard all the same.
#if !BW_WASM
#include <sys/mman.h>
#include <unistd.h>

static bool is_guarded(const char *lo) {
  int ends[2];
  CHECK_EQ(pipe(ends), 0);
  bool guarded = write(ends[1], lo - 1, 1) < 0; // the kernel's look at the byte below: EFAULT
  close(ends[0]);
  close(ends[1]);
  return guarded;
}

TEST(port_stacks_guarded_though_memory_gets_locked) {
  SKIP_WITHOUT_STACKS();
  enum { N = 60 };
  char *lo[N];
  size_t usable;
  for (int i = 0; i < N; i++) CHECK((lo[i] = bw__port_stack_map(64 * KB, &usable)));
  CHECK(bw__port_stack_first_use(lo[0], usable));
  if (mlockall(MCL_CURRENT | MCL_ONFAULT) != 0) SKIP("memory cannot be locked here");
  for (int i = 0; i < N; i++) {
    CHECK(bw__port_stack_first_use(lo[i], usable));
    CHECK(is_guarded(lo[i]));
  }
  munlockall();
  for (int i = 0; i < N; i++) bw__port_stack_unmap(lo[i], usable);
}
#endif
