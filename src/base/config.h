// What the compiler and the target are, said once. This is the only file outside port/ that may
// look at platform macros; everything above asks these names or the capability struct of port.h.
#ifndef BURROW_BASE_CONFIG_H
#define BURROW_BASE_CONFIG_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BW_LIKELY(x)    __builtin_expect(!!(x), 1)
#define BW_UNLIKELY(x)  __builtin_expect(!!(x), 0)
#define BW_NOINLINE     __attribute__((noinline))
#define BW_INLINE       inline __attribute__((always_inline))
#define BW_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define BW_CACHE_LINE   64

// What a function so marked reads is hidden from AddressSanitizer and ThreadSanitizer.
#define BW_NOT_SANITIZED __attribute__((no_sanitize("address", "thread")))

#if defined(__wasm__)
#define BW_WASM 1
#else
#define BW_WASM 0
#endif

// 1 where the processor keeps the order of a thread's loads, and of its stores (x86).
#if defined(__x86_64__) || defined(__i386__)
#define BW_ORDERED 1
#else
#define BW_ORDERED 0
#endif

// 1 where more than one OS thread (or worker) may run Burrow code. Emscripten: with -pthread.
#if defined(__wasi__) || (defined(__EMSCRIPTEN__) && !defined(__EMSCRIPTEN_PTHREADS__))
#define BW_THREADS 0
#else
#define BW_THREADS 1
#endif

// 1 in a build with the debug build's allocator (CMake's BURROW_ALLOC_DEBUG; alloc/debug/).
#ifndef BW_ALLOC_DEBUG
#define BW_ALLOC_DEBUG 0
#endif

// A page is the page heap's unit on every target: 8 KB, as in Go and TCMalloc.
#define BW_PAGE_SHIFT 13
#define BW_PAGE_SIZE  ((size_t)1 << BW_PAGE_SHIFT)

// Bits of a page number. 48-bit addresses natively, 32-bit on wasm.
#if UINTPTR_MAX > 0xffffffffu
#define BW_PAGE_BITS (48 - BW_PAGE_SHIFT)
#else
#define BW_PAGE_BITS (32 - BW_PAGE_SHIFT)
#endif

// Sanitizers: gcc says it by __SANITIZE_*, clang by __has_feature.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BW_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define BW_TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) && !defined(BW_ASAN)
#define BW_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__) && !defined(BW_TSAN)
#define BW_TSAN 1
#endif
#ifndef BW_ASAN
#define BW_ASAN 0
#endif
#ifndef BW_TSAN
#define BW_TSAN 0
#endif

// The address behind the call of the function that asks; NULL where a program cannot see its stack.
#if BW_WASM
#define bw__return_address() NULL
#else
#define bw__return_address() __builtin_return_address(0)
#endif

// UndefinedBehaviorSanitizer has no sign of its own: CMake says it.
#ifndef BW_UBSAN
#define BW_UBSAN 0
#endif

// BW_ASSERT checks an invariant in development builds and costs nothing in release builds.
#ifdef NDEBUG
#define BW_ASSERT(x) ((void)0)
#define BW_DEBUG     0
#else
#define BW_ASSERT(x) assert(x)
#define BW_DEBUG     1
#endif

static inline size_t bw__align_up(size_t n, size_t to) { return (n + to - 1) & ~(to - 1); }

#endif
