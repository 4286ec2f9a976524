// Stack overflow on wasm: every way to use more than one's block ends with the words, the right
// goroutine's name and status 2, before anything outside of the block is written. (Natively guard
// pages do it.)
#include "chan_util.h"

#include "port/ctx.h"
#include "port/port.h"

#if BW_WASM

#include "port/wasm/stack.h"

// ---- ways to use a lot --------------------------------------------------------------------------

// Functions are called through these, or the compiler would make loops of the recursion, and one
// function of all.
static int small_frames(int depth);
static int bare_frames(int depth);
static int huge_frame(int unused);
static int wrapping_frame(int unused);
static int (*volatile call_small)(int) = small_frames;
static int (*volatile call_bare)(int) = bare_frames;
static int (*volatile call_huge)(int) = huge_frame;
static int (*volatile call_wrapping)(int) = wrapping_frame;
static void (*volatile at_the_bottom)(void) = bw_gosched;

static int small_frames(int depth) {
  volatile char frame[200];
  for (int i = 0; i < 200; i++) frame[i] = (char)depth;
  return depth == 0 ? 0 : call_small(depth - 1) + frame[0];
}

// Nothing on the shadow stack: what grows is what asyncify saves.
static int bare_frames(int depth) {
  if (depth > 0) return call_bare(depth - 1) + 1;
  at_the_bottom();
  return 0;
}

// Has the compiler believe that all of a frame is needed.
static inline void need(void *frame) { __asm__ volatile("" : : "r"(frame) : "memory"); }

// The first byte written is far below the block.
static int huge_frame(int unused) {
  char frame[1 << 20];
  need(frame);
  frame[0] = (char)unused;
  need(frame);
  return frame[0];
}

// Larger than the stack pointer's value, which so becomes a huge one.
static int wrapping_frame(int unused) {
  char frame[1 << 29];
  need(frame);
  frame[sizeof frame - 1] = (char)unused;
  need(frame);
  return frame[sizeof frame - 1];
}

// ---- the words ----------------------------------------------------------------------------------

typedef struct {
  bw_go_options options;
  int (*volatile *way)(int);
  int depth;
  group done;
} culprit;

static void go_wrong(void *arg) {
  culprit *c = arg;
  int (*way)(int) = *c->way;
  way(c->depth);
  group_done(&c->done);
}

static int start_culprit(void *arg) {
  culprit *c = arg;
  group_init(&c->done, 1);
  CHECK_EQ(bw_go_with(&c->options, go_wrong, c), 0);
  group_wait(&c->done);
  return 0;
}

static void overflow_by(const char *name, size_t stack_size, int (*volatile *way)(int), int depth) {
  culprit c = {.options = {.name = name, .stack_size = stack_size}, .way = way, .depth = depth};
  test_run(start_culprit, &c, 1);
}

DEATH_TEST(overflow_by_small_frames, 2, " goroutine 2 digger\n") {
  overflow_by("digger", 0, &call_small, 2000);
}

DEATH_TEST(overflow_says_the_limit, 2, "runtime: goroutine stack exceeds 65536-byte limit: ") {
  overflow_by("digger", 64 << 10, &call_small, 2000);
}

DEATH_TEST(overflow_is_fatal, 2, "\nfatal error: stack overflow\n\ngoroutine ") {
  overflow_by("digger", 64 << 10, &call_small, 2000);
}

DEATH_TEST(overflow_by_a_huge_frame, 2, " goroutine 2 leaper\n") {
  overflow_by("leaper", 0, &call_huge, 0);
}

DEATH_TEST(overflow_by_a_frame_that_wraps, 2, " goroutine 2 wrapper\n") {
  overflow_by("wrapper", 0, &call_wrapping, 0);
}

DEATH_TEST(overflow_by_saved_frames, 2, " goroutine 2 sleeper\n") {
  overflow_by("sleeper", 0, &call_bare, 5000);
}

static int main_digs(void *arg) {
  (void)arg;
  return call_small(5000);
}
DEATH_TEST(overflow_of_main, 2, "exceeds 262144-byte limit: goroutine 1 main\n") {
  test_run(main_digs, NULL, 1);
}

DEATH_TEST(overflow_of_a_thread, 2, "a thread exceeds its stack\nfatal error: stack overflow\n") {
  call_small(5000);
}

static int return_from_run(void *arg) {
  (void)arg;
  bw_gosched();
  return 0;
}
DEATH_TEST(overflow_of_a_thread_after_run, 2, "a thread exceeds its stack\n") {
  test_run(return_from_run, NULL, 1);
  call_huge(0);
}

// The engine's own stack has an end as well. It throws an error that no wasm code sees: the host
// reports it and ends the program, with Node's status for an uncaught error or that of
// wasm-tests/lib/wasi-run.mjs.
enum { DEEPER_THAN_ANY_ENGINE = 100 << 20, UNCAUGHT = BW_THREADS ? 1 : 134 };

static void stay(void) {}
DEATH_TEST(overflow_of_the_engine, UNCAUGHT, "Maximum call stack size exceeded") {
  at_the_bottom = stay;
  overflow_by("bare", 0, &call_bare, DEEPER_THAN_ANY_ENGINE);
}

// ---- what is outside of the block ---------------------------------------------------------------

enum { BLOCK = 16384, MARGIN = 64 << 10, MARK = 0x5a };
static _Alignas(16) unsigned char memory[MARGIN + BLOCK + MARGIN];
static bw__ctx ctx;

static void check_margins(void) {
  for (size_t i = 0; i < MARGIN; i++) {
    CHECK_EQ(memory[i], MARK);
    CHECK_EQ(memory[MARGIN + BLOCK + i], MARK);
  }
}

static void end_well(bw__ctx *c, uintptr_t sp) {
  static const char text[] = "nothing outside was written\n";
  (void)sp;
  CHECK(c == &ctx);
  check_margins();
  bw__port_write(1, text, sizeof text - 1);
  bw__port_exit(3);
}

static void suspend(void) { bw__ctx_suspend(&ctx); }

static void go_deep(void *arg) {
  culprit *c = arg;
  int (*way)(int) = *c->way;
  c->depth = way(c->depth);
}

static void make(culprit *c) {
  memset(memory, MARK, sizeof memory);
  at_the_bottom = suspend;
  bw__ctx_overflowed = end_well;
  bw__ctx_make(&ctx, memory + MARGIN, BLOCK, go_deep, c, NULL);
}

static void stay_inside(int (*volatile *way)(int), int depth) {
  culprit c = {.way = way, .depth = depth};
  make(&c);
  while (bw__ctx_resume(&ctx)) {}
}

DEATH_TEST(overflow_by_small_frames_stays_inside, 3, "nothing outside was written") {
  stay_inside(&call_small, 2000);
}
DEATH_TEST(overflow_by_a_huge_frame_stays_inside, 3, "nothing outside was written") {
  stay_inside(&call_huge, 0);
}
DEATH_TEST(overflow_by_saved_frames_stays_inside, 3, "nothing outside was written") {
  stay_inside(&call_bare, 5000);
}

// ---- what fits ----------------------------------------------------------------------------------

// Frames saved elsewhere and moved into the block, then frames saved in the block itself, since it
// is larger than what a thread's own stack has left.
static void deep_on(size_t stack_size) {
  enum { DEPTH = 1500 };
  char *block = bw_aligned_alloc(16, stack_size);
  culprit c = {.way = &call_bare, .depth = DEPTH};
  CHECK(block != NULL);
  at_the_bottom = suspend;
  bw__ctx_make(&ctx, block, stack_size, go_deep, &c, NULL);
  CHECK(bw__ctx_resume(&ctx));
  CHECK(bw__ctx_headroom(&ctx) >= 0);
  CHECK(bw__ctx_used(&ctx) > DEPTH * 4);
  CHECK(!bw__ctx_resume(&ctx));
  CHECK_EQ(c.depth, DEPTH);
  bw_free(block);
}
TEST(ctx_saves_deep_frames) {
  deep_on(64 << 10);
  deep_on(2 << 20);
}

// A block may be used to the last byte: the same program on ever smaller blocks does well or
// overflows, and never anything else.
static int last_fit;
static bool went_on; // this goroutine has been suspended, and so must end well
static void note_and_stop(bw__ctx *c, uintptr_t sp) {
  char text[64];
  (void)sp;
  CHECK(c == &ctx && !went_on);
  check_margins();
  int n = snprintf(text, sizeof text, "fits in %d\n", last_fit);
  CHECK(last_fit > 0 && last_fit < BLOCK);
  bw__port_write(1, text, (size_t)n);
  bw__port_exit(3);
}

static void shrink_from(int most, int (*volatile *way)(int), int depth) {
  for (int size = most; size >= 512; size -= 16) {
    culprit c = {.way = way, .depth = depth};
    make(&c);
    bw__ctx_overflowed = note_and_stop;
    bw__ctx_make(&ctx, memory + MARGIN + BLOCK - size, (size_t)size, go_deep, &c, NULL);
    memset(memory + MARGIN, MARK, (size_t)(BLOCK - size));
    for (went_on = false; bw__ctx_resume(&ctx);) went_on = true;
    check_margins();
    for (int i = 0; i < BLOCK - size; i++) CHECK_EQ(memory[MARGIN + i], MARK);
    last_fit = size;
  }
}
DEATH_TEST(overflow_of_the_last_byte_by_saved_frames, 3, "fits in ") {
  shrink_from(8192, &call_bare, 100);
}
DEATH_TEST(overflow_of_the_last_byte_by_small_frames, 3, "fits in ") {
  shrink_from(8192, &call_small, 10);
}

// The same where the block is larger than what the thread's own stack has left, so that the frames
// are saved in the block. Then the goroutine's shadow stack, of which this frame is the last, is
// what too many of them come to lie on.
static int guarded_frames(int depth) {
  volatile char frame[256];
  for (int i = 0; i < 256; i++) frame[i] = (char)i;
  int sum = call_bare(depth);
  for (int i = 0; i < 256; i++) CHECK_EQ(frame[i], (char)i);
  return sum;
}
static int (*volatile call_guarded)(int) = guarded_frames;

enum { OWN_LEFT = 9 << 10 }; // more than the runtime keeps for itself

static BW_NOINLINE void with_little_left(size_t used) {
  need(__builtin_alloca(used));
  shrink_from(BLOCK, &call_guarded, 900);
}
DEATH_TEST(overflow_of_the_last_byte_in_the_block, 3, "fits in ") {
  char here;
  with_little_left((size_t)(&here - bw__stack_low()) - OWN_LEFT);
}

// A goroutine that is resumed and suspended at ever other depths goes on with what it had.
static int dive(int depth, int seed) {
  volatile int frame[4] = {seed, depth, seed * depth, ~seed};
  if (depth % 3 == 0) suspend();
  int below = depth > 0 ? dive(depth - 1, seed + 1) : 0;
  if (depth % 2 == 0) suspend();
  CHECK(frame[0] == seed && frame[1] == depth && frame[2] == seed * depth && frame[3] == ~seed);
  return below + depth;
}

static void dive_often(void *arg) {
  int *sum = arg;
  for (int depth = 1; depth < 40; depth += 7) *sum += dive(depth, depth);
}

TEST(ctx_suspends_at_any_depth) {
  int sum = 0, expected = 0, suspends = 0, expected_suspends = 0;
  for (int depth = 1; depth < 40; depth += 7)
    for (int i = 0; i <= depth; i++) {
      expected += i;
      expected_suspends += (i % 3 == 0) + (i % 2 == 0);
    }
  make(NULL);
  bw__ctx_make(&ctx, memory + MARGIN, BLOCK, dive_often, &sum, NULL);
  ptrdiff_t least = BLOCK, most = 0;
  for (; bw__ctx_resume(&ctx); suspends++) {
    ptrdiff_t headroom = bw__ctx_headroom(&ctx);
    CHECK(headroom > 0 && headroom < BLOCK);
    if (headroom < least) least = headroom;
    if (headroom > most) most = headroom;
  }
  CHECK(most - least > 20 * 16); // that much shadow stack at the least
  CHECK_EQ(sum, expected);
  CHECK_EQ(suspends, expected_suspends);
  check_margins();
}

// What a goroutine that waits has written to lies in one piece at the block's top.
TEST(ctx_suspended_touches_the_top_only) {
  culprit c = {.way = &call_bare, .depth = 10};
  make(&c);
  memset(memory + MARGIN, MARK, BLOCK); // over the paint of development builds
  CHECK(bw__ctx_resume(&ctx));
  size_t unused = (size_t)bw__ctx_headroom(&ctx);
  CHECK(unused > BLOCK - 1024);
  for (size_t i = 0; i < unused; i++) CHECK_EQ(memory[MARGIN + i], MARK);
  CHECK(!bw__ctx_resume(&ctx));
  check_margins();
}

// How much of a block was used.
TEST(ctx_used_is_known) {
  culprit shallow = {.way = &call_bare, .depth = 1}, deep = {.way = &call_bare, .depth = 100};
  make(&shallow);
  CHECK(bw__ctx_resume(&ctx));
  size_t little = bw__ctx_used(&ctx);
  CHECK(little > 0 && little < 1024);
  CHECK(!bw__ctx_resume(&ctx));
  make(&deep);
  CHECK(bw__ctx_resume(&ctx));
  CHECK(bw__ctx_used(&ctx) >= little + 99 * 4 && bw__ctx_used(&ctx) < BLOCK);
  CHECK(!bw__ctx_resume(&ctx));
}

#endif
