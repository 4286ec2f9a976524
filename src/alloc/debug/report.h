// What the debug build says. "Ends": with the message and as misuse.h's functions do; the caller
// must not hold bw__debug_mu. Objects are passed as copies or under the lock.
#ifndef BURROW_ALLOC_DEBUG_REPORT_H
#define BURROW_ALLOC_DEBUG_REPORT_H

#include "alloc/debug/canary.h"

// The object was written to where it should not have been. Ends.
_Noreturn void bw__report_damage(const bw__debug_object *o, bw__damage d, const char *found_by);
// The object was freed before. Ends.
_Noreturn void bw__report_freed(const char *function, const bw__debug_object *o);
// `p` is somewhere in the object, but not its start. Ends.
_Noreturn void bw__report_inside(const char *function, const bw__debug_object *o, const void *p);
// `p` is in memory of the allocator's, but in no object. Ends.
_Noreturn void bw__report_gone(const char *function, const void *p);
// The object is not `size` bytes long. Ends.
_Noreturn void bw__report_size(const char *function, const bw__debug_object *o, size_t size);

// A line to stderr about the damage; does not end.
void bw__report_line(const bw__debug_object *o, bw__damage d, const char *found_by);
void bw__report_no_object(const void *p, const char *found_by);

// Called from a signal handler when `address` was touched and could not be: says which object that
// is, if any. Locks: none, what it reads may be changing.
void bw__report_fault(uintptr_t address, uintptr_t sp);

#endif
