// Sleeping goroutines: many at once, and how late a single one is.
#include "bench.h"

static void sleep_10ms(void *latch) {
  bw_sleep(10 * BW_MILLISECOND);
  bench_latch_done(latch);
}

// 10,000 goroutines are started and sleep for 10 ms each; from the first start until all are
// joined.
BENCH(sleep10ms_x10k_total) {
  int64_t n = bench_count(10000);
  bench_latch latch = bench_latch_make();
  bench_latch_add(&latch, n);
  int64_t start = bw_now();
  for (int64_t i = 0; i < n; i++) bench_go(sleep_10ms, &latch);
  bench_latch_wait(&latch);
  bench_value("sleep10ms_x10k_total", (double)(bw_now() - start) / BW_MILLISECOND, "ms");
}

// 200 sleeps of 1 ms, one after another, while nothing else runs: by how much they last longer.
BENCH(sleep1ms_overshoot) {
  int64_t n = bench_count(200), sum = 0, most = 0;
  for (int64_t i = 0; i < n; i++) {
    int64_t start = bw_now();
    bw_sleep(BW_MILLISECOND);
    int64_t over = bw_now() - start - BW_MILLISECOND;
    if (over < 0) bw_panic("bw_sleep returned %" PRId64 " ns too early", -over);
    sum += over;
    if (over > most) most = over;
  }
  bench_value("sleep1ms_overshoot_mean", (double)sum / (double)n / BW_MICROSECOND, "us");
  bench_value("sleep1ms_overshoot_max", (double)most / BW_MICROSECOND, "us");
}
