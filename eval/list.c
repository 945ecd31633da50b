/* SPDX-License-Identifier: MIT
 *
 * `++` with an empty side gives the other side; otherwise it makes a node of 32 bytes.  Chains of these,
 * left- or right-leaning, are flattened once, with an explicit stack, when an element is first read: in
 * module systems nearly all concatenations are only operands of the next.
 *
 * A list of map or genList holds W_ABSENT where an element was not asked for, W_HOLE while one is
 * being evaluated in place, and behind the elements the function and the source.  list_force evaluates an
 * element in place; thunks are made only for words that must be kept elsewhere first, and for all by list_of.
 * So a fold over a mapped list makes no thunk at all.
 *
 * The tail of a long list is a node that reads that list, so that to walk it by `tail` takes time in its length.  Only
 * where all elements are asked for at once they are copied.
 */
#include "config.h"
#include "eval/list.h"
#include "base/check.h"
#include "eval/builtin.h"
#include "eval/state.h"

#include <string.h>

struct concat {
	uint32_t n, kind;
	struct list *l, *r, *flat;
};

struct tail {
	uint32_t n, kind;
	struct list *of; /* no tail itself; NULL when flat */
	struct list *flat;
	size_t from;
};

/* The one empty list: zero elements, flat. */
static W empty_words[1];
#define EMPTY ((struct list *)empty_words)

W w_list_empty(void)
{
	return w_tag(EMPTY, TAG_LIST);
}

struct list *list_new(size_t n)
{
	if (n == 0)
		return EMPTY;
	if (n > UINT32_MAX)
		throw_error(EK_EVAL, "list of %zu elements is longer than the limit of 4 billion", n);
	struct list *l = alloc(sizeof *l + n * sizeof(W));
	l->n = (uint32_t)n;
	es.count.lists++;
	es.count.list_elements += n;
	return l;
}

W w_list(struct list *l)
{
	return w_tag(l, TAG_LIST);
}

/* --- elements made on demand --- */

static struct list *lazy_new(size_t n, W f, W src)
{
	if (n > UINT32_MAX)
		throw_error(EK_EVAL, "list of %zu elements is longer than the limit of 4 billion", n);
	struct list *l = alloc(mem_size(n + 2, sizeof(W), sizeof *l));
	l->n = (uint32_t)n;
	l->kind = LIST_LAZY;
	for (size_t i = 0; i < n; i++)
		l->e[i] = W_ABSENT;
	l->e[n] = f;
	l->e[n + 1] = src;
	es.count.lists++;
	es.count.list_elements += n;
	return l;
}

W list_map(W f, W src)
{
	return list_len(src) ? w_list(lazy_new(list_len(src), f, src)) : src;
}

W list_generate(W f, size_t n)
{
	return n ? w_list(lazy_new(n, f, 0)) : w_list_empty();
}

/* For a word taken while the element was being evaluated. */
static W read_later(W list, W i)
{
	return list_force(list, (uint32_t)i);
}

/* A chain of map over map is as deep as the data says, here and in evaluate. */
static W share_lazy(struct list *l, uint32_t i)
{
	W *p = &l->e[i], src = l->e[l->n + 1];

	CHECK(l->kind == LIST_LAZY && i < l->n);
	check_stack();
	if (*p == W_ABSENT)
		*p = lazy_call1(l->e[l->n], src ? list_share(src, i) : w_int(i));
	else if (*p == W_HOLE)
		return lazy_native(read_later, w_list(l), i);
	return w_peek(*p);
}

static struct list *make_all(struct list *l)
{
	for (uint32_t i = 0; i < l->n; i++)
		l->e[i] = share_lazy(l, i);
	l->kind = LIST_FLAT;
	l->e[l->n] = l->e[l->n + 1] = 0;
	return l;
}

/* Evaluates element i of l, which is W_ABSENT, in place. */
static W evaluate(struct list *l, uint32_t i)
{
	check_stack();
	W src = l->e[l->n + 1], f = force(l->e[l->n]);
	W arg = src ? list_argument(src, i, function_forces(f, 1, 0)) : w_int(i);

	/* Getting these may have come back here. */
	if (l->e[i] != W_ABSENT)
		return list_force(w_list(l), i);
	struct element e = { &l->e[i], f, arg };
	struct rec r = { .up = es.top, .p = &e, .kind = REC_ELEMENT };
	l->e[i] = W_HOLE;
	es.top = &r;
	W v = call1(f, arg);
	CHECK(es.top == &r && w_is_value(v));
	es.top = r.up;
	return l->e[i] = v;
}

/* Where element *i of a list that reads another's is: there, and which one. */
static struct list *where(struct list *l, uint32_t *i)
{
	struct tail *t = (struct tail *)l;

	if (l->kind != LIST_TAIL)
		return l;
	if (t->flat)
		return t->flat;
	*i += (uint32_t)t->from;
	return t->of;
}

W list_force_slow(W w, uint32_t i)
{
	struct list *l = W_PTR(w);

	CHECK(W_TAG(w) == TAG_LIST && i < l->n);
	l = where(l, &i);
	if (l->kind == LIST_CONCAT)
		l = list_of(w_list(l));
	W e = l->e[i];
	if (W_TAG(e) == TAG_THUNK)
		return l->e[i] = force_thunk(e);
	if (e == W_ABSENT)
		return evaluate(l, i);
	if (e == W_HOLE)
		infinite_recursion(&l->e[i], NULL);
	return e;
}

W list_share(W w, uint32_t i)
{
	struct list *l = W_PTR(w);

	CHECK(W_TAG(w) == TAG_LIST && i < l->n);
	l = where(l, &i);
	if (l->kind == LIST_LAZY)
		return share_lazy(l, i);
	return w_peek(list_of(w_list(l))->e[i]);
}

static struct list *flatten_tail(struct tail *t)
{
	if (!t->flat) {
		struct list *l = list_new(t->n);
		for (uint32_t i = 0; t->of->kind == LIST_LAZY && i < t->n; i++)
			l->e[i] = share_lazy(t->of, (uint32_t)t->from + i);
		if (t->of->kind == LIST_FLAT)
			memcpy(l->e, t->of->e + t->from, t->n * sizeof(W));
		t->flat = l;
		t->of = NULL;
	}
	return t->flat;
}

/* Copies the leaves of c, left to right, to out. */
static void flatten_into(struct list *root, W *out)
{
	size_t cap = 32, top = 0;
	struct list **stack = mem_new(cap * sizeof *stack);
	const W *end = out + root->n;

	stack[top++] = root;
	while (top) {
		struct list *l = stack[--top];
		struct concat *c = (struct concat *)l;
		if (l->kind == LIST_CONCAT && c->flat)
			l = c->flat;
		if (l->kind != LIST_CONCAT) {
			l = list_of(w_list(l));
			CHECK(l->n <= (size_t)(end - out));
			memcpy(out, l->e, l->n * sizeof(W));
			out += l->n;
			continue;
		}
		if (top + 2 > cap) {
			struct list **bigger = mem_new(mem_size(cap * 2, sizeof *stack, 0));
			memcpy(bigger, stack, top * sizeof *stack);
			stack = bigger;
			cap *= 2;
		}
		stack[top++] = c->r;
		stack[top++] = c->l;
	}
	CHECK(out == end);
	(void)end;
}

static struct list *flatten(struct concat *c)
{
	if (!c->flat) {
		struct list *l = list_new(c->n);
		flatten_into((struct list *)c, l->e);
		c->flat = l;
		c->l = c->r = NULL;
	}
	return c->flat;
}

struct list *list_of(W w)
{
	struct list *l = W_PTR(w);

	CHECK(W_TAG(w) == TAG_LIST && l->kind <= LIST_TAIL);
	if (__builtin_expect(l->kind == LIST_FLAT, 1))
		return l;
	if (l->kind == LIST_LAZY)
		return make_all(l);
	return l->kind == LIST_TAIL ? flatten_tail((struct tail *)l) : flatten((struct concat *)l);
}

/* Below this many elements a copy is not larger than the node, and holds nothing else. */
#define TAIL_MIN 5

W list_tail(W w)
{
	struct list *l = W_PTR(w);
	uint32_t from = 1, n = l->n - 1;

	CHECK(W_TAG(w) == TAG_LIST && l->n);
	l = where(l, &from);
	if (l->kind != LIST_LAZY)
		l = list_of(w_list(l));
	if (n < TAIL_MIN) {
		struct list *copy = list_new(n);
		for (uint32_t i = 0; i < n; i++)
			copy->e[i] = l->kind == LIST_LAZY ? share_lazy(l, from + i) : l->e[from + i];
		return w_list(copy);
	}
	struct tail *t = alloc(sizeof *t);
	*t = (struct tail){ n, LIST_TAIL, l, NULL, from };
	return w_tag(t, TAG_LIST);
}

W list_concat(W a, W b)
{
	struct list *l = W_PTR(a), *r = W_PTR(b);

	CHECK(W_TAG(a) == TAG_LIST && W_TAG(b) == TAG_LIST);
	if (!l->n)
		return b;
	if (!r->n)
		return a;
	es.count.list_concats++;
	if ((uint64_t)l->n + r->n > UINT32_MAX)
		throw_error(EK_EVAL, "list is longer than the limit of 4 billion elements");
	if (l->n + r->n <= 4 && l->kind == LIST_FLAT && r->kind == LIST_FLAT) {
		struct list *f = list_new(l->n + r->n);
		memcpy(f->e, l->e, l->n * sizeof(W));
		memcpy(f->e + l->n, r->e, r->n * sizeof(W));
		return w_list(f);
	}
	struct concat *c = alloc(sizeof *c);
	*c = (struct concat){ l->n + r->n, LIST_CONCAT, l, r, NULL };
	return w_tag(c, TAG_LIST);
}
