// What is in a wait group, in the two orders in which Done and Wait may come: the counter, the
// number of those who wait, and the semaphore where they do. (For looking only: programs need not
// know.) One P, so that the order is ours.
//
//     case 1: done before wait
//       add:  counter 1, waiters 0, semaphore 0
//       done: counter 0, waiters 0, semaphore 0
//       wait returns at once
//     case 2: wait before done
//       add:  counter 1, waiters 0, semaphore 0
//       wait: counter 1, waiters 1, semaphore 0
//       done: counter 0, waiters 0, semaphore 0
//       wait returns
#include <burrow/burrow.h>
#include <stdio.h>

static void show(const char *when, const bw_waitgroup *wg) {
  printf("  %-5s counter %d, waiters %u, semaphore %u\n", when, (int)(wg->state >> 32),
         (unsigned)wg->state, (unsigned)wg->sema);
}

static void work(void *arg) {
  bw_waitgroup *wg = arg;
  if ((unsigned)wg->state > 0) show("wait:", wg);
  bw_waitgroup_done(wg); // its permit goes to who waits, past the semaphore
  show("done:", wg);
}

static int app(void *arg) {
  (void)arg;
  bw_waitgroup wg = {0};
  puts("case 1: done before wait");
  bw_waitgroup_add(&wg, 1);
  show("add:", &wg);
  if (bw_go(work, &wg) != 0) return 1;
  bw_gosched(); // it runs, and ends
  bw_waitgroup_wait(&wg);
  puts("  wait returns at once");

  puts("case 2: wait before done");
  bw_waitgroup_add(&wg, 1);
  show("add:", &wg);
  if (bw_go(work, &wg) != 0) return 1;
  bw_waitgroup_wait(&wg); // now it runs
  puts("  wait returns");
  return 0;
}

int main(void) { return bw_run(app, NULL, &(bw_options){.procs = 1}); }
