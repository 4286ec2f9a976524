// fork(): the child gets a copy of all locks and only one thread, the one that forked. So that
// thread takes every lock of the allocator before, and gives them back after, in both processes.
#ifndef BURROW_ALLOC_FORK_H
#define BURROW_ALLOC_FORK_H

// Has that done at each fork from here on; called by each thread that makes its cache, which is the
// earliest there is: handlers run before a fork in reverse order, so those of libraries, which may
// allocate, must come later than ours. May allocate. Locks: none. Blocks: never.
void bw__fork_protect(void);

// The rooms that have locks: takes all of the room's, and gives them back.
void bw__debug_fork_before(void);
void bw__debug_fork_after(void);
void bw__cache_fork_before(void);
void bw__cache_fork_after(void);
void bw__budget_fork_before(void);
void bw__budget_fork_after(void);
void bw__central_fork_before(void);
void bw__central_fork_after(void);
void bw__profile_fork_before(void);
void bw__profile_fork_after(void);
void bw__pageheap_fork_before(void);
void bw__pageheap_fork_after(void);

#endif
