// Panics, recovering, and Goexit: the walk over the scopes that unwind.h describes.
//
// Everything of a panic lies in the frame of the function that raised it, and that frame stays
// until the panic is over, because nothing is unwound before. So nothing is allocated, and what
// bw_recover gives may point there.
//
// Locks: none, and callers hold none: control may leave them for good. Blocks: as the deferred
// calls do.
#include "sched/unwind.h"

#include "sched/sched.h"

// ---- jumping ------------------------------------------------------------------------------------

const char BW__JUMP_IS = 1;

#if BW_JUMP_OWN
_Noreturn void bw__jump_back(bw__jump *j); // the port's
#else
static _Noreturn void bw__jump_back(bw__jump *j) { longjmp(j->buf, 1); }
#endif

static void free_ended(bw_panicking *p) {
  bw__scope_free_records(p->ended);
  p->ended = NULL;
}

// Jumps to the scope whose call has recovered p, or back into a Goexit that p has interrupted.
static _Noreturn void go_on_after(bw__unwind *u, bw_panicking *p) {
  bw__jump *to = p->scope->jump;
  bw_panicking *q = p->link;
  free_ended(p);
  for (; q && q->aborted && !q->back; q = q->link) free_ended(q);
  if (q && q->aborted) {
    q->aborted = false;
    to = q->back;
  }
  u->panics = q;
  bw__jump_back(to);
}

// ---- the walk -----------------------------------------------------------------------------------

static void abort_those_at(const bw_scope *s, bw_panicking *p) {
  for (; p; p = p->link)
    if (p->scope == s) p->aborted = true;
}

// A call of s that is under way will not return: p was raised in it. (Or the call is p's own and
// has returned, when p is a Goexit that goes on after a panic.)
static void end_call(bw_scope *s, bw_panicking *p) {
  bw__defer_record *r = bw__scope_take_running(s);
  if (!r) return;
  r->older = p->ended;
  p->ended = r;
}

static void run_scopes(bw__unwind *u, bw_panicking *p) {
  for (bw_scope *s; (s = u->scopes); u->scopes = s->up) {
    abort_those_at(s, p->link);
    end_call(s, p);
    p->scope = s;
    while (bw__scope_next(s, p->back ? NULL : p))
      if (p->recovered) go_on_after(u, p);
  }
  p->scope = NULL;
}

static _Noreturn void begin(bw_panicking *p) {
  bw__unwind *u = bw__unwind_here();
  p->link = u->panics;
  u->panics = p;
  run_scopes(u, p);
  bw__uncaught(p);
}

void bw__unwind_for_exit(bw__unwind *u) {
  if (!u->scopes && !u->panics) return;
  bw__jump jump;
  bw_panicking p = {.link = u->panics, .back = &jump};
  u->panics = &p;
  (void)BW__JUMP_MARK(&jump);
  run_scopes(u, &p);
  bw__uncaught_check(p.link, "Goexit");
  for (bw_panicking *q = &p; q; q = q->link) free_ended(q);
  u->panics = NULL;
}

// ---- raising ------------------------------------------------------------------------------------

static _Noreturn void raise_text(const bw__panic_place *where, bool runtime_error,
                                 const char *format, va_list args) {
  char text[BW_PANIC_TEXT];
  bw__text t = bw__text_on(text, sizeof text);
  bw__text_vformat(&t, format, args);
  begin(&(bw_panicking){
      .info = {.message = text, .runtime_error = runtime_error}, .text = text, .where = *where});
}

// Raises the panic of the function that this stands in, whose last parameter is `format`.
#define RAISE(runtime_error, ...)                                                                  \
  va_list args;                                                                                    \
  va_start(args, format);                                                                          \
  raise_text(&(bw__panic_place){__VA_ARGS__}, (runtime_error), format, args)

_Noreturn void(bw_panic)(const char *format, ...) { RAISE(false, .address = bw__return_address()); }
_Noreturn void bw__panic_at(BW__PLACE_ARG, const char *format, ...) {
  RAISE(false, bw__file, bw__line, bw__func, NULL);
}
_Noreturn void bw__panic_in(const char *func, const char *format, ...) {
  RAISE(false, .func = func);
}
_Noreturn void bw__panic_runtime_in(const char *func, const char *format, ...) {
  RAISE(true, .func = func);
}
_Noreturn void bw__panic_runtime_of(const bw__panic_place *where, const char *format, ...) {
  RAISE(true, where->file, where->line, where->func, where->address);
}

_Noreturn void bw__panic_divide(uintptr_t pc, const char *what) {
  char text[BW_PANIC_TEXT];
  bw__text t = bw__text_on(text, sizeof text);
  bw__text_format(&t, "runtime error: %s", what);
  begin(&(bw_panicking){.info = {.message = text, .runtime_error = true},
                        .divided_at = pc,
                        .text = text,
                        .where = {.address = (void *)pc}});
}

static _Noreturn void raise_value(bw__panic_place where, void *value,
                                  void (*write)(void *value, char *text, size_t room)) {
  char text[BW_PANIC_TEXT] = "";
  begin(&(bw_panicking){.info = {.value = value}, .write = write, .text = text, .where = where});
}

_Noreturn void(bw_panic_value)(void *value, void (*write)(void *value, char *text, size_t room)) {
  raise_value((bw__panic_place){.address = bw__return_address()}, value, write);
}
_Noreturn void bw__panic_value_at(BW__PLACE_ARG, void *value,
                                  void (*write)(void *value, char *text, size_t room)) {
  raise_value((bw__panic_place){BW__PLACE_ON, NULL}, value, write);
}

static const bw_panicking *panic_of(const bw_panic_info *info) {
  return (const bw_panicking *)((const char *)info - offsetof(bw_panicking, info));
}

static _Noreturn void raise_again(bw__panic_place where, const bw_panic_info *info) {
  const bw_panicking *before = panic_of(info);
  char text[BW_PANIC_TEXT];
  memcpy(text, before->text, sizeof text);
  bw_panicking p = {.info = *info,
                    .write = before->write,
                    .divided_at = before->divided_at,
                    .text = text,
                    .where = where};
  if (info->message) p.info.message = text;
  bw__unwind *u = bw__unwind_here();
  if (u->panics == before) u->panics->repanicked = before->recovered;
  begin(&p);
}

_Noreturn void(bw_panic_again)(const bw_panic_info *info) {
  raise_again((bw__panic_place){.address = bw__return_address()}, info);
}
_Noreturn void bw__panic_again_at(BW__PLACE_ARG, const bw_panic_info *info) {
  raise_again((bw__panic_place){BW__PLACE_ON, NULL}, info);
}

// ---- recovering ---------------------------------------------------------------------------------

const bw_panic_info *bw_recover(bw_panicking *p) {
  if (!p || bw__unwind_here()->panics != p || p->recovered) return NULL;
  if (!p->scope || !(p->scope->is & BW__SCOPE_JUMP)) return NULL; // p was kept: nowhere to jump to
  p->recovered = true;
  return &p->info;
}

void bw__recover_deferred(void *panicking) { (void)bw_recover(panicking); }

void bw_panic_text(const bw_panic_info *info, char *text, size_t room) {
  if (room == 0) return;
  bw__text t = bw__text_on(text, room);
  if (info->message)
    bw__text_format(&t, "%s", info->message);
  else if (panic_of(info)->write)
    panic_of(info)->write(info->value, text, room);
  else
    bw__text_format(&t, "(void *) %p", info->value);
  text[room - 1] = 0;
}
