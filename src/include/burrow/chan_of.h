/// @file chan_of.h  Typed channels: a wrong element type or a wrong direction does not compile.
///
///     static void produce(BW_SEND_END(int) out) {       // Go: out chan<- int
///       for (int i = 0; i < 3; i++) bw_send(out, i);
///       bw_close(out);
///     }
///     BW_CHAN(int) c = BW_CHAN_MAKE(int, 3);            // Go: c := make(chan int, 3)
///     if (!c.chan) return BW_ENOMEM;
///     produce(c.send_end);
///     for (int v; bw_recv(c, &v);)                      // Go: for v := range c
///       printf("%d\n", v);                              // prints 0 1 2
///     bw_release(c);
///
/// BW_CHAN(T) is Go's `chan T`, BW_SEND_END(T) is `chan<- T`, BW_RECV_END(T) is `<-chan T`. Each is
/// a value as large as a pointer, copied freely, and holds just the untyped channel, `c.chan`: all
/// that chan.h and select.h say holds here, and nothing is added at run time. (On wasm a function
/// that is not inlined gets a union by its address: one load more than a bw_chan *.) Ends are taken
/// from a channel by `c.send_end` and `c.recv_end`; nothing converts back. A zeroed one is Go's nil
/// channel; two are the same channel when their `chan` is.
///
/// T is one word. Numbers, bool and bw_unit are declared below; for your own types write
/// BW_CHAN_TYPE once, beside the definition of the type. At file scope:
///
///     typedef struct job { int id; const char *file; } job;
///     BW_CHAN_TYPE(job);
///     typedef const char *text;                         // a pointer, an array: by typedef
///     BW_CHAN_TYPE(text);
///     typedef BW_CHAN(job) job_chan;                    // Go: chan chan job
///     BW_CHAN_TYPE(job_chan);
///
/// And then:
///
///     BW_CHAN(job) todo = BW_CHAN_MAKE(job, 1);
///     bw_send(todo, ((job){1, "a"}));                   // parentheses, for the comma's sake
///     job next;
///     if (bw_recv(todo, &next)) printf("%d%s\n", next.id, next.file); // prints 1a
///     bw_release(todo);
///
/// What is sent must be what C would assign to a T, but for two things that C lets through: numbers
/// go to numbers only, and pointers must point to the same type: `const` may be added and NULL is
/// any pointer, but a void * needs a cast. Structs must be the same. What is received into is a
/// T *, or NULL, which drops the value.
///
/// These are macros: a value with a comma in it goes in parentheses, bw_send(jobs, ((job){1,
/// "a"})). Each argument is evaluated once.
///
/// What the compiler says, as an error whatever the flags (c is a BW_CHAN(int)):
///
///     - bw_send(c.recv_end, 1)        no member named 'may_send'     (bw_close likewise)
///     - bw_recv(c.send_end, &v)       no member named 'may_recv'
///     - c.send_end.recv_end           no member named 'recv_end'
///     - BW_SEND_END(int) s = c;       invalid initializer; incompatible type
///     - bw_send(c, "text")            static assertion failed: this value is not what the ...
///     - bw_recv(c, &a_double)         static assertion failed: this target is not a pointer to ...
///     - BW_CHAN(job) without TYPE     unknown type name 'bw_chan_of_job'
///     - BW_CHAN_TYPE(int) again       redefinition of 'union bw_send_end_of_int'
///
/// A goroutine's argument is a void *, so there the type is lost and named again:
/// bw_go(produce, c.chan), and `BW_SEND_END(int) out = {arg};` in produce.
///
/// C only: in C++ this header declares nothing.
#ifndef BURROW_CHAN_OF_H
#define BURROW_CHAN_OF_H

#include <burrow/chan.h>
#include <burrow/context.h>
#include <burrow/select.h>
#include <burrow/typed.h>

#ifndef __cplusplus

#define BW_CHAN(T)     bw_chan_of_##T
#define BW_SEND_END(T) bw_send_end_of_##T
#define BW_RECV_END(T) bw_recv_end_of_##T

/// Declares the three types; at file scope. The members may_send and may_recv are never used: their
/// type is the element's, and their presence the permission.
#define BW_CHAN_TYPE(T)                                                                            \
  _Static_assert(sizeof(T) <= 65535, "an element of a channel has at most 65,535 bytes");          \
  typedef union bw_send_end_of_##T {                                                               \
    bw_chan *chan;                                                                                 \
    T *may_send;                                                                                   \
  } bw_send_end_of_##T;                                                                            \
  typedef union bw_recv_end_of_##T {                                                               \
    bw_chan *chan;                                                                                 \
    T *may_recv;                                                                                   \
  } bw_recv_end_of_##T;                                                                            \
  typedef union bw_chan_of_##T {                                                                   \
    bw_chan *chan;                                                                                 \
    T *may_send, *may_recv;                                                                        \
    bw_send_end_of_##T send_end;                                                                   \
    bw_recv_end_of_##T recv_end;                                                                   \
  } bw_chan_of_##T

/// bw_chan_make: `.chan` is NULL when there is no memory.
#define BW_CHAN_MAKE(T, capacity) ((bw_chan_of_##T){bw_chan_make(sizeof(T), (capacity))})

// ---- on a channel or a send end -----------------------------------------------------------------

#define bw_send(c, v)     bw_chan_send((c).chan, BW__VALUE(c, v))     ///< bw_chan_send
#define bw_try_send(c, v) bw_chan_try_send((c).chan, BW__VALUE(c, v)) ///< bw_chan_try_send
#define bw_send_until(c, v, deadline)                                                              \
  bw_chan_send_until((c).chan, BW__VALUE(c, v), (deadline)) ///< bw_chan_send_until
/// bw_chan_send_n; `values` is a T * or a const T *.
#define bw_send_n(c, values, n) bw_chan_send_n((c).chan, BW__SOURCE(c, values), (n))
#define bw_send_ctx(ctx, c, v)                                                                     \
  bw_chan_send_ctx((ctx), (c).chan, BW__VALUE(c, v)) ///< bw_chan_send_ctx
#define bw_send_n_ctx(ctx, c, values, n, sent)                                                     \
  bw_chan_send_n_ctx((ctx), (c).chan, BW__SOURCE(c, values), (n), (sent)) ///< bw_chan_send_n_ctx
#define bw_close(c) bw_chan_close(((void)sizeof((c).may_send), (c).chan)) ///< bw_chan_close
/// `case c <- v` of a BW_SELECT.
#define bw_send_case(c, v) bw_on_send((c).chan, BW__VALUE(c, v))

// ---- on a channel or a receive end --------------------------------------------------------------

#define bw_recv(c, to)     bw_chan_recv((c).chan, BW__TARGET(c, to))     ///< bw_chan_recv
#define bw_try_recv(c, to) bw_chan_try_recv((c).chan, BW__TARGET(c, to)) ///< bw_chan_try_recv
#define bw_recv_until(c, to, deadline)                                                             \
  bw_chan_recv_until((c).chan, BW__TARGET(c, to), (deadline))                ///< bw_chan_recv_until
#define bw_recv_n(c, to, n) bw_chan_recv_n((c).chan, BW__TARGET(c, to), (n)) ///< bw_chan_recv_n
#define bw_recv_ctx(ctx, c, to)                                                                    \
  bw_chan_recv_ctx((ctx), (c).chan, BW__TARGET(c, to)) ///< bw_chan_recv_ctx
#define bw_recv_n_ctx(ctx, c, to, n)                                                               \
  bw_chan_recv_n_ctx((ctx), (c).chan, BW__TARGET(c, to), (n)) ///< bw_chan_recv_n_ctx
/// `case v := <-c` and `case v, ok := <-c` of a BW_SELECT.
#define bw_recv_case(c, to)        bw_on_recv((c).chan, BW__TARGET(c, to))
#define bw_recv_ok_case(c, to, ok) bw_on_recv_ok((c).chan, BW__TARGET(c, to), (ok))

// ---- on all three -------------------------------------------------------------------------------

#define bw_len(c)     bw_chan_len((c).chan)
#define bw_cap(c)     bw_chan_cap((c).chan)
#define bw_retain(c)  ((__typeof__(c)){bw_chan_retain((c).chan)}) ///< has the type of c
#define bw_release(c) bw_chan_release((c).chan)

// ---- how it is done -----------------------------------------------------------------------------

// v as an element of c's type: an array of one, which decays to the pointer that is wanted, and is
// initialised as C initialises: a number is converted, a struct copied. It lives until the end of
// the block that the call stands in.
#define BW__VALUE(c, v)                                                                            \
  (BW__REQUIRE(BW__FITS(*(c).may_send, v), "this value is not what the channel carries"),          \
   (__typeof__(*(c).may_send)[1]){(v)})
#define BW__TARGET(c, to)                                                                          \
  (BW__REQUIRE(BW__FITS((c).may_recv, to),                                                         \
               "this target is not a pointer to what the channel carries"),                        \
   (to))
// Its values may be const.
#define BW__SOURCE(c, values)                                                                      \
  (BW__REQUIRE(BW__FITS(*(const __typeof__(*(c).may_send) **)0, values),                           \
               "this is not a pointer to what the channel carries"),                               \
   (values))

// ---- the types that everybody has ---------------------------------------------------------------

BW_CHAN_TYPE(bw_unit);
BW_CHAN_TYPE(bool);
BW_CHAN_TYPE(char);
BW_CHAN_TYPE(int);
BW_CHAN_TYPE(unsigned);
BW_CHAN_TYPE(long);
BW_CHAN_TYPE(size_t);
BW_CHAN_TYPE(float);
BW_CHAN_TYPE(double);
BW_CHAN_TYPE(int8_t);
BW_CHAN_TYPE(int16_t);
BW_CHAN_TYPE(int32_t);
BW_CHAN_TYPE(int64_t);
BW_CHAN_TYPE(uint8_t);
BW_CHAN_TYPE(uint16_t);
BW_CHAN_TYPE(uint32_t);
BW_CHAN_TYPE(uint64_t);

// `bool` is a macro: this is what comes through another macro.
typedef bw_chan_of_bool bw_chan_of__Bool;
typedef bw_send_end_of_bool bw_send_end_of__Bool;
typedef bw_recv_end_of_bool bw_recv_end_of__Bool;

#endif
#endif
