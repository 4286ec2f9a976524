// The loop of an M: find a runnable goroutine, run it until it gives control back, settle it.
//
// Wake-up policy. Pushing a goroutine wakes one idle M, unless an M is already looking for work
// ("spinning"): that one will find it. An M that finds work and was the one looking wakes the next
// if there is more. So a burst of work wakes Ms one after the other, and a ping-pong between two
// goroutines does not wake the whole house each time.
//
// No lost wake-up: queue, idle list and both counters change only under sched.lock. A push either
// comes before an M's last look at the queue (which finds it) or after the M is on the idle list
// (where the push finds the M).
//
// Locks: sched. The M's own fields need none.
#include "sched/sched.h"

bw__sched bw__sched_state = {
    .lock = BW_MUTEX_INIT(BW_RANK_SCHED),
    .idle = {&bw__sched_state.idle, &bw__sched_state.idle},
};

// How many looks at the queue an M takes before it goes to sleep: some microseconds, about what a
// futex round trip costs. More would burn a core that somebody else may need.
enum { SPIN_LOOKS = 400, TIMER_EVERY = 16 };

// ---- run queue, under sched.lock ----------------------------------------------------------------

static void push_locked(bw__sched *s, bw__g *g) {
  g->next = NULL;
  if (s->tail)
    s->tail->next = g;
  else
    s->head = g;
  s->tail = g;
  bw__store_relaxed(&s->queued, bw__load_relaxed(&s->queued) + 1);
}

static bw__g *pop_locked(bw__sched *s) {
  bw__g *g = s->head;
  if (!g) return NULL;
  s->head = g->next;
  if (!s->head) s->tail = NULL;
  bw__store_relaxed(&s->queued, bw__load_relaxed(&s->queued) - 1);
  return g;
}

// Takes an idle M off the list and makes it the one that looks for work. NULL: none is idle.
static bw__m *take_idle_locked(bw__sched *s) {
  bw__list *l = bw__list_pop_front(&s->idle);
  if (!l) return NULL;
  bw__m *m = BW_CONTAINER(l, bw__m, idle);
  s->idle_count--;
  s->spinning_count++;
  m->spinning = true;
  return m;
}

static void stop_spinning_locked(bw__sched *s, bw__m *m) {
  if (!m->spinning) return;
  m->spinning = false;
  s->spinning_count--;
}

void bw__sched_push(bw__g *g) {
  bw__sched *s = &bw__sched_state;
  bw__store_relaxed(&g->state, BW_G_RUNNABLE);
  bw__mutex_lock(&s->lock);
  push_locked(s, g);
  bw__m *wake = s->spinning_count == 0 ? take_idle_locked(s) : NULL;
  bw__mutex_unlock(&s->lock);
  if (wake) bw__note_wake(&wake->wake);
}

void bw__sched_kick(void) {
  bw__sched *s = &bw__sched_state;
  bw__mutex_lock(&s->lock);
  bw__m *wake = take_idle_locked(s);
  bw__mutex_unlock(&s->lock);
  if (wake) bw__note_wake(&wake->wake);
}

// ---- going idle ---------------------------------------------------------------------------------

// Called with the lock held. When every M is idle (one that has not started yet is not), nothing
// can ever happen again, unless a timer or somebody outside makes it happen.
static void check_dead_locked(bw__sched *s) {
  bool helped = bw__port_capabilities.threads && bw__load(&s->outside) > 0;
  if (s->idle_count < s->procs || helped || bw__sched_next_timer() != BW_NEVER) return;
  bw__mutex_unlock(&s->lock);
  bw__fatal("all goroutines are asleep - deadlock!");
}

// Looks at the queue for a bounded time without the lock.
static void spin(bw__sched *s) {
  for (int i = 0; i < SPIN_LOOKS; i++) {
    if (bw__load_relaxed(&s->queued) || bw__load_relaxed(&s->stopping)) return;
    bw__cpu_relax();
  }
}

// Sleeps until woken or until the next timer is due. Entered and left with the lock held.
static void idle_locked(bw__sched *s, bw__m *m) {
  stop_spinning_locked(s, m);
  bw__note_clear(&m->wake);
  bw__list_push_front(&s->idle, &m->idle);
  s->idle_count++;
  check_dead_locked(s);
  int64_t next = bw__sched_next_timer();
  bw__mutex_unlock(&s->lock);
  bw__count_own(&m->p->sleeps, 1);
  bw__note_sleep(&m->wake, next == BW_NEVER ? -1 : next);
  bw__mutex_lock(&s->lock);
  if (bw__list_linked(&m->idle)) { // the deadline ended the sleep: nobody took us off
    bw__list_remove(&m->idle);
    s->idle_count--;
  }
}

static void run_due_timers(bw__m *m) {
  if (m->tick % TIMER_EVERY == 0) bw__sched_run_timers(false);
}

// Who should be woken because this M leaves the search with work in hand: one more M when there is
// more work, or when timers need somebody to watch them.
static bw__m *pass_on_locked(bw__sched *s, bw__m *m) {
  bool searched = m->spinning;
  stop_spinning_locked(s, m);
  if (!searched || s->spinning_count > 0) return NULL;
  return s->head || bw__sched_next_timer() != BW_NEVER ? take_idle_locked(s) : NULL;
}

// The next goroutine to run, or NULL when the runtime stops. `yielded`: the goroutine that this M
// just ran and that goes to the tail of the queue; it may come back at once.
static bw__g *find(bw__m *m, bw__g *yielded) {
  bw__sched *s = &bw__sched_state;
  run_due_timers(m);
  bw__mutex_lock(&s->lock);
  if (yielded) push_locked(s, yielded);
  for (bool spun = false, settled = false;;) {
    if (bw__load(&s->stopping)) break;
    bw__g *g = pop_locked(s);
    if (g) {
      bw__m *wake = pass_on_locked(s, m);
      bw__mutex_unlock(&s->lock);
      if (wake) bw__note_wake(&wake->wake);
      return g;
    }
    if (!spun && s->procs > 1 && (m->spinning || s->spinning_count * 2 < s->procs)) {
      if (!m->spinning) s->spinning_count++;
      m->spinning = true;
      bw__mutex_unlock(&s->lock);
      spin(s);
      spun = true;
    } else if (settled) {
      idle_locked(s, m);
      bw__mutex_unlock(&s->lock);
      spun = !m->spinning; // woken to look for work: look properly
      settled = false;
    } else {
      bw__mutex_unlock(&s->lock);
      settled = true;
    }
    bw__sched_run_timers(settled);
    bw__mutex_lock(&s->lock);
  }
  stop_spinning_locked(s, m);
  bw__mutex_unlock(&s->lock);
  return NULL;
}

// ---- running ------------------------------------------------------------------------------------

// The stack is only looked at here, where the context is saved: a fatal error one switch late beats
// none. (Natively a guard page catches it at once.)
static void check_stack(bw__g *g) {
  if (BW_UNLIKELY(bw__ctx_headroom(&g->ctx) < 0)) bw__stack_overflow(g, (uintptr_t)g->ctx.sp);
}

// After the switch back: the context is saved, so others may have the goroutine now. Returns it
// when it wants to go to the tail of the queue.
static bw__g *settle(bw__m *m, bw__g *g, bool alive) {
  bw__after after = m->after;
  bw__mutex *unlock = m->unlock;
  m->cur = NULL;
  m->after = BW_AFTER_NOTHING;
  m->unlock = NULL;
  if (!alive) {
    bw__g_recycle(m, g);
    return NULL;
  }
  check_stack(g);
  if (after == BW_AFTER_YIELD) {
    bw__store_relaxed(&g->state, BW_G_RUNNABLE);
    return g;
  }
  bw__store_relaxed(&g->state, BW_G_WAITING);
  if (unlock) bw__mutex_unlock(unlock); // from here on *g may run elsewhere
  return NULL;
}

static bw__g *run(bw__m *m, bw__g *g) {
  bw__p *p = m->p;
  bw__port_mem_sync(); // first: the G itself may lie in memory that another thread grew
  m->cur = g;
  m->tick++;
  bw__count_own(&p->runs, 1);
  if (g->last_proc != p->index) {
    if (g->last_proc >= 0) bw__count_own(&p->migrations, 1);
    g->last_proc = p->index;
  }
  bw__store_relaxed(&g->state, BW_G_RUNNING);
  bool alive = bw__ctx_resume(&g->ctx);
  return settle(m, g, alive);
}

void bw__m_serve(int index) {
  bw__sched *s = &bw__sched_state;
  bw__m *m = &s->ms[index];
  m->p = &s->ps[index];
  bw__m_set_current(m);
  bw__cache_use(m->p->cache);
  for (bw__g *g = NULL; (g = find(m, g));) g = run(m, g);
  bw__cache_use(NULL);
  bw__m_set_current(NULL);
}
