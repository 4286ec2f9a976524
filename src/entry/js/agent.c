// Completion queues: how a finished operation reaches its JavaScript thread.
//
// One queue a thread, not one wait an operation. Whoever ends an op (any goroutine, any thread)
// pushes it on the agent's stack, increments the agent's word and notifies. The agent's thread
// takes the whole stack at once and turns it round, so ops come out in the order they ended.
//
// No lost wake-up. Pusher: (1) push, (2) word++, (3) notify. Agent: (a) read word, (b) take the
// stack, (c) wait while word is what (a) read. A push that (b) missed comes after (b), so its (2)
// comes after (a) and the wait in (c) does not sleep, or is notified by (3).
#include "entry/js/agent.h"

#include "port/port.h"

_Static_assert(offsetof(bw_js_agent, op) == 4 && offsetof(bw_js_op, code) == 4 &&
                   offsetof(bw_js_op, value_size) == 8 && offsetof(bw_js_op, value) == 12,
               "abi.h names these offsets");

static _Atomic(bw__js_agent *) all_agents; // grows only: agents are used again, never freed

static void bump(bw__js_agent *agent) {
  bw__add(&agent->pub.word, 1);
  bw__port_futex_wake(&agent->pub.word, UINT32_MAX);
}

void bw_js_wake_agents(void) {
  for (bw__js_agent *a = bw__load_acquire(&all_agents); a; a = a->all_next) bump(a);
}

static bw__js_agent *take_unused(void) {
  for (bw__js_agent *a = bw__load_acquire(&all_agents); a; a = a->all_next) {
    bool used = false;
    if (bw__cas(&a->used, &used, true)) return a;
  }
  return NULL;
}

bw__js_agent *bw__js_agent_make(void) {
  bw__js_agent *a = take_unused();
  if (a) return a;
  a = bw_calloc(1, sizeof *a);
  if (!a) return NULL;
  bw__store_relaxed(&a->used, true); // published by the CAS below
  bw__list_init(&a->pending);
  a->all_next = bw__load_relaxed(&all_agents);
  while (!bw__cas(&all_agents, &a->all_next, a)) {} // a failed CAS reloads all_next
  return a;
}

void bw__js_op_finish(bw__js_op *op, int code) {
  bw__js_agent *agent = op->agent;
  op->pub.code = code;
  op->next = bw__load_relaxed(&agent->done);
  while (!bw__cas(&agent->done, &op->next, op)) {} // a failed CAS reloads next
  bump(agent);
}

static bw__js_agent *agent_here(void) {
  return (bw__js_agent *)(uintptr_t)bw_js_thread_self()->agent;
}

bw__js_op *bw__js_op_make(const bw__js_op_kind *kind, size_t size, uint32_t key) {
  bw__js_op *op = bw_malloc(size);
  if (!op) return NULL;
  *op = (bw__js_op){.pub = {.key = key}, .kind = kind, .agent = agent_here()};
  bw__list_push_back(&op->agent->pending, &op->pending);
  return op;
}

int bw__js_op_begun(bw__js_op *op, int code) {
  if (code == BW_EAGAIN)
    agent_here()->pub.op = (uint32_t)(uintptr_t)op;
  else
    bw_js_op_free(&op->pub);
  return code;
}

void bw_js_op_free(bw_js_op *pub) {
  bw__js_op *op = (bw__js_op *)pub;
  if (!op) return;
  bw__list_remove(&op->pending); // no-op unless it never came through the queue
  op->kind->end(op);
  bw_free(op);
}

int bw_js_op_cancel(bw_js_op *pub) {
  bw__js_op *op = (bw__js_op *)pub;
  bw__port_mem_sync();
  if (!op->kind->cancel(op)) return BW_EAGAIN;
  bw_js_op_free(pub);
  return 0;
}

static void take_done(bw__js_agent *agent) {
  bw__js_op *newest_first = bw__swap_acquire(&agent->done, NULL); // pairs with the CAS in complete
  for (bw__js_op *next; newest_first; newest_first = next) {
    next = newest_first->next;
    newest_first->next = agent->taken;
    agent->taken = newest_first;
  }
}

// The next that has ended; NULL: none.
static bw__js_op *take_ended(bw__js_agent *agent) {
  for (;;) {
    if (!agent->taken) take_done(agent);
    bw__js_op *op = agent->taken;
    if (!op) return NULL;
    agent->taken = op->next;
    int code = op->pub.code;
    if (code == BW_EAGAIN || code == BW_JS_TAKEN) code = op->kind->resume(op);
    if (code == BW_EAGAIN) continue;
    op->pub.code = code;
    return op;
  }
}

bw_js_op *bw_js_agent_next(bw_js_agent *pub) {
  bw__port_mem_sync();
  bw__js_op *op = take_ended((bw__js_agent *)pub);
  if (!op) return NULL;
  bw__list_remove(&op->pending); // it is JavaScript's now
  return &op->pub;
}

// Ops whose wait somebody is ending right now cannot be taken back: they arrive within a few
// instructions of that thread.
void bw__js_agent_end(bw__js_agent *agent) {
  bw__list *head = &agent->pending;
  for (bw__list *l = head->next, *next; l != head; l = next) {
    next = l->next;
    bw__js_op *op = BW_CONTAINER(l, bw__js_op, pending);
    if (op->kind->abandon(op)) bw_js_op_free(&op->pub);
  }
  while (!bw__list_empty(head)) {
    bw__js_op *op = take_ended(agent);
    if (op && op->kind->undo) op->kind->undo(op);
    if (op) bw_js_op_free(&op->pub);
  }
  bw__store(&agent->used, false);
}
