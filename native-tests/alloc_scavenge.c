// When idle pages go back to the system: the rule by itself, and natively the resident set.
#include "test.h"

#include "alloc/pageheap.h"
#include "alloc/scavenge.h"
#include "port/port.h"

#define MB ((size_t)1 << 20)

enum { PAGES_MB = 128, NEVER = -1 };

// A window that has ended whenever it is looked at: the rule without a clock.
static bw__scavenge at_once(void) { return (bw__scavenge){.window = 1}; }

static void next_look(bw__scavenge *s, size_t used) {
  while (bw__port_now() < s->window_end) {}
  bw__scavenge_due(s, PAGES_MB, used, 10 * PAGES_MB);
}

TEST(alloc_scavenge_keeps_what_was_in_use_lately) {
  bw__scavenge s = at_once();
  bw__scavenge_used(&s, 1000 * PAGES_MB);
  // 1000 MB were in use in the window that ends now: 990 of them idle are kept.
  CHECK_EQ(bw__scavenge_due(&s, 990 * PAGES_MB, 10 * PAGES_MB, 990 * PAGES_MB), 0);
}

TEST(alloc_scavenge_gives_back_after_two_windows) {
  bw__scavenge s = at_once();
  bw__scavenge_used(&s, 1000 * PAGES_MB);
  next_look(&s, 8 * PAGES_MB);
  next_look(&s, 8 * PAGES_MB);
  while (bw__port_now() < s.window_end) {}
  // 8 MB, an eighth of that and 1 MB stay; of the rest a step at a time.
  CHECK_EQ(bw__scavenge_due(&s, PAGES_MB, 8 * PAGES_MB, 990 * PAGES_MB), 1024);
  CHECK_EQ(bw__scavenge_due(&s, PAGES_MB, 8 * PAGES_MB, 2 * PAGES_MB + 5), 5);
  CHECK_EQ(bw__scavenge_due(&s, PAGES_MB, 8 * PAGES_MB, 2 * PAGES_MB), 0);
}

TEST(alloc_scavenge_looks_at_the_clock_seldom) {
  bw__scavenge s = at_once();
  next_look(&s, 0);
  next_look(&s, 0);
  int due = 0;
  for (int i = 0; i < 640; i++) due += bw__scavenge_due(&s, 1, 0, 10 * PAGES_MB) > 0;
  CHECK_EQ(due, 10);
}

TEST(alloc_scavenge_never) {
  bw__scavenge s = {.window = NEVER};
  for (int i = 0; i < 1000; i++) CHECK_EQ(bw__scavenge_due(&s, PAGES_MB, 0, 1000 * PAGES_MB), 0);
}

// ---- with the system ---------------------------------------------------------------------------

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

TEST(alloc_scavenge_busy_program_keeps_its_pages) {
  bw_alloc_set_release_after((int64_t)3600 * 1000000000);
  for (int i = 0; i < 20; i++) use_and_free(64);
  CHECK_EQ(released(), 0);
}

// ---- the soft limit ----------------------------------------------------------------------------

TEST(alloc_limit_is_soft) {
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
  CHECK(s.system_bytes - before <= 101 * MB); // no more than needed
  bw_free(p);
  bw_alloc_set_limit(0);
}
