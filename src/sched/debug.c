// Counters for people: per P, and of the process.
#include "sched/sched.h"

bw_proc_stats bw_proc_stats_read(int index) {
  bw__sched *s = &bw__sched_state;
  if (!s->ps || index < 0 || index >= s->procs) return (bw_proc_stats){0};
  bw__p *p = &s->ps[index];
  return (bw_proc_stats){
      .runs = bw__load_relaxed(&p->runs),
      .migrations = bw__load_relaxed(&p->migrations),
      .spawns = bw__load_relaxed(&p->spawns),
      .parks = bw__load_relaxed(&p->parks),
      .yields = bw__load_relaxed(&p->yields),
      .sleeps = bw__load_relaxed(&p->sleeps),
  };
}

bw_memory_info bw_memory_read(void) {
  bw__port_mem_info info = bw__port_mem_read();
  return (bw_memory_info){info.virtual_bytes, info.resident_bytes, info.max_bytes};
}

const char *bw_port_name(void) { return bw__port_capabilities.name; }
