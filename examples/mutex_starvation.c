// A mutex is fair to who has waited for long. A hog unlocks only to lock again at once, and lets
// others run only while it has the lock: so whenever the meek one looks, the mutex is locked. After
// a millisecond of that the mutex goes into starvation mode, and the hog's next unlock hands it
// over.
#include <burrow/burrow.h>
#include <stdatomic.h>
#include <stdio.h>

enum { TURNS = 5 };

static bw_mutex mu;
static atomic_bool enough;

static void hog(void *turns) {
  while (!atomic_load(&enough)) {
    bw_mutex_lock(&mu);
    for (int64_t end = bw_now() + 100 * BW_MICROSECOND; bw_now() < end;) {}
    ++*(int *)turns;
    bw_gosched(); // with the lock
    bw_mutex_unlock(&mu);
  }
}

static int app(void *arg) {
  (void)arg;
  int hogs_turns = 0, long_waits = 0;
  bw_waitgroup wg = {0};
  if (bw_waitgroup_go(&wg, hog, &hogs_turns) != 0) return 1;
  while (bw_mutex_trylock(&mu)) { // until the hog is at it
    bw_mutex_unlock(&mu);
    bw_gosched();
  }
  for (int i = 0; i < TURNS; i++) {
    int64_t start = bw_now();
    bw_mutex_lock(&mu);
    long_waits += bw_now() - start >= BW_MILLISECOND;
    bw_mutex_unlock(&mu);
    bw_gosched();
  }
  atomic_store(&enough, true);
  bw_waitgroup_wait(&wg);
  printf("the meek one had %d turns, %d of them after a millisecond or more\n", TURNS, long_waits);
  printf("the hog had %s\n", hogs_turns >= TURNS ? "no fewer" : "fewer");
  return 0;
}

int main(void) { return bw_run(app, NULL, &(bw_options){.procs = 1}); }
