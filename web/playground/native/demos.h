// The playground's demos: ordinary Burrow programs in C. JavaScript starts one, polls its state and
// its event log in shared memory, and may stop it at any moment; the goroutines then end by
// themselves.
#ifndef BURROW_PLAYGROUND_DEMOS_H
#define BURROW_PLAYGROUND_DEMOS_H

#include <burrow/burrow.h>

typedef enum { DEMO_PRODUCERS, DEMO_PINGPONG, DEMO_SIEVE, DEMO_TEST4 } demo_kind;

typedef enum {
  EVENT_START, // a goroutine began: value = its role (0 producer, 1 consumer, 2 player, 3 filter, 4
               // main)
  EVENT_END,   // a goroutine ended
  EVENT_SEND,  // value = what was sent
  EVENT_RECEIVE, // value = what was received
  EVENT_PRIME,   // value = the prime
  EVENT_TEXT,    // value: 0 "receive default", 1 "send default", 2 "send", 3 "receive"
} demo_event_kind;

typedef struct demo_event { // 24 bytes
  uint32_t kind;            // offset 0
  int32_t value;            // offset 4
  uint32_t goroutine;       // offset 8: bw_goid
  uint32_t proc;            // offset 12: bw_proc_index, the worker that ran it
  double time_ms;           // offset 16: since the demo started
} demo_event;

enum { DEMO_EVENTS = 4096, DEMO_PROCS = 64 };

typedef struct demo_state {
  _Atomic(uint32_t) running;  // offset 0: 1 while any of the demo's goroutines lives
  _Atomic(uint32_t) stopping; // offset 4
  _Atomic(uint32_t)
      event_count; // offset 8: events so far; the log holds the last DEMO_EVENTS of them,
                   //   number i at events[i % DEMO_EVENTS]. Only 1 of `sample` ops is logged.
  _Atomic(uint32_t) goroutines; // offset 12: alive now
  _Atomic(uint32_t) sent;       // offset 16: channel sends so far
  _Atomic(uint32_t) received;   // offset 20
  _Atomic(uint32_t)
      result_lo; // offset 24: producers: sum received (64 bit); ping-pong: round trips;
  _Atomic(uint32_t) result_hi; // offset 28:   sieve: last prime
  _Atomic(uint32_t)
      expected_lo; // offset 32: producers: the sum that must come out, known when all were sent
  _Atomic(uint32_t) expected_hi;             // offset 36
  uint32_t unused;                           // offset 40
  _Atomic(uint32_t) elapsed_us;              // offset 44: duration, set at the end
  _Atomic(uint32_t) ops_by_proc[DEMO_PROCS]; // offset 48: channel operations done on each P
  _Atomic(uint32_t) padding[4];              // offset 304
  demo_event events[DEMO_EVENTS];            // offset 320
} demo_state;

// count: messages per producer, round trips, or primes. 0, BW_EINVAL, BW_ESTATE (one runs),
// BW_ENOMEM.
int demo_start(int kind, int goroutines, int capacity, int count);
void demo_stop(void);
demo_state *demo_state_get(void);

#endif
