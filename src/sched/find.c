// What to run next, when the P's own queue has no ready answer.
//
// Order: what the P is told (attention), due timers, the P's queue, the global queue,
// file descriptors, other Ps' queues, sleep. An M looks through the others' queues only if not too
// many Ms do that already: at most half as many as there are busy Ps. It looks for some ten
// microseconds, which is what going to sleep and being woken cost, and then sleeps.
//
// An M that was looking and found something wakes the next one, since where there was work there
// may be more: so a burst of work wakes Ms one after the other, and a ping-pong between two
// goroutines does not wake the whole house each time.
#include "sched/poll.h"
#include "sched/runq.h"
#include "sched/schedtrace.h"
#include "sched/switch.h"
#include "sched/trace.h"

// Rounds through all Ps, and how long to wait between them (in bw__cpu_relax: doubling).
enum { ROUNDS = 10, RELAX_MOST = 256 };

bw__g *bw__look_around(bw__m *m) {
  // Where nobody else looks at the clock: dumps tell by it how long something has waited.
  if (!bw__port_capabilities.monitors &&
      bw__tally_read(&m->p->runs) % ((uint64_t)BW_GLOBAL_EVERY * 16) == 0)
    bw__store_relaxed(&bw__sched_state.coarse_now, bw__port_now());
  bw__schedtrace_by_m(0);
  bw__timers_run_all(m); // of Ps whose owners are busy
  if (!bw__load_relaxed(&bw__sched_state.queued)) return NULL;
  bw__g *g = bw__globq_take_oldest();
  if (g) bw__timers_earlier(bw__timers_next(&m->p->timers)); // as bw__find says
  return g;
}

// ---- stealing -----------------------------------------------------------------------------------

static uint32_t gcd(uint32_t a, uint32_t b) {
  while (b) {
    uint32_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

bw__steal_order bw__steal_order_start(uint32_t n, uint64_t random) {
  bw__steal_order o = {.n = n, .left = n, .at = (uint32_t)(random >> 32) % n};
  o.step = 1 + (uint32_t)random % n;
  while (gcd(o.step, n) != 1) o.step++; // n + 1 at the latest
  return o;
}

static bw__g *steal_round(bw__m *m, bool desperate) {
  bw__sched *s = &bw__sched_state;
  bw__steal_order o =
      bw__steal_order_start((uint32_t)bw__load(&s->scan), bw__rand_next(&m->p->rand));
  for (uint32_t i; bw__steal_order_next(&o, &i);) {
    bw__p *victim = bw__load_acquire(&s->ps[i]); // pairs with its making
    if (!victim || victim == m->p) continue;
    bw__g *g = bw__runq_steal(m->p, victim, m->visit.greedy, desperate);
    if (g) bw__trace_steal(m, g, victim->index);
    if (g) return g;
  }
  return NULL;
}

bool bw__m_spin(bw__m *m) {
  bw__sched *s = &bw__sched_state;
  if (m->spinning) return true;
  int32_t busy = bw__load_relaxed(&s->procs) - bw__load_relaxed(&s->idle_count);
  if (2 * bw__load_relaxed(&s->spinning) >= busy) return false;
  m->spinning = true;
  bw__add(&s->spinning, 1);
  return true;
}

static bw__g *take_global(bw__m *m) {
  bool of_batch;
  bw__g *g = bw__globq_take(m->p, &of_batch);
  if (g && of_batch) bw__visit_take(m);
  return g;
}

static bw__g *steal(bw__m *m) {
  bw__sched *s = &bw__sched_state;
  if (m->p->q.solo || !bw__m_spin(m)) return NULL;
  bw__visit_begin(m);
  for (int round = 0, relax = 4; round < ROUNDS; round++) {
    if (bw__load_relaxed(&s->stopping) || bw__load_relaxed(&m->p->attention)) return NULL;
    bw__g *g = steal_round(m, round >= ROUNDS / 2);
    if (g) bw__visit_take(m);
    if (!g) g = take_global(m);
    if (g) return g;
    bw__timers_run_all(m);
    g = bw__runq_take(m->p);
    if (g) return g;
    for (int i = 0; i < relax; i++) bw__cpu_relax();
    if (relax < RELAX_MOST) relax *= 2;
  }
  return NULL;
}

// ---- file descriptors ---------------------------------------------------------------------------

// Not when another M is asleep in the poller: it will see whatever comes.
static bw__g *poll(bw__m *m) {
  if (!bw__poll_wanted() || bw__load_relaxed(&bw__sched_state.polling)) return NULL;
  bw__poll_now();
  return bw__runq_take(m->p);
}

// ---- the search ---------------------------------------------------------------------------------

static bw__g *look_everywhere(bw__m *m) {
  bw__p *p = m->p;
  bw__timers_run_own(m);
  bw__g *g = bw__runq_take(p);
  if (!g) {
    bw__visit_end(m);
    g = take_global(m);
  }
  if (!g) g = poll(m);
  if (!g) g = steal(m);
  if (g) return g;
  bw__timers_settle(m);
  return bw__runq_take(p);
}

// The search is over: another M may begin one.
static void stop_spinning(bw__m *m) {
  if (!m->spinning) return;
  m->spinning = false;
  bw__sub(&bw__sched_state.spinning, 1);
  bw__wake_one();
}

bw__g *bw__find(bw__m *m, bw__g *g) {
  bw__sched *s = &bw__sched_state;
  for (;;) {
    if (g && bw__g_has(g, BW_G_PINNED) && g->pinned != m) {
      stop_spinning(m);
      bw__pinned_hand_over(m, g);
      g = NULL;
    }
    if (bw__load(&s->stopping)) return NULL;
    if (g) {
      stop_spinning(m);
      bw__timers_earlier(bw__timers_next(&m->p->timers)); // of goroutines that parked for a while
      return g;
    }
    if (m->p && bw__load_relaxed(&m->p->attention)) bw__procs_attend(m);
    if (m->pinned) {
      if (m->p) {
        bw__tally_add(&m->p->runs, 1);
        bw__timers_run_own(m);
      }
      return bw__pinned_wait(m);
    }
    if (m->p || bw__p_take_idle(m)) g = look_everywhere(m);
    if (!g && !bw__visit_in_vain(m)) bw__m_sleep(m);
  }
}

// ---- after a switch, rarely ---------------------------------------------------------------------

void bw__settle_rarely(bw__m *m, bw__g *g, bw__after after) {
  switch (after) {
  case BW_AFTER_LOST_P:
    bw__shared_store(&g->state, BW_G_RUNNABLE);
    bw__globq_put(g);
    bw__wake_one();
    break;
  case BW_AFTER_EXIT: bw__g_recycle(m, g); break;
  default: BW_ASSERT(false);
  }
}
