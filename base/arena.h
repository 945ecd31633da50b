/* SPDX-License-Identifier: MIT
 *
 * A bump allocator over malloc chunks, for data that lives as long as the
 * program text it describes: syntax trees, nodes, symbols, literals.
 * Holds no pointer into the collected heap.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/alloc.h"

#include <stddef.h>

struct arena {
	char *cur, *end;
	struct arena_chunk *chunks;
};

#define ARENA_INIT { 0, 0, 0 }

/* The same as arena_alloc from a new chunk; for it alone. */
void *arena_alloc_more(struct arena *a, size_t size);

/* A zeroed block of `size` bytes, aligned to 8; never fails. */
static inline void *arena_alloc(struct arena *a, size_t size)
{
	void *p = a->cur;

	size = (size + 7) & ~(size_t)7;
	if ((size_t)(a->end - a->cur) < size)
		return arena_alloc_more(a, size);
	a->cur += size;
	return p;
}

/* A copy of the n bytes at p, NUL-terminated. */
char *arena_dup(struct arena *a, const char *p, size_t n);

/* A block for cap elements, the first n of which are the old ones. */
void *arena_grown(struct arena *a, const void *old, size_t n, size_t cap, size_t size);

/* ARRAY_GROW (base/alloc.h) for an array in an arena. */
#define ARENA_GROW(arena, v, want, cap)                                             \
	do {                                                                        \
		if ((size_t)(want) > (size_t)(cap)) {                               \
			size_t arena_had = (cap);                                   \
			(cap) = array_room(arena_had, (want));                      \
			(v) = arena_grown((arena), (v), arena_had, (cap), sizeof *(v)); \
		}                                                                   \
	} while (0)

/* Forgets every block; the arena is empty and usable again, and keeps its newest chunk for that. */
void arena_reset(struct arena *a);

/* Frees every block at once; the arena is empty and usable again. */
void arena_release(struct arena *a);

#endif
