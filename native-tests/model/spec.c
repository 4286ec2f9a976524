// Channels as they ought to be: a sequential machine in which each operation acts at one moment,
// under no lock and in no queue of waiters but a list of names. A history (which operations began,
// came to wait, ended, in which order and with what outcome) is explained if every operation can be
// given a moment between its begin and its end, so that the machine gives the same outcomes.
//
// An operation acts once: it succeeds, or fails (a try form), or enters the lists of its channels
// and waits. Who waits is served first come, first served, by the act of another; or, with a
// deadline, goes away at any moment. A select that acts does any of its cases that can go on, and
// waits, or takes its default, only if none can. An operation that is known to wait (its thread has
// parked) has acted. At the end of the history whoever has not ended must be one who waits: so a
// lost wake-up has no explanation.
//
// All states that the machine may be in are kept; an act that contradicts the outcome is none of
// them.
#include "program.h"

#include <string.h>

enum { VALUES = 6, STATES = 4096 };
enum { IDLE, BEGUN, WAITING, DONE, TAKEN_BACK };

typedef struct {
  uint8_t op[PROGRAM_OPS], n;
} names;

typedef struct {
  uint8_t values[VALUES], n;
  bool closed;
  names receivers, senders;
} channel;

typedef struct {
  channel chan[PROGRAM_CHANNELS];
  uint8_t status[PROGRAM_OPS];
  uint8_t parks[PROGRAM_OPS]; // how often it came to wait
  uint8_t sent[PROGRAM_OPS];  // of many
} state;

static struct {
  const program *p;
  state states[STATES];
  int n;
  bool full;
} it;

static void add(const state *s) {
  for (int i = 0; i < it.n; i++)
    if (memcmp(&it.states[i], s, sizeof *s) == 0) return;
  if (it.n == STATES)
    it.full = true;
  else
    it.states[it.n++] = *s;
}

// ---- who waits ----------------------------------------------------------------------------------

static void leave(names *l, uint8_t op) {
  uint8_t n = 0;
  for (uint8_t i = 0; i < l->n; i++)
    if (l->op[i] != op) l->op[n++] = l->op[i];
  memset(l->op + n, 0, sizeof l->op - n); // equal lists are equal bytes
  l->n = n;
}

static void leave_all(state *s, uint8_t op) {
  for (int c = 0; c < it.p->channels; c++) {
    leave(&s->chan[c].receivers, op);
    leave(&s->chan[c].senders, op);
  }
}

static void enter_all(state *s, uint8_t op) {
  const program_op *o = &it.p->op[op];
  for (int k = 0; k < o->n; k++) {
    channel *c = &s->chan[o->cases[k].chan];
    names *l = o->cases[k].send ? &c->senders : &c->receivers;
    if (l->n == 0 || l->op[l->n - 1] != op) l->op[l->n++] = op;
  }
  s->status[op] = WAITING;
  s->parks[op]++;
}

// ---- outcomes -----------------------------------------------------------------------------------

static void done(state *s, uint8_t op) {
  leave_all(s, op);
  s->status[op] = DONE;
}

static bool came_to(uint8_t op, int code) {
  return it.p->op[op].ended && it.p->op[op].code == code;
}

// The case of `op` that happened is on this channel, in this direction.
static bool happened_on(uint8_t op, uint8_t chan, bool send) {
  const program_op *o = &it.p->op[op];
  if (!o->ended || o->code < 0) return false;
  const program_case *k = &o->cases[o->code];
  return k->chan == chan && k->send == send;
}

static bool received(uint8_t op, uint8_t chan, uint8_t value) {
  return happened_on(op, chan, false) && it.p->op[op].got == 1 && it.p->op[op].values[0] == value;
}

static bool received_closed(uint8_t op, uint8_t chan) {
  const program_op *o = &it.p->op[op];
  return happened_on(op, chan, false) && o->got == 0 && o->values[0] == 0;
}

// The sender that waits on `chan` is served. Its value; 0: what became of it is something else.
static uint8_t serve_sender(state *s, uint8_t op, uint8_t chan) {
  const program_op *o = &it.p->op[op];
  if (o->call != CALL_MANY) {
    done(s, op);
    return happened_on(op, chan, true) ? o->cases[o->code].value : 0;
  }
  uint8_t value = (uint8_t)(o->cases[0].value + s->sent[op]);
  leave_all(s, op);
  s->status[op] = ++s->sent[op] == PROGRAM_MANY ? DONE : BEGUN;
  return s->status[op] == DONE && !came_to(op, 0) ? 0 : value;
}

// ---- acts ---------------------------------------------------------------------------------------

static uint8_t take_value(channel *c) {
  uint8_t value = c->values[0];
  memmove(c->values, c->values + 1, sizeof c->values - 1);
  c->values[VALUES - 1] = 0;
  c->n--;
  return value;
}

typedef enum { NO, YES, NEVER } possible; // NEVER: it can go on, but contradicts an outcome

// Gives a value to who waits, or to the ring.
static possible put_one(state *s, uint8_t chan, uint8_t value) {
  channel *c = &s->chan[chan];
  if (c->receivers.n > 0) {
    uint8_t receiver = c->receivers.op[0];
    done(s, receiver);
    return received(receiver, chan, value) ? YES : NEVER;
  }
  if (c->n == it.p->caps[chan]) return NO;
  c->values[c->n++] = value;
  return YES;
}

// The oldest value, and the first that waits moves up.
static possible take_one(state *s, uint8_t chan, uint8_t *value) {
  channel *c = &s->chan[chan];
  uint8_t moved = 0;
  bool waits = c->senders.n > 0;
  if (c->n == 0 && !waits) return NO;
  if (waits && !(moved = serve_sender(s, c->senders.op[0], chan))) return NEVER;
  *value = moved;
  if (c->n == 0) return YES;
  *value = take_value(c);
  if (waits) c->values[c->n++] = moved;
  return YES;
}

// True: the case can go on in *from; what then follows is added, if it is what happened.
static bool act_send(const state *from, uint8_t op, const program_case *k, bool is_it) {
  state s = *from;
  if (s.chan[k->chan].closed) {
    done(&s, op);
    if (came_to(op, CODE_PANIC)) add(&s);
    return true;
  }
  possible can = put_one(&s, k->chan, k->value);
  done(&s, op);
  if (can == YES && is_it) add(&s);
  return can != NO;
}

static bool act_recv(const state *from, uint8_t op, const program_case *k, bool is_it) {
  state s = *from;
  uint8_t value = 0;
  possible can = take_one(&s, k->chan, &value);
  if (can == NO && !s.chan[k->chan].closed) return false;
  done(&s, op);
  bool explained = can == YES ? received(op, k->chan, value) : received_closed(op, k->chan);
  if (is_it && can != NEVER && explained) add(&s);
  return true;
}

// One of them; the others are other acts.
static bool act_send_many(const state *from, uint8_t op, const program_case *k) {
  state s = *from;
  if (s.chan[k->chan].closed) return act_send(from, op, k, false);
  possible can = put_one(&s, k->chan, (uint8_t)(k->value + s.sent[op]));
  if (can != YES) return can != NO;
  if (++s.sent[op] == PROGRAM_MANY) {
    done(&s, op);
    if (!came_to(op, 0)) return true;
  }
  add(&s);
  return true;
}

// All that is there, at once.
static bool act_recv_many(const state *from, uint8_t op, const program_case *k) {
  const program_op *o = &it.p->op[op];
  state s = *from;
  uint8_t got = 0, values[PROGRAM_MANY] = {0};
  possible can = YES;
  while (got < PROGRAM_MANY && (can = take_one(&s, k->chan, &values[got])) == YES) got++;
  if (got == 0 && can == NO && !s.chan[k->chan].closed) return false;
  done(&s, op);
  if (can != NEVER && o->ended && o->got == got && memcmp(values, o->values, sizeof values) == 0)
    add(&s);
  return true;
}

static void act_close(const state *from, uint8_t op, uint8_t chan) {
  state s = *from;
  channel *c = &s.chan[chan];
  if (c->closed) {
    done(&s, op);
    if (came_to(op, CODE_PANIC)) add(&s);
    return;
  }
  c->closed = true;
  while (c->receivers.n > 0) {
    uint8_t receiver = c->receivers.op[0];
    // A select that also sends here may as well panic.
    bool panics = came_to(receiver, CODE_PANIC) && memchr(c->senders.op, receiver, c->senders.n);
    if (!panics && !received_closed(receiver, chan)) return;
    done(&s, receiver);
  }
  while (c->senders.n > 0) {
    uint8_t sender = c->senders.op[0];
    if (!came_to(sender, CODE_PANIC)) return;
    done(&s, sender);
  }
  done(&s, op);
  if (came_to(op, 0)) add(&s);
}

static void act_cancel(const state *from, uint8_t op) {
  const program_op *o = &it.p->op[op];
  state s = *from;
  bool in_time = s.status[o->ticket] == WAITING;
  if (in_time) {
    leave_all(&s, o->ticket);
    s.status[o->ticket] = TAKEN_BACK;
  }
  done(&s, op);
  if (o->ended && o->cancelled == in_time) add(&s);
}

// True: one of its cases can go on.
static bool act_case(const state *from, uint8_t op) {
  const program_op *o = &it.p->op[op];
  bool any = false;
  for (int k = 0; k < o->n; k++) {
    const program_case *kase = &o->cases[k];
    bool is_it = o->ended && o->code == k;
    if (o->call == CALL_MANY)
      any |= (kase->send ? act_send_many : act_recv_many)(from, op, kase);
    else
      any |= (kase->send ? act_send : act_recv)(from, op, kase, is_it);
  }
  return any;
}

static void act(const state *from, uint8_t op) {
  const program_op *o = &it.p->op[op];
  if (o->call == CALL_CLOSE) {
    act_close(from, op, o->cases[0].chan);
    return;
  }
  if (o->call == CALL_CANCEL) {
    act_cancel(from, op);
    return;
  }
  if (o->call != CALL_RELEASE && act_case(from, op)) return;
  state s = *from;
  if (o->call == CALL_RELEASE || (o->call == CALL_TRY && came_to(op, CODE_EAGAIN)))
    done(&s, op);
  else if (o->call != CALL_TRY && from->parks[op] < o->parks)
    enter_all(&s, op);
  else
    return;
  add(&s);
}

static void go_away(const state *from, uint8_t op) {
  if (it.p->op[op].call != CALL_UNTIL || !came_to(op, CODE_TIMEDOUT)) return;
  state s = *from;
  done(&s, op);
  add(&s);
}

// Adds all states that acts lead to from those that there are.
static void close_over_acts(void) {
  for (int i = 0; i < it.n; i++)
    for (uint8_t op = 0; op < it.p->ops; op++) {
      state from = it.states[i];
      if (from.status[op] == BEGUN) act(&from, op);
      if (from.status[op] == WAITING) go_away(&from, op);
    }
}

// ---- the history --------------------------------------------------------------------------------

static void keep(uint8_t op, bool ended, uint8_t parks) {
  int n = 0;
  for (int i = 0; i < it.n; i++) {
    const state *s = &it.states[i];
    if (ended ? s->status[op] >= DONE : s->parks[op] >= parks) it.states[n++] = *s;
  }
  it.n = n;
}

static bool all_wait(const state *s) {
  for (int op = 0; op < it.p->ops; op++) {
    if (s->status[op] == BEGUN) return false;
    if (s->status[op] == DONE && !it.p->op[op].ended) return false;
  }
  return true;
}

const char *spec_explains(const program *p) {
  it.p = p;
  it.n = 1;
  it.full = false;
  memset(&it.states[0], 0, sizeof it.states[0]);
  uint8_t parks[PROGRAM_OPS] = {0};
  for (int e = 0; e < p->happened; e++) {
    uint8_t op = (uint8_t)program_op_of(p->events[e]);
    if (program_event_of(p->events[e]) == EVENT_BEGIN) {
      for (int i = 0; i < it.n; i++) it.states[i].status[op] = BEGUN;
      continue;
    }
    close_over_acts();
    bool ended = program_event_of(p->events[e]) == EVENT_END;
    if (!ended) parks[op]++;
    keep(op, ended, parks[op]);
    if (it.n == 0)
      return !ended ? "an operation waits that could go on"
                    : "an operation has an outcome that it cannot have";
  }
  close_over_acts();
  if (it.full) return "the checker has no room for so many states";
  for (int i = 0; i < it.n; i++)
    if (all_wait(&it.states[i])) return NULL;
  return "an operation waits for ever that could go on";
}
