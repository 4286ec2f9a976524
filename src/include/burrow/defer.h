/// @file defer.h  Deferred calls, panics and recovering from them.
///
///     static void close_file(void *arg) { fclose(arg); }
///
///     static int count_lines(const char *path) {
///       BW_DEFER_SCOPE;                     // deferred calls run when this block is left
///       FILE *f = fopen(path, "r");
///       if (!f) return -1;
///       BW_DEFER(close_file, f);            // called last, whichever way the block is left
///       int lines = 0;
///       for (int c; (c = getc(f)) != EOF;) lines += c == '\n';
///       return lines;
///     }
///
///     printf("%d\n", count_lines("no such file")); // prints -1
///
/// A scope is a block: `return`, `break`, `goto` and falling off its end all leave it, and then
/// what was deferred in it is called, last first. So is it when the goroutine panics, or ends by
/// bw_goexit. Function and argument are evaluated where BW_DEFER stands.
///
/// bw_panic, and the library where Go panics (`send on closed channel`, `index out of range [5]
/// with length 3`), begin a panic. As in Go nothing is unwound at first: the deferred calls of all
/// open scopes, the innermost first, run on top of the frames that panic. When none of them
/// recovers, the program ends with exit status 2 and says what, on which goroutine, and where:
///
///     > panic: runtime error: index out of range [5] with length 3
///     >
///     > goroutine 1 [running]:
///     >   panic in element at table.c:12
///
/// (Of nested panics the newest first; the rest of the goroutine's lines is that of bw_debug_dump.)
/// The place is that of bw_panic, or of the macro that looked at an index, a bound or a divisor, in
/// the program's text. (These macros know it by __func__, so they cannot stand outside of
/// functions.) Panics of other functions of the library name the function alone, or the one below
/// it or the room that it shares its code with (`bw_select`, `bw_once`, `bw_context`). Errors of
/// indices, bounds and division begin with "runtime error: ", as in Go, which the headers leave
/// out. A deferred call may recover, if it takes the panic as its second parameter:
///
///     static void rescue(void *arg, bw_panicking *panicking) {
///       const bw_panic_info *info = bw_recover(panicking);
///       if (info) *(int *)arg = -1;
///     }
///
///     static int element(bw_slice s, ptrdiff_t i) {
///       int result = 0;
///       BW_DEFER_SCOPE;
///       BW_ON_RECOVER(result) return result; // where this function goes on then
///       BW_DEFER(rescue, &result);
///       result = *BW_AT(int, s, i);         // panics when i is out of range
///       return result;
///     }
///
///     int three[] = {7, 8, 9};
///     bw_slice s = bw_slice_of(three, 3);
///     printf("%d %d\n", element(s, 2), element(s, 5)); // prints 9 -1
///
/// When `rescue` has recovered and returned, the rest of the scope's deferred calls run, and then
/// control is behind BW_ON_RECOVER. Frames in between are gone, as after C's longjmp: what they own
/// and have not deferred is lost. (Attributes `cleanup` other than these, and destructors of C++,
/// do not run.)
///
/// Goroutines and plain threads may use all of it but for bw_goexit. A panic never leaves its
/// goroutine or thread, and ends the program where it would: in a goroutine's first function, and
/// likewise from what bw_blocking calls to its caller, and from goroutines to the thread that has
/// called bw_run. (bw_after_func's function has a goroutine of its own.) When the main goroutine
/// returns, the others end where they are, and what they have deferred is not called. Signals that
/// tell of wild pointers are not made panics: C code may be anywhere then, in malloc for one.
/// (Those that tell of a division by zero are: see bw_div.) A scope must not be left by a longjmp
/// of the program's own.
///
/// Scopes (BW_DEFER_SCOPE and all of BW_DEFER_... and BW_ON_RECOVER) are C only: in C++ destructors
/// do their work, and a panic does not run them. C++ may panic, and be called by what recovers.
#ifndef BURROW_DEFER_H
#define BURROW_DEFER_H

#include <burrow/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// How control comes back to a scope: by assembly of our own where CMake says that there is some,
// else, under sanitizers and on wasm, by C's longjmp. The library and the program must agree: one
// compiled without burrow::burrow's settings needs -DBW_JUMP_OWN=1 for a native library without
// sanitizers. Where they do not agree, bw__jump_is_own or bw__jump_is_longjmp is missing at the
// link.
#if !BW_JUMP_OWN
#include <setjmp.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

// ---- panics -------------------------------------------------------------------------------------

/// Panics with a message, cut to 255 bytes. The conversions are %s %c %d %u %x %p %zu %td %lld %llu
/// and %%.
///
/// It and the two others that raise a panic are macros that pass on where they stand, and functions
/// of the same names, for pointers: `(bw_panic)("...")`. Then the report has the address of the
/// call, natively, and on wasm nothing.
BW_NORETURN void bw_panic(const char *format, ...) __attribute__((format(printf, 1, 2)));
BW_NORETURN void bw__panic_at(BW__PLACE_ARG, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
#define bw_panic(...) bw__panic_at(BW__PLACE, __VA_ARGS__)

/// Panics with a value, which must live until the panic is over: recovered, and the function that
/// recovered returned. `write`, or NULL, is called when nobody recovers, on the goroutine, and puts
/// at most `room` bytes with the NUL into `text`, which is empty before. It may do what it likes; a
/// panic that leaves it is `fatal error: panic while printing panic value`.
BW_NORETURN void bw_panic_value(void *value, void (*write)(void *value, char *text, size_t room));
BW_NORETURN void bw__panic_value_at(BW__PLACE_ARG, void *value,
                                    void (*write)(void *value, char *text, size_t room));
#define bw_panic_value(...) bw__panic_value_at(BW__PLACE, __VA_ARGS__)

/// What a panic is about.
typedef struct bw_panic_info {
  void *value;         ///< bw_panic_value's; else NULL
  const char *message; ///< bw_panic's; NULL for a value
  bool runtime_error;  ///< the library's own, as Go's runtime.Error; has a message
} bw_panic_info;

/// The panic that runs a deferred call.
typedef struct bw_panicking bw_panicking;

/// Stops the panic: control goes to the BW_ON_RECOVER of the scope whose deferred call this is,
/// when that has returned. What the result points to lives until then. NULL, and nothing happens:
/// there is no panic (`p` is NULL), or it was recovered already, or it is not the newest panic of
/// this goroutine, or the scope whose call it runs has no BW_ON_RECOVER (`p` was kept from an
/// earlier call then). Go's recover asks whether the deferred function itself calls it; here that
/// function alone has `p`, and may hand it on.
const bw_panic_info *bw_recover(bw_panicking *p);

/// Panics again with what was recovered: Go's panic(recover()). Uncaught, it is printed as one,
/// `panic: MESSAGE [recovered, repanicked]`.
BW_NORETURN void bw_panic_again(const bw_panic_info *info);
BW_NORETURN void bw__panic_again_at(BW__PLACE_ARG, const bw_panic_info *info);
#define bw_panic_again(...) bw__panic_again_at(BW__PLACE, __VA_ARGS__)

/// Writes to `text` what follows "panic: " when nobody recovers, cut to `room` bytes with the NUL.
/// Calls the value's `write`. `info` is what bw_recover gave.
void bw_panic_text(const bw_panic_info *info, char *text, size_t room);

/// Ends the calling goroutine (runtime.Goexit) after all its deferred calls have run; no other is
/// affected. They see no panic; one that was under way is dropped. A panic of theirs takes its
/// course, and when it is recovered the goroutine ends all the same. When the main goroutine ends
/// in this way the others go on, and once they have ended, the program ends with "fatal error: no
/// goroutines (main called runtime.Goexit) - deadlock!". Only on a goroutine. May park.
BW_NORETURN void bw_goexit(void);

// ---- integer division ---------------------------------------------------------------------------

BW_NORETURN void bw__divide_by_zero(BW__PLACE_ARG);
static inline int64_t bw__div(BW__PLACE_ARG, int64_t n, int64_t by) {
  if (by == 0) bw__divide_by_zero(BW__PLACE_ON);
  return by == -1 ? (int64_t)(0 - (uint64_t)n) : n / by;
}
static inline int64_t bw__mod(BW__PLACE_ARG, int64_t n, int64_t by) {
  if (by == 0) bw__divide_by_zero(BW__PLACE_ON);
  return by == -1 ? 0 : n % by;
}

/// Go's n / by and n % by, on all targets: zero for `by` panics with "runtime error: integer divide
/// by zero", which can be recovered from exactly as from bw_panic. INT64_MIN / -1 is INT64_MIN, and
/// INT64_MIN % -1 is 0.
///
/// C's own `/` and `%` have no such behaviour, only the hardware's:
///
/// - x86-64: the processor faults. On a goroutine, and on a plain thread in a scope that has
///   deferred something, that is the same panic ("runtime error: integer overflow" for INT_MIN /
///   -1, the same fault; Go's compiler makes it INT_MIN), from the first bw_run on, in libraries'
///   code as well. When nobody recovers, "[signal SIGFPE: floating-point exception code=0x1 addr=A
///   pc=A]" is printed behind the message. Elsewhere, and when SIGFPE is blocked, the signal takes
///   its course: a handler that the program had before bw_run is called, or the program dies of it.
///   A handler that is installed later replaces all this. Handlers of other signals should not
///   divide by zero: a panic that begins on their goroutine's stack leaves them as longjmp would.
/// - arm64: n / 0 is 0, n % 0 is n, and nothing tells.
/// - WebAssembly: the engine ends the program ("divide by zero", "divide result unrepresentable"),
///   and nothing in C can recover.
///
/// And to the compiler it is undefined. It may find the result without a division, leave out one
/// whose result nobody uses, and move one over stores; and where it sees that the code a scope
/// calls divides, but defers and panics nothing, it may leave out what a BW_DEFER of that scope has
/// noted (gcc does). So the function that divides should be one that the compiler cannot look into
/// from the scope: of another source file, called through a volatile pointer, or gcc's `noipa`.
/// bw_div has none of these troubles.
///
/// UndefinedBehaviorSanitizer ends the program before C's own division; the other sanitizers change
/// nothing.
static inline int64_t bw_div(int64_t n, int64_t by) { return bw__div(NULL, 0, __func__, n, by); }
static inline int64_t bw_mod(int64_t n, int64_t by) { return bw__mod(NULL, 0, __func__, n, by); }
#define bw_div(...) bw__div(BW__PLACE, __VA_ARGS__)
#define bw_mod(...) bw__mod(BW__PLACE, __VA_ARGS__)

// ---- looking ------------------------------------------------------------------------------------

/// The forms of a deferred call, as in Go: see BW_DEFER_SCOPE.
typedef enum bw_defer_form { BW_DEFER_OPEN, BW_DEFER_STACK } bw_defer_form;

typedef struct bw_defer_view {
  bw_defer_form form;     ///< of the scope
  unsigned bits;          ///< BW_DEFER_OPEN: Go's deferBits: which places' calls are pending
  unsigned stack_records; ///< pending
  unsigned heap_records;  ///< pending
} bw_defer_view;

/// The caller's open scopes that have deferred something, the innermost first: fills in at most
/// `most` and returns how many there are.
size_t bw_defer_look(bw_defer_view *views, size_t most);

// ---- scopes -------------------------------------------------------------------------------------

// A deferred function with its type forgotten: `takes` says which of the two it has.
typedef void (*bw__deferred_fn)(void);

// An open-coded call.
typedef struct bw__defer_slot {
  bw__deferred_fn fn;
  void *arg;
} bw__defer_slot;

// A call with a record, in the frame or on the heap.
typedef struct bw__defer_record {
  struct bw__defer_record *older;
  bw__deferred_fn fn;
  void *arg;
  bool takes;  // a bw_panicking
  bool heap;   // to be freed
  bool copied; // arg lies behind the record
} bw__defer_record;

// In the frame, with its slots or records behind it: what the goroutine's panics look at. It is on
// the goroutine's list from the first BW_DEFER on.
typedef struct bw_scope {
  struct bw_scope *up;       // the next outer one
  uint16_t bits;             // pending slots; BW__DEFER_RECORDS
  uint8_t takes;             // which slots' functions take a bw_panicking
  uint8_t is;                // BW__SCOPE_...: which of the following there are
  bw__defer_record *records; // the newest first
  bw__defer_record *running; // its call is under way, and its argument lies in it
  struct bw__jump *jump;     // BW_ON_RECOVER's
} bw_scope;

enum {
  BW__DEFER_SLOTS = 8,
  BW__DEFER_RECORDS = 0x100, // there are records, which are newer than all slots
  BW__SCOPE_OPEN = 1,        // the form: slots
  BW__SCOPE_JUMP = 2,
  BW__SCOPE_RUNNING = 4
};

// What the function that opened the scope keeps of it to itself, so that compilers have it in
// registers or know it: memory that is written on the way in and read on the way out is what the
// processor would wait for, and what calls might have changed.
typedef struct bw__scope_keep {
  bw_scope *scope;
  struct bw_scope **home; // the list's head: stays when the goroutine moves
  bw_scope *up;
  unsigned used;                         // all that `bits` had; 0: not on the list
  unsigned takes;                        // as in the scope
  unsigned places;                       // not open: up to which they are used
  bool open;                             // as well
  bw__defer_slot slots[BW__DEFER_SLOTS]; // as in the frame
} bw__scope_keep;

bw_scope **bw__scope_home(void);
void bw__scope_run(bw_scope *s);
void bw__scope_end(bw_scope *s);
void bw__defer_on_heap(bw_scope *s, bw__deferred_fn fn, bool takes, void *arg);
void bw__defer_copied(bw_scope *s, bw__deferred_fn fn, bool takes, const void *arg, size_t size);
BW_NORETURN void bw__defer_nil(void);
BW_NORETURN void bw__defer_unprepared(void);

#if BW_JUMP_OWN
typedef struct bw__jump {
  void *word[24]; // port/posix/jump_*.S
  bw__scope_keep *keep;
} bw__jump;
int bw__jump_mark(bw__jump *j) __attribute__((returns_twice));
extern const char bw__jump_is_own;
#define BW__JUMP_IS        bw__jump_is_own
#define BW__JUMP_MARK(ptr) bw__jump_mark(ptr)
#else
typedef struct bw__jump {
  jmp_buf buf;
  bw__scope_keep *keep;
} bw__jump;
extern const char bw__jump_is_longjmp;
#define BW__JUMP_IS        bw__jump_is_longjmp
#define BW__JUMP_MARK(ptr) setjmp((ptr)->buf)
#endif

#ifdef __cplusplus
}
#else

#define BW__INLINE static inline __attribute__((always_inline))

BW__INLINE void bw__scope_begin(bw__scope_keep *k, bw_scope *s, bool open) {
  s->bits = 0;
  s->takes = 0;
  s->is = open ? BW__SCOPE_OPEN : 0;
  k->up = NULL;
  k->home = NULL;
  k->scope = s;
  k->used = k->takes = k->places = 0;
  k->open = open;
}

BW__INLINE void bw__scope_link(bw__scope_keep *k) {
  bw_scope *s = k->scope;
  k->home = bw__scope_home();
  k->up = s->up = *k->home;
  *k->home = s;
}

BW__INLINE void bw__defer(bw__scope_keep *k, void *room, unsigned i, unsigned rooms, bool open,
                          bw__deferred_fn fn, bool takes, void *arg) {
  bw_scope *s = k->scope;
  if (takes && !(s->is & BW__SCOPE_JUMP)) bw__defer_unprepared();
  if (!k->used) bw__scope_link(k);
  if (i >= rooms && rooms) i = rooms - 1;
  if (open && i < rooms && !(k->used >> i)) {
    ((bw__defer_slot *)room)[i] = k->slots[i] = (bw__defer_slot){fn, arg};
    if (takes) s->takes = (uint8_t)(k->takes |= 1u << i);
    s->bits = (uint16_t)(k->used |= 1u << i);
  } else if (!open && i < rooms && k->places <= i) {
    bw__defer_record *r = (bw__defer_record *)room + i;
    r->older = s->bits ? s->records : NULL;
    r->fn = fn;
    r->arg = arg;
    r->takes = takes;
    r->heap = r->copied = false;
    s->records = r;
    s->bits = BW__DEFER_RECORDS;
    k->used |= BW__DEFER_RECORDS;
    k->places = i + 1;
  } else {
    bw__defer_on_heap(s, fn, takes, arg);
    k->used |= BW__DEFER_RECORDS;
  }
}

BW__INLINE void bw__defer_copy(bw__scope_keep *k, bw__deferred_fn fn, bool takes, const void *arg,
                               size_t size) {
  if (takes && !(k->scope->is & BW__SCOPE_JUMP)) bw__defer_unprepared();
  if (!k->used) bw__scope_link(k);
  bw__defer_copied(k->scope, fn, takes, arg, size);
  k->used |= BW__DEFER_RECORDS;
}

// Makes the call of slot i, if it is pending, which compilers know.
BW__INLINE void bw__scope_call(bw__scope_keep *k, unsigned i) {
  if (!(k->used >> i & 1)) return;
  bw__defer_slot slot = k->slots[i];
  k->scope->bits = (uint16_t)(k->used & ((1u << i) - 1));
  if (!slot.fn) bw__defer_nil();
  if (k->takes >> i & 1)
    ((void (*)(void *, bw_panicking *))slot.fn)(slot.arg, NULL);
  else
    ((void (*)(void *))slot.fn)(slot.arg);
}

// Where it is known which slots are pending, the calls are made right here.
BW__INLINE void bw__scope_leave(bw__scope_keep *k) {
  if (!k->used) return;
  if (k->open && __builtin_constant_p(k->used) && !(k->used & BW__DEFER_RECORDS)) {
    bw__scope_call(k, 7);
    bw__scope_call(k, 6);
    bw__scope_call(k, 5);
    bw__scope_call(k, 4);
    bw__scope_call(k, 3);
    bw__scope_call(k, 2);
    bw__scope_call(k, 1);
    bw__scope_call(k, 0);
  } else {
    bw__scope_run(k->scope);
  }
  *k->home = k->up;
  k->used = 0;
}

BW__INLINE void bw__scope_jump(bw__scope_keep *k, bw__jump *j) {
  __asm__ volatile("" ::"r"(&BW__JUMP_IS)); // does not link with the other kind
  j->keep = k;
  k->scope->jump = j;
  k->scope->is |= BW__SCOPE_JUMP;
}

// The variable of the jump ends before the scope's, but the calls may still need it.
BW__INLINE void bw__jump_leave(bw__jump *j) { bw__scope_leave(j->keep); }

// Control has jumped back, and what `k` has is from before.
BW__INLINE bool bw__scope_recovered(bw__scope_keep *k, bw_scope *s) {
  bw__scope_end(s);
  k->used = 0;
  return true;
}

#ifdef __OPTIMIZE__
#define BW__DEFER_OPTIMISED 1
#else
#define BW__DEFER_OPTIMISED 0
#endif

// A scope inside another hides its names on purpose.
#define BW__DEFER_SCOPE(is_open, n)                                                                \
  _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wshadow\"") enum {             \
    bw__scope_open_ = (is_open),                                                                   \
    bw__scope_rooms_ = (n),                                                                        \
    bw__scope_first_ = __COUNTER__ + 1                                                             \
  };                                                                                               \
  struct {                                                                                         \
    bw_scope scope;                                                                                \
    union {                                                                                        \
      bw__defer_slot slots[(is_open) ? (n) : 1];                                                   \
      bw__defer_record records[(is_open) ? 1 : (n)];                                               \
    } room;                                                                                        \
  } bw__frame_;                                                                                    \
  bw__scope_keep bw__scope_ __attribute__((cleanup(bw__scope_leave)));                             \
  _Pragma("GCC diagnostic pop") bw__scope_begin(&bw__scope_, &bw__frame_.scope, (is_open))

/// Opens a scope that ends with the block it stands in. There may be one in a block, and scopes in
/// scopes. BW_DEFER and BW_ON_RECOVER belong to the innermost scope around them. Costs nothing but
/// a few stores until something is deferred.
///
/// Each BW_DEFER of the text has a place in the frame, 0 to 7: the first behind BW_DEFER_SCOPE has
/// place 0, the next place 1. C counts through the text, so a scope inside that stands between two
/// of them takes up places of this one as well: one, and one for each BW_DEFER in it. All from the
/// eighth on share place 7. A BW_DEFER whose place, or a later one, is in use (in a loop, or a
/// ninth) takes a record from the heap. In optimised builds the places are open-coded: function,
/// argument and a bit that says whether it is pending (bit n is place n); records are newer than
/// all bits, so once one was taken, those behind it in the scope take records, too. Else the places
/// are records in the frame, in one list with those from the heap.
///
/// (Go open-codes a function's calls only when there are at most eight, none in a loop, and at most
/// 15 when multiplied with its returns, each of which gets a copy of the code that makes the calls.
/// Here that code exists once. Go's choice, in one's own words, is one of the next two.)
#define BW_DEFER_SCOPE BW__DEFER_SCOPE(BW__DEFER_OPTIMISED, BW__DEFER_SLOTS)

/// As BW_DEFER_SCOPE with room for `defers` calls in the frame, and Go's choice of the form:
/// open-coded when defers <= 8, defers * returns <= 15 and the build is optimised, else records.
/// Both are constants, and `defers` is the number of places: with scopes inside, see above. More
/// calls than were told take records from the heap.
#define BW_DEFER_SCOPE_FOR(defers, returns)                                                        \
  BW__DEFER_SCOPE(                                                                                 \
      BW__DEFER_OPTIMISED && (defers) <= BW__DEFER_SLOTS && (defers) * (returns) <= 15, (defers))

/// As BW_DEFER_SCOPE with room for `defers` calls in the frame, for a scope that has a BW_DEFER in
/// a loop: as in Go never open-coded. What the loop comes to again takes records from the heap, and
/// the BW_DEFERs before and behind it do not.
#define BW_DEFER_SCOPE_LOOP(defers) BW__DEFER_SCOPE(0, (defers))

// Whether fn takes a bw_panicking; does not compile when it is neither of the two types.
#define BW__DEFER_TAKES(fn)                                                                        \
  _Generic((fn), void (*)(void *, bw_panicking *) : true, void (*)(void *) : false)

/// BW_DEFER(fn, arg): defers fn(arg), or fn(arg, panicking) with NULL when the scope is not left by
/// a panic. `fn` is a void (*)(void *) or a void (*)(void *, bw_panicking *); the latter needs a
/// BW_ON_RECOVER before it in the scope, or it is a fatal error. When `fn` is NULL, it is its call
/// that panics. `arg` is passed on as it is: it lives longer than the scope, or is a variable of
/// the scope's own block that is declared before BW_DEFER_SCOPE. Does not park. When a record is
/// needed and there is no memory for it, fn(arg) is called at once and "runtime error: out of
/// memory" is the panic.
#define BW_DEFER(fn, ...)                                                                          \
  bw__defer(&bw__scope_, &bw__frame_.room, __COUNTER__ - bw__scope_first_, bw__scope_rooms_,       \
            bw__scope_open_, (bw__deferred_fn)(fn), BW__DEFER_TAKES(fn), (__VA_ARGS__))

/// BW_DEFER_COPY(fn, value): as BW_DEFER for an argument that is copied now: `value` is a variable
/// or any other expression, and fn gets a pointer to the copy, aligned to 16, which lives until fn
/// has returned, or the panic that fn has ended with is over: it may be that panic's value. On the
/// heap.
#define BW_DEFER_COPY(fn, ...)                                                                     \
  __extension__({                                                                                  \
    __typeof__((__VA_ARGS__)) bw__value_ = (__VA_ARGS__);                                          \
    bw__defer_copy(&bw__scope_, (bw__deferred_fn)(fn), BW__DEFER_TAKES(fn), &bw__value_,           \
                   sizeof bw__value_);                                                             \
  })

/// BW_ON_RECOVER(VARIABLES) STATEMENT stands right behind BW_DEFER_SCOPE, where the statement is
/// not executed. It is when a deferred call of this scope has recovered from a panic, after the
/// rest of them, and must leave the scope: `return`, `goto`, `break`. VARIABLES, none to four, are
/// those that are used from there on and that may have changed since: as with C's setjmp old values
/// of others that are not volatile may be seen. (Name those as well that gcc's -Wclobbered names.)
#define BW_ON_RECOVER(...)                                                                         \
  _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wshadow\"") bw__jump bw__jump_ \
      __attribute__((cleanup(bw__jump_leave)));                                                    \
  _Pragma("GCC diagnostic pop") bw__scope_jump(&bw__scope_, &bw__jump_);                           \
  BW__KEEP(__VA_ARGS__);                                                                           \
  if (BW__JUMP_MARK(&bw__jump_) && bw__scope_recovered(&bw__scope_, &bw__frame_.scope))

// From here on the variable is in memory at each call. (gcc knows that a call may come back to
// bw__jump_mark; clang does not.)
#define BW__KEPT(x) __asm__ volatile("" ::"r"(&(x)) : "memory")
#define BW__KEEP(...)                                                                              \
  BW__KEEP_PICK(__VA_ARGS__, BW__KEEP_4, BW__KEEP_3, BW__KEEP_2, BW__KEEP_01, )(__VA_ARGS__)
#define BW__KEEP_PICK(a, b, c, d, count, ...) count
// None or one: behind none, the parentheses make a comma of BW__KEEP_COMMA.
#define BW__KEEP_01(a)                        BW__KEEP_IF(BW__KEEP_COMMA a(), BW__KEEP_0, BW__KEEP_1, )(a)
#define BW__KEEP_IF(...)                      BW__KEEP_THIRD(__VA_ARGS__)
#define BW__KEEP_THIRD(a, b, c, ...)          c
#define BW__KEEP_COMMA()                      ,
#define BW__KEEP_0(a)                         (void)0
#define BW__KEEP_1(a)                         BW__KEPT(a)
#define BW__KEEP_2(a, b)                                                                           \
  BW__KEPT(a);                                                                                     \
  BW__KEPT(b)
#define BW__KEEP_3(a, b, c)                                                                        \
  BW__KEEP_2(a, b);                                                                                \
  BW__KEPT(c)
#define BW__KEEP_4(a, b, c, d)                                                                     \
  BW__KEEP_3(a, b, c);                                                                             \
  BW__KEPT(d)

/// Makes the innermost scope's deferred calls now, and returns `value`, evaluated after them: for a
/// result that they may set. (`return value` evaluates it before them.)
#define BW_DEFER_RETURN(value)                                                                     \
  do {                                                                                             \
    bw__scope_leave(&bw__scope_);                                                                  \
    return value;                                                                                  \
  } while (0)

/// Go's `defer recover()`, which stops a panic only when it stands in a deferred function that the
/// panic runs: `panicking` is what that has got, and its scope needs no BW_ON_RECOVER. In the scope
/// that panics there is nothing to give, and NULL does nothing.
#define BW_DEFER_RECOVER(panicking) BW_DEFER(bw__recover_deferred, (panicking))
void bw__recover_deferred(void *panicking);

#endif
#endif
