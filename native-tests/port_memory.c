// The stale-memory rule (port/wasm/memory.c): memory that one thread grew is usable on another.
#include "chan_util.h"

#include "base/atomics.h"
#include "port/port.h"

enum { PROCS = 4, BLOCK = 8 << 20 };

// One memset over the whole block: a single memory.fill on wasm.
static void fill(char *p, int value) {
  memset(p, value, BLOCK);
  for (int i = 0; i < BLOCK; i += 4096) CHECK_EQ(p[i], value);
}

// Grows memory here, again and again, for whoever receives; then closes.
static void send_blocks(bw_chan *blocks, int n) {
  for (int i = 0; i < n; i++) {
    char *p = bw_malloc(BLOCK);
    CHECK(p);
    bw_chan_send(blocks, &p);
  }
  bw_chan_close(blocks);
}

typedef struct {
  bw_chan *blocks;
  group g;
} fillers;

static void filler(void *arg) {
  fillers *f = arg;
  char *p;
  while (bw_chan_recv(f->blocks, &p)) {
    fill(p, 7);
    bw_free(p);
  }
  group_done(&f->g);
}

static int grow_here_fill_there(void *arg) {
  (void)arg;
  fillers f = {.blocks = bw_chan_make(sizeof(char *), 0)};
  group_init(&f.g, PROCS);
  for (int i = 0; i < PROCS; i++) CHECK_EQ(bw_go(filler, &f), 0);
  send_blocks(f.blocks, 24);
  group_wait(&f.g);
  bw_chan_release(f.blocks);
  return 0;
}
TEST(port_memory_grown_elsewhere) { test_run(grow_here_fill_there, NULL, PROCS); }

// Blocks handed over by a buffered channel to a goroutine that never gives its thread back between
// two of them: the channel itself must refresh.
typedef struct {
  bw_chan *blocks;
  atomic_int ready;
  group g;
} handover;

static void greedy_filler(void *arg) {
  handover *h = arg;
  char *p;
  atomic_store(&h->ready, 1);
  for (int code; (code = bw_chan_try_recv(h->blocks, &p)) != BW_ECLOSED;) {
    if (code == BW_EAGAIN) continue;
    fill(p, 9);
    bw_free(p);
  }
  group_done(&h->g);
}

static int hand_over_without_scheduling(void *arg) {
  (void)arg;
  handover h = {.blocks = bw_chan_make(sizeof(char *), 2)};
  group_init(&h.g, 1);
  CHECK_EQ(bw_go(greedy_filler, &h), 0);
  while (!atomic_load(&h.ready)) bw_gosched();
  send_blocks(h.blocks, 12);
  group_wait(&h.g);
  bw_chan_release(h.blocks);
  return 0;
}
THREADS_TEST(port_memory_handed_over_without_scheduling) {
  test_run(hand_over_without_scheduling, NULL, 2);
}

// Large values copied by a busy sender onto the stacks of receivers that another thread has just
// grown memory for.
enum { LARGE = 60000 };

static void large_receiver(void *arg) {
  handover *h = arg;
  unsigned char value[LARGE];
  while (bw_chan_recv(h->blocks, value))
    for (int i = 0; i < LARGE; i += 1000) CHECK_EQ(value[i], 3);
  group_done(&h->g);
}

static void large_sender(void *arg) {
  handover *h = arg;
  static unsigned char value[LARGE];
  memset(value, 3, LARGE);
  for (int sent = 0; sent < 200;) sent += bw_chan_try_send(h->blocks, value) == 0;
  bw_chan_close(h->blocks);
}

static int large_values(void *arg) {
  (void)arg;
  handover h = {.blocks = bw_chan_make(LARGE, 0)};
  enum { RECEIVERS = 20 };
  group_init(&h.g, RECEIVERS);
  CHECK_EQ(bw_go(large_sender, &h), 0);
  for (int i = 0; i < RECEIVERS; i++)
    CHECK_EQ(bw_go_with(&(bw_go_options){.stack_size = 2 << 20}, large_receiver, &h), 0);
  group_wait(&h.g);
  bw_chan_release(h.blocks);
  return 0;
}
THREADS_TEST(port_memory_large_values_to_new_stacks) { test_run(large_values, NULL, 2); }

#if defined(__EMSCRIPTEN__)
// The bare fact: a thread sees, in a loop without a call, that another has grown memory, and uses
// it. V8's baseline code may refresh by itself in the loop, its optimised code does not; a new call
// each round gets the optimised code as soon as it is there.
enum { GROWTHS = 100 };
static atomic_bool holding;      // the filler has its thread
static atomic_uintptr_t offered; // the block to use
static volatile bool keep_the_rule;

static void bare_filler(void *arg) {
  (void)arg;
  atomic_store(&holding, true);
  uintptr_t p;
  while (!(p = atomic_load(&offered))) {}
  if (keep_the_rule) bw__port_mem_sync();
  atomic_store((atomic_char *)(p + BLOCK - 1), 7);
  memset((char *)p, 7, BLOCK - 1);
  atomic_store(&offered, 0);
}

static void let_it_spin(void) {
  for (int64_t end = bw_now() + 2 * BW_MILLISECOND; bw_now() < end;) {}
}

static int grow_behind_its_back(void *arg) {
  (void)arg;
  static char *blocks[GROWTHS];
  for (int i = 0; i < GROWTHS; i++) {
    atomic_store(&holding, false);
    CHECK_EQ(bw_go(bare_filler, NULL), 0);
    while (!atomic_load(&holding)) bw_gosched();
    let_it_spin();
    char *p = blocks[i] = bw_malloc(BLOCK);
    CHECK(p);
    atomic_store(&offered, (uintptr_t)p);
    while (atomic_load(&offered)) {}
    CHECK(p[0] == 7 && p[BLOCK - 1] == 7);
  }
  for (int i = 0; i < GROWTHS; i++) bw_free(blocks[i]);
  return 0;
}
// With BURROW_STALE_MEMORY set the rule is not kept, and the program must die:
// wasm-tests/c-stale.test.mjs.
TEST(port_memory_filled_with_the_rule) {
  keep_the_rule = !bw__port_env("BURROW_STALE_MEMORY");
  test_run(grow_behind_its_back, NULL, 2);
}
#endif

TEST(port_memory_numbers) {
  bw_memory_info before = bw_memory_read();
  char *p = bw_malloc(64 << 20);
  CHECK(p);
  memset(p, 1, 64 << 20);
  bw_memory_info after = bw_memory_read();
  CHECK(after.virtual_bytes >= before.virtual_bytes);
  CHECK(after.virtual_bytes >= 64u << 20);
  CHECK(after.resident_bytes >= 64u << 20);
  bw_free(p);
}
