/// @file singleflight.h  Calls for the same thing at the same time are made once (Go's
/// singleflight): a cache that is empty asks the data base once, however many ask the cache.
///
///     static int load_page(void *arg, void *result) {        // arg: the first caller's
///       *(page *)result = read_page(arg);
///       return 0;
///     }
///
///     static bw_singleflight loads = BW_SINGLEFLIGHT(sizeof(page));
///     page p;
///     int code = bw_singleflight_do(&loads, name, strlen(name), load_page, &request, &p, NULL);
///     if (!code) show(&p);
///
/// Goroutines and plain threads may use it, which block where a goroutine parks. It allocates
/// nothing, so there is no lack of memory to be afraid of.
#ifndef BURROW_SINGLEFLIGHT_H
#define BURROW_SINGLEFLIGHT_H

#include <burrow/context.h>
#include <burrow/mutex.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// All zeros is ready to use, for results of no size. Nobody may be inside when it ends.
///
/// Goroutines that wait when a run ends do not go on. So one that some wait at, or are inside of,
/// when bw_run returns must be set to its beginning again (all zeros, BW_SINGLEFLIGHT) before it is
/// used again. Its memory must stay until bw_run has returned, and may be reused at once then.
typedef struct bw_singleflight {
  size_t result_size; ///< bytes; each caller gets a copy
  /// Called once a flight with a result that `others` callers more will get, before they do: to
  /// raise the count of references in it, say. Must return. NULL: there is nothing to do.
  void (*share)(void *result, size_t others);
  bw_mutex mu;              ///< not to be touched
  struct bw__flight *calls; ///< not to be touched
} bw_singleflight;

#define BW_SINGLEFLIGHT(size)                                                                      \
  { (size), NULL, {0, 0}, NULL }

/// Calls fn(arg, result), unless another call with the same key (`size` bytes, compared as such) is
/// under way: then it waits for that. Either way it returns what fn returned, with its result in
/// `result`, which was all zeros before fn. `*shared` (may be NULL): whether there were others who
/// got it as well. The key is looked at until it returns, but not kept.
///
/// If fn panics, so do all, with the same words, or the same value, which must live until all are
/// done with it. If fn ends its goroutine, the others get BW_ECANCELED and a result of zeros. If fn
/// asks for the same key, it waits for itself. May park.
int bw_singleflight_do(bw_singleflight *s, const void *key, size_t size,
                       int (*fn)(void *arg, void *result), void *arg, void *result, bool *shared);

/// The same, but it waits for another's call until `deadline` only: BW_ETIMEDOUT, and the result is
/// all zeros. Its own call of fn takes the time it takes. May park.
int bw_singleflight_do_until(bw_singleflight *s, const void *key, size_t size,
                             int (*fn)(void *arg, void *result), void *arg, void *result,
                             bool *shared, int64_t deadline);

/// The same, but it waits for another's call until ctx ends only: bw_context_err's code, and the
/// result is all zeros. May park.
int bw_singleflight_do_ctx(bw_context *ctx, bw_singleflight *s, const void *key, size_t size,
                           int (*fn)(void *arg, void *result), void *arg, void *result,
                           bool *shared);

/// Who comes from now on does not wait for the call of this key that is under way, but makes one.
/// May park.
void bw_singleflight_forget(bw_singleflight *s, const void *key, size_t size);

#ifdef __cplusplus
}
#endif
#endif
