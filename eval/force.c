/* SPDX-License-Identifier: MIT
 *
 * Forcing thunks and slots.  The hottest path beside ops.c and call.c: a change here is measured (bench/run).
 *
 * A thunk's code word says its state in the low two bits: 0 suspended (a node, val its frame), 1 done
 * (val the value), 2 native (a C function, val and one more word its arguments), 3 being evaluated.
 * The code is restored from the record when an error passes.
 *
 * A slot of a frame may hold the mark of a node instead of a thunk.  Reading it evaluates the node in
 * place; a thunk is made only when the word must be kept somewhere else first (share_slot).
 */
#include "config.h"
#include "base/check.h"
#include "base/limits.h"
#include "eval/list.h"
#include "eval/attrs.h"
#include "eval/state.h"

enum { TH_SUSPENDED, TH_DONE, TH_NATIVE, TH_RUNNING };

struct native {
	uintptr_t code; /* TH_NATIVE while suspended */
	W a, b;
	W (*fn)(W a, W b);
};

W thunk_new(const struct node *n, struct frame *f)
{
	struct thunk *t = alloc(sizeof *t);

	CHECK(n && !((uintptr_t)n & 3));
	t->code = (uintptr_t)n;
	t->val = (W)(uintptr_t)f;
	es.count.thunks++;
	return (W)(uintptr_t)t;
}

W lazy_native(W (*fn)(W a, W b), W a, W b)
{
	struct native *t = alloc(sizeof *t);

	t->code = TH_NATIVE;
	t->fn = fn;
	t->a = a;
	t->b = b;
	es.count.thunks++;
	return (W)(uintptr_t)t;
}

W lazy_call1(W f, W a)
{
	return lazy_native(call1, f, a);
}

static W apply_pap(W pap, W b)
{
	return call1(pap, b);
}

W lazy_call2(W f, W a, W b)
{
	struct box_pap *p = alloc(sizeof *p + sizeof(W));

	p->h = (struct box){ BOX_PAP, 1 };
	p->fn = f;
	p->args[0] = a;
	return lazy_native(apply_pap, w_tag(p, TAG_BOX), b);
}

static W finish(struct thunk *t, W v)
{
	t->val = v;
	t->code = TH_DONE;
	return v;
}

W force_by(W w, const struct node *by)
{
	if (W_TAG(w) != TAG_THUNK)
		return w;
	struct thunk *t = W_PTR(w);
	uintptr_t code = t->code;
	struct rec r = { es.top, t, code, by, REC_THUNK, 0, 0 };
	W v;

	if ((code & 3) == TH_DONE) {
		CHECK(w_is_value(t->val));
		return t->val;
	}
	if ((code & 3) == TH_RUNNING)
		infinite_recursion(t, by);
	check_stack();
	es.top = &r;
	es.count.forced++;
	t->code = TH_RUNNING;
	if ((code & 3) == TH_SUSPENDED) {
		v = ev((const struct node *)code, (struct frame *)(uintptr_t)t->val);
	} else {
		struct native *n = (struct native *)t;
		v = force(n->fn(n->a, n->b));
		n->b = 0;
	}
	CHECK(es.top == &r && (t->code & 3) == TH_RUNNING && w_is_value(v));
	es.top = r.up;
	return finish(t, v);
}

W force_thunk(W w)
{
	return force_by(w, NULL);
}

W w_peek(W w)
{
	const struct thunk *t = W_PTR(w);

	return W_TAG(w) == TAG_THUNK && (t->code & 3) == TH_DONE ? t->val : w;
}

int w_is_computed(W w)
{
	const struct thunk *t = W_PTR(w);

	if (W_TAG(w) != TAG_THUNK || (t->code & 3) == TH_DONE)
		return 0;
	/* Constants of the language (true, false, null) are native. */
	if ((t->code & 3) != TH_SUSPENDED)
		return (t->code & 3) != TH_NATIVE;
	const struct node *n = (const struct node *)t->code;
	switch (n->op == OP_UNREAD ? n->flags : n->op) {
	case OP_CONST:
	case OP_VAR0:
	case OP_VAR1:
	case OP_VAR2:
	case OP_VARN:
	case OP_ATTRS:
	case OP_LIST:
	case OP_LAMBDA:
		return 0;
	default:
		return 1;
	}
}

int w_is_variable(W w)
{
	const struct thunk *t = W_PTR(w);

	if (W_TAG(w) != TAG_THUNK)
		return 0;
	if ((t->code & 3) == TH_NATIVE)
		return ((const struct native *)t)->fn == read_variable;
	enum node_op op = (t->code & 3) == TH_SUSPENDED ? ((const struct node *)t->code)->op : OP_COUNT;
	return op == OP_VAR0 || op == OP_VAR1 || op == OP_VAR2 || op == OP_VARN;
}

static W fill_slot(W *slot, struct frame *f, const struct node *by)
{
	W w = *slot;
	struct rec r = { es.top, slot, w, by, REC_SLOT, 0, 0 };

	if (w == W_HOLE)
		infinite_recursion(slot, by);
	check_stack();
	es.top = &r;
	*slot = W_HOLE;
	W v = ev(W_LAZY_NODE(w), f);
	CHECK(es.top == &r && *slot == W_HOLE && w_is_value(v));
	es.top = r.up;
	/* A thunk may have been made for the slot meanwhile: it reads the slot when forced. */
	return *slot = v;
}

W read_slot(W *slot, struct frame *f, const struct node *by)
{
	W w = *slot;

	if (W_TAG(w) == TAG_THUNK)
		return *slot = force_by(w, by);
	if (W_IS_LAZY(w) || w == W_HOLE)
		return fill_slot(slot, f, by);
	CHECK(w_is_value(w));
	return w;
}

W share_slot(W *slot, struct frame *f)
{
	W w = *slot;

	if (W_TAG(w) == TAG_THUNK) {
		W v = w_peek(w);
		return v == w ? w : (*slot = v);
	}
	if (W_IS_LAZY(w)) {
		/* The mark is gone while delay looks: `let a = b; b = a;` must not run in circles here. */
		*slot = W_HOLE;
		return *slot = delay_checked(W_LAZY_NODE(w), f);
	}
	return w;
}

void stack_check(void)
{
	check_stack();
}

/* --- deep --- */

/* Sets and lists met so far: shared structure is walked once, cycles end. */
struct seen {
	const void **v;
	size_t n, cap;
};

static int seen_insert(const void **v, size_t cap, const void *p)
{
	size_t i = ((uintptr_t)p >> 4) * 0x9e3779b97f4a7c15u >> 20 & (cap - 1);

	for (; v[i]; i = (i + 1) & (cap - 1))
		if (v[i] == p)
			return 0;
	v[i] = p;
	return 1;
}

/* Adds p; returns 0 when it was there. */
static int seen_add(struct seen *s, const void *p)
{
	if (s->n * 2 >= s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 64;
		const void **v = mem_new(mem_size(cap, sizeof *v, 0));
		for (size_t i = 0; i < s->cap; i++)
			if (s->v[i])
				seen_insert(v, cap, s->v[i]);
		s->v = v;
		s->cap = cap;
	}
	int fresh = seen_insert(s->v, s->cap, p);
	s->n += (size_t)fresh;
	return fresh;
}

static void deep(W w, struct seen *seen)
{
	check_stack();
	w = force(w);
	if (W_TAG(w) == TAG_LIST && list_len(w) && seen_add(seen, W_PTR(w))) {
		for (uint32_t i = 0; i < list_len(w); i++)
			deep(list_force(w, i), seen);
	} else if (W_TAG(w) == TAG_ATTRS && attrs_count(w) && seen_add(seen, W_PTR(w))) {
		struct attrs *a = attrs_of(w);
		const uint32_t *order = attrs_order(a);
		for (uint32_t i = 0; i < a->n; i++)
			deep(force_at(&a->v[order[i]]), seen);
	}
}

void force_deep(W w)
{
	struct seen s = { 0 };

	deep(w, &s);
}
