/* SPDX-License-Identifier: MIT
 *
 * An open-addressing table of ids beside the array of names.  Each slot keeps the hash, so that
 * growing never touches a name and a miss rarely does.
 */
#include "config.h"
#include "lang/symbol.h"
#include "base/alloc.h"
#include "base/arena.h"
#include "base/check.h"
#include "base/hashing.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct slot {
	uint32_t hash;
	sym_t sym;
};

static struct {
	struct slot *slots;
	size_t mask;
	struct str **names;
	uint32_t n, cap;
	struct arena mem;
} tab;

/* Zeroed.  Every look-up misses the cache once the table is large; with huge pages at least not the page tables too. */
static void *array_new(size_t n, size_t size)
{
	if (n * size >= MEM_MAP_UNIT)
		return mem_map(n * size);
	void *p = xcalloc(n, size);

	return p;
}

static void array_free(void *p, size_t n, size_t size)
{
	if (n * size >= MEM_MAP_UNIT)
		mem_unmap(p, n * size);
	else
		free(p);
}

static void rehash(void)
{
	size_t cap = tab.slots ? (tab.mask + 1) * 2 : 4096;
	struct slot *slots = array_new(cap, sizeof *slots);

	for (size_t i = 0; tab.slots && i <= tab.mask; i++) {
		if (!tab.slots[i].sym)
			continue;
		size_t j = tab.slots[i].hash & (cap - 1);
		while (slots[j].sym)
			j = (j + 1) & (cap - 1);
		slots[j] = tab.slots[i];
	}
	array_free(tab.slots, tab.slots ? tab.mask + 1 : 0, sizeof *slots);
	tab.slots = slots;
	tab.mask = cap - 1;
	CHECK(!(cap & (cap - 1)) && tab.n < cap);
}

static void more_names(void)
{
	uint32_t cap = tab.cap ? tab.cap * 2 : 2048;
	struct str **names = array_new(cap, sizeof *names);

	if (tab.n)
		memcpy(names, tab.names, tab.n * sizeof *names);
	array_free(tab.names, tab.cap, sizeof *names);
	tab.names = names;
	tab.cap = cap;
}

static sym_t sym_add(const char *p, size_t n)
{
	if (tab.n == tab.cap)
		more_names();
	struct str *s = arena_alloc(&tab.mem, sizeof *s + n + 1);
	s->len = (uint32_t)n;
	memcpy(s->b, p, n);
	tab.names[tab.n] = s;
	CHECK(tab.n < tab.cap && !s->b[n]);
	return tab.n++;
}

static sym_t sym_lookup(const char *p, size_t n, int add)
{
	uint32_t h = hash_bytes(p, n);
	size_t i = h & tab.mask;

	for (; tab.slots[i].sym; i = (i + 1) & tab.mask) {
		if (tab.slots[i].hash != h)
			continue;
		const struct str *s = tab.names[tab.slots[i].sym];
		if (s->len == n && !memcmp(s->b, p, n))
			return tab.slots[i].sym;
	}
	if (!add)
		return SYM_NONE;
	sym_t s = sym_add(p, n);
	tab.slots[i] = (struct slot){ h, s };
	if (tab.n * 2 > tab.mask)
		rehash();
	return s;
}

static void sym_init(void)
{
	static const char *const known[] = {
#define X(id, text) text,
		SYMBOLS(X)
#undef X
	};

	rehash();
	sym_add("", 0); /* id 0 */
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		sym_lookup(known[i], strlen(known[i]), 1);
}

sym_t sym_intern(const char *p, size_t n)
{
	if (!tab.slots)
		sym_init();
	return sym_lookup(p, n, 1);
}

void sym_expect(const char *p, size_t n)
{
	if (tab.slots)
		__builtin_prefetch(&tab.slots[hash_bytes(p, n) & tab.mask]);
}

sym_t sym_c(const char *s)
{
	return sym_intern(s, strlen(s));
}

sym_t sym_find(const char *p, size_t n)
{
	if (!tab.slots)
		sym_init();
	return sym_lookup(p, n, 0);
}

const struct str *sym_name(sym_t s)
{
	if (!tab.slots)
		sym_init();
	return tab.names[s];
}

int sym_cmp(sym_t a, sym_t b)
{
	if (a == b)
		return 0;
	const struct str *x = tab.names[a], *y = tab.names[b];
	int c = memcmp(x->b, y->b, x->len < y->len ? x->len : y->len);
	return c ? c : x->len < y->len ? -1 : x->len > y->len;
}

uint32_t sym_count(void)
{
	return tab.n;
}
