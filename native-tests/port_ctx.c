// Contexts that go to each other without their resumer between: who gets control back, on which
// thread, and what the sanitizers think of it. (The scheduler's tests switch in the other ways.)
#include "test.h"

#include "port/ctx.h"
#include "port/port.h"

#if BW_CTX_TRANSFERS

enum { CONTEXTS = 4, STACK = 1 << 16, WORDS = 64 };

typedef struct {
  bw__ctx ctx;
  char *stack;
  void *fiber;
  unsigned steps; // how far its entry has come
} place;

static place places[CONTEXTS];
static uint64_t left_to_go; // plain: whoever runs comes after whoever ran

static void make(int i, void (*entry)(void *)) {
  place *p = &places[i];
  *p = (place){.stack = malloc(STACK), .fiber = bw__ctx_fiber_make()};
  CHECK(p->stack);
  bw__ctx_make(&p->ctx, p->stack, STACK, entry, p, p->fiber);
}

static void end(int i) {
  bw__ctx_fiber_free(places[i].fiber);
  memset(&places[i].ctx, 0xa5, sizeof places[i].ctx); // nobody needs it any more
  free(places[i].stack);
}

// ---- the way back -------------------------------------------------------------------------------

// 0 goes to 1, which goes to 2, which ends: the host gets control back although it has resumed 0.
static void go_to_next(void *arg) {
  place *p = arg;
  p->steps = 1;
  bw__ctx_transfer(&p->ctx, &p[1].ctx);
  p->steps = 2;
  bw__ctx_suspend(&p->ctx);
  p->steps = 3;
}

static void end_at_once(void *arg) { ((place *)arg)->steps = 1; }

TEST(port_ctx_transfer_and_end) {
  make(0, go_to_next);
  make(1, go_to_next);
  make(2, end_at_once);
  CHECK(!bw__ctx_resume(&places[0].ctx)); // it is 2 that has ended
  CHECK_EQ(places[0].steps, 1);
  CHECK_EQ(places[1].steps, 1);
  CHECK_EQ(places[2].steps, 1);
  end(2);
  for (int i = 0; i < 2; i++) {
    CHECK(bw__ctx_resume(&places[i].ctx));
    CHECK_EQ(places[i].steps, 2);
    CHECK(!bw__ctx_resume(&places[i].ctx));
    CHECK_EQ(places[i].steps, 3);
    end(i);
  }
}

// 0 goes to 1, which ends 0, frees it, and suspends: the host needs nothing of what it has resumed.
static void free_the_first(void *arg) {
  place *p = arg;
  end(0);
  bw__ctx_suspend(&p->ctx);
  p->steps = 1;
}

TEST(port_ctx_first_is_no_more) {
  make(0, go_to_next);
  make(1, free_the_first);
  CHECK(bw__ctx_resume(&places[0].ctx));
  CHECK(!bw__ctx_resume(&places[1].ctx));
  CHECK_EQ(places[1].steps, 1);
  end(1);
}

// ---- around and around --------------------------------------------------------------------------

// Each goes to the next; every 7th time it goes back to whoever has resumed the last one of them.
// The frames are of different sizes, and what stands in them must stay.
static BW_NOINLINE void go_around(place *p, unsigned depth) {
  uint64_t volatile words[WORDS];
  for (int i = 0; i < WORDS; i++) words[i] = (uint64_t)i * depth + (uint64_t)(p - places);
  if (depth > 0) go_around(p, depth - 1);
  while (depth == 0 && left_to_go > 0) {
    left_to_go--;
    if (left_to_go % 7 == 0)
      bw__ctx_suspend(&p->ctx);
    else
      bw__ctx_transfer(&p->ctx, &places[(p - places + 1) % CONTEXTS].ctx);
    p->steps++;
  }
  for (int i = 0; i < WORDS; i++) CHECK_EQ(words[i], (uint64_t)i * depth + (uint64_t)(p - places));
}

static void go_around_deep(void *arg) {
  place *p = arg;
  go_around(p, (unsigned)(p - places) * 3);
}

// The context that runs next is whoever's turn it is: they are resumed in turn, too.
static int resume_next; // plain, see below

static void resume_once(void *unused) {
  (void)unused;
  bw__ctx_resume(&places[resume_next++ % CONTEXTS].ctx);
}

static void around(void (*resume)(void)) {
  left_to_go = 7000;
  resume_next = 0;
  for (int i = 0; i < CONTEXTS; i++) make(i, go_around_deep);
  while (left_to_go > 0) resume();
  for (int i = 0; i < CONTEXTS; i++) {
    CHECK(!bw__ctx_resume(&places[i].ctx)); // none may go to another now
    CHECK(places[i].steps > 100);
    end(i);
  }
}

static void resume_here(void) { resume_once(NULL); }

TEST(port_ctx_around) { around(resume_here); }

// Each time on another thread, which ends after that.
static void resume_elsewhere(void) {
  bw__port_thread t;
  CHECK_EQ(bw__port_thread_start(&t, resume_once, NULL), 0);
  bw__port_thread_join(&t);
}

TEST(port_ctx_around_on_many_threads) { around(resume_elsewhere); }

#endif
