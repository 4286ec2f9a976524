// A pipeline: numbers from two sources, merged; a pool of four workers that looks for the smallest
// factor of each, in order; main, which has enough when it has seen ten primes. That ends all.
#include <burrow/burrow.h>
#include <stdio.h>

typedef struct {
  bw_group *group;
  bw_chan *out;
  int from, step;
} source;

static int count(void *arg) {
  const source *s = arg;
  for (int v = s->from; bw_group_send(s->group, s->out, &v);) v += s->step;
  bw_chan_close(s->out);
  return 0;
}

typedef struct {
  int number, factor;
} result;

static int smallest_factor(void *arg, const void *in, void *out) {
  (void)arg;
  result *r = out;
  r->number = *(const int *)in;
  for (r->factor = 2; r->number % r->factor != 0;) r->factor++;
  return 0;
}

static int run(bw_group *g, bw_chan *const *numbers, bw_chan *all, bw_chan *results) {
  source odd = {g, numbers[0], 3, 2}, even = {g, numbers[1], 2, 2};
  bw_stage pool = {.fn = smallest_factor, .workers = 4, .ordered = true};
  int code = bw_group_go(g, count, &odd);
  if (!code) code = bw_group_go(g, count, &even);
  if (!code) code = bw_group_merge(g, numbers, 2, all);
  if (!code) code = bw_group_stage(g, all, results, &pool);
  if (code) bw_group_stop(g, code);
  int primes = 0, last_odd = 1;
  bool in_order = true;
  for (result r; !code && primes < 10 && bw_chan_recv(results, &r);) {
    if (r.number % 2 == 1) in_order = in_order && r.number == last_odd + 2, last_odd = r.number;
    if (r.factor == r.number && r.number > 2) printf("%d ", r.number), primes++;
  }
  bw_group_stop(g, 0); // enough
  code = bw_group_wait(g);
  printf("%s\n", code ? bw_strerror(code) : in_order ? "in order" : "in disorder");
  return code ? 1 : 0;
}

static int app(void *arg) {
  (void)arg;
  bw_group *g = bw_group_make();
  bw_chan *numbers[2] = {bw_chan_make(sizeof(int), 0), bw_chan_make(sizeof(int), 0)};
  bw_chan *all = bw_chan_make(sizeof(int), 0), *results = bw_chan_make(sizeof(result), 0);
  bool memory = g && numbers[0] && numbers[1] && all && results;
  int status = memory ? run(g, numbers, all, results) : 1;
  bw_chan_release(numbers[0]);
  bw_chan_release(numbers[1]);
  bw_chan_release(all);
  bw_chan_release(results);
  return status;
}

int main(void) { return bw_run(app, NULL, NULL); }
