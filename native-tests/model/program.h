// A program to explore: a few threads with a few operations on a few channels. Written as text:
//
//   "0 1: send0 recv1 | thread: select(recv0,send1)"
//
// Before the colon the capacities of channels 0, 1, ... Then the threads, goroutines unless it says
// otherwise, each with its operations, one after the other. The words, with the channel's number
// behind them:
//
//   send recv               bw_chan_send, bw_chan_recv
//   trysend tryrecv         bw_chan_try_send, ...
//   senduntil recvuntil     bw_chan_send_until, ...: the deadline may pass at any moment
//   sendmany recvmany       bw_chan_send_n, bw_chan_recv_n, of two values
//   close release           bw_chan_close, bw_chan_release
//   ticketsend ticketrecv   JavaScript's operations, which leave a ticket behind (comm/chan.h)
//   cancel                  takes back the thread's last ticket
//   select(..,..)           bw_select of sends and receives; likewise tryselect, selectuntil
//
// Each value sent is another: 1, 2, ... in the order of the text.
#ifndef BURROW_MODEL_PROGRAM_H
#define BURROW_MODEL_PROGRAM_H

#include "model.h"

enum { PROGRAM_CHANNELS = 3, PROGRAM_THREADS = 4, PROGRAM_OPS = 12, PROGRAM_CASES = 3 };
enum { PROGRAM_EVENTS = 5 * PROGRAM_OPS, PROGRAM_MANY = 2 };

typedef enum {
  CALL_WAIT,
  CALL_TRY,
  CALL_UNTIL,
  CALL_MANY,
  CALL_TICKET,
  CALL_CLOSE,
  CALL_RELEASE,
  CALL_CANCEL,
} program_call;

// Outcomes: an index >= 0, or
enum { CODE_EAGAIN = -1, CODE_TIMEDOUT = -2, CODE_PANIC = -3 };

typedef struct {
  uint8_t chan, value;
  bool send;
} program_case;

typedef struct {
  program_call call;
  bool select; // in the array form
  uint8_t thread, n;
  program_case cases[PROGRAM_CASES];
  char word[32];  // its text
  uint8_t ticket; // of a cancel: the operation that it takes back
  // What became of it in this execution.
  uint8_t parks; // how often it came to wait
  bool ended;
  int8_t code;
  uint8_t got;                  // values received
  uint8_t values[PROGRAM_MANY]; // these
  bool cancelled;               // of a cancel: it was in time
} program_op;

typedef enum { EVENT_BEGIN, EVENT_PARK, EVENT_END } program_event;

typedef struct {
  const char *text;
  uint8_t channels, threads, ops;
  uint8_t caps[PROGRAM_CHANNELS];
  bool goroutine[PROGRAM_THREADS];
  uint8_t first[PROGRAM_THREADS + 1]; // a thread's first operation
  program_op op[PROGRAM_OPS];
  // What happened, in order: an event and its operation.
  uint8_t events[PROGRAM_EVENTS];
  uint8_t happened;
} program;

static inline uint8_t program_pack(program_event e, int op) {
  return (uint8_t)((unsigned)e << 4 | (unsigned)op);
}
static inline program_event program_event_of(uint8_t packed) { return packed >> 4; }
static inline int program_op_of(uint8_t packed) { return packed & 15; }

// Reads the text; ends the program when it does not understand it.
void program_read(program *p, const char *text);

// ---- run.c --------------------------------------------------------------------------------------

typedef struct {
  bool shuffles;  // all orders in which a select may look at its cases; else one
  bool intervals; // what ends before what begins is a step as well: histories are exact
  int bound;      // 0: all interleavings; else with at most so many preemptions
  bool full;      // without reduction
  bool direct;    // goroutines park by the short cut
  const char *replay;
  uint64_t outcomes; // out: a hash over all outcomes, whatever their order
} program_options;

// Explores the program. A violation has been reported when it returns.
model_result program_explore(const char *text, program_options *options);

// ---- spec.c -------------------------------------------------------------------------------------

// Whether channels, as they ought to be, could have had this history. NULL: yes; else what is
// wrong.
const char *spec_explains(const program *p);

#endif
