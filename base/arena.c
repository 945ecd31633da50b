/* SPDX-License-Identifier: MIT
 *
 * Chunks double in size up to a bound, so that a small file costs little and a large one
 * few calls; a block larger than a chunk gets a chunk of its own.
 */
#include "config.h"
#include "base/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arena_chunk {
	struct arena_chunk *next;
	size_t size;
};

enum { CHUNK_MIN = 4096, CHUNK_MAX = 1 << 20 };

static void arena_grow(struct arena *a, size_t size)
{
	size_t want = a->chunks ? a->chunks->size * 2 : CHUNK_MIN;

	if (want > CHUNK_MAX)
		want = CHUNK_MAX;
	if (want < size + sizeof(struct arena_chunk))
		want = size + sizeof(struct arena_chunk);
	struct arena_chunk *c = calloc(1, want);
	if (!c) {
		fputs("error: out of memory\n", stderr);
		exit(1);
	}
	c->next = a->chunks;
	c->size = want;
	a->chunks = c;
	a->cur = (char *)(c + 1);
	a->end = (char *)c + want;
}

void *arena_alloc(struct arena *a, size_t size)
{
	size = (size + 7) & ~(size_t)7;
	if ((size_t)(a->end - a->cur) < size)
		arena_grow(a, size);
	void *p = a->cur;
	a->cur += size;
	return p;
}

char *arena_dup(struct arena *a, const char *p, size_t n)
{
	char *d = arena_alloc(a, n + 1);

	if (n)
		memcpy(d, p, n);
	d[n] = 0;
	return d;
}

void arena_reset(struct arena *a)
{
	struct arena_chunk *c = a->chunks;

	if (!c)
		return;
	/* What follows will find its blocks zeroed and in the cache. */
	memset(c + 1, 0, (size_t)(a->cur - (char *)(c + 1)));
	a->chunks = c->next;
	arena_release(a);
	c->next = NULL;
	a->chunks = c;
	a->cur = (char *)(c + 1);
	a->end = (char *)c + c->size;
}

void arena_release(struct arena *a)
{
	while (a->chunks) {
		struct arena_chunk *next = a->chunks->next;
		free(a->chunks);
		a->chunks = next;
	}
	a->cur = a->end = NULL;
}
