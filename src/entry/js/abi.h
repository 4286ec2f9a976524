// The JavaScript ABI: everything that web/src calls, and nothing else.
//
// Every JavaScript thread that takes part instantiates the module for itself, on the one shared
// memory. Three kinds of thread:
//
//   host     the thread that called start(): a page's main thread or Node's. It instantiates first.
//   M        a worker of the pool: calls bw_js_enlist and bw_js_serve, and runs goroutines until
//   the runtime stops. attached somebody else's worker that joined with attach(): a plain thread in
//   the runtime's words.
//
// Values cross by pointer into linear memory. Records for JavaScript are little-endian structs made
// of 32-bit words (and 64-bit ones where the name says so); their offsets are pinned by static
// asserts in thread.c and agent.c. Every function returns 0 or a negative BW_E... code unless it
// says otherwise; none panics for a bad argument.
#ifndef BURROW_ENTRY_JS_ABI_H
#define BURROW_ENTRY_JS_ABI_H

#include <burrow/burrow.h>

// ---- threads (thread.c) -------------------------------------------------------------------------
//
// A thread other than the host needs a stack and thread-local storage before it can call anything.
// Some running thread makes a bw_js_thread for it. The new thread then, in JavaScript: claims it
// (CAS of `claimed` 0 -> 1), instantiates the module, calls bw_js_sp_set(stack_top) and
// bw_js_thread_enter.

typedef struct bw_js_thread {
  _Atomic(uint32_t) claimed; // offset 0
  uint32_t stack_top;        // offset 4
  uint32_t tls;              // offset 8
  uint32_t agent;            // offset 12: this thread's bw_js_agent; 0 after leave
  _Atomic(uint32_t) entered; // offset 16: 1 between enter and leave
} bw_js_thread;

// Host only, once, right after the constructors.
void bw_js_boot(void);
bw_js_thread *bw_js_thread_make(void); // NULL: no memory
void bw_js_sp_set(char *stack_top);    // assembly: touches neither stack nor TLS
void bw_js_thread_enter(bw_js_thread *t);
void bw_js_thread_leave(void); // hands the thread's caches back; call nothing after it
void bw_js_thread_free(
    bw_js_thread *t); // by another thread, after the thread has left or was ended
bw_js_thread *bw_js_thread_self(void);
// A page of memory that JavaScript and all threads may use as they like: [0] is 1 once the runtime
// died of a fatal error, [1] the length of the message, [2..] its UTF-8 bytes (up to 4,000).
uint32_t *bw_js_death(void);
// Bumps every agent's word and wakes who waits there.
void bw_js_wake_agents(void);

// ---- the runtime (service.c) --------------------------------------------------------------------

int bw_js_open(int procs, int stack_size); // stack_size 0: default. BW_EINVAL, BW_ESTATE, BW_ENOMEM
// A worker becomes an M: all the memory that takes. BW_ENOMEM, BW_ESTATE.
int bw_js_enlist(void);
int bw_js_serve(void); // then, an M's whole life: returns after bw_js_stop
int bw_js_stop(void);  // returns at once; wait for the workers, then close
int bw_js_close(void);

// ---- completions (agent.c) ----------------------------------------------------------------------
//
// An operation that cannot finish at once leaves an op behind. When it ends, on whatever thread,
// the op is pushed on its agent's queue, the agent's word is incremented and its waiters are
// notified. The agent's thread waits for the word (Atomics.waitAsync) and takes the ops off with
// bw_js_agent_next.

typedef struct bw_js_agent {
  _Atomic(uint32_t) word; // offset 0
  uint32_t op;            // offset 4: address of the op that was left behind last
} bw_js_agent;

typedef struct bw_js_op {
  uint32_t key;        // offset 0: what JavaScript gave
  int32_t code;        // offset 4: how it ended; 0 before
  uint32_t value_size; // offset 8
  uint32_t value;      // offset 12: address of the value's bytes
} bw_js_op;

enum { BW_JS_TAKEN = 1 }; // a code that JavaScript gives, see below

bw_js_op *bw_js_agent_next(bw_js_agent *agent); // NULL: none
void bw_js_op_free(bw_js_op *op);               // after reading
// Of an op that has not been read. 0: it is gone, and nothing was done. BW_EAGAIN: it comes, soon.
int bw_js_op_cancel(bw_js_op *op);

// ---- memory (memory.c) --------------------------------------------------------------------------

void *bw_js_alloc(size_t size); // NULL: no memory
void bw_js_free(void *p);       // only what bw_js_alloc gave
// Fill a record of 64-bit words in the order of the struct's fields; return their number.
int bw_js_alloc_stats(uint64_t *out);           // bw_alloc_stats, 29 words
int bw_js_memory(uint64_t *out);                // bw_memory_info, 3 words
int bw_js_proc_stats(int index, uint64_t *out); // bw_proc_stats, 6 words
// 32-bit words.
int bw_js_size_class_count(void);
int bw_js_size_class_of(size_t size);
int bw_js_size_class(int index, uint32_t *out); // size, span_bytes, objects, tail_waste, max_waste
int bw_js_where(const void *p, uint32_t *out);  // bw_alloc_where, 7 words; BW_ERANGE: nowhere
int bw_js_walk(uint32_t *out,
               int max); // 5 words a span: start, bytes, class, objects, in_use; returns spans
// The objects of the span at `p`: start, bytes each, how many, and then a byte each
// (bw_object_state; no more than 1024). BW_ERANGE: nowhere.
int bw_js_objects(const void *p, uint32_t *out);
int bw_js_num_goroutine(void);

// ---- channels (chan.c) --------------------------------------------------------------------------
//
// A handle is a positive int; it is checked on every call (BW_EHANDLE). The same channel may be
// used by its handle on every thread.

int bw_js_chan_make(int elem_size, int capacity); // handle, or BW_EINVAL, BW_ENOMEM
int bw_js_chan_drop(int chan);                    // releases the handle
// 0, BW_ECLOSED, or BW_EAGAIN: an op with `key` will come through the calling thread's agent.
int bw_js_chan_send(int chan, const void *value, uint32_t key);
int bw_js_chan_recv(int chan, void *value, uint32_t key);
int bw_js_chan_try_send(int chan, const void *value); // BW_EAGAIN: would block
int bw_js_chan_try_recv(int chan, void *value);
int bw_js_chan_close(int chan); // BW_ECLOSED: was closed already
int bw_js_chan_len(int chan);
int bw_js_chan_cap(int chan);
int bw_js_chan_elem_size(int chan);

// ---- locks (lock.c, lock_ops.c) -----------------------------------------------------------------
//
// Records at fixed addresses, which are never given back but used again for the same kind: so a
// stale address does no harm, and is found by the record's id. `id` is the handle that names the
// record on other threads; a call with another than the record's is BW_EHANDLE.
//
// A mutex that nobody waits for is locked and unlocked without a call: JavaScript changes its first
// word from 0 to 1 and back. After such a lock it looks at the id; if that is another, it unlocks
// again by what the id is now.
//
// The watch of locks (burrow/locks.h) does not hear of these calls.
//
// Functions with a key: 0, or BW_EAGAIN: an op will come, with the code 0.
//
// An op of bw_js_mutex_lock with `own` arrives with BW_EAGAIN when it is its turn to try again,
// which bw_js_agent_next does. Before that its thread may lock the mutex itself, while its word is
// not STARVING, and make the code BW_JS_TAKEN: then bw_js_agent_next finishes that.

typedef enum {
  BW_JS_MUTEX,
  BW_JS_RWMUTEX,
  BW_JS_SEMA,
  BW_JS_WAITGROUP,
  BW_JS_ONCE,
  BW_JS_COND,
  BW_JS_LOCKS // how many
} bw_js_lock_kind;

typedef struct bw_js_lock {
  _Atomic(uint32_t) id;    // offset 0; 0 once it was dropped
  _Atomic(uint32_t) calls; // that are under way
  union {
    bw_mutex mutex; // offset 8
    bw_rwmutex rwmutex;
    bw_sema sema;
    bw_waitgroup waitgroup;
    bw_once once; // its flag at offset 8, its mutex at offset 12
    struct {
      struct bw_js_lock *mutex; // offset 8: whose record
      uint32_t mutex_id;        // offset 12
      bw_cond cond;
    } cond;
  };
  _Atomic(uint32_t) ops;   // that have not ended
  bw_js_lock_kind kind;    // r/o, as long as the id is
  struct bw_js_lock *next; // while it is free
} bw_js_lock;

// A handle; BW_ENOMEM. `permits` are a semaphore's; a condition belongs to `mutex` (BW_EHANDLE).
int bw_js_lock_make(int kind, uint32_t permits, bw_js_lock *mutex, uint32_t mutex_id);
bw_js_lock *bw_js_lock_find(int handle, int kind); // NULL: a wrong handle
// BW_ESTATE: it is locked, or somebody waits, of JavaScript or a goroutine or thread in C. (Those
// in C that a wait group or condition has let go must have returned from their wait before.)
int bw_js_lock_drop(bw_js_lock *l, uint32_t id);

// A mutex's, or a once's. own: bw__mutex_ticket's.
int bw_js_mutex_lock(bw_js_lock *l, uint32_t id, uint32_t key, int own);
int bw_js_mutex_try_lock(bw_js_lock *l, uint32_t id); // BW_EAGAIN: would wait
int bw_js_mutex_unlock(bw_js_lock *l, uint32_t id);   // BW_ESTATE: is not locked
int bw_js_rwmutex_lock(bw_js_lock *l, uint32_t id, uint32_t key, int writes);
int bw_js_rwmutex_try_lock(bw_js_lock *l, uint32_t id, int writes);
int bw_js_rwmutex_unlock(bw_js_lock *l, uint32_t id, int writes);
int bw_js_sema_acquire(bw_js_lock *l, uint32_t id, uint32_t key);
int bw_js_sema_try_acquire(bw_js_lock *l, uint32_t id);
int bw_js_sema_release(bw_js_lock *l, uint32_t id, uint32_t n); // BW_ERANGE: above 2^31 - 1
int bw_js_waitgroup_wait(bw_js_lock *l, uint32_t id, uint32_t key);
int bw_js_waitgroup_add(bw_js_lock *l, uint32_t id, int n); // BW_ERANGE, BW_ESTATE: misuse
// BW_ESTATE: the mutex is not locked. The op has the mutex again; its code is BW_ECANCELED after
// bw_js_op_cancel, which returns BW_EAGAIN here.
int bw_js_cond_wait(bw_js_lock *l, uint32_t id, uint32_t key);
int bw_js_cond_wake(bw_js_lock *l, uint32_t id, int all);

// ---- slices (slice.c) ---------------------------------------------------------------------------
//
// A slice handle is one bw_slice value; several may share a backing array, which lives until the
// last of them is dropped. rule: bw_growth.

int bw_js_slice_make(int elem_size, int len, int cap); // handle | BW_EINVAL | BW_ENOMEM
int bw_js_slice_append(int slice, const void *values, int n,
                       int rule); // a new handle (Go's append)
int bw_js_slice_slice(int slice, int low, int high,
                      int max);                 // a new handle; max < 0: s[low:high]. BW_ERANGE
int bw_js_slice_copy(int dst, int src);         // number of elements copied
int bw_js_slice_info(int slice, uint32_t *out); // ptr, len, cap, elem_size, array start, array refs
int bw_js_slice_drop(int slice);
int bw_js_slice_next_cap(int rule, int elem_size, int old_cap, int needed); // -1: overflow

#endif
