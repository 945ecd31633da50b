/* SPDX-License-Identifier: MIT
 *
 * One function for each kind of node: ev_X gives its value in a frame, and dl_X a word for it without
 * evaluating (a thunk, unless something cheaper is at hand: constants, variables, functions, small
 * lists and sets, whose construction cannot fail, and selections from what is already evaluated).
 *
 * Branches of if, bodies of let, with and assert are tail calls in C, so they use no stack.
 */
#include "config.h"
#include "eval/attrs.h"
#include "eval/builtin.h"
#include "eval/coerce.h"
#include "eval/compare.h"
#include "eval/list.h"
#include "eval/ops.h"
#include "eval/show.h"
#include "eval/state.h"
#include "lang/mistake.h"
#include "lang/unit.h"

#include <string.h>

/* Reading the deepest node takes less. */
enum { UNREAD_STACK = 16 << 20 };

/* --- constants and variables --- */

static W ev_constant(const struct node *n, struct frame *f)
{
	(void)f;
	return force(((const struct n_const *)n)->w);
}

static W dl_constant(const struct node *n, struct frame *f)
{
	(void)f;
	return ((const struct n_const *)n)->w;
}

static inline struct frame *up(struct frame *f, uint32_t level)
{
	while (level--)
		f = f->up;
	return f;
}

static inline W ev_slot(struct frame *f, const struct node *n)
{
	W *slot = &f->s[((const struct n_var *)n)->slot], w = *slot;

	return __builtin_expect(w_is_value(w), 1) ? w : read_slot(slot, f, n);
}

static W ev_var0(const struct node *n, struct frame *f)
{
	return ev_slot(f, n);
}

static W ev_var1(const struct node *n, struct frame *f)
{
	return ev_slot(f->up, n);
}

static W ev_var2(const struct node *n, struct frame *f)
{
	return ev_slot(f->up->up, n);
}

static W ev_varn(const struct node *n, struct frame *f)
{
	return ev_slot(up(f, ((const struct n_var *)n)->level), n);
}

W read_variable(W g, W var)
{
	struct frame *f = (struct frame *)(uintptr_t)g;
	const struct n_var *n = (const struct n_var *)(uintptr_t)var;

	return read_slot(&f->s[n->slot], f, &n->h);
}

static W dl_var(const struct node *n, struct frame *f)
{
	struct frame *g = up(f, ((const struct n_var *)n)->level);
	W *slot = &g->s[((const struct n_var *)n)->slot], w = *slot;

	if (w_is_value(w))
		return w;
	w = share_slot(slot, g);
	/* Being filled in right now: whoever reads the word later finds the value in the slot.  g, unlike f, is surely
	 * not on the C stack: it holds a mark. */
	return w == W_HOLE ? lazy_native(read_variable, (W)(uintptr_t)g, (W)(uintptr_t)n) : w;
}

/* The word in a variable's slot, W_ABSENT while it is not made. */
static W peek_var(const struct node *n, struct frame *f)
{
	W w = up(f, ((const struct n_var *)n)->level)->s[((const struct n_var *)n)->slot];

	return w_is_value(w) || W_TAG(w) == TAG_THUNK ? w : W_ABSENT;
}

/* --- with --- */

static W with_set(const struct n_with *n, W *slot)
{
	W w = force_at(slot);

	if (W_TAG(w) != TAG_ATTRS)
		throw_node_type(n->env, "a set after 'with'", w);
	return w;
}

static void offer_names(struct suggest *s, W set)
{
	struct attrs *a = attrs_of(set);

	for (uint32_t i = 0; i < a->n; i++) {
		const struct str *name = sym_name(a->sh->sym[i]);
		suggest_offer(s, name->b, name->len);
	}
}

static __attribute__((noreturn, cold)) void with_undefined(const struct n_with_var *v, struct frame *f)
{
	const struct str *name = sym_name(v->sym);
	struct suggest near;
	struct buf hint = BUF_GC;

	suggest_init(&near, name->b, name->len);
	for (uint32_t i = 0; i < v->n; i++)
		offer_names(&near, up(f, v->env[i].level)->s[v->env[i].slot]);
	mistake_variable(&hint, v->sym, v->h.pos);
	if (near.best && !hint.len)
		suggest_ask(&near, &hint);
	throw_hint(EK_EVAL, v->h.pos, v->h.span, hint.len ? buf_str(&hint) : NULL, "undefined variable '%s'", name->b);
}

static W ev_with_var(const struct node *n, struct frame *f)
{
	const struct n_with_var *v = (const void *)n;
	W *memo = &up(f, v->level)->s[v->slot];

	if (*memo)
		return w_is_value(*memo) ? *memo : (*memo = force_by(*memo, n));
	for (uint32_t i = 0; i < v->n; i++) {
		W set = with_set(v->env[i].with, &up(f, v->env[i].level)->s[v->env[i].slot]);
		W *p = attrs_find(set, v->sym);
		if (p)
			return *memo = *p = force_by(*p, n);
	}
	with_undefined(v, f);
}

static W dl_with_var(const struct node *n, struct frame *f)
{
	const struct n_with_var *v = (const void *)n;
	W w = up(f, v->level)->s[v->slot];

	return w ? w_peek(w) : thunk_new(n, f);
}

static W ev_with(const struct node *n, struct frame *f)
{
	const struct n_with *w = (const void *)n;

	f->s[w->slot] = delay(w->env, f);
	return ev(w->body, f);
}

/* --- positions --- */

static W ev_curpos(const struct node *n, struct frame *f)
{
	(void)f;
	return position_set(n->pos);
}

/* --- attribute paths --- */

/* A computed name; pos and span are its own. */
static sym_t name_symbol(W w, uint32_t pos, uint32_t span)
{
	if (!w_is_str(w))
		throw_at(EK_EVAL, pos, span, "expected a string for an attribute name but found %s: %s", show_type(w),
			 show_brief(w));
	if (w_get_str(w)->ctx)
		throw_hint(EK_EVAL, pos, span, "builtins.unsafeDiscardStringContext gives the text alone",
			   "the attribute name %s is not allowed to refer to a store path", show_brief(w));
	return word_symbol(w);
}

static sym_t step_symbol(const struct n_step *s, struct frame *f)
{
	return s->name ? name_symbol(ev(s->name, f), s->pos, s->span) : s->sym;
}

/* What a member of a set is; n asks for it. */
static inline W slot_value(W *p, const struct node *n)
{
	return w_is_value(*p) ? *p : (*p = force_by(*p, n));
}

static W ev_select1(const struct node *n, struct frame *f)
{
	struct n_select1 *s = (struct n_select1 *)n;
	W set = ev(s->e, f);

	if (__builtin_expect(W_TAG(set) != TAG_ATTRS, 0))
		throw_not_a_set(set, s->sym, n, s->e);
	W *p = attrs_find_hint(set, s->sym, &s->hint);
	if (__builtin_expect(!p, 0))
		throw_missing_attr(set, s->sym, s->sym_pos, s->sym_span);
	return w_is_value(*p) ? *p : (*p = force_by(*p, n));
}

/* Without evaluating: the attribute's word, when the set is there already and has it. */
static W dl_select1(const struct node *n, struct frame *f)
{
	struct n_select1 *s = (struct n_select1 *)n;

	if (s->e->op >= OP_VAR0 && s->e->op <= OP_VARN) {
		W set = w_peek(peek_var(s->e, f));
		W *p = W_TAG(set) == TAG_ATTRS ? attrs_peek_hint(set, s->sym, &s->hint) : NULL;
		if (p && *p != W_HOLE)
			return w_peek(*p);
	}
	return thunk_new(n, f);
}

static W peek_member(W set, sym_t sym)
{
	uint32_t hint = 0;
	W *p = W_TAG(set) == TAG_ATTRS ? attrs_peek_hint(set, sym, &hint) : NULL;

	return p && *p != W_HOLE ? w_peek(*p) : W_ABSENT;
}

static W peek_path(const struct n_select *s, struct frame *f)
{
	W w = peek_value(s->e, f);

	for (uint32_t i = 0; i < s->n; i++)
		w = s->v[i].name ? W_ABSENT : peek_member(w, s->v[i].sym);
	return w;
}

W peek_value(const struct node *n, struct frame *f)
{
	W w = W_ABSENT;

	if (n->op >= OP_VAR0 && n->op <= OP_VARN) {
		w = w_peek(peek_var(n, f));
	} else if (n->op == OP_WITH_VAR) {
		const struct n_with_var *v = (const void *)n;
		w = up(f, v->level)->s[v->slot];
		w = w ? w_peek(w) : W_ABSENT;
	} else if (n->op == OP_SELECT1) {
		w = peek_member(peek_value(((const struct n_select1 *)n)->e, f), ((const struct n_select1 *)n)->sym);
	} else if (n->op == OP_SELECT) {
		w = peek_path((const struct n_select *)n, f);
	}
	return w_is_value(w) ? w : W_ABSENT;
}

/* A dynamic name is evaluated before the set it is looked up in is, save the first. */
static W ev_select(const struct node *n, struct frame *f)
{
	struct n_select *s = (struct n_select *)n;
	W w = ev(s->e, f), *p = NULL;

	for (uint32_t i = 0; i < s->n; i++) {
		struct n_step *st = &s->v[i];
		sym_t sym = step_symbol(st, f);
		if (p)
			w = slot_value(p, n);
		if (W_TAG(w) != TAG_ATTRS) {
			if (s->def)
				return ev(s->def, f);
			throw_not_a_set(w, sym, n, i ? NULL : s->e);
		}
		p = attrs_find_hint(w, sym, &st->hint);
		if (!p) {
			if (s->def)
				return ev(s->def, f);
			throw_missing_attr(w, sym, st->pos, st->span);
		}
	}
	return slot_value(p, n);
}

static W ev_hasattr(const struct node *n, struct frame *f)
{
	struct n_select *s = (struct n_select *)n;
	struct n_step *st = s->v, *last = st + s->n - 1;
	W w = ev(s->e, f), *p;

	for (; st < last; st++) {
		sym_t sym = step_symbol(st, f);
		if (W_TAG(w) != TAG_ATTRS || !(p = attrs_find_hint(w, sym, &st->hint)))
			return W_FALSE;
		w = slot_value(p, n);
	}
	/* The last step looks and makes nothing. */
	sym_t sym = step_symbol(last, f);
	return W_BOOL(W_TAG(w) == TAG_ATTRS && attrs_has(w, sym, &last->hint));
}

/* --- sets and lists --- */

static void fill_slots(const struct n_slot *v, uint32_t n, struct frame *f)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct node *x = v[i].v;
		/* Constants and functions cost no more made now; the rest waits in its slot. */
		f->s[v[i].slot] = x->op == OP_CONST || x->op == OP_LAMBDA ? delay(x, f) : W_LAZY(x);
	}
}

static struct attrs *literal(const struct n_attrs *a, struct frame *f, int lazy)
{
	if (!a->n)
		return W_PTR(w_attrs_empty());
	if (lazy) {
		struct attrs *s = attrs_alloc_lazy(a->sh, a->n, f);
		memcpy(s->v, a->tmpl, a->n * sizeof(W));
		return s;
	}
	struct attrs *s = attrs_alloc(a->sh, a->n);
	for (uint32_t i = 0; i < a->n; i++) {
		W w = a->tmpl[i];
		s->v[i] = W_IS_LAZY(w) ? delay(W_LAZY_NODE(w), f) : w;
	}
	return s;
}

/* Which entry of a builder has a name: looked for one by one while there are few, else in a table of entry + 1. */
struct names {
	const struct attrs_builder *b;
	uint32_t *table, mask, known; /* entries in the table so far */
};

enum { NAMES_FEW = 16 };

static void names_init(struct names *t, const struct attrs_builder *b, uint32_t n)
{
	*t = (struct names){ .b = b };
	if (n <= NAMES_FEW)
		return;
	for (t->mask = 63; t->mask < 2 * (uint64_t)n && t->mask < UINT32_MAX; t->mask = 2 * t->mask + 1)
		;
	size_t size = mem_size((size_t)t->mask + 1, sizeof *t->table, 0);
	t->table = memset(mem_bytes(size), 0, size);
}

static uint32_t *names_slot(const struct names *t, sym_t s)
{
	uint32_t i = s * 0x9e3779b1u & t->mask;

	while (t->table[i] && t->b->e[t->table[i] - 1].sym != s)
		i = (i + 1) & t->mask;
	return &t->table[i];
}

/* The entry of name s, NULL when there is none. */
static const struct attr_entry *names_find(struct names *t, sym_t s)
{
	if (!t->table) {
		for (uint32_t i = 0; i < t->b->n; i++)
			if (t->b->e[i].sym == s)
				return &t->b->e[i];
		return NULL;
	}
	for (; t->known < t->b->n; t->known++)
		*names_slot(t, t->b->e[t->known].sym) = t->known + 1;
	uint32_t i = *names_slot(t, s);
	return i ? &t->b->e[i - 1] : NULL;
}

/* The name of a dynamic attribute, SYM_NONE for null: then there is no attribute. */
static sym_t dynamic_name(const struct n_dyn *d, struct frame *f)
{
	W w = ev(d->name, f);

	return w == W_NULL ? SYM_NONE : name_symbol(w, d->pos, d->span);
}

/* Adds { ${name} = value; } bindings to a finished static part. */
static W add_dynamic(const struct n_attrs *a, W set, struct frame *f)
{
	struct attrs *base = attrs_of(set);
	struct attrs_builder b;
	struct names names;

	attrs_builder_init(&b, base->n + a->n_dyn);
	names_init(&names, &b, base->n + a->n_dyn);
	for (uint32_t i = 0; i < base->n; i++)
		attrs_add(&b, base->sh->sym[i], base->sh->pos ? base->sh->pos[i] : 0, base->v[i]);
	for (uint32_t i = 0; i < a->n_dyn; i++) {
		const struct n_dyn *d = &a->dyn[i];
		sym_t s = dynamic_name(d, f);
		if (!s)
			continue;
		const struct attr_entry *earlier = names_find(&names, s);
		if (earlier)
			throw_duplicate_attr(s, d->pos, d->span, earlier->pos);
		attrs_add(&b, s, d->pos, delay(d->v, f));
	}
	return attrs_finish(&b);
}

static W ev_attrs(const struct node *n, struct frame *f)
{
	const struct n_attrs *a = (const void *)n;

	fill_slots(a->slots, a->n_slots, f);
	W w = w_attrs(literal(a, f, a->n_lazy >= 3));
	return a->n_dyn ? add_dynamic(a, w, f) : w;
}

static W dl_attrs(const struct node *n, struct frame *f)
{
	const struct n_attrs *a = (const void *)n;

	return a->n_dyn || a->n > EAGER_MAX ? thunk_new(n, f) : ev_attrs(n, f);
}

/* `__overrides` of a rec set replaces members, for the set and for what its members see. */
static W apply_overrides(const struct n_attrs *a, W set, struct frame *f)
{
	W *slot = &f->s[a->overrides], over = read_slot(slot, f, &a->h);

	if (W_TAG(over) != TAG_ATTRS)
		throw_node_type(&a->h, "a set for '__overrides'", over);
	for (uint32_t i = 0; i < a->n; i++) {
		W *p = attrs_find(over, a->sh->sym[i]);
		if (p)
			f->s[i] = *p;
	}
	return attrs_update(set, over);
}

static W ev_rec(const struct node *n, struct frame *f)
{
	const struct n_attrs *a = (const void *)n;
	struct frame *g = frame_new(a->nslots, f);

	fill_slots(a->slots, a->n_slots, g);
	W w = w_attrs(literal(a, g, 1));
	if (a->overrides >= 0)
		w = apply_overrides(a, w, g);
	return a->n_dyn ? add_dynamic(a, w, g) : w;
}

static W ev_list(const struct node *n, struct frame *f)
{
	const struct n_list *x = (const void *)n;
	struct list *l = list_new(x->n);

	for (uint32_t i = 0; i < x->n; i++)
		l->e[i] = delay(x->v[i], f);
	return w_list(l);
}

static W dl_list(const struct node *n, struct frame *f)
{
	return ((const struct n_list *)n)->n > EAGER_MAX ? thunk_new(n, f) : ev_list(n, f);
}

/* --- binding and control --- */

static W ev_lambda(const struct node *n, struct frame *f)
{
	struct closure *c = alloc(sizeof *c);

	c->l = (const struct n_lambda *)n;
	c->env = f;
	return w_tag(c, TAG_CLOSURE);
}

static W ev_let(const struct node *n, struct frame *f)
{
	const struct n_let *l = (const void *)n;

	fill_slots(l->v, l->n, f);
	return ev(l->body, f);
}

static W ev_frame(const struct node *n, struct frame *f)
{
	const struct n_frame *x = (const void *)n;

	return ev(x->body, frame_new(x->nslots, f));
}

static W ev_heap(const struct node *n, struct frame *f)
{
	const struct n_heap *x = (const void *)n;
	struct frame *g = frame_new(x->l->nslots, f->up);

	memcpy(g->s, f->s, x->l->nparams * sizeof(W));
	return ev(x->e, g);
}

static W ev_check(const struct node *n, struct frame *f)
{
	check_stack();
	return ev(((const struct n_unary *)n)->e, f);
}

static inline int truth(const struct node *n, struct frame *f, const char *where)
{
	W w = ev(n, f);

	if (__builtin_expect(!w_is_bool(w), 0))
		throw_not_boolean(n, where, w);
	return w == W_TRUE;
}

static W ev_if(const struct node *n, struct frame *f)
{
	const struct n_if *x = (const void *)n;

	return ev(truth(x->cond, f, "as the condition of 'if'") ? x->then : x->else_, f);
}

static W ev_assert(const struct node *n, struct frame *f)
{
	const struct n_assert *x = (const void *)n;

	if (!truth(x->cond, f, "as the condition of 'assert'"))
		throw_assertion(n, x->cond, f);
	return ev(x->body, f);
}

/* --- Boolean operators --- */

static W ev_not(const struct node *n, struct frame *f)
{
	return W_BOOL(!truth(((const struct n_unary *)n)->e, f, "after '!'"));
}

static W ev_and(const struct node *n, struct frame *f)
{
	const struct n_binary *b = (const void *)n;

	return W_BOOL(truth(b->l, f, "left of '&&'") && truth(b->r, f, "right of '&&'"));
}

static W ev_or(const struct node *n, struct frame *f)
{
	const struct n_binary *b = (const void *)n;

	return W_BOOL(truth(b->l, f, "left of '||'") || truth(b->r, f, "right of '||'"));
}

static W ev_impl(const struct node *n, struct frame *f)
{
	const struct n_binary *b = (const void *)n;

	return W_BOOL(!truth(b->l, f, "left of '->'") || truth(b->r, f, "right of '->'"));
}

/* --- comparison --- */

static inline int equal(const struct node *n, struct frame *f)
{
	const struct n_binary *b = (const void *)n;
	W l = ev(b->l, f), r = ev(b->r, f);

	if (W_TAG(l) == TAG_INT && W_TAG(r) == TAG_INT)
		return l == r;
	return value_equal(l, r);
}

static W ev_eq(const struct node *n, struct frame *f)
{
	return W_BOOL(equal(n, f));
}

static W ev_ne(const struct node *n, struct frame *f)
{
	return W_BOOL(!equal(n, f));
}

static inline int less(const struct node *n, W a, W b)
{
	if (W_TAG(a) == TAG_INT && W_TAG(b) == TAG_INT)
		return (int64_t)a < (int64_t)b;
	return less_slow(n, a, b);
}

static W ev_lt(const struct node *n, struct frame *f)
{
	const struct n_binary *b = (const void *)n;
	W l = ev(b->l, f), r = ev(b->r, f);

	return W_BOOL(less(n, l, r));
}

static W ev_ge(const struct node *n, struct frame *f)
{
	const struct n_binary *b = (const void *)n;
	W l = ev(b->l, f), r = ev(b->r, f);

	return W_BOOL(!less(n, l, r));
}

/* a > b is b < a, in that order of evaluation too. */
static W ev_gt(const struct node *n, struct frame *f)
{
	const struct n_binary *b = (const void *)n;
	W r = ev(b->r, f), l = ev(b->l, f);

	return W_BOOL(less(n, r, l));
}

static W ev_le(const struct node *n, struct frame *f)
{
	const struct n_binary *b = (const void *)n;
	W r = ev(b->r, f), l = ev(b->l, f);

	return W_BOOL(!less(n, r, l));
}

/* --- arithmetic --- */

static W ev_add(const struct node *n, struct frame *f)
{
	const struct n_binary *b = (const void *)n;
	W l = ev(b->l, f);

	if (__builtin_expect(W_TAG(l) != TAG_INT && W_TAG(l) != TAG_STR, 0))
		return add_to_other(n, l, f);
	W r = ev(b->r, f);
	/* Both tags are 1: the sum of the words less one tag is the sum, unless it overflows 61 bits. */
	int64_t sum;
	if (W_TAG(l) == TAG_INT && W_TAG(r) == TAG_INT &&
	    !__builtin_add_overflow((int64_t)l, (int64_t)(r - TAG_INT), &sum))
		return (W)sum;
	return add_values(n, l, r);
}

static W ev_sub(const struct node *n, struct frame *f)
{
	const struct n_binary *b = (const void *)n;
	W l = ev(b->l, f), r = ev(b->r, f);

	int64_t d;
	if (W_TAG(l) == TAG_INT && W_TAG(r) == TAG_INT &&
	    !__builtin_sub_overflow((int64_t)l, (int64_t)(r - TAG_INT), &d))
		return (W)d;
	return arith(n, '-', l, r);
}

static W ev_mul(const struct node *n, struct frame *f)
{
	const struct n_binary *b = (const void *)n;
	W l = ev(b->l, f), r = ev(b->r, f);

	return arith(n, '*', l, r);
}

static W ev_div(const struct node *n, struct frame *f)
{
	const struct n_binary *b = (const void *)n;
	W l = ev(b->l, f), r = ev(b->r, f);

	return arith(n, '/', l, r);
}

static W ev_neg(const struct node *n, struct frame *f)
{
	return arith(n, '-', w_small(0), ev(((const struct n_unary *)n)->e, f));
}

/* --- sets, lists, strings --- */

/* The right side first, as newer Nix does. */
static W ev_update(const struct node *n, struct frame *f)
{
	const struct n_binary *b = (const void *)n;
	W r = ev(b->r, f);

	if (W_TAG(r) != TAG_ATTRS)
		throw_node_type(b->r, "a set right of '//'", r);
	W l = ev(b->l, f);
	if (W_TAG(l) != TAG_ATTRS)
		throw_node_type(b->l, "a set left of '//'", l);
	return attrs_update(l, r);
}

static W ev_concat(const struct node *n, struct frame *f)
{
	const struct n_binary *b = (const void *)n;
	W l = ev(b->l, f), r = ev(b->r, f);

	if (W_TAG(l) != TAG_LIST)
		throw_node_type(b->l, "a list left of '++'", l);
	if (W_TAG(r) != TAG_LIST)
		throw_node_type(b->r, "a list right of '++'", r);
	return list_concat(l, r);
}

static W ev_interp(const struct node *n, struct frame *f)
{
	return interpolate((const struct n_interp *)n, f);
}

static W ev_path(const struct node *n, struct frame *f)
{
	return interpolate_path((const struct n_interp *)n, f);
}

/* --- what is not read yet --- */

static __attribute__((noreturn, cold)) void unreadable(const struct node *n)
{
	/* Its bytes were checked as a whole when the file was imported: what can be short is the stack. */
	if ((char *)__builtin_frame_address(0) - es.stack_floor < UNREAD_STACK)
		throw_node(EK_STACK, n, "stack overflow; possible infinite recursion");
	throw_node(EK_IO, n, "the compiled form of this file is damaged");
}

static W ev_unread(const struct node *n, struct frame *f)
{
	const struct node *real = ((const struct n_unread *)n)->real;

	if (!real && !(real = unit_read_rest(n, es.stack_floor)))
		unreadable(n);
	return ev(real, f);
}

/* A function is one at once, the rest has to wait in any case. */
static W dl_unread(const struct node *n, struct frame *f)
{
	const struct node *real = ((const struct n_unread *)n)->real;

	if (!real && n->flags == OP_LAMBDA)
		real = unit_read_rest(n, es.stack_floor);
	return real ? delay(real, f) : thunk_new(n, f);
}

#define ev_call call_node
#define ev_chain chain_node
#define dl_thunk thunk_new
#define dl_lambda ev_lambda

op_eval ops_eval[OP_COUNT] = {
#define X(id, evaluate, put_off) [OP_##id] = ev_##evaluate,
	NODE_OPS(X)
#undef X
};

const op_eval ops_delay[OP_COUNT] = {
#define X(id, evaluate, put_off) [OP_##id] = dl_##put_off,
	NODE_OPS(X)
#undef X
};
