// Ms: made, started on threads, joined.
//
// A thread is started when there is a P for it and no M is idle; it stays until the runtime stops.
// Where threads come from outside (JavaScript's workers), none is ever started here.
//
// Locks: sched.
#include "sched/trace.h"

#include <burrow/alloc.h>
#include <string.h>

void *bw__sched_record(size_t size) {
  size_t bytes = bw__align_up(size, BW_CACHE_LINE);
  void *record = bw_aligned_alloc(BW_CACHE_LINE, bytes);
  return record ? memset(record, 0, bytes) : NULL;
}

bw__m *bw__m_new(void) {
  bw__sched *s = &bw__sched_state;
  bw__m *m = bw__sched_record(sizeof *m);
  if (!m) return NULL;
  bw__mutex_lock(&s->lock);
  if (s->m_count == s->m_max) {
    bw__mutex_unlock(&s->lock);
    bw__fatal("thread exhaustion: the program exceeds %d threads", s->m_max);
  }
  m->number = s->ms ? s->ms->number + 1 : 0;
  m->all_next = s->ms;
  s->ms = m;
  bw__trace_m_made_locked(m);
  s->m_count++;
  bw__mutex_unlock(&s->lock);
  return m;
}

// It will never run: it had no thread.
static void forget(bw__m *m) {
  bw__sched *s = &bw__sched_state;
  bw__mutex_lock(&s->lock);
  for (bw__m **at = &s->ms; *at; at = &(*at)->all_next) {
    if (*at != m) continue;
    *at = m->all_next;
    break;
  }
  s->m_count--;
  bw__mutex_unlock(&s->lock);
  bw_free(m);
}

static void serve(void *m) { bw__m_serve(m); }

bool bw__m_start(bw__p *p, bool spinning) {
  if (!bw__sched_state.starts_ms) return false;
  bw__m *m = bw__m_new();
  if (!m) return false;
  m->given = p;
  m->spinning = spinning;
  if (bw__port_thread_start(&m->thread, serve, m) != 0) {
    forget(m);
    return false;
  }
  bw__sched *s = &bw__sched_state;
  bw__mutex_lock(&s->lock);
  m->started = true; // only once m->thread is written: bw__ms_join may look while this M starts it
  bw__mutex_unlock(&s->lock);
  return true;
}

// An M is started by another M, which is joined as well: so when there is none to be joined, none
// is being started.
void bw__ms_join(void) {
  bw__sched *s = &bw__sched_state;
  for (;;) {
    bw__mutex_lock(&s->lock);
    bw__m *m = s->ms;
    while (m && !m->started) m = m->all_next;
    if (m) m->started = false;
    bw__mutex_unlock(&s->lock);
    if (!m) return;
    bw__port_thread_join(&m->thread);
  }
}

void bw__ms_free(void) {
  bw__sched *s = &bw__sched_state;
  for (bw__m *m = s->ms, *next; m; m = next) {
    next = m->all_next;
    bw_free(m);
  }
  s->ms = NULL;
  s->m_count = 0;
}
