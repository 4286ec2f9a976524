// Guarded objects: they end at a page that cannot be touched, so that the very instruction that
// goes past their end faults; and once freed none of them can be touched. Natively only: linear
// memory has no protection.
//
// Guarded is every object of at least options.guard_from bytes, and of the smaller ones one in
// options.guard_one_in, as long as there are not more than GUARDED_MOST of them: each costs the
// system two mappings, of which a process may have 65,530.
//
// The guard is part of the span or object that the plain allocator gave, and is made accessible
// before that goes back: the page heap never sees a protected page.
#ifndef BURROW_ALLOC_DEBUG_GUARD_H
#define BURROW_ALLOC_DEBUG_GUARD_H

#include "alloc/debug/objects.h"

#include <burrow/alloc.h>

// Whether the next object, of `size` bytes and aligned to `align`, is to be guarded. Locks: none.
bool bw__guard_wanted(const bw_alloc_debug_options *options, size_t align, size_t size);

// Memory for it: fills base, user, end, size and guarded of *o. False: not possible, take the usual
// kind. Locks: page heap. Blocks: M.
bool bw__guard_alloc(bw__debug_object *o, size_t align, size_t size, bool zeroed);

// Makes a guarded object that was freed untouchable: sets `sealed`, or does nothing where the
// system refuses. Caller holds bw__debug_mu.
void bw__guard_seal(bw__debug_object *o);

// Makes all of a guarded object accessible, so that the plain allocator can have it back. False:
// the system refuses, its memory is lost. Locks: none.
bool bw__guard_open(const bw__debug_object *o);

#endif
