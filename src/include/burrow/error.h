/// @file error.h  Return codes.
///
/// Four kinds of failure, never mixed:
///  1. what a caller can act on: 0 or one of the negative codes below; no errno;
///  2. run-time panics, worded as Go words them (`panic: send on closed channel`), exit status 2
///     when nothing recovers them (see defer.h);
///  3. fatal errors (`fatal error: all goroutines are asleep - deadlock!`): message, dump of all
///     goroutines, exit status 2; never recoverable;
///  4. out of memory: allocating functions return NULL (or BW_ENOMEM) and leave everything usable.
///
/// Of the first kind, and what to do with one:
///
///     int code = bw_chan_recv_until(NULL, NULL, bw_now()); // of no channel nothing comes
///     if (code < 0) printf("%s\n", bw_strerror(code));    // prints deadline has passed
#ifndef BURROW_ERROR_H
#define BURROW_ERROR_H

// Of functions that do not return, in C and in C++.
#ifdef __cplusplus
#define BW_NORETURN [[noreturn]]
extern "C" {
#else
#define BW_NORETURN _Noreturn
#endif

// Where a macro that may panic stands in the program, for the report; and what takes it.
#define BW__PLACE     __FILE__, __LINE__, __func__
#define BW__PLACE_ARG const char *bw__file, int bw__line, const char *bw__func
#define BW__PLACE_ON  bw__file, bw__line, bw__func

/// Every code: name, value, text.
#define BW_ERRORS(X)                                                                               \
  X(BW_OK, 0, "ok")                                                                                \
  X(BW_ENOMEM, -1, "out of memory")                                                                \
  X(BW_EINVAL, -2, "invalid argument")                                                             \
  X(BW_EAGAIN, -3, "operation would block")                                                        \
  X(BW_ECLOSED, -4, "channel is closed")                                                           \
  X(BW_ETIMEDOUT, -5, "deadline has passed")                                                       \
  X(BW_ENOTSUP, -6, "not supported on this target")                                                \
  X(BW_ESTATE, -7, "not possible in this state")                                                   \
  X(BW_EHANDLE, -8, "not a live handle of this kind")                                              \
  X(BW_ERANGE, -9, "index or length out of range")                                                 \
  X(BW_ECANCELED, -10, "context canceled")                                                         \
  X(BW_EDEADLINE, -11, "context deadline exceeded")

enum bw_error {
#define BW_ERROR_ENUM(name, value, text) name = value,
  BW_ERRORS(BW_ERROR_ENUM)
#undef BW_ERROR_ENUM
};

/// A call of the system's failed: the code is BW_ESYSTEM minus the errno. (errno itself belongs to
/// the thread, and a goroutine may be on another one by the time it looks.)
#define BW_ESYSTEM (-1000)

/// The errno in a code, for strerror() and for comparing; 0 when there is none.
static inline int bw_errno(int code) { return code < BW_ESYSTEM ? BW_ESYSTEM - code : 0; }

/// The text of a code; "system error" for those that bw_errno takes apart,
/// "unknown error" for anything else. Never NULL, never freed.
const char *bw_strerror(int code);

#ifdef __cplusplus
}
#endif
#endif
