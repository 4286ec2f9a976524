// How many Ps there are: runtime.GOMAXPROCS.
//
// Nothing is stopped. The wanted number changes at once; a P that is idle comes or goes at once,
// and one that is held leaves when its owner next comes to the scheduler: each P's `attention`
// tells it to look. So after bw_gomaxprocs(n) more than n goroutines may run for as long as those
// that run already take to block or yield.
//
// The only P of a runtime is `solo`: its owner does without the care that thieves ask for. It turns
// that off before there is a second P, and on when the last of the others has left; only the
// owner of P 0 may do either, or whoever finds P 0 idle under the lock.
//
// Locks: sched.
#include "sched/runq.h"
#include "sched/trace.h"

#include <burrow/alloc.h>
#include <burrow/error.h>

// ---- made and freed -----------------------------------------------------------------------------

static bw__p *make(int index) {
  bw__p *p = bw__sched_record(sizeof *p);
  if (!p) return NULL;
  p->index = index;
  p->rand.state = bw__rand_mix((uint64_t)bw__port_now() + (uint64_t)index);
  p->dead = true;
  bw__timers_init(&p->timers);
  return p;
}

// Makes the Ps that are missing below n. False: no memory for some.
static bool make_up_to(int n) {
  bw__sched *s = &bw__sched_state;
  for (int i = 0; i < n; i++) {
    if (bw__load_acquire(&s->ps[i])) continue; // pairs with the CAS
    bw__p *p = make(i), *none = NULL;
    if (!p) return false;
    if (!bw__cas(&s->ps[i], &none, p)) bw_free(p); // somebody else made it
  }
  return true;
}

static void set_scan_locked(bw__sched *s) {
  int n = BW_PROCS_MAX;
  while (n > 0) {
    bw__p *p = bw__load_acquire(&s->ps[n - 1]); // pairs with its making, which needs no lock
    if (p && !p->dead) break;
    n--;
  }
  bw__store(&s->scan, n);
}

// ---- coming and going ---------------------------------------------------------------------------

static void revive_locked(bw__sched *s, bw__p *p) {
  p->dead = false;
  s->live++;
  if (!p->cache) p->cache = bw__cache_new();
  bw__p_put_idle_locked(p);
}

static void bury_locked(bw__sched *s, bw__p *p) {
  p->dead = true;
  s->live--;
  if (s->live == 1) bw__store(&bw__load_relaxed(&s->ps[0])->attention, 1);
}

static void bury_idle_locked(bw__sched *s) {
  bw__p *idle = s->idle_ps, *next;
  s->idle_ps = NULL;
  bw__store(&s->idle_count, 0);
  for (; idle; idle = next) {
    next = idle->next_idle;
    if (idle->index >= bw__load_relaxed(&s->procs))
      bury_locked(s, idle);
    else
      bw__p_put_idle_locked(idle);
  }
}

// Brings Ps into line with s->procs. `solo_free`: the caller owns P 0, or nobody does. Those that
// are held are told.
static void adjust_locked(bw__sched *s, bool solo_free) {
  int procs = bw__load_relaxed(&s->procs);
  bw__p *first = bw__load_relaxed(&s->ps[0]);
  bury_idle_locked(s);
  if (solo_free) first->q.solo = procs == 1 && s->live <= 1;
  bool grow = !first->q.solo || procs == 1;
  for (bw__p *p = bw__p_at(0); p; p = bw__p_after(p)) {
    if (p->index < procs && p->dead && grow) revive_locked(s, p);
    if (p->index >= procs && !p->dead) bw__store(&p->attention, 1);
  }
  if (!grow) bw__store(&first->attention, 1); // its owner goes on from here
  set_scan_locked(s);
}

// m's P leaves.
static void retire(bw__sched *s, bw__m *m) {
  bw__p *p = bw__p_let_go(m);
  bw__runq_flush(p);
  bw__cache_delete(p->cache);
  p->cache = NULL;
  bw__g_flush(p);
  bw__mutex_lock(&s->lock);
  bw__store_relaxed(&p->status, BW_P_IDLE);
  bury_locked(s, p);
  adjust_locked(s, false);
  bw__mutex_unlock(&s->lock);
  bw__timers_adopt();
  bw__wake_one();
}

void bw__procs_attend(bw__m *m) {
  bw__sched *s = &bw__sched_state;
  bw__p *p = m->p;
  bw__mutex_lock(&s->lock);
  bw__store(&p->attention, 0);
  bool leave = p->index >= bw__load_relaxed(&s->procs);
  if (!leave) adjust_locked(s, p->index == 0);
  bw__mutex_unlock(&s->lock);
  if (leave) {
    retire(s, m);
    return;
  }
  bw__timers_adopt();
  bw__wake_one();
}

bool bw__procs_open(int n) {
  bw__sched *s = &bw__sched_state;
  if (!make_up_to(n)) return false;
  bw__mutex_lock(&s->lock);
  bw__store(&s->procs, n);
  adjust_locked(s, true);
  bw__mutex_unlock(&s->lock);
  return true;
}

void bw__procs_free(void) {
  bw__sched *s = &bw__sched_state;
  for (int i = 0; i < BW_PROCS_MAX; i++) {
    bw__p *p = bw__load_relaxed(&s->ps[i]);
    if (p) bw__cache_delete(p->cache);
    bw_free(p);
    bw__store_relaxed(&s->ps[i], NULL);
  }
  s->idle_ps = NULL;
  bw__store(&s->idle_count, 0);
  bw__store(&s->procs, 0);
  bw__store(&s->scan, 0);
  s->live = 0;
}

// ---- the public face ----------------------------------------------------------------------------

int bw_gomaxprocs(int n) {
  bw__sched *s = &bw__sched_state;
  if (n > BW_PROCS_MAX) return BW_EINVAL;
  int before = bw__load(&s->procs);
  if (before == 0) return BW_ESTATE;
  if (n <= 0 || n == before || !bw__port_capabilities.threads) return before;
  if (!make_up_to(n)) return BW_ENOMEM;
  bw__m *m = bw__m_current();
  bw__mutex_lock(&s->lock);
  before = bw__load_relaxed(&s->procs);
  bw__store(&s->procs, n);
  bw__p *first = bw__load_relaxed(&s->ps[0]);
  bool idle = bw__load_relaxed(&first->status) == BW_P_IDLE;
  adjust_locked(s, idle || (m && m->p == first));
  bw__mutex_unlock(&s->lock);
  bw__timers_adopt();
  bw__trace_procs(m, n);
  bw__wake_one();
  return before;
}

int bw_procs(void) { return bw__load(&bw__sched_state.procs); }
