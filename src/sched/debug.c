// Counters for people: per P, and of the process.
#include "sched/dump.h"

bw_proc_stats bw_proc_stats_read(int index) {
  bw__sched *s = &bw__sched_state;
  bw__p *p = index < 0 || index >= BW_PROCS_MAX ? NULL : bw__load_acquire(&s->ps[index]);
  if (!p) return (bw_proc_stats){0};
  return (bw_proc_stats){
      .runs = bw__tally_read(&p->runs),
      .migrations = bw__tally_read(&p->migrations),
      .spawns = bw__tally_read(&p->spawns),
      .parks = bw__tally_read(&p->parks),
      .yields = bw__tally_read(&p->yields),
      .sleeps = bw__tally_read(&p->sleeps),
      .steals = bw__tally_read(&p->steals),
      .ends = bw__shared_load(&p->ends),
      .blocking_calls = bw__tally_read(&p->blocks),
      .queued = bw__runq_length(p),
  };
}

// No lock: a dump of a program that hangs wants these numbers too.
BW_NOT_SANITIZED static int peek(const volatile int *n) { return *n; }

// Those that sleep are counted before all, so that there are not more of them.
bw_sched_stats bw_sched_stats_read(void) {
  bw__sched *s = &bw__sched_state;
  int idle_threads = peek(&s->idle_ms) + peek(&s->pinned_idle);
  return (bw_sched_stats){
      .goroutines = bw_num_goroutine(),
      .procs = bw__load(&s->procs),
      .idle_procs = bw__load(&s->idle_count),
      .threads = peek(&s->m_count),
      .idle_threads = idle_threads,
      .spinning_threads = bw__load(&s->spinning),
      .global_queue = bw__load(&s->queued),
  };
}

bw_memory_info bw_memory_read(void) {
  bw__port_mem_info info = bw__port_mem_read();
  return (bw_memory_info){info.virtual_bytes, info.resident_bytes, info.max_bytes};
}

const char *bw_port_name(void) { return bw__port_capabilities.name; }
