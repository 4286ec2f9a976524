// Behaviour 94 of docs/behaviours.md: recovering through wrappers. Where Go's compiler writes one
// (for a method of a value that is called by a pointer, or by an interface) or reflect calls, C has
// a function that calls another, or one of a table: the panic goes the same way, as the argument.
#include "panic_util.h"

// Receivers of several sizes: in a register, in several, in memory.
typedef struct {
  uint8_t number;
} small;
typedef struct {
  int64_t number, rest[2];
} middle;
typedef struct {
  int64_t rest[100], number;
} large;

// A method, with a receiver by value; and the wrapper by which it is called with a pointer.
#define METHOD(T)                                                                                  \
  static __attribute__((noinline)) void T##_method(T self, bw_panicking *panicking) {              \
    const bw_panic_info *info = bw_recover(panicking);                                             \
    say("%d(%s) ", (int)self.number, info ? info->message : "nil");                                \
  }                                                                                                \
  static void T##_by_pointer(void *self, bw_panicking *panicking) {                                \
    T##_method(*(T *)self, panicking);                                                             \
  }
METHOD(small)
METHOD(middle)
METHOD(large)

// An interface: what to call is found at run time.
typedef struct {
  void (*method)(void *self, bw_panicking *panicking);
  void *self;
} face;
static void by_interface(void *of, bw_panicking *panicking) {
  const face *f = of;
  f->method(f->self, panicking);
}

// A wrapper that defers something itself, and one that hands nothing on.
static void by_deferring(void *of, bw_panicking *panicking) {
  BW_DEFER_SCOPE;
  BW_DEFER(say_word, "wrapper");
  by_interface(of, panicking);
}
static void by_nobody(void *of, bw_panicking *panicking) {
  CHECK(panicking != NULL);
  by_interface(of, NULL);
}

static bool stopped_by(void (*deferred)(void *, bw_panicking *), void *arg) {
  BW_DEFER_SCOPE;
  BW_ON_RECOVER() return true;
  BW_DEFER(deferred, arg);
  bw_panic("1");
  return false;
}

static void not_stopped(void *of) { stopped_by(by_nobody, of); }

BOTH_TEST(panic_b94_recover_through_wrappers) {
  static large c = {.number = 30};
  small a = {10};
  middle b = {.number = 20};
  CHECK(stopped_by(small_by_pointer, &a));
  CHECK(stopped_by(middle_by_pointer, &b));
  CHECK(stopped_by(large_by_pointer, &c));
  CHECK_TRACE("10(1) 20(1) 30(1) ");
  face faces[] = {{small_by_pointer, &a}, {middle_by_pointer, &b}, {large_by_pointer, &c}};
  for (int i = 0; i < 3; i++) {
    face again = {by_interface, &faces[i]}, third = {by_interface, &again};
    CHECK(stopped_by(by_interface, &third));
    CHECK(stopped_by(by_deferring, &again));
  }
  CHECK_TRACE("10(1) 10(1) wrapper 20(1) 20(1) wrapper 30(1) 30(1) wrapper ");
}

BOTH_TEST(panic_b94_not_where_it_is_not_handed_on) {
  small a = {10};
  face f = {small_by_pointer, &a};
  caught what;
  CHECK(panics(not_stopped, &f, &what));
  CHECK_STR(what.text, "1");
  CHECK_TRACE("10(nil) ");
}

// The wrapper has recovered before it hands the panic on: the method finds none.
static void by_recovering(void *of, bw_panicking *panicking) {
  CHECK(bw_recover(panicking) != NULL);
  by_interface(of, panicking);
}
BOTH_TEST(panic_b94_once_through_a_wrapper) {
  small a = {10};
  face f = {small_by_pointer, &a};
  CHECK(stopped_by(by_recovering, &f));
  CHECK_TRACE("10(nil) ");
}
