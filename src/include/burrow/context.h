/// @file context.h  Contexts: when to stop, until when there is time, and what belongs to a request
/// (Go's package context).
///
/// At file scope:
///
///     static int answer(bw_context *ctx) { // passes ctx on, to all that it calls
///       return bw_sleep_ctx(ctx, 3600 * BW_SECOND);
///     }
///     static int serve(bw_context *parent) {
///       bw_cancel *cancel;
///       bw_context *ctx = bw_with_timeout(parent, 5 * BW_MILLISECOND, &cancel);
///       if (!ctx) return BW_ENOMEM;
///       int code = answer(ctx);
///       bw_cancel_release(cancel); // ends what is still under way for this request
///       bw_context_release(ctx);
///       return code;
///     }
///     static int request(void *arg) {
///       (void)arg;
///       return serve(bw_context_background());
///     }
///
/// And then, in a program's main or in a test:
///
///     int code = bw_run(request, NULL, NULL);
///     printf("%s\n", bw_strerror(code)); // prints context deadline exceeded
///
/// Contexts form a tree. When one ends, all that were made from it end, and never the one it was
/// made from. Ending is said once and for good: bw_context_err says so, the channel bw_context_done
/// is closed, every wait that was given the context (the `_ctx` forms below) returns, and functions
/// of bw_context_after_func run.
///
/// Rules of use:
/// 1. The background context is the root: main, tests and the first step of a request start from
///    it. Everybody else makes theirs from the one they were given.
/// 2. Cancelling is advice. It interrupts nobody: who works looks at bw_context_err now and then,
///    or waits by a `_ctx` form, cleans up, and returns when it is done with that.
/// 3. A context is a parameter and no field of a struct: it belongs to a call, not to an object.
/// 4. It is the first parameter, and is called ctx.
/// 5. It is never NULL. Who does not know yet which one to pass on passes bw_context_todo().
/// 6. Values are for what belongs to the request and crosses layers that need not know it (who
///    asks, the number in the log). What a function needs, or takes as an option, is a parameter.
/// 7. All of it may be used from any number of goroutines and plain threads at the same time, and
///    one context may be passed to all of them.
/// 8. A context cannot be cancelled by who was given it, only by who made it: the right to cancel
///    is an object of its own, bw_cancel, that is not passed down.
///
/// Ownership. A function that makes a context gives one reference; bw_context_retain adds one,
/// bw_context_release gives one up. A context keeps those it was made from. A function that is
/// called with a context borrows it; a goroutine that outlives the call that started it has a
/// reference of its own. bw_cancel_release gives up the right to cancel, once, and cancels: so
/// nothing is left that nobody can end. The context of bw_with_deadline keeps itself until it has
/// ended: release its bw_cancel as soon as its work is done.
///
/// No memory: the functions that make something return NULL (and *cancel is NULL), and everything
/// else is as it was. Ending needs no memory; nor do bw_context_err and the `_ctx` forms.
///
/// NULL for a parent panics "cannot create context from nil parent". NULL for a context anywhere
/// else panics "nil context", but for bw_context_retain and bw_context_release. What gives up or
/// stops an object (bw_cancel, bw_context_call) does nothing for NULL.
#ifndef BURROW_CONTEXT_H
#define BURROW_CONTEXT_H

#include <burrow/chan.h>
#include <burrow/error.h>
#include <burrow/io.h>
#include <burrow/mutex.h>
#include <burrow/select.h>
#include <burrow/sync.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bw_context bw_context;
typedef struct bw_cancel bw_cancel;

// ---- roots --------------------------------------------------------------------------------------

/// Never ends, has no deadline and no values. Not counted: release and retain do nothing to it.
bw_context *bw_context_background(void);
/// The same, for a place where it is not clear yet which context it is to be.
bw_context *bw_context_todo(void);

bw_context *bw_context_retain(bw_context *ctx); ///< returns ctx; NULL is allowed
void bw_context_release(bw_context *ctx);       ///< NULL is allowed. Does not park

// ---- contexts that can be ended -----------------------------------------------------------------

/// A context that ends when it is cancelled by *cancel, or when its parent ends (WithCancel, and
/// WithCancelCause). When the parent has ended already, so has it. `cancel` may be NULL: then only
/// the parent ends it. Does not park. A plain thread may call, also without a runtime.
bw_context *bw_with_cancel(bw_context *parent, bw_cancel **cancel);

/// The same, and it ends at `deadline` (on bw_now's clock) with BW_EDEADLINE (WithDeadline). A
/// deadline that has passed: at once. One that is later than the parent's: the parent's counts. A
/// deadline belongs to the run (bw_run) it was set in, as all timers do: it does not come after
/// that. NULL also when no runtime is running. Does not park.
bw_context *bw_with_deadline(bw_context *parent, int64_t deadline, bw_cancel **cancel);
/// The same with the cause that it has if it ends by its own deadline (WithDeadlineCause): see
/// bw_context_cause. `text` is copied; NULL: none.
bw_context *bw_with_deadline_cause(bw_context *parent, int64_t deadline, int code, const char *text,
                                   bw_cancel **cancel);

/// The same with a deadline `ns` nanoseconds from now (WithTimeout, WithTimeoutCause).
bw_context *bw_with_timeout(bw_context *parent, int64_t ns, bw_cancel **cancel);
bw_context *bw_with_timeout_cause(bw_context *parent, int64_t ns, int code, const char *text,
                                  bw_cancel **cancel);

/// Ends the context that the bw_cancel was made with, unless it has ended, and all that were made
/// from it: BW_ECANCELED (CancelFunc). They all have ended when this returns, whoever was first.
/// May be called any number of times; nothing for NULL. Does not park. Needs no memory, and no
/// runtime. Who has nothing to do with these contexts is not kept waiting by it, however many they
/// are: no lock is held for longer than a few instructions.
void bw_cancel_now(bw_cancel *cancel);
/// The same with a cause (CancelCauseFunc): the code (0: BW_ECANCELED), and `text`, which is
/// copied; NULL: none. Should there be no memory for the text, the cause is the code alone.
void bw_cancel_cause(bw_cancel *cancel, int code, const char *text);
/// bw_cancel_now, and the caller will not use it any more. NULL is allowed.
void bw_cancel_release(bw_cancel *cancel);

/// A context that has the values of `parent` and nothing else of it: it does not end with it and
/// has no deadline (WithoutCancel). For what is still to be done when a request is over.
bw_context *bw_without_cancel(bw_context *parent);

// ---- what a context says ------------------------------------------------------------------------

/// 0: it has not ended. BW_ECANCELED, BW_EDEADLINE: it has, and says so for ever (Err). The latter
/// is the one that means that time ran out (Go's Timeout()). Does not park.
int bw_context_err(bw_context *ctx);

/// A channel that carries no values and is closed when the context ends, for selects (Done). It is
/// made when somebody asks for it first. Borrowed from the context: never closed by others; who
/// needs it for longer than the context retains it. NULL: it never ends (bw_context_may_end), or
/// there was no memory for the channel. Where a `_ctx` form will do, that is cheaper. Does not
/// park.
bw_chan *bw_context_done(bw_context *ctx);

/// Whether it can end at all: false for the roots, for what bw_without_cancel made, and for
/// contexts with values made from these.
bool bw_context_may_end(bw_context *ctx);

/// Why it ended (Cause): the code that was given with bw_cancel_cause or the `_cause` forms, to it
/// or to the one it ended with; else what bw_context_err says. 0: it has not ended.
int bw_context_cause(bw_context *ctx);
/// The text that was given with that code, else bw_strerror of it. NULL: it has not ended. Borrowed
/// from the context.
const char *bw_context_cause_text(bw_context *ctx);

/// Whether there is a time at which it ends, its own or that of one it was made from; *deadline is
/// that time (Deadline). `deadline` may be NULL.
bool bw_context_deadline(bw_context *ctx, int64_t *deadline);

/// Writes how it was made, the root first (Go's String): "context.Background.WithCancel",
/// ".WithDeadline(123456789 [1.5s])" with the time that is left, ".WithValue(user, 0x1234)",
/// ".WithoutCancel". As snprintf: at most `size` bytes, the last a NUL; returns the length of the
/// whole without it. Allocates nothing.
size_t bw_context_format(bw_context *ctx, char *buffer, size_t size);

// ---- values -------------------------------------------------------------------------------------

/// What names a value: an object, whose address is the key, so that the keys of two libraries are
/// never the same. See BW_CONTEXT_KEY.
typedef struct bw_context_key {
  const char *name; ///< for bw_context_format
} bw_context_key;

/// A context that has `value` under `key` (WithValue). `free_value`, unless NULL, is called with
/// the value when the context goes: on any thread, and it must not park or panic; it may cancel
/// contexts and release them. NULL as key panics "nil key". When this returns NULL the value stays
/// the caller's. Does not park.
bw_context *bw_with_value(bw_context *parent, const bw_context_key *key, void *value,
                          void (*free_value)(void *value));

/// The value under `key`: the nearest one, going up from ctx (Value). NULL: there is none, or it is
/// NULL. Borrowed from the context. Takes a step for each context that it goes up. Does not park.
void *bw_context_value(bw_context *ctx, const bw_context_key *key);

/// A key with its type: BW_CONTEXT_KEY in a header, or in the .c file if it is used there only, and
/// BW_CONTEXT_KEY_DEFINE in one .c file. At file scope:
///
///     struct user { const char *name; };
///     BW_CONTEXT_KEY(user, struct user);
///     BW_CONTEXT_KEY_DEFINE(user);
///
/// That declares
///
///     - bw_context *with_user(bw_context *parent, struct user *value, void (*free_value)(void *));
///     - struct user *user_of(bw_context *ctx);
///
/// which are bw_with_value and bw_context_value under that key:
///
///     struct user ann = {"Ann"};
///     bw_context *ctx = with_user(bw_context_background(), &ann, NULL);
///     printf("%s\n", user_of(ctx)->name); // prints Ann
///     bw_context_release(ctx);
#define BW_CONTEXT_KEY(KEY, T)                                                                     \
  extern const bw_context_key KEY##_key;                                                           \
  __attribute__((unused)) static inline bw_context *with_##KEY(bw_context *parent, T *value,       \
                                                               void (*free_value)(void *)) {       \
    return bw_with_value(parent, &KEY##_key, (void *)value, free_value);                           \
  }                                                                                                \
  __attribute__((unused)) static inline T *KEY##_of(bw_context *ctx) {                             \
    return (T *)bw_context_value(ctx, &KEY##_key);                                                 \
  }                                                                                                \
  extern const bw_context_key KEY##_key
#define BW_CONTEXT_KEY_DEFINE(KEY) const bw_context_key KEY##_key = {#KEY}

// ---- a function when it ends --------------------------------------------------------------------

/// fn(arg), in a goroutine of its own, once ctx has ended; at once if it has (AfterFunc).
typedef struct bw_context_call bw_context_call;

/// NULL: no memory. Who cancels does not wait for fn. `arg` is passed on as it is. When ctx ends
/// while no runtime is running, fn is not called. Should there be no memory for the goroutine, it
/// is tried again each millisecond. Does not park. The call keeps ctx until it was released, and
/// made or stopped.
bw_context_call *bw_context_after_func(bw_context *ctx, void (*fn)(void *arg), void *arg);
/// True: fn was not called and will not be. False: it was, or is about to be, or it had been
/// stopped (Go's stop function), or `call` is NULL. It does not wait for fn. Does not park.
bool bw_context_call_stop(bw_context_call *call);
/// The caller will not use it any more; it stops nothing. NULL is allowed. Does not park.
void bw_context_call_release(bw_context_call *call);

// ---- waiting with a context ---------------------------------------------------------------------

/// The waits of the other headers, which end when ctx ends, and return bw_context_err's code then:
/// BW_ECANCELED or BW_EDEADLINE; nothing has happened in that case. What can be done at once is
/// done, also if ctx has ended: a loop of such calls looks at bw_context_err, too. They may park;
/// plain threads block. They need no memory.

/// 0 or the code. Panics "send on closed channel".
int bw_chan_send_ctx(bw_context *ctx, bw_chan *c, const void *value);
/// 0; BW_ECLOSED: closed and drained, value zeroed; or the code, value untouched.
int bw_chan_recv_ctx(bw_context *ctx, bw_chan *c, void *value);
/// bw_chan_send_n: 0, all are sent; or the code when ctx ended before that. *sent (may be NULL) is
/// how many were sent, the first of `values`; the others were not. It is true at any time, also
/// when this panics "send on closed channel".
int bw_chan_send_n_ctx(bw_context *ctx, bw_chan *c, const void *values, size_t n, size_t *sent);
/// bw_chan_recv_n: how many were received; 0: closed and drained, or n is 0; or the code, and none
/// was, `values` is untouched.
ptrdiff_t bw_chan_recv_n_ctx(bw_context *ctx, bw_chan *c, void *values, size_t n);
/// The index of the case that happened, or the code; BW_ENOMEM as for bw_select.
int bw_select_ctx(bw_context *ctx, const bw_case *cases, size_t n);
#ifndef __cplusplus
#define BW_SELECT_CTX(ctx, ...) bw_select_ctx((ctx), BW__CASES(__VA_ARGS__))
#endif
/// Sleeps as bw_sleep: 0, or the code when ctx ended first.
int bw_sleep_ctx(bw_context *ctx, int64_t ns);

/// Of mutex.h: 0, and the lock, or the permit, is the caller's; or the code.
int bw_mutex_lock_ctx(bw_context *ctx, bw_mutex *mu);
int bw_rwmutex_rlock_ctx(bw_context *ctx, bw_rwmutex *rw);
int bw_rwmutex_lock_ctx(bw_context *ctx, bw_rwmutex *rw);
int bw_sema_acquire_ctx(bw_context *ctx, bw_sema *s);

/// Of sync.h: 0 or the code. A cond's lock is the caller's again in either case, and who has given
/// up has used up no signal. A context that has ended is found before the unlock.
int bw_cond_wait_ctx(bw_context *ctx, bw_cond *c);
int bw_waitgroup_wait_ctx(bw_context *ctx, bw_waitgroup *wg);

/// Of sync.h, too: 0, the call is over; or the code, and it is not, somebody else is still at it.
/// (Go's Once has nobody give up.) Who comes first makes the call itself, also if ctx has ended,
/// and then it takes the time it takes: it is everybody's call, so ctx does not end it. Panics are
/// those of the plain forms. *value: what bw_once_value_get returns; untouched with a code.
int bw_once_do_ctx(bw_context *ctx, bw_once *o, void (*fn)(void *arg), void *arg);
int bw_once_func_call_ctx(bw_context *ctx, bw_once_func *f);
int bw_once_value_get_ctx(bw_context *ctx, bw_once_value *v, void **value);

/// Of io.h: what those return, or the code when ctx ended while they waited; bw_write_ctx may have
/// written some by then, as bw_write_until. A plain thread looks for that every 10 ms only.
int bw_poll_fd_ctx(bw_context *ctx, int fd, unsigned events);
ptrdiff_t bw_read_ctx(bw_context *ctx, int fd, void *buf, size_t n);
ptrdiff_t bw_write_ctx(bw_context *ctx, int fd, const void *buf, size_t n);
int bw_accept_ctx(bw_context *ctx, int fd, struct sockaddr *addr, unsigned *len);
int bw_connect_ctx(bw_context *ctx, int fd, const struct sockaddr *addr, unsigned len);

/// In their own headers: those of groups, of bw_parallel and of limiters (patterns.h),
/// bw_singleflight_do_ctx; typed ones in chan_of.h. All that may park is listed in docs/waits.md,
/// each with its form, or with the reason why there is none.

// ---- locks that are watched: as in mutex.h ------------------------------------------------------

int bw__watched_lock_ctx(bw_context *ctx, void *lock, int form, const char *place);

static inline int bw__mutex_lock_ctx_at(bw_context *ctx, bw_mutex *mu, const char *place) {
  return BW__WATCHED ? bw__watched_lock_ctx(ctx, mu, BW__LOCK_MUTEX, place)
                     : bw_mutex_lock_ctx(ctx, mu);
}
static inline int bw__rwmutex_rlock_ctx_at(bw_context *ctx, bw_rwmutex *rw, const char *place) {
  return BW__WATCHED ? bw__watched_lock_ctx(ctx, rw, BW__LOCK_READ, place)
                     : bw_rwmutex_rlock_ctx(ctx, rw);
}
static inline int bw__rwmutex_lock_ctx_at(bw_context *ctx, bw_rwmutex *rw, const char *place) {
  return BW__WATCHED ? bw__watched_lock_ctx(ctx, rw, BW__LOCK_WRITE, place)
                     : bw_rwmutex_lock_ctx(ctx, rw);
}

#ifndef BW_LOCKS_UNWATCHED
#define bw_mutex_lock_ctx(ctx, mu)    bw__mutex_lock_ctx_at((ctx), (mu), BW__HERE)
#define bw_rwmutex_rlock_ctx(ctx, rw) bw__rwmutex_rlock_ctx_at((ctx), (rw), BW__HERE)
#define bw_rwmutex_lock_ctx(ctx, rw)  bw__rwmutex_lock_ctx_at((ctx), (rw), BW__HERE)
#endif

#ifdef __cplusplus
}
#endif
#endif
