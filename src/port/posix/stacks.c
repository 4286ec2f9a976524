// Goroutine stacks: cut from slabs, a guard below each.
//
//   slab    SLAB bytes of address space, aligned to their size: a header, then stacks of one class
//   class   a usable size; four to a doubling
//   stack   [guard | usable ...... top]; a stack's place is its number times the stride
//   group   GROUP neighbours, which are made ready together
//   fresh   never handed out yet
//
// Guards. MADV_GUARD_INSTALL (Linux 6.13) marks entries of the page table and costs no mapping, so
// a million guarded stacks fit below the kernel's limit of 65,530 mappings; older kernels get
// mprotect, which splits the slab. A guard is larger than a page since a frame that is larger than
// the guard steps over it, onto the next stack: it costs address space, and the page tables for it.
//
// Stride. An odd number of pages: were it a power of two, the tops of all stacks would share a few
// sets of the TLB. (1,000 stacks of 64 KB touched in turn: 3.7 ns with 23 pages, 8.7 with 16.)
//
// Groups. A stack costs a system call for its guard and a page fault for its top, and many that are
// handed out are never used: their goroutine runs on the stack of one that has ended. So both come
// with the first use of a group. Kernels that take many ranges in one call (process_madvise on
// oneself, Linux 6.15) get the guards of a group in one, and the top pages in another if all its
// stacks have been handed out: a program with few has the pages that it uses. (mprotect may meet
// the limit, which is for who asks for a stack to know: those guards are made at once.)
//
// Stacks larger than CLASS_MAX are mappings of their own: `usable` tells them from the rest.
//
// Invariants, under the lock: a slab is on its class's list exactly while it has stacks to hand
// out; used + free_count == ready; a stack that is used has a guard. A slab without a stack in use
// is unmapped unless its class has nothing else on the list. Memory of a stack that is not in use
// has been given back, except for top pages of a group.
//
// Locks: one, taken with any other lock held; under it guards are made, nothing else that waits.
// After a fork the child of a program with threads must not use stacks.
#include "port/port.h"
#include "port/posix/watched_stack.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#ifndef SYS_process_madvise
#define SYS_process_madvise 440
#endif

#define SLAB      ((size_t)16 << 20)
#define UNIT      ((size_t)4096) // sizes are multiples of it
#define CLASS_MAX ((size_t)2 << 20)
#define GUARD     ((size_t)28 << 10) // at least

enum { CLASSES = 32, GROUP = 16, SELF = -10000 }; // SELF: PIDFD_SELF_THREAD

static_assert(SLAB / (UNIT + GUARD) / GROUP <= 32, "a bit a group");

typedef struct slab {
  struct slab *next, **link;   // the class's list: under the lock
  struct stack_class *class;   // r/o from here
  size_t header;               // bytes ahead of the first stack
  size_t size, stride;         // of a stack: usable bytes, and with the guard
  uint32_t count;              // stacks in all
  bool later;                  // guards come with the first use, a group at a time
  _Atomic(uint32_t) ready;     // how many are not fresh; written under the lock
  _Atomic(uint32_t) guarded;   // a bit a group, if guards are regions; written under the lock
  _Atomic(uint32_t) populated; // a bit a group
  // Under the lock:
  uint32_t used;       // how many are out
  uint32_t free_count; // how many are in free[]
  uint16_t free[];     // their numbers
} slab;

typedef struct stack_class {
  slab *list; // slabs with stacks to hand out
} stack_class;

enum { UNKNOWN, BY_REGION, BY_PROTECT };

static struct {
  _Atomic(uint32_t) lock; // 0 free, 1 held, 2 held and somebody may be asleep on it
  stack_class class[CLASSES];
  _Atomic(uint32_t) guards;  // how they are made: written under the lock
  _Atomic(bool) no_vectors;  // the kernel does not take many ranges; set once
  _Atomic(size_t) page_size; // the system's; 0 = not asked yet
} stacks;

static void lock(void) {
  uint32_t word = 0;
  if (bw__cas_acquire(&stacks.lock, &word, 1)) return; // pairs with unlock's release
  while (bw__swap_acquire(&stacks.lock, 2) != 0) bw__port_futex_wait(&stacks.lock, 2, -1);
}

static void unlock(void) {
  if (bw__swap_release(&stacks.lock, 0) == 2) bw__port_futex_wake(&stacks.lock, 1);
}

static size_t page_size(void) {
  size_t page = bw__load_relaxed(&stacks.page_size); // everybody finds the same
  if (page) return page;
  page = (size_t)sysconf(_SC_PAGESIZE);
  bw__store_relaxed(&stacks.page_size, page);
  return page;
}

// The class of a stack of `size` <= CLASS_MAX bytes, and its bytes.
static int class_of(size_t size, size_t *rounded) {
  uint32_t units = (uint32_t)((size + UNIT - 1) / UNIT);
  if (units < 1) units = 1;
  if (units <= 8) {
    *rounded = units * UNIT;
    return (int)units - 1;
  }
  int shift = 29 - __builtin_clz(units - 1); // so that quarters is 5 to 8
  uint32_t quarters = ((units - 1) >> shift) + 1;
  *rounded = ((size_t)quarters << shift) * UNIT;
  return 8 + (shift - 1) * 4 + (int)quarters - 5;
}

static size_t stride_of(size_t size) {
  size_t page = page_size();
  return ((size + bw__align_up(GUARD, page)) / page | 1) * page;
}

// ---- address space ------------------------------------------------------------------------------

static char *reserve(char *hint, size_t bytes) {
  void *p = mmap(hint, bytes, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  return p == MAP_FAILED ? NULL : p;
}

static bool is_aligned(const char *p) { return ((uintptr_t)p & (SLAB - 1)) == 0; }

// The system hands out addresses downwards, one mapping below the other: so the second try is good,
// and the first is for the slabs that follow. The third takes twice the address space for a moment.
static char *reserve_slab(void) {
  char *p = reserve(NULL, SLAB);
  if (!p || is_aligned(p)) return p;
  munmap(p, SLAB);
  p = reserve((char *)((uintptr_t)p & ~(SLAB - 1)), SLAB);
  if (!p || is_aligned(p)) return p;
  munmap(p, SLAB);
  p = reserve(NULL, 2 * SLAB);
  if (!p) return NULL;
  char *start = (char *)bw__align_up((uintptr_t)p, SLAB);
  if (start > p) munmap(p, (size_t)(start - p));
  if (p + SLAB > start) munmap(start + SLAB, (size_t)(p + SLAB - start));
  return start;
}

// Whether guards are to be regions. An emulator may have no advice and a friendly word for any.
static bool by_region(void *page) {
  lock();
  if (bw__load_relaxed(&stacks.guards) == UNKNOWN) {
    bool honest = madvise(page, page_size(), -1) != 0;
    bw__store_relaxed(&stacks.guards, honest ? BY_REGION : BY_PROTECT);
  }
  unlock();
  return bw__load_relaxed(&stacks.guards) == BY_REGION;
}

static slab *make_slab(stack_class *class, size_t size) {
  slab *s = (slab *)reserve_slab();
  if (!s) return NULL;
  madvise(s, SLAB, MADV_NOHUGEPAGE); // a touched page must not become 2 MB
  s->class = class;
  s->size = size;
  s->stride = stride_of(size);
  size_t most = SLAB / s->stride;
  s->header = bw__align_up(sizeof *s + most * sizeof s->free[0], page_size());
  s->count = (uint32_t)((SLAB - s->header) / s->stride);
  s->later = by_region(s);
  return s;
}

static char *guard_of(slab *s, uint32_t number) {
  return (char *)s + s->header + number * s->stride;
}

static char *lo_of(slab *s, uint32_t number) { return guard_of(s, number) + s->stride - s->size; }

static uint32_t number_of(slab *s, char *lo) {
  return (uint32_t)((size_t)(lo - lo_of(s, 0)) / s->stride);
}

static slab *slab_of(void *lo) { return (slab *)((uintptr_t)lo & ~(SLAB - 1)); }

// ---- guards and memory --------------------------------------------------------------------------

// As many ranges as the kernel takes in one call: how many it took.
static uint32_t advise_many(char *first, size_t stride, uint32_t n, size_t bytes, int advice) {
  struct iovec ranges[GROUP];
  if (n < 2 || bw__load_relaxed(&stacks.no_vectors)) return 0; // set once, and only a hint
  for (uint32_t i = 0; i < n; i++)
    ranges[i] = (struct iovec){.iov_base = first + i * stride, .iov_len = bytes};
  long done = syscall(SYS_process_madvise, SELF, ranges, (size_t)n, advice, 0);
  if (done < 0 && errno != EAGAIN && errno != EINTR && errno != ENOMEM)
    bw__store_relaxed(&stacks.no_vectors, true);
  return done < 0 ? 0 : (uint32_t)((size_t)done / bytes);
}

// False: no memory for it, or too many mappings.
static bool install_guard_locked(char *p, size_t bytes) {
  if (bw__load_relaxed(&stacks.guards) != BY_PROTECT) {
    if (madvise(p, bytes, MADV_GUARD_INSTALL) == 0) return true;
    if (errno != EINVAL) return false;
    bw__store_relaxed(&stacks.guards, BY_PROTECT);
  }
  return mprotect(p, bytes, PROT_NONE) == 0;
}

// Guards for a group that may have some already. How many of its n stacks, from the first on, have
// one then.
static uint32_t guard_group_locked(slab *s, uint32_t first, uint32_t n) {
  size_t bytes = s->stride - s->size;
  char *at = guard_of(s, first);
  uint32_t done = 0;
  if (bw__load_relaxed(&stacks.guards) == BY_REGION)
    done = advise_many(at, s->stride, n, bytes, MADV_GUARD_INSTALL);
  while (done < n && install_guard_locked(at + done * s->stride, bytes)) done++;
  return done;
}

// ---- stacks -------------------------------------------------------------------------------------

static void link_locked(slab *s) {
  stack_class *c = s->class;
  s->next = c->list;
  s->link = &c->list;
  if (c->list) c->list->link = &s->next;
  c->list = s;
}

static void unlink_locked(slab *s) {
  *s->link = s->next;
  if (s->next) s->next->link = s->link;
}

static bool has_stacks(slab *s) {
  return s->free_count > 0 || bw__load_relaxed(&s->ready) < s->count;
}

// The next fresh stack of the slab. False: there can be no guard for it.
static bool take_fresh_locked(slab *s, uint32_t *number) {
  *number = bw__load_relaxed(&s->ready);
  if (!s->later && !install_guard_locked(guard_of(s, *number), s->stride - s->size)) return false;
  bw__store_relaxed(&s->ready, *number + 1);
  return true;
}

// A stack of the first slab on the list, or NULL.
static char *take_locked(stack_class *c) {
  slab *s = c->list;
  uint32_t number;
  if (s->free_count > 0)
    number = s->free[--s->free_count];
  else if (!take_fresh_locked(s, &number))
    return NULL;
  s->used++;
  if (!has_stacks(s)) unlink_locked(s);
  return lo_of(s, number);
}

static char *map_one(size_t size, size_t *usable) {
  if (size > PTRDIFF_MAX / 2) return NULL;
  size = bw__align_up(size, page_size());
  size_t bytes = stride_of(size);
  char *p = reserve(NULL, bytes);
  if (!p) return NULL;
  lock();
  bool guarded = install_guard_locked(p, bytes - size);
  unlock();
  if (!guarded) {
    munmap(p, bytes);
    return NULL;
  }
  *usable = size;
  return p + (bytes - size);
}

static char *map_from_slab(size_t size, size_t *usable) {
  stack_class *c = &stacks.class[class_of(size, &size)];
  size = bw__align_up(size, page_size());
  lock();
  while (!c->list) {
    unlock();
    slab *s = make_slab(c, size);
    if (!s) return NULL;
    lock();
    link_locked(s);
  }
  char *lo = take_locked(c);
  unlock();
  *usable = size;
  return lo;
}

void *bw__port_stack_map(size_t size, size_t *usable) {
  int saved = errno;
  char *lo = size > CLASS_MAX ? map_one(size, usable) : map_from_slab(size, usable);
  if (lo) bw__watched_stack_begin(lo, *usable);
  errno = saved;
  return lo;
}

static bool has_bit(_Atomic(uint32_t) *word, uint32_t bit) {
  return (bw__load_acquire(word) & bit) != 0; // pairs with the release in guard
}

// Guards for the group of the stack `number`. False: not for that one.
static bool guard(slab *s, uint32_t number, uint32_t first, uint32_t n, uint32_t bit) {
  lock();
  uint32_t done = has_bit(&s->guarded, bit) ? n : guard_group_locked(s, first, n);
  if (done == n) bw__store_release(&s->guarded, bw__load_relaxed(&s->guarded) | bit);
  unlock();
  return number < first + done;
}

// The top pages of all stacks of a group, whoever has them: their content stays.
static void populate(slab *s, uint32_t first, uint32_t n, uint32_t bit) {
  if (bw__load_relaxed(&s->ready) < first + n || has_bit(&s->populated, bit)) return;
  if (atomic_fetch_or(&s->populated, bit) & bit) return;
  char *top = lo_of(s, first) + s->size - page_size();
  advise_many(top, s->stride, n, page_size(), MADV_POPULATE_WRITE);
}

bool bw__port_stack_first_use(void *lo, size_t usable) {
  slab *s = slab_of(lo);
  if (usable > CLASS_MAX || !s->later) return true;
  uint32_t number = number_of(s, lo), first = number / GROUP * GROUP;
  uint32_t n = s->count - first < GROUP ? s->count - first : GROUP;
  uint32_t bit = UINT32_C(1) << number / GROUP;
  int saved = errno;
  bool guarded = has_bit(&s->guarded, bit) || guard(s, number, first, n, bit);
  if (guarded) populate(s, first, n, bit);
  errno = saved;
  return guarded;
}

// True: nobody has a stack of the slab any more, and the class has others to hand out.
static bool give_locked(slab *s, char *lo) {
  bool listed = has_stacks(s);
  s->free[s->free_count++] = (uint16_t)number_of(s, lo);
  s->used--;
  if (!listed) link_locked(s);
  if (s->used > 0 || (s->class->list == s && !s->next)) return false;
  unlink_locked(s);
  return true;
}

// Whether the stack has been used, or may have been.
static bool may_have_memory(slab *s, char *lo) {
  return bw__load_relaxed(&stacks.guards) != BY_REGION ||
         has_bit(&s->guarded, UINT32_C(1) << number_of(s, lo) / GROUP);
}

void bw__port_stack_unmap(void *lo, size_t usable) {
  int saved = errno;
  bw__watched_stack_end(lo);
  if (usable > CLASS_MAX) {
    size_t bytes = stride_of(usable);
    munmap((char *)lo - (bytes - usable), bytes);
  } else {
    slab *s = slab_of(lo);
    if (may_have_memory(s, lo)) madvise(lo, usable, MADV_DONTNEED);
    lock();
    bool idle = give_locked(s, lo);
    unlock();
    if (idle) munmap(s, SLAB);
  }
  errno = saved;
}

void bw__port_stack_trim(void *lo, size_t n) {
  int saved = errno;
  size_t page = page_size();
  uintptr_t from = bw__align_up((uintptr_t)lo, page);
  uintptr_t to = ((uintptr_t)lo + n) & ~(page - 1);
  if (from < to) madvise((void *)from, to - from, MADV_DONTNEED);
  errno = saved;
}

size_t bw__port_stack_resident(const void *lo, size_t n) {
  enum { PAGES = 256 };
  unsigned char here[PAGES];
  int saved = errno;
  size_t page = page_size(), bytes = 0;
  uintptr_t at = (uintptr_t)lo & ~(page - 1), end = bw__align_up((uintptr_t)lo + n, page);
  while (at < end) {
    size_t pages = (end - at) / page < PAGES ? (end - at) / page : PAGES;
    if (mincore((void *)at, pages * page, here) != 0) break;
    for (size_t i = 0; i < pages; i++) bytes += here[i] & 1 ? page : 0;
    at += pages * page;
  }
  errno = saved;
  return bytes;
}
