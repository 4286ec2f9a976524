// Goroutines that wait for file descriptors.
//
// Each descriptor number has a record, made when a goroutine first waits for it and kept until the
// runtime ends: chunks of records are never moved, so a record's address may be kept. It lists the
// goroutines that wait, each with what it waits for (`want`: to read, to write, or both) and its
// deadline. All of that is under the record's lock.
//
// To wait is to *arm* the descriptor in the poller for what all of its waiters want; each arming
// gives one event at most (port.h), and has a number of its own, `seq`, which comes back in the
// event's token. An event whose number is not that of the newest arming is thrown away: the
// newest one covers all who wait, and the kernel looks anew at whether the file is ready when it is
// armed. So no event is lost, and none that was fetched before a close can reach the waiters of the
// file that has the descriptor's number next.
//
//   park     lock; arm for the union of all wants; enter the list; park, which unlocks once
//            the context is saved
//   deliver  lock; drop the event if it is old; take those off the list who want it; arm again
//            for the rest; unlock; ready them
//   fire     (a deadline) lock; take those off the list whose deadline has passed; unlock; ready
//   close    lock; take all off; disarm; close; unlock; ready; linger
//
// Whoever takes a waiter off the list, under the lock, writes its result and readies it: nobody
// else does. An event may come before the goroutine is parked, but deliver waits for the lock.
// (A word a direction, empty / ready / waiting, changed without a lock, would save the lock; it
// would allow one waiter a direction only, and a wait is two system calls anyway.)
//
// The lock is held while close() runs. Otherwise a goroutine could arm the descriptor between the
// moment at which all were woken and close(), which takes it out of epoll without a word. But
// closing the last descriptor of a file may take as long as the file likes (SO_LINGER), while the
// number is another file's from the first moment on, whose users must not wait for the lock. So
// such a file is kept by a second descriptor, which is closed when the lock is free and all are
// awake. (When there is no second one to be had, EMFILE, they do wait. And file systems that write
// back in every close, not just in the last, do that under the lock: their files are not waited
// for, but a number's next file may be.)
//
// Deadlines. A record has one timer, set to its earliest deadline or earlier: it stays when its
// waiter leaves before the time, and finds nobody then. So reading with the same distant deadline
// again and again sets one timer, not one each time. The price: a timer that is of no use wakes an
// idle M once, and a deadlock is reported after it only.
//
// Who polls, and when, is in find.c, proc.c and monitor.c; wakeups.md says why that is enough.
//
// Locks: file descriptor (a record's, and the table's before it), timers, sched.
#include "sched/poll.h"

#include "sched/runq.h"
#include "sched/timers.h"

#include <burrow/alloc.h>
#include <burrow/error.h>

enum { CHUNK = 256, CHUNKS = 4096 }; // 2^20 descriptors: what Linux allows by default

typedef struct bw__poll_record {
  bw__mutex lock;
  uint32_t seq;     // of the newest arming
  bool armed;       // once at least, since the last close: the poller may know it
  int64_t timer_at; // what `timer` is set to; BW_NEVER: it is not
  bw__list waiters; // of bw__poll_wait
  bw__timer timer;  // kept
} record;

typedef bw__poll_wait parked;

_Atomic(int32_t) bw__poll_waits;

static struct {
  bw__mutex opening;                // while it is opened, and while a chunk is made
  _Atomic(bool) open;               // written under opening
  _Atomic(uint64_t) count;          // of polls
  _Atomic(record *) chunks[CHUNKS]; // made on demand under opening, freed at the end
} poll = {.opening = BW_MUTEX_INIT(BW_RANK_POLL)};

// ---- records ------------------------------------------------------------------------------------

static void fire(bw__timer *t, int64_t now);

static record *make_chunk(void) {
  record *chunk = bw_calloc(CHUNK, sizeof *chunk);
  if (!chunk) return NULL;
  for (int i = 0; i < CHUNK; i++) {
    bw__mutex_init(&chunk[i].lock, BW_RANK_POLL);
    bw__list_init(&chunk[i].waiters);
    chunk[i].timer_at = BW_NEVER;
    bw__timer_init(&chunk[i].timer, fire);
  }
  return chunk;
}

// The descriptor's record, if there is one.
static record *record_at(int fd) {
  if (fd < 0 || fd >= CHUNK * CHUNKS) return NULL;
  record *chunk = bw__load_acquire(&poll.chunks[fd / CHUNK]); // pairs with record_of
  return chunk ? &chunk[fd % CHUNK] : NULL;
}

// The same, made if need be, with the poller open. NULL: not possible.
static record *record_of(int fd) {
  record *r = record_at(fd);
  if (BW_LIKELY(r)) return r;
  if (fd < 0 || fd >= CHUNK * CHUNKS) return NULL;
  bw__mutex_lock(&poll.opening);
  if (!bw__load_relaxed(&poll.open) && bw__port_poll_open() == 0) bw__store(&poll.open, true);
  if (bw__load_relaxed(&poll.open) && !bw__load_relaxed(&poll.chunks[fd / CHUNK])) {
    record *chunk = make_chunk();
    if (chunk) bw__store_release(&poll.chunks[fd / CHUNK], chunk); // pairs with record_at
  }
  bw__mutex_unlock(&poll.opening);
  return record_at(fd);
}

static uint64_t token_of(int fd, uint32_t seq) { return (uint64_t)seq << 32 | (uint32_t)fd; }

// ---- taking waiters off -------------------------------------------------------------------------

static unsigned wants_locked(record *r) {
  unsigned wants = 0;
  for (bw__list *l = r->waiters.next; l != &r->waiters; l = l->next)
    wants |= BW_CONTAINER(l, parked, waiter.link)->want;
  return wants;
}

static void take_off_locked(parked *p, int result, bw__list *woken) {
  p->result = result;
  bw__list_remove(&p->waiter.link);
  bw__list_push_back(woken, &p->waiter.link);
}

static void take_all_locked(record *r, int result, bw__list *woken) {
  while (!bw__list_empty(&r->waiters))
    take_off_locked(BW_CONTAINER(r->waiters.next, parked, waiter.link), result, woken);
}

// Returns what those want who stay.
static unsigned take_ready_locked(record *r, unsigned events, bw__list *woken) {
  unsigned wants = 0;
  for (bw__list *l = r->waiters.next, *next; l != &r->waiters; l = next) {
    next = l->next;
    parked *p = BW_CONTAINER(l, parked, waiter.link);
    if (p->want & events)
      take_off_locked(p, (int)(p->want & events), woken);
    else
      wants |= p->want;
  }
  return wants;
}

// `n` have been readied and count no more. Who does that on a thread that is no M may leave all Ms
// asleep with nothing to wait for.
static void uncount(int32_t n) {
  bw__sched *s = &bw__sched_state;
  if (n == 0 || bw__sub(&bw__poll_waits, n) != n || bw__m_current()) return;
  bw__mutex_lock(&s->lock);
  bw__dead_check_locked();
  bw__mutex_unlock(&s->lock);
}

static void ready_all(bw__list *woken) {
  int32_t n = 0;
  for (bw__list *l; (l = bw__list_pop_front(woken)); n++)
    bw__waiter_ready(BW_CONTAINER(l, bw__waiter, link));
  uncount(n);
}

// ---- waiting ------------------------------------------------------------------------------------

static int arm_locked(record *r, int fd, unsigned wants) {
  int code = bw__port_poll_arm(fd, wants, token_of(fd, ++r->seq), r->armed);
  if (code == 0) r->armed = true;
  return code;
}

static void set_timer_locked(record *r, int64_t when) {
  if (when >= r->timer_at) return;
  r->timer_at = when;
  bw__timer_start(&r->timer, when, 0);
}

bool bw__poll_begin(parked *p, int fd, unsigned events, int64_t deadline) {
  *p = (parked){.record = record_of(fd), .fd = fd, .want = events, .deadline = deadline};
  bw__waiter_init(&p->waiter);
  return p->record != NULL;
}

int bw__poll_park(parked *p) {
  record *r = p->record;
  bw__mutex_lock(&r->lock);
  int code = p->result;
  if (code == 0) code = arm_locked(r, p->fd, wants_locked(r) | p->want);
  if (code != 0) {
    bw__mutex_unlock(&r->lock);
    return code;
  }
  bw__list_push_back(&r->waiters, &p->waiter.link);
  bw__add(&bw__poll_waits, 1);
  set_timer_locked(r, p->deadline);
  bw__wait(&p->waiter, &r->lock, BW_REASON_IO);
  return p->result;
}

void bw__poll_stop(parked *p, int code) {
  record *r = p->record;
  bw__list woken;
  bw__list_init(&woken);
  bw__mutex_lock(&r->lock);
  bool goes_on = p->result == 0;
  if (goes_on && bw__list_linked(&p->waiter.link)) take_off_locked(p, code, &woken);
  if (goes_on) p->result = code;
  bw__mutex_unlock(&r->lock);
  ready_all(&woken);
}

static void fire(bw__timer *t, int64_t now) {
  record *r = BW_CONTAINER(t, record, timer);
  int64_t next = BW_NEVER;
  bw__list woken;
  bw__list_init(&woken);
  bw__mutex_lock(&r->lock);
  for (bw__list *l = r->waiters.next, *after; l != &r->waiters; l = after) {
    after = l->next;
    parked *p = BW_CONTAINER(l, parked, waiter.link);
    if (p->deadline <= now)
      take_off_locked(p, BW_ETIMEDOUT, &woken);
    else if (p->deadline < next)
      next = p->deadline;
  }
  r->timer_at = BW_NEVER;
  set_timer_locked(r, next);
  bw__mutex_unlock(&r->lock);
  ready_all(&woken);
}

int bw__poll_close_fd(int fd) {
  record *r = record_at(fd);
  if (!r) return bw__port_fd_close(fd);
  bw__list woken;
  bw__list_init(&woken);
  bw__mutex_lock(&r->lock);
  take_all_locked(r, BW_ECLOSED, &woken);
  r->seq++;
  if (r->armed) bw__port_poll_disarm(fd);
  r->armed = false;
  if (r->timer_at != BW_NEVER) bw__timer_stop(&r->timer); // one that is under way finds nobody
  r->timer_at = BW_NEVER;
  int kept = bw__port_fd_keep(fd);
  int code = bw__port_fd_close(fd);
  bw__mutex_unlock(&r->lock);
  ready_all(&woken);
  int last = kept >= 0 ? bw__port_fd_close(kept) : 0;
  return code != 0 ? code : last;
}

// ---- polling ------------------------------------------------------------------------------------

void bw__poll_collect(bw__poll_batch *batch, int64_t until) {
  batch->count = bw__port_poll_wait(batch->at, until);
  bw__add_relaxed(&poll.count, 1); // the monitor looks whether it changes
}

uint64_t bw__poll_count(void) { return bw__load_relaxed(&poll.count); }

// When arming again fails somebody has closed the file by close(): its waiters are told.
static void take_for(const bw__port_poll_event *e, bw__list *woken) {
  int fd = (int)(uint32_t)e->token;
  record *r = record_at(fd);
  if (!r) return;
  bw__mutex_lock(&r->lock);
  if (r->seq == e->token >> 32) {
    unsigned wants = take_ready_locked(r, e->events, woken);
    int code = wants ? arm_locked(r, fd, wants) : 0;
    if (code != 0) take_all_locked(r, code, woken);
  }
  bw__mutex_unlock(&r->lock);
}

void bw__poll_deliver(const bw__poll_batch *batch) {
  bw__m *m = bw__m_current();
  bw__list woken;
  bw__list_init(&woken);
  for (int i = 0; i < batch->count; i++) take_for(&batch->at[i], &woken);
  if (bw__list_empty(&woken)) return;
  int32_t n = 0;
  for (bw__list *l; (l = bw__list_pop_front(&woken)); n++) {
    bw__g *g = BW_CONTAINER(l, bw__waiter, link)->g;
    if (n == 0 && m && m->p)
      bw__sched_ready_here(g);
    else
      bw__sched_ready(g, false);
  }
  uncount(n);
}

void bw__poll_now(void) {
  bw__poll_batch batch;
  bw__poll_collect(&batch, 0);
  bw__poll_deliver(&batch);
}

void bw__poll_end(void) {
  if (!bw__load(&poll.open)) return;
  bw__port_poll_close();
  for (int i = 0; i < CHUNKS; i++) {
    record *chunk = bw__load_relaxed(&poll.chunks[i]);
    for (int k = 0; chunk && k < CHUNK; k++) bw__timer_drop(&chunk[k].timer);
    bw_free(chunk);
    bw__store_relaxed(&poll.chunks[i], NULL); // nobody else runs
  }
  bw__store(&bw__poll_waits, 0);
  bw__store(&poll.open, false);
}
