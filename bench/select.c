// Selects: one loop that receives from four producers, and selects that find nothing.
#include "bench.h"

typedef struct {
  bw_chan *out;
  int64_t n;
} numbers;

static void produce(void *arg) {
  numbers p = *(numbers *)arg;
  for (int64_t i = 0; i < p.n; i++) bw_chan_send(p.out, &i);
}

static void select4(ptrdiff_t capacity) {
  int64_t n = bench_count(500000), sum = 0, v = 0;
  numbers p[4];
  for (int i = 0; i < 4; i++) {
    p[i] = (numbers){bench_chan(sizeof(int64_t), capacity), n};
    bench_go(produce, &p[i]);
  }
  int64_t start = bw_now();
  for (int64_t i = 0; i < 4 * n; i++) {
    switch (BW_SELECT(bw_on_recv(p[0].out, &v), bw_on_recv(p[1].out, &v), bw_on_recv(p[2].out, &v),
                      bw_on_recv(p[3].out, &v))) {
    case 0: sum += v; break;
    case 1: sum += v; break;
    case 2: sum += v; break;
    case 3: sum += v; break;
    }
  }
  int64_t ns = bw_now() - start;
  if (sum != 2 * n * (n - 1)) bw_panic("wrong sum: %" PRId64, sum);
  bench_result(4 * n, ns);
}

// Four producers of 500,000 values each on four unbuffered channels, one loop that selects; op =
// one message.
BENCH(select4_b0) { select4(0); }
// The same with a capacity of 128.
BENCH(select4_b128) { select4(128); }

// 100,000,000 selects of one receive from an empty channel, and a default; op = one select.
BENCH(select_default1) {
  bw_chan *c = bench_chan(sizeof(int64_t), 0);
  int64_t n = bench_count(100000000), defaults = 0, v = 0;
  int64_t start = bw_now();
  for (int64_t i = 0; i < n; i++) {
    switch (BW_TRY_SELECT(bw_on_recv(c, &v))) {
    case 0: break;
    default: defaults++;
    }
  }
  int64_t ns = bw_now() - start;
  if (defaults != n) bw_panic("%" PRId64 " defaults", defaults);
  bench_result(n, ns);
}

// 20,000,000 selects of two receives from empty channels, and a default; op = one select.
BENCH(select_default2) {
  bw_chan *c = bench_chan(sizeof(int64_t), 0), *d = bench_chan(sizeof(int64_t), 0);
  int64_t n = bench_count(20000000), defaults = 0, v = 0;
  int64_t start = bw_now();
  for (int64_t i = 0; i < n; i++) {
    switch (BW_TRY_SELECT(bw_on_recv(c, &v), bw_on_recv(d, &v))) {
    case 0:
    case 1: break;
    default: defaults++;
    }
  }
  int64_t ns = bw_now() - start;
  if (defaults != n) bw_panic("%" PRId64 " defaults", defaults);
  bench_result(n, ns);
}

// One goroutine sends to a channel of capacity 1 and receives from it, 20,000,000 times; op = one
// send and one receive.
BENCH(chan_buf1_sendrecv_same_g) {
  bw_chan *c = bench_chan(sizeof(int64_t), 1);
  int64_t n = bench_count(20000000), sum = 0, v = 0;
  int64_t start = bw_now();
  for (int64_t i = 0; i < n; i++) {
    bw_chan_send(c, &i);
    bw_chan_recv(c, &v);
    sum += v;
  }
  int64_t ns = bw_now() - start;
  if (sum != n * (n - 1) / 2) bw_panic("wrong sum: %" PRId64, sum);
  bench_result(n, ns);
}
