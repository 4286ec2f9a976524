// What the copies of sync/ that mutants.cmake makes call in the model, and programs for sync.c.
#ifndef BURROW_MODEL_SYNC_H
#define BURROW_MODEL_SYNC_H

#include <stdint.h>

#include "world.h"

int64_t model_now(void); // a mutex's clock: whether one starves is a choice
void *model_roots(void); // of the semaphore table

// A program is a text: threads, separated by |, each a row of letters. A thread that begins with g
// is a goroutine, else a plain thread.
//
//   l  locks the mutex, is inside, unlocks         L  the same with a deadline  t  if it is free
//   w  the same with the rwmutex, as a writer      W                            v
//   r  as a reader                                 R                            s
//   a  takes a permit of the semaphore, gives it   A                            b
//   p  gives a permit          q  gives two
//   c  waits with the condition for the flag       C  the same with a deadline
//   d  sets the flag and broadcasts, locked        e  broadcasts after it has unlocked
//   f  sets the flag and signals, locked
//
// By tickets, as JavaScript does; in the second column the ticket is cancelled after it has begun:
//
//   x  locks the mutex     X      o  with a ticket of its own, which is told when to try
//   y  writes              Y      z  reads               Z
//   i  takes a permit      I      k  waits for the flag  K
typedef struct {
  const char *text;
  int permits;  // at the beginning
  bool starves; // who waits for a mutex may find that it has done so for more than a millisecond
  int timeouts; // of a plain thread's waits that may end by themselves
  int bound;    // 0: all interleavings; else with at most so many preemptions
  int left;     // permits that nobody has taken at the end
} sync_program;

// A violation has been reported when it returns.
model_result sync_explore(const sync_program *p);

#endif
