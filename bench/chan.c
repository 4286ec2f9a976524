// Channels of int64_t: alone, in pairs, in crowds, in chains and in trees.
#include "bench.h"

static void check_sum(int64_t sum, int64_t want) {
  if (sum != want) bw_panic("wrong sum: %lld, not %lld", (long long)sum, (long long)want);
}

static int64_t sum_below(int64_t n) { return n * (n - 1) / 2; }

// ---- two goroutines -----------------------------------------------------------------------------

typedef struct {
  bw_chan *a, *b;
} pair;

static void pong(void *arg) {
  pair *p = arg;
  bw_chan *a = p->a, *b = p->b;
  for (int64_t v; bw_chan_recv(a, &v);) {
    v++;
    bw_chan_send(b, &v);
  }
  bw_chan_close(b);
}

// Two unbuffered channels, 2,000,000 values there and back; op = one round trip (two messages).
BENCH(chan_pingpong) {
  int64_t n = bench_count(2000000);
  pair p = {bench_chan(sizeof(int64_t), 0), bench_chan(sizeof(int64_t), 0)};
  bench_go(pong, &p);
  int64_t start = bw_now(), v = 0;
  for (int64_t i = 0; i < n; i++) {
    bw_chan_send(p.a, &i);
    bw_chan_recv(p.b, &v);
  }
  int64_t ns = bw_now() - start;
  check_sum(v, n);
  bw_chan_close(p.a);
  bw_chan_recv(p.b, NULL); // until pong has read what it needs of p
  bench_result(n, ns);
}

typedef struct {
  bw_chan *out;
  int64_t n;
  bench_latch *latch; // counted down at the end, or NULL: then `out` is closed
} numbers;

static void produce(void *arg) {
  numbers p = *(numbers *)arg;
  for (int64_t i = 0; i < p.n; i++) bw_chan_send(p.out, &i);
  if (p.latch)
    bench_latch_done(p.latch);
  else
    bw_chan_close(p.out);
}

static void stream(ptrdiff_t capacity, int64_t n) {
  numbers p = {bench_chan(sizeof(int64_t), capacity), n, NULL};
  int64_t start = bw_now(), sum = 0;
  bench_go(produce, &p);
  for (int64_t v; bw_chan_recv(p.out, &v);) sum += v;
  int64_t ns = bw_now() - start;
  check_sum(sum, sum_below(n));
  bench_result(n, ns);
}

// One producer, one consumer, no buffer, 3,000,000 values; op = one message.
BENCH(chan_unbuf_stream) { stream(0, bench_count(3000000)); }

// One producer, one consumer, capacity 128, 10,000,000 values; op = one message.
BENCH(chan_spsc_c128) { stream(128, bench_count(10000000)); }

// ---- a crowd ------------------------------------------------------------------------------------

typedef struct {
  bw_chan *in;
  _Atomic(int64_t) sum;
  bench_latch *latch;
} consumer;

static void consume(void *arg) {
  consumer *c = arg;
  int64_t sum = 0;
  for (int64_t v; bw_chan_recv(c->in, &v);) sum += v;
  atomic_fetch_add(&c->sum, sum);
  bench_latch_done(c->latch);
}

// Four producers of 2,000,000 values each, four consumers, one channel of capacity 128; op = one
// message.
BENCH(chan_mpmc4x4_c128) {
  int64_t n = bench_count(2000000);
  bench_latch produced = bench_latch_make(), consumed = bench_latch_make();
  bw_chan *c = bench_chan(sizeof(int64_t), 128);
  numbers p = {c, n, &produced};
  consumer k = {c, 0, &consumed};
  bench_latch_add(&produced, 4);
  bench_latch_add(&consumed, 4);
  int64_t start = bw_now();
  for (int i = 0; i < 4; i++) bench_go(produce, &p);
  for (int i = 0; i < 4; i++) bench_go(consume, &k);
  bench_latch_wait(&produced);
  bw_chan_close(c);
  bench_latch_wait(&consumed);
  int64_t ns = bw_now() - start;
  check_sum(k.sum, 4 * sum_below(n));
  bench_result(4 * n, ns);
}

// ---- a chain ------------------------------------------------------------------------------------

typedef struct {
  bw_chan *in, *out;
  int64_t prime;
} sieve_filter;

static void count_from_two(void *arg) {
  bw_chan *out = arg;
  for (int64_t i = 2;; i++) bw_chan_send(out, &i);
}

static void filter(void *arg) {
  sieve_filter f = *(sieve_filter *)arg;
  for (int64_t v; bw_chan_recv(f.in, &v);)
    if (v % f.prime != 0) bw_chan_send(f.out, &v);
}

// The first 2000 primes: each is a goroutine that takes its multiples out of an unbuffered stream.
// op = one prime. Not divided: a prime's cost depends on how many there are.
BENCH(sieve2000) {
  enum { N = 2000 };
  static sieve_filter filters[N]; // outlives this function: its goroutines never end by themselves
  int64_t start = bw_now(), prime = 0;
  bw_chan *c = bench_chan(sizeof(int64_t), 0);
  bench_go(count_from_two, c);
  for (int i = 0; i < N; i++) {
    bw_chan_recv(c, &prime);
    filters[i] = (sieve_filter){c, bench_chan(sizeof(int64_t), 0), prime};
    bench_go(filter, &filters[i]);
    c = filters[i].out;
  }
  int64_t ns = bw_now() - start;
  check_sum(prime, 17389);
  bench_result(N, ns);
}

// ---- a tree -------------------------------------------------------------------------------------

enum { SKYNET_LEAVES = 1000000, SKYNET_DIV = 10, SKYNET_NODES = 1111111 };

typedef struct {
  bw_chan *out; // a reference of its own: the parent may have all it needs before the send returns
  int64_t first, leaves;
} skynet_node;

static void skynet(void *arg);

static void skynet_start(bw_chan *out, int64_t first, int64_t leaves) {
  skynet_node *node = bw_malloc(sizeof *node);
  if (!node) bw_panic("no memory for a node");
  *node = (skynet_node){bw_chan_retain(out), first, leaves};
  bench_go(skynet, node);
}

static void skynet(void *arg) {
  skynet_node node = *(skynet_node *)arg;
  bw_free(arg);
  int64_t sum = 0;
  if (node.leaves == 1) {
    sum = node.first;
  } else {
    bw_chan *in = bw_chan_make(sizeof(int64_t), 0);
    if (!in) bw_panic("no memory for a channel");
    int64_t each = node.leaves / SKYNET_DIV;
    for (int i = 0; i < SKYNET_DIV; i++) skynet_start(in, node.first + i * each, each);
    for (int i = 0; i < SKYNET_DIV; i++) {
      int64_t v = 0;
      bw_chan_recv(in, &v);
      sum += v;
    }
    bw_chan_release(in);
  }
  bw_chan_send(node.out, &sum);
  bw_chan_release(node.out);
}

// A tree of goroutines, ten children each and 1,000,000 leaves, that adds the leaves' numbers up
// through one unbuffered channel an inner node; op = one goroutine, 1,111,111 in all. Not divided.
BENCH(skynet1M) {
  bw_chan *c = bench_chan(sizeof(int64_t), 0);
  int64_t start = bw_now(), sum = 0;
  skynet_start(c, 0, SKYNET_LEAVES);
  bw_chan_recv(c, &sum);
  int64_t ns = bw_now() - start;
  check_sum(sum, 499999500000);
  bench_result(SKYNET_NODES, ns);
  bench_value("skynet1M_total", (double)ns / BW_MILLISECOND, "ms");
  bench_value("skynet1M_rss_after", (double)bench_resident_bytes() / (1 << 20), "MiB");
}
