// JavaScript's locks are not dropped while C code waits for them, which has them by their address.
// (Where there is a JavaScript side: on wasm threads.)
#include "test.h"

#if defined(__EMSCRIPTEN__)
#include "base/config.h"
#include "entry/js/abi.h"
#include "sync/cond.h"
#include "sync/waitgroup.h"

typedef struct {
  bw_js_lock *l, *mutex; // mutex: of a condition
  uint32_t id;
  bool returned; // the goroutine, on the one P
} dropped;

static bw_js_lock *make(int kind, bw_js_lock *mutex, uint32_t mutex_id, uint32_t *id) {
  int handle = bw_js_lock_make(kind, 0, mutex, mutex_id);
  CHECK(handle > 0);
  *id = (uint32_t)handle;
  return bw_js_lock_find(handle, kind);
}

static void wait_sema(void *arg) {
  dropped *d = arg;
  bw_sema_acquire(&d->l->sema);
  d->returned = true;
}
static void wait_group(void *arg) {
  dropped *d = arg;
  bw_waitgroup_wait(&d->l->waitgroup);
  d->returned = true;
}
static void wait_cond(void *arg) {
  dropped *d = arg;
  bw_mutex_lock(&d->mutex->mutex);
  bw_cond_wait(&d->l->cond.cond);
  bw_mutex_unlock(&d->mutex->mutex);
  d->returned = true;
}

// On one P: a goroutine that was started and has parked waits.
static void begin(dropped *d, void (*wait)(void *)) {
  d->returned = false;
  CHECK_EQ(bw_go(wait, d), 0);
  for (int i = 0; i < 100; i++) bw_gosched();
  CHECK(!d->returned);
}
static void end(dropped *d) {
  while (!d->returned) bw_gosched();
}

static void check_refused(dropped *d) {
  CHECK_EQ(bw_js_lock_drop(d->l, d->id), BW_ESTATE);
  CHECK(bw_js_lock_find((int)d->id, (int)d->l->kind) == d->l); // as it was
}
static void check_dropped(dropped *d) {
  CHECK_EQ(bw_js_lock_drop(d->l, d->id), 0);
  CHECK_EQ(bw_js_lock_drop(d->l, d->id), BW_EHANDLE);
}

static int drop_sema(void *arg) {
  (void)arg;
  dropped d = {0};
  d.l = make(BW_JS_SEMA, NULL, 0, &d.id);
  for (int i = 0; i < 2; i++) {
    begin(&d, wait_sema);
    check_refused(&d);
    bw_sema_release(&d.l->sema, 1);
    end(&d);
  }
  check_dropped(&d);
  return 0;
}
TEST(jslock_drop_of_a_semaphore_that_c_waits_for) { test_run(drop_sema, NULL, 1); }

static int drop_group(void *arg) {
  (void)arg;
  dropped d = {0};
  d.l = make(BW_JS_WAITGROUP, NULL, 0, &d.id);
  for (int i = 0; i < 2; i++) {
    bw_waitgroup_add(&d.l->waitgroup, 1);
    begin(&d, wait_group);
    check_refused(&d);
    bw_waitgroup_done(&d.l->waitgroup);
    end(&d);
  }
  check_dropped(&d);
  return 0;
}
TEST(jslock_drop_of_a_wait_group_that_c_waits_for) { test_run(drop_group, NULL, 1); }

static int drop_cond(void *arg) {
  (void)arg;
  dropped d = {0}, mutex = {0};
  mutex.l = d.mutex = make(BW_JS_MUTEX, NULL, 0, &mutex.id);
  d.l = make(BW_JS_COND, d.mutex, mutex.id, &d.id);
  for (int i = 0; i < 2; i++) {
    begin(&d, wait_cond);
    check_refused(&d);
    if (i)
      bw_cond_signal(&d.l->cond.cond);
    else
      bw_cond_broadcast(&d.l->cond.cond);
    end(&d);
  }
  check_dropped(&d);
  check_dropped(&mutex);
  return 0;
}
TEST(jslock_drop_of_a_condition_that_c_waits_for) { test_run(drop_cond, NULL, 1); }

// One of those who wait gives up: the others still count.
static void wait_short(void *arg) {
  dropped *d = arg;
  CHECK_EQ(bw_sema_acquire_until(&d->l->sema, bw_now() + 1), BW_ETIMEDOUT);
  d->returned = true;
}
static int give_up(void *arg) {
  (void)arg;
  dropped d = {0}, other;
  d.l = make(BW_JS_SEMA, NULL, 0, &d.id);
  begin(&d, wait_sema);
  other = d;
  CHECK_EQ(bw_go(wait_short, &other), 0);
  end(&other);
  check_refused(&d);
  bw_sema_release(&d.l->sema, 1);
  end(&d);
  other.returned = false;
  CHECK_EQ(bw_go(wait_short, &other), 0);
  end(&other);
  check_dropped(&d);
  return 0;
}
TEST(jslock_drop_after_one_has_given_up) { test_run(give_up, NULL, 1); }
#endif
