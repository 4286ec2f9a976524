// Prime numbers by a chain of goroutines. The first counts 2, 3, 4, ...; each later one is made for
// a prime and passes on what that prime does not divide, so the end of the chain gives the next
// prime. The chain does not end by itself: it ends when the main goroutine returns.
//
//   sieve [how many]
#include <burrow/burrow.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
  bw_chan *in, *out;
  int prime;
} filter;

typedef struct {
  int wanted;
  filter *filters; // `wanted` of them, one a prime; the first one's input is the numbers
} sieve;

static void count(void *arg) {
  bw_chan *out = arg;
  for (int i = 2;; i++) bw_chan_send(out, &i);
}

static void pass_on(void *arg) {
  filter *f = arg;
  for (int v; bw_chan_recv(f->in, &v);)
    if (v % f->prime != 0) bw_chan_send(f->out, &v);
}

static int app(void *arg) {
  sieve *s = arg;
  bw_chan *end = bw_chan_make(sizeof(int), 0);
  if (!end || bw_go(count, end)) return 1;
  for (int i = 0; i < s->wanted; i++) {
    filter *f = &s->filters[i];
    f->in = end;
    bw_chan_recv(f->in, &f->prime);
    printf("%d%c", f->prime, i + 1 < s->wanted ? ' ' : '\n');
    f->out = end = bw_chan_make(sizeof(int), 0);
    if (!end || bw_go(pass_on, f)) return 1;
  }
  return 0;
}

int main(int argc, char **argv) {
  sieve s = {.wanted = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 20};
  if (s.wanted < 1) return 1;
  s.filters = calloc((size_t)s.wanted, sizeof *s.filters);
  if (!s.filters) return 1;
  int status = bw_run(app, &s, NULL);
  // Now that no goroutine runs any more, what they used may go.
  bw_chan_release(s.filters[0].in);
  for (int i = 0; i < s.wanted; i++) bw_chan_release(s.filters[i].out);
  free(s.filters);
  return status;
}
