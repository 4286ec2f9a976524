// The macros in each other, and scopes in loops, as a program may have them: no warning, whatever
// is asked for. See check-compile.cmake.
#ifdef CASE_jumps_of_assembly // yes
#define BW_JUMP_OWN 1
#endif
#include <burrow/burrow.h>

typedef BW_SLICE(int) ints;
typedef BW_SLICE(double) doubles;

bool slices_in_slices(ints s, ints t, doubles d);
int scopes_in_loops(int *a, int n);
int ways_out(int n);

bool slices_in_slices(ints s, ints t, doubles d) {
  if (bw_push(&s, bw_at(t, bw_at(s, 0)), 2) < 0) return false;
  s = bw_append(bw_append(s, 1), bw_at(t, bw_index(t, 3)));
  s = bw_append_all(bw_clone(s), bw_tail(bw_head(t, 3), 1));
  bool all = bw_equal(bw_clone(s), bw_equal(s, t) ? s : t);
  all = all && bw_index(s, (int)bw_index(t, bw_index(s, 3) > 0 ? 1 : 2)) > 0;
  all = all && bw_compare(bw_equal(s, t) ? s : t, bw_compare(s, t) ? s : t) > 0;
  all = all && bw_search(s, (int)bw_search(t, bw_compare(s, t))) > 0;
  all = all && bw_search(d, (double)bw_index(s, bw_equal(s, t))) > 0;
  BW_EACH(p, s) BW_EACH(q, t) *p += *q;
  BW_EACH(p, bw_tail(s, bw_index(s, 2))) *p = 1;
  BW_EACH_AT(i, p, s) BW_EACH_AT(j, q, t) *p += *q + (int)(i + j);
  return all && bw_str_at(bw_str_tail(BW_STR("text"), bw_index(s, 1)), bw_index(s, 2)) == 't';
}

static void call(void *arg) { (void)arg; }
static void rescue(void *arg, bw_panicking *panicking) {
  if (bw_recover(panicking) && arg) *(int *)arg = 0;
}

int scopes_in_loops(int *a, int n) {
  int sum = 0;
  BW_DEFER_SCOPE;
  BW_ON_RECOVER(sum, n) return sum;
  BW_DEFER(rescue, NULL);
  for (int i = 0; i < n; i++) {
    BW_DEFER_SCOPE;
    BW_ON_RECOVER(sum, i) break;
    BW_DEFER(rescue, a);
    BW_DEFER_COPY(call, sum);
    sum += a[i];
    while (sum > 3) {
      BW_DEFER_SCOPE_FOR(2, 1);
      BW_ON_RECOVER(sum, i) break;
      if (i) BW_DEFER(rescue, &sum);
      BW_DEFER(call, &a[i]);
      BW_DEFER_COPY(call, sum + i);
      sum--;
      if (n == 5) bw_panic("no");
      if (n == 9) BW_DEFER_RETURN(sum);
    }
  }
  for (;;) {
    BW_DEFER_SCOPE_LOOP(1);
    BW_ON_RECOVER() break;
    for (int k = 0; k < n; k++) BW_DEFER(rescue, NULL);
    if (n > 100) break;
    if (n > 90) continue;
    n++;
  }
  return sum;
}

int ways_out(int n) {
  int done = 0;
  for (int i = 0; i < n; i++) {
    BW_DEFER_SCOPE;
    BW_ON_RECOVER(i, done) break;
    if (i & 1) BW_DEFER(rescue, NULL);
    if (i & 2) BW_DEFER(call, NULL);
    done += scopes_in_loops(&done, i);
  }
  while (n > 0) {
    BW_DEFER_SCOPE;
    BW_ON_RECOVER(n) continue;
    if (--n == 7) continue;
    if (n & 1) {
      BW_DEFER(call, NULL);
    } else {
      BW_DEFER(rescue, NULL);
    }
    if (scopes_in_loops(&done, n) == 3) goto out;
  }
  switch (n) {
  case 0: {
    BW_DEFER_SCOPE;
    BW_ON_RECOVER(done) break;
    BW_DEFER(rescue, NULL);
    done += scopes_in_loops(&done, n);
    break;
  }
  default: break;
  }
out:
  return done;
}

// A variable of the program's own that hides another is still seen.
#ifdef CASE_hides // no: shadow
#pragma GCC diagnostic error "-Wshadow"
int hides(ints s);
int hides(ints s) {
  int n = (int)bw_index(s, bw_equal(s, s));
  for (int n = 0; n < 3; n++) {}
  return n;
}
#endif
