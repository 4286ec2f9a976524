// Where a panic was raised, as the report of one that nobody recovers has it. #line gives what is
// raised here a file, and lines that the tests know.
#include "panic_util.h"

static int on_main(void *fn) {
  ((void (*)(void))(intptr_t)fn)();
  return 0;
}
static void run_main(void (*fn)(void)) { test_run(on_main, (void *)(intptr_t)fn, 1); }

// Kept from the compiler, which would see what is out of range.
static volatile ptrdiff_t three = 3, five = 5;
static int element = 7;
BW_ARRAY_TYPE(int, 3);
static BW_SLICE(int) numbers(void) { return BW_SLICE_OF(int, &element, 1); }

// ---- the program's own --------------------------------------------------------------------------

#line 10 "shop.c"
static void order(void) { bw_panic("sold out"); }
#line 20
static void order_value(void) { bw_panic_value(&element, NULL); }
static void order_deferred(void *arg) {
  CHECK(!arg);
  order();
}
static void again(void *arg, bw_panicking *panicking) {
  CHECK(!arg);
#line 30
  bw_panic_again(bw_recover(panicking));
}
static void another(void *arg, bw_panicking *panicking) {
  CHECK(!arg && bw_recover(panicking));
#line 40
  bw_panic("closed, too");
}

static void and_again(void) {
  BW_DEFER_SCOPE;
  BW_ON_RECOVER() return;
  BW_DEFER(again, NULL);
  order();
}
static void and_another(void) {
  BW_DEFER_SCOPE;
  BW_ON_RECOVER() return;
  BW_DEFER(another, NULL);
  order();
}
static void exit_and_order(void) {
  BW_DEFER_SCOPE;
  BW_DEFER(order_deferred, NULL);
  bw_goexit();
}

DEATH_TEST(panic_place, 2,
           "panic: sold out\n\ngoroutine 1 [running]:\n  panic in order at shop.c:10\n  main fn ") {
  run_main(order);
}
DEATH_TEST(panic_place_on_a_plain_thread, 2, "[running]\n  panic in order at shop.c:10\n") {
  order();
}
DEATH_TEST(panic_place_of_a_value, 2, "  panic in order_value at shop.c:20\n") {
  run_main(order_value);
}
DEATH_TEST(panic_place_of_one_that_is_raised_again, 2,
           "panic: sold out [recovered, repanicked]\n\ngoroutine 1 [running]:\n"
           "  panic in again at shop.c:30\n  panic in order at shop.c:10\n  main fn ") {
  run_main(and_again);
}
DEATH_TEST(panic_place_of_one_that_was_recovered, 2,
           "panic: sold out [recovered]\n\tpanic: closed, too\n\ngoroutine 1 [running]:\n"
           "  panic in another at shop.c:40\n  panic in order at shop.c:10\n  main fn ") {
  run_main(and_another);
}
DEATH_TEST(panic_place_in_a_goexit, 2, "[running]:\n  panic in order at shop.c:10\n  main fn ") {
  run_main(exit_and_order);
}

// By pointer the address is all there is, where a program can see its stack.
static void by_pointer(void) {
  void (*volatile raise)(const char *format, ...) = bw_panic;
  raise("from afar");
}
#ifdef __wasm__
#define BY_POINTER "[running]:\n  main fn "
#else
#define BY_POINTER "[running]:\n  panic at 0x"
#endif
DEATH_TEST(panic_place_by_pointer, 2, "panic: from afar\n\ngoroutine 1 " BY_POINTER) {
  run_main(by_pointer);
}

// ---- indexes and bounds -------------------------------------------------------------------------

#line 100 "shop.c"
static void at(void) { bw_at(numbers(), five) = 1; }
static void untyped_at(void) { *BW_AT(int, numbers().untyped, five) = 1; }
static void slice(void) { (void)bw_reslice(numbers(), three, five); }
static void slice3(void) { (void)bw_reslice3(numbers(), 0, three, five); }
static void tail(void) { (void)bw_tail(numbers(), three); }
static void str_at(void) { (void)bw_str_at(BW_STR("one"), five); }
static void str_slice(void) { (void)bw_str_slice(BW_STR("one"), three, five); }
static void str_tail(void) { (void)bw_str_tail(BW_STR("one"), five); }
static void array_at(void) {
  BW_ARRAY(int, 3) a = {{0}};
#line 110
  bw_array_at(a, five) = 1;
}
DEATH_TEST(panic_place_at, 2, "  panic in at at shop.c:100\n") { run_main(at); }
DEATH_TEST(panic_place_untyped_at, 2, "  panic in untyped_at at shop.c:101\n") {
  run_main(untyped_at);
}
DEATH_TEST(panic_place_slice, 2, "  panic in slice at shop.c:102\n") { run_main(slice); }
DEATH_TEST(panic_place_slice3, 2, "  panic in slice3 at shop.c:103\n") { run_main(slice3); }
DEATH_TEST(panic_place_tail, 2, "  panic in tail at shop.c:104\n") { run_main(tail); }
DEATH_TEST(panic_place_str_at, 2, "  panic in str_at at shop.c:105\n") { run_main(str_at); }
DEATH_TEST(panic_place_str_slice, 2, "  panic in str_slice at shop.c:106\n") {
  run_main(str_slice);
}
DEATH_TEST(panic_place_str_tail, 2, "  panic in str_tail at shop.c:107\n") { run_main(str_tail); }
DEATH_TEST(panic_place_array_at, 2, "  panic in array_at at shop.c:110\n") { run_main(array_at); }

// ---- the library's other panics: which function -------------------------------------------------

static void send_closed(void) {
  bw_chan *c = bw_chan_make(0, 1);
  bw_chan_close(c);
  bw_chan_send(c, NULL);
}
static void make_negative(void) { (void)bw_slice_make(1, -five, 0); }
static void function_at(void) {
  void *(*volatile at_function)(bw_slice s, size_t elem_size, ptrdiff_t i) = bw_slice_at;
  (void)at_function(numbers().untyped, sizeof(int), five);
}
DEATH_TEST(panic_place_send, 2, "[running]:\n  panic in bw_chan_send\n  main fn ") {
  run_main(send_closed);
}
DEATH_TEST(panic_place_make, 2, "  panic in bw_slice_make\n") { run_main(make_negative); }
DEATH_TEST(panic_place_function_at, 2, "  panic in bw_slice_at\n") { run_main(function_at); }
