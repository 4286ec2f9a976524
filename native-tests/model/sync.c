// The locks of sync/ on their own steps: mutexes, read-write mutexes and semaphores over the table
// of waiters, with deadlines that may pass at any moment while somebody waits.
//
//   - nobody is inside who must not be; what one wrote is seen by the next (race.c);
//   - everybody comes through;
//   - at the end all words are as at the beginning, no permit is lost or made, nobody is in the
//     table, and as many starvation modes have ended as begun.
#include "sync.h"

#include "sched/sched.h"
#include "sync/cond.h"
#include "sync/rwmutex.h"
#include "sync/semaphore.h"
#include "sync/semaphore.h"

#include <burrow/alloc.h>
#include <burrow/defer.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 4, ROOT_SIZE = 2 * BW_CACHE_LINE };

// A ticket's owner, which waits for `code` as JavaScript does for a promise.
typedef struct {
  union {
    bw__mutex_ticket mutex;
    bw__rwmutex_ticket rw;
    bw__sema_waiter sema;
    bw__cond_ticket cond;
  } t;
  _Atomic(int) code;
  int told; // how often it was told to try: so that it sees another value each time (world_await)
} call;

enum { NOT_YET = -1, TRY = -2 }; // TRY or less

static struct {
  const sync_program *p;
  const char *ops[THREADS];
  int threads;
  bw_mutex *mu;
  bw_rwmutex *rw;
  bw_sema *sema;
  bw_cond *cond;
  call *calls[THREADS];
  int *flag;    // by the mutex: what the condition is about
  int *guarded; // by the mutex
  int *written; // by the rwmutex
  void *roots;
  int in_mutex, readers, writers, permits;
  int asked[MODEL_THREADS]; // the clock, in this operation
  bw__mutex_starvations before;
} it;

void *model_roots(void) { return it.roots; }

// The first answer of an operation is when it began to wait.
int64_t model_now(void) {
  int asked = it.asked[model_self()]++;
  if (asked == 0 || !it.p->starves) return 1;
  return model_choose(2) ? 1 : 2 * 1000 * 1000;
}

// Locks are not watched here, and the condition's is a mutex, whose unlock is not left by a panic.
int bw__locks_watched;
int bw__watched_lock(void *lock, int form, int64_t deadline, const char *place) {
  (void)lock, (void)form, (void)deadline, (void)place;
  abort();
}
void bw__watched_unlock(void *lock, int form) {
  (void)lock, (void)form;
  abort();
}
bw_scope **bw__scope_home(void) { abort(); }
void bw__scope_run(bw_scope *s) {
  (void)s;
  abort();
}
void bw__scope_end(bw_scope *s) {
  (void)s;
  abort();
}

// ---- inside -------------------------------------------------------------------------------------

static void inside_mutex(void) {
  if (it.in_mutex++) model_fail("two are inside of the mutex");
  ++*it.guarded;
  it.in_mutex--;
}

// For a step, so that others come in if they can.
static void stay(const void *what) { model_step(MODEL_OP(STEP_BEGIN, what, "inside")); }

static void inside_writing(void) {
  if (it.writers++ || it.readers) model_fail("a writer is not alone");
  ++*it.written;
  stay(it.written);
  it.writers--;
}

static void inside_reading(void) {
  it.readers++;
  if (it.writers) model_fail("a reader is with a writer");
  (void)*(volatile int *)it.written;
  stay(it.written);
  it.readers--;
}

// ---- operations ---------------------------------------------------------------------------------

static void use_mutex(int code) {
  if (code != 0) return;
  inside_mutex();
  bw_mutex_unlock(it.mu);
}

static void write(int code) {
  if (code != 0) return;
  inside_writing();
  bw_rwmutex_unlock(it.rw);
}

static void read(int code) {
  if (code != 0) return;
  inside_reading();
  bw_rwmutex_runlock(it.rw);
}

static void use_permit(int code) {
  if (code != 0) return;
  if (--it.permits < 0) model_fail("a permit is taken that nobody gave");
  it.permits++;
  bw_sema_release(it.sema, 1);
}

static void use_flag(int code) {
  if (code == 0 && !*it.flag) model_fail("the condition does not hold");
  inside_mutex();
  bw_mutex_unlock(it.mu);
}

static int flag_set(int64_t deadline) {
  int code = 0;
  bw_mutex_lock(it.mu);
  while (!*it.flag && code == 0)
    if (deadline)
      code = bw_cond_wait_until(it.cond, deadline);
    else
      bw_cond_wait(it.cond);
  return code;
}

static void set_flag(void (*tell)(bw_cond *c), bool locked) {
  bw_mutex_lock(it.mu);
  *it.flag = 1;
  if (locked) tell(it.cond);
  bw_mutex_unlock(it.mu);
  if (!locked) tell(it.cond);
}

static int had(bool got) { return got ? 0 : BW_EAGAIN; }

static int locked(void) {
  bw_mutex_lock(it.mu);
  return 0;
}

static int locked_for_writing(void) {
  bw_rwmutex_lock(it.rw);
  return 0;
}

static int locked_for_reading(void) {
  bw_rwmutex_rlock(it.rw);
  return 0;
}

static int acquired(void) {
  bw_sema_acquire(it.sema);
  return 0;
}

static void give(uint32_t n) {
  it.permits += (int)n;
  bw_sema_release(it.sema, n);
}

// ---- by tickets ---------------------------------------------------------------------------------

static call *call_begin(void) {
  call *c = it.calls[model_self()];
  c->told = 0;
  bw__store(&c->code, NOT_YET);
  return c;
}

static int call_end(call *c) {
  int code;
  while ((code = bw__load(&c->code)) == NOT_YET) world_await(&c->code, sizeof c->code);
  return code;
}

static void mutex_complete(bw__mutex_ticket *t, int code) {
  call *c = BW_CONTAINER(t, call, t.mutex);
  bw__store(&c->code, code == BW_EAGAIN ? TRY - c->told++ : code);
}
static void rw_complete(bw__rwmutex_ticket *t, int code) {
  bw__store(&BW_CONTAINER(t, call, t.rw)->code, code);
}
static void sema_complete(bw__waiter *w) {
  bw__store(&BW_CONTAINER(w, call, t.sema.waiter)->code, 0);
}
static void cond_complete(bw__cond_ticket *t, int code) {
  bw__store(&BW_CONTAINER(t, call, t.cond)->code, code);
}

static int mutex_by_ticket(bool cancel) {
  call *c = call_begin();
  bw__mutex_ticket_init(&c->t.mutex, it.mu, false, mutex_complete);
  int code = bw__mutex_lock_ticket(&c->t.mutex);
  if (code != BW_EAGAIN) return code;
  return cancel && bw__mutex_cancel_ticket(&c->t.mutex) ? BW_ECANCELED : call_end(c);
}

static int mutex_by_own_ticket(void) {
  call *c = call_begin();
  bw__mutex_ticket_init(&c->t.mutex, it.mu, true, mutex_complete);
  int code = bw__mutex_lock_ticket(&c->t.mutex);
  while (code == BW_EAGAIN) {
    if ((code = call_end(c)) > TRY) return code;
    bw__store(&c->code, NOT_YET);
    if (model_choose(2) && bw_mutex_trylock(it.mu)) {
      bw__mutex_taken_ticket(&c->t.mutex);
      return 0;
    }
    code = bw__mutex_resume_ticket(&c->t.mutex);
  }
  return code;
}

static int rw_by_ticket(bool writes, bool cancel) {
  call *c = call_begin();
  bw__rwmutex_ticket_init(&c->t.rw, it.rw, writes, rw_complete);
  int code = bw__rwmutex_lock_ticket(&c->t.rw);
  if (code != BW_EAGAIN) return code;
  return cancel && bw__rwmutex_cancel_ticket(&c->t.rw) ? BW_ECANCELED : call_end(c);
}

static int sema_by_ticket(bool cancel) {
  call *c = call_begin();
  bw__sema_ticket_init(&c->t.sema, bw__sema_word(&it.sema->permits), sema_complete);
  int code = bw__sema_acquire_ticket(&c->t.sema, BW_SEMA_FIFO);
  if (code != BW_EAGAIN) return code;
  return cancel && bw__sema_cancel_ticket(&c->t.sema) ? BW_ECANCELED : call_end(c);
}

// Comes with the mutex, as flag_set.
static int flag_by_ticket(bool cancel) {
  int code = 0;
  bw_mutex_lock(it.mu);
  while (!*it.flag && code == 0) {
    call *c = call_begin();
    bw__cond_ticket_init(&c->t.cond, it.cond, cond_complete);
    code = bw__cond_wait_ticket(&c->t.cond);
    if (code != BW_EAGAIN) model_fail("the mutex is not locked");
    if (cancel) bw__cond_cancel_ticket(&c->t.cond);
    code = call_end(c);
  }
  return code;
}

// ---- programs -----------------------------------------------------------------------------------

static void operate(char op) {
  switch (op) {
  case 'l': use_mutex(locked()); break;
  case 'L': use_mutex(bw_mutex_lock_until(it.mu, WORLD_DEADLINE)); break;
  case 't': use_mutex(had(bw_mutex_trylock(it.mu))); break;
  case 'w': write(locked_for_writing()); break;
  case 'W': write(bw_rwmutex_lock_until(it.rw, WORLD_DEADLINE)); break;
  case 'v': write(had(bw_rwmutex_try_lock(it.rw))); break;
  case 'r': read(locked_for_reading()); break;
  case 'R': read(bw_rwmutex_rlock_until(it.rw, WORLD_DEADLINE)); break;
  case 's': read(had(bw_rwmutex_try_rlock(it.rw))); break;
  case 'a': use_permit(acquired()); break;
  case 'A': use_permit(bw_sema_acquire_until(it.sema, WORLD_DEADLINE)); break;
  case 'b': use_permit(had(bw_sema_try_acquire(it.sema))); break;
  case 'p': give(1); break;
  case 'q': give(2); break;
  case 'c': use_flag(flag_set(0)); break;
  case 'C': use_flag(flag_set(WORLD_DEADLINE)); break;
  case 'd': set_flag(bw_cond_broadcast, true); break;
  case 'e': set_flag(bw_cond_broadcast, false); break;
  case 'f': set_flag(bw_cond_signal, true); break;
  case 'x': use_mutex(mutex_by_ticket(false)); break;
  case 'X': use_mutex(mutex_by_ticket(true)); break;
  case 'o': use_mutex(mutex_by_own_ticket()); break;
  case 'y': write(rw_by_ticket(true, false)); break;
  case 'Y': write(rw_by_ticket(true, true)); break;
  case 'z': read(rw_by_ticket(false, false)); break;
  case 'Z': read(rw_by_ticket(false, true)); break;
  case 'i': use_permit(sema_by_ticket(false)); break;
  case 'I': use_permit(sema_by_ticket(true)); break;
  case 'k': use_flag(flag_by_ticket(false)); break;
  case 'K': use_flag(flag_by_ticket(true)); break;
  default: model_fail("no operation is named %c", op);
  }
}

static void run(void *arg) {
  const char *ops = *(const char **)arg;
  for (; *ops && *ops != ' ' && *ops != '|'; ops++) {
    if (*ops == 'g') continue;
    world_operation(1);
    it.asked[model_self()] = 0;
    operate(*ops);
    race_frames_gone();
  }
}

// ---- the whole ----------------------------------------------------------------------------------

static void *make(size_t size) {
  void *p = bw_malloc(size);
  memset(p, 0, size);
  return p;
}

static void setup(void) {
  static const char *const names[] = {"A", "B", "C", "D"};
  it.mu = make(sizeof *it.mu);
  it.rw = make(sizeof *it.rw);
  it.sema = make(sizeof *it.sema);
  it.cond = make(sizeof *it.cond);
  *it.cond = (bw_cond)BW_COND(it.mu);
  for (int t = 0; t < it.threads; t++) it.calls[t] = make(sizeof *it.calls[t]);
  it.flag = make(sizeof *it.flag);
  it.guarded = make(sizeof *it.guarded);
  it.written = make(sizeof *it.written);
  it.roots = make(ROOT_SIZE);
  it.sema->permits = (uint32_t)it.p->permits;
  it.permits = it.p->permits;
  it.in_mutex = it.readers = it.writers = 0;
  it.before = bw__mutex_starvations_read();
  bw__store(&bw__sched_state.procs, 4);
  for (int t = 0; t < it.threads; t++) world_start(names[t], it.ops[t][0] == 'g', run, &it.ops[t]);
}

static void finish(void) {
  if (!world_at_rest()) return;
  for (int t = 0; t < it.threads; t++)
    if (model_pending(t)) {
      model_fail("%s never comes through", model_thread_name(t));
      return;
    }
  if (it.mu->state || it.mu->sema) model_fail("the mutex is not as it was");
  if (it.rw->word || it.rw->writers.state || it.rw->writers.sema || it.rw->reader_sema ||
      it.rw->writer_sema)
    model_fail("the rwmutex is not as it was");
  if ((int)it.sema->permits != it.permits || it.permits != it.p->left)
    model_fail("permits: %u, not %d", it.sema->permits, it.p->left);
  if (it.cond->wait != it.cond->notify) model_fail("somebody is left at the condition");
  if (!bw__sema_valid() || bw__sema_waiting() != 0) model_fail("the table is not empty");
  bw__mutex_starvations now = bw__mutex_starvations_read();
  if (now.begun - it.before.begun != now.ended - it.before.ended)
    model_fail("a starvation mode has not ended, or has ended twice");
}

model_result sync_explore(const sync_program *p) {
  it.p = p;
  it.threads = 0;
  for (const char *s = p->text; s; s = strchr(s, '|')) {
    while (*s == '|' || *s == ' ') s++;
    it.ops[it.threads++] = s;
  }
  world_is = (world_rules){.quiet = true, .timeouts = p->timeouts};
  model_search search = {.mode = p->bound ? MODEL_BOUNDED : MODEL_REDUCED,
                         .bound = p->bound,
                         .setup = setup,
                         .finish = finish};
  model_result result = model_explore(&search);
  if (result.failed) model_report();
  return result;
}
