// Programs on the real channels: src/comm compiled against the model's world. Here are the
// operations' calls, what is asked at the end of each execution, and the history for spec.c.
//
// At the end nothing can happen any more. Then
//   - all locks are free and no flight is under way;
//   - the history is explained (spec.c): outcomes, order, who still waits;
//   - in each channel I1 to I3 of chan_state.h hold, and its queues have the sudogs of those who
//     are parked, and no others;
//   - twice over, from the same state: all who are parked are abandoned and leave every queue, then
//     the channels are released; or the other way round. Neither touches what is gone, and all
//     memory is given back.
#include "program.h"
#include "world.h"

#include "comm/chan.h"
#include "comm/chan_state.h"

#include <burrow/alloc.h>
#include <burrow/select.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

enum { SEEN = 1 << 16, UNTOUCHED = -7 };

// Freed when it ends, as its maker may do; one that is to be taken back, at the end.
typedef struct {
  bw__place place;
  int op, slot;
} ticket;

static struct {
  program p;
  const program_options *options;
  bw_chan *chan[PROGRAM_CHANNELS];
  bool released[PROGRAM_CHANNELS];
  int ids[PROGRAM_THREADS]; // in the model
  jmp_buf panics[PROGRAM_THREADS];
  int running[PROGRAM_THREADS]; // operation
  ticket *tickets[PROGRAM_OPS];
  // Histories that were explained already.
  uint64_t seen[SEEN];
  uint64_t outcomes;
} it;

// ---- events -------------------------------------------------------------------------------------

static void happens(program_event event, int op) {
  static const char *const texts[] = {"begins", "waits from now on", "ends"};
  model_op step = MODEL_OP(event == EVENT_BEGIN ? STEP_BEGIN : STEP_MARK, &it.p, texts[event]);
  step.func = it.p.op[op].word;
  step.line = 0;
  if (it.options->intervals) {
    model_step(step);
  } else {
    step.kind = STEP_NOTE;
    model_log(step);
  }
  it.p.events[it.p.happened++] = program_pack(event, op);
}

static int thread_of(int model_thread) {
  for (int t = 0; t < it.p.threads; t++)
    if (it.ids[t] == model_thread) return t;
  return 0;
}

void program_parked(int t) {
  int op = it.running[thread_of(t)];
  it.p.op[op].parks++;
  happens(EVENT_PARK, op);
}

_Noreturn void program_panic(void) { longjmp(it.panics[thread_of(model_self())], 1); }

// ---- operations ---------------------------------------------------------------------------------

static bw_case case_of(const program_case *k, int *slot, bool *ok) {
  bw_chan *c = it.chan[k->chan];
  return k->send ? bw_on_send(c, slot) : bw_on_recv_ok(c, slot, ok);
}

// The array form, also of single operations with a deadline. Index, or BW_E...
static int call_select(program_op *op, int *slots, bool *oks) {
  bw_case cases[PROGRAM_CASES];
  for (int k = 0; k < op->n; k++) cases[k] = case_of(&op->cases[k], &slots[k], &oks[k]);
  if (op->call == CALL_TRY) return bw_try_select(cases, op->n);
  if (op->call == CALL_UNTIL) return bw_select_until(cases, op->n, WORLD_DEADLINE);
  return bw_select(cases, op->n);
}

// CODE_... or 0; `got` of the receives is set.
static int call_single(program_op *op, int *slots) {
  bw_chan *c = it.chan[op->cases[0].chan];
  bool send = op->cases[0].send;
  int code = 0;
  switch (op->call) {
  case CALL_CLOSE: bw_chan_close(c); return 0;
  case CALL_RELEASE: bw_chan_release(c); return 0;
  case CALL_TRY: code = send ? bw_chan_try_send(c, slots) : bw_chan_try_recv(c, slots); break;
  case CALL_UNTIL:
    code = send ? bw_chan_send_until(c, slots, WORLD_DEADLINE)
                : bw_chan_recv_until(c, slots, WORLD_DEADLINE);
    break;
  case CALL_MANY:
    if (send)
      bw_chan_send_n(c, slots, PROGRAM_MANY);
    else
      op->got = (uint8_t)bw_chan_recv_n(c, slots, PROGRAM_MANY);
    return 0;
  default:
    if (send)
      bw_chan_send(c, slots);
    else
      op->got = bw_chan_recv(c, slots);
    return 0;
  }
  op->got = !send && code == 0;
  return code == BW_ECLOSED ? 0 : code;
}

static __attribute__((noinline)) void call(program_op *op) {
  int slots[PROGRAM_CASES];
  bool oks[PROGRAM_CASES] = {false};
  bool many = op->call == CALL_MANY;
  for (int k = 0; k < (many ? PROGRAM_MANY : op->n); k++) {
    const program_case *kase = &op->cases[many ? 0 : k];
    slots[k] = kase->send ? kase->value + (many ? k : 0) : UNTOUCHED;
  }
  int code = op->select ? call_select(op, slots, oks) : call_single(op, slots);
  op->code = (int8_t)(code == BW_EAGAIN      ? CODE_EAGAIN
                      : code == BW_ETIMEDOUT ? CODE_TIMEDOUT
                                             : code);
  for (int k = 0; k < op->n; k++) {
    if (op->cases[k].send || op->call >= CALL_CLOSE) continue;
    if (op->select && k == op->code) op->got = oks[k];
    if (k != op->code && (slots[k] != UNTOUCHED || oks[k]))
      model_fail("the variable of a receive that did not happen was changed");
    if (k != op->code) continue;
    int touched = op->got > 0 ? op->got : 1; // a close zeroes one
    for (int v = 0; v < touched; v++) op->values[v] = (uint8_t)slots[many ? v : k];
    for (int v = touched; many && v < PROGRAM_MANY; v++)
      if (slots[v] != UNTOUCHED) model_fail("more variables were changed than values received");
  }
}

// ---- tickets ------------------------------------------------------------------------------------

static bool is_taken_back(int op) {
  for (int i = 0; i < it.p.ops; i++)
    if (it.p.op[i].call == CALL_CANCEL && it.p.op[i].ticket == op) return true;
  return false;
}

// Its operation has happened, or the channel has been closed.
static void ticket_ends(ticket *t, bool ok) {
  program_op *op = &it.p.op[t->op];
  bool send = op->cases[0].send;
  op->code = (int8_t)(send && !ok ? CODE_PANIC : 0);
  op->got = !send && ok;
  op->values[0] = (uint8_t)(send ? 0 : t->slot);
  op->ended = true;
  happens(EVENT_END, t->op);
  if (!is_taken_back(t->op)) bw_free(t);
}

static void complete(bw__waiter *w) {
  ticket_ends(BW_CONTAINER(bw__place_of(w), ticket, place), w->ok);
}

static void leave_ticket(int i) {
  program_op *op = &it.p.op[i];
  bw_chan *c = it.chan[op->cases[0].chan];
  ticket *t = it.tickets[i];
  t->op = i;
  t->slot = op->cases[0].send ? op->cases[0].value : UNTOUCHED;
  bw__ticket_init(&t->place, &t->slot, complete);
  int code =
      op->cases[0].send ? bw__chan_send_ticket(c, &t->place) : bw__chan_recv_ticket(c, &t->place);
  if (code != BW_EAGAIN) {
    ticket_ends(t, code == 0);
    return;
  }
  op->parks++; // it may have ended by now
  happens(EVENT_PARK, i);
}

static void take_back(program_op *op) {
  bw_chan *c = it.chan[it.p.op[op->ticket].cases[0].chan];
  op->cancelled = bw__chan_cancel_ticket(c, &it.tickets[op->ticket]->place);
}

// ---- threads ------------------------------------------------------------------------------------

static unsigned ways(const program_op *op) {
  return !it.options->shuffles || op->n < 2 ? 1 : op->n == 2 ? 2 : 6;
}

static __attribute__((noinline)) void run_op(int t, int i) {
  program_op *op = &it.p.op[i];
  it.running[t] = i;
  world_operation(ways(op));
  happens(EVENT_BEGIN, i);
  if (op->call == CALL_TICKET) {
    leave_ticket(i);
    return;
  }
  if (setjmp(it.panics[t]) == 0)
    (op->call == CALL_CANCEL ? take_back : call)(op);
  else
    op->code = CODE_PANIC;
  op->ended = true;
  race_frames_gone();
  happens(EVENT_END, i);
}

static void run_thread(void *arg) {
  int t = *(int *)arg;
  for (int i = it.p.first[t]; i < it.p.first[t + 1]; i++) run_op(t, i);
}

// ---- one execution ------------------------------------------------------------------------------

static void setup(void) {
  static const char *const names[] = {"A", "B", "C", "D"};
  static int numbers[] = {0, 1, 2, 3};
  it.p.happened = 0;
  for (int i = 0; i < it.p.ops; i++) {
    program_op *op = &it.p.op[i];
    op->ended = op->cancelled = false;
    op->code = 0;
    op->parks = op->got = 0;
    memset(op->values, 0, sizeof op->values);
  }
  for (int c = 0; c < it.p.channels; c++) {
    it.chan[c] = bw_chan_make(sizeof(int), it.p.caps[c]);
    it.released[c] = false;
    for (int i = 0; i < it.p.ops; i++) // each release has its reference
      if (it.p.op[i].call == CALL_RELEASE && it.p.op[i].cases[0].chan == c) {
        if (it.released[c]) bw_chan_retain(it.chan[c]);
        it.released[c] = true;
      }
  }
  for (int i = 0; i < it.p.ops; i++)
    if (it.p.op[i].call == CALL_TICKET) it.tickets[i] = bw_malloc(sizeof(ticket));
  for (int t = 0; t < it.p.threads; t++)
    it.ids[t] = world_start(names[t], it.p.goroutine[t], run_thread, &numbers[t]);
}

// ---- the end ------------------------------------------------------------------------------------

static uint64_t mix(uint64_t h, uint64_t v) {
  h = (h ^ v) * 0x9e3779b97f4a7c15u;
  return h ^ h >> 29;
}

static uint64_t outcome_hash(void) {
  uint64_t h = 1;
  for (int i = 0; i < it.p.ops; i++) {
    const program_op *op = &it.p.op[i];
    h = mix(h, (uint64_t)(op->parks | op->ended << 4 | op->cancelled << 5 | op->got << 6) |
                   (uint64_t)(uint8_t)op->code << 16);
    for (int v = 0; v < PROGRAM_MANY; v++) h = mix(h, op->values[v]);
  }
  return h;
}

static uint64_t history_hash(void) {
  uint64_t h = outcome_hash();
  for (int e = 0; e < it.p.happened; e++) h = mix(h, it.p.events[e]);
  return h | 1;
}

// True, once for each value. Forgets some when there are too many.
static bool is_new(uint64_t h) {
  for (size_t i = h >> 8;; i++) {
    uint64_t *at = &it.seen[i % SEEN];
    if (*at == h) return false;
    if (*at && i < (h >> 8) + 8) continue;
    *at = h;
    return true;
  }
}

static bool is_parked(const bw__waiter *w) {
  for (int i = 0; i < it.p.ops; i++)
    if (it.p.op[i].call == CALL_TICKET && w == &it.tickets[i]->place.waiter)
      return !it.p.op[i].ended;
  for (int t = 0; t < it.p.threads; t++) {
    const char *stack = model_stacks[it.ids[t]], *a = (const char *)w;
    if (a >= stack && a < stack + MODEL_STACK) return !it.p.op[it.running[t]].ended;
  }
  return false;
}

static int queue_length(bw__waitq *q) {
  int n = 0;
  for (bw__sudog *s = bw__shared_load(&q->first); s; s = s->next, n++) {
    if (!is_parked(s->waiter)) model_fail("a sudog is in a queue whose owner does not wait");
    if (n > PROGRAM_OPS * PROGRAM_CASES) model_fail("a queue has no end");
    if (model_failed()) break;
  }
  return n;
}

static void check_channel(bw_chan *c) {
  size_t count = bw__shared_load(&c->count);
  if (count > c->cap) model_fail("I1: count > cap");
  if (queue_length(&c->receivers) && (count || bw__chan_closed(c)))
    model_fail("I2: a receiver waits, and there is something to receive");
  if (queue_length(&c->senders) && (count < c->cap || bw__chan_closed(c)))
    model_fail("I3: a sender waits, and there is room");
}

static void abandon_all(void) {
  for (int t = 0; t < it.p.threads; t++) {
    bw__waiter *w = world_parked(it.ids[t]);
    if (!w) continue;
    if (w->abandon) w->abandon(w);
    memset((char *)model_stack_low(it.ids[t]), 0xa5,
           (size_t)(model_stacks[it.ids[t]] + MODEL_STACK - model_stack_low(it.ids[t])));
  }
}

// Tickets are JavaScript's to take back.
static void cancel_all(void) {
  for (int i = 0; i < it.p.ops; i++) {
    const program_op *op = &it.p.op[i];
    if (op->call != CALL_TICKET || (op->ended && !is_taken_back(i))) continue;
    bw__place *place = &it.tickets[i]->place;
    bool waits = op->parks > 0 && bw__chan_cancel_ticket(it.chan[op->cases[0].chan], place);
    if (!op->ended && !waits && op->parks > 0 && !is_taken_back(i))
      model_fail("a ticket that waits is in no queue");
    if (op->ended && waits) model_fail("a ticket that has ended is in a queue");
    if (!op->ended || is_taken_back(i)) bw_free(it.tickets[i]);
  }
}

static void release_all(void) {
  for (int c = 0; c < it.p.channels; c++)
    if (!it.released[c]) bw_chan_release(it.chan[c]);
  for (int i = 0; i < it.p.ops; i++)
    if (it.p.op[i].call == CALL_RELEASE && !it.p.op[i].ended)
      bw_chan_release(it.chan[it.p.op[i].cases[0].chan]);
}

static bool all_parked_are_goroutines(void) {
  for (int t = 0; t < it.p.threads; t++)
    if (model_pending(it.ids[t]) && !it.p.goroutine[t]) return false;
  return true;
}

static void try_ends(void) {
  bool whole = all_parked_are_goroutines();
  cancel_all();
  if (model_failed()) return;
  world_save();
  if (whole) abandon_all();
  for (int c = 0; whole && c < it.p.channels; c++)
    if (!it.released[c] &&
        (!bw__waitq_empty(&it.chan[c]->receivers) || !bw__waitq_empty(&it.chan[c]->senders)))
      model_fail("a goroutine that was abandoned is still in a queue");
  release_all();
  if (!model_failed() && !world_all_freed()) model_fail("a channel was not freed");
  world_restore();
  if (model_failed() || !whole) return;
  release_all();
  abandon_all();
}

static void finish(void) {
  if (!world_at_rest()) return;
  uint64_t outcome = outcome_hash() & ~(uint64_t)1;
  if (is_new(outcome)) it.outcomes += outcome;
  const char *wrong = is_new(history_hash()) ? spec_explains(&it.p) : NULL;
  if (wrong) model_fail("%s", wrong);
  for (int c = 0; c < it.p.channels && !model_failed(); c++)
    if (!it.released[c]) check_channel(it.chan[c]);
  if (!model_failed()) try_ends();
}

model_result program_explore(const char *text, program_options *options) {
  program_read(&it.p, text);
  it.options = options;
  it.outcomes = 0;
  memset(it.seen, 0, sizeof it.seen);
  world_is = (world_rules){.direct = options->direct, .timeouts = 1000};
  model_search search = {
      .mode = options->full    ? MODEL_FULL
              : options->bound ? MODEL_BOUNDED
                               : MODEL_REDUCED,
      .bound = options->bound,
      .setup = setup,
      .finish = finish,
      .replay = options->replay,
  };
  model_result result = model_explore(&search);
  options->outcomes = it.outcomes;
  if (result.failed || options->replay) {
    printf("program \"%s\"\n", text);
    model_report();
  }
  return result;
}
