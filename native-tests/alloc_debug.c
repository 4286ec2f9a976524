// The debug build's allocator (BURROW_ALLOC_DEBUG). In any other build the tests of what it finds
// are skipped.
#include "test.h"

#include "alloc/alloc.h"
#include "base/config.h"
#include "port/port.h"

#define NEEDS_DEBUG_BUILD()                                                                        \
  if (!BW_ALLOC_DEBUG) SKIP("no debug build of the allocator")
#define NEEDS_GUARDS()                                                                             \
  NEEDS_DEBUG_BUILD();                                                                             \
  if (!bw__port_capabilities.protects) SKIP("no guard pages here")

enum { FAULT = 139 }; // SIGSEGV

static void set_options(size_t quarantine_bytes, size_t guard_from, uint32_t guard_one_in) {
  bw_alloc_debug_options o = {quarantine_bytes, guard_from, guard_one_in};
  CHECK_EQ(bw_alloc_debug_set(&o), BW_ALLOC_DEBUG);
}

static void without_guards(void) { set_options(1 << 20, SIZE_MAX, 0); }

static char *volatile p; // so that no compiler sees what happens to it

TEST(alloc_debug_get) {
  bw_alloc_debug_options o;
  CHECK_EQ(bw_alloc_debug_get(&o), BW_ALLOC_DEBUG);
  CHECK_EQ(o.quarantine_bytes, !BW_ALLOC_DEBUG ? 0 : BW_WASM ? 256 << 10 : 4 << 20);
  CHECK_EQ(o.guard_from, BW_ALLOC_DEBUG ? 4096 : 0);
  CHECK_EQ(o.guard_one_in, BW_ALLOC_DEBUG ? 1000 : 0);
  o.guard_one_in = 7;
  CHECK_EQ(bw_alloc_debug_set(&o), BW_ALLOC_DEBUG);
  bw_alloc_debug_get(&o);
  CHECK_EQ(o.guard_one_in, BW_ALLOC_DEBUG ? 7 : 0);
}

TEST(alloc_debug_check_without_damage) {
  CHECK(bw_alloc_check());
  p = bw_malloc(100);
  CHECK(bw_alloc_check_object(p));
  CHECK(bw_alloc_check());
  bw_free(p);
  CHECK(bw_alloc_check());
}

// ---- writing past the end and before the start --------------------------------------------------

#define WRITE_BEYOND(name, size, at, text)                                                         \
  DEATH_TEST(alloc_debug_##name, 2, text) {                                                        \
    NEEDS_DEBUG_BUILD();                                                                           \
    without_guards();                                                                              \
    p = bw_malloc(size);                                                                           \
    p[at] = 0x41;                                                                                  \
    bw_free(p);                                                                                    \
  }

#define PAST(offset)   " was written to past its end: the byte at offset " #offset " is 0x41"
#define BEFORE(offset) " was written to before its start: the byte at offset " #offset " is 0x41"

WRITE_BEYOND(past_0, 0, 0, " (0 bytes")
WRITE_BEYOND(past_1, 1, 1, PAST(1))
WRITE_BEYOND(past_8, 8, 8, PAST(8))
WRITE_BEYOND(past_100, 100, 100, PAST(100))
WRITE_BEYOND(past_100_by_4, 100, 103, PAST(103))
WRITE_BEYOND(past_1000, 1000, 1000, PAST(1000))
WRITE_BEYOND(past_20000, 20000, 20000, PAST(20000))
WRITE_BEYOND(past_100000, 100000, 100000, PAST(100000))
WRITE_BEYOND(past_names_the_size, 100, 100, " (100 bytes")
WRITE_BEYOND(past_names_the_finder, 100, 100, " (found by bw_free)")
WRITE_BEYOND(before_1, 1, -1, BEFORE(-1))
WRITE_BEYOND(before_100, 100, -16, BEFORE(-16))
WRITE_BEYOND(before_100000, 100000, -1, BEFORE(-1))

DEATH_TEST(alloc_debug_past_calloc, 2, PAST(48)) {
  NEEDS_DEBUG_BUILD();
  without_guards();
  p = bw_calloc(6, 8);
  p[48] = 0x41;
  bw_free(p);
}

DEATH_TEST(alloc_debug_past_aligned, 2, PAST(100)) {
  NEEDS_DEBUG_BUILD();
  without_guards();
  p = bw_aligned_alloc(4096, 100);
  p[100] = 0x41;
  bw_free(p);
}

DEATH_TEST(alloc_debug_before_aligned, 2, BEFORE(-1)) {
  NEEDS_DEBUG_BUILD();
  without_guards();
  p = bw_aligned_alloc(4096, 100);
  p[-1] = 0x41;
  bw_free(p);
}

DEATH_TEST(alloc_debug_past_seen_by_realloc, 2, "(found by bw_realloc)") {
  NEEDS_DEBUG_BUILD();
  without_guards();
  p = bw_malloc(100);
  p[100] = 0x41;
  p = bw_realloc(p, 200);
}

DEATH_TEST(alloc_debug_past_seen_by_usable_size, 2, "(found by bw_malloc_usable_size)") {
  NEEDS_DEBUG_BUILD();
  without_guards();
  p = bw_malloc(100);
  p[100] = 0x41;
  (void)bw_malloc_usable_size(p);
}

// A slack of a few bytes is between a guarded object's end and its guard.
DEATH_TEST(alloc_debug_past_into_the_slack, 2, PAST(5001)) {
  NEEDS_GUARDS();
  p = bw_malloc(5001);
  p[5001] = 0x41;
  bw_free(p);
}

DEATH_TEST(alloc_debug_check_sees_past, 0, PAST(100)) {
  NEEDS_DEBUG_BUILD();
  without_guards();
  p = bw_malloc(100);
  p[100] = 0x41;
  CHECK(!bw_alloc_check());
  CHECK(!bw_alloc_check_object(p));
  p[100] = (char)0xfb;
  CHECK(bw_alloc_check());
  bw_free(p);
}

DEATH_TEST(alloc_debug_check_sees_after_free, 0, "was written to after it was freed") {
  NEEDS_DEBUG_BUILD();
  without_guards();
  p = bw_malloc(100);
  bw_free(p);
  CHECK(!bw_alloc_check_object(p));
  CHECK(bw_alloc_check());
  p[50] = 0x41;
  CHECK(!bw_alloc_check());
  p[50] = (char)0xdd;
}

DEATH_TEST(alloc_debug_check_object_of_none, 0, " is no object in use") {
  NEEDS_DEBUG_BUILD();
  CHECK(!bw_alloc_check_object((char *)bw_malloc(100) + 8));
}

// ---- after free --------------------------------------------------------------------------------

static void churn(void) {
  for (int i = 0; i < 3000; i++) bw_free(bw_malloc(1000));
}

DEATH_TEST(alloc_debug_write_after_free, 2,
           " was written to after it was freed: the byte at offset 77 is 0x41 (found by bw_free)") {
  NEEDS_DEBUG_BUILD();
  without_guards();
  p = bw_malloc(100);
  bw_free(p);
  p[77] = 0x41;
  churn();
}

DEATH_TEST(alloc_debug_write_after_free_seen_by_release, 2, "(found by bw_alloc_release)") {
  NEEDS_DEBUG_BUILD();
  without_guards();
  p = bw_malloc(100000);
  bw_free(p);
  p[99999] = 0x41;
  bw_alloc_release();
}

DEATH_TEST(alloc_debug_double_free, 2, BW_WASM ? " (100 bytes)" : ", freed by 0x") {
  NEEDS_DEBUG_BUILD();
  without_guards();
  p = bw_malloc(100);
  bw_free(p);
  bw_free(p);
}

DEATH_TEST(alloc_debug_double_free_of_huge, 2, "bw_free: double free of 0x") {
  NEEDS_DEBUG_BUILD();
  p = bw_malloc(20 << 20); // longer than the quarantine
  bw_free(p);
  bw_free(p);
}

DEATH_TEST(alloc_debug_double_free_after_quarantine, 2,
           "bw_free: double free or wild pointer: 0x") {
  NEEDS_DEBUG_BUILD();
  without_guards();
  p = bw_malloc(100);
  (void)bw_malloc(100);
  bw_free(p);
  bw_alloc_release();
  bw_free(p);
}

DEATH_TEST(alloc_debug_free_before_start, 2, " points 16 bytes before object 0x") {
  NEEDS_DEBUG_BUILD();
  without_guards();
  p = bw_malloc(100);
  bw_free(p - 16);
}

DEATH_TEST(alloc_debug_realloc_moved, 2, "bw_free: double free of 0x") {
  NEEDS_DEBUG_BUILD();
  char *volatile old = bw_malloc(100);
  p = bw_realloc(old, 101);
  bw_free(old);
}

DEATH_TEST(alloc_debug_free_sized_is_exact, 2, " is freed as 101 bytes, but is object 0x") {
  NEEDS_DEBUG_BUILD();
  bw_free_sized(bw_malloc(100), 101);
}

// ---- guard pages -------------------------------------------------------------------------------

DEATH_TEST(alloc_debug_guard_write, FAULT, "fatal error: access past the end of 0x") {
  NEEDS_GUARDS();
  p = bw_malloc(8000);
  p[8000] = 1;
}

DEATH_TEST(alloc_debug_guard_read_far, FAULT, ", at offset 104095") {
  NEEDS_GUARDS();
  p = bw_malloc(100000);
  p[0] = p[100000 + 4095];
}

DEATH_TEST(alloc_debug_guard_after_free, FAULT, "fatal error: access after free to 0x") {
  NEEDS_GUARDS();
  p = bw_calloc(1, 8000);
  bw_free(p);
  p[0] = p[17];
}

DEATH_TEST(alloc_debug_guard_sampled, FAULT, " (48 bytes") {
  NEEDS_GUARDS();
  set_options(4 << 20, 4096, 1);
  p = bw_malloc(48);
  p[48] = 1;
}

DEATH_TEST(alloc_debug_guard_sampled_default, FAULT, "fatal error: access past the end of 0x") {
  NEEDS_GUARDS();
  for (int i = 0; i < 1000; i++) {
    p = bw_malloc(48);
    p[48] = 1;
  }
}

static int write_past_in_goroutine(void *arg) {
  (void)arg;
  p = bw_malloc(8000);
  p[8000] = 1;
  return 0;
}

DEATH_TEST(alloc_debug_guard_in_goroutine, FAULT, "fatal error: access past the end of 0x") {
  NEEDS_GUARDS();
  test_run(write_past_in_goroutine, NULL, 2);
}

// More than may be guarded: the rest is not.
TEST(alloc_debug_guard_many) {
  static char *many[4500];
  set_options(64 << 10, 4096, 1);
  for (int i = 0; i < 4500; i++) {
    many[i] = bw_malloc(64);
    memset(many[i], i, 64);
  }
  for (int i = 0; i < 4500; i++) {
    CHECK_EQ(many[i][63], (char)i);
    bw_free(many[i]);
  }
  CHECK(bw_alloc_check());
  bw_alloc_release(); // all that was protected can be used again
  for (int i = 0; i < 300; i++) bw_free(bw_calloc(1, 9000));
}

// ---- what still holds --------------------------------------------------------------------------

TEST(alloc_debug_patterns) {
  NEEDS_DEBUG_BUILD();
  without_guards();
  p = bw_malloc(1000);
  for (int i = 0; i < 1000; i++) CHECK_EQ((unsigned char)p[i], 0xcd);
  bw_free(p);
  for (int i = 0; i < 1000; i++) CHECK_EQ((unsigned char)p[i], 0xdd);
}

static void check_object(char *o, size_t align, size_t size) {
  CHECK(o);
  CHECK_EQ((uintptr_t)o % align, 0);
  CHECK(bw_malloc_usable_size(o) >= size);
  if (BW_ALLOC_DEBUG) CHECK_EQ(bw_malloc_usable_size(o), size);
  memset(o, (int)size, size);
}

static void check_all_sizes(size_t guard_from) {
  size_t step = test_is_slow_build() ? 37 : 1;
  for (size_t size = 0; size <= 40000; size += size < guard_from ? step : 37) {
    p = bw_malloc(size);
    check_object(p, size > 8 ? 16 : 8, size);
    bw_free_sized(p, size);
  }
  CHECK(bw_alloc_check());
}

TEST(alloc_debug_all_sizes) {
  without_guards();
  check_all_sizes(SIZE_MAX);
}

TEST(alloc_debug_all_sizes_guarded) {
  set_options(64 << 10, 4096, 20);
  check_all_sizes(4096);
}

TEST(alloc_debug_alignments) {
  for (uint32_t one_in = 0; one_in < 2; one_in++) {
    set_options(64 << 10, 4096, one_in);
    for (size_t align = 1; align <= 1 << 20; align *= 2) {
      for (size_t size = 0; size < 20000; size += 1 + size / 3) {
        p = bw_aligned_alloc(align, size);
        check_object(p, align, size);
        bw_free_aligned_sized(p, align, size);
      }
    }
  }
  CHECK(bw_alloc_check());
}

TEST(alloc_debug_calloc) {
  for (size_t size = 1; size < 3000000; size = size * 3 + 1) {
    for (int again = 0; again < 3; again++) {
      p = bw_calloc(1, size);
      for (size_t i = 0; i < size; i++) CHECK_EQ(p[i], 0);
      memset(p, 1, size);
      bw_free(p);
    }
  }
  CHECK(!bw_calloc(SIZE_MAX / 2, 3));
  CHECK(!bw_malloc(SIZE_MAX - 40));
  CHECK(!bw_aligned_alloc((SIZE_MAX >> 1) + 1, SIZE_MAX / 2));
}

TEST(alloc_debug_realloc) {
  size_t size = 1;
  p = bw_malloc(size);
  p[0] = 0;
  for (int i = 0; i < 400; i++) {
    size_t next = i % 3 == 2 ? size / 2 + 1 : size + (size_t)(i % 50) * 97 + 1;
    p = bw_realloc(p, next);
    for (size_t k = 0; k < next && k < size; k++) CHECK_EQ(p[k], (char)(k * 7));
    for (size_t k = size; k < next; k++) p[k] = (char)(k * 7);
    size = next;
  }
  CHECK(!bw_realloc(p, SIZE_MAX / 2)); // p is as it was
  CHECK(bw_malloc_usable_size(p) >= size);
  CHECK(!bw_realloc(p, 0));
  CHECK(bw_alloc_check());
}

TEST(alloc_debug_before_tls) {
  p = bw__alloc_before_tls(16, 100);
  memset(p, 1, 100);
  CHECK(bw_alloc_check_object(p));
  CHECK(bw_malloc_usable_size(p) >= 100);
  p = bw_realloc(p, 1000);
  CHECK_EQ(p[99], 1);
  bw_free(p);
  bw_free(bw__alloc_before_tls(64, 100000));
}

TEST(alloc_debug_round8) {
  for (size_t size = 1; size < 3000; size++) {
    char *o = bw__alloc8(size);
    memset(o, 1, bw__alloc_round8(size));
    bw_free(o);
  }
}

TEST(alloc_debug_stats) {
  bw_alloc_stats before, after;
  bw_free(bw_malloc(100));
  bw_alloc_stats_read(&before);
  p = bw_malloc(100);
  char *large = bw_malloc(100000);
  bw_free(p);
  bw_free(large);
  bw_alloc_stats_read(&after);
  CHECK_EQ(after.mallocs - before.mallocs, 2);
  CHECK_EQ(after.frees - before.frees, 2);
  CHECK_EQ(after.live_bytes, before.live_bytes);
  CHECK_EQ(after.large_bytes, before.large_bytes);
}

// ---- threads -----------------------------------------------------------------------------------

enum { THREADS = 4, SLOTS = 64 };

// Each thread swaps objects with what another left in the slot, so most are freed by others.
static _Atomic(uintptr_t) slots[SLOTS];

static void work(void *arg) {
  uintptr_t number = (uintptr_t)arg;
  int rounds = BW_WASM || test_is_slow_build() ? 5000 : 50000;
  for (int i = 0; i < rounds; i++) {
    size_t size = (size_t)i * 7919 % (i % 100 ? 500 : 9000);
    char *mine = i % 2 ? bw_malloc(size) : bw_calloc(1, size);
    memset(mine, (int)number, size);
    bw_free((void *)bw__swap(&slots[((uintptr_t)i + number * 5) % SLOTS], (uintptr_t)mine));
    if (i % 5000 == 0) CHECK(bw_alloc_check());
  }
}

THREADS_TEST(alloc_debug_threads) {
  bw__port_thread threads[THREADS];
  set_options(64 << 10, 4096, 100);
  for (uintptr_t i = 0; i < THREADS; i++)
    CHECK_EQ(bw__port_thread_start(&threads[i], work, (void *)i), 0);
  for (int i = 0; i < THREADS; i++) bw__port_thread_join(&threads[i]);
  for (int i = 0; i < SLOTS; i++) bw_free((void *)slots[i]);
  CHECK(bw_alloc_check());
}
