// The trace of an execution: each step, and what was noted in between, with the thread, the
// function and the value. Kept in every execution, printed when it is wrong.
#include "model.h"

#include <stdio.h>

enum { LINES = 4 * MODEL_STEPS };

static struct {
  struct {
    model_op op;
    int thread;
    bool has_value;
  } lines[LINES];
  int n;
} it;

void trace_reset(void) { it.n = 0; }

void model_log(model_op op) {
  if (it.n == LINES) return;
  it.lines[it.n].op = op;
  it.lines[it.n].thread = model_self();
  it.lines[it.n++].has_value = false;
}

void model_log_value(uint64_t value) {
  if (it.n == 0 || it.n == LINES) return;
  it.lines[it.n - 1].op.value = value;
  it.lines[it.n - 1].has_value = true;
}

static const char *kind_text(model_kind k) {
  switch (k) {
  case STEP_START: return "starts";
  case STEP_LOCK: return "lock";
  case STEP_RESUME: return "goes on";
  case STEP_TIMER_START: return "timer start";
  case STEP_TIMER_FIRE: return "timer fires";
  case STEP_TIMER_END: return "timer's fn ends";
  case STEP_TIMER_DROP: return "timer drop";
  case STEP_FUTEX_WAIT: return "futex wait";
  case STEP_FUTEX_RETURN: return "futex wait ends";
  case STEP_FUTEX_WAKE: return "futex wake";
  case STEP_AWAIT: return "looks again";
  default: return "";
  }
}

static void print_where(const model_op *op) {
  const char *at = (const char *)(uintptr_t)op->object;
  if (model_in_heap(at))
    printf("  heap+%td", at - model_heap);
  else if (model_in_stacks(at))
    printf("  %s's stack-%td", model_thread_name(model_stack_of(at)),
           MODEL_STACK - (at - model_stacks[0]) % MODEL_STACK);
}

static void print_value(uint64_t v) {
  if (v < 1000 || ~v < 1000)
    printf(" : %lld", (long long)v);
  else
    printf(" : ...%03llx", (unsigned long long)v & 0xfff); // an address: its end tells it
}

void trace_print(void) {
  for (int i = 0; i < it.n; i++) {
    const model_op *op = &it.lines[i].op;
    printf("  %3d  %-10s %-24s %s%s", i, model_thread_name(it.lines[i].thread),
           op->func ? op->func : "", kind_text(op->kind), op->text ? op->text : "");
    if (it.lines[i].has_value) print_value(op->value);
    print_where(op);
    if (op->line) printf("  (line %d)", op->line);
    printf("\n");
  }
}

void trace_print_pending(int t, const model_op *op) {
  printf("       %-10s has not ended: %s%s\n", model_thread_name(t), kind_text(op->kind),
         op->text ? op->text : "");
}
