// The port: everything Burrow asks of a platform, in one contract. Each folder beside this file
// implements it; CMake picks the folder, no `#ifdef` does. What a platform cannot do is a function
// that says so (a code, NULL or false) and a false field in bw__port_caps.
//
//   posix/       Linux and its kin: mmap, pthreads, futex
//   emscripten/  wasm32 with threads: Web Workers or worker_threads, one shared linear memory
//   wasi/        wasm32 with one thread, WASI preview 1
//   wasm/        what the last two share: growing linear memory, the asyncify context switch
//
// emscripten/malloc/ is no port of its own: it completes a part of emscripten/, with and without
// threads, for the archives that are nothing but a malloc.
#ifndef BURROW_PORT_PORT_H
#define BURROW_PORT_PORT_H

#include "base/atomics.h"
#include "base/config.h"

typedef struct {
  const char *name;  // "posix", "emscripten", "wasi"
  bool threads;      // bw__port_thread_start works
  bool gives_back;   // bw__port_mem_release really returns memory to the system
  bool protects;     // bw__port_mem_protect works
  bool maps_stacks;  // bw__port_stack_map works; else stacks come from the page heap
  bool monitors;     // a thread more costs little: the scheduler has one that watches the others
  bool polls;        // bw__port_poll_... and bw__port_fd_... work
  size_t stack_size; // default size of a goroutine's stack, bytes
  size_t main_stack; // least size of the main goroutine's: C's main() is used to more
} bw__port_caps;

extern const bw__port_caps bw__port_capabilities;

// ---- memory ------------------------------------------------------------------------------------
//
// What is in this section and the futex leave errno alone: free() may call them, and must.

// More zeroed memory, aligned to BW_PAGE_SIZE: `want` bytes, or `least` when so much is not to be
// had, or somewhat more where that suits the platform; all multiples of BW_PAGE_SIZE. *got tells
// how much. NULL: not even `least` was to be had. Not thread-safe: the page heap calls it under its
// lock (two growers of linear memory that both believe the tail is theirs would corrupt each
// other).
void *bw__port_mem_grow(size_t least, size_t want, size_t *got);

// Gives the pages of [p, p+n) back to the system; their content is lost, the addresses stay
// ours. Returns the bytes given back: 0 where the platform cannot.
size_t bw__port_mem_release(void *p, size_t n);

// sbrk, for programs that call it where the end of memory is ours (wasm): `bytes` zeroed ones that
// begin right at the end of all that was taken so far; 0 gives that end. NULL: not to be had, or
// the C library has a break of its own. Not thread-safe, as bw__port_mem_grow.
void *bw__port_mem_sbrk(size_t bytes);

// Makes [p, p+n) untouchable, or accessible again; its content stays. The page heap must never be
// given pages back that are untouchable. False: not possible, at least not for all of it: always on
// wasm, whose linear memory has no protection, and where the system's pages are larger than ours.
bool bw__port_mem_protect(void *p, size_t n, bool accessible);

// wasm threads: makes memory that another thread grew visible to this one (see
// port/wasm/memory.c). Call it wherever a pointer may have reached this thread from another: after
// taking the lock under which it was handed over, or after the wait. Costs a load and a compare
// when there is nothing to do; elsewhere it is nothing at all.
#if BW_WASM && BW_THREADS
void bw__port_mem_sync(void);
#else
static inline void bw__port_mem_sync(void) {}
#endif

typedef struct {
  uint64_t virtual_bytes;  // VSZ; on wasm the size of linear memory
  uint64_t resident_bytes; // RSS; on wasm bytes handed out by bw__port_mem_grow
  uint64_t max_bytes;      // limit: address space or the memory's declared maximum; 0 = unknown
} bw__port_mem_info;

// Allocates nothing.
bw__port_mem_info bw__port_mem_read(void);

// A goroutine's stack of at least `size` bytes with a place for a guard below it, lazily committed.
// *usable is what lies between guard and top. NULL: no memory, or caps.maps_stacks is false, or no
// more guards: without the kernel's guard regions (Linux before 6.13) a guarded stack takes two of
// the process's 65,530 mappings. Locks: one of its own, below all ranks.
void *bw__port_stack_map(size_t size, size_t *usable);
// Before a stack is written to for the first time since bw__port_stack_map gave it: from then on
// there is a guard. False: no memory for it. Locks: the same.
bool bw__port_stack_first_use(void *lo, size_t usable);
// Takes back what bw__port_stack_map gave. Its memory goes to the system, its addresses may be used
// for another stack. Locks: the same.
void bw__port_stack_unmap(void *lo, size_t usable);
// Gives the pages that lie wholly inside [lo, lo+n), a part of a stack, back to the system; their
// content is lost, they may be used again, the guard stays.
void bw__port_stack_trim(void *lo, size_t n);
// Bytes of [lo, lo+n), a part of a stack, that take memory now, to the page; 0 where nobody knows.
size_t bw__port_stack_resident(const void *lo, size_t n);

// ---- threads -----------------------------------------------------------------------------------

typedef struct {
  uintptr_t handle;
  void (*run)(void *);
  void *arg;
} bw__port_thread;

// Starts fn(arg) on a new OS thread. 0 or a negative BW_E... code. `t` must live until the join.
int bw__port_thread_start(bw__port_thread *t, void (*run)(void *), void *arg);
void bw__port_thread_join(bw__port_thread *t);
void bw__port_thread_yield(void);

// For who waits for a few instructions of another thread, which may have lost its core: what it
// does in its round number `rounds`, counted from 1.
static inline void bw__port_relax(unsigned rounds) {
  if (rounds % 64 == 0)
    bw__port_thread_yield();
  else
    bw__cpu_relax();
}
int bw__port_cpu_count(void);

// Has `fn` called on each thread that called this one, when that thread ends. One fn a program.
void bw__port_thread_at_exit(void (*fn)(void));

// Has `before` called ahead of each fork of this process, and `after` behind it in both processes,
// all by the thread that forks. Once a program. May allocate. There is no fork on wasm.
#if BW_WASM
static inline void bw__port_at_fork(void (*before)(void), void (*after)(void)) {
  (void)before;
  (void)after;
}
#else
void bw__port_at_fork(void (*before)(void), void (*after)(void));
#endif

// ---- futex -------------------------------------------------------------------------------------

// Sleeps while *word == expected, until woken or until `timeout_ns` have passed (< 0: for ever).
// May return early for no reason. Must not be called where bw__port_may_block() is false.
void bw__port_futex_wait(_Atomic(uint32_t) *word, uint32_t expected, int64_t timeout_ns);
// Wakes up to `n` sleepers. `word` is used as an address only: its memory may be gone already.
void bw__port_futex_wake(_Atomic(uint32_t) *word, uint32_t n);
// False on a browser's main thread, which must spin instead.
bool bw__port_may_block(void);

// ---- clock, environment, output, end -----------------------------------------------------------

int64_t bw__port_now(void); // monotonic, ns

// The same clock for who only asks in order to wait from now on, in a third of the time where that
// is possible: never before what bw__port_now() has given to this thread, or to another that has
// told it (posix/clock.h says how sure that is), and at most BW_PORT_AHEAD_MOST ns, mostly some
// 1200, after what it would give to who calls it next. *c, zero at first, is used by one thread at
// a time; the times that it gives do not go back.
enum { BW_PORT_AHEAD_MOST = 2500 };
typedef struct {
  uint64_t tsc;       // the processor's counter just before
  int64_t ns;         // the clock was this; tsc 0: nothing is known
  int64_t last;       // what was given last
  uint64_t learn_tsc; // the same pair on another clock, to learn the counter's rate from
  int64_t learn_ns;
} bw__port_clock;
#if BW_WASM
static inline void bw__port_clock_open(void) {}
static inline int64_t bw__port_now_ahead(bw__port_clock *c) {
  (void)c;
  return bw__port_now();
}
#else
int64_t bw__port_now_ahead(bw__port_clock *c);
// Finds out whether it is possible: until then it is not. At start-up, once or more, by one thread.
void bw__port_clock_open(void);
#endif

void bw__port_sleep_until(int64_t when_ns); // blocks the thread; on bw__port_now's clock
const char *bw__port_env(const char *name); // NULL when not set
// Random bits that the system gave this process at its start; 0 where it gives none for free.
uint64_t bw__port_seed(void);
// Writes to fd 1 or 2, where there are files to any, without stdio, allocation or locks of ours.
// False: not all of it.
bool bw__port_write(int fd, const char *data, size_t n);
// A new or emptied file to write to; a negative BW_E... code when there is none to be had.
int bw__port_file_create(const char *path);
void bw__port_file_close(int fd);
int bw__port_process_id(void); // 0 where there is no such thing
// Ends the program at once: no exit handlers, no flushing.
_Noreturn void bw__port_exit(int status);

// ---- file descriptors --------------------------------------------------------------------------
//
// Results are >= 0 or a negative BW_E... code: what the system says is BW_ESYSTEM - errno. Where
// caps.polls is false every function says BW_ENOTSUP and does nothing else.
//
// The `_try` forms never block, and leave the file's flags alone, but for accept, which sets
// O_NONBLOCK. BW_EAGAIN: not ready. BW_ESTATE:
// there is no such way for this file, because it may block and is no socket: wait until it is ready
// and make the blocking call.

enum { BW_FD_READ = 1, BW_FD_WRITE = 2 }; // what to wait for; as in <burrow/io.h>

ptrdiff_t bw__port_fd_read_try(int fd, void *buf, size_t n);
ptrdiff_t bw__port_fd_read(int fd, void *buf, size_t n);
ptrdiff_t bw__port_fd_write_try(int fd, const void *buf, size_t n);
ptrdiff_t bw__port_fd_write(int fd, const void *buf, size_t n);
// How many of n bytes a blocking write to a file that is ready may take without waiting for others.
size_t bw__port_fd_write_most(int fd, size_t n);

struct sockaddr;
int bw__port_fd_accept_try(int fd, struct sockaddr *addr, unsigned *len);
// 0: connected; BW_EAGAIN: under way, ask bw__port_fd_connect_end once it can be written to;
// BW_ESTATE: the other side's queue is full, try again later.
int bw__port_fd_connect_start(int fd, const struct sockaddr *addr, unsigned len);
int bw__port_fd_connect_end(int fd);
int bw__port_fd_close(int fd);
// Another descriptor for fd's file, close-on-exec, when closing the last one may take long: so that
// fd can be closed at once and this one at leisure. < 0: it does not take long, or none is to be
// had.
int bw__port_fd_keep(int fd);

// Waits until fd is ready for one of `events`, or until `until` (< 0: no deadline; 0: not at all).
// Returns what it is ready for; 0: nothing in time. Blocks: M.
int bw__port_fd_wait(int fd, unsigned events, int64_t until);

// The poller waits for many. One a process; open and close are not thread-safe, all else is.
//
// Arming asks for one event: when fd is ready for one of `events`, some bw__port_poll_wait returns
// `token` with what it is ready for, once; then fd is not watched until it is armed again. Arming
// an armed fd replaces events and token, and what the fd is ready for already counts. `armed`: a
// guess whether it was armed before, for speed. BW_EINVAL: this file is always ready; BW_ENOMEM. A
// file that is closed is not watched any more, unless it has another descriptor: disarm it first.

enum { BW_POLL_MOST = 128 };
#define BW_POLL_BREAK UINT64_MAX // not to be used as a token

typedef struct {
  uint64_t token;
  unsigned events;
} bw__port_poll_event;

int bw__port_poll_open(void);
void bw__port_poll_close(void);
int bw__port_poll_arm(int fd, unsigned events, uint64_t token, bool armed);
void bw__port_poll_disarm(int fd);
// Waits as bw__port_fd_wait does. Returns how many events are in `out`, which has room for
// BW_POLL_MOST; may be 0 early. Several threads may wait, but only one for longer than not at all.
int bw__port_poll_wait(bw__port_poll_event *out, int64_t until);
// Ends the wait of the thread that waits for longer, or the next such one.
void bw__port_poll_break(void);

// ---- the program's own code ---------------------------------------------------------------------

// The return addresses of the stack that leads here, this function's own first, at most `most`; 0
// where a program cannot see its stack. Good inside malloc and on a goroutine, where it ends at the
// goroutine's first function: allocates nothing, takes no lock of ours.
unsigned bw__port_backtrace(uintptr_t *frames, unsigned most);
// Text for the code before `address`, like "main+0x1f (program+0x11df)"; false when nothing is
// known. Takes locks of the system's loader.
bool bw__port_describe(uintptr_t address, char *text, size_t cap);
// Gives `put` what the system knows of the program's mappings, in the form of Linux's
// /proc/self/maps, piece by piece; nothing where there is no such thing.
void bw__port_maps(void (*put)(void *arg, const char *data, size_t n), void *arg);

// Has `fn` called, in a signal handler, with each address at which the program touched memory that
// it may not, and with the stack pointer of the code that did (0: not known). Then the fault takes
// its course: a handler that was there before is called, else the program dies of it. A few fns a
// program; each is called once a fault, however often it was given. Nothing on wasm.
void bw__port_at_fault(void (*fn)(uintptr_t address, uintptr_t sp));

// Has integer divisions that the processor refuses, because the divisor is zero or the result does
// not fit, ask wanted(sp), in a signal handler, with the stack pointer of the code that divides.
// Where it is true the thread goes on in go_on(overflow, pc), which must not return: on the same
// stack and outside of the handler, as if the instruction at pc had called it. Else the fault takes
// its course, as above. Once a program. Nothing where divisions do not fault (arm64), and on wasm,
// where they end the program.
void bw__port_at_divide(bool (*wanted)(uintptr_t sp), void (*go_on)(bool overflow, uintptr_t pc));

// Gives this thread a stack for signal handlers, so that they run also when its own stack, or the
// goroutine's that it runs, is used up; or takes it away again. A thread that has such a stack
// already keeps its own. Without memory for it nothing happens. Nothing on wasm.
void bw__port_thread_fault_stack(bool on);

#endif
