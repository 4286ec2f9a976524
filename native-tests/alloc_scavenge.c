// When idle pages go back to the system, and the soft limit.
#include "test.h"

#include "alloc/freespans.h"
#include "alloc/pageheap.h"
#include "alloc/scavenge.h"
#include "port/port.h"

#define MB ((size_t)1 << 20)

enum { NEVER = -1 };

static uint64_t released(void) {
  bw_alloc_stats s;
  bw_alloc_stats_read(&s);
  CHECK(bw__pageheap_valid());
  return s.released_bytes;
}

// Has `n` MB in use, writes to them and frees them.
static void use_and_free(size_t n) {
  static char *blocks[256];
  for (size_t i = 0; i < n; i++) {
    CHECK((blocks[i] = bw_malloc(MB)));
    memset(blocks[i], 1, MB);
  }
  for (size_t i = 0; i < n; i++) bw_free(blocks[i]);
}

TEST(alloc_scavenge_resident_set_shrinks) {
  bw_alloc_set_release_after(1);
  use_and_free(200);
  for (int i = 0; i < 300; i++) use_and_free(1);
  if (!bw__port_capabilities.gives_back) {
    CHECK_EQ(released(), 0);
    return;
  }
  CHECK(released() > 150 * MB);
  bw__port_mem_info info = bw__port_mem_read();
  if (!test_is_slow_build()) CHECK(info.resident_bytes < 60 * MB);
  // What was given back can be used again, and is zero for calloc without being written.
  char *p = bw_calloc(1, 100 * MB);
  for (size_t i = 0; i < 100 * MB; i += 1000) CHECK_EQ(p[i], 0);
  bw_free(p);
}

TEST(alloc_scavenge_switched_off) {
  bw_alloc_set_release_after(NEVER);
  use_and_free(100);
  for (int i = 0; i < 300; i++) use_and_free(1);
  CHECK_EQ(released(), 0);
  size_t given = bw_alloc_release(); // still does it
  CHECK_EQ(given > 90 * MB, bw__port_capabilities.gives_back);
}

// Idle spans go, those that pages joined in this window or the last stay.
TEST(alloc_scavenge_takes_the_idle_ones) {
  if (!bw__port_capabilities.gives_back) return;
  bw__freespans f = {0};
  static char memory[4][4 * 8192] __attribute__((aligned(8192)));
  bw__span spans[4];
  memset(memory, 1, sizeof memory);
  for (uint32_t i = 0; i < 4; i++) {
    spans[i] =
        (bw__span){.start = (uintptr_t)memory[i], .pages = 4, .window = i, .state = SPAN_FREE};
    bw__freespans_put(&f, &spans[i]);
  }
  CHECK_EQ(bw__freespans_release(&f, 1, 1), 4); // whole spans, so more than asked for
  CHECK_EQ(bw__freespans_release(&f, SIZE_MAX, 1), 4);
  CHECK_EQ(bw__freespans_release(&f, SIZE_MAX, 1), 0);
  for (int i = 0; i < 4; i++) {
    CHECK_EQ(spans[i].released, i < 2);
    CHECK_EQ(memory[i][5000], i < 2 ? 0 : 1);
  }
  CHECK_EQ(f.released.pages, 8);
  CHECK_EQ(f.resident.pages, 8);
  CHECK(bw__freespans_find(&f, 3)->window >= 2); // a resident one
  CHECK(bw__freespans_valid(&f));
}

TEST(alloc_scavenge_busy_program_keeps_its_pages) {
  bw_alloc_set_release_after((int64_t)3600 * 1000000000);
  for (int i = 0; i < 20; i++) use_and_free(64);
  CHECK_EQ(released(), 0);
}

// ---- a program that frees no more ---------------------------------------------------------------

// Says when to look again, and when there is no use in that.
TEST(alloc_scavenge_looks_as_long_as_it_gives) {
  if (!bw__port_capabilities.gives_back) return;
  enum { PAGES = 200 };
  static char memory[PAGES * 8192] __attribute__((aligned(8192)));
  bw__freespans f = {0};
  bw__scavenge s = {.length = 10};
  CHECK_EQ(bw__scavenge_look(&s, &f, 100), INT64_MAX); // nothing is free
  bw__span span = {.start = (uintptr_t)memory, .pages = PAGES, .state = SPAN_FREE};
  bw__freespans_put(&f, &span);
  s.length = -1;
  CHECK_EQ(bw__scavenge_look(&s, &f, 100), INT64_MAX); // never
  s.length = 10;
  CHECK_EQ(bw__scavenge_look(&s, &f, 100), 110);
  CHECK_EQ(bw__scavenge_look(&s, &f, 109), 110);
  CHECK(!span.released);
  CHECK_EQ(bw__scavenge_look(&s, &f, 110), INT64_MAX);
  CHECK(span.released);
  CHECK_EQ(bw__scavenge_look(&s, &f, 200), INT64_MAX);
}

// Pages that the system does not take are no reason to look for ever.
TEST(alloc_scavenge_gives_up) {
  if (!bw__port_capabilities.gives_back) return;
  bw__freespans f = {0};
  bw__scavenge s = {.length = 10, .window = 5, .joined = 5};
  bw__span span = {.start = 8192, .pages = 200, .state = SPAN_FREE, .window = 5}; // no memory there
  bw__freespans_put(&f, &span);
  CHECK_EQ(bw__scavenge_look(&s, &f, 100), 110);
  CHECK_EQ(bw__scavenge_look(&s, &f, 110), INT64_MAX);
  CHECK(!span.released);
}

// Until the monitor has given back what use_and_free had.
static bool wait_released(void) {
  int64_t until = bw_now() + 20 * BW_SECOND;
  while (released() < 50 * MB && bw_now() < until) bw__port_sleep_until(bw_now() + BW_MILLISECOND);
  return released() >= 50 * MB;
}

static int busy_but_frees_nothing(void *arg) {
  (void)arg;
  bw_alloc_set_release_after(BW_MILLISECOND);
  use_and_free(64);
  CHECK(wait_released());
  return 0;
}
TEST(alloc_scavenge_by_the_monitor) {
  if (!bw__port_capabilities.gives_back) SKIP("nothing is given back on this target");
  test_run(busy_but_frees_nothing, NULL, 2);
}

static void wait_then_send(void *c) {
  CHECK(wait_released());
  bw_outside_enter();
  bw_chan_send(c, NULL);
  bw_outside_leave();
}

// All Ps are idle, for so long that the monitor sleeps as well: `ms` is how long a window is.
static int idle(void *ms) {
  bw__port_thread t;
  bw_chan *c = bw_chan_make(0, 0);
  bw_alloc_set_release_after((int)(intptr_t)ms * BW_MILLISECOND);
  use_and_free(64);
  bw_outside_enter();
  CHECK_EQ(bw__port_thread_start(&t, wait_then_send, c), 0);
  CHECK(bw_chan_recv(c, NULL));
  bw__port_thread_join(&t);
  bw_outside_leave();
  bw_chan_release(c);
  return 0;
}
TEST(alloc_scavenge_while_idle) {
  if (!bw__port_capabilities.gives_back) SKIP("nothing is given back on this target");
  test_run(idle, (void *)1, 2);
}
TEST(alloc_scavenge_while_idle_for_long) {
  if (!bw__port_capabilities.gives_back) SKIP("nothing is given back on this target");
  test_run(idle, (void *)300, 2);
}

// ---- the soft limit ----------------------------------------------------------------------------

TEST(alloc_limit_is_soft) {
  SKIP_IN_ALLOC_DEBUG("the canaries need memory of their own");
  bw_alloc_stats s;
  bw_alloc_set_release_after(NEVER);
  use_and_free(64);
  bw_alloc_set_limit(16 * MB);
  bw_alloc_stats_read(&s);
  if (bw__port_capabilities.gives_back) CHECK(s.system_bytes - s.released_bytes < 24 * MB);
  uint64_t before = s.system_bytes;
  char *p = bw_malloc(100 * MB); // above the limit, and yet it works
  CHECK(p);
  bw_alloc_stats_read(&s);
  CHECK(s.system_bytes - before <= 103 * MB); // no more than needed, whole huge pages included
  bw_free(p);
  bw_alloc_set_limit(0);
}
