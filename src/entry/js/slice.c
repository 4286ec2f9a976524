// Slices for JavaScript. A handle names one slice value that never changes; append and reslice make
// new ones. Slices that share a backing array share its record, and the array is freed with the
// last of them: what Go's collector does, by counting.
#include "entry/js/abi.h"
#include "entry/js/handles.h"

#include "base/atomics.h"
#include "port/port.h"

typedef struct {
  _Atomic(uint32_t) refs;
  bw_slice whole; // from the array's beginning: what bw_slice_free wants
} array;

typedef struct {
  _Atomic(uint32_t) refs;
  bw_slice s;       // r/o after make
  size_t elem_size; // r/o
  array *array;     // a reference
} object;

static void *retain(void *o) {
  bw__add_relaxed(&((object *)o)->refs, 1);
  return o;
}

static void release_array(array *a) {
  if (bw__sub(&a->refs, 1) != 1) return;
  bw_slice_free(a->whole);
  bw_free(a);
}

static void release(object *o) {
  if (bw__sub(&o->refs, 1) != 1) return;
  release_array(o->array);
  bw_free(o);
}

static object *get(int handle) { return bw__handle_get(handle, BW_HANDLE_SLICE, retain); }

// A handle for `s`, which lies in `a`; takes over the reference to `a`, also on failure.
static int wrap(bw_slice s, size_t elem_size, array *a) {
  object *o = bw_malloc(sizeof *o);
  if (!o) {
    release_array(a);
    return BW_ENOMEM;
  }
  *o = (object){.refs = 1, .s = s, .elem_size = elem_size, .array = a};
  int handle = bw__handle_make(BW_HANDLE_SLICE, o);
  if (handle < 0) release(o);
  return handle;
}

// The same for a slice with a new array of its own.
static int wrap_new(bw_slice s, size_t elem_size) {
  if (!bw_slice_ok(s)) return BW_ENOMEM;
  array *a = bw_malloc(sizeof *a);
  if (!a) {
    bw_slice_free(s);
    return BW_ENOMEM;
  }
  *a = (array){.refs = 1, .whole = s};
  return wrap(s, elem_size, a);
}

static int wrap_shared(bw_slice s, const object *o) {
  bw__add_relaxed(&o->array->refs, 1);
  return wrap(s, o->elem_size, o->array);
}

static bool too_large(size_t elem_size, ptrdiff_t n) {
  return elem_size > 0 && (size_t)n > PTRDIFF_MAX / elem_size;
}

int bw_js_slice_make(int elem_size, int len, int cap) {
  bw__port_mem_sync();
  if (elem_size < 1 || len < 0 || cap < len || too_large((size_t)elem_size, cap)) return BW_EINVAL;
  return wrap_new(bw_slice_make((size_t)elem_size, len, cap), (size_t)elem_size);
}

int bw_js_slice_append(int handle, const void *values, int n, int rule) {
  object *o = get(handle);
  if (!o) return BW_EHANDLE;
  int code = BW_EINVAL;
  bool bad_rule = rule != BW_GROWTH_GO118 && rule != BW_GROWTH_CLASSIC;
  if (n >= 0 && !bad_rule && n <= PTRDIFF_MAX - o->s.len &&
      !too_large(o->elem_size, o->s.len + n) &&
      bw_slice_next_cap((bw_growth)rule, o->elem_size, o->s.cap, o->s.len + n) >= 0) {
    bw_slice s = bw_slice_append_rule((bw_growth)rule, o->s, o->elem_size, values, n);
    bool moved = bw_slice_ok(s) && s.ptr != o->s.ptr;
    code = !bw_slice_ok(s) || moved ? wrap_new(s, o->elem_size) : wrap_shared(s, o);
  }
  release(o);
  return code;
}

int bw_js_slice_slice(int handle, int low, int high, int max) {
  object *o = get(handle);
  if (!o) return BW_EHANDLE;
  ptrdiff_t end = max < 0 ? o->s.cap : max;
  int code = BW_ERANGE;
  if (low >= 0 && low <= high && high <= end && end <= o->s.cap)
    code = wrap_shared(bw_slice_slice3(o->s, o->elem_size, low, high, end), o);
  release(o);
  return code;
}

int bw_js_slice_copy(int dst, int src) {
  object *to = get(dst), *from = get(src);
  int code = BW_EHANDLE;
  if (to && from)
    code = to->elem_size == from->elem_size ? (int)bw_slice_copy(to->s, from->s, to->elem_size)
                                            : BW_EINVAL;
  if (to) release(to);
  if (from) release(from);
  return code;
}

int bw_js_slice_info(int handle, uint32_t *out) {
  object *o = get(handle);
  if (!o) return BW_EHANDLE;
  uint32_t words[] = {(uint32_t)(uintptr_t)o->s.ptr,
                      (uint32_t)o->s.len,
                      (uint32_t)o->s.cap,
                      (uint32_t)o->elem_size,
                      (uint32_t)(uintptr_t)o->array->whole.ptr,
                      bw__load_relaxed(&o->array->refs)};
  memcpy(out, words, sizeof words);
  release(o);
  return 0;
}

int bw_js_slice_drop(int handle) {
  object *o = bw__handle_take(handle, BW_HANDLE_SLICE);
  if (!o) return BW_EHANDLE;
  release(o);
  return 0;
}

int bw_js_slice_next_cap(int rule, int elem_size, int old_cap, int needed) {
  if (elem_size < 0 || old_cap < 0 || needed < old_cap) return -1;
  return (int)bw_slice_next_cap((bw_growth)rule, (size_t)elem_size, old_cap, needed);
}
