// The stale-memory rule: memory that one thread grew is usable on another.
//
// On V8 a thread that has not noticed another's memory.grow traps in memory.fill. The runtime
// refreshes (bw__port_mem_sync) when a goroutine reaches a thread. The second test switches that
// off and must die: it proves that the first one tests something.
#include "chan_util.h"

#include "base/atomics.h"
#include "port/port.h"

enum { PROCS = 4, BLOCK = 8 << 20 };

// One memset over the whole block: a single memory.fill on wasm.
static void fill(char *p, int value) {
  memset(p, value, BLOCK);
  for (int i = 0; i < BLOCK; i += 4096) CHECK_EQ(p[i], value);
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
  for (int i = 0; i < 24; i++) {
    char *p = bw_malloc(BLOCK);
    CHECK(p);
    bw_chan_send(f.blocks, &p);
  }
  bw_chan_close(f.blocks);
  group_wait(&f.g);
  bw_chan_release(f.blocks);
  return 0;
}
TEST(port_memory_grown_elsewhere) { test_run(grow_here_fill_there, NULL, PROCS); }

#if defined(__EMSCRIPTEN__)
static atomic_int holding;       // fillers that hold a thread
static atomic_uintptr_t offered; // the block to fill

// The bare fact, without the runtime's help: the filler's thread has not entered the scheduler
// since.
static void bare_filler(void *arg) {
  (void)arg;
  atomic_fetch_add(&holding, 1);
  char *p;
  while (!(p = (char *)atomic_load(&offered))) {}
  fill(p, 7);
  atomic_store(&offered, 0);
}

static int grow_behind_its_back(void *arg) {
  (void)arg;
  CHECK_EQ(bw_go(bare_filler, NULL), 0);
  while (atomic_load(&holding) < 1) bw_gosched();
  bw__store(&bw__port_mem_sync_off, true);
  char *p = bw_malloc(BLOCK * 8);
  CHECK(p);
  atomic_store(&offered, (uintptr_t)p);
  while (atomic_load(&offered)) {}
  return 0;
}
DEATH_TEST(port_memory_stale_without_sync, 1, "memory access out of bounds") {
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
