// The monitor: a thread that runs no goroutines and looks after those that do (Go's sysmon).
//
//   - takes the P of a thread that stays in a blocking call
//   - sees goroutines that run for long without yielding: has others take what waits behind them,
//     and reports them when asked to
//   - looks at file descriptors when nobody has for 10 ms
//   - keeps a coarse clock, gives memory of idle stacks back
//   - gives idle memory of the allocator back, by the allocator's own rule (alloc/scavenge.h), for
//     programs that have stopped freeing
//   - does what a layer above has given it to do now and then (the ageing of pools)
//
// It looks every 20 us as long as that is of use, then less often, at least every 10 ms, and not at
// all once every P has been idle for a while: or only when the next of the allocator's windows
// ends, as long as it has something to give, and when the chore from above is due.
//
// Locks: sched.
#include "alloc/pageheap.h"
#include "sched/poll.h"
#include "sched/runq.h"
#include "sched/schedtrace.h"

enum { LOOK_LEAST = 20 * 1000, LOOK_MOST = 10 * 1000 * 1000, OVERSTAY = 10 * 1000 * 1000 };
enum { SCAVENGE_LEAST = LOOK_MOST, SCAVENGE_MOST = 100 * 1000 * 1000 };
enum { IDLE_LONG = 100 * 1000 * 1000 };
enum { QUIET_LOOKS = 50 }; // so many in vain, and it looks less often

typedef int64_t (*chore_fn)(int64_t now);

static struct {
  uint64_t polls;      // bw__poll_count at the last look that found it changed: its own
  int64_t polled_at;   // when that was
  int64_t scavenge_at; // when to look at the allocator's memory next: its own
  int64_t gives_at;    // when there will be some to give back; INT64_MAX: there is none: its own
  int64_t chore_at;    // when to call it next: its own
  _Atomic(chore_fn) chore; // NULL: there is none
  bool runs;               // r/o but for start
  bool deep;               // asleep until a P is taken: under sched.lock
  _Atomic(bool) stop;
  bw__note wake;
  bw__port_thread thread;
} monitor;

bool bw__monitor_runs(void) { return monitor.runs; }

typedef struct {
  bw__p *p;
  int64_t ns;
} overstay;

static void report_if_here(bw__g *g, void *arg) {
  overstay *o = arg;
  if (bw__shared_load(&g->state) != BW_G_RUNNING || bw__shared_load(&g->last_proc) != o->p->index)
    return;
  char buffer[160], name[BW_NAME_WORDS * 8];
  bw__text t = bw__text_on(buffer, sizeof buffer);
  bw__g_name(g, name);
  bw__text_format(&t, "burrow: goroutine %llu%s%s has run for %lld ms without yielding (P %d)\n",
                  (unsigned long long)bw__shared_load(&g->id), name[0] ? " " : "", name,
                  (long long)(o->ns / 1000000), o->p->index);
  bw__port_write(2, t.data, t.len);
}

static void report(bw__p *p, int64_t ns) { bw__g_each(report_if_here, &(overstay){p, ns}); }

// The thread of p is in a blocking call, and was at the last look.
static bool retake(bw__sched *s, bw__p *p, int64_t now) {
  bool wanted = !bw__runq_empty(p) || bw__load(&s->queued) > 0;
  bool others = bw__load(&s->spinning) + bw__load(&s->idle_count) > 0;
  if (!wanted && others && now - p->seen_at < OVERSTAY) return false;
  if (!bw__p_unmark(p)) return false;
  bw__p_hand_on(p);
  return true;
}

static bool has_deep_stacks(bw__p *p) { return bw__shared_load(&p->ends) != p->trimmed_ends; }

// The sched lock keeps p idle meanwhile. (64 stacks at most: some 50 us.)
static void trim_if_idle(bw__sched *s, bw__p *p) {
  bw__mutex_lock(&s->lock);
  if (bw__load_relaxed(&p->status) == BW_P_IDLE) { // taken from the idle ones under this lock only
    bw__port_mem_sync();
    bw__g_trim_deep(p);
    p->trimmed_ends = bw__shared_load(&p->ends);
  }
  bw__mutex_unlock(&s->lock);
}

// Stacks of a P that is used again and again keep their pages.
static void look_at_idle(bw__sched *s, bw__p *p, int64_t now) {
  if (!has_deep_stacks(p))
    p->idle_at = 0;
  else if (p->idle_at == 0)
    p->idle_at = now;
  else if (now - p->idle_at >= IDLE_LONG)
    trim_if_idle(s, p);
}

static bool deep_stacks_anywhere(void) {
  for (bw__p *p = bw__p_at(0); p; p = bw__p_after(p))
    if (has_deep_stacks(p)) return true;
  return false;
}

// Returns whether there was something to do.
static bool look_at(bw__sched *s, bw__p *p, int64_t now) {
  uint32_t status = bw__load_acquire(&p->status);
  uint64_t sign = bw__tally_read(&p->runs) + bw__tally_read(&p->blocks);
  if (status == BW_P_IDLE) {
    look_at_idle(s, p, now);
    return false;
  }
  p->idle_at = 0;
  if (sign != p->seen) {
    p->seen = sign;
    p->seen_at = now;
    p->reported = false;
    return false;
  }
  if (status == BW_P_BLOCKING) return retake(s, p, now);
  int64_t ns = now - p->seen_at;
  if (ns < OVERSTAY) return false;
  if (!bw__runq_empty(p) || bw__timers_next_of_all() <= now) bw__wake_one();
  if (bw__env.overstay > 0 && ns >= bw__env.overstay && !p->reported) {
    p->reported = true;
    report(p, ns);
  }
  return false;
}

// When no M sleeps in the poller all may be busy with other things.
static void poll(bw__sched *s, int64_t now) {
  if (!bw__poll_wanted()) return;
  uint64_t polls = bw__poll_count();
  if (polls != monitor.polls || bw__load(&s->polling)) {
    monitor.polls = polls;
    monitor.polled_at = now;
  } else if (now - monitor.polled_at >= OVERSTAY) {
    bw__poll_now();
  }
}

// The allocator's windows may be shorter than is good for its lock, and may be changed while they
// are long.
static void scavenge(int64_t now) {
  if (!bw__port_capabilities.gives_back) return;
  int64_t next = bw__pageheap_scavenge(now);
  if (next < now + SCAVENGE_LEAST) next = now + SCAVENGE_LEAST;
  monitor.gives_at = next;
  monitor.scavenge_at = next < now + SCAVENGE_MOST ? next : now + SCAVENGE_MOST;
}

static void do_chore(int64_t now) {
  chore_fn chore = bw__load_acquire(&monitor.chore); // pairs with its setting
  if (chore && now >= monitor.chore_at) monitor.chore_at = chore(now);
}

// When it has something to do although nobody runs; -1: never.
static int64_t deep_until(void) {
  int64_t until = monitor.gives_at;
  if (bw__load_acquire(&monitor.chore) && monitor.chore_at < until) until = monitor.chore_at;
  return until == INT64_MAX ? -1 : until;
}

static bool look(bw__sched *s) {
  int64_t now = bw__port_now();
  bool found = false;
  bw__store_relaxed(&s->coarse_now, now);
  for (bw__p *p = bw__p_at(0); p; p = bw__p_after(p)) { found |= look_at(s, p, now); }
  poll(s, now);
  bw__g_trim(now);
  if (now >= monitor.scavenge_at) scavenge(now);
  bw__schedtrace_look(now);
  do_chore(now);
  return found;
}

// Sleeps until a P is taken, if all are idle; or until there is memory to give back. What was freed
// before `deep` was set, it sees; who frees later takes a P first, and wakes it.
static void sleep_deep(bw__sched *s) {
  bw__mutex_lock(&s->lock);
  bool deep = bw__load_relaxed(&s->idle_count) == s->live && !bw__load(&monitor.stop) &&
              !bw__g_trim_wanted() && bw__env.schedtrace == 0 && !deep_stacks_anywhere();
  if (deep) {
    monitor.deep = true;
    bw__note_clear(&monitor.wake);
  }
  bw__mutex_unlock(&s->lock);
  if (!deep) return;
  scavenge(bw__port_now());
  bw__note_sleep(&monitor.wake, deep_until());
  bw__mutex_lock(&s->lock);
  monitor.deep = false;          // from here on nobody wakes it but a stop,
  bw__note_clear(&monitor.wake); // which is seen by who looks at `stop` next
  bw__mutex_unlock(&s->lock);
}

static void watch(void *unused) {
  (void)unused;
  bw__sched *s = &bw__sched_state;
  int64_t delay = LOOK_LEAST;
  for (int quiet = 0; !bw__load(&monitor.stop); quiet += quiet <= QUIET_LOOKS) {
    if (quiet == 0) delay = LOOK_LEAST;
    if (quiet > QUIET_LOOKS) delay = delay * 2 < LOOK_MOST ? delay * 2 : LOOK_MOST;
    bw__note_sleep(&monitor.wake, bw__port_now() + delay);
    if (look(s)) quiet = -1;
    if (delay == LOOK_MOST) sleep_deep(s);
  }
}

void bw__monitor_wake_locked(void) {
  if (!monitor.deep) return;
  monitor.deep = false;
  bw__note_wake(&monitor.wake);
}

void bw__monitor_set_chore(int64_t (*chore)(int64_t now)) {
  bw__store_release(&monitor.chore, chore);
}

void bw__monitor_start(void) {
  monitor.runs = false; // of the run before
  if (!bw__port_capabilities.monitors && !bw__env.monitor) return;
  bw__store(&monitor.stop, false);
  bw__note_clear(&monitor.wake);
  monitor.deep = false;
  monitor.scavenge_at = 0;
  monitor.gives_at = INT64_MAX;
  monitor.chore_at = 0;
  monitor.runs = bw__port_thread_start(&monitor.thread, watch, NULL) == 0;
}

// `runs` stays: threads in blocking calls have left their Ps to the monitor, and get them back.
void bw__monitor_stop(void) {
  if (!monitor.runs) return;
  bw__store(&monitor.stop, true);
  bw__mutex_lock(&bw__sched_state.lock); // it may be about to sleep deep, and clear its note
  bw__note_wake(&monitor.wake);
  bw__mutex_unlock(&bw__sched_state.lock);
  bw__port_thread_join(&monitor.thread);
}
