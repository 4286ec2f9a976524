// What the programs tell the world, and the world them.
#ifndef BURROW_MODEL_WORLD_H
#define BURROW_MODEL_WORLD_H

#include "model.h"

enum { WORLD_DEADLINE = 1000 }; // on a clock that shows 0 until a wait has timed out

typedef struct {
  bool quiet;   // program_parked is not called
  bool direct;  // goroutines park by the short cut of sched/switch.h
  int timeouts; // how often a thread's timed waits may end by themselves at any moment
  bool (*may_time_pass)(void); // nothing else can happen: whether timed waits end; NULL: never
  // Called after each operation on an atomic with what it read or left; NULL: nobody looks.
  void (*watch)(model_kind kind, const volatile void *address, uint64_t value);
} world_rules;

extern world_rules world_is;

// A goroutine of the program, or a plain thread. Returns its number in the model.
int world_start(const char *name, bool goroutine, void (*run)(void *), void *arg);
// The running thread begins another operation, whose shuffles may come out in so many ways.
void world_operation(unsigned ways);
// Whether all flights have landed and all locks are free; says so if not.
bool world_at_rest(void);
// Thread t is parked for good: its wait, for `abandon`; NULL: it is not.
struct bw__waiter *world_parked(int t);
bool world_all_freed(void);
// The running thread has looked at `size` bytes at p in vain, and looks again: at once the first
// time in an operation, then only when they are not what they were at its last look.
enum { WORLD_AWAIT_MOST = 32 };
void world_await(const void *p, size_t size);
// What is kept while the end is tried out in two ways.
void world_save(void);
void world_restore(void);

// The program's: thread t has entered all its queues and will wait; a panic in the running thread.
void program_parked(int t);
_Noreturn void program_panic(void);

#endif
