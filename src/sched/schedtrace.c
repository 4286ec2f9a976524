// The lines of BURROW_DEBUG=schedtrace, in the form of Go's GODEBUG=schedtrace:
//
//   SCHED 1004ms: gomaxprocs=2 idleprocs=0 threads=3 spinningthreads=0 idlethreads=1 runqueue=0 [3
//   1]
//
// and with scheddetail=1 a line for each P and each M. The figures are read one after the other
// while everything goes on, so they need not fit together to the last goroutine.
#include "sched/schedtrace.h"

#include "sched/dump.h"

#include <burrow/go.h>

enum { MS_SHOWN = 128 };

_Atomic(uint32_t) bw__schedtrace_lines;

static int64_t began;
static _Atomic(int64_t) next; // when to print again

typedef struct {
  int number;
  bool idle;
} m_state;

typedef struct {
  int count, shown;
  m_state ms[MS_SHOWN];
} m_states;

static void print(bw__text *t) {
  bw__port_write(2, t->data, t->len);
  t->len = 0;
}

void bw__schedtrace_begin(void) {
  began = bw__port_now();
  bw__store(&next, began + bw__env.schedtrace);
}

static void print_summary(bw__text *t, int64_t now) {
  bw__sched *s = &bw__sched_state;
  bw_sched_stats stats = bw_sched_stats_read();
  bw__text_format(t,
                  "SCHED %lldms: gomaxprocs=%d idleprocs=%d threads=%d spinningthreads=%d "
                  "idlethreads=%d runqueue=%u [",
                  (long long)((now - began) / 1000000), stats.procs, stats.idle_procs,
                  stats.threads, stats.spinning_threads, stats.idle_threads, stats.global_queue);
  for (int i = 0, procs = stats.procs; i < procs; i++) {
    bw__p *p = bw__load_acquire(&s->ps[i]); // pairs with its making
    if (!p) break;
    bw__text_format(t, i ? " %u" : "%u", bw__runq_length(p));
    if (t->cap - t->len < 32) print(t);
  }
  bw__text_format(t, "]\n");
  print(t);
}

static void print_p(bw__text *t, bw__p *p) {
  bw__p_view v = bw__p_look(p);
  bw__text_format(t, "  P%d: status=%s schedtick=%u m=%d g=%llu runqsize=%u\n", p->index, v.status,
                  (unsigned)bw__tally_read(&p->runs), v.holder, (unsigned long long)v.running,
                  v.queued);
  print(t);
}

static void list_ms(m_states *list) {
  bw__sched *s = &bw__sched_state;
  bw__mutex_lock(&s->lock);
  list->count = s->m_count;
  list->shown = 0;
  for (bw__m *m = s->ms; m && list->shown < MS_SHOWN; m = m->all_next)
    list->ms[list->shown++] = (m_state){m->number, bw__list_linked(&m->idle)};
  bw__mutex_unlock(&s->lock);
}

static void print_m(bw__text *t, m_state m) {
  bw__p_view of = {.holder = -1};
  int index = -1;
  for (bw__p *p = bw__p_at(0); p && index < 0; p = bw__p_after(p)) {
    of = bw__p_look(p);
    if (of.holder == m.number) index = p->index;
  }
  bw__text_format(t, "  M%d: p=%d curg=%llu idle=%s\n", m.number, index,
                  (unsigned long long)(index < 0 ? 0 : of.running), m.idle ? "true" : "false");
  print(t);
}

static void print_detail(bw__text *t) {
  bw__sched *s = &bw__sched_state;
  m_states list;
  for (int i = 0, procs = bw__load(&s->procs); i < procs; i++) {
    bw__p *p = bw__load_acquire(&s->ps[i]);
    if (p) print_p(t, p);
  }
  list_ms(&list);
  for (int i = list.shown; i > 0; i--) print_m(t, list.ms[i - 1]);
  if (list.count > list.shown) {
    bw__text_format(t, "  and %d other threads\n", list.count - list.shown);
    print(t);
  }
}

void bw__schedtrace_look(int64_t now) {
  char buffer[256];
  bw__text t = bw__text_on(buffer, sizeof buffer);
  int64_t due = bw__load(&next);
  if (bw__env.schedtrace == 0 || now < due) return;
  if (!bw__cas(&next, &due, now + bw__env.schedtrace)) return; // somebody else prints it
  print_summary(&t, now);
  if (bw__env.scheddetail) print_detail(&t);
  bw__add(&bw__schedtrace_lines, 1);
}
