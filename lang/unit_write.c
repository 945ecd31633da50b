/* SPDX-License-Identifier: MIT
 *
 * Programs to units.
 *
 * A child that may be left unread is written first and measured then: the four bytes in front of it are taken
 * back when it is too small to be worth a node of its own.
 */
#include "config.h"
#include "base/alloc.h"
#include "lang/unit.h"
#include "lang/unit_int.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* Numbers are written without looking for room: between two nodes, members of an array or strings there are at most 25. */
enum { SLACK = 256 };

struct writer {
	uint8_t *p, *end; /* in `out` */
	const struct source *src;
	const struct scope_env *env;
	const char *stack_end;
	int bad;
	uint32_t last; /* position, relative to the source */
	uint32_t n_withs;
	const struct n_lambda *lambda; /* the innermost */
	uint32_t n_syms;
};

/* The nodes of the unit being written, and its symbols: the memory is for the next as well. */
static uint8_t *out, *out_end;
static sym_t *syms;
static uint32_t syms_cap;

/* The number of each symbol in it, 0 when it has none yet; all 0 between units. */
static uint32_t *numbers, numbers_cap;

static void put_node(struct writer *w, const struct node *n);

/* --- numbers and names --- */

static __attribute__((noinline)) void make_room(struct writer *w, size_t n)
{
	size_t len = (size_t)(w->p - out), room = 2 * len + n + 4096;

	out = xrealloc_array(out, room, 1);
	w->p = out + len;
	w->end = out + room;
}

/* Room for n bytes and SLACK more. */
static inline void have_room(struct writer *w, size_t n)
{
	if (__builtin_expect((size_t)(w->end - w->p) < n + SLACK, 0))
		make_room(w, n + SLACK);
}

static void put_raw(struct writer *w, const void *p, size_t n)
{
	have_room(w, n);
	memcpy(w->p, p, n);
	w->p += n;
}

static inline void put_byte(struct writer *w, unsigned b)
{
	*w->p++ = (uint8_t)b;
}

/* At p; returns what is behind it. */
static inline uint8_t *number_at(uint8_t *p, uint64_t v)
{
	for (; __builtin_expect(v >= 0x80, 0); v >>= 7)
		*p++ = (uint8_t)v | 0x80;
	*p++ = (uint8_t)v;
	return p;
}

static inline void put_number(struct writer *w, uint64_t v)
{
	w->p = number_at(w->p, v);
}

static inline uint64_t with_sign(int64_t v)
{
	return (uint64_t)v << 1 ^ (uint64_t)(v >> 63);
}

static void put_bytes(struct writer *w, const char *p, size_t n)
{
	put_number(w, n);
	put_raw(w, p, n);
}

/* The number for a position. */
static inline uint64_t step_to(struct writer *w, uint32_t pos)
{
	if (!pos)
		return 0;
	uint32_t at = pos - w->src->start, last = w->last;
	if (at > w->src->len)
		w->bad = 1;
	w->last = at;
	return with_sign((int64_t)at - last) + 1;
}

static inline void put_pos(struct writer *w, uint32_t pos)
{
	put_number(w, step_to(w, pos));
}

static void add_symbol(struct writer *w, sym_t s)
{
	if (w->n_syms == syms_cap) {
		syms_cap = 2 * syms_cap + 256;
		syms = xrealloc_array(syms, syms_cap, 2 * sizeof *syms); /* room for sorting */
	}
	syms[w->n_syms++] = s;
	numbers[s] = w->n_syms;
}

static __attribute__((noinline)) void more_numbers(void)
{
	uint32_t cap = sym_count() + 1024;

	numbers = xrealloc_array(numbers, cap, sizeof *numbers);
	memset(numbers + numbers_cap, 0, (cap - numbers_cap) * sizeof *numbers);
	numbers_cap = cap;
}

static inline void put_sym(struct writer *w, sym_t s)
{
	if (s >= numbers_cap)
		more_numbers();
	if (!numbers[s] && s != SYM_NONE)
		add_symbol(w, s);
	put_number(w, numbers[s]);
}

/* --- constants --- */

static void put_box(struct writer *w, W c)
{
	const struct box *b = W_PTR(c);

	switch ((enum box_kind)b->kind) {
	case BOX_INT:
		put_byte(w, UNIT_INT);
		put_number(w, with_sign(((const struct box_int *)b)->i));
		return;
	case BOX_FLOAT:
		put_byte(w, UNIT_FLOAT);
		put_raw(w, &((const struct box_float *)b)->d, sizeof(double));
		return;
	case BOX_PATH:
		put_byte(w, UNIT_PATH);
		put_bytes(w, ((const struct box_path *)b)->b, b->n);
		return;
	case BOX_BUILTIN:
	case BOX_PAP:
		break;
	}
	w->bad = 1;
}

static void put_word(struct writer *w, W c)
{
	sym_t name;

	if (W_TAG(c) == TAG_INT) {
		put_byte(w, UNIT_INT);
		put_number(w, with_sign((int64_t)c >> 3));
	} else if (W_TAG(c) == TAG_CONST) {
		put_byte(w, c == W_NULL ? UNIT_NULL : c == W_TRUE ? UNIT_TRUE : UNIT_FALSE);
	} else if (c == w->env->empty_list || c == w->env->empty_set) {
		put_byte(w, c == w->env->empty_list ? UNIT_EMPTY_LIST : UNIT_EMPTY_SET);
	} else if ((name = w->env->name_of(w->env->arg, c)) != SYM_NONE) {
		put_byte(w, UNIT_GLOBAL);
		put_sym(w, name);
	} else if (W_TAG(c) == TAG_STR) {
		put_byte(w, UNIT_STR);
		put_bytes(w, ((const struct str *)W_PTR(c))->b, ((const struct str *)W_PTR(c))->len);
	} else if (W_TAG(c) == TAG_BOX) {
		put_box(w, c);
	} else {
		w->bad = 1;
	}
}

static void put_const(struct writer *w, const struct node *n)
{
	put_word(w, ((const struct n_const *)n)->w);
}

/* --- children --- */

/* Op, position and span. */
static inline void put_head(struct writer *w, const struct node *n)
{
	have_room(w, 0);
	uint8_t *p = w->p;
	*p++ = n->op;
	p = number_at(p, step_to(w, n->pos));
	w->p = number_at(p, n->span);
}

enum place { IN_BRANCH, IN_ARGUMENT, IN_MEMBER };

/* May something else stand for it?  Where it is put off not for what is made of at once, without a thunk. */
static int may_wait(const struct node *n, enum place where)
{
	if (!n->pos)
		return 0;
	if (where == IN_BRANCH)
		return 1;
	if (n->op <= OP_SELECT1)
		return 0;
	if (n->op == OP_LAMBDA)
		return where == IN_MEMBER;
	if (n->op == OP_LIST)
		return ((const struct n_list *)n)->n > EAGER_MAX;
	if (n->op == OP_ATTRS)
		return ((const struct n_attrs *)n)->n > EAGER_MAX || ((const struct n_attrs *)n)->n_dyn;
	return 1;
}

static void put_unread(struct writer *w, const struct node *n, enum place where)
{
	size_t head = (size_t)(w->p - out), size;

	if (!may_wait(n, where)) {
		put_node(w, n);
		return;
	}
	put_raw(w, "\0\0\0", UNREAD_HEAD);
	put_node(w, n);
	uint8_t *p = out + head;
	size = (size_t)(w->p - p) - UNREAD_HEAD;
	if (size < UNREAD_MIN || size >= (size_t)1 << 24) {
		memmove(p, p + UNREAD_HEAD, size);
		w->p = p + size;
		return;
	}
	p[0] = OP_UNREAD;
	for (unsigned i = 0; i < 3; i++)
		p[i + 1] = (uint8_t)(size >> 8 * i);
	w->last = n->pos - w->src->start; /* where a reader is that skips it */
}

static void put_shape(struct writer *w, const struct n_attrs *a)
{
	const sym_t *sym;
	const uint32_t *pos;

	w->env->shape_names(w->env->arg, a->sh, &sym, &pos);
	/* Its slots are those of its members in the order of this process. */
	if (a->overrides >= 0)
		w->bad = 1;
	for (uint32_t i = 0; i < a->n; i++) {
		have_room(w, 0);
		put_sym(w, sym[i]);
		put_pos(w, pos[i]);
		if (!W_IS_LAZY(a->tmpl[i])) {
			put_byte(w, UNIT_CONSTANT);
			put_word(w, a->tmpl[i]);
		} else {
			put_unread(w, W_LAZY_NODE(a->tmpl[i]), IN_MEMBER);
		}
	}
}

static void put_with_var(struct writer *w, const struct node *n)
{
	const struct n_with_var *x = (const void *)n;

	if (x->n != w->n_withs)
		w->bad = 1;
	put_number(w, x->n);
	put_sym(w, x->sym);
	put_number(w, x->level);
	put_number(w, x->slot);
	for (uint32_t i = 0; i < x->n; i++) {
		have_room(w, 0);
		put_number(w, x->env[i].level);
		put_number(w, x->env[i].slot);
	}
}

static void put_heap(struct writer *w, const struct node *n)
{
	const struct n_heap *x = (const void *)n;

	if (x->l != w->lambda)
		w->bad = 1;
	put_node(w, x->e);
}

/* The left operand is the link before it. */
static void put_link(struct writer *w, const struct n_binary *x)
{
	put_head(w, &x->h);
	put_node(w, x->r);
}

/* --- the forms --- */

#define FORM(name, type) \
	static void put_##name(struct writer *w, const struct node *node) \
	{ \
		const type *x = (const void *)node; \
		(void)x, (void)w;
#define FORM_N(name, type, n, v) FORM(name, type) put_number(w, x->n);
#define END }
#define COUNT(f) put_number(w, x->f);
#define NUMBER(f) put_number(w, x->f);
#define FLAGS(a, b, c) put_byte(w, (unsigned)x->a | (unsigned)x->b << 1 | (unsigned)x->c << 2);
#define LEVEL if (x->h.op == OP_VARN) put_number(w, x->level);
#define SYM(f) put_sym(w, x->f);
#define POS(f) put_pos(w, x->f);
#define NODE(f) put_node(w, x->f);
#define BRANCH(f) put_unread(w, x->f, IN_BRANCH);
#define LATER(f) put_unread(w, x->f, IN_ARGUMENT);
#define MEMBER(f) put_unread(w, x->f, IN_MEMBER);
#define MAYBE(form, f) put_byte(w, x->f != NULL); if (x->f) { form(f) }
#define ARRAY(v, n)
#define EACH(n, ...) for (uint32_t i = 0; i < (n); i++) { have_room(w, 0); __VA_ARGS__ }
#define CODE(...)
#define LINK(i) put_link(w, x->v[i]);
#define SHAPE put_shape(w, x);
#define ENTER const struct n_lambda *outer = w->lambda; w->lambda = x;
#define LEAVE w->lambda = outer;
#define ENTER_WITH w->n_withs++;
#define LEAVE_WITH w->n_withs--;

#include "lang/unit_forms.def"

static void put_node(struct writer *w, const struct node *n)
{
	if ((const char *)__builtin_frame_address(0) < w->stack_end) {
		w->bad = 1;
		return;
	}
	put_head(w, n);
#define PUT(name) put_##name(w, n); have_room(w, 0); return;
	UNIT_FORM_OF(n->op, PUT)
	w->bad = 1;
}

/* --- the unit --- */

static void insert_symbols(uint32_t n)
{
	for (uint32_t i = 1, j; i < n; i++) {
		sym_t s = syms[i];
		for (j = i; j && syms[j - 1] > s; j--)
			syms[j] = syms[j - 1];
		syms[j] = s;
	}
}

/* Into the order in which this process met them, a byte of their numbers after the other. */
static void sort_symbols(uint32_t n)
{
	enum { FEW = 64 };

	if (n <= FEW) {
		insert_symbols(n);
		return;
	}
	for (unsigned shift = 0; shift < 32 && sym_count() >> shift; shift += 8) {
		uint32_t at[257] = { 0 };
		for (uint32_t i = 0; i < n; i++)
			at[(syms[i] >> shift & 0xff) + 1]++;
		for (unsigned i = 1; i < 256; i++)
			at[i] += at[i - 1];
		for (uint32_t i = 0; i < n; i++)
			syms[syms_cap + at[syms[i] >> shift & 0xff]++] = syms[i];
		memcpy(syms, syms + syms_cap, n * sizeof *syms);
	}
}

/* Number, length and name of each symbol. */
static void put_symbols(struct writer *w)
{
	sort_symbols(w->n_syms);
	put_number(w, w->n_syms);
	for (uint32_t i = 0; i < w->n_syms; i++) {
		const struct str *name = sym_name(syms[i]);
		have_room(w, 0);
		put_number(w, numbers[syms[i]] - 1);
		put_number(w, name->len);
		put_raw(w, name->b, name->len);
	}
}

const void *unit_write(const struct node *root, uint32_t nslots, const struct source *src, const struct scope_env *env,
		       const char *stack_end, size_t *n)
{
	struct writer w = { .src = src, .env = env, .stack_end = stack_end, .p = out, .end = out_end };
	uint32_t nodes;

	make_room(&w, UNIT_HEAD);
	w.p += UNIT_HEAD;
	put_number(&w, nslots);
	put_node(&w, root);
	nodes = (uint32_t)(w.p - out);
	memcpy(out, &nodes, sizeof nodes);
	put_symbols(&w);
	for (uint32_t i = 0; i < w.n_syms; i++)
		numbers[syms[i]] = 0;
	out_end = w.end;
	*n = (size_t)(w.p - out);
	return w.bad || *n > UINT32_MAX ? NULL : out;
}
