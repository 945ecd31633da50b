/* SPDX-License-Identifier: MIT
 *
 * Chunks double in size up to a bound, so that a small file costs little and a large one
 * few calls; a block larger than a chunk gets a chunk of its own.
 */
#include "config.h"
#include "base/arena.h"
#include "base/alloc.h"
#include "base/check.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arena_chunk {
	struct arena_chunk *next;
	size_t size, all; /* of this one; with those before it */
	size_t mapped;	  /* by mem_map */
};

/* An arena that has grown to MAPPED_FROM goes on in huge pages. */
enum { CHUNK_MIN = 4096, CHUNK_MAX = 1 << 20, MAPPED_FROM = 1 << 20 };

static void chunk_free(struct arena_chunk *c)
{
	if (c->mapped)
		mem_unmap(c, c->size);
	else
		free(c);
}

void *arena_alloc_more(struct arena *a, size_t size)
{
	CHECK(a->cur <= a->end && !a->cur == !a->chunks);
	size_t want = a->chunks ? a->chunks->size * 2 : CHUNK_MIN;

	if (want > CHUNK_MAX)
		want = CHUNK_MAX;
	if (want < size + sizeof(struct arena_chunk))
		want = size + sizeof(struct arena_chunk);
	size_t mapped = a->chunks && a->chunks->all >= MAPPED_FROM && want <= MEM_MAP_UNIT;
	if (mapped)
		want = MEM_MAP_UNIT;
	struct arena_chunk *c = mapped ? mem_map(want) : xcalloc(1, want);
	c->next = a->chunks;
	c->size = want;
	c->mapped = mapped;
	c->all = want + (a->chunks ? a->chunks->all : 0);
	a->chunks = c;
	a->cur = (char *)(c + 1) + size;
	a->end = (char *)c + want;
	CHECK(a->cur <= a->end && !((uintptr_t)a->cur & 7));
	return c + 1;
}

void *arena_grown(struct arena *a, const void *old, size_t n, size_t cap, size_t size)
{
	void *v = arena_alloc(a, mem_size(cap, size, 0));

	if (n)
		memcpy(v, old, n * size);
	return v;
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
	c->all = c->size;
	a->chunks = c;
	a->cur = (char *)(c + 1);
	a->end = (char *)c + c->size;
}

void arena_release(struct arena *a)
{
	while (a->chunks) {
		struct arena_chunk *next = a->chunks->next;
		chunk_free(a->chunks);
		a->chunks = next;
	}
	a->cur = a->end = NULL;
}
