/* SPDX-License-Identifier: MIT
 *
 * Memory of the collected world: base/mem, lang, eval and builtins.
 *
 * mem.c is the only file that includes <gc.h>.  Three kinds of block:
 * mem_new (scanned by the collector, zeroed), mem_bytes (never holds a
 * pointer, not zeroed), mem_root (scanned, never collected).  None needs to be
 * freed by hand.  A pointer to a collected block must be reachable from the
 * C stack, from another scanned block, or from memory named to
 * mem_add_root; malloc memory and arenas do not count.
 *
 * Low tag bits 1..7 on a pointer to the start of a block keep it alive;
 * any other interior pointer does not (on the heap; on the stack any does).
 *
 * Out of memory ends the program with a message: there is no state worth
 * saving in an evaluator that cannot allocate.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include "base/alloc.h"

#include <stddef.h>
#include <stdint.h>

/* Starts the collector with the settings the evaluator needs.  Call once,
 * first.  Idempotent. */
void mem_init(void);

/* A zeroed block of `size` bytes that may hold pointers. */
void *mem_new(size_t size);

/* A block of `size` bytes that never holds a pointer; contents undefined. */
void *mem_bytes(size_t size);

/* A scanned block for cap elements, the first n of which are the old ones. */
void *mem_grown(const void *old, size_t n, size_t cap, size_t size);

/* ARRAY_GROW for an array on the collected heap. */
#define MEM_GROW(v, want, cap)                                                     \
	do {                                                                       \
		if ((size_t)(want) > (size_t)(cap)) {                              \
			size_t mem_had = (cap);                                    \
			(cap) = array_room(mem_had, (want));                       \
			(v) = mem_grown((v), mem_had, (cap), sizeof *(v));         \
		}                                                                  \
	} while (0)

/* A zeroed block that is scanned and lives until mem_free. */
void *mem_root(size_t size);

/* Tells the collector to scan [p, p + size), for thread-local or static data. */
void mem_add_root(void *p, size_t size);

/* Gives a block of mem_new, mem_bytes or mem_root back at once: nothing can refer to it any more. */
void mem_free(void *p);

/* A list of zeroed blocks of `size` bytes (a multiple of 16, at most 256),
 * linked through their first word; `scanned` as in mem_new.  The caller owns the whole
 * list and clears the link before use.  For free lists of hot sizes; the head must lie in
 * memory the collector scans. */
void *mem_many(size_t size, int scanned);

/* Has the collector call fn at the start of each collection, by the thread that caused it.  Who keeps a list from
 * mem_many of pointer-free blocks must drop it there: the collector does not follow its links. */
void mem_on_collect(void (*fn)(void));

/* n * size + extra without overflow; ends the program when it would. */
size_t mem_size(size_t n, size_t size, size_t extra);

/* Zeroed memory in huge pages, for tables that are used all over: no pointer into the collected heap.  Sizes are multiples of
 * MEM_MAP_UNIT; mem_unmap takes the same one. */
enum { MEM_MAP_UNIT = 2 << 20 };
void *mem_map(size_t size);
void mem_unmap(void *p, size_t size);

/* Runs fn(arg) on a fresh, lazily mapped C stack of `size` bytes and returns
 * when it does.  stack_low receives the lowest address of that stack. */
void mem_run_on_stack(size_t size, void (*fn)(void *), void *arg, char **stack_low);

/* Statistics: bytes handed out so far, bytes in the heap, collections run. */
struct mem_stats {
	uint64_t allocated;
	uint64_t heap;
	uint64_t collections;
};
void mem_stats(struct mem_stats *out);

#endif
