// Handles: the numbers by which JavaScript names objects of the runtime. A handle is checked on
// every use; one that was dropped, or never was, is BW_EHANDLE and touches no memory of the object.
#ifndef BURROW_ENTRY_JS_HANDLES_H
#define BURROW_ENTRY_JS_HANDLES_H

typedef enum {
  BW_HANDLE_NONE,
  BW_HANDLE_CHAN,
  BW_HANDLE_SLICE,
  BW_HANDLE_LOCKS // the first kind of lock; BW_JS_LOCKS of them
} bw__handle_kind;

// Each function refreshes this thread's view of memory (bw__port_mem_sync), so its callers need
// not.

// A new handle for `object`, whose reference it takes over. > 0, or BW_ENOMEM.
int bw__handle_make(bw__handle_kind kind, void *object);
// The object with one more reference (`retain` is called before any drop can take the last one
// away), or NULL for a wrong handle.
void *bw__handle_get(int handle, bw__handle_kind kind, void *(*retain)(void *));
// Ends the handle and passes its reference to the caller; NULL for a wrong handle.
void *bw__handle_take(int handle, bw__handle_kind kind);

#endif
