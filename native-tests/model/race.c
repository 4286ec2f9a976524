// Plain accesses. The explorer interrupts threads at atomic operations and locks only; that loses
// nothing as long as no two threads race for anything else, so that is checked, in every execution:
// the code under test is compiled with -fsanitize=thread, and its calls end here instead of in
// ThreadSanitizer. As there, a vector clock a thread says what it is synchronised with. Only what
// the memory orders in the code promise synchronises (an acquire that reads a release, locks,
// park and ready), whatever happened to run first.
//
// Also found here: an access to another thread's stack below its stack pointer, or after the thread
// has ended (a frame that is gone), and one to memory that was freed.
#include "model.h"

#include <string.h>

enum { GRAIN = 4, STACK_CELLS = MODEL_THREADS * MODEL_STACK / GRAIN, FRAMES = 2048 };

// Four bytes of memory.
typedef struct {
  uint32_t execution; // in which the rest is valid
  uint8_t era;        // of a stack: how often its frames had gone
  uint8_t writer;
  uint16_t written;  // the writer's clock then; 0: never
  model_clock reads; // plain ones
  model_clock atomics;
} cell;

static struct {
  uint32_t execution;
  model_clock clocks[MODEL_THREADS];
  // What race_frames_gone said last of each stack: the end of the frames, and the owner's clock.
  struct {
    uint8_t era;
    const char *end;
    uint16_t clock;
  } gone[MODEL_THREADS];
  cell stacks[STACK_CELLS];
  cell heap[MODEL_HEAP / GRAIN];
} it;

void race_reset(void) {
  it.execution++;
  memset(it.clocks, 0, sizeof it.clocks);
  memset(it.gone, 0, sizeof it.gone);
  for (int t = 0; t < MODEL_THREADS; t++) it.clocks[t][t] = 1;
}

void race_spawned(int parent, int child) {
  if (parent < 0) return;
  model_join(it.clocks[child], it.clocks[parent]);
  it.clocks[parent][parent]++;
}

// ---- what synchronises --------------------------------------------------------------------------

void race_acquire(const volatile void *address) {
  int t = model_self();
  if (t >= 0) model_join(it.clocks[t], model_object_at(address)->sync);
}

void race_release(const volatile void *address, bool read_modify_write) {
  int t = model_self();
  if (t < 0) return;
  model_object *o = model_object_at(address);
  if (read_modify_write)
    model_join(o->sync, it.clocks[t]);
  else
    memcpy(o->sync, it.clocks[t], sizeof o->sync);
  it.clocks[t][t]++;
}

void race_relaxed_store(const volatile void *address) {
  if (model_self() < 0) return;
  model_object *o = model_object_at(address);
  memset(o->sync, 0, sizeof o->sync);
}

// ---- accesses -----------------------------------------------------------------------------------

static bool is_gone(const char *a, int self) {
  if (model_in_heap(a)) {
    if (world_heap_valid(a)) return false;
    model_fail("memory that was freed is touched");
    return true;
  }
  int t = model_stack_of(a);
  if (t == self) return false;
  const char *low = model_stack_low(t);
  if (low && a >= low) return false;
  model_fail("a frame of %s that is gone is touched", model_thread_name(t));
  return true;
}

static cell *cell_at(const char *a) {
  bool heap = model_in_heap(a);
  cell *c = heap ? &it.heap[(a - model_heap) / GRAIN] : &it.stacks[(a - model_stacks[0]) / GRAIN];
  if (c->execution != it.execution) {
    memset(c, 0, sizeof *c);
    c->execution = it.execution;
  }
  if (heap) return c;
  int t = model_stack_of(a);
  if (c->era != it.gone[t].era && a < it.gone[t].end)
    *c = (cell){.execution = it.execution, .writer = (uint8_t)t, .written = it.gone[t].clock};
  c->era = it.gone[t].era;
  return c;
}

static bool outside(const char *a) { return !model_in_stacks(a) && !model_in_heap(a); }

static void race(const char *a, int other, const char *what) {
  bool heap = model_in_heap(a);
  int t = heap ? 0 : model_stack_of(a);
  model_fail("race: %s, and %s before it, of %s%s%td, are not synchronised", what,
             model_thread_name(other), heap ? "heap" : model_thread_name(t),
             heap ? "+" : "'s stack-", heap ? a - model_heap : MODEL_STACK - (a - model_stacks[t]));
}

// All of `past` must have come before what the thread does now.
static void check_after(const model_clock past, int self, const char *a, const char *what) {
  for (int t = 0; t < MODEL_THREADS; t++)
    if (past[t] > it.clocks[self][t]) race(a, t, what);
}

static void check_after_write(const cell *c, int self, const char *a, const char *what) {
  if (c->written > it.clocks[self][c->writer]) race(a, c->writer, what);
}

static void plain(const volatile void *address, size_t size, bool writes) {
  const char *a = (const char *)(uintptr_t)address;
  if (outside(a) || model_failed()) return;
  int self = model_self();
  if (is_gone(a, self) || self < 0) return;
  const char *end = a + size;
  for (a -= (uintptr_t)a % GRAIN; a < end; a += GRAIN) {
    cell *c = cell_at(a);
    check_after_write(c, self, a, writes ? "a write" : "a read");
    check_after(c->atomics, self, a, "a plain access");
    if (!writes) {
      c->reads[self] = it.clocks[self][self];
      continue;
    }
    check_after(c->reads, self, a, "a write");
    c->writer = (uint8_t)self;
    c->written = it.clocks[self][self];
  }
}

void race_touch(const volatile void *address, size_t size, bool writes) {
  plain(address, size, writes);
}

void race_atomic(const volatile void *address) {
  const char *a = (const char *)(uintptr_t)address;
  int self = model_self();
  if (outside(a) || model_failed() || is_gone(a, self) || self < 0) return;
  cell *c = cell_at(a);
  check_after_write(c, self, a, "an atomic operation");
  check_after(c->reads, self, a, "an atomic operation");
  c->atomics[self] = it.clocks[self][self];
}

// Counts as writing to them: whoever touched them must have been synchronised with their owner by
// now, whoever touches them later is found even when the next call has its frames there already.
__attribute__((noinline)) void race_frames_gone(void) {
  int self = model_self();
  if (self < 0) return;
  const char *end = (const char *)__builtin_frame_address(0);
  const char *low = end - FRAMES > model_stacks[self] ? end - FRAMES : model_stacks[self];
  for (const char *a = low - (uintptr_t)low % GRAIN; a < end; a += GRAIN) {
    const cell *c = &it.stacks[(a - model_stacks[0]) / GRAIN];
    if (c->execution != it.execution || c->era != it.gone[self].era) continue;
    check_after_write(c, self, a, "the end of a frame");
    check_after(c->reads, self, a, "the end of a frame");
    check_after(c->atomics, self, a, "the end of a frame");
  }
  it.gone[self].era++;
  it.gone[self].end = end;
  it.gone[self].clock = it.clocks[self][self];
  model_objects_forget(model_stacks[self], end);
}

// ---- what the compiler calls --------------------------------------------------------------------

#define ACCESS(name, size, writes)                                                                 \
  void name(void *a);                                                                              \
  void name(void *a) { plain(a, size, writes); }
#define ACCESSES(size)                                                                             \
  ACCESS(__tsan_read##size, size, false)                                                           \
  ACCESS(__tsan_write##size, size, true)                                                           \
  ACCESS(__tsan_unaligned_read##size, size, false)                                                 \
  ACCESS(__tsan_unaligned_write##size, size, true)                                                 \
  ACCESS(__tsan_volatile_read##size, size, false)                                                  \
  ACCESS(__tsan_volatile_write##size, size, true)
// NOLINTBEGIN(bugprone-reserved-identifier): the compiler's names.
ACCESSES(1)
ACCESSES(2)
ACCESSES(4)
ACCESSES(8)
ACCESSES(16)

void __tsan_read_range(void *a, size_t n);
void __tsan_read_range(void *a, size_t n) { plain(a, n, false); }
void __tsan_write_range(void *a, size_t n);
void __tsan_write_range(void *a, size_t n) { plain(a, n, true); }
void __tsan_func_entry(void *pc);
void __tsan_func_entry(void *pc) { (void)pc; }
void __tsan_func_exit(void);
void __tsan_func_exit(void) {}
void __tsan_init(void);
void __tsan_init(void) {}
void *__tsan_memcpy(void *to, const void *from, size_t n);
void *__tsan_memcpy(void *to, const void *from, size_t n) {
  plain(from, n, false);
  plain(to, n, true);
  return memcpy(to, from, n);
}
void *__tsan_memset(void *to, int c, size_t n);
void *__tsan_memset(void *to, int c, size_t n) {
  plain(to, n, true);
  return memset(to, c, n);
}

// Atomic operations come as model steps before they come here (include/base/atomics.h).
#define ATOMICS(bits)                                                                              \
  typedef volatile uint##bits##_t word##bits;                                                      \
  uint##bits##_t __tsan_atomic##bits##_load(const word##bits *a, int order);                       \
  uint##bits##_t __tsan_atomic##bits##_load(const word##bits *a, int order) {                      \
    (void)order;                                                                                   \
    return *a;                                                                                     \
  }                                                                                                \
  void __tsan_atomic##bits##_store(word##bits *a, uint##bits##_t v, int order);                    \
  void __tsan_atomic##bits##_store(word##bits *a, uint##bits##_t v, int order) {                   \
    (void)order;                                                                                   \
    *a = v;                                                                                        \
  }                                                                                                \
  ATOMIC_CHANGE(bits, exchange, v)                                                                 \
  ATOMIC_CHANGE(bits, fetch_add, (uint##bits##_t)(before + v))                                     \
  ATOMIC_CHANGE(bits, fetch_sub, (uint##bits##_t)(before - v))                                     \
  uint##bits##_t __tsan_atomic##bits##_compare_exchange_val(                                       \
      word##bits *a, uint##bits##_t expected, uint##bits##_t v, int order, int order2);            \
  uint##bits##_t __tsan_atomic##bits##_compare_exchange_val(                                       \
      word##bits *a, uint##bits##_t expected, uint##bits##_t v, int order, int order2) {           \
    (void)order;                                                                                   \
    (void)order2;                                                                                  \
    uint##bits##_t before = *a;                                                                    \
    if (before == expected) *a = v;                                                                \
    return before;                                                                                 \
  }                                                                                                \
  int __tsan_atomic##bits##_compare_exchange_strong(word##bits *a, uint##bits##_t *expected,       \
                                                    uint##bits##_t v, int order, int order2);      \
  int __tsan_atomic##bits##_compare_exchange_strong(word##bits *a, uint##bits##_t *expected,       \
                                                    uint##bits##_t v, int order, int order2) {     \
    uint##bits##_t wanted = *expected;                                                             \
    *expected = __tsan_atomic##bits##_compare_exchange_val(a, wanted, v, order, order2);           \
    return *expected == wanted;                                                                    \
  }
#define ATOMIC_CHANGE(bits, name, after_it)                                                        \
  uint##bits##_t __tsan_atomic##bits##_##name(word##bits *a, uint##bits##_t v, int order);         \
  uint##bits##_t __tsan_atomic##bits##_##name(word##bits *a, uint##bits##_t v, int order) {        \
    (void)order;                                                                                   \
    uint##bits##_t before = *a;                                                                    \
    *a = after_it;                                                                                 \
    return before;                                                                                 \
  }
ATOMICS(8)
ATOMICS(16)
ATOMICS(32)
ATOMICS(64)
// NOLINTEND(bugprone-reserved-identifier)
