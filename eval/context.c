/* SPDX-License-Identifier: MIT
 *
 * Elements get dense ids; a set is its ascending ids, interned, so that equal contexts have equal
 * set ids and a union is a merge of integers.  Nothing reads a set in byte order except getContext,
 * derivationStrict and a few errors: that order is sorted when first asked for and kept.
 *
 * The union of two given sets is asked for again and again (the same source and the same few
 * dependencies in every string of a derivation), so results are remembered in a small direct-mapped
 * table; losing an entry costs only the merge.
 *
 * All of it is malloc memory that lives as long as the process.
 */
#include "config.h"
#include "eval/context.h"
#include "base/alloc.h"
#include "base/arena.h"
#include "base/check.h"
#include "base/mem.h"
#include "lang/word.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct set {
	uint32_t n, hash;
	uint32_t *order; /* the elements in byte order, NULL until asked for */
	uint32_t e[];
};

/* An open-addressing table of ids; 0 is an empty slot. */
struct index {
	uint32_t *slot;
	size_t mask;
};

struct memo {
	uint32_t a, b, result;
};

enum { MEMO_SIZE = 8192, SLOTS_MIN = 256 };

static struct {
	struct arena mem;
	const struct str **elem;
	uint32_t elems, elem_cap;
	struct set **set;
	uint32_t sets, set_cap;
	struct index by_elem, by_set;
	struct memo memo[MEMO_SIZE];
} tab;

static uint32_t hash_bytes(const void *data, size_t n)
{
	const unsigned char *p = data;
	uint64_t h = 0xcbf29ce484222325u ^ n;

	for (; n >= 8; p += 8, n -= 8) {
		uint64_t w;
		memcpy(&w, p, 8);
		h = (h ^ w) * 0xff51afd7ed558ccdu;
		h ^= h >> 32;
	}
	for (; n; p++, n--)
		h = (h ^ *p) * 0x100000001b3u;
	return (uint32_t)(h ^ (h >> 32));
}

/* Doubles an index and puts every id from 1 to n back in. */
static void index_grow(struct index *ix, uint32_t n, uint32_t (*hash)(uint32_t id))
{
	size_t cap = ix->slot ? (ix->mask + 1) * 2 : SLOTS_MIN;

	free(ix->slot);
	ix->slot = xcalloc(cap, sizeof *ix->slot);
	ix->mask = cap - 1;
	for (uint32_t id = 1; id <= n; id++) {
		size_t i = hash(id) & ix->mask;
		while (ix->slot[i])
			i = (i + 1) & ix->mask;
		ix->slot[i] = id;
	}
}

static uint32_t hash_of_elem(uint32_t id)
{
	return hash_bytes(tab.elem[id]->b, tab.elem[id]->len);
}

static uint32_t hash_of_set(uint32_t id)
{
	return tab.set[id]->hash;
}

/* --- elements --- */

static uint32_t elem_add(const char *p, size_t n)
{
	if (tab.elems + 1 >= tab.elem_cap) {
		tab.elem_cap = tab.elem_cap ? tab.elem_cap * 2 : 256;
		tab.elem = xrealloc_array(tab.elem, tab.elem_cap, sizeof *tab.elem);
	}
	struct str *s = arena_alloc(&tab.mem, mem_size(1, n, sizeof *s + 1));
	s->len = (uint32_t)n;
	memcpy(s->b, p, n);
	tab.elem[++tab.elems] = s;
	return tab.elems;
}

static uint32_t elem_intern(const char *p, size_t n)
{
	if (tab.elems * 2 >= tab.by_elem.mask)
		index_grow(&tab.by_elem, tab.elems, hash_of_elem);
	size_t i = hash_bytes(p, n) & tab.by_elem.mask;
	for (; tab.by_elem.slot[i]; i = (i + 1) & tab.by_elem.mask) {
		const struct str *s = tab.elem[tab.by_elem.slot[i]];
		if (s->len == n && !memcmp(s->b, p, n))
			return tab.by_elem.slot[i];
	}
	return tab.by_elem.slot[i] = elem_add(p, n);
}

/* --- sets --- */

static uint32_t set_add(const uint32_t *e, uint32_t n, uint32_t hash)
{
	if (tab.sets + 1 >= tab.set_cap) {
		tab.set_cap = tab.set_cap ? tab.set_cap * 2 : 256;
		tab.set = xrealloc_array(tab.set, tab.set_cap, sizeof *tab.set);
	}
	struct set *s = arena_alloc(&tab.mem, mem_size(n, sizeof *e, sizeof *s));
	s->n = n;
	s->hash = hash;
	memcpy(s->e, e, n * sizeof *e);
	tab.set[++tab.sets] = s;
	return tab.sets;
}

/* The id of the set of n ascending elements. */
static uint32_t set_intern(const uint32_t *e, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		CHECK(e[i] && e[i] <= tab.elems && (!i || e[i - 1] < e[i]));
	if (!n)
		return 0;
	if (tab.sets * 2 >= tab.by_set.mask)
		index_grow(&tab.by_set, tab.sets, hash_of_set);
	uint32_t hash = hash_bytes(e, n * sizeof *e);
	size_t i = hash & tab.by_set.mask;
	for (; tab.by_set.slot[i]; i = (i + 1) & tab.by_set.mask) {
		const struct set *s = tab.set[tab.by_set.slot[i]];
		if (s->hash == hash && s->n == n && !memcmp(s->e, e, n * sizeof *e))
			return tab.by_set.slot[i];
	}
	return tab.by_set.slot[i] = set_add(e, n, hash);
}

uint32_t ctx_single(const char *elem, size_t n)
{
	uint32_t e = elem_intern(elem, n);

	return set_intern(&e, 1);
}

/* Merges two ascending arrays without repeats into out; returns the length. */
static uint32_t merge(const struct set *x, const struct set *y, uint32_t *out)
{
	uint32_t i = 0, j = 0, n = 0;

	while (i < x->n && j < y->n) {
		uint32_t a = x->e[i], b = y->e[j];
		out[n++] = a < b ? a : b;
		i += a <= b;
		j += b <= a;
	}
	while (i < x->n)
		out[n++] = x->e[i++];
	while (j < y->n)
		out[n++] = y->e[j++];
	return n;
}

static uint32_t union_slow(uint32_t a, uint32_t b)
{
	const struct set *x = tab.set[a], *y = tab.set[b];
	size_t max = (size_t)x->n + y->n;
	uint32_t few[64], *out = max <= 64 ? few : xmalloc(mem_size(max, sizeof *out, 0));
	uint32_t r = set_intern(out, merge(x, y, out));

	if (out != few)
		free(out);
	return r;
}

uint32_t ctx_union(uint32_t a, uint32_t b)
{
	CHECK(a <= tab.sets && b <= tab.sets);
	if (a == b || !b)
		return a;
	if (!a)
		return b;
	if (a > b) {
		uint32_t t = a;
		a = b;
		b = t;
	}
	struct memo *m = &tab.memo[(a * 0x9e3779b1u + b * 0x85ebca6bu) >> 19 & (MEMO_SIZE - 1)];
	if (m->a != a || m->b != b)
		*m = (struct memo){ a, b, union_slow(a, b) };
	return m->result;
}

/* --- collecting --- */

void ctx_acc_add(struct ctx_acc *a, uint32_t c)
{
	const uint32_t *ids = a->ids ? a->ids : a->one;

	/* Neighbours in a list tend to have the same context. */
	if (!c || (a->n && ids[a->n - 1] == c))
		return;
	if (!a->ids && a->n < sizeof a->one / sizeof *a->one) {
		a->one[a->n++] = c;
		return;
	}
	if (a->n >= a->cap) {
		uint32_t *old = a->ids ? a->ids : a->one;
		a->cap = a->cap ? a->cap * 2 : 32;
		uint32_t *p = mem_bytes(mem_size(a->cap, sizeof *p, 0));
		memcpy(p, old, a->n * sizeof *p);
		a->ids = p;
	}
	a->ids[a->n++] = c;
}

static int by_number(const void *x, const void *y)
{
	uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;

	return a < b ? -1 : a > b;
}

static size_t sort_unique(uint32_t *e, size_t n)
{
	size_t k = 0;

	qsort(e, n, sizeof *e, by_number);
	for (size_t i = 0; i < n; i++)
		if (!k || e[k - 1] != e[i])
			e[k++] = e[i];
	return k;
}

uint32_t ctx_acc_finish(struct ctx_acc *a)
{
	uint32_t *ids = a->ids ? a->ids : a->one, r = 0;

	if (a->n <= sizeof a->one / sizeof *a->one) {
		for (uint32_t i = 0; i < a->n; i++)
			r = ctx_union(r, ids[i]);
		return r;
	}
	size_t sets = sort_unique(ids, a->n), total = 0;
	for (size_t i = 0; i < sets; i++)
		total += tab.set[ids[i]]->n;
	uint32_t *e = xmalloc(mem_size(total, sizeof *e, 1));
	size_t n = 0;
	for (size_t i = 0; i < sets; i++) {
		const struct set *s = tab.set[ids[i]];
		memcpy(e + n, s->e, s->n * sizeof *e);
		n += s->n;
	}
	r = set_intern(e, (uint32_t)sort_unique(e, n));
	free(e);
	return r;
}

/* --- reading --- */

size_t ctx_count(uint32_t c)
{
	return c ? tab.set[c]->n : 0;
}

static int by_bytes(const void *x, const void *y)
{
	const struct str *a = tab.elem[*(const uint32_t *)x], *b = tab.elem[*(const uint32_t *)y];
	int c = memcmp(a->b, b->b, a->len < b->len ? a->len : b->len);

	return c ? c : a->len < b->len ? -1 : a->len > b->len;
}

const struct str *ctx_element(uint32_t c, size_t i)
{
	struct set *s = tab.set[c];

	if (s->n == 1)
		return tab.elem[s->e[0]];
	if (!s->order) {
		uint32_t *order = arena_alloc(&tab.mem, s->n * sizeof *order);
		memcpy(order, s->e, s->n * sizeof *order);
		qsort(order, s->n, sizeof *order, by_bytes);
		s->order = order;
	}
	return tab.elem[s->order[i]];
}

void ctx_parse(const struct str *elem, struct ctx_elem *out)
{
	const char *p = elem->b, *end = p + elem->len, *bang;

	*out = (struct ctx_elem){ CTX_OPAQUE, p, elem->len, NULL, 0 };
	if (elem->len && *p == '=') {
		out->kind = CTX_DRV_DEEP;
		out->path++;
		out->path_len--;
	} else if (elem->len && *p == '!' && (bang = memchr(p + 1, '!', (size_t)(end - p - 1)))) {
		out->kind = CTX_BUILT;
		out->output = p + 1;
		out->output_len = (size_t)(bang - p - 1);
		out->path = bang + 1;
		out->path_len = (size_t)(end - bang - 1);
	}
}
