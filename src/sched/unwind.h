// Deferred calls and panics of a goroutine: what defer.c, panic.c and fatal.c share.
//
// A goroutine, or a plain thread, has two lists, both with the innermost first: its open scopes, in
// the frames that opened them, and its panics, in the frames of bw_panic and bw_goexit (which is a
// panic that nobody can recover from). Nobody else ever looks at them, so there are no locks.
//
//   frames (older to newer):  f     g     panic 1   deferred call   panic 2   deferred call
//   scopes:                   S(f)  S(g)                S(d)
//
// I1  A panic runs the calls of u->scopes, the innermost first, each taken off its scope before it
//     is made. A scope leaves the list when it has none left.
// I2  A panic that makes a call of scope s has `scope` == s, and all scopes that the call opens are
//     inside s. So when a newer panic comes to s, the call of the older one will never return: the
//     older one is `aborted`.
// I3  Aborted panics are the newest on the list, below the one that runs.
// I4  When a panic comes to a scope whose call with a copied argument is under way, it has ended
//     that call. The argument may be its value: so it takes the record, and keeps it until it
//     leaves the list.
//
// When a call has returned and recovered its panic, control jumps to the scope. That is an older
// frame than those of the aborted panics: they leave the list. If one of them is a Goexit, control
// jumps to it instead, and it goes on with the scopes that are left.
#ifndef BURROW_SCHED_UNWIND_H
#define BURROW_SCHED_UNWIND_H

#include <burrow/defer.h>

#include "base/config.h"

typedef struct bw__unwind {
  bw_scope *scopes;
  struct bw_panicking *panics;
} bw__unwind;

enum { BW_PANIC_TEXT = 256 };

// Where a panic was raised: in the program's text; or (file is NULL) in which function of the
// library; or (func is NULL, too) the address behind the call, NULL: not known. The strings are
// literals of the program or library.
typedef struct bw__panic_place {
  const char *file;
  int line;
  const char *func;
  void *address;
} bw__panic_place;

struct bw_panicking {
  bw_panic_info info; // first: bw_panic_again and bw_panic_text find the panic by it
  void (*write)(void *value, char *text, size_t room);
  struct bw_panicking *link; // older
  bw_scope *scope;           // whose call it makes
  bw__jump *back;            // of a Goexit: where it goes on when a panic is recovered; else NULL
  bw__defer_record *ended;   // of calls that it has ended, with their arguments; linked by `older`
  uintptr_t divided_at;      // the instruction, if a signal told of the panic; else 0
  bool recovered, aborted;
  bool repanicked; // the next newer one is the same again
  bool printing;   // `write` is being called
  char *text;      // BW_PANIC_TEXT bytes; NULL in a Goexit
  bw__panic_place where;
};

// The calling goroutine's, or thread's. Never keep the result of a thread across a switch (it has
// none); that of a goroutine stays.
bw__unwind *bw__unwind_here(void);
// The thread's own, without a goroutine: hidden while it serves as an M. Returns what was there.
bw__unwind bw__unwind_thread_swap(bw__unwind now);

// Makes the newest call of s. False: there was none. `p`: for those who take it.
bool bw__scope_next(bw_scope *s, bw_panicking *p);

// The record of a call with a copied argument that is under way or the last to return: takes it
// from s, or gives it back. NULL is none.
bw__defer_record *bw__scope_take_running(bw_scope *s);
void bw__scope_free_records(bw__defer_record *r);

// Runs all scopes' calls at the end of a goroutine. Returns when none are left.
void bw__unwind_for_exit(bw__unwind *u);

// The library's own bw_panic, and the same for what Go counts as a runtime.Error. `func` is the
// public function that was called, as far as that is known. The caller holds no lock.
_Noreturn void bw__panic_in(const char *func, const char *format, ...) BW_PRINTF(2, 3);
_Noreturn void bw__panic_runtime_in(const char *func, const char *format, ...) BW_PRINTF(2, 3);
#define bw__panic(...)         bw__panic_in(__func__, __VA_ARGS__)
#define bw__panic_runtime(...) bw__panic_runtime_in(__func__, __VA_ARGS__)
// A runtime.Error of the program's text.
_Noreturn void bw__panic_runtime_of(const bw__panic_place *where, const char *format, ...)
    BW_PRINTF(2, 3);

// The same, `what` being "runtime error: " shorter, for the division at pc that has faulted.
_Noreturn void bw__panic_divide(uintptr_t pc, const char *what);

// divide.c. At the start of the runtime, again does no harm: from now on divisions by zero that the
// processor refuses panic.
void bw__divide_watch(void);

// fatal.c. Fatal, with `what` in its words, if one of p and the older panics is having its value's
// text written.
void bw__uncaught_check(const bw_panicking *p, const char *what);
// Prints p and all older ones, then the goroutine, and ends the program.
_Noreturn void bw__uncaught(bw_panicking *p);

#endif
