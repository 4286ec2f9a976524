// Records of JavaScript's locks: made, found by their handle, dropped.
//
// A record is used again for its kind only, and its memory is never given back. So whatever a
// thread does with an address that it knows too long, it does to a lock of the kind it took it
// for, and the id tells.
//
// Dropped is what nobody waits for:
//
//     drop                                  a call (enter and leave, below)
//     D1 id -> 0                            C1 calls + 1
//     D2 wait for calls = 0                 C2 the id is what it was? else BW_EHANDLE
//     D3 ops = 0? else put the id back      C3 an op stays behind: ops + 1
//                                           C4 calls - 1
//
// If C2 still sees the id it comes before D1, so D2 waits for this call, and D3 sees its op. Calls
// take a few instructions: one of them may have let the dropper go, as the last `done` of a wait
// group does, and be on its way out.
//
// C code that has the lock by its address makes no calls and no ops. Its waits stand in the lock
// itself, where they are seen after D3. A wait that begins later, or one that was ended and has not
// returned while the record is made a lock again, is C code that uses what was dropped.
//
// What is locked is not dropped either. The words that JavaScript changes by itself
// (web/src/mutex.ts) get a value then that it neither locks nor unlocks, since it is LOCKED and
// STARVING at once, until the record is a new lock: its 0 is written after the new id.
//
// Locks: the lists' (rank "handle table", never with the table's).
#include "entry/js/lock.h"

#include "entry/js/handles.h"
#include "lock/mutex.h"
#include "port/port.h"
#include "sync/cond.h"
#include "sync/sema.h"
#include "sync/waitgroup.h"

#include <string.h>

enum { DROPPED = -1 }; // all bits

_Static_assert(offsetof(bw_js_lock, mutex) == 8 && offsetof(bw_js_lock, once.mu) == 12 &&
                   offsetof(bw_js_lock, cond.mutex) == 8 &&
                   offsetof(bw_js_lock, cond.mutex_id) == 12,
               "abi.h names these offsets");

static struct {
  bw__mutex lock;
  bw_js_lock *first[BW_JS_LOCKS]; // under lock
} unused = {.lock = BW_MUTEX_INIT(BW_RANK_HANDLES)};

static bw_js_lock *take_unused(int kind) {
  bw__mutex_lock(&unused.lock);
  bw__port_mem_sync();
  bw_js_lock *l = unused.first[kind];
  if (l) unused.first[kind] = l->next;
  bw__mutex_unlock(&unused.lock);
  return l;
}

static void keep_unused(bw_js_lock *l) {
  bw__mutex_lock(&unused.lock);
  l->next = unused.first[l->kind];
  unused.first[l->kind] = l;
  bw__mutex_unlock(&unused.lock);
}

// ---- use ----------------------------------------------------------------------------------------

bool bw__js_lock_enter(bw_js_lock *l, uint32_t id) {
  bw__port_mem_sync();
  bw__add(&l->calls, 1);
  if (bw__load(&l->id) == id && id != 0) return true;
  bw__js_lock_leave(l);
  return false;
}

void bw__js_lock_leave(bw_js_lock *l) { bw__sub(&l->calls, 1); }

void bw__js_lock_op_begins(bw_js_lock *l) { bw__add(&l->ops, 1); }
void bw__js_lock_op_ends(bw_js_lock *l) { bw__sub(&l->ops, 1); }

bw_mutex *bw__js_mutex_of(bw_js_lock *l) { return l->kind == BW_JS_ONCE ? &l->once.mu : &l->mutex; }

// ---- make, find, drop ---------------------------------------------------------------------------

static bw_js_lock *make_record(int kind) {
  bw_js_lock *l = take_unused(kind);
  if (l || !(l = bw_calloc(1, sizeof *l))) return l;
  l->kind = (bw_js_lock_kind)kind;
  if (kind == BW_JS_MUTEX || kind == BW_JS_ONCE) bw__js_mutex_of(l)->state = DROPPED;
  return l;
}

// All but a mutex's word, which JavaScript looks at.
static void begin(bw_js_lock *l, uint32_t permits, bw_js_lock *mutex, uint32_t mutex_id) {
  switch (l->kind) {
  case BW_JS_RWMUTEX: l->rwmutex = (bw_rwmutex){0}; break;
  case BW_JS_SEMA: l->sema = (bw_sema)BW_SEMA(permits); break;
  case BW_JS_WAITGROUP: l->waitgroup = (bw_waitgroup){0}; break;
  case BW_JS_ONCE: __atomic_store_n(&l->once.done, 0, __ATOMIC_RELAXED); break;
  case BW_JS_COND:
    l->cond.mutex = mutex;
    l->cond.mutex_id = mutex_id;
    l->cond.cond = (bw_cond)BW_COND(&mutex->mutex);
    break;
  default: break;
  }
}

int bw_js_lock_make(int kind, uint32_t permits, bw_js_lock *mutex, uint32_t mutex_id) {
  if (kind < 0 || kind >= BW_JS_LOCKS) return BW_EINVAL;
  if (kind == BW_JS_COND) {
    if (!bw__js_lock_enter(mutex, mutex_id)) return BW_EHANDLE;
    bw__js_lock_leave(mutex);
  }
  bw_js_lock *l = make_record(kind);
  if (!l) return BW_ENOMEM;
  begin(l, permits, mutex, mutex_id);
  int handle = bw__handle_make(BW_HANDLE_LOCKS + (unsigned)kind, l);
  if (handle < 0) {
    keep_unused(l);
    return handle;
  }
  bw__store(&l->id, (uint32_t)handle);
  if (kind == BW_JS_MUTEX || kind == BW_JS_ONCE)
    __atomic_store_n(&bw__js_mutex_of(l)->state, 0, __ATOMIC_SEQ_CST);
  return handle;
}

static void *same(void *l) { return l; }

bw_js_lock *bw_js_lock_find(int handle, int kind) {
  if (kind < 0 || kind >= BW_JS_LOCKS) return NULL;
  return bw__handle_get(handle, BW_HANDLE_LOCKS + (unsigned)kind, same);
}

// False: it is in use.
static bool close(bw_js_lock *l) {
  int32_t unlocked = 0;
  switch (l->kind) {
  case BW_JS_MUTEX:
  case BW_JS_ONCE:
    return __atomic_compare_exchange_n(&bw__js_mutex_of(l)->state, &unlocked, DROPPED, 0,
                                       __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
  case BW_JS_RWMUTEX: return bw_rwmutex_try_lock(&l->rwmutex);
  case BW_JS_SEMA: return !bw__sema_waited(bw__sema_word(&l->sema.permits));
  case BW_JS_WAITGROUP: return !bw__waitgroup_waited(&l->waitgroup);
  case BW_JS_COND: return !bw__cond_waited(&l->cond.cond);
  default: return false;
  }
}

int bw_js_lock_drop(bw_js_lock *l, uint32_t id) {
  bw__port_mem_sync();
  uint32_t mine = id;
  if (id == 0 || !bw__cas(&l->id, &mine, 0)) return BW_EHANDLE;
  for (unsigned rounds = 1; bw__load(&l->calls) != 0; rounds++) bw__port_relax(rounds);
  if (bw__load(&l->ops) != 0 || !close(l)) {
    bw__store(&l->id, id);
    return BW_ESTATE;
  }
  bw__handle_take((int)id, BW_HANDLE_LOCKS + (unsigned)l->kind);
  keep_unused(l);
  return 0;
}
