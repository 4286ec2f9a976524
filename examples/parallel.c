// The same work on all cores: results by index, and the first error ends it.
#include <burrow/burrow.h>
#include <stdio.h>

enum { N = 10, TOO_LARGE = -100 };

typedef struct {
  int limit;
  long results[N];
} sums;

// The sum of the first i squares.
static int sum_squares(void *arg, size_t i) {
  sums *s = arg;
  if ((int)i > s->limit) return TOO_LARGE;
  for (size_t k = 1; k <= i; k++) s->results[i] += (long)(k * k);
  return 0;
}

static int app(void *arg) {
  (void)arg;
  sums s = {.limit = N};
  if (bw_parallel(N, 0, sum_squares, &s) != 0) return 1;
  for (int i = 0; i < N; i++) printf("%ld%c", s.results[i], i + 1 < N ? ' ' : '\n');
  s = (sums){.limit = 4};
  printf("%d\n", bw_parallel(N, 0, sum_squares, &s));
  return 0;
}

int main(void) { return bw_run(app, NULL, NULL); }
