/* SPDX-License-Identifier: MIT
 *
 * Units to programs.
 *
 * After the first mistake nothing more is read: numbers are 0, children are `null`, and the caller gets NULL.  A count
 * is never larger than the bytes that are left, so what is allocated is bounded by the size of the unit.
 */
#include "config.h"
#include "lang/unit.h"
#include "base/alloc.h"
#include "lang/unit_int.h"

#include <stdlib.h>
#include <string.h>

/* What all nodes of a unit share. */
struct unit {
	sym_t *syms;
	uint32_t n_syms;
	const struct source *src;
	const struct scope_env *env;
	struct arena *mem;
};

/* The withs around a node. */
struct withs {
	struct withs *up;
	const struct n_with *node;
};

struct reader {
	struct unit *u;
	const uint8_t *p, *end;
	const char *stack_end;
	int bad;
	uint32_t last;
	struct withs *withs;
	const struct n_lambda *lambda;
};

/* An n_unread and where its reader goes on.  where: the pointer, or the word of a set's template, that is to
 * become the node's. */
struct rest {
	struct n_unread n;
	struct unit *u;
	const uint8_t *p;
	struct withs *withs;
	const struct n_lambda *lambda;
	void *where;
	uint32_t size;
	int in_word;
};

static const struct n_const nothing = { { OP_CONST, 0, 0, 0 }, W_NULL };

static const struct node *get_node(struct reader *r);

/* --- numbers and names --- */

static uint64_t bad(struct reader *r)
{
	r->bad = 1;
	r->p = r->end;
	return 0;
}

static inline unsigned get_byte(struct reader *r)
{
	return r->p < r->end ? *r->p++ : (unsigned)bad(r);
}

static uint64_t long_number(struct reader *r)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		unsigned b = get_byte(r);
		v |= (uint64_t)(b & 0x7f) << shift;
		if (b < 0x80)
			return v;
	}
	return bad(r);
}

static inline uint64_t get_number(struct reader *r)
{
	if (r->p < r->end && *r->p < 0x80)
		return *r->p++;
	return long_number(r);
}

static inline uint32_t get_u32(struct reader *r)
{
	uint64_t v = get_number(r);

	return v <= UINT32_MAX ? (uint32_t)v : (uint32_t)bad(r);
}

static inline uint32_t get_count(struct reader *r)
{
	uint64_t v = get_number(r);

	return v <= (size_t)(r->end - r->p) ? (uint32_t)v : (uint32_t)bad(r);
}

static inline int64_t unsign(uint64_t v)
{
	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

static inline uint32_t get_pos(struct reader *r)
{
	uint64_t v = get_number(r);

	if (!v)
		return 0;
	uint64_t at = r->last + (uint64_t)unsign(v - 1);
	if (at > r->u->src->len)
		return (uint32_t)bad(r);
	r->last = (uint32_t)at;
	return r->u->src->start + (uint32_t)at;
}

static inline sym_t get_sym(struct reader *r)
{
	uint32_t i = get_u32(r) - 1; /* wraps for SYM_NONE */

	if (i < r->u->n_syms)
		return r->u->syms[i];
	return i == UINT32_MAX ? SYM_NONE : (sym_t)bad(r);
}

static const char *get_bytes(struct reader *r, uint32_t *n)
{
	*n = get_count(r);
	const char *p = (const char *)r->p;
	r->p += *n;
	return p;
}

/* --- constants --- */

static W get_float(struct reader *r)
{
	struct box_float *b = arena_alloc(r->u->mem, sizeof *b);

	b->h.kind = BOX_FLOAT;
	if (r->end - r->p < (ptrdiff_t)sizeof b->d)
		return bad(r), W_NULL;
	memcpy(&b->d, r->p, sizeof b->d);
	r->p += sizeof b->d;
	return w_tag(b, TAG_BOX);
}

static W get_int(struct reader *r)
{
	int64_t i = unsign(get_number(r));

	if (int_fits(i))
		return w_small(i);
	struct box_int *b = arena_alloc(r->u->mem, sizeof *b);
	b->h.kind = BOX_INT;
	b->i = i;
	return w_tag(b, TAG_BOX);
}

static W get_str(struct reader *r)
{
	uint32_t n;
	const char *p = get_bytes(r, &n);
	struct str *s = arena_alloc(r->u->mem, sizeof *s + n + 1);

	s->len = n;
	memcpy(s->b, p, n);
	return w_tag(s, TAG_STR);
}

static W get_path(struct reader *r)
{
	uint32_t n;
	const char *p = get_bytes(r, &n);
	struct box_path *b = arena_alloc(r->u->mem, sizeof *b + n + 1);

	b->h = (struct box){ BOX_PATH, n };
	memcpy(b->b, p, n);
	return w_tag(b, TAG_BOX);
}

static W get_global(struct reader *r)
{
	W w = r->u->env->global(r->u->env->arg, get_sym(r));

	return w == W_ABSENT ? bad(r), W_NULL : w;
}

static W get_word(struct reader *r)
{
	switch ((enum unit_word)get_byte(r)) {
	case UNIT_NULL: return W_NULL;
	case UNIT_FALSE: return W_FALSE;
	case UNIT_TRUE: return W_TRUE;
	case UNIT_INT: return get_int(r);
	case UNIT_FLOAT: return get_float(r);
	case UNIT_STR: return get_str(r);
	case UNIT_PATH: return get_path(r);
	case UNIT_EMPTY_LIST: return r->u->env->empty_list;
	case UNIT_EMPTY_SET: return r->u->env->empty_set;
	case UNIT_GLOBAL: return get_global(r);
	}
	return bad(r), W_NULL;
}

/* --- children --- */

static void *node_new(struct reader *r, size_t size, struct node h)
{
	struct node *n = arena_alloc(r->u->mem, size);

	*n = h;
	return n;
}

static struct node *get_const(struct reader *r, struct node h)
{
	struct n_const *x = node_new(r, sizeof *x, h);

	x->w = get_word(r);
	return &x->h;
}

/* Op, position and span of a node. */
static inline struct node get_head(struct reader *r)
{
	struct node h = { .op = (uint8_t)get_byte(r) };

	h.pos = get_pos(r);
	uint64_t span = get_number(r);
	h.span = span <= UINT16_MAX ? (uint16_t)span : (uint16_t)bad(r);
	return h;
}

static const struct node *put_aside(struct reader *r, const struct node **where)
{
	uint32_t size = 0;

	for (unsigned i = 0; i < UNREAD_HEAD; i++)
		size |= get_byte(r) << 8 * i;
	size >>= 8;
	if (size > (size_t)(r->end - r->p))
		return bad(r), &nothing.h;
	struct rest *x = arena_alloc(r->u->mem, sizeof *x);
	const uint8_t *end = r->p + size;
	x->n.h = get_head(r);
	if (x->n.h.op >= OP_COUNT || !x->n.h.pos)
		bad(r);
	x->n.h.flags = x->n.h.op;
	x->n.h.op = OP_UNREAD;
	x->p = r->p;
	x->u = r->u;
	x->withs = r->withs;
	x->lambda = r->lambda;
	x->where = where;
	if (r->p > end)
		bad(r);
	x->size = r->bad ? 0 : (uint32_t)(end - r->p);
	r->p = r->bad ? r->end : end;
	return &x->n.h;
}

static inline const struct node *get_unread(struct reader *r, const struct node **where)
{
	return r->p < r->end && *r->p == OP_UNREAD ? put_aside(r, where) : get_node(r);
}

/* --- what is in order of symbols, which is another in each process --- */

struct member {
	sym_t sym;
	uint32_t pos;
	W w;
};

static int by_symbol(const void *a, const void *b)
{
	sym_t x = *(const sym_t *)a, y = *(const sym_t *)b;

	return x < y ? -1 : x > y;
}

static void sort_by_symbol(void *v, uint32_t n, size_t size)
{
	for (uint32_t i = 1; i < n; i++)
		if (by_symbol((char *)v + (i - 1) * size, (char *)v + i * size) > 0) {
			qsort(v, n, size, by_symbol);
			return;
		}
}

static W get_member(struct reader *r)
{
	if (r->p < r->end && *r->p == UNIT_CONSTANT) {
		r->p++;
		return get_word(r);
	}
	return W_LAZY(get_unread(r, NULL));
}

static void get_shape(struct reader *r, struct n_attrs *a)
{
	enum { FEW = 32 };
	struct member few[FEW], *v = a->n <= FEW ? few : xmalloc(a->n * sizeof *v);
	sym_t *sym = arena_alloc(r->u->mem, (a->n + 1) * sizeof *sym);
	uint32_t *pos = arena_alloc(r->u->mem, (a->n + 1) * sizeof *pos);

	for (uint32_t i = 0; i < a->n; i++) {
		v[i].sym = get_sym(r);
		v[i].pos = get_pos(r);
		v[i].w = get_member(r);
	}
	sort_by_symbol(v, a->n, sizeof *v);
	a->tmpl = arena_alloc(r->u->mem, (a->n + 1) * sizeof *a->tmpl);
	for (uint32_t i = 0; i < a->n; i++) {
		sym[i] = v[i].sym;
		pos[i] = v[i].pos;
		a->tmpl[i] = v[i].w;
		if (W_IS_LAZY(v[i].w) && W_LAZY_NODE(v[i].w)->op == OP_UNREAD) {
			struct rest *x = (struct rest *)W_LAZY_NODE(v[i].w);
			x->where = &a->tmpl[i];
			x->in_word = 1;
		}
	}
	if (v != few)
		free(v);
	a->overrides = -1;
	a->sh = r->u->env->shape(r->u->env->arg, sym, pos, a->n);
}

static void sort_formals(struct n_lambda *l)
{
	_Static_assert(offsetof(struct n_formal, sym) == 0 && offsetof(struct member, sym) == 0, "for by_symbol");
	sort_by_symbol(l->formals, l->n_formals, sizeof *l->formals);
}

/* --- with, and frames moved to the heap --- */

static void enter_with(struct reader *r, const struct n_with *n)
{
	struct withs *w = arena_alloc(r->u->mem, sizeof *w);

	*w = (struct withs){ r->withs, n };
	r->withs = w;
}

static struct node *get_with_var(struct reader *r, struct node h)
{
	uint32_t n = get_count(r);
	struct n_with_var *x = node_new(r, sizeof *x + n * sizeof *x->env, h);
	const struct withs *w = r->withs;

	x->n = n;
	x->sym = get_sym(r);
	x->level = get_u32(r);
	x->slot = get_u32(r);
	for (uint32_t i = 0; i < n && w; i++, w = w->up) {
		x->env[i].level = get_u32(r);
		x->env[i].slot = get_u32(r);
		x->env[i].with = w->node;
	}
	if (n && !x->env[n - 1].with)
		bad(r);
	return &x->h;
}

static struct node *get_heap(struct reader *r, struct node h)
{
	struct n_heap *x = node_new(r, sizeof *x, h);

	if (!(x->l = r->lambda))
		bad(r);
	x->e = get_node(r);
	return &x->h;
}

/* A link of a chain, behind what is left of it. */
static const struct n_binary *get_link(struct reader *r, const struct node *l)
{
	struct node h = get_head(r);
	struct n_binary *x = node_new(r, sizeof *x, h);

	x->l = l;
	x->r = get_node(r);
	return x;
}

/* --- the forms --- */

#define FORM(name, type) \
	static struct node *get_##name(struct reader *r, struct node h) \
	{ \
		type *x = node_new(r, sizeof *x, h);
#define FORM_N(name, type, n_, v) \
	static struct node *get_##name(struct reader *r, struct node h) \
	{ \
		uint32_t n_##v = get_count(r); \
		type *x = node_new(r, sizeof *x + n_##v * sizeof *x->v, h); \
		x->n_ = n_##v;
#define END return &x->h; }
#define COUNT(f) x->f = get_count(r);
#define NUMBER(f) x->f = get_u32(r);
#define FLAGS(a, b, c) unsigned flags = get_byte(r); x->a = flags & 1; x->b = flags >> 1 & 1; x->c = flags >> 2 & 1;
#define LEVEL x->level = h.op == OP_VARN ? get_u32(r) : (uint32_t)(h.op - OP_VAR0);
#define SYM(f) x->f = get_sym(r);
#define POS(f) x->f = get_pos(r);
#define NODE(f) x->f = get_node(r);
#define BRANCH(f) x->f = get_unread(r, &x->f);
#define LATER(f) x->f = get_unread(r, &x->f);
#define MEMBER(f) x->f = get_unread(r, &x->f);
#define MAYBE(form, f) if (get_byte(r)) { form(f) }
#define ARRAY(v, n) x->v = arena_alloc(r->u->mem, ((size_t)x->n + 1) * sizeof *x->v);
#define EACH(n, ...) for (uint32_t i = 0; i < (n); i++) { __VA_ARGS__ }
#define CODE(...) __VA_ARGS__;
#define LINK(i) x->v[i] = get_link(r, i ? &x->v[i - 1]->h : x->first);
#define SHAPE get_shape(r, x);
#define ENTER const struct n_lambda *outer = r->lambda; r->lambda = x;
#define LEAVE r->lambda = outer;
#define ENTER_WITH struct withs *outer = r->withs; enter_with(r, x);
#define LEAVE_WITH r->withs = outer;

#include "lang/unit_forms.def"

/* What stands behind the head h. */
static const struct node *get_form(struct reader *r, struct node h)
{
	if (r->bad || (const char *)__builtin_frame_address(0) < r->stack_end)
		return bad(r), &nothing.h;
#define GET(name) return get_##name(r, h);
	UNIT_FORM_OF(h.op, GET)
	return bad(r), &nothing.h;
}

static const struct node *get_node(struct reader *r)
{
	return get_form(r, get_head(r));
}

/* --- the unit --- */

/* All symbols at once and in the order in which they were met when the text was read, so that their order, on
 * which the order of what nobody sees depends, is as if it had been read now. */
static void get_symbols(struct reader *r)
{
	struct unit *u = r->u;

	u->n_syms = get_count(r);
	u->syms = arena_alloc(u->mem, (u->n_syms + 1) * sizeof *u->syms);
	for (uint32_t i = 0; i < u->n_syms; i++) {
		uint32_t number = get_u32(r), n;
		const char *name = get_bytes(r, &n);
		if (number < u->n_syms)
			u->syms[number] = sym_intern(name, n);
		else
			bad(r);
	}
}

const struct node *unit_read(const void *p, size_t n, const struct source *src, const struct scope_env *env,
			     struct arena *mem, const char *stack_end, uint32_t *nslots)
{
	struct unit *u = arena_alloc(mem, sizeof *u);
	const uint8_t *begin = p;
	struct reader r = { .u = u, .end = begin + n, .stack_end = stack_end };
	uint32_t nodes;

	*u = (struct unit){ .src = src, .env = env, .mem = mem };
	if (n < UNIT_HEAD)
		return NULL;
	memcpy(&nodes, begin, sizeof nodes);
	if (nodes < UNIT_HEAD || nodes > n)
		return NULL;
	r.p = begin + nodes;
	get_symbols(&r);
	if (r.bad || r.p != r.end)
		return NULL;
	r.p = begin + UNIT_HEAD;
	r.end = begin + nodes;
	*nslots = get_u32(&r);
	const struct node *root = get_node(&r);
	return r.bad || r.p != r.end ? NULL : root;
}

const struct node *unit_read_rest(const struct node *unread, const char *stack_end)
{
	struct rest *x = (struct rest *)unread;
	struct node h = x->n.h;
	struct reader r = { .u = x->u, .p = x->p, .end = x->p + x->size, .stack_end = stack_end, .withs = x->withs,
			    .lambda = x->lambda, .last = h.pos - x->u->src->start };

	h.op = h.flags;
	h.flags = 0;
	const struct node *n = get_form(&r, h);
	if (r.bad || r.p != r.end)
		return NULL;
	/* Formals may have been moved since. */
	if (x->in_word && *(W *)x->where == W_LAZY(unread))
		*(W *)x->where = W_LAZY(n);
	else if (!x->in_word && x->where && *(const struct node **)x->where == unread)
		*(const struct node **)x->where = n;
	return x->n.real = n;
}
