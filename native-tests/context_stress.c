// Trees of contexts under many hands: behaviours 129 to 131, deep and wide trees, and random
// programs with exact accounts.
#include "context_util.h"

#include "base/rand.h"

static const bw_context_key depth_key = {"depth"};

static int64_t of_depth(int64_t full) { return test_is_slow_build() ? full / 10 : full; }

// ---- 129: all at once ---------------------------------------------------------------------------

enum { TREE = 100 };

typedef struct {
  bw_context *ctx;
  bw_cancel *cancel;
} branch;

static void cancel_branch(void *arg) {
  branch *b = arg;
  bw_cancel_now(b->cancel);
  context_check_ended(b->ctx, BW_ECANCELED);
  bw_cancel_release(b->cancel);
  bw_context_release(b->ctx);
}

CONTEXT_TEST(context_b129_simultaneous_cancels) {
  (void)arg;
  bw__rand rand = (bw__rand){(uint64_t)bw_now()};
  for (int round = 0; round < 10; round++) {
    branch tree[TREE];
    int order[TREE];
    for (int i = 0; i < TREE; i++) {
      bw_context *above = i == 0 ? bw_context_background() : tree[(i - 1) / 3].ctx;
      tree[i].ctx = bw_with_cancel(above, &tree[i].cancel);
      order[i] = i;
    }
    for (int i = TREE - 1; i > 0; i--) {
      int k = (int)(bw__rand_next(&rand) % (uint64_t)(i + 1)), t = order[i];
      order[i] = order[k];
      order[k] = t;
    }
    for (int i = 0; i < TREE; i++) CHECK_EQ(bw_go(cancel_branch, &tree[order[i]]), 0);
    context_wait_alone();
  }
  return 0;
}

// Whoever comes second finds that all below has ended when cancel returns.
typedef struct {
  bw_cancel *cancel;
  bw_context *below[50];
  atomic_int *left;
} second;

static void cancel_and_look(void *arg) {
  second *s = arg;
  bw_cancel_now(s->cancel);
  for (int i = 0; i < 50; i++) CHECK_EQ(bw_context_err(s->below[i]), BW_ECANCELED);
  atomic_fetch_sub(s->left, 1);
}

CONTEXT_TEST(context_all_below_has_ended_when_cancel_returns) {
  (void)arg;
  for (int round = 0; round < of_depth(200); round++) {
    atomic_int left = 5;
    second s[5];
    bw_context *ctx = bw_context_background(), *made[50];
    for (int i = 0; i < 50; i++) {
      bool first = i % 10 == 0; // five stories, each with one to be cancelled from
      bw_cancel *cancel;
      made[i] = bw_with_cancel(ctx, first ? &cancel : NULL);
      if (!first) continue;
      s[i / 10] = (second){.cancel = cancel, .left = &left};
      ctx = made[i];
    }
    for (int k = 0; k < 5; k++)
      for (int i = 0; i < 50; i++) s[k].below[i] = made[i < 10 * k ? 10 * k : i];
    for (int k = 4; k >= 0; k--) CHECK_EQ(bw_go(cancel_and_look, &s[(k + round) % 5]), 0);
    while (atomic_load(&left) > 0) bw_gosched();
    context_wait_alone();
    for (int k = 0; k < 5; k++) bw_cancel_release(s[k].cancel);
    for (int i = 0; i < 50; i++) bw_context_release(made[i]);
  }
  return 0;
}

// ---- 130: from within what the end has woken ----------------------------------------------------

static void cancel_when_parent_ends(void *arg) {
  branch *b = arg;
  bw_chan_recv(bw_context_done(b->ctx), NULL);
  bw_cancel_now(b->cancel);
}

CONTEXT_TEST(context_b130_interlocked_cancels) {
  (void)arg;
  for (int i = 0; i < 100; i++) {
    bw_cancel *cancel, *cancel_child;
    bw_context *parent = bw_with_cancel(bw_context_background(), &cancel);
    bw_context *child = bw_with_cancel(parent, &cancel_child);
    branch b = {parent, cancel_child};
    CHECK_EQ(bw_go(cancel_when_parent_ends, &b), 0);
    if (i % 2) settle();
    bw_cancel_now(cancel);
    context_wait(child);
    context_wait_alone();
    bw_cancel_release(cancel);
    bw_cancel_release(cancel_child);
    bw_context_release(child);
    bw_context_release(parent);
  }
  return 0;
}

// ---- 131: layers --------------------------------------------------------------------------------

enum { LAYERS = 40 };

static void check_layers(bw_context *ctx, void *const *values, const bw_context_key *keys, int n) {
  for (int i = 0; i < n; i++) CHECK(bw_context_value(ctx, &keys[i]) == values[i]);
}

static void layers(bool timeout) {
  static bw_context_key keys[LAYERS];
  bw__rand rand = (bw__rand){(uint64_t)bw_now()};
  void *values[LAYERS];
  bw_context *all[LAYERS];
  bw_cancel *cancels[LAYERS] = {NULL};
  int n = 0, deadlines = 0, first_cancel = -1;
  bw_context *ctx = bw_context_background();
  for (int i = 0; i < LAYERS; i++) {
    uint64_t what = bw__rand_next(&rand) % 3;
    if (i == 0) what = 1;
    if (i == LAYERS - 1) what = timeout ? 2 : 1;
    if (what == 0) {
      keys[n].name = "layer";
      values[n] = &values[n];
      ctx = bw_with_value(ctx, &keys[n], values[n], NULL);
      n++;
    } else if (what == 1) {
      ctx = bw_with_cancel(ctx, &cancels[i]);
      if (first_cancel < 0) first_cancel = i;
    } else {
      int64_t ns = (timeout ? BW_MILLISECOND : 3600 * BW_SECOND) - i;
      ctx = bw_with_timeout(ctx, ns, &cancels[i]);
      deadlines++;
    }
    all[i] = ctx;
  }
  check_layers(ctx, values, keys, n);
  CHECK_EQ(bw_context_deadline(ctx, NULL), deadlines > 0);
  if (timeout)
    context_wait(ctx);
  else
    bw_cancel_now(cancels[first_cancel]);
  context_check_ended(ctx, timeout ? BW_EDEADLINE : BW_ECANCELED);
  check_layers(ctx, values, keys, n);
  for (int i = 0; i < LAYERS; i++) {
    bw_cancel_release(cancels[i]);
    bw_context_release(all[i]);
  }
}

CONTEXT_TEST(context_b131_layers_cancel) {
  (void)arg;
  for (int i = 0; i < 20; i++) layers(false);
  return 0;
}

CONTEXT_TEST(context_b131_layers_timeout) {
  (void)arg;
  for (int i = 0; i < 10; i++) layers(true);
  return 0;
}

// ---- deep, and wide -----------------------------------------------------------------------------

// No recursion, neither to end nor to free a chain.
static int deep_chain(void *arg) {
  (void)arg;
  int n = (int)of_depth(BW_WASM ? 5000 : 30000);
  bw_cancel *cancel;
  bw_context *first = bw_with_cancel(bw_context_background(), &cancel), *last = first;
  for (int i = 0; i < n; i++) {
    bw_context *next =
        i % 2 ? bw_with_cancel(last, NULL) : bw_with_value(last, &depth_key, NULL, NULL);
    CHECK(next);
    if (last != first) bw_context_release(last);
    last = next;
  }
  char text[32];
  CHECK(bw_context_format(last, text, sizeof text) > (size_t)n * 10);
  context_check_open(last);
  bw_cancel_now(cancel);
  context_check_ended(last, BW_ECANCELED);
  bw_cancel_release(cancel);
  bw_context_release(first);
  bw_context_release(last);
  return 0;
}
TEST(context_deep_chain) { context_run(deep_chain, NULL, 1); }

// While 10,000 end, whoever works on their siblings goes on: cancel holds no lock from one to the
// next. The many are held up in the middle, by a watch among them that waits until the others have
// done all of this: with a lock held they never would.
typedef struct {
  bw__cancel_watcher watch;
  bw_context *parent, *sibling;
  bw_cancel *cancel, *cancel_sibling;
  atomic_bool reached, done;
} half_way;

static void hold_up(bw__cancel_watcher *w) {
  half_way *h = BW_CONTAINER(w, half_way, watch);
  atomic_store(&h->reached, true);
  while (!atomic_load(&h->done)) bw__cpu_relax();
}

static void end_parent(void *arg) { bw_cancel_now(((half_way *)arg)->cancel); }

static int work_goes_on(void *arg) {
  (void)arg;
  enum { CHILDREN = BW_WASM ? 2000 : 10000 };
  int n = (int)of_depth(CHILDREN);
  bw_context **children = bw_calloc((size_t)n, sizeof *children);
  half_way h = {0};
  h.parent = bw_with_cancel(bw_context_background(), &h.cancel);
  h.sibling = bw_with_cancel(h.parent, &h.cancel_sibling);
  for (int i = 0; i < n; i++) {
    if (i == n / 2) CHECK(bw__cancel_watch(bw__context_source(h.parent), &h.watch, hold_up));
    CHECK((children[i] = bw_with_cancel(h.parent, NULL)));
  }
  CHECK_EQ(bw_go(end_parent, &h), 0);
  while (!atomic_load(&h.reached)) bw_gosched();
  for (int i = 0; i < 100; i++) { // made, asked, cancelled and released meanwhile
    bw_cancel *cancel;
    bw_context *late = bw_with_cancel(h.parent, &cancel), *value;
    CHECK_EQ(bw_context_err(late), BW_ECANCELED);
    CHECK((value = bw_with_value(children[n - 1 - i], &depth_key, NULL, NULL)));
    bw_context_release(value);
    bw_cancel_release(cancel);
    bw_context_release(late);
    bw_context_release(children[n - 1 - i]); // of those that still stand in the list
    children[n - 1 - i] = NULL;
  }
  bw_cancel_release(h.cancel_sibling);
  context_check_ended(h.sibling, BW_ECANCELED);
  atomic_store(&h.done, true);
  context_wait_alone();
  for (int i = 0; i < n - 100; i++) CHECK_EQ(bw_context_err(children[i]), BW_ECANCELED);
  for (int i = 0; i < n; i++) bw_context_release(children[i]);
  bw_cancel_release(h.cancel);
  bw_context_release(h.sibling);
  bw_context_release(h.parent);
  bw_free(children);
  return 0;
}
THREADS_TEST(context_cancel_holds_no_lock) { test_run(work_goes_on, NULL, 2); }

// ---- random -------------------------------------------------------------------------------------

// Goroutines make, pass on, cancel, wait with and release contexts out of a common board, at
// random. Each value that is made is freed once, each function after a context runs or was stopped,
// and no memory is left.
enum { BOARD = 32, WORKERS = 8 };

static struct {
  bw__mutex lock;
  bw_context *board[BOARD]; // one reference each: under lock
  atomic_llong made, freed, called, armed, stopped;
  atomic_int working;
  int64_t end;
  uint64_t seed;
} mix;

static void count_freed(void *value) {
  (void)value;
  atomic_fetch_add(&mix.freed, 1);
}

static void count_called(void *arg) {
  (void)arg;
  atomic_fetch_add(&mix.called, 1);
}

static bw_context *take(bw__rand *r) {
  if (bw__rand_next(r) % 16 == 0) return bw_context_background(); // no chain is very long
  bw__mutex_lock(&mix.lock);
  bw__port_mem_sync();
  bw_context *ctx = bw_context_retain(mix.board[bw__rand_next(r) % BOARD]);
  bw__mutex_unlock(&mix.lock);
  return ctx ? ctx : bw_context_background();
}

// Takes over the reference.
static void put(bw__rand *r, bw_context *ctx) {
  bw__mutex_lock(&mix.lock);
  bw__port_mem_sync();
  bw_context **at = &mix.board[bw__rand_next(r) % BOARD], *old = *at;
  *at = ctx;
  bw__mutex_unlock(&mix.lock);
  bw_context_release(old);
}

static bw_context *make_any(bw__rand *r, bw_context *parent, bw_cancel **cancel) {
  *cancel = NULL;
  switch (bw__rand_next(r) % 8) {
  case 0:
    atomic_fetch_add(&mix.made, 1);
    return bw_with_value(parent, &depth_key, &mix, count_freed);
  case 1: return bw_without_cancel(parent);
  case 2: return bw_with_timeout(parent, (int64_t)(bw__rand_next(r) % BW_MILLISECOND), cancel);
  case 3: return bw_with_timeout_cause(parent, 3600 * BW_SECOND, -9, "late", cancel);
  default: return bw_with_cancel(parent, cancel);
  }
}

static void check_sane(bw_context *ctx) {
  int err = bw_context_err(ctx), cause = bw_context_cause(ctx);
  CHECK(err == 0 || err == BW_ECANCELED || err == BW_EDEADLINE);
  if (err) CHECK(cause == err || cause == -8 || cause == -9);
  if (err && bw_context_may_end(ctx)) context_wait(ctx);
}

static void use_one(bw__rand *r, bw_context *ctx) {
  switch (bw__rand_next(r) % 6) {
  case 0: bw_sleep_ctx(ctx, (int64_t)(bw__rand_next(r) % 20000)); break;
  case 1: {
    atomic_fetch_add(&mix.armed, 1);
    bw_context_call *call = bw_context_after_func(ctx, count_called, NULL);
    if (bw__rand_next(r) % 4 || !bw_context_may_end(ctx))
      if (bw_context_call_stop(call)) atomic_fetch_add(&mix.stopped, 1);
    bw_context_call_release(call);
    break;
  }
  case 2: bw_context_value(ctx, &depth_key); break;
  case 3: bw_context_done(ctx); break;
  default: check_sane(ctx); break;
  }
}

static void work(void *arg) {
  bw__rand r = (bw__rand){mix.seed + (uintptr_t)arg};
  while (bw_now() < mix.end) {
    bw_cancel *cancel;
    bw_context *parent = take(&r), *ctx = make_any(&r, parent, &cancel);
    CHECK(ctx);
    bw_context_release(parent);
    put(&r, bw_context_retain(ctx));
    bw_context *other = take(&r);
    use_one(&r, other);
    if (bw__rand_next(&r) % 2)
      bw_cancel_cause(cancel, -8, "some text");
    else
      bw_cancel_now(cancel);
    use_one(&r, ctx);
    if (bw__rand_next(&r) % 4 == 0) bw_gosched();
    bw_cancel_release(cancel);
    bw_context_release(ctx);
    bw_context_release(other);
  }
  atomic_fetch_sub(&mix.working, 1);
}

static int mixture(void *arg) {
  (void)arg;
  memset((void *)&mix, 0, sizeof mix);
  bw__mutex_init(&mix.lock, BW_RANK_HANDLES);
  mix.seed = chan_seed();
  mix.end = bw_now() + test_stress_ns(1) / 2;
  atomic_store(&mix.working, WORKERS);
  for (uintptr_t i = 0; i < WORKERS; i++) CHECK_EQ(bw_go(work, (void *)i), 0);
  while (atomic_load(&mix.working) > 0) bw_sleep(BW_MILLISECOND);
  for (int i = 0; i < BOARD; i++) bw_context_release(mix.board[i]);
  context_wait_alone();
  CHECK_EQ(atomic_load(&mix.made), atomic_load(&mix.freed));
  CHECK_EQ(atomic_load(&mix.armed), atomic_load(&mix.called) + atomic_load(&mix.stopped));
  return 0;
}
TEST(context_stress_mix) { context_run(mixture, NULL, 0); }
TEST(context_stress_mix_on_one_p) { context_run(mixture, NULL, 1); }
