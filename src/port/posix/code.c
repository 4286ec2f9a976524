// The program's own code: who called, what is it called.
//
// Stacks are walked with the compiler's unwinder (libgcc's or LLVM's, both have this interface),
// which reads the tables that x86-64 and arm64 programs carry anyway. With glibc 2.35 and later it
// finds them without a lock. A goroutine's first frame says in its table that nothing called it.
#include "port/port.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <unistd.h>
#include <unwind.h>

#include "base/text.h"

typedef struct {
  uintptr_t *frames;
  unsigned count, most;
  bool began; // the first is this file's own
} walk;

static _Unwind_Reason_Code take(struct _Unwind_Context *context, void *arg) {
  walk *w = arg;
  uintptr_t address = _Unwind_GetIP(context);
  if (!address || w->count == w->most) return _URC_END_OF_STACK;
  if (w->began) w->frames[w->count++] = address;
  w->began = true;
  return _URC_NO_REASON;
}

BW_NOINLINE unsigned bw__port_backtrace(uintptr_t *frames, unsigned most) {
  walk w = {.frames = frames, .most = most};
  _Unwind_Backtrace(take, &w);
  return w.count;
}

static const char *base_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

// What addr2line wants: an offset, but for programs that are linked for one address.
static size_t offset_in(const Dl_info *module, uintptr_t address) {
  const ElfW(Ehdr) *header = module->dli_fbase;
  return header->e_type == ET_EXEC ? address : address - (uintptr_t)header;
}

bool bw__port_describe(uintptr_t address, char *text, size_t cap) {
  Dl_info info;
  address--; // into the call
  if (!dladdr((const void *)address, &info) || !info.dli_fname) return false;
  bw__text t = bw__text_on(text, cap);
  if (info.dli_sname)
    bw__text_format(&t, "%s+0x%zx ", info.dli_sname, address - (uintptr_t)info.dli_saddr);
  bw__text_format(&t, "(%s+0x%zx)", base_name(info.dli_fname), offset_in(&info, address));
  return true;
}

void bw__port_maps(void (*put)(void *arg, const char *data, size_t n), void *arg) {
  char buffer[1024];
  int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  for (ssize_t n; (n = read(fd, buffer, sizeof buffer)) > 0;) put(arg, buffer, (size_t)n);
  close(fd);
}
