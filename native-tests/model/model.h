// The model checker's inside: what its rooms share. README.md says what it checks and how.
//
//   explore.c   which thread goes next: all interleavings that differ, depth first
//   trace.c     what happened, to be read
//   race.c      plain accesses: races, frames that are gone, memory that was freed
//   world.c     what lies below channels: locks, futex, parking, timers, memory, clock
//   spec.c      channels as they ought to be, and whether a history is one of theirs
//   program.c   the small programs as text; run.c carries them out on the real channels
//   lock.c      the same for lock/mutex.h
//   sync.c      the same for the locks of sync/
//
// A *thread* here is a coroutine: a goroutine of the program, a plain thread, an M that finishes
// what a parked goroutine left to it, or a timer's flight. All run on one OS thread. A *step* is
// what others may see: an atomic operation, a lock taken, a wait that ends. A thread announces a
// step (model_step) and gets control back when it is its turn; what it does then, up to its next
// announcement, nobody interrupts.
#ifndef BURROW_MODEL_H
#define BURROW_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  MODEL_THREADS = 16,
  MODEL_STEPS = 1000, // no execution is longer
  MODEL_STACK = 32 * 1024,
  MODEL_HEAP = 16 * 1024,
};

// ---- steps --------------------------------------------------------------------------------------

typedef enum {
  STEP_START,
  STEP_LOAD,
  STEP_STORE,
  STEP_RMW,  // swap, add, compare-and-swap, whether it succeeds or not
  STEP_LOCK, // enabled while the lock is free
  STEP_RESUME,
  STEP_TIMER_START,
  STEP_TIMER_FIRE,
  STEP_TIMER_END,  // fn has returned
  STEP_TIMER_DROP, // enabled while fn does not run
  STEP_FUTEX_WAIT, // looks at the word and falls asleep, at one moment
  STEP_FUTEX_RETURN,
  STEP_FUTEX_WAKE,
  STEP_BEGIN, // an operation of the program begins
  STEP_MARK,  // it ends, or it is known to wait from now on
  STEP_TIME,  // nothing else can happen, so time passes
  STEP_AWAIT, // a look again, once what was looked at has changed
  STEP_NOTE,  // no step: a line of the trace only
} model_kind;

typedef struct {
  model_kind kind;
  bool timed;                  // STEP_FUTEX_RETURN: may return without being woken
  const volatile void *object; // what it acts on; steps on different objects commute
  const char *text, *func;     // for the trace
  int line;
  uint64_t value; // what was read or written
} model_op;

#define MODEL_OP(k, on, words)                                                                     \
  (model_op) { .kind = (k), .object = (on), .text = (words), .func = __func__, .line = __LINE__ }

// Announces a step of the running thread; returns when it has been chosen. Nothing outside of any
// thread.
void model_step(model_op op);
// The running thread; -1: none, the checker itself runs.
int model_self(void);
// One of 0..n-1: every one is explored.
unsigned model_choose(unsigned n);
// A new thread, which happens after what the caller has done so far.
int model_spawn(const char *name, void (*run)(void *), void *arg);
const char *model_thread_name(int t);
// The step that a thread has announced; NULL: it has ended.
const model_op *model_pending(int t);
// The execution is wrong. Does not return to a thread.
void model_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
bool model_failed(void);

// ---- objects: what steps act on -----------------------------------------------------------------

typedef uint16_t model_clock[MODEL_THREADS];

static inline void model_join(model_clock to, const model_clock from) {
  for (int i = 0; i < MODEL_THREADS; i++)
    if (from[i] > to[i]) to[i] = from[i];
}

typedef struct {
  const volatile void *address;
  uint32_t execution; // in which it is valid
  int last;           // the last event on it, 0: none
  int holder;         // of a lock; -1: free
  model_clock order;  // explore.c: what a lock's release, or a wake-up, came after
  model_clock sync;   // race.c: what who acquires it is synchronised with
} model_object;

model_object *model_object_at(const volatile void *address);
// Objects in [lo, hi) are new ones from now on.
void model_objects_forget(const char *lo, const char *hi);
// The running thread lets others have `address`: whoever takes it comes after.
void model_order_release(const volatile void *address);

// ---- exploring ----------------------------------------------------------------------------------

typedef enum {
  MODEL_REDUCED, // one interleaving of each class that commuting steps make
  MODEL_FULL,    // all
  MODEL_BOUNDED, // all with at most `bound` preemptions
} model_mode;

typedef struct {
  model_mode mode;
  int bound;
  uint64_t limit; // gives up after so many executions; 0: never
  void (*setup)(void);
  void (*finish)(void); // at the end of an execution: nothing can happen any more
  const char *replay;   // one execution by these choices, else NULL
} model_search;

typedef struct {
  uint64_t executions, cut, steps; // cut: turned out to be the same as one before
  bool failed, exhausted;
} model_result;

model_result model_explore(const model_search *search);
// Says what went wrong, with the trace, and the choices that bring it back.
void model_report(void);

// ---- trace.c ------------------------------------------------------------------------------------

void model_log(model_op op);          // a line
void model_log_value(uint64_t value); // of the last line
void trace_reset(void);
void trace_print(void);
void trace_print_pending(int t, const model_op *op); // the step that t has announced

// ---- race.c -------------------------------------------------------------------------------------

void race_reset(void);
void race_spawned(int parent, int child);
void race_acquire(const volatile void *address);
void race_release(const volatile void *address, bool read_modify_write);
void race_relaxed_store(const volatile void *address);
void race_atomic(const volatile void *address);
// A plain access by the world on a thread's behalf.
void race_touch(const volatile void *address, size_t size, bool writes);
// The frames below the caller's are gone.
void race_frames_gone(void);

extern char model_stacks[MODEL_THREADS][MODEL_STACK];
extern char model_heap[MODEL_HEAP];
static inline bool model_in_stacks(const char *a) {
  return a >= model_stacks[0] && a < model_stacks[0] + sizeof model_stacks;
}
static inline bool model_in_heap(const char *a) {
  return a >= model_heap && a < model_heap + MODEL_HEAP;
}
// Whose stack an address in the stacks lies on.
static inline int model_stack_of(const char *a) {
  return (int)((a - model_stacks[0]) / MODEL_STACK);
}
// The lowest address that thread t uses of its stack, NULL if it has ended. t must not be running.
const char *model_stack_low(int t);

// ---- world.c ------------------------------------------------------------------------------------

void world_reset(void);
bool world_enabled(int t, const model_op *op);
// Nothing is enabled: true if time passes and wakes somebody.
bool world_time_passes(void);
bool world_heap_valid(const volatile void *address);

#endif
