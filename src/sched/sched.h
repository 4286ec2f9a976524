// The scheduler's data: G, M and P, as in Go.
//
//   G  a goroutine: its stack, its context, and what it is waiting for (g.h)
//   M  an OS thread that runs goroutines
//   P  the right to run them: a run queue, a heap of timers, free Gs, the allocator's cache. An M
//      runs goroutines only while it holds a P; bw_gomaxprocs says how many Ps there are, and so
//      how many goroutines run at the same time, however many Ms are asleep or blocked.
//
// The rooms: queue.c (run queues), find.c (what to run next), worker.c (the loop of an M), proc.c
// (Ps and Ms: who holds what, who sleeps), procs.c (their number), block.c (blocking calls),
// pinned.c (goroutines locked to their thread), poll.c and io.c (file descriptors), monitor.c,
// dead.c (deadlock), g.c, records.c and stack.c. wakeups.md beside this file argues that no wake-up
// is lost.
//
// States of a G, and who may change them:
//
//   FREE -> RUNNABLE       bw_go, before the G is on a queue
//   RUNNABLE -> RUNNING    the M that took it off the queue
//   RUNNING -> RUNNABLE    its M, after the context is saved (gosched)
//   RUNNING -> WAITING     its M, after the context is saved; then the M unlocks what park named
//   WAITING -> RUNNABLE    whoever takes it off the queue it waits in (ready)
//   RUNNING <-> BLOCKING   its M, around a blocking call
//   RUNNING -> FREE        its M, after the entry has returned
//
// The one rule that makes migration safe: nobody may run a G before its context is saved, so (but
// for one P alone, see switch.h) nobody may make it runnable before. park(lock) keeps that lock
// until then, and who readies must have held it.
#ifndef BURROW_SCHED_SCHED_H
#define BURROW_SCHED_SCHED_H

#include "alloc/alloc.h"
#include "base/atomics.h"
#include "base/list.h"
#include "base/rand.h"
#include "base/shared.h"
#include "base/text.h"
#include "lock/mutex.h"
#include "lock/note.h"
#include "port/ctx.h"
#include "port/port.h"
#include "sched/g.h"
#include "sched/park.h"
#include "sched/timers.h"
#include "sched/unwind.h"

#include <burrow/debug.h>
#include <burrow/go.h>

enum {
  BW_PROCS_MAX = 1024,
  BW_RING = 256, // a P's run queue
};

// ---- run queues: queue.c ------------------------------------------------------------------------

// One P's. The owner, the M that holds the P, pushes at the tail; owner and thieves take from the
// head. `next` is the goroutine to run before all others.
typedef struct {
  _Atomic(uint32_t) head; // moved on by CAS, by owner and thieves
  _Atomic(uint32_t) tail; // written by the owner only
  _Atomic(bw__g *) next;  // swapped by owner and thieves
  bool solo; // the owner's: there is one P, so nobody steals, and the owner need not be careful
  _Atomic(bw__g *) ring[BW_RING];
} bw__runq;

typedef enum { BW_P_IDLE, BW_P_HELD, BW_P_BLOCKING } bw__p_status;

typedef struct bw__p {
  // The owner's.
  _Alignas(BW_CACHE_LINE) int index;
  uint32_t chain_left;       // goroutines to be run from `next`, one after the other,
  uint32_t chain_looks;      // until the next look at the chain, and how many looks there were
  int64_t chain_looked;      // the first of them, if others waited then
  int64_t chain_ended;       // when such a chain last had to make way,
  int64_t before_chain;      // and for how long it and all others had run until then
  bw__g *free_gs, *spare_gs; // free Gs with stacks: at most a batch, and one whole batch or NULL
  int free_count;            // of free_gs
  bool free_hot;             // the first of free_gs has run here last: its stack is in the cache
  bw__cache *cache;          // the allocator's for whoever holds this P; NULL: the thread's own
  uint64_t next_id, end_id;  // goroutine numbers that this P may give
  bw__rand rand;
  bw__port_clock clock;        // for the beginning of waits
  BW_SHARED(uint64_t) running; // number of the goroutine that runs
  BW_SHARED(int32_t) holder;   // number of the M that holds it, -1: none
  bw__tally runs;              // goroutines that it has run: the clock of the P
  // Goroutines that have ended here: whoever counts them sees what they did.
  BW_SHARED(uint64_t) ends;
  bw__tally migrations, spawns, parks, yields, sleeps, steals, blocks;
  bw__runq q;
  bw__timers timers;
  // Everybody's.
  _Alignas(BW_CACHE_LINE) _Atomic(uint32_t) attention; // not 0: the owner looks up from its work
  _Atomic(uint32_t) status;                            // bw__p_status
  struct bw__p *next_idle;                             // under sched.lock
  bool dead;                                           // not in use: under sched.lock
  // The monitor's: what it saw last, since when, and whether it said so.
  uint64_t seen;
  int64_t seen_at;
  bool reported;
  int64_t idle_at;       // seen idle with stacks to trim; 0: not
  uint64_t trimmed_ends; // `ends` when they were trimmed last
} bw__p;

// No false sharing: what others write lies in lines of its own, and no two Ps share one.
_Static_assert(offsetof(bw__p, attention) % BW_CACHE_LINE == 0, "apart from the owner's");
_Static_assert(offsetof(bw__p, timers) % BW_CACHE_LINE == 0, "apart from the run queue");
_Static_assert(sizeof(bw__p) % BW_CACHE_LINE == 0 && _Alignof(bw__p) >= BW_CACHE_LINE, "no two");

typedef enum {
  BW_AFTER_NOTHING,
  BW_AFTER_YIELD,
  BW_AFTER_PARK,
  BW_AFTER_PARK_COMMIT,
  BW_AFTER_LOST_P, // back from a blocking call, and the P is gone
  BW_AFTER_EXIT,   // bw_goexit
} bw__after;

// What an M has found that looked for work with others: nap.c.
typedef struct {
  bool guest;          // it has found none yet that was worth it
  bw__p *p;            // which runs what it took last; NULL: nothing, or it is judged
  int64_t took;        // when; and what that P had run until then,
  uint64_t runs, ends; // and how many of these had ended
  int64_t nap;         // how long the next nap is to be
  bool greedy;         // after the last one nobody was seen at work: it takes whole queues
  uint64_t blocks;     // blocking calls of all Ps when it was judged last
  int64_t looked;      // when it last looked what others do,
  uint64_t seen;       // and how many turns they had taken
} bw__visit;

typedef struct bw__m {
  bw__p *p;                  // NULL: none
  bw__g *cur;                // the goroutine that runs here, NULL: the M itself
  bw__after after;           // what to do with it once its context is saved
  bw__mutex *unlock;         // BW_AFTER_PARK: released then
  void (*commit)(void *arg); // BW_AFTER_PARK_COMMIT: called then
  void *commit_arg;
  bool spinning; // looking for work, and counted in sched.spinning: its own
  bw__visit visit;
  bw__g *pinned; // the goroutine locked to this M, which runs no other
  bw__list idle; // in sched.idle while asleep: under sched.lock
  bw__p *given;  // the P that the waker gave, or NULL: under sched.lock, read after the wake
  bool polls;    // asleep in the poller and not on its note: written by this M, under sched.lock
                 // while it is on the list, and not between being taken off and being woken
  bw__note wake; // cleared by this M after each wake
  struct bw__m *all_next;      // list of all Ms: under sched.lock
  struct bw__m *woken_next;    // bw__ms_wake_all's
  int number;                  // 0, 1, ...: r/o
  struct bw__trace_ring *ring; // where it records a trace, or NULL: see trace.h
  _Atomic(uint32_t) recording; // not 0: it does so right now
  bool started;                // has a thread, for bw__ms_join to join: under sched.lock
  bw__port_thread thread;
} bw__m;

typedef struct {
  // Read in every push and every search, written when an M falls asleep or wakes.
  _Alignas(BW_CACHE_LINE) _Atomic(int32_t) idle_count; // Ps in idle_ps: written under lock
  _Atomic(int32_t) blocking;                           // Ps in blocking calls
  _Atomic(int32_t) spinning;                           // Ms that look for work
  _Atomic(uint32_t) queued; // goroutines in the global queue: written under lock
  _Atomic(int32_t) procs;   // how many Ps there are to be: written under lock
  _Atomic(int32_t) scan;    // Ps with a higher index have no work: written under lock
  _Atomic(bool) polling; // an M is in the poller: set under lock, cleared by that M when it is out
  _Atomic(bool) stopping;
  _Atomic(int32_t) outside;     // plain threads and JavaScript that may still help
  _Atomic(int64_t) keeps_until; // until when the keeper sleeps; BW_NEVER: there is none
  bool running;                 // between open and close
  bool starts_ms;               // false: threads come from outside (JavaScript). r/o while running
  size_t stack_size;            // r/o while running
  // Written now and then by whoever has looked at the clock.
  _Alignas(BW_CACHE_LINE) _Atomic(int64_t) coarse_now;
  // All that follows: under lock.
  _Alignas(BW_CACHE_LINE) bw__mutex lock;
  bw__g *head, *tail;  // goroutines that yielded, or were readied outside of any P: queue.c
  uint32_t list_count; // of these
  uint32_t turn;       // of bw__globq_take_oldest
  bool batches_turn;   // whose turn it is in bw__globq_take
  bw__list batches;    // what did not fit into rings, newest first
  bw__p *idle_ps;      // Ps that nobody holds
  int live;            // Ps that are not dead
  bw__list idle;       // Ms asleep, the youngest first
  int idle_ms;         // of these
  bw__m *keeper;       // the idle M that watches the clock
  bw__list pinned_ms;  // Ms asleep until their pinned goroutine can run
  int pinned_idle;     // of these
  int m_count, m_max;  // Ms that exist, and may
  bw__m *ms;           // all of them
  bool main_exited;    // the main goroutine called bw_goexit
  _Atomic(bw__p *) ps[BW_PROCS_MAX]; // made on demand, without the lock; freed at the end
} bw__sched;

// The three parts in lines of their own: read by all, written now and then, written under lock.
_Static_assert(offsetof(bw__sched, coarse_now) % BW_CACHE_LINE == 0, "apart from what all read");
_Static_assert(offsetof(bw__sched, lock) % BW_CACHE_LINE == 0 &&
                   offsetof(bw__sched, lock) > offsetof(bw__sched, coarse_now),
               "apart from the clock");

extern bw__sched bw__sched_state;

// machines.c. Zeroed memory for a P or an M, in lines of its own since its thread writes it at each
// switch; NULL: none. Given back by bw_free.
void *bw__sched_record(size_t size);

// The P with this index; NULL: there are no more. Ps are made in the order of their index and stay
// until the runtime closes, so that
//   for (bw__p *p = bw__p_at(0); p; p = bw__p_after(p))
// visits all that were ever made. Any thread.
static inline bw__p *bw__p_at(int i) {
  return i < BW_PROCS_MAX ? bw__load_acquire(&bw__sched_state.ps[i])
                          : NULL; // pairs with its making
}
static inline bw__p *bw__p_after(const bw__p *p) { return bw__p_at(p->index + 1); }

// The short ways (put, take) are in runq.h.
// Moves half of the victim's goroutines to p and returns one of them; NULL: nothing to steal.
// `desperate`: if need be the one that is about to run next; `all`: all of them and that one. p's
// own queue must be empty.
bw__g *bw__runq_steal(bw__p *p, bw__p *victim, bool all, bool desperate);
// Never true while the queue has a goroutine, whatever its owner does meanwhile.
bool bw__runq_empty(bw__p *p);
// Gives everything to the global queue. For the owner. Locks: sched.
void bw__runq_flush(bw__p *p);

// Global queue. Locks: sched.
void bw__globq_put(bw__g *g);
// A goroutine, and some more for p, whose queue must be empty. NULL: none. *of_batch:
// whether they are what did not fit into a ring.
bw__g *bw__globq_take(bw__p *p, bool *of_batch);
// The one that waits longest, or NULL.
bw__g *bw__globq_take_oldest(void);

// ---- current.c: who am I ------------------------------------------------------------------------

// This thread's M, or NULL on a plain thread, which a thread in a blocking call is as well. Never
// keep the result across a switch.
bw__m *bw__m_current(void);
void bw__m_set_current(bw__m *m);
// The goroutine that runs on this thread, or NULL.
bw__g *bw__g_current(void);
// As bw__m_current, but this thread's M in a blocking call too.
bw__m *bw__m_here(void);
void bw__m_set_here(bw__m *m);
// 64 random bits, on any thread: for choices, never for secrets.
uint64_t bw__random(void);

// ---- g.c: goroutines ----------------------------------------------------------------------------

// A G that is ready to be queued; NULL: no memory. m: this thread's, or NULL. Locks: allg, gpool.
bw__g *bw__g_make(bw__m *m, const bw_go_options *options, void (*fn)(void *), void *arg,
                  uintptr_t made);
// g, which runs for the first time, on p, which the caller holds: afterwards its stack is its own
// and its context can be resumed.
void bw__g_begin(bw__p *p, bw__g *g);
// Back to the free list, after its entry returned; m is pinned to it no more. Locks: allg.
void bw__g_recycle(bw__m *m, bw__g *g);
// Frees every G; none may be running. Only at tear-down.
void bw__g_free_all(void);
// Gives back stacks that have lain idle for long. Call it now and then. Locks: allg, gpool.
void bw__g_trim(int64_t now);
bool bw__g_trim_wanted(void);
// What free Gs of p used below the first pages of their stacks goes back to the system. For who
// holds p, or has sched.lock while p is idle.
void bw__g_trim_deep(bw__p *p);
// p goes: so do its free Gs.
void bw__g_flush(bw__p *p);
void bw__g_name(bw__g *g, char out[BW_NAME_WORDS * 8]);

// ---- records.c: where they lie ------------------------------------------------------------------

// A bare record, FREE; NULL: no memory. Locks: allg.
bw__g *bw__record_take(void);
// Takes back g, which is FREE; its stack is the caller's. Locks: allg.
void bw__record_give(bw__g *g);
// Frees all, after drop_stack has been called for each that has a stack. Only at tear-down.
void bw__records_free(void (*drop_stack)(bw__g *g));
// Calls visit for every G that has not ended, under allg's lock. False: another thread holds the
// lock for so long that it seems to hang; nothing was visited.
bool bw__g_each(void (*visit)(bw__g *g, void *arg), void *arg);
// The same without the lock. Only at tear-down, when nobody starts or ends a goroutine.
void bw__g_each_at_end(void (*visit)(bw__g *g, void *arg), void *arg);

// ---- proc.c: who holds which P, who sleeps ------------------------------------------------------

// Makes *g runnable: on this thread's P (`next` as above), else on the global queue; and wakes an M
// when one should come. Locks: sched. Blocks: never.
void bw__sched_ready(bw__g *g, bool next);
// The same for an M that looks for work and will take *g itself: no other is woken. It has a P.
void bw__sched_ready_here(bw__g *g);
// bw__wake_one (runq.h) when an M seems to be wanted.
void bw__wake_one_slow(void);
// Takes an idle P for m. False: there is none. Locks: sched.
bool bw__p_take_idle(bw__m *m);
// Takes over P p, which must be nobody's.
void bw__p_hold(bw__m *m, bw__p *p);
// m holds its P no more, and has none. Returns the P, which is nobody's then.
bw__p *bw__p_let_go(bw__m *m);
// To the list of idle ones.
void bw__p_put_idle_locked(bw__p *p);
// Finds another M for p, which must be nobody's: one with work to do runs it, else it goes idle.
// Locks: sched.
void bw__p_hand_on(bw__p *p);
// Sleeps until given a P (then m holds it), or until it should look at the timers or the poller
// (then m has none), or until the runtime stops. A P that m holds is given back, unless there is
// work after all. Locks: sched.
void bw__m_sleep(bw__m *m);
// Wakes all Ms. Locks: sched.
void bw__ms_wake_all(void);

// ---- machines.c: Ms -----------------------------------------------------------------------------

// A new M without a thread; NULL: no memory. Locks: sched.
bw__m *bw__m_new(void);
// Starts a thread with a new M that will hold p, or waits for work when p is NULL. False: not
// possible. Locks: sched.
bool bw__m_start(bw__p *p, bool spinning);
// Waits for the threads of all Ms that were started. At tear-down.
void bw__ms_join(void);
void bw__ms_free(void);

// ---- procs.c: how many Ps -----------------------------------------------------------------------

// Makes n Ps, all idle. False: no memory for some. Locks: sched.
bool bw__procs_open(int n);
void bw__procs_free(void);
// m's P was told to look up: it leaves when there are to be fewer, or learns that it is not alone.
void bw__procs_attend(bw__m *m);

// ---- worker.c, find.c: the loop of an M ---------------------------------------------------------

// Runs goroutines on this thread until the runtime stops. Blocks: M.
void bw__m_serve(bw__m *m);
// What m runs next: `g`, which may be pinned to another M or NULL, or whatever is found anywhere;
// waits for as long as it takes. NULL: the runtime stops.
bw__g *bw__find(bw__m *m, bw__g *g);
// What waits elsewhere and must not wait for ever, or NULL.
bw__g *bw__look_around(bw__m *m);
// What is to be done with a goroutine that has switched back for a rare reason.
void bw__settle_rarely(bw__m *m, bw__g *g, bw__after after);

// m looks for work from now on, and counts in sched.spinning; it may have done so before. False:
// half of those who hold a P look already. m has a P.
bool bw__m_spin(bw__m *m);

// Visits 0..n-1 once each, beginning anywhere, in steps that have no divisor in common with n.
typedef struct {
  uint32_t n, left, at, step;
} bw__steal_order;
bw__steal_order bw__steal_order_start(uint32_t n, uint64_t random);
static inline bool bw__steal_order_next(bw__steal_order *o, uint32_t *i) {
  if (o->left == 0) return false;
  o->left--;
  *i = o->at;
  o->at = (o->at + o->step) % o->n;
  return true;
}

// ---- nap.c: work that is not worth moving -------------------------------------------------------

// m, which spins, begins to look for work with others.
void bw__visit_begin(bw__m *m);
// It has taken some out of a ring, or what did not fit there, and runs it next.
void bw__visit_take(bw__m *m);
// Its P has run dry. Blocks: M, up to some 200 us, when what it took was not worth it.
void bw__visit_end(bw__m *m);
// Whether what was taken was not worth it: it ran for `ran` ns in `turns` turns, and all `ended`,
// or some wait.
bool bw__visit_was_poor(int64_t ran, int64_t turns, bool ended);
// It has found nothing. True: it has napped, since others change goroutines all the time, and
// should look again. Blocks: M, as above.
bool bw__visit_in_vain(bw__m *m);

// ---- pinned.c: bw_lock_os_thread ----------------------------------------------------------------

// Waits until m's pinned goroutine can run and returns it; without a P meanwhile. NULL: the runtime
// stops. Locks: sched.
bw__g *bw__pinned_wait(bw__m *m);
// Gives m's P to the M that g is pinned to; m has none then. Locks: sched.
void bw__pinned_hand_over(bw__m *m, bw__g *g);
// The goroutine that runs on m is pinned no more.
void bw__pinned_end(bw__m *m);

// ---- block.c, monitor.c, dead.c -----------------------------------------------------------------

// Takes a P from a thread in a blocking call; it is nobody's then. False: it is in none.
bool bw__p_unmark(bw__p *p);

void bw__monitor_start(void);
void bw__monitor_stop(void);
bool bw__monitor_runs(void);
// Has the monitor call `chore`, which says when to be called next, on bw__port_now's clock: at once
// and again and again, in this run and those to come. It must be short and must not park. Once
// only.
void bw__monitor_set_chore(int64_t (*chore)(int64_t now));
// The monitor sleeps for as long as all Ps are idle; whoever takes the first one wakes it. Under
// sched.lock.
void bw__monitor_wake_locked(void);

// Called with sched.lock held by whoever goes to sleep: when nothing can ever happen again, this is
// the end of the program.
void bw__dead_check_locked(void);

// ---- timers_due.c: the timers of all Ps ---------------------------------------------------------

// When the earliest is due; BW_NEVER: none. Never later than the truth; exact after
// bw__timers_settle as long as nobody starts or stops one. Any thread, no lock.
int64_t bw__timers_next_of_all(void);
// Runs those of m's P whose time has come; they may ready goroutines on m's P.
void bw__timers_run_own(bw__m *m);
// As above, of all Ps.
void bw__timers_run_all(bw__m *m);
// As above, and takes stopped ones away. For an M that is about to sleep.
void bw__timers_settle(bw__m *m);
// Moves the timers of Ps that are dead to one that lives. Locks: timers.
void bw__timers_adopt(void);
// At tear-down, before the stacks go.
void bw__timers_end(void);

// ---- fatal.c, dump.c ----------------------------------------------------------------------------

// "fatal error: MESSAGE", a dump of all goroutines, exit status 2. Allocates nothing.
_Noreturn void bw__fatal(const char *format, ...) BW_PRINTF(1, 2);

// ---- overflow.c ---------------------------------------------------------------------------------

// The words of a stack overflow, then bw__fatal. `sp`: where the stack pointer was, as far as
// known.
_Noreturn void bw__stack_overflow(bw__g *g, uintptr_t sp);
// Has the port tell of overflows. At start-up, once or more.
void bw__stack_overflow_watch(void);

#endif
