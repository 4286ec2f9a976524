// Read-write mutexes: Go's meaning, in one word, since waits may be given up.
//
// word:
//
//   bits      name      what
//   0 to 29   readers   who are inside; and, for a moment, those who are about to find that they
//                       have to wait (step 1 below)
//   30        PENDING   a writer waits for the readers inside to leave; new readers wait
//   31        HOLDS     a writer is inside; new readers wait
//   32        ALONE     with HOLDS: that writer does not hold the mutex `writers`
//   33 to 63  waiting   readers who wait
//
// Writers exclude each other by the mutex `writers`, which a writer holds from before it sets
// PENDING or HOLDS until after it has cleared it. But who finds the word 0 makes it HOLDS and
// ALONE, and is inside without the mutex (below). Readers wait at reader_sema, the writer at
// writer_sema. Everybody else changes the word by compare-and-swap; the change that lets others in
// is followed by their permits:
//
//   reader   1  readers + 1. Neither PENDING nor HOLDS: inside
//            2  else: readers - 1, waiting + 1, unless the writer has gone by now; then wait
//   leaving     readers - 1
//   whoever makes readers 0 while a writer is PENDING, and none HOLDS, in step 2 or leaving:
//               PENDING -> HOLDS, and writer_sema + 1
//   writer   1  the word is 0: HOLDS and ALONE. The mutex neither locked nor starving: inside.
//               Else leave again
//            2  with the mutex, ALONE: off; the mutex belongs to the writer inside, lock it again.
//               One who has starved: PENDING, and wait
//            3  no readers: HOLDS, inside. Else PENDING, and wait
//   leaving     HOLDS off, and ALONE; all who wait become readers, and reader_sema + as many; with
//               PENDING, and no readers: HOLDS stays, and writer_sema + 1; unlock the mutex, if it
//               was not ALONE
//
//   W1  readers who wait, not granted yet = waiting + permits of reader_sema on their way
//   W2  HOLDS => of the readers in the word none is inside: all are before step 2
//   W3  PENDING without HOLDS and no readers: somebody is about to change that to HOLDS
//   W4  the one who is PENDING has the mutex; who HOLDS has it, or is ALONE. So PENDING with HOLDS
//       => ALONE
//
// Leaving as a reader is a subtraction, and the change to HOLDS comes after it. In between a reader
// may come (step 1): then the one who left finds readers, and leaves it to this one's step 2; or
// the writer may have given up: then there is nothing to change.
//
// Alone. One step in and one out, in place of two each. The next writer gets the mutex, finds
// ALONE, and makes the one inside its holder, who sees that when it leaves (one word, one change:
// it was ALONE then, or it was not). So who waits, waits at the mutex, as if all had gone through
// it. A writer who comes alone passes those who wait for the mutex, as newcomers pass them at a
// mutex in normal mode: so nobody waits for one who is awake and has no core. But nobody passes one
// who has starved: while it waits for the mutex that is starving, then it is locked, and at last
// the word is not 0.
//
// Nor does any writer pass one who has left and is about to unlock the mutex: a writer who gets the
// lock from a writer may free it when it has unlocked, as with a mutex. A reader may not.
//
// Giving up. A writer who is still PENDING takes that off and lets in who waits, as if it left,
// unless another HOLDS. If it is not PENDING it HOLDS, and its permit is on its way, to nobody
// else: it waits for that and is inside. A reader takes one off `waiting`, whoever was meant. If
// nobody is waiting, by W1 a permit is on its way that counts as a reader inside, and it takes
// that; or a newcomer takes it, who is counted as waiting then: so it looks at both in turn, as a
// mutex does.
//
// Rejected: Go's two counters, of readers and of those that the writer still waits for. A writer
// who gives up would have to take back both, while readers leave. To wait at the word for a writer
// who is alone, starved or not: who waits there is handed it each time, and newcomers never get in
// between, which is what makes a mutex quick when many want it. To come alone only when nobody is
// at the mutex: a look at the mutex before the step fetches the line twice, and a lock whose waiter
// is awake, and has no core, waits for it (13.3 ns in place of 10.3, four goroutines, one in ten
// writes, P = 2).
//
// Misuse is found by whoever leaves: no readers, or HOLDS (W2). A subtraction too many borrows from
// the flags; it is put back before the message.
#include "sync/rwmutex.h"

#include "sched/sched.h"

#define READERS BW__RW_READERS
#define PENDING (UINT64_C(1) << 30)
#define HOLDS   (UINT64_C(1) << 31)
#define ALONE   (UINT64_C(1) << 32)
#define WAITING (UINT64_C(1) << 33)
_Static_assert(BW__RW_WRITER == (PENDING | HOLDS), "as the header says");

static uint64_t look(const bw_rwmutex *rw) { return __atomic_load_n(&rw->word, __ATOMIC_ACQUIRE); }

// False: *old is what is there.
static bool change(bw_rwmutex *rw, uint64_t *old, uint64_t to) {
  return __atomic_compare_exchange_n(&rw->word, old, to, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

static uint32_t waiting(uint64_t word) { return (uint32_t)(word >> 33); }

static _Atomic(uint32_t) *readers(bw_rwmutex *rw) { return bw__sema_word(&rw->reader_sema); }
static _Atomic(uint32_t) *writer(bw_rwmutex *rw) { return bw__sema_word(&rw->writer_sema); }

// ---- readers ------------------------------------------------------------------------------------

// W3.
static void let_writer_in(bw_rwmutex *rw) {
  uint64_t word = look(rw);
  do
    if ((word & BW__RW_WRITER) != PENDING || (word & READERS)) return;
  while (!change(rw, &word, word - PENDING + HOLDS));
  bw__sema_release(writer(rw), false);
}

// Step 2. False: it is inside.
static bool step_back(bw_rwmutex *rw) {
  uint64_t word = look(rw), to;
  bool last;
  do {
    if (!(word & BW__RW_WRITER)) return false;
    if (BW_UNLIKELY(!(word & READERS))) bw__fatal("sync: RUnlock of unlocked RWMutex");
    last = (word & BW__RW_WRITER) == PENDING && (word & READERS) == 1;
    to = word - 1 + WAITING + (last ? HOLDS - PENDING : 0);
  } while (!change(rw, &word, to));
  if (last) bw__sema_release(writer(rw), false);
  return true;
}

// Returns `code`, or 0: it is inside after all.
static int give_up_reading(bw_rwmutex *rw, int code) {
  uint64_t word = look(rw);
  for (unsigned rounds = 1;;) {
    if (waiting(word) > 0) {
      if (change(rw, &word, word - WAITING)) return code;
      continue;
    }
    if (bw__sema_try(readers(rw))) return 0;
    bw__port_relax(rounds++);
    word = look(rw);
  }
}

static BW_INLINE int rlock_slow(bw_rwmutex *rw, int64_t deadline, bw__cancel_source *cancel) {
  if (!step_back(rw)) return 0;
  int code = bw__sema_acquire_until(readers(rw), BW_SEMA_FIFO, BW_REASON_RWMUTEX_READ, rw, deadline,
                                    cancel);
  return BW_LIKELY(code == 0) ? 0 : give_up_reading(rw, code);
}

BW_NOINLINE void bw__rwmutex_rlock_contended(bw_rwmutex *rw) {
  rlock_slow(rw, BW_SEMA_NO_DEADLINE, NULL);
}

int bw__rwmutex_rlock_with(bw_rwmutex *rw, int64_t deadline, bw__cancel_source *cancel) {
  uint64_t before = __atomic_fetch_add(&rw->word, 1, __ATOMIC_ACQUIRE);
  return before & BW__RW_WRITER ? rlock_slow(rw, deadline, cancel) : 0;
}

int bw_rwmutex_rlock_until(bw_rwmutex *rw, int64_t deadline) {
  return bw__rwmutex_rlock_with(rw, bw__sync_deadline(deadline), NULL);
}

bool bw_rwmutex_try_rlock(bw_rwmutex *rw) {
  uint64_t word = look(rw);
  do
    if (word & BW__RW_WRITER) return false;
  while (!change(rw, &word, word + 1));
  return true;
}

// One was taken off already.
BW_NOINLINE void bw__rwmutex_runlock_contended(bw_rwmutex *rw, uint64_t before) {
  if ((before & HOLDS) || !(before & READERS)) {
    __atomic_fetch_add(&rw->word, 1, __ATOMIC_RELAXED);
    bw__fatal("sync: RUnlock of unlocked RWMutex");
  }
  if ((before & READERS) == 1) let_writer_in(rw);
}

// ---- writers ------------------------------------------------------------------------------------

// False: there is no writer inside. `handoff` as for bw__sema_release.
static bool leave(bw_rwmutex *rw, bool handoff) {
  uint64_t word = look(rw), to;
  uint32_t n;
  do {
    if (!(word & HOLDS)) return false;
    n = waiting(word);
    to = (word & READERS) + n;
    if (word & PENDING) to |= to ? PENDING : HOLDS;
  } while (!change(rw, &word, to));
  if (n > 0) bw__sema_release_n(readers(rw), n);
  if (to & HOLDS) bw__sema_release(writer(rw), handoff);
  if (word & ALONE) return true;
  if (handoff)
    bw_mutex_unlock(&rw->writers);
  else
    bw__mutex_unlock_staying(&rw->writers);
  return true;
}

// False: it cannot, or must not.
static BW_INLINE bool enter_alone(bw_rwmutex *rw) {
  uint64_t word = 0;
  if (!change(rw, &word, ALONE | HOLDS)) return false;
  int32_t state = __atomic_load_n(&rw->writers.state, __ATOMIC_RELAXED);
  if (BW_LIKELY(!(state & (BW__MUTEX_LOCKED | BW__MUTEX_STARVING)))) return true;
  leave(rw, false);
  return false;
}

bool bw_rwmutex_try_lock(bw_rwmutex *rw) { return enter_alone(rw); }

// What becomes of a writer who has the mutex `writers`.
typedef enum { INSIDE, WAITS, LOCKS_AGAIN } entry;

static entry enter(bw_rwmutex *rw, bool starving) {
  uint64_t word = 0; // most likely
  for (;;) {
    entry e = (word & ALONE) && !starving ? LOCKS_AGAIN : word & (ALONE | READERS) ? WAITS : INSIDE;
    uint64_t to = e == LOCKS_AGAIN ? word - ALONE : word | (e == WAITS ? PENDING : HOLDS);
    if (change(rw, &word, to)) return e;
  }
}

// Takes PENDING off. False: it is not there any more.
static bool take_back(bw_rwmutex *rw) {
  uint64_t word = look(rw);
  uint32_t n;
  do {
    if (!(word & PENDING)) return false;
    n = word & HOLDS ? 0 : waiting(word);
  } while (!change(rw, &word, word & HOLDS ? word - PENDING : (word & READERS) + n));
  if (n > 0) bw__sema_release_n(readers(rw), n);
  bw_mutex_unlock(&rw->writers);
  return true;
}

// Returns `code`, or 0: it is inside after all.
static int give_up_writing(bw_rwmutex *rw, int code) {
  if (take_back(rw)) return code;
  bw__sema_acquire(writer(rw), BW_SEMA_FIFO, BW_REASON_RWMUTEX, rw);
  return 0;
}

static int lock_slow(bw_rwmutex *rw, int64_t deadline, bw__cancel_source *cancel) {
  bw__mutex_contender c = {.mu = &rw->writers};
  entry e;
  do {
    int code = bw__mutex_contend(&c, BW_REASON_RWMUTEX, rw, deadline, cancel);
    if (code != 0) return code;
    e = enter(rw, c.starving);
    if (e == LOCKS_AGAIN) bw__mutex_passed(&c);
  } while (e == LOCKS_AGAIN);
  if (e == INSIDE) return 0;
  int code =
      bw__sema_acquire_until(writer(rw), BW_SEMA_FIFO, BW_REASON_RWMUTEX, rw, deadline, cancel);
  return BW_LIKELY(code == 0) ? 0 : give_up_writing(rw, code);
}

static BW_INLINE int lock(bw_rwmutex *rw, int64_t deadline, bw__cancel_source *cancel) {
  return BW_LIKELY(enter_alone(rw)) ? 0 : lock_slow(rw, deadline, cancel);
}

void bw_rwmutex_lock(bw_rwmutex *rw) { lock(rw, BW_SEMA_NO_DEADLINE, NULL); }

int bw__rwmutex_lock_with(bw_rwmutex *rw, int64_t deadline, bw__cancel_source *cancel) {
  return lock(rw, deadline, cancel);
}

int bw_rwmutex_lock_until(bw_rwmutex *rw, int64_t deadline) {
  return lock(rw, bw__sync_deadline(deadline), NULL);
}

void bw_rwmutex_unlock(bw_rwmutex *rw) {
  uint64_t word = ALONE | HOLDS; // most likely
  if (BW_LIKELY(change(rw, &word, 0))) return;
  if (BW_UNLIKELY(!leave(rw, true))) bw__fatal("sync: Unlock of unlocked RWMutex");
}

bool bw__rwmutex_try_unlock(bw_rwmutex *rw) { return leave(rw, true); }

bool bw__rwmutex_try_runlock(bw_rwmutex *rw) {
  uint64_t word = look(rw);
  do
    if ((word & HOLDS) || !(word & READERS)) return false;
  while (!change(rw, &word, word - 1));
  if ((word & READERS) == 1) let_writer_in(rw);
  return true;
}

// ---- tickets ------------------------------------------------------------------------------------
//
// A reader has one wait. It does not count itself as inside before it knows that it is: so
// JavaScript, which may call runlock too often, cannot take that away from it.
//
// A writer waits twice, first as a ticket of the mutex `writers`, which another thread completes.
// Cancelling begins with the second wait: if that has not begun it will find the mark, whenever the
// first one ends.

static int rlock_ticket(bw__rwmutex_ticket *t) {
  uint64_t word = look(t->rw), to;
  do to = word + (word & BW__RW_WRITER ? WAITING : 1);
  while (!change(t->rw, &word, to));
  if (!(word & BW__RW_WRITER)) return 0;
  int code = bw__sema_acquire_ticket(&t->w, BW_SEMA_FIFO);
  return code == 0 || code == BW_EAGAIN ? code : give_up_reading(t->rw, code);
}

// As give_up_writing, without a wait: the permit is there after a few instructions of another.
static int stop_writing(bw_rwmutex *rw, int code) {
  bool holds = !take_back(rw);
  for (unsigned rounds = 1; holds && !bw__sema_try(writer(rw)); rounds++) bw__port_relax(rounds);
  return holds ? 0 : code;
}

// From where it has tried to lock the mutex `writers`, with this code.
static int enter_ticket(bw__rwmutex_ticket *t, int code) {
  for (; code == 0; code = bw__mutex_lock_ticket(&t->m)) {
    entry e = enter(t->rw, t->m.c.starving);
    if (e == INSIDE) return 0;
    if (e == WAITS) {
      code = bw__sema_acquire_ticket(&t->w, BW_SEMA_FIFO);
      return code == 0 || code == BW_EAGAIN ? code : stop_writing(t->rw, code);
    }
    bw__mutex_passed(&t->m.c);
  }
  return code;
}

static void got_writers(bw__mutex_ticket *m, int code) {
  bw__rwmutex_ticket *t = BW_CONTAINER(m, bw__rwmutex_ticket, m);
  code = enter_ticket(t, code);
  if (code != BW_EAGAIN) t->complete(t, code);
}

static void let_in(bw__waiter *w) {
  bw__rwmutex_ticket *t = BW_CONTAINER(w, bw__rwmutex_ticket, w.waiter);
  t->complete(t, 0);
}

void bw__rwmutex_ticket_init(bw__rwmutex_ticket *t, bw_rwmutex *rw, bool writes,
                             void (*complete)(bw__rwmutex_ticket *t, int code)) {
  bw__mutex_ticket_init(&t->m, &rw->writers, false, got_writers);
  bw__sema_ticket_init(&t->w, writes ? writer(rw) : readers(rw), let_in);
  t->rw = rw;
  t->writes = writes;
  t->complete = complete;
}

int bw__rwmutex_lock_ticket(bw__rwmutex_ticket *t) {
  if (!t->writes) return rlock_ticket(t);
  return enter_alone(t->rw) ? 0 : enter_ticket(t, bw__mutex_lock_ticket(&t->m));
}

bool bw__rwmutex_cancel_ticket(bw__rwmutex_ticket *t) {
  if (!bw__sema_cancel_ticket(&t->w)) return t->writes && bw__mutex_cancel_ticket(&t->m);
  int code = t->writes ? stop_writing(t->rw, BW_ECANCELED) : give_up_reading(t->rw, BW_ECANCELED);
  if (code == 0) t->complete(t, 0);
  return code != 0;
}
