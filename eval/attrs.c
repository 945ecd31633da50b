/* SPDX-License-Identifier: MIT
 *
 * Three kinds of set.  FLAT: shape and values.  LAZY: a literal whose members are made on first use; v[i]
 * may be a lazy mark and v[n] is the frame it needs.  MERGE: `l // r`, looked through by
 * attrs_find and flattened when someone iterates, or when look-ups have cost as much as flattening would
 * (hits, the ski-rental rule).  One that would get deeper than DEPTH_MAX is made of fewer operands: neighbours of a like size
 * are merged, so that a set that grows by small ones copies each of its members a few times, not with every eighth step.
 *
 * Most merged sets are read a few times or merged again; 4 to 7 % are ever iterated.  So copying at
 * `//` is nearly always wasted.
 */
#include "config.h"
#include "eval/attrs.h"
#include "base/check.h"
#include "base/source.h"
#include "eval/builtin.h"
#include "eval/state.h"

#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 8, SMALL = 8, INDEX_MIN = 64 };
/* What remains of a merge that got too deep: this many operands, each at least SIZE_RATIO times as large as its neighbour as
 * long as that is possible. */
enum { SHRUNK_MAX = 5, SIZE_RATIO = 8 };

/* Flat operands of a merge of DEPTH_MAX + 1 levels. */
#define OPERANDS_MAX ((1 << DEPTH_MAX) + 1)

struct merge {
	uint32_t n; /* upper bound until flattened */
	uint8_t kind, depth;
	uint16_t hits;
	struct attrs *l, *r, *flat;
};

static struct shape empty_shape;
static struct attrs empty = { .sh = &empty_shape };

W w_attrs_empty(void)
{
	return w_attrs(&empty);
}

struct shape *shape_new(const sym_t *sym, const uint32_t *pos, uint32_t n)
{
	struct shape *sh = alloc(sizeof *sh);

	sh->n = n;
	sh->sym = sym;
	sh->pos = pos;
	return sh;
}

struct attrs *attrs_alloc(struct shape *sh, uint32_t n)
{
	struct attrs *a = alloc(sizeof *a + (size_t)n * sizeof(W));

	a->n = n;
	a->sh = sh;
	es.count.sets++;
	es.count.set_elements += n;
	return a;
}

struct attrs *attrs_alloc_lazy(struct shape *sh, uint32_t n, struct frame *f)
{
	struct attrs *a = alloc(sizeof *a + ((size_t)n + 1) * sizeof(W));

	a->n = n;
	a->kind = SET_LAZY;
	a->sh = sh;
	a->v[n] = (W)(uintptr_t)f;
	es.count.sets++;
	es.count.set_elements += n;
	return a;
}

struct attrs *attrs_with_shape(struct shape *sh)
{
	return sh->n ? attrs_alloc(sh, sh->n) : &empty;
}

static int ascends(const struct shape *sh)
{
	for (uint32_t i = 1; i < sh->n; i++)
		if (sh->sym[i - 1] >= sh->sym[i])
			return 0;
	return 1;
}

/* --- look-up --- */

static W *member(struct attrs *a, uint32_t i)
{
	W *p = &a->v[i];

	if (__builtin_expect(W_IS_LAZY(*p), 0)) {
		const struct node *n = W_LAZY_NODE(*p);
		/* delay may look at this very member (`a = self.a`): it must find it being made. */
		*p = W_HOLE;
		*p = delay_checked(n, (struct frame *)(uintptr_t)a->v[a->n]);
	}
	CHECK(i < a->n && a->n == a->sh->n && !W_IS_LAZY(*p) && *p != W_ABSENT);
	return p;
}

static uint32_t hash_sym(sym_t s)
{
	return s * 0x9e3779b1u;
}

/* The table of a large shape: index[hash] = position + 1, linear probing; size a power of two in index[0]. */
static void build_index(struct shape *sh)
{
	uint32_t size = 1;

	CHECK(ascends(sh));
	while (size < sh->n * 2)
		size *= 2;
	uint32_t *t = mem_bytes((size + 1) * sizeof *t);
	memset(t, 0, (size + 1) * sizeof *t);
	t[0] = size;
	for (uint32_t i = 0; i < sh->n; i++) {
		uint32_t h = hash_sym(sh->sym[i]) & (size - 1);
		while (t[1 + h])
			h = (h + 1) & (size - 1);
		t[1 + h] = i + 1;
	}
	sh->index = t;
}

static int64_t find_indexed(struct shape *sh, sym_t s)
{
	if (!sh->index)
		build_index(sh);
	const uint32_t *t = sh->index;
	uint32_t mask = t[0] - 1;
	for (uint32_t h = hash_sym(s) & mask; t[1 + h]; h = (h + 1) & mask)
		if (sh->sym[t[1 + h] - 1] == s)
			return t[1 + h] - 1;
	return -1;
}

/* Most look-ups that find nothing are in small sets, often many below one merge: these end here. */
static inline int may_have(struct shape *sh, sym_t s)
{
	if (__builtin_expect(!sh->mask, 0)) {
		uint64_t mask = 0;
		for (uint32_t i = 0; i < sh->n; i++)
			mask |= (uint64_t)1 << (sh->sym[i] & 63);
		CHECK(ascends(sh));
		sh->mask = mask; /* whole at once: half of it would hide names */
	}
	return sh->mask >> (s & 63) & 1;
}

/* Index of s in a shape, -1 when absent. */
static int64_t shape_find(struct shape *sh, sym_t s)
{
	const sym_t *v = sh->sym;
	uint32_t lo = 0, n = sh->n;

	if (n >= INDEX_MIN)
		return find_indexed(sh, s);
	if (!may_have(sh, s))
		return -1;
	while (n > 1) {
		uint32_t half = n / 2;
		lo = v[lo + half] <= s ? lo + half : lo;
		n -= half;
	}
	return n && v[lo] == s ? (int64_t)lo : -1;
}

static struct attrs *flatten(struct merge *m);

enum look { LOOK_AWAY, LOOK_FLATTEN };

/* The flat or lazy set below `a` that holds s, and where in it; NULL when absent.  With LOOK_AWAY merges stay merges. */
static struct attrs *locate(struct attrs *a, sym_t s, uint32_t *at, enum look how)
{
	while (a->kind == SET_MERGE) {
		struct merge *m = (struct merge *)a;
		if (m->flat) {
			a = m->flat;
			break;
		}
		if (m->depth > 2 && ++m->hits * (uint32_t)(m->depth - 1) >= m->n && how == LOOK_FLATTEN) {
			a = flatten(m);
			break;
		}
		struct attrs *found = locate(m->r, s, at, how);
		if (found)
			return found;
		a = m->l;
	}
	int64_t i = shape_find(a->sh, s);
	if (i < 0)
		return NULL;
	*at = (uint32_t)i;
	return a;
}

W *attrs_find(W set, sym_t s)
{
	uint32_t i;

	es.count.lookups++;
	struct attrs *a = locate(W_PTR(set), s, &i, LOOK_FLATTEN);
	return a ? member(a, i) : NULL;
}

static inline W *find_hint(W set, sym_t s, uint32_t *hint, enum look how)
{
	struct attrs *a = W_PTR(set);
	uint32_t i = *hint;

	es.count.lookups++;
	if (__builtin_expect(a->kind != SET_MERGE && i < a->n && a->sh->sym[i] == s, 1))
		return member(a, i);
	a = locate(a, s, &i, how);
	if (!a)
		return NULL;
	*hint = i;
	return member(a, i);
}

W *attrs_find_hint_slow(W set, sym_t s, uint32_t *hint)
{
	return find_hint(set, s, hint, LOOK_FLATTEN);
}

int attrs_has(W set, sym_t s, uint32_t *hint)
{
	struct attrs *a = W_PTR(set);
	uint32_t i = *hint;

	es.count.lookups++;
	if (a->kind == SET_MERGE)
		return locate(a, s, hint, LOOK_FLATTEN) != NULL;
	if (i < a->n && a->sh->sym[i] == s)
		return 1;
	int64_t at = shape_find(a->sh, s);
	if (at < 0)
		return 0;
	*hint = (uint32_t)at;
	return 1;
}

W *attrs_peek_hint(W set, sym_t s, uint32_t *hint)
{
	return find_hint(set, s, hint, LOOK_AWAY);
}

W *attrs_find_pos(W set, sym_t s, uint32_t *pos)
{
	uint32_t i;
	struct attrs *a = locate(W_PTR(set), s, &i, LOOK_FLATTEN);

	if (!a)
		return NULL;
	*pos = a->sh->pos ? a->sh->pos[i] : 0;
	return member(a, i);
}

W *attrs_find_name(W set, const char *p, size_t n)
{
	sym_t s = sym_find(p, n);

	return s ? attrs_find(set, s) : NULL;
}

W *attrs_find_c(W set, const char *name)
{
	return attrs_find_name(set, name, strlen(name));
}

/* --- flattening --- */

static struct attrs *materialise(struct attrs *a)
{
	CHECK(a->kind == SET_LAZY && a->n == a->sh->n);
	for (uint32_t i = 0; i < a->n; i++)
		member(a, i);
	a->kind = SET_FLAT;
	a->v[a->n] = 0; /* lets go of the frame */
	return a;
}

/* The flat operands of m from lowest to highest priority, onto out; an explicit stack, since
 * chains of merges may lean either way. */
static uint32_t operands(struct merge *m, struct attrs **out)
{
	struct attrs *stack[2 * DEPTH_MAX + 4];
	uint32_t top = 0, n = 0;

	stack[top++] = (struct attrs *)m;
	while (top) {
		struct attrs *a = stack[--top];
		struct merge *x = (struct merge *)a;
		CHECK(top + 2 <= sizeof stack / sizeof *stack);
		if (a->kind == SET_MERGE && x->flat)
			a = x->flat;
		if (a->kind == SET_LAZY)
			materialise(a);
		if (a->kind == SET_FLAT) {
			out[n++] = a;
			continue;
		}
		stack[top++] = x->r;
		stack[top++] = x->l;
	}
	return n;
}

/* The shapes made last, by a hash of their names and positions.  The same few are made again and again: by one `//` in a
 * function that is called often, by one computed name.  Shared, they take no memory, and what is remembered of them (order,
 * index) is found only once. */
enum { SHARED_MAX = 64, RECENT_SHAPES = 4096 };
static struct recent {
	uint64_t hash;
	struct shape *sh;
} *recent_shapes;

/* The names of a set that is being made, and their positions behind them. */
struct names {
	uint32_t n;
	sym_t *sym;
	uint32_t *pos;
	_Alignas(8) sym_t few[2 * SHARED_MAX];
};

static uint64_t hash_names(const struct names *s)
{
	uint64_t h = s->n, w;

	for (uint32_t i = 0; i < s->n; i++) {
		memcpy(&w, s->few + 2 * i, sizeof w);
		h = (h ^ w) * 0x9e3779b97f4a7c15u;
		h ^= h >> 29;
	}
	return h;
}

static struct shape *shape_of_names(const struct names *s)
{
	if (s->n > SHARED_MAX)
		return shape_new(s->sym, s->pos, s->n);
	if (!recent_shapes)
		recent_shapes = mem_root(RECENT_SHAPES * sizeof *recent_shapes);
	uint64_t h = hash_names(s);
	size_t bytes = 2 * (size_t)s->n * sizeof *s->few;
	struct recent *at = &recent_shapes[h % RECENT_SHAPES];

	if (!at->sh || at->hash != h || at->sh->n != s->n || memcmp(at->sh->sym, s->few, bytes)) {
		sym_t *v = alloc_bytes(bytes);
		memcpy(v, s->few, bytes);
		*at = (struct recent){ h, shape_new(v, v + s->n, s->n) };
	}
	return at->sh;
}

/* A flat set of n attributes to be filled: the names through s, until flat_end. */
static struct attrs *flat_begin(uint32_t n, struct names *s)
{
	s->n = n;
	s->sym = n > SHARED_MAX ? alloc_bytes(mem_size(n, 2 * sizeof *s->sym, 0)) : s->few;
	s->pos = s->sym + n;
	return attrs_alloc(NULL, n);
}

static struct attrs *flat_end(struct attrs *a, struct names *s)
{
	a->sh = shape_of_names(s);
	CHECK(ascends(a->sh));
	return a;
}

/* r over l, both flat.  One pass over two ascending arrays. */
static struct attrs *merge_two(struct attrs *l, struct attrs *r)
{
	const sym_t *ls = l->sh->sym, *rs = r->sh->sym;
	const uint32_t *lp = l->sh->pos, *rp = r->sh->pos;
	uint32_t i = 0, j = 0, k = 0, same = 0;

	/* Counting first keeps the result exact. */
	while (i < l->n && j < r->n) {
		if (ls[i] == rs[j]) {
			same++;
			i++;
			j++;
		} else if (ls[i] < rs[j]) {
			i++;
		} else {
			j++;
		}
	}
	/* The right side has every name: its shape serves. */
	if (same == l->n)
		return r;
	struct names s;
	struct attrs *a = flat_begin(l->n + r->n - same, &s);
	i = j = 0;
	while (k < a->n) {
		int from_r = i == l->n || (j < r->n && rs[j] <= ls[i]);
		if (from_r) {
			i += i < l->n && ls[i] == rs[j];
			s.sym[k] = rs[j];
			s.pos[k] = rp ? rp[j] : 0;
			a->v[k++] = r->v[j++];
		} else {
			s.sym[k] = ls[i];
			s.pos[k] = lp ? lp[i] : 0;
			a->v[k++] = l->v[i++];
		}
	}
	CHECK(i == l->n && j == r->n);
	return flat_end(a, &s);
}

static void become_flat(struct merge *m, struct attrs *a)
{
	CHECK(a->n <= m->n);
	m->flat = a;
	m->l = m->r = NULL;
	m->n = a->n;
}

static struct attrs *flatten(struct merge *m)
{
	struct attrs *ops[OPERANDS_MAX];

	if (m->flat)
		return m->flat;
	es.count.flattened++;
	uint32_t n = operands(m, ops);
	CHECK(n >= 1 && n <= sizeof ops / sizeof *ops);
	/* Neighbours first, so that small operands meet small ones. */
	while (n > 1) {
		uint32_t k = 0;
		for (uint32_t i = 0; i < n; i += 2)
			ops[k++] = i + 1 < n ? merge_two(ops[i], ops[i + 1]) : ops[i];
		n = k;
	}
	become_flat(m, ops[0]);
	return m->flat;
}

struct attrs *attrs_of(W set)
{
	struct attrs *a = W_PTR(set);

	if (a->kind == SET_MERGE)
		a = flatten((struct merge *)a);
	return a->kind == SET_LAZY ? materialise(a) : a;
}

/* --- update --- */

static struct attrs *flat_of(struct attrs *a)
{
	return a->kind == SET_MERGE && ((struct merge *)a)->flat ? ((struct merge *)a)->flat : a;
}

static int is_small(const struct attrs *a)
{
	return a->kind != SET_MERGE && a->n <= SMALL;
}

static struct attrs *as_flat(struct attrs *a)
{
	return a->kind == SET_LAZY ? materialise(a) : a;
}

static struct merge *merge_of(struct attrs *l, struct attrs *r)
{
	CHECK(l->n && r->n);
	struct merge *m = alloc(sizeof *m);
	uint32_t d = l->kind == SET_MERGE ? l->depth : 1, e = r->kind == SET_MERGE ? r->depth : 1;

	es.count.merges++;
	m->n = l->n + r->n < l->n ? UINT32_MAX : l->n + r->n;
	m->kind = SET_MERGE;
	m->depth = (uint8_t)((d > e ? d : e) + 1);
	m->l = l;
	m->r = r;
	CHECK(m->depth <= DEPTH_MAX + 1);
	return m;
}

static int are_alike(const struct attrs *a, const struct attrs *b)
{
	return a->n / SIZE_RATIO <= b->n && b->n / SIZE_RATIO <= a->n;
}

/* Merges operands i and i + 1 of n. */
static uint32_t merge_at(struct attrs **ops, uint32_t n, uint32_t i)
{
	ops[i] = merge_two(ops[i], ops[i + 1]);
	memmove(ops + i + 1, ops + i + 2, (n - i - 2) * sizeof *ops);
	return n - 1;
}

/* Where the two neighbours are that cost least to merge. */
static uint32_t smallest_pair(struct attrs **ops, uint32_t n)
{
	uint32_t best = 0;

	for (uint32_t i = 1; i + 1 < n; i++)
		if ((uint64_t)ops[i]->n + ops[i + 1]->n < (uint64_t)ops[best]->n + ops[best + 1]->n)
			best = i;
	return best;
}

/* Has m, which is too deep, of few operands.  Costs what the members of the small ones cost. */
static void shrink(struct merge *m)
{
	struct attrs *ops[OPERANDS_MAX];
	uint32_t all = operands(m, ops), n = 0;

	for (uint32_t i = 0; i < all; i++) {
		ops[n++] = ops[i];
		while (n > 1 && are_alike(ops[n - 2], ops[n - 1]))
			n = merge_at(ops, n, n - 2);
	}
	while (n > SHRUNK_MAX)
		n = merge_at(ops, n, smallest_pair(ops, n));
	if (n == 1) {
		become_flat(m, ops[0]);
		return;
	}
	struct attrs *l = ops[0];
	for (uint32_t i = 1; i + 1 < n; i++)
		l = (struct attrs *)merge_of(l, ops[i]);
	*m = *merge_of(l, ops[n - 1]);
}

static W merge_new(struct attrs *l, struct attrs *r)
{
	struct merge *m = merge_of(l, r);

	if (m->depth > DEPTH_MAX)
		shrink(m);
	return w_tag(m, TAG_ATTRS);
}

W attrs_update(W lw, W rw)
{
	struct attrs *l = flat_of(W_PTR(lw)), *r = flat_of(W_PTR(rw));

	if (!r->n)
		return lw;
	if (!l->n)
		return rw;
	if (is_small(l) && is_small(r))
		return w_attrs(merge_two(as_flat(l), as_flat(r)));
	if (is_small(r) && l->kind == SET_MERGE) {
		struct merge *m = (struct merge *)l;
		if (is_small(m->r))
			return merge_new(m->l, merge_two(as_flat(m->r), as_flat(r)));
	}
	return merge_new(l, r);
}

/* --- order --- */

/* A name to be sorted: its first eight bytes decide nearly always. */
struct named {
	uint64_t head; /* big-endian, NULs behind a short name */
	uint32_t index;
	sym_t sym;
};

static struct named named(sym_t sym, uint32_t index)
{
	const struct str *s = sym_name(sym);
	uint64_t head = 0;

	memcpy(&head, s->b, s->len < 8 ? s->len : 8);
	return (struct named){ __builtin_bswap64(head), index, sym };
}

static inline int is_before(const struct named *a, const struct named *b)
{
	return a->head != b->head ? a->head < b->head : sym_cmp(a->sym, b->sym) < 0;
}

/* By hand: more than half of qsort's time went into calling back and copying elements of unknown size.  spare has room
 * for half as many. */
static void sort_names(struct named *v, uint32_t n, struct named *spare)
{
	if (n > 16) {
		uint32_t half = n / 2, i = 0, j = half;

		sort_names(v, half, spare);
		sort_names(v + half, n - half, spare);
		memcpy(spare, v, half * sizeof *v);
		for (struct named *to = v; i < half; to++)
			*to = j < n && is_before(&v[j], &spare[i]) ? v[j++] : spare[i++];
		return;
	}
	for (uint32_t i = 1; i < n; i++) {
		struct named x = v[i];
		uint32_t j = i;

		for (; j && is_before(&x, &v[j - 1]); j--)
			v[j] = v[j - 1];
		v[j] = x;
	}
}

const uint32_t *attrs_order(struct attrs *a)
{
	struct shape *sh = a->sh;

	if (!sh->order) {
		struct named few[96], *v = sh->n <= 64 ? few : mem_bytes(mem_size(sh->n, sizeof *v + sizeof *v / 2, 0));
		uint32_t *o = mem_bytes(mem_size(sh->n, sizeof *o, 4));

		for (uint32_t i = 0; i < sh->n; i++)
			v[i] = named(sh->sym[i], i);
		sort_names(v, sh->n, v + sh->n);
		for (uint32_t i = 0; i < sh->n; i++)
			o[i] = v[i].index;
		for (uint32_t i = 1; i < sh->n; i++)
			CHECK(sym_cmp(sh->sym[o[i - 1]], sh->sym[o[i]]) < 0);
		sh->order = o;
	}
	return sh->order;
}

/* --- building --- */

void attrs_builder_init(struct attrs_builder *b, size_t cap)
{
	b->n = 0;
	b->cap = cap < 4 ? 4 : (uint32_t)cap;
	b->e = alloc(mem_size(b->cap, sizeof *b->e, 0));
}

void attrs_add(struct attrs_builder *b, sym_t s, uint32_t pos, W v)
{
	if (b->n == b->cap) {
		struct attr_entry *e = alloc(mem_size(b->cap, 2 * sizeof *e, 0));
		memcpy(e, b->e, b->n * sizeof *e);
		release(b->e, b->cap * sizeof *e);
		b->e = e;
		b->cap *= 2;
	}
	b->e[b->n++] = (struct attr_entry){ s, pos, v };
}

void attrs_add_c(struct attrs_builder *b, const char *name, W v)
{
	attrs_add(b, sym_c(name), 0, v);
}

/* Stable sort by symbol: insertion for a few, else a radix sort on the bytes that differ. */
static void sort_entries(struct attrs_builder *b)
{
	struct attr_entry *e = b->e;
	uint32_t n = b->n, max = 0;
	int sorted = 1;

	for (uint32_t i = 0; i < n; i++) {
		max = e[i].sym > max ? e[i].sym : max;
		sorted &= !i || e[i - 1].sym <= e[i].sym;
	}
	if (sorted)
		return;
	if (n <= 24) {
		for (uint32_t i = 1; i < n; i++) {
			struct attr_entry x = e[i];
			uint32_t j = i;
			for (; j > 0 && e[j - 1].sym > x.sym; j--)
				e[j] = e[j - 1];
			e[j] = x;
		}
		return;
	}
	struct attr_entry *from = e, *to = mem_new(mem_size(b->cap, sizeof *e, 0));
	for (unsigned shift = 0; shift < 32 && max >> shift; shift += 8) {
		uint32_t start[257] = { 0 };
		for (uint32_t i = 0; i < n; i++)
			start[((from[i].sym >> shift) & 255) + 1]++;
		for (unsigned k = 0; k < 256; k++)
			start[k + 1] += start[k];
		for (uint32_t i = 0; i < n; i++)
			to[start[(from[i].sym >> shift) & 255]++] = from[i];
		struct attr_entry *t = from;
		from = to;
		to = t;
	}
	b->e = from;
	release(to, b->cap * sizeof *e);
}

static W finish(struct attrs_builder *b, int keep_last)
{
	if (!b->n) {
		release(b->e, b->cap * sizeof *b->e);
		return w_attrs_empty();
	}
	sort_entries(b);
	uint32_t n = 0;
	for (uint32_t i = 0; i < b->n; i++) {
		if (n && b->e[n - 1].sym == b->e[i].sym) {
			if (keep_last)
				b->e[n - 1] = b->e[i];
		} else {
			b->e[n++] = b->e[i];
		}
	}
	struct names s;
	struct attrs *a = flat_begin(n, &s);
	for (uint32_t i = 0; i < n; i++) {
		s.sym[i] = b->e[i].sym;
		s.pos[i] = b->e[i].pos;
		a->v[i] = b->e[i].v;
	}
	release(b->e, b->cap * sizeof *b->e);
	b->e = NULL;
	return w_attrs(flat_end(a, &s));
}

W attrs_finish(struct attrs_builder *b)
{
	return finish(b, 0);
}

W attrs_finish_keep_last(struct attrs_builder *b)
{
	return finish(b, 1);
}

/* --- subsets --- */

/* The attributes of a at the n ascending indices. */
static W subset(struct attrs *a, const uint32_t *at, uint32_t n)
{
	struct names s;

	if (n == a->n)
		return w_attrs(a);
	if (!n)
		return w_attrs_empty();
	struct attrs *out = flat_begin(n, &s);
	for (uint32_t i = 0; i < n; i++) {
		s.sym[i] = a->sh->sym[at[i]];
		s.pos[i] = a->sh->pos ? a->sh->pos[at[i]] : 0;
		out->v[i] = a->v[at[i]];
	}
	return w_attrs(flat_end(out, &s));
}

W attrs_remove(W set, const sym_t *drop, size_t n)
{
	struct attrs *a = attrs_of(set);
	uint32_t *at = mem_bytes(mem_size(a->n, sizeof *at, 4)), k = 0;
	size_t j = 0;

	for (size_t i = 1; i < n; i++)
		CHECK(drop[i - 1] <= drop[i]);
	for (uint32_t i = 0; i < a->n; i++) {
		while (j < n && drop[j] < a->sh->sym[i])
			j++;
		if (j == n || drop[j] != a->sh->sym[i])
			at[k++] = i;
	}
	return subset(a, at, k);
}

W attrs_intersect(W keep, W set)
{
	struct attrs *k = W_PTR(keep), *s = W_PTR(set);
	struct attrs_builder b;
	uint32_t pos;

	/* By look-up from the smaller side, so that a large merged side need not be flattened. */
	int from_keep = k->n <= s->n;
	struct attrs *small = attrs_of(from_keep ? keep : set);
	attrs_builder_init(&b, small->n);
	for (uint32_t i = 0; i < small->n; i++) {
		sym_t y = small->sh->sym[i];
		W *v = attrs_find_pos(from_keep ? set : keep, y, &pos);
		if (v)
			attrs_add(&b, y, from_keep ? pos : small->sh->pos ? small->sh->pos[i] : 0,
				  from_keep ? *v : small->v[i]);
	}
	return attrs_finish(&b);
}

static W file_later(W path, W unused)
{
	struct box_path *p = w_path_text(path);

	(void)unused;
	return w_str(p->b, p->h.n, 0);
}

W position_set(uint32_t pos)
{
	struct source_loc at;
	struct attrs_builder b;

	if (source_locate(pos, &at) || !at.src->path || !at.line)
		return W_NULL;
	attrs_builder_init(&b, 3);
	W path = w_path(at.src->path, strlen(at.src->path));
	attrs_add(&b, SYM_FILE, 0, w_path_is_lazy(path) ? lazy_native(file_later, path, W_NULL) : w_cstr(at.src->path));
	attrs_add(&b, SYM_LINE, 0, w_int(at.line));
	attrs_add(&b, SYM_COLUMN, 0, w_int(at.column));
	return attrs_finish(&b);
}
