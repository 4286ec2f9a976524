// Everything at once: threads and goroutines hand blocks to each other through shared slots;
// threads die, and others begin, while what they made lives on; goroutines move between Ps and so
// between caches; memory is released and statistics are read meanwhile. Every block knows its
// content.
//
// Longer: BURROW_STRESS_SECONDS=600 burrow-tests alloc_stress_mixed
#include "chan_util.h"

#include "alloc/alloc.h"
#include "alloc/pageheap.h"
#include "base/atomics.h"
#include "base/rand.h"
#include "port/port.h"

enum { SLOTS = 1024, GOROUTINES = 24, LONG_LIVED = 2, SHORT_LIVED = 3 };

typedef struct {
  uint32_t size, mark;
  uint32_t aligned; // alignment asked for; 0: none
  unsigned char rest[];
} block;

static _Atomic(block *) slots[SLOTS];
static _Atomic(bool) stop;
static int64_t end; // r/o while it runs

static bool is_over(void) { return bw__load(&stop) || bw_now() > end; }

// ---- blocks that know their content ------------------------------------------------------------

static unsigned char content(const block *b, uint32_t i) {
  return (unsigned char)(b->mark + i * 7);
}

// All of a short block, every 61st byte of a long one, and the last.
static uint32_t step_of(const block *b) { return b->size < 1000 ? 1 : 61; }

static void fill(block *b) {
  uint32_t n = b->size - (uint32_t)sizeof *b;
  for (uint32_t i = 0; i < n; i += step_of(b)) b->rest[i] = content(b, i);
  if (n) b->rest[n - 1] = content(b, n - 1);
}

static void check(const block *b) {
  CHECK(b->size >= sizeof *b && bw_malloc_usable_size(b) >= b->size);
  uint32_t n = b->size - (uint32_t)sizeof *b;
  for (uint32_t i = 0; i < n; i += step_of(b)) CHECK_EQ(b->rest[i], content(b, i));
  if (n) CHECK_EQ(b->rest[n - 1], content(b, n - 1));
}

static uint32_t pick_size(bw__rand *rng) {
  uint32_t bits = bw__rand_below(rng, 100) ? bw__rand_below(rng, 12) : 12 + bw__rand_below(rng, 7);
  return (uint32_t)sizeof(block) + bw__rand_below(rng, 1u << bits);
}

static block *make(bw__rand *rng) {
  uint32_t size = pick_size(rng), kind = bw__rand_below(rng, 8), align = 0;
  block *b;
  if (kind == 0) {
    b = bw_calloc(1, size);
    CHECK(b);
    for (uint32_t i = 0; i < size; i += 13) CHECK_EQ(((char *)b)[i], 0);
  } else if (kind == 1) {
    align = 16u << bw__rand_below(rng, 10);
    b = bw_aligned_alloc(align, size);
    CHECK_EQ((uintptr_t)b & (align - 1), 0);
  } else {
    b = kind == 2 ? bw__alloc8(size) : bw_malloc(size);
  }
  CHECK(b);
  *b = (block){.size = size, .mark = (uint32_t)bw__rand_next(rng), .aligned = align};
  fill(b);
  return b;
}

static void drop(bw__rand *rng, block *b) {
  if (!b) return;
  check(b);
  uint32_t size = b->size, align = b->aligned;
  if (bw__rand_below(rng, 3))
    bw_free(b);
  else if (align)
    bw_free_aligned_sized(b, align, size);
  else
    bw_free_sized(b, size);
}

static block *resize(bw__rand *rng, block *b) {
  if (!b) return make(rng);
  check(b);
  uint32_t old = b->size, size = pick_size(rng);
  b = bw_realloc(b, size);
  CHECK(b && b->size == old);
  b->size = old < size ? old : size;
  for (uint32_t i = 0; i < b->size - sizeof *b; i += 61) CHECK_EQ(b->rest[i], content(b, i));
  b->size = size;
  b->aligned = 0;
  fill(b);
  return b;
}

// ---- who works ---------------------------------------------------------------------------------

// A block of a slot goes through these hands and into another slot; what is there is freed.
static void hand_on(bw__rand *rng) {
  block *b = bw__swap(&slots[bw__rand_below(rng, SLOTS)], NULL);
  uint32_t what = bw__rand_below(rng, 10);
  if (what < 3) {
    b = resize(rng, b);
  } else if (what < 8) {
    drop(rng, b);
    b = make(rng);
  } else if (b) {
    check(b);
  }
  drop(rng, bw__swap(&slots[bw__rand_below(rng, SLOTS)], b));
}

static _Atomic(uint64_t) seeds;

static void work(void *unused) {
  (void)unused;
  bw__rand rng = {bw__add(&seeds, 1)};
  while (!is_over()) hand_on(&rng);
}

// Its blocks outlive it.
static void work_briefly(void *arg) {
  bw__rand rng = {bw__add(&seeds, 1)};
  for (uintptr_t n = 20 + (uintptr_t)arg * 400; n > 0 && !is_over(); n--) hand_on(&rng);
}

static void start_and_join(void *unused) {
  (void)unused;
  bw__rand rng = {99};
  while (!is_over()) {
    bw__port_thread threads[SHORT_LIVED];
    int n = 0;
    // On wasm there may be no thread left for a moment.
    while (n < SHORT_LIVED &&
           bw__port_thread_start(&threads[n], work_briefly,
                                 (void *)(uintptr_t)bw__rand_below(&rng, 4)) == 0)
      n++;
    while (n > 0) bw__port_thread_join(&threads[--n]);
    if (bw__rand_below(&rng, 8) == 0) bw_alloc_release();
    CHECK(bw__pageheap_valid());
    bw__port_thread_yield();
  }
}

static void goroutine_works(void *arg) {
  group *g = arg;
  bw__rand rng = {bw__add(&seeds, 1)};
  while (!is_over()) {
    block *mine = make(&rng); // held over a switch, and so perhaps to another P
    hand_on(&rng);
    if (bw__rand_below(&rng, 4) == 0) bw_sleep(20000);
    bw_gosched();
    drop(&rng, mine);
  }
  group_done(g);
}

static int run_goroutines(void *arg) {
  (void)arg;
  group g;
  group_init(&g, GOROUTINES);
  for (int i = 0; i < GOROUTINES; i++) CHECK_EQ(bw_go(goroutine_works, &g), 0);
  group_wait(&g);
  return 0;
}

// ---- the test ----------------------------------------------------------------------------------

static int64_t stress_ns(void) { return test_stress_ns(1); }

static uint64_t live_objects(void) {
  bw_alloc_stats s;
  bw_alloc_stats_read(&s);
  CHECK_EQ(s.system_bytes, s.heap_free_bytes + s.heap_used_bytes + s.metadata_bytes);
  return s.mallocs - s.frees;
}

static void clear_slots(void) {
  bw__rand rng = {1};
  for (int i = 0; i < SLOTS; i++) drop(&rng, bw__swap(&slots[i], NULL));
}

THREADS_TEST(alloc_stress_mixed) {
  bw__port_thread threads[LONG_LIVED + 1];
  end = bw_now() + stress_ns() / 10;
  test_run(run_goroutines, NULL, 4); // what the runtime keeps for the next run is there
  clear_slots();
  uint64_t before = live_objects();
  end = bw_now() + stress_ns();
  for (int i = 0; i < LONG_LIVED; i++) CHECK_EQ(bw__port_thread_start(&threads[i], work, NULL), 0);
  CHECK_EQ(bw__port_thread_start(&threads[LONG_LIVED], start_and_join, NULL), 0);
  test_run(run_goroutines, NULL, 4);
  for (int i = 0; i <= LONG_LIVED; i++) bw__port_thread_join(&threads[i]);
  clear_slots();
  bw_alloc_release();
  CHECK(bw__pageheap_valid());
  if (!BW_WASM) CHECK_EQ(live_objects(), before); // there the C library's objects count too
}

// The same with one thread: goroutines alone, on every target.
TEST(alloc_stress_goroutines) {
  end = bw_now() + stress_ns() / 2;
  test_run(run_goroutines, NULL, 4);
  clear_slots();
  CHECK(bw__pageheap_valid());
}
