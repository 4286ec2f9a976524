// Memory from mmap. Stacks: stacks.c.
#include "port/port.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

const bw__port_caps bw__port_capabilities = {
    .name = "posix",
    .threads = true,
    .gives_back = true,
    .protects = true,
    .maps_stacks = true,
    .monitors = true,
    .polls = true,
    .stack_size = BW_ASAN || BW_TSAN ? 256 << 10 : 64 << 10,
    .main_stack = 1 << 20,
};

static void *map(size_t bytes) {
  void *p =
      mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return p == MAP_FAILED ? NULL : p;
}

// mmap aligns to 4 KB; where the page heap's 8 KB need it, map one page more and cut the ends.
static void *map_aligned(size_t bytes) {
  char *p = map(bytes);
  if (!p || ((uintptr_t)p & (BW_PAGE_SIZE - 1)) == 0) return p;
  munmap(p, bytes);
  p = map(bytes + BW_PAGE_SIZE);
  if (!p) return NULL;
  char *start = (char *)bw__align_up((uintptr_t)p, BW_PAGE_SIZE);
  if (start > p) munmap(p, (size_t)(start - p));
  size_t tail = (size_t)(p + BW_PAGE_SIZE - start);
  if (tail) munmap(start + bytes, tail);
  return start;
}

// ---- arenas ------------------------------------------------------------------------------------
//
// A heap that has become large pays for its pages with TLB misses more than with anything else, so
// it grows in 2 MB pages where the kernel has them: inside arenas, address space that is aligned
// for them and asked for ahead. (No memory comes with it: that is what touching is for.) A small
// heap does not, since one byte used would cost it 2 MB.
//
// Once the heap gives pages back, that is over for good: the kernel would gather what is left of a
// huge page into a whole one again, in the background, and take back what was given.

#define HUGE_PAGE ((size_t)2 << 20)
#define HUGE_FROM ((size_t)16 << 20) // heaps from this size on
#define ARENA     ((size_t)64 << 20)

enum { ARENAS_MOST = 1024 }; // that are known; later ones have small pages

static struct {
  char *at, *end; // what is left of the newest arena
  size_t total;   // given out, from arenas or not
  bool gives_back;
  int count;
  struct {
    char *start;
    size_t bytes;
  } all[ARENAS_MOST];
} arena; // all under the page heap's lock

static char *map_arena(size_t bytes) {
  char *p = map(bytes + HUGE_PAGE);
  if (!p) return NULL;
  char *start = (char *)bw__align_up((uintptr_t)p, HUGE_PAGE);
  if (start > p) munmap(p, (size_t)(start - p));
  size_t tail = (size_t)(p + HUGE_PAGE - start);
  if (tail) munmap(start + bytes, tail);
  if (!arena.gives_back && arena.count < ARENAS_MOST) {
    madvise(start, bytes, MADV_HUGEPAGE); // a wish
    arena.all[arena.count].start = start;
    arena.all[arena.count++].bytes = bytes;
  }
  return start;
}

static void stop_huge_pages(void) {
  if (arena.gives_back) return;
  arena.gives_back = true;
  for (int i = 0; i < arena.count; i++)
    madvise(arena.all[i].start, arena.all[i].bytes, MADV_NOHUGEPAGE);
}

// Gives back the address space that is left of the newest arena.
static void drop_rest(void) {
  size_t rest = (size_t)(arena.end - arena.at);
  if (!rest) return;
  munmap(arena.at, rest);
  for (int i = arena.count - 1; i >= 0; i--)
    if (arena.all[i].start + arena.all[i].bytes == arena.end) arena.all[i].bytes -= rest;
}

static void *take_from_arena(size_t bytes) {
  if (bytes >= ARENA) return map_arena(bytes); // one of its own
  if ((size_t)(arena.end - arena.at) < bytes) {
    char *p = map_arena(ARENA);
    if (!p) return NULL;
    drop_rest();
    arena.at = p;
    arena.end = p + ARENA;
  }
  char *p = arena.at;
  arena.at += bytes;
  return p;
}

static void *grow(size_t bytes, size_t *got) {
  void *p = NULL;
  *got = bytes;
  if (arena.total + bytes >= HUGE_FROM) {
    size_t whole = bw__align_up(bytes, HUGE_PAGE);
    p = take_from_arena(whole);
    if (p) *got = whole;
  }
  if (!p) p = map_aligned(bytes);
  if (p) arena.total += *got;
  return p;
}

void *bw__port_mem_grow(size_t least, size_t want, size_t *got) {
  int saved = errno;
  void *p = grow(want, got);
  if (!p && least < want) p = grow(least, got);
  errno = saved;
  return p;
}

size_t bw__port_mem_release(void *p, size_t n) {
  int saved = errno;
  stop_huge_pages();
  size_t released = madvise(p, n, MADV_DONTNEED) == 0 ? n : 0;
  errno = saved;
  return released;
}

void *bw__port_mem_sbrk(size_t bytes) {
  (void)bytes;
  return NULL; // the C library's, and we take from mmap
}

// The first bytes of a file of the kernel's, without allocation. 0: not to be had.
static size_t read_file(const char *path, char *buffer, size_t size) {
  int saved = errno, fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t n = fd < 0 ? -1 : read(fd, buffer, size);
  if (fd >= 0) close(fd);
  errno = saved;
  return n > 0 ? (size_t)n : 0;
}

// The number at *at, before `end`; *at moves behind it and what follows it.
static uint64_t parse_number(const char **at, const char *end) {
  uint64_t n = 0;
  for (; *at < end && **at >= '0' && **at <= '9'; ++*at) n = n * 10 + (uint64_t)(**at - '0');
  if (*at < end) ++*at;
  return n;
}

bool bw__port_mem_protect(void *p, size_t n, bool accessible) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  if ((((uintptr_t)p | n) & (page - 1)) != 0) return false;
  return mprotect(p, n, accessible ? PROT_READ | PROT_WRITE : PROT_NONE) == 0;
}

bw__port_mem_info bw__port_mem_read(void) {
  bw__port_mem_info info = {0};
  struct rlimit limit;
  if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
    info.max_bytes = limit.rlim_cur;
  char text[128]; // pages in all, pages resident, ..
  const char *at = text, *end = text + read_file("/proc/self/statm", text, sizeof text);
  info.virtual_bytes = parse_number(&at, end) * (uint64_t)sysconf(_SC_PAGESIZE);
  info.resident_bytes = parse_number(&at, end) * (uint64_t)sysconf(_SC_PAGESIZE);
  return info;
}
