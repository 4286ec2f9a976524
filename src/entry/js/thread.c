// JavaScript threads: stack, thread-local storage and agent for a worker that is no pthread.
#include "entry/js/agent.h"

#include "port/emscripten/host.h"
#include "port/port.h"
#include "port/wasm/stack.h"

#include <emscripten/stack.h>

enum { STACK = 256 << 10, DEATH_WORDS = 1024 };

void __wasm_init_tls(void *block); // made by the linker: copies the TLS image and sets __tls_base

_Static_assert(offsetof(bw_js_thread, stack_top) == 4 && offsetof(bw_js_thread, tls) == 8 &&
                   offsetof(bw_js_thread, agent) == 12 && offsetof(bw_js_thread, entered) == 16,
               "abi.h names these offsets");

static _Thread_local bw_js_thread *self;
static bw_js_thread host;
static uint32_t death[DEATH_WORDS];

uint32_t *bw_js_death(void) { return death; }

bw_js_thread *bw_js_thread_self(void) { return self; }

void bw_js_boot(void) {
  emscripten_stack_init();
  bw__stack_enter_own();
  bw__port_set_may_block(false);
  host.agent = (uint32_t)(uintptr_t)bw__js_agent_make();
  bw__store(&host.claimed, 1);
  bw__store(&host.entered, 1);
  self = &host;
}

// One block: the record, the stack above it, the TLS above that.
bw_js_thread *bw_js_thread_make(void) {
  bw__port_mem_sync();
  size_t tls_size = __builtin_wasm_tls_size(), tls_align = __builtin_wasm_tls_align();
  size_t head = bw__align_up(sizeof(bw_js_thread), 16);
  char *block = bw_malloc(head + STACK + tls_align + tls_size);
  bw__js_agent *agent = bw__js_agent_make();
  if (!block || !agent) {
    bw_free(block);
    if (agent) bw__js_agent_end(agent);
    return NULL;
  }
  bw_js_thread *t = (bw_js_thread *)block;
  *t = (bw_js_thread){
      .stack_top = (uint32_t)(uintptr_t)(block + head + STACK),
      .tls = (uint32_t)bw__align_up((uintptr_t)(block + head + STACK), tls_align ? tls_align : 1),
      .agent = (uint32_t)(uintptr_t)agent,
  };
  return t;
}

// noinline: TLS must be there before anything looks at it.
static BW_NOINLINE void settle_in(bw_js_thread *t) {
  char *top = (char *)(uintptr_t)t->stack_top;
  emscripten_stack_set_limits(top, top - STACK);
  bw__stack_enter_own();
  bw__port_set_may_block(true);
  bw__port_mem_sync();
  self = t;
  bw__store(&t->entered, 1);
}

void bw_js_thread_enter(bw_js_thread *t) {
  __wasm_init_tls((void *)(uintptr_t)t->tls);
  settle_in(t);
}

static void end_agent(bw_js_thread *t) {
  if (t->agent) bw__js_agent_end((bw__js_agent *)(uintptr_t)t->agent);
  t->agent = 0;
}

void bw_js_thread_leave(void) {
  bw_js_thread *t = self;
  if (!t || t == &host) return;
  end_agent(t);
  bw__port_thread_ends();
  bw__store(&t->entered, 0);
}

// A thread that never entered, or was terminated, still has its agent.
void bw_js_thread_free(bw_js_thread *t) {
  if (!t) return;
  end_agent(t);
  bw_free(t);
}
