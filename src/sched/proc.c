// Who holds which P, and who sleeps.
//
// An M with nothing to do gives its P back and sleeps on its note. Whoever has work for it takes it
// off the list of idle Ms, leaves a P in `given`, and wakes it. One idle M is the *keeper*: it
// sleeps no longer than until the earliest timer. One, the same or another, sleeps in the poller
// and not on its note while goroutines wait for file descriptors. An M is on the list exactly while
// somebody else may wake it; all of that happens under sched.lock, and so each wake has one waker.
//
// Going idle, in this order (wakeups.md has the argument):
//   1. under the lock: look at the global queue; give the P back; stop being counted as spinning;
//      enter the list of idle Ms; keep the clock if nobody does; poll if nobody does
//   2. without it: look at every queue and at the timers once more
//   3. sleep
//
// Locks: sched.
#include "sched/poll.h"
#include "sched/runq.h"
#include "sched/schedtrace.h"
#include "sched/trace.h"

bw__sched bw__sched_state = {
    .lock = BW_MUTEX_INIT(BW_RANK_SCHED),
    .idle = {&bw__sched_state.idle, &bw__sched_state.idle},
    .pinned_ms = {&bw__sched_state.pinned_ms, &bw__sched_state.pinned_ms},
    .batches = {&bw__sched_state.batches, &bw__sched_state.batches},
    .keeps_until = BW_NEVER,
};

// ---- Ps -----------------------------------------------------------------------------------------

void bw__p_hold(bw__m *m, bw__p *p) {
  m->p = p;
  bw__shared_store(&p->holder, m->number);
  bw__store_relaxed(&p->status, BW_P_HELD);
  bw__cache_use(p->cache);
  bw__trace_proc_start(m);
}

bw__p *bw__p_let_go(bw__m *m) {
  bw__p *p = m->p;
  bw__trace_proc_stop(m);
  m->p = NULL;
  bw__cache_use(NULL);
  return p;
}

static void put_idle_locked(bw__sched *s, bw__p *p) {
  bw__shared_store(&p->holder, -1);
  bw__shared_store(&p->running, 0);
  bw__store_relaxed(&p->status, BW_P_IDLE);
  p->next_idle = s->idle_ps;
  s->idle_ps = p;
  bw__store(&s->idle_count, bw__load_relaxed(&s->idle_count) + 1);
}

static bw__p *take_idle_locked(bw__sched *s) {
  bw__p *p = s->idle_ps;
  if (!p) return NULL;
  s->idle_ps = p->next_idle;
  bw__store(&s->idle_count, bw__load_relaxed(&s->idle_count) - 1);
  bw__store_relaxed(&p->status, BW_P_HELD);
  bw__monitor_wake_locked();
  return p;
}

void bw__p_put_idle_locked(bw__p *p) { put_idle_locked(&bw__sched_state, p); }

bool bw__p_take_idle(bw__m *m) {
  bw__sched *s = &bw__sched_state;
  bw__mutex_lock(&s->lock);
  bw__port_mem_sync(); // the P may lie in memory that another thread grew
  bw__p *p = take_idle_locked(s);
  bw__mutex_unlock(&s->lock);
  if (p) bw__p_hold(m, p);
  return p;
}

// ---- waking Ms ----------------------------------------------------------------------------------

static void leave_list_locked(bw__sched *s, bw__m *m) {
  bw__list_remove(&m->idle);
  s->idle_ms--;
  if (s->keeper != m) return;
  s->keeper = NULL;
  bw__store(&s->keeps_until, BW_NEVER);
}

// The youngest idle M, off the list, for p. NULL: none sleeps.
static bw__m *take_m_locked(bw__sched *s, bw__p *p, bool spinning) {
  if (bw__list_empty(&s->idle)) return NULL;
  bw__m *m = BW_CONTAINER(s->idle.next, bw__m, idle);
  leave_list_locked(s, m);
  m->given = p;
  m->spinning = spinning;
  return m;
}

// m is off the list. It may be gone as soon as its note is woken.
static void wake(bw__m *m) {
  bool polls = m->polls;
  bw__note_wake(&m->wake);
  if (!BW_WASM && polls) bw__port_poll_break();
}

// One that a thread in a blocking call has no use for.
static bw__p *take_blocking(bw__sched *s) {
  for (bw__p *p = bw__p_at(0); p && bw__load(&s->blocking) > 0; p = bw__p_after(p)) {
    if (bw__load(&p->status) == BW_P_BLOCKING && bw__p_unmark(p)) return p;
  }
  return NULL;
}

// Has an M run with p, which is nobody's, or with an idle or blocking P if p is NULL. `spinning`:
// the caller has counted the M as one that looks for work.
static void start_m(bw__p *p, bool spinning) {
  bw__sched *s = &bw__sched_state;
  bw__mutex_lock(&s->lock);
  if (!p) p = take_idle_locked(s);
  if (!p) p = take_blocking(s);
  bw__m *m = p ? take_m_locked(s, p, spinning) : NULL;
  bw__mutex_unlock(&s->lock);
  if (m) {
    wake(m);
    return;
  }
  if (p && bw__m_start(p, spinning)) return;
  if (spinning) bw__sub(&s->spinning, 1);
  if (!p) return;
  if (!spinning && s->starts_ms) bw__fatal("cannot start a thread for goroutines that wait");
  bw__mutex_lock(&s->lock);
  put_idle_locked(s, p); // who goes idle next looks at all queues
  bw__mutex_unlock(&s->lock);
}

BW_NOINLINE void bw__wake_one_slow(void) {
  int32_t none = 0;
  if (bw__cas(&bw__sched_state.spinning, &none, 1)) start_m(NULL, true);
}

BW_NOINLINE void bw__sched_ready(bw__g *g, bool next) {
  bw__m *m = bw__m_current();
  bw__trace_unblock(m, g);
  bw__shared_store(&g->state, BW_G_RUNNABLE);
  if (m && m->p)
    bw__runq_put(m->p, g, next && m->cur); // by a timer: in the order in which they are due
  else
    bw__globq_put(g);
  bw__wake_one();
}

void bw__sched_ready_here(bw__g *g) {
  bw__trace_unblock(bw__m_current(), g);
  bw__shared_store(&g->state, BW_G_RUNNABLE);
  bw__runq_put(bw__m_current()->p, g, true);
}

static bool any_work(bw__sched *s) {
  bw__port_mem_sync(); // as below: Ps that others have made
  if (bw__load(&s->queued) > 0) return true;
  for (int i = 0, n = bw__load(&s->scan); i < n; i++) {
    bw__p *p = bw__load_acquire(&s->ps[i]);
    if (p && !bw__runq_empty(p)) return true;
  }
  return false;
}

void bw__p_hand_on(bw__p *p) {
  bw__sched *s = &bw__sched_state;
  if (!bw__runq_empty(p) || bw__load(&s->queued) > 0) {
    start_m(p, false);
    return;
  }
  bw__mutex_lock(&s->lock);
  put_idle_locked(s, p);
  bool again = any_work(s);
  if (!again) bw__dead_check_locked();
  bw__mutex_unlock(&s->lock);
  if (again || (bw__poll_wanted() && !bw__load(&s->polling))) bw__wake_one();
  bw__timers_earlier(bw__timers_next_of_all()); // its timers need a keeper
}

// A goroutine that is about to park starts a timer: when nothing else waits on this P, its M comes
// to bw__find, and what that finds is not run before the keeper was told; or it sleeps, and keeps
// the clock itself. Only every 61st turn finds something on the way there: see bw__look_around.
void bw__timers_earlier_parking(int64_t when) {
  bw__m *m = bw__m_current();
  if (!bw__runq_empty(m->p) || bw__load(&bw__sched_state.queued) > 0) bw__timers_earlier(when);
}

void bw__timers_earlier(int64_t when) {
  bw__sched *s = &bw__sched_state;
  int64_t keeps = bw__load(&s->keeps_until);
  if (when >= keeps) return;
  if (keeps == BW_NEVER) { // nobody keeps the clock
    bw__wake_one();
    return;
  }
  bw__m *m = NULL;
  bw__mutex_lock(&s->lock);
  if (s->keeper && when < bw__load_relaxed(&s->keeps_until)) {
    m = s->keeper;
    leave_list_locked(s, m);
    m->given = NULL;
  }
  bw__mutex_unlock(&s->lock);
  if (m)
    wake(m);
  else
    bw__wake_one();
}

void bw__ms_wake_all(void) {
  bw__sched *s = &bw__sched_state;
  bw__m *first = NULL;
  bw__mutex_lock(&s->lock);
  for (bw__m *m = s->ms; m; m = m->all_next) {
    if (!bw__list_linked(&m->idle)) continue;
    if (m->pinned) {
      bw__list_remove(&m->idle);
      s->pinned_idle--;
    } else {
      leave_list_locked(s, m);
    }
    m->given = NULL;
    m->woken_next = first;
    first = m;
  }
  bw__mutex_unlock(&s->lock);
  for (bw__m *m = first, *next; m; m = next) {
    next = m->woken_next;
    wake(m);
  }
}

// ---- sleeping -----------------------------------------------------------------------------------

// As long as no P is idle those who hold them look at the clock, and an M without a P could do
// nothing about a timer.
static void keep_clock_locked(bw__sched *s, bw__m *m) {
  if (!s->idle_ps) return;
  int64_t next = bw__timers_next_of_all();
  if (next >= bw__load_relaxed(&s->keeps_until)) return; // there is a keeper, or no need of one
  s->keeper = m; // one that was it before sleeps on, and finds out when it wakes
  bw__store(&s->keeps_until, next);
}

// The one that polls is at the end of the list: so it is woken for other work only when no other M
// is idle.
static void keep_poller_locked(bw__sched *s, bw__m *m) {
  if (!s->idle_ps || !bw__poll_wanted() || bw__load(&s->polling)) return;
  bw__store(&s->polling, true);
  m->polls = true;
  bw__list_remove(&m->idle);
  bw__list_push_back(&s->idle, &m->idle);
}

// Step 1. False: there is something to do.
static bool enlist(bw__sched *s, bw__m *m) {
  bw__mutex_lock(&s->lock);
  bool busy = bw__load_relaxed(&s->stopping) ||
              (m->p ? bw__load_relaxed(&s->queued) > 0 || bw__load_relaxed(&m->p->attention) != 0
                    : s->idle_ps && bw__load_relaxed(&s->queued) > 0);
  if (!busy) {
    bw__port_mem_sync();
    if (m->p) put_idle_locked(s, bw__p_let_go(m));
    if (m->spinning) bw__sub(&s->spinning, 1);
    m->spinning = false;
    bw__list_push_front(&s->idle, &m->idle);
    s->idle_ms++;
    keep_clock_locked(s, m);
    keep_poller_locked(s, m);
    bw__dead_check_locked();
  }
  bw__mutex_unlock(&s->lock);
  return !busy;
}

static void stop_polling(bw__sched *s, bw__m *m) {
  if (!m->polls) return;
  m->polls = false;
  bw__store(&s->polling, false);
}

// Step 2: takes m off the list, with a P, if there is work for it. True: it has a P.
static bool look_again(bw__sched *s, bw__m *m) {
  bool work = any_work(s), clock = bw__timers_next_of_all() < bw__load(&s->keeps_until);
  if (!work && !clock) return false;
  bw__mutex_lock(&s->lock);
  bw__p *p = NULL;
  if (bw__list_linked(&m->idle)) {
    if (work) p = take_idle_locked(s);
    if (p) {
      leave_list_locked(s, m);
      stop_polling(s, m);
      bw__add(&s->spinning, 1);
    } else {
      keep_clock_locked(s, m);
      keep_poller_locked(s, m);
    }
  }
  bw__mutex_unlock(&s->lock);
  if (!p) return false;
  m->spinning = true;
  bw__p_hold(m, p);
  return true;
}

// m has woken by itself: its deadline has passed, or something has come in the poller. True: m is
// off the list, and has a P if one was idle. False: somebody was faster, and is waking it.
static bool get_up(bw__sched *s, bw__m *m, bool spinning) {
  bw__mutex_lock(&s->lock);
  bw__port_mem_sync();
  bool listed = bw__list_linked(&m->idle);
  bw__p *p = NULL;
  if (listed) {
    leave_list_locked(s, m);
    stop_polling(s, m);
    p = take_idle_locked(s);
    if (p && spinning) bw__add(&s->spinning, 1);
  }
  bw__mutex_unlock(&s->lock);
  if (!listed) return false;
  m->spinning = p && spinning;
  if (p) bw__p_hold(m, p);
  return true;
}

static void woken(bw__sched *s, bw__m *m) {
  bw__note_sleep(&m->wake, -1);
  bw__note_clear(&m->wake);
  stop_polling(s, m);
  bw__port_mem_sync(); // the P and what is on its queue may lie in memory that others grew
  if (m->given) bw__p_hold(m, m->given);
  m->given = NULL;
}

// What came has goroutines to run, so m need not count as looking for some: if there are more, an M
// is woken for each.
static void sleep_in_poller(bw__sched *s, bw__m *m, int64_t until) {
  bw__poll_batch batch;
  bw__poll_collect(&batch, until);
  if (!get_up(s, m, batch.count == 0)) woken(s, m);
  bw__poll_deliver(&batch);
}

static int64_t deadline_of(bw__sched *s, bw__m *m) {
  bw__mutex_lock(&s->lock);
  int64_t until = s->keeper == m ? bw__load_relaxed(&s->keeps_until) : BW_NEVER;
  bw__mutex_unlock(&s->lock);
  return until == BW_NEVER ? -1 : until;
}

void bw__m_sleep(bw__m *m) {
  bw__sched *s = &bw__sched_state;
  bw__p *had = m->p;
  int64_t now = bw__port_now();
  bw__store_relaxed(&s->coarse_now, now);
  bw__g_trim(now);
  bw__schedtrace_by_m(now);
  if (!enlist(s, m)) return;
  if (had) bw__tally_add(&had->sleeps, 1);
  if (look_again(s, m)) return;
  int64_t until = deadline_of(s, m);
  if (!BW_WASM && m->polls)
    sleep_in_poller(s, m, until);
  else if (bw__note_sleep(&m->wake, until) || !get_up(s, m, true))
    woken(s, m);
}
