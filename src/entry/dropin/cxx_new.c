// C++'s operators new and delete, all forms, in C: the library is for C programs as well and must
// not bring libstdc++ along. 64-bit targets: std::size_t is `m` in the mangled names.
//
// They are here at all, and not left to libstdc++ (whose call malloc and free), for two reasons:
// one call less, and delete of a known size reaches bw_free_sized, which can tell a wrong one.
//
// When there is no memory, new calls the new-handler as long as there is one, then throws
// std::bad_alloc. Handler and exception are the C++ library's: found as weak symbols; when that
// library was loaded later and privately (a plug-in's), by looking it up. The exception passes
// through the frames of this file, which is compiled with unwind tables.
//
// A form that must not throw would have to catch what a handler throws, which C cannot. So when
// memory runs out it calls the next definition of the same operator, the C++ library's: that one
// calls the throwing operator, ours, and catches.
#include <dlfcn.h>
#include <stdlib.h>

#include <burrow/alloc.h>

#include "alloc/alloc.h"
#include "alloc/fast.h"
#include "base/config.h"
#include "port/port.h"

#define OPERATOR(name) __asm__(name) BW_ALLOC_CODE __attribute__((visibility("default")))

typedef void (*new_handler)(void);

// std::get_new_handler() and std::__throw_bad_alloc(), of libstdc++ and of libc++.
#define GET_HANDLER     "_ZSt15get_new_handlerv"
#define THROW_BAD_ALLOC "_ZSt17__throw_bad_allocv"
extern new_handler get_new_handler(void) __asm__(GET_HANDLER) __attribute__((weak));
extern void throw_bad_alloc(void) __asm__(THROW_BAD_ALLOC) __attribute__((weak));

static void *look_up(const char *name) {
  void *found = dlsym(RTLD_DEFAULT, name);
  static const char *const libraries[] = {"libstdc++.so.6", "libc++.so.1"};
  for (size_t i = 0; !found && i < sizeof libraries / sizeof *libraries; i++) {
    void *library = dlopen(libraries[i], RTLD_LAZY | RTLD_NOLOAD);
    if (library) found = dlsym(library, name);
  }
  return found;
}

static new_handler handler(void) {
  new_handler (*get)(void) = get_new_handler;
  if (!get) *(void **)&get = look_up(GET_HANDLER);
  return get ? get() : NULL;
}

static _Noreturn void fail(void) {
  void (*throw_it)(void) = throw_bad_alloc;
  if (!throw_it) *(void **)&throw_it = look_up(THROW_BAD_ALLOC);
  if (throw_it) throw_it();
  static const char text[] = "fatal error: operator new: out of memory\n";
  bw__port_write(2, text, sizeof text - 1);
  abort();
}

BW_ALLOC_CODE static BW_NOINLINE void *new_slow(size_t size) {
  for (;;) {
    void *p = bw_malloc(size);
    if (p) return p;
    new_handler h = handler();
    if (!h) fail();
    h();
  }
}

static BW_NOINLINE void *new_aligned_slow(size_t size, size_t align) {
  bool valid = align != 0 && (align & (align - 1)) == 0;
  for (new_handler h; valid && (h = handler()) != NULL;) {
    h();
    void *p = bw_aligned_alloc(align, size);
    if (p) return p;
  }
  fail();
}

static inline void *new_object(size_t size) {
  void *p = bw__malloc_hit(size);
  return BW_LIKELY(p) ? p : new_slow(size);
}

static inline void *new_aligned(size_t size, size_t align) {
  void *p = bw_aligned_alloc(align, size);
  return BW_LIKELY(p) ? p : new_aligned_slow(size, align);
}

#define NEW_NOTHROW         "_ZnwmRKSt9nothrow_t"
#define NEW_ALIGNED_NOTHROW "_ZnwmSt11align_val_tRKSt9nothrow_t"

static BW_NOINLINE void *new_nothrow_slow(size_t size, const void *tag) {
  void *(*next)(size_t, const void *);
  *(void **)&next = dlsym(RTLD_NEXT, NEW_NOTHROW);
  return next ? next(size, tag) : NULL;
}

static BW_NOINLINE void *new_aligned_nothrow_slow(size_t size, size_t align, const void *tag) {
  void *(*next)(size_t, size_t, const void *);
  *(void **)&next = dlsym(RTLD_NEXT, NEW_ALIGNED_NOTHROW);
  return next ? next(size, align, tag) : NULL;
}

static inline void *new_nothrow(size_t size, const void *tag) {
  void *p = bw_malloc(size);
  return BW_LIKELY(p) ? p : new_nothrow_slow(size, tag);
}

static inline void *new_aligned_nothrow(size_t size, size_t align, const void *tag) {
  void *p = bw_aligned_alloc(align, size);
  return BW_LIKELY(p) ? p : new_aligned_nothrow_slow(size, align, tag);
}

// ---- new: (size), (size, nothrow), (size, align), (size, align, nothrow) ------------------------

void *op_new(size_t) OPERATOR("_Znwm");
void *op_new_nothrow(size_t, const void *) OPERATOR(NEW_NOTHROW);
void *op_new_aligned(size_t, size_t) OPERATOR("_ZnwmSt11align_val_t");
void *op_new_aligned_nothrow(size_t, size_t, const void *) OPERATOR(NEW_ALIGNED_NOTHROW);
void *op_new_array(size_t) OPERATOR("_Znam");
void *op_new_array_nothrow(size_t, const void *) OPERATOR("_ZnamRKSt9nothrow_t");
void *op_new_array_aligned(size_t, size_t) OPERATOR("_ZnamSt11align_val_t");
void *op_new_array_aligned_nothrow(size_t, size_t, const void *)
    OPERATOR("_ZnamSt11align_val_tRKSt9nothrow_t");

void *op_new(size_t size) { return new_object(size); }
void *op_new_array(size_t size) { return new_object(size); }
void *op_new_nothrow(size_t size, const void *tag) { return new_nothrow(size, tag); }
void *op_new_array_nothrow(size_t size, const void *tag) { return new_nothrow(size, tag); }
void *op_new_aligned(size_t size, size_t align) { return new_aligned(size, align); }
void *op_new_array_aligned(size_t size, size_t align) { return new_aligned(size, align); }
void *op_new_aligned_nothrow(size_t size, size_t align, const void *tag) {
  return new_aligned_nothrow(size, align, tag);
}
void *op_new_array_aligned_nothrow(size_t size, size_t align, const void *tag) {
  return new_aligned_nothrow(size, align, tag);
}

// ---- delete: (p), (p, nothrow), (p, size), (p, align), (p, size, align), (p, align, nothrow)
// -----

void op_delete(void *) OPERATOR("_ZdlPv");
void op_delete_nothrow(void *, const void *) OPERATOR("_ZdlPvRKSt9nothrow_t");
void op_delete_sized(void *, size_t) OPERATOR("_ZdlPvm");
void op_delete_aligned(void *, size_t) OPERATOR("_ZdlPvSt11align_val_t");
void op_delete_sized_aligned(void *, size_t, size_t) OPERATOR("_ZdlPvmSt11align_val_t");
void op_delete_aligned_nothrow(void *, size_t, const void *)
    OPERATOR("_ZdlPvSt11align_val_tRKSt9nothrow_t");
void op_delete_array(void *) OPERATOR("_ZdaPv");
void op_delete_array_nothrow(void *, const void *) OPERATOR("_ZdaPvRKSt9nothrow_t");
void op_delete_array_sized(void *, size_t) OPERATOR("_ZdaPvm");
void op_delete_array_aligned(void *, size_t) OPERATOR("_ZdaPvSt11align_val_t");
void op_delete_array_sized_aligned(void *, size_t, size_t) OPERATOR("_ZdaPvmSt11align_val_t");
void op_delete_array_aligned_nothrow(void *, size_t, const void *)
    OPERATOR("_ZdaPvSt11align_val_tRKSt9nothrow_t");

void op_delete(void *p) {
  if (BW_UNLIKELY(!bw__free_hit(p))) bw__free_slow(p);
}

void op_delete_array(void *p) {
  if (BW_UNLIKELY(!bw__free_hit(p))) bw__free_slow(p);
}

void op_delete_nothrow(void *p, const void *tag) {
  (void)tag;
  bw_free(p);
}
void op_delete_array_nothrow(void *p, const void *tag) {
  (void)tag;
  bw_free(p);
}
void op_delete_sized(void *p, size_t size) { bw__free_exact(p, size); }
void op_delete_array_sized(void *p, size_t size) { bw__free_exact(p, size); }
void op_delete_aligned(void *p, size_t align) {
  (void)align;
  bw_free(p);
}
void op_delete_array_aligned(void *p, size_t align) {
  (void)align;
  bw_free(p);
}
void op_delete_sized_aligned(void *p, size_t size, size_t align) {
  bw_free_aligned_sized(p, align, size);
}
void op_delete_array_sized_aligned(void *p, size_t size, size_t align) {
  bw_free_aligned_sized(p, align, size);
}
void op_delete_aligned_nothrow(void *p, size_t align, const void *tag) {
  (void)align;
  (void)tag;
  bw_free(p);
}
void op_delete_array_aligned_nothrow(void *p, size_t align, const void *tag) {
  (void)align;
  (void)tag;
  bw_free(p);
}
