// Planted races, which ThreadSanitizer has to report: it sees through the context switch. In other
// builds there is nobody to report them.
#include "chan_util.h"

#include "base/atomics.h"
#include "port/port.h"

enum { TSAN_STATUS = 66 };

#define ONLY_UNDER_TSAN()                                                                          \
  do {                                                                                             \
    if (!BW_TSAN) SKIP("only ThreadSanitizer (preset tsan) reports a race");                       \
  } while (0)

static int shared_plainly;
static _Atomic(int) inside;

// Meets the other without synchronising with it, and without leaving its P.
static void meet_and_write(void *arg) {
  bw__add_relaxed(&inside, 1); // pairs with nothing, on purpose
  while (bw__load_relaxed(&inside) < 2) {}
  for (int i = 0; i < 100; i++) shared_plainly++;
  group_done(arg);
}

static int two_writers(void *arg) {
  (void)arg;
  group g;
  group_init(&g, 2);
  for (int i = 0; i < 2; i++) CHECK_EQ(bw_go(meet_and_write, &g), 0);
  group_wait(&g);
  CHECK(shared_plainly > 0);
  return 0;
}
THREADS_DEATH_TEST(sched_race_on_two_procs, TSAN_STATUS, "WARNING: ThreadSanitizer: data race") {
  ONLY_UNDER_TSAN();
  test_run(two_writers, NULL, 2);
}

// A value that is written after the send that should have announced it.
typedef struct {
  bw_chan *announced;
  group g;
  int value;
} late;

static _Atomic(bool) received, written; // relaxed: they pair with nothing, on purpose

static void announce_and_write(void *arg) {
  late *l = arg;
  bw_chan_send(l->announced, NULL);
  while (!bw__load_relaxed(&received)) {} // on another P: this one is busy here
  l->value = 1;
  bw__store_relaxed(&written, true);
  group_done(&l->g);
}

static void read_announced(void *arg) {
  late *l = arg;
  CHECK(bw_chan_recv(l->announced, NULL));
  bw__store_relaxed(&received, true);
  while (!bw__load_relaxed(&written)) {}
  CHECK_EQ(l->value, 1);
  group_done(&l->g);
}

static int announced_too_early(void *arg) {
  (void)arg;
  late l = {.announced = bw_chan_make(0, 0)};
  group_init(&l.g, 2);
  CHECK_EQ(bw_go(read_announced, &l), 0);
  CHECK_EQ(bw_go(announce_and_write, &l), 0);
  group_wait(&l.g);
  bw_chan_release(l.announced);
  return 0;
}
THREADS_DEATH_TEST(sched_race_beside_a_channel, TSAN_STATUS,
                   "WARNING: ThreadSanitizer: data race") {
  ONLY_UNDER_TSAN();
  test_run(announced_too_early, NULL, 2);
}
