// Linear memory: grown, never shrunk, always one contiguous piece from __heap_base upwards. What
// lies between __heap_base and the end that it begins with is used first.
//
// The stale-memory rule (measured on V8: Node 20, 24, 26 and Chromium). When thread A grows shared
// memory, thread B keeps its old idea of the size for a while, at the least until the function that
// it is in makes its next call. memory.fill, memory.copy and every atomic operation in the new
// pages trap meanwhile; plain loads and stores work. memory.grow(0) on B refreshes it for certain.
// So the page count is published after each growth, every thread remembers the count it last saw,
// and bw__port_mem_sync refreshes when they differ. It is called wherever a pointer may reach a
// thread: before an M touches a goroutine, under a channel's lock, when a plain thread wakes from a
// wait, on malloc's slow path, and when JavaScript enters.
//
// Interleaving that this prevents: A: malloc grows memory, p lies in the new pages; sends p over a
// channel. B: receives p, memset(p) -> one memory.fill -> trap "memory access out of bounds". Or: A
// makes a goroutine in new pages and queues it; B takes it and stores its state atomically -> trap.
#include "port/port.h"

#include "port/wasm/memory.h"

enum { WASM_PAGE = 65536 };

// The last 64 KB of 4 GB stay unused: an object's end must not wrap to 0.
#define TOP_MAX ((uint64_t)0xffff0000u)

extern unsigned char __heap_base;

// The break: the next byte nobody has. Emscripten's JavaScript moves it up before the program
// starts (through emscripten_get_sbrk_ptr, to place side modules), so it is right from the
// beginning and need not be aligned. Page heap's lock.
static uintptr_t at = (uintptr_t)&__heap_base;

static struct {
  uint64_t top;            // end of memory that is ours; 0 before the first use. Page heap's lock.
  uint64_t handed_out;     // the same
  _Atomic(uint32_t) pages; // published size in 64 KB pages; 0 before the first growth
} memory;

#if BW_THREADS
static _Thread_local uint32_t seen; // the page count this thread last refreshed at

// noinline: `seen` must be looked up on the thread that runs now. A thread whose thread-local
// variables do not exist yet refreshes each time.
BW_NOINLINE void bw__port_mem_sync(void) {
  uint32_t pages = bw__load_acquire(&memory.pages); // pairs with the release in look_at_size
  bool remembers = __builtin_wasm_tls_base() != NULL;
  if (BW_LIKELY(remembers && pages == seen)) return;
  if (remembers) seen = pages;
  __builtin_wasm_memory_grow(0, 0);
}
#endif

static void look_at_size(void) {
  size_t pages = __builtin_wasm_memory_size(0);
  memory.top = (uint64_t)pages * WASM_PAGE;
  if (memory.top > TOP_MAX) memory.top = TOP_MAX;
}

// Grows so that memory reaches up to `need`. False: the maximum is reached.
static bool grow_to(uint64_t need) {
  look_at_size(); // the program may have grown it
  if (need <= memory.top) return true;
  if (need > TOP_MAX) return false;
  size_t more = (size_t)((need - memory.top + WASM_PAGE - 1) / WASM_PAGE);
  if (__builtin_wasm_memory_grow(0, more) == SIZE_MAX) return false;
  look_at_size();
  // Pairs with bw__port_mem_sync.
  bw__store_release(&memory.pages, (uint32_t)__builtin_wasm_memory_size(0));
  bw__port_mem_grown();
  return true;
}

// The next `bytes` from an address with this alignment on.
static void *take(uint64_t bytes, size_t align) {
  uint64_t start = bw__align_up(at, align), end = start + bytes;
  if (end > memory.top && !grow_to(end)) return NULL;
  at = (uintptr_t)end;
  return (void *)(uintptr_t)start;
}

void *bw__port_mem_grow(size_t least, size_t want, size_t *got) {
  void *p = take(want, BW_PAGE_SIZE);
  *got = want;
  if (!p && least < want) {
    p = take(least, BW_PAGE_SIZE);
    *got = least;
  }
  if (p) memory.handed_out += *got;
  return p;
}

void *bw__port_mem_sbrk(size_t bytes) { return take(bytes, 1); }

uintptr_t *bw__port_mem_break(void) { return &at; }

size_t bw__port_mem_release(void *p, size_t n) {
  (void)p;
  (void)n;
  return 0; // linear memory never shrinks
}

bool bw__port_mem_protect(void *p, size_t n, bool accessible) {
  (void)p;
  (void)n;
  (void)accessible;
  return false; // every byte of linear memory is accessible, always
}

void bw__port_at_fault(void (*fn)(uintptr_t address, uintptr_t sp)) { (void)fn; }

void bw__port_at_divide(bool (*wanted)(uintptr_t sp), void (*go_on)(bool overflow, uintptr_t pc)) {
  (void)wanted;
  (void)go_on;
}

void bw__port_thread_fault_stack(bool on) { (void)on; }

bw__port_mem_info bw__port_mem_read(void) {
  return (bw__port_mem_info){
      .virtual_bytes = (uint64_t)__builtin_wasm_memory_size(0) * WASM_PAGE,
      .resident_bytes = memory.handed_out,
  };
}

void *bw__port_stack_map(size_t size, size_t *usable) {
  (void)size;
  (void)usable;
  return NULL; // stacks come from the page heap
}

bool bw__port_stack_first_use(void *lo, size_t usable) {
  (void)lo;
  (void)usable;
  return true;
}

void bw__port_stack_unmap(void *lo, size_t usable) {
  (void)lo;
  (void)usable;
}

void bw__port_stack_trim(void *lo, size_t n) {
  (void)lo;
  (void)n;
}

size_t bw__port_stack_resident(const void *lo, size_t n) {
  (void)lo;
  (void)n;
  return 0;
}

uint64_t bw__port_seed(void) { return 0; }
