// What the debug build knows of each object: a record outside of it, found by the address that the
// program has. A record is made with the object and goes when the object leaves the quarantine.
//
//   base                 user            user + size        end             end + BW_GUARD_SIZE
//   |  ... | front canary | the program's | back canary ... | guard, if any |
//
// I1: base is what the plain allocator gave. It never equals user: BW_FRONT bytes are between.
// I2: of an unguarded object the plain allocator's bytes end at `end`; of a guarded one, at
//     end + BW_GUARD_SIZE, and the guard cannot be touched.
//
// Rejected: the record as a header in front of the object. What a program writes there by mistake
// is just what it is to be told of, and a header cannot be looked for at an address that may be
// wild.
//
// All functions: Locks: none, the caller holds bw__debug_mu. Blocks: M, where it says so.
#ifndef BURROW_ALLOC_DEBUG_OBJECTS_H
#define BURROW_ALLOC_DEBUG_OBJECTS_H

#include "lock/mutex.h"

#define BW_FRONT      ((size_t)16) // bytes of the canary in front
#define BW_BACK       ((size_t)8)  // least bytes of that behind
#define BW_GUARD_SIZE BW_PAGE_SIZE

typedef struct bw__debug_object {
  struct bw__debug_object *next;  // in its bucket, or among the records not in use
  struct bw__debug_object *newer; // freed: who was freed next
  char *base, *user, *end;
  size_t size;                    // as asked for
  const void *made_by, *freed_by; // return addresses; NULL where there are none
  bool freed;                     // it waits in the quarantine
  bool guarded;                   // a guard follows it
  bool sealed;                    // guarded and freed: none of it can be touched
} bw__debug_object;

// Guards every record and the quarantine. Taken for each malloc and each free.
extern bw__mutex bw__debug_mu;

// bw__debug_mu, and memory that other threads grew made visible. Locks: debug. Blocks: M.
void bw__debug_lock(void);
void bw__debug_unlock(void);

// The record of the object that the program knows by `user`; NULL: there is none.
bw__debug_object *bw__debug_find(const void *user);
// The record of the object that has `address` anywhere in it, canaries and guard included; slow.
bw__debug_object *bw__debug_containing(uintptr_t address);
// The record after `o`, in no order; the first for NULL; NULL after the last.
bw__debug_object *bw__debug_next(const bw__debug_object *o);

// A record like `o`; NULL: no memory. Blocks: M (page heap).
bw__debug_object *bw__debug_insert(const bw__debug_object *o);
void bw__debug_remove(bw__debug_object *o);

// What the plain allocator gave for it, in bytes.
static inline size_t bw__debug_bytes(const bw__debug_object *o) {
  return (size_t)(o->end - o->base) + (o->guarded ? BW_GUARD_SIZE : 0);
}

#endif
