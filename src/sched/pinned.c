// Goroutines locked to their thread: runtime.LockOSThread.
//
// While g is pinned to m, m runs nothing but g and g runs nowhere but on m. When g blocks or
// yields, m gives its P away and sleeps; another M that takes g from a queue gives its own P to m
// and looks for another P. The P may be given before m has fallen asleep, or before it has even
// given away its old one: `given` and the note remember it.
//
// Locks: sched.
#include "sched/runq.h"
#include "sched/trace.h"

#include <burrow/error.h>

int bw_lock_os_thread(void) {
  bw__m *m = bw__m_current();
  if (!m || !m->cur) return BW_ESTATE;
  if (!bw__port_capabilities.threads) return 0; // there is but one thread
  if (!bw__sched_state.starts_ms) return BW_ENOTSUP;
  m->cur->pins++;
  m->cur->pinned = m;
  bw__g_mark(m->cur, BW_G_PINNED, true);
  m->pinned = m->cur;
  return 0;
}

void bw_unlock_os_thread(void) {
  bw__m *m = bw__m_current();
  if (!m || !m->pinned || --m->cur->pins > 0) return;
  bw__pinned_end(m);
}

void bw__pinned_end(bw__m *m) {
  bw__g_mark(m->pinned, BW_G_PINNED, false);
  m->pinned->pinned = NULL;
  m->pinned->pins = 0;
  m->pinned = NULL;
}

// Whether the goroutine of this M is next on its P anyway: then no other thread need be troubled.
static bool is_next(bw__m *m) {
  bw__g *g = bw__runq_take(m->p);
  if (g == m->pinned) return true;
  if (g) bw__runq_put(m->p, g, true);
  return false;
}

static void sleep_until_given(bw__sched *s, bw__m *m) {
  bw__mutex_lock(&s->lock);
  if (!m->given && !bw__load_relaxed(&s->stopping)) {
    bw__list_push_front(&s->pinned_ms, &m->idle);
    s->pinned_idle++;
    bw__dead_check_locked();
  } else if (!m->given) {
    bw__note_wake(&m->wake);
  }
  bw__mutex_unlock(&s->lock);
  bw__note_sleep(&m->wake, -1);
  bw__note_clear(&m->wake);
  bw__port_mem_sync();
}

bw__g *bw__pinned_wait(bw__m *m) {
  bw__sched *s = &bw__sched_state;
  if (m->p && is_next(m)) return m->pinned;
  if (m->p) bw__p_hand_on(bw__p_let_go(m));
  sleep_until_given(s, m);
  if (!m->given) return NULL; // the runtime stops
  bw__p_hold(m, m->given);
  m->given = NULL;
  return m->pinned;
}

void bw__pinned_hand_over(bw__m *m, bw__g *g) {
  bw__sched *s = &bw__sched_state;
  bw__m *to = g->pinned;
  bw__p *p = bw__p_let_go(m);
  bw__mutex_lock(&s->lock);
  to->given = p;
  if (bw__list_linked(&to->idle)) {
    bw__list_remove(&to->idle);
    s->pinned_idle--;
  }
  bw__mutex_unlock(&s->lock);
  bw__note_wake(&to->wake);
}
