// All pools, and how they age: pool.h has the order of things.
//
// Locks: pools; while it is held a state's; sched while a local of a P that nobody holds is
// renewed. None is held when `drop` is called.
#include "sync/pool.h"

#include "sched/sched.h"

enum { PERIOD_SECONDS = 120 };

static struct {
  bw__mutex lock;
  bw__list all;             // under lock; next == NULL: nothing was ever in it
  uint64_t turn;            // under lock: the latest ageing
  _Atomic(int64_t) aged_at; // when it began
} pools = {.lock = BW_MUTEX_INIT(BW_RANK_POOLS)};

_Atomic(int64_t) bw__pools_period = PERIOD_SECONDS * BW_SECOND;

// ---- ageing one ---------------------------------------------------------------------------------

static void drop_all_of(bw__pool_state *st, bw__pool_local *l, bool old) {
  for (void *item; (item = bw__pool_visit(st, l, old));) {
    bw__port_mem_sync(); // as in bw_pool_get
    if (st->pool->drop) st->pool->drop(item);
  }
}

static bool drop_the_old(bw__pool_state *st, bw__pool_local *l, int p, void *arg) {
  (void)p;
  drop_all_of(st, l, true);
  if (bw__shared_load(&l->age) != *(const uint32_t *)arg) drop_all_of(st, l, false);
  return false;
}

// Nobody holds the P of this index, or will before sched.lock is released. (Its status alone does
// not say so: it may be on its way to an M.)
static bool is_free_locked(const bw__sched *s, int index) {
  const bw__p *p = bw__p_at(index);
  if (!p || p->dead) return true;
  const bw__p *idle = s->idle_ps;
  while (idle && idle != p) idle = idle->next_idle;
  return idle != NULL;
}

static void renew_of_p(bw__pool_state *st, bw__pool_local *l, int index, bw__pool_waste *waste) {
  const bw__m *m = bw__m_current();
  bw__sched *s = &bw__sched_state;
  if (m && m->p && m->p->index == index) {
    bw__pool_renew(st, l, waste);
    return;
  }
  bw__mutex_lock(&s->lock);
  bw__port_mem_sync(); // Ps that others have made
  if (is_free_locked(s, index)) bw__pool_renew(st, l, waste);
  bw__mutex_unlock(&s->lock);
}

static bool renew(bw__pool_state *st, bw__pool_local *l, int index, void *unused) {
  (void)unused;
  bw__pool_waste waste = {0};
  if (index >= 0) {
    renew_of_p(st, l, index, &waste);
  } else {
    bw__mutex_lock(&st->lock);
    bw__pool_renew(st, l, &waste);
    bw__mutex_unlock(&st->lock);
  }
  bw__pool_finish(st, &waste);
  return false;
}

static void age(bw__pool_state *st) {
  uint32_t now = bw__shared_load(&st->age);
  bw__pool_each(st, 0, drop_the_old, &now);
  bw__shared_store(&st->age, now + 1);
  bw__pool_each(st, 0, renew, NULL);
  bw__pool_empty_limbo(st);
}

// ---- ageing all ---------------------------------------------------------------------------------

// One that this turn has not come to, and nobody else is at; `done` (or NULL) is over.
static bw__pool_state *next_one(bw__pool_state *done, uint64_t turn) {
  bw__pool_state *found = NULL;
  bw__mutex_lock(&pools.lock);
  bw__port_mem_sync();
  if (done) done->ageing = false;
  for (bw__list *l = pools.all.next; l != &pools.all && !found; l = l->next) {
    bw__pool_state *st = BW_CONTAINER(l, bw__pool_state, link);
    if (st->turn < turn && !st->ageing) found = st;
  }
  if (found) {
    found->turn = turn;
    found->ageing = true;
  }
  bw__mutex_unlock(&pools.lock);
  return found;
}

void bw_pools_age(void) {
  bw__mutex_lock(&pools.lock);
  bool any = pools.all.next != NULL;
  uint64_t turn = ++pools.turn;
  bw__mutex_unlock(&pools.lock);
  bw__store(&pools.aged_at, bw__port_now());
  if (!any) return;
  for (bw__pool_state *st = NULL; (st = next_one(st, turn));) age(st);
}

// ---- by itself ----------------------------------------------------------------------------------

static void age_them(void *unused) {
  (void)unused;
  bw_pools_age();
}

// On the monitor's thread, which must not run `drop`. When to come again.
static int64_t chore(int64_t now) {
  int64_t period = bw__load(&bw__pools_period), at = bw__load(&pools.aged_at) + period;
  if (now < at) return at;
  bw_go_options options = {.name = "ageing of pools"};
  bw_go_with(&options, age_them, NULL); // no memory: the next time
  return now + period;
}

// ---- the list -----------------------------------------------------------------------------------

void bw__pools_lock(void) { bw__mutex_lock(&pools.lock); }
void bw__pools_unlock(void) { bw__mutex_unlock(&pools.lock); }

void bw__pools_add_locked(bw__pool_state *st) {
  if (!pools.all.next) {
    bw__list_init(&pools.all);
    bw__store(&pools.aged_at, bw__port_now());
    bw__monitor_set_chore(chore);
  }
  st->turn = pools.turn;
  bw__list_push_back(&pools.all, &st->link);
}

void bw__pools_remove(bw__pool_state *st) {
  bw__mutex_lock(&pools.lock);
  while (st->ageing) {
    bw__mutex_unlock(&pools.lock);
    bw_gosched();
    bw__mutex_lock(&pools.lock);
  }
  bw__list_remove(&st->link);
  bw__mutex_unlock(&pools.lock);
}
