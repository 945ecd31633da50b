/* SPDX-License-Identifier: MIT
 *
 * Memory of malloc: one answer to there being none.  A program that has run out of memory cannot be trusted to clean up, and
 * nothing needs it to: a store or a cache survives a process that ends at any point.  So these never return NULL: they say "error:
 * out of memory" and exit with status 1.  tests/lint/banned.sh keeps the plain functions out of all other files.
 *
 * The collector's memory is base/mem.h's.
 */
#ifndef BASE_ALLOC_H
#define BASE_ALLOC_H

#include <stddef.h>

#define ALLOC_OWNED __attribute__((malloc, returns_nonnull, warn_unused_result))

/* Nothing that is buffered gets written: results come whole or not at all. */
_Noreturn void out_of_memory(void) __attribute__((cold));

/* At least one byte, so that the result is a pointer of its own. The caller frees it, here and below. */
void *xmalloc(size_t n) ALLOC_OWNED;

/* n elements of so many bytes, zeroed. */
void *xcalloc(size_t n, size_t size) ALLOC_OWNED;

/* p, from any of these or NULL, with room for n elements; what is new is not zeroed. */
void *xrealloc_array(void *p, size_t n, size_t size) __attribute__((returns_nonnull, warn_unused_result));

/* A copy of a string; of at most its first n bytes. */
char *xstrdup(const char *s) ALLOC_OWNED;
char *xstrndup(const char *s, size_t n) ALLOC_OWNED;

/* Frees a string that is a secret, overwritten before; NULL is none. */
void free_secret(char *s);

/* For sizes that somebody else's data names, where an error can be given: NULL when there is no room. */
void *try_malloc(size_t n) __attribute__((malloc, warn_unused_result));

/* The room to make for want elements where there is room for cap: at least twice as many, so that adding one at a time costs a
 * constant. */
size_t array_room(size_t cap, size_t want);

/* Makes room in v, of cap elements, for want. */
#define ARRAY_GROW(v, want, cap)                                            \
	do {                                                                \
		if ((size_t)(want) > (size_t)(cap)) {                       \
			(cap) = array_room((cap), (want));                  \
			(v) = xrealloc_array((v), (cap), sizeof *(v));      \
		}                                                           \
	} while (0)

#endif
