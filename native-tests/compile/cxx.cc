// The headers in C++: they compile without a warning, and their inline functions can be called. What
// needs C's own means (typed channels, scopes of deferred calls, BW_SELECT) is not declared there.
#include <burrow/burrow.h>

int run(void *arg);
ptrdiff_t use_slices(bw_slice s);
ptrdiff_t use_strings(const char *c);

BW_CONTEXT_KEY(user, int);

static int wait_for_one(bw_chan *a, bw_chan *b) {
  int v = 0;
  bool ok = false;
  const bw_case cases[] = {bw_on_recv(a, &v), bw_on_recv_ok(b, &v, &ok), bw_on_send(b, &v)};
  return bw_select(cases, sizeof cases / sizeof *cases);
}

static bool lock_and_unlock(bw_mutex *mu, bw_rwmutex *rw, bw_spinlock *s, bw_sema *sema) {
  bw_mutex_lock(mu);
  bw_rwmutex_rlock(rw);
  bw_spin_lock(s);
  bool got = bw_sema_try_acquire(sema) && !bw_spin_trylock(s);
  bw_spin_unlock(s);
  bw_rwmutex_runlock(rw);
  bw_mutex_unlock(mu);
  bw_locker l = bw_mutex_locker(mu);
  bw_locker_lock(l);
  bw_locker_unlock(l);
  return got;
}

int run(void *arg) {
  bw_mutex mu = {};
  bw_rwmutex rw = {};
  bw_spinlock spin = {};
  bw_sema sema = BW_SEMA(1);
  if (!lock_and_unlock(&mu, &rw, &spin, &sema)) return 1;
  bw_chan *c = static_cast<bw_chan *>(arg);
  if (!c) bw_panic("no channel");
  return wait_for_one(c, nullptr) == BW_OK ? 0 : 1;
}

ptrdiff_t use_slices(bw_slice s) {
  int v = 1;
  s = bw_slice_append(bw_slice_clip(bw_slice_tail(s, sizeof v, 1)), sizeof v, &v, 1);
  if (bw_slice_push(&s, sizeof v, &v, 1) < 0) return -1;
  bw_slice_sort_numbers(s, sizeof v, BW_NUMBER_SIGNED);
  return *BW_AT(int, bw_slice_slice3(s, sizeof v, 0, 1, 1), 0);
}

ptrdiff_t use_strings(const char *c) {
  bw_str s = bw_str_of(c), part = {nullptr, 0};
  bw_builder b = {{nullptr, 0, 0}};
  bw_split it = bw_str_split(s, BW_STR(","));
  while (bw_split_next(&it, &part))
    if (bw_builder_printf(&b, "[%.*s]", BW_STR_ARG(part)) < 0) break;
  for (bw_runes r = bw_str_runes(bw_builder_view(&b)); bw_runes_next(&r);)
    if (r.rune == BW_RUNE_ERROR) return r.index;
  bw_builder_free(&b);
  bw_layout_field fields[] = {{"a", 1, 1, 0, 0}, {"b", 8, 8, 0, 0}};
  return static_cast<ptrdiff_t>(bw_layout_compute(fields, 2).size) + bw_str_has_suffix(s, part);
}
