// Two limits: not more than 100 requests a second, three at once at first (a limiter), and not more
// than two under way at the same time (a channel as a semaphore).
#include <burrow/burrow.h>
#include <stdatomic.h>
#include <stdio.h>

enum { REQUESTS = 13, AT_ONCE = 2, BURST = 3 };

typedef struct {
  bw_limiter *rate;
  bw_chan *permits;
  atomic_int under_way, most;
} server;

static int request(void *arg, size_t i) {
  (void)i;
  server *s = arg;
  bw_chan_send(s->permits, NULL); // acquire
  bw_limiter_wait(s->rate, 1);
  int now = atomic_fetch_add(&s->under_way, 1) + 1, most = atomic_load(&s->most);
  while (now > most && !atomic_compare_exchange_weak(&s->most, &most, now)) {}
  bw_sleep(BW_MILLISECOND);
  atomic_fetch_sub(&s->under_way, 1);
  bw_chan_recv(s->permits, NULL); // release
  return 0;
}

static int app(void *arg) {
  (void)arg;
  server s = {bw_limiter_make(100, BW_SECOND, BURST), bw_chan_make(0, AT_ONCE), 0, 0};
  if (!s.rate || !s.permits) return 1;
  int64_t start = bw_now();
  if (bw_parallel(REQUESTS, REQUESTS, request, &s) != 0) return 1;
  int64_t took = bw_now() - start, least = (REQUESTS - BURST) * (BW_SECOND / 100);
  printf("%d requests, %s, %s\n", REQUESTS, took >= least ? "not too fast" : "too fast",
         atomic_load(&s.most) <= AT_ONCE ? "not too many at once" : "too many at once");
  bw_limiter_free(s.rate);
  bw_chan_release(s.permits);
  return 0;
}

int main(void) { return bw_run(app, NULL, NULL); }
