// Records of JavaScript's locks, for those who use them.
#ifndef BURROW_ENTRY_JS_LOCK_H
#define BURROW_ENTRY_JS_LOCK_H

#include "entry/js/abi.h"

// A call. Until the leave the lock is not dropped. False: it was, or `id` is not its id.
bool bw__js_lock_enter(bw_js_lock *l, uint32_t id);
void bw__js_lock_leave(bw_js_lock *l);

// In a call: an op, which may go on after it. Until its end the lock cannot be dropped.
void bw__js_lock_op_begins(bw_js_lock *l);
void bw__js_lock_op_ends(bw_js_lock *l);

// Of a mutex or a once.
bw_mutex *bw__js_mutex_of(bw_js_lock *l);

#endif
