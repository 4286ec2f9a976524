// Work that is not worth moving.
//
// A goroutine that runs on another core takes its stack, its channels and its locks there, line by
// line: some hundred nanoseconds, on some machines a microsecond. Goroutines that wait for each
// other all the time, and those that end as soon as they have begun, run faster where they are. An
// M that looks for work cannot know before what it will find, but it knows afterwards: as soon as
// its P has run dry it asks how long the goroutines ran that it took from others. When that was not
// worth it, it naps before it takes more: 50 us, twice as long each time, 200 us at most; work that
// was worth it begins again at 50. It also naps when it found nothing at all in a search during
// which other Ps went from goroutine to goroutine: it would fall asleep, and be woken at once by
// the next goroutine that is readied there, which costs the one that does it a system call.
//
// A nap is a part of the search. The M keeps its P and stays counted in sched.spinning, so that
// nobody wakes another M meanwhile; and at most half of those who hold a P nap. Afterwards it looks
// everywhere, as if it had just begun: so wakeups.md holds as it is, with one search more between
// the publishing of a goroutine and the M that finds it. What it costs is time: while an M naps, a
// goroutine that computes and one that waits behind it get their second P up to 200 us late (and
// what the system adds to a sleep, 50 us on Linux), and so does a timer that was started in between
// when no M keeps the clock.
//
// Not worth it:
//
// - They all ended, each in less than ENDED, all in less than AT_MOST: calls in the disguise of
//   goroutines.
// - Else they wait, each within PARKED, all within AT_MOST: for somebody on the P they came from.
//   Who yields has work of its own, and comes to AT_MOST.
//
// What others have taken out of their hands (the list in the global queue, for which there may be
// nobody else) is not judged. And where threads enter blocking calls there is no nap after poor
// work: who comes back from one looks for an idle P, which that of an M that naps is not.
//
// A nap in which nobody ran or started goroutines was wrong: others compute, and cannot look after
// those who wait behind them. Then the M is greedy: it takes the whole queue of whom it robs next,
// in place of half, so that naps do not add up until it has found the one that has work to do.
//
// On two cores, far apart as the machine may have them: a select among four producers 80 ns a
// message, 205 without naps; 10,000 goroutines that do nothing, started and awaited, 50 and 190
// each.
//
// What was tried: to watch a queue for fifteen microseconds and leave it alone when everybody's
// turn comes. It burned a core as long as there was such a queue, and was wrong half of the time.
#include "port/port.h"
#include "sched/sched.h"

enum {
  NAP_LEAST = 50 * 1000,
  NAP_MOST = 200 * 1000,
  AT_MOST = 20 * 1000,
  ENDED = 250,
  PARKED = 2000,
  BRISK = 1000
};

// ---- what others do -----------------------------------------------------------------------------

// Goroutines run and started on all Ps. It is off by what they do meanwhile, and m's own P adds
// nothing while m looks.
static uint64_t turns_of_all(void) {
  uint64_t n = 0;
  for (bw__p *p = bw__p_at(0); p; p = bw__p_after(p))
    n += bw__tally_read(&p->runs) + bw__tally_read(&p->spawns);
  return n;
}

static uint64_t blocks_of_all(void) {
  uint64_t n = 0;
  for (bw__p *p = bw__p_at(0); p; p = bw__p_after(p)) n += bw__tally_read(&p->blocks);
  return n;
}

static void look(bw__visit *v, int64_t now) {
  v->looked = now;
  v->seen = turns_of_all();
}

static bool brisk_since_look(const bw__visit *v, int64_t now) {
  return (int64_t)(turns_of_all() - v->seen) * BRISK >= now - v->looked;
}

// ---- a nap --------------------------------------------------------------------------------------

static void nap(bw__m *m, int64_t now) {
  bw__visit *v = &m->visit;
  int64_t until = now + v->nap, timer = bw__timers_next_of_all();
  if (timer < until) until = timer;
  if (until > now) bw__port_sleep_until(until);
  v->nap = v->nap < NAP_MOST / 2 ? v->nap * 2 : NAP_MOST;
}

// ---- a visit ------------------------------------------------------------------------------------

void bw__visit_begin(bw__m *m) {
  bw__visit *v = &m->visit;
  v->guest = true;
  if (v->nap < NAP_LEAST) v->nap = NAP_LEAST;
  look(v, bw__port_now());
}

void bw__visit_take(bw__m *m) {
  bw__visit *v = &m->visit;
  if (!v->guest || v->p) return;
  v->p = m->p;
  v->took = bw__port_now();
  v->runs = bw__tally_read(&m->p->runs);
  v->ends = bw__shared_load(&m->p->ends);
}

bool bw__visit_was_poor(int64_t ran, int64_t turns, bool ended) {
  return ran < AT_MOST && ran < turns * (ended ? ENDED : PARKED);
}

// Whether m may nap now: others have a P and look after theirs, and nobody wants this one.
static bool may_nap(bw__m *m) {
  bw__visit *v = &m->visit;
  uint64_t blocks = blocks_of_all();
  bool blocking = blocks != v->blocks;
  v->blocks = blocks;
  return !blocking && !m->p->q.solo && !bw__load_relaxed(&m->p->attention) &&
         !bw__load_relaxed(&bw__sched_state.stopping) && bw__m_spin(m);
}

void bw__visit_end(bw__m *m) {
  bw__visit *v = &m->visit;
  bw__p *p = v->p;
  v->p = NULL;
  if (!p || p != m->p) return;
  int64_t now = bw__port_now(), turns = (int64_t)(bw__tally_read(&p->runs) - v->runs);
  bool ended = (int64_t)(bw__shared_load(&p->ends) - v->ends) >= turns;
  v->greedy = false;
  if (!bw__visit_was_poor(now - v->took, turns, ended)) {
    v->guest = false;
    v->nap = NAP_LEAST;
    return;
  }
  if (!may_nap(m)) return;
  look(v, now);
  nap(m, now);
  v->guest = brisk_since_look(v, bw__port_now());
  v->greedy = !v->guest;
}

bool bw__visit_in_vain(bw__m *m) {
  bw__visit *v = &m->visit;
  v->greedy = false;
  if (!m->p || !m->spinning || bw__load_relaxed(&m->p->attention)) return false;
  int64_t now = bw__port_now();
  if (bw__load_relaxed(&bw__sched_state.stopping) || !brisk_since_look(v, now)) return false;
  nap(m, now);
  look(v, bw__port_now());
  return true;
}
