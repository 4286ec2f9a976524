// The heap profile as text: for pprof, and the list of what is in use, for people. Nothing here
// allocates; a line at a time is put together on the stack.
#include <burrow/error.h>
#include <burrow/profile.h>

#include "alloc/profile.h"
#include "base/text.h"
#include "port/port.h"

// Where text goes: into memory, cut to its length, or to a file.
typedef struct {
  char *buffer; // NULL: to fd
  size_t cap;
  int fd;
  bool failed;
  size_t total;
} output;

static void put(void *arg, const char *data, size_t n) {
  output *out = arg;
  if (!out->buffer) {
    if (!out->failed) out->failed = !bw__port_write(out->fd, data, n);
  } else if (out->total < out->cap) {
    size_t room = out->cap - out->total;
    memcpy(out->buffer + out->total, data, n < room ? n : room);
  }
  out->total += n;
}

// ---- for pprof
// -----------------------------------------------------------------------------------

typedef struct {
  uint64_t allocs, alloc_bytes, used, used_bytes;
} sums;

static bool add_site(const bw_profile_heap_site *s, void *arg) {
  sums *sum = arg;
  sum->allocs += s->allocs;
  sum->alloc_bytes += s->allocs * s->size;
  sum->used += s->allocs - s->frees;
  sum->used_bytes += (s->allocs - s->frees) * s->size;
  return true;
}

static void format_sums(bw__text *t, const sums *s) {
  bw__text_format(t, "%llu: %llu [%llu: %llu] @", (unsigned long long)s->used,
                  (unsigned long long)s->used_bytes, (unsigned long long)s->allocs,
                  (unsigned long long)s->alloc_bytes);
}

// pprof takes one from every address but the first, so that it is in the call; here the first is a
// return address too.
static bool put_site(const bw_profile_heap_site *s, void *arg) {
  char line[1024];
  bw__text t = bw__text_on(line, sizeof line);
  sums sum = {0};
  add_site(s, &sum);
  format_sums(&t, &sum);
  for (unsigned i = 0; i < s->depth; i++)
    bw__text_format(&t, " 0x%zx", (size_t)(s->frames[i] - (i == 0)));
  bw__text_format(&t, "\n");
  put(arg, t.data, t.len);
  return true;
}

static void put_profile(output *out) {
  char line[256];
  bw__text t = bw__text_on(line, sizeof line);
  sums sum = {0};
  bw_profile_heap_walk(add_site, &sum);
  bw__text_format(&t, "heap profile: ");
  format_sums(&t, &sum);
  bw__text_format(&t, " heap_v2/%llu\n", (unsigned long long)bw__profile_rate());
  put(out, t.data, t.len);
  bw_profile_heap_walk(put_site, out);
  static const char title[] = "\nMAPPED_LIBRARIES:\n";
  put(out, title, sizeof title - 1);
  bw__port_maps(put, out);
}

size_t bw_profile_heap_text(char *buffer, size_t cap) {
  char none;
  output out = {.buffer = cap ? buffer : &none, .cap = cap ? cap - 1 : 0};
  put_profile(&out);
  if (cap) buffer[out.total < cap ? out.total : cap - 1] = 0;
  return out.total;
}

int bw_profile_heap_write_fd(int fd) {
  output out = {.fd = fd};
  put_profile(&out);
  return out.failed ? BW_EINVAL : BW_OK;
}

int bw_profile_heap_write(const char *path) {
  int fd = bw__port_file_create(path);
  if (fd < 0) return fd;
  int code = bw_profile_heap_write_fd(fd);
  bw__port_file_close(fd);
  return code;
}

// ---- for people
// ----------------------------------------------------------------------------------

enum { STACKS_SHOWN = 50 };

static const char *plural(uint64_t n) { return n == 1 ? "" : "s"; }

static void format_amount(bw__text *t, uint64_t bytes, uint64_t objects) {
  bw__text_format(t, "%llu byte%s in %llu allocation%s", (unsigned long long)bytes, plural(bytes),
                  (unsigned long long)objects, plural(objects));
}

static void put_frame(output *out, unsigned i, uintptr_t address) {
  char line[512], name[384];
  bw__text t = bw__text_on(line, sizeof line);
  bool known = bw__port_describe(address, name, sizeof name);
  bw__text_format(&t, "    #%u 0x%zx%s%s\n", i, (size_t)address, known ? " " : "",
                  known ? name : "");
  put(out, t.data, t.len);
}

static void put_use(output *out, const bw__profile_use *use) {
  char line[128];
  bw__text t = bw__text_on(line, sizeof line);
  bw__text_format(&t, "  ");
  format_amount(&t, use->bytes, use->objects);
  bw__text_format(&t, use->depth ? ", from\n" : ", stack unknown\n");
  put(out, t.data, t.len);
  for (unsigned i = 0; i < use->depth; i++) put_frame(out, i, use->frames[i]);
}

static void put_summary(output *out, const bw__profile_use *all, unsigned stacks, uint64_t rate) {
  char line[256];
  bw__text t = bw__text_on(line, sizeof line);
  bw__text_format(&t, "burrow: still in use: ");
  if (stacks) {
    format_amount(&t, all->bytes, all->objects);
    bw__text_format(&t, " from %u place%s", stacks, plural(stacks));
  } else {
    bw__text_format(&t, "nothing");
  }
  if (rate > 1)
    bw__text_format(&t, " (estimates: one sample in %llu bytes)", (unsigned long long)rate);
  bw__text_format(&t, "\n");
  put(out, t.data, t.len);
}

// The stacks are found in their order one by one, which takes no memory for a list.
void bw_profile_heap_leaks(int fd) {
  output out = {.fd = fd};
  bw__profile_use all, use = {.bytes = UINT64_MAX};
  unsigned stacks = bw__profile_total_use(&all);
  put_summary(&out, &all, stacks, bw__profile_rate());
  for (unsigned i = 0; i < STACKS_SHOWN && bw__profile_next_use(&use); i++) put_use(&out, &use);
  if (stacks > STACKS_SHOWN) {
    static const char text[] = "  ... and more\n";
    put(&out, text, sizeof text - 1);
  }
}
