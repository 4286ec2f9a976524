/// @file patterns.h  What programs of goroutines write again and again: groups that end together,
/// work in parallel, pipelines, fan-in, rate limits.
///
/// Each of these ends all of its goroutines: none is left parked when the function that waits for
/// them has returned. All may be used from goroutines and from plain threads, which block where a
/// goroutine parks.
///
/// A counting semaphore is a channel. It holds a value for each permit that is taken:
///
///     bw_chan *sem = bw_chan_make(0, 3);        // three permits
///     if (!sem) return BW_ENOMEM;
///     bw_chan_send(sem, NULL);                  // acquire; bw_chan_try_send, bw_chan_send_until
///     bw_chan_recv(sem, NULL);                  // release
///     bw_chan_release(sem);                     // its end
#ifndef BURROW_PATTERNS_H
#define BURROW_PATTERNS_H

#include <burrow/chan.h>
#include <burrow/context.h>
#include <burrow/select.h>

#ifdef __cplusplus
extern "C" {
#endif

// ---- groups -------------------------------------------------------------------------------------

/// Goroutines that end together: the first error stops all, and one call waits for all (Go's
/// errgroup).
///
///     bw_group *g = bw_group_make();
///     if (!g) return BW_ENOMEM;
///     int code = bw_group_go(g, serve, listener);
///     if (!code) code = bw_group_go(g, watch, config);
///     if (code) bw_group_stop(g, code);
///     return bw_group_wait(g);
///
/// Stopping interrupts nobody: goroutines see it by bw_group_send, bw_group_recv, or
/// bw_group_stopped in a select of their own, and return.
///
/// Ownership: bw_group_make gives the group to its maker, and bw_group_wait, which the maker calls
/// once, frees it. Until that call the maker and the group's goroutines may use it, and whoever
/// else the maker knows to be done by then; during the call only the group's goroutines.
typedef struct bw_group bw_group;

bw_group *bw_group_make(void); ///< NULL: no memory

/// The same with a context, *ctx, made from `parent` (errgroup.WithContext). When the group is
/// stopped the context is cancelled, with the group's code as its cause; when the context ends, as
/// `parent` does, the group is stopped, with bw_context_err's code. *ctx is the group's: borrowed
/// until bw_group_wait, which ends it. NULL, and NULL in *ctx: no memory. A NULL parent panics
/// "cannot create context from nil parent".
///
///     bw_context *ctx;
///     bw_group *g = bw_group_make_ctx(parent, &ctx);
///     if (!g) return BW_ENOMEM;
///     int code = bw_group_go(g, look_around, ctx); // returns when its context ends
///     bw_group_stop(g, code);
///     return bw_group_wait(g);
bw_group *bw_group_make_ctx(bw_context *parent, bw_context **ctx);

/// Runs fn(arg) on a new goroutine of the group. A result other than 0 stops the group as by
/// bw_group_stop; one that ends by bw_goexit counts as 0. 0; BW_ENOMEM, BW_ESTATE (no runtime):
/// nothing was started. Where the group has a limit and as many goroutines, waits until one of them
/// returns, and may park then; else it does not.
int bw_group_go(bw_group *g, int (*fn)(void *arg), void *arg);

/// The same, but who waits for one to return gives up when ctx ends: bw_context_err's code, and
/// nothing was started. May park.
int bw_group_go_ctx(bw_context *ctx, bw_group *g, int (*fn)(void *arg), void *arg);

/// From now on the group has at most n goroutines at the same time; n < 0: any number, as at the
/// start. Panics "errgroup: modify limit while N goroutines in the group are still active" when
/// there are some.
void bw_group_set_limit(bw_group *g, int n);

/// As bw_group_go, but BW_EAGAIN, and nothing was started, when it would have to wait. Does not
/// park.
int bw_group_try_go(bw_group *g, int (*fn)(void *arg), void *arg);

/// Stops the group. The first code other than 0, here or returned by one of the goroutines, is what
/// bw_group_wait returns; 0 is for "enough" and no error. May be called any number of times. Does
/// not park.
void bw_group_stop(bw_group *g, int code);

/// A channel that never carries a value and is closed when the group is stopped, for selects. It is
/// the group's: it must be neither closed nor released.
bw_chan *bw_group_stopped(bw_group *g);

/// As bw_chan_send and bw_chan_recv, but they end when the group is stopped. True: the value was
/// sent, or received. False: the group is stopped (nothing was sent, or received), or the channel
/// to receive from is closed and drained. May park.
bool bw_group_send(bw_group *g, bw_chan *c, const void *value);
bool bw_group_recv(bw_group *g, bw_chan *c, void *value);

/// The same with a context that is not the group's: 0, the value was sent, or received; BW_ESTATE:
/// the group is stopped; BW_ECLOSED: the channel to receive from is closed and drained;
/// bw_context_err's code: ctx ended first. Nothing was sent, or received, unless it is 0. May park.
int bw_group_send_ctx(bw_context *ctx, bw_group *g, bw_chan *c, const void *value);
int bw_group_recv_ctx(bw_context *ctx, bw_group *g, bw_chan *c, void *value);

/// Waits until all goroutines of the group have returned and frees the group. 0, or the first code.
/// What the goroutines wrote is visible to the caller. It does not stop the group. May park.
int bw_group_wait(bw_group *g);

/// The same until ctx ends. 0: all have returned, the group is freed, and *code (may be NULL) is
/// what bw_group_wait returns. bw_context_err's code: some have not; the group is as before the
/// call, and its maker must wait again, with or without a context. The context of the group itself
/// is no ctx for this: it ends before the goroutines have returned. May park.
///
///     int code;
///     int err = bw_group_wait_ctx(request, crew, &code);
///     if (err) {                        // enough: tell them, and see them out
///       bw_group_stop(crew, err);
///       code = bw_group_wait(crew);
///     }
int bw_group_wait_ctx(bw_context *ctx, bw_group *g, int *code);

// ---- work in parallel ---------------------------------------------------------------------------

/// Calls fn(arg, i) once for each i from 0 to n-1, by up to `workers` goroutines at the same time,
/// the caller among them (0: as many as there are Ps), and waits for them. Results go where fn puts
/// them, by i:
///
///     static int square(void *arg, size_t i) {
///       double *a = arg;
///       a[i] *= a[i];
///       return 0;
///     }
///
///     double a[] = {1, 2, 3};
///     int code = bw_parallel(3, 0, square, a);
///     printf("%d: %g %g %g\n", code, a[0], a[1], a[2]); // prints 0: 1 4 9
///
/// A result of fn other than 0 stops it: no call begins afterwards, and when those that have begun
/// are over, the first such result is returned. Else 0. BW_ENOMEM: fn was never called. Where there
/// is memory for few goroutines, or no runtime is running, those that there are do all the work.
/// When the caller's share panics or ends the goroutine, the others are stopped and waited for
/// first. May park.
int bw_parallel(size_t n, int workers, int (*fn)(void *arg, size_t i), void *arg);

/// The same; when ctx ends, no call begins afterwards, and when those that have begun are over
/// (they use what `arg` points to; to end them sooner give them ctx as well) bw_context_err's code
/// is returned. 0: fn was called for each i, also if ctx has ended meanwhile. For a ctx that has
/// ended before, fn is never called. May park.
int bw_parallel_ctx(bw_context *ctx, size_t n, int workers, int (*fn)(void *arg, size_t i),
                    void *arg);

// ---- pipelines ----------------------------------------------------------------------------------

/// What a stage of a pipeline does with each value.
typedef struct bw_stage {
  /// Makes *out of *in, for values of the channels' elem_size, aligned to 16 (out is NULL where
  /// there is no channel). 0: *out is sent on. > 0: nothing is sent on: a filter. < 0: an error,
  /// stops the group. It may park, and must return: no bw_goexit. Values are copied as bytes: what
  /// they point to changes hands.
  int (*fn)(void *arg, const void *in, void *out);
  void *arg;    ///< passed on as it is: kept alive by the caller
  int workers;  ///< how many values are worked on at the same time; 0: as many as there are Ps
  bool ordered; ///< results leave in the order in which their values came; a slow one holds up
                ///< those behind it, of which as many as there are workers may be done. false: as
                ///< they get done
} bw_stage;

/// Starts a stage: a worker pool that receives from `in`, calls fn, and sends what it makes on
/// `out` (NULL: there are no results; the last stage).
///
///     bw_group *g = bw_group_make();
///     if (!g) return BW_ENOMEM;
///     int code = bw_group_go(g, read_names, g);           // bw_group_send(...), then close
///     bw_stage look = {.fn = look_up, .workers = 8, .ordered = true};
///     if (!code) code = bw_group_stage(g, names, sizes, &look);
///     if (code) bw_group_stop(g, code);                   // nobody will close `sizes`
///     else for (size_t size; bw_chan_recv(sizes, &size);) total += size;
///     return bw_group_wait(g);                            // 0, or why `sizes` ended early
///
/// Who closes: the producer closes `in`; the stage closes `out`, after the last result, or when the
/// group is stopped. Nobody else may send on `out` or close it. So a pipeline ends from its
/// source, and stops everywhere at once. A consumer that has enough calls bw_group_stop(g, 0).
/// When the group is stopped, values that are in a channel stay there, and those that a worker has
/// in its hands are dropped: what they point to is to be found otherwise (an arena: heap.h).
/// Who releases: the stage has references of its own; the caller's may go when this returns.
///
/// 0. BW_ENOMEM, BW_ESTATE: there is no stage and `out` is not closed; BW_EINVAL: likewise, fn or
/// `in` is NULL; BW_EAGAIN: likewise, the group has a limit that has no room for all its workers.
/// Does not park.
int bw_group_stage(bw_group *g, bw_chan *in, bw_chan *out, const bw_stage *stage);

/// Fan-in: what comes on any of the `n` channels `ins` is sent on `out`, which is closed when all
/// of them are closed and drained, or the group is stopped. Values of one channel keep their order.
/// One goroutine a channel; references, closing and results as for a stage; the array is the
/// caller's. BW_EINVAL: a channel is NULL, or their element sizes differ. Does not park.
int bw_group_merge(bw_group *g, bw_chan *const *ins, size_t n, bw_chan *out);

// ---- rate limits --------------------------------------------------------------------------------

/// A token bucket: it holds up to `burst` tokens, is full at first, and gets `events` of them every
/// `per` nanoseconds, evenly spread. An event takes tokens, usually 1, or waits until they are
/// there. Each event is given a moment, and the moments never exceed burst + events * t / per in
/// any time t; over time it is exactly the rate: no fraction is lost. (Who waits returns at its
/// moment or later, as the scheduler comes round to it: several that were held up may return
/// together.) Those who wait are served in the order in which they came. It needs no goroutine. Any
/// number of goroutines and threads may use one.
typedef struct bw_limiter bw_limiter;

/// 100 events a second, 10 at once: bw_limiter_make(100, BW_SECOND, 10). NULL: no memory. Panics
/// "limiter: rate out of range" when one of them is below 1, when events * per (reduced as a
/// fraction) does not fit into 62 bits, or the time to fill the bucket not into 61.
bw_limiter *bw_limiter_make(int64_t events, int64_t per, int64_t burst);
void bw_limiter_free(bw_limiter *l); ///< NULL is allowed; nobody may be waiting

/// In all of these n is the number of tokens, 1 to `burst`: else they panic "limiter: more tokens
/// than the burst" (so many are never there).

/// Takes n tokens if they are there. Does not park.
bool bw_limiter_try(bw_limiter *l, int64_t n);
/// Takes n tokens, when they are there. May park.
void bw_limiter_wait(bw_limiter *l, int64_t n);
/// The same: 0; or BW_ETIMEDOUT at once, and nothing taken, when they will not be there before
/// `deadline` is over (on bw_now's clock; one that has passed: as bw_limiter_try). May park.
int bw_limiter_wait_until(bw_limiter *l, int64_t n, int64_t deadline);
/// The same with a context (Limiter.Wait): 0; bw_context_err's code, or BW_EDEADLINE at once, and
/// nothing taken, when they will not be there before its deadline. When ctx is cancelled while this
/// waits, the tokens stay taken. May park.
int bw_limiter_wait_ctx(bw_context *ctx, bw_limiter *l, int64_t n);
/// Takes n tokens and returns the time from which on they may be used, for those who wait
/// themselves. Does not park.
///
///     bw_limiter *l = bw_limiter_make(100, BW_SECOND, 10);
///     if (!l) return BW_ENOMEM;
///     int64_t when = bw_limiter_reserve(l, 1);
///     int code = BW_SELECT_UNTIL(when, bw_on_recv(quit, NULL));
///     if (code == BW_ETIMEDOUT) answer();                 // its moment has come
///     bw_limiter_free(l);
int64_t bw_limiter_reserve(bw_limiter *l, int64_t n);

#ifdef __cplusplus
}
#endif
#endif
