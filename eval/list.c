/* SPDX-License-Identifier: MIT
 *
 * `++` with an empty side gives the other side; otherwise it makes a node of 32 bytes.  Chains of these,
 * left- or right-leaning, are flattened once, with an explicit stack, when an element is first read: in
 * module systems nearly all concatenations are only operands of the next.
 */
#include "config.h"
#include "eval/list.h"
#include "eval/state.h"

#include <string.h>

enum { LIST_FLAT, LIST_CONCAT };

struct concat {
	uint32_t n, kind;
	struct list *l, *r, *flat;
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

/* Copies the leaves of c, left to right, to out. */
static void flatten_into(struct list *root, W *out)
{
	size_t cap = 32, top = 0;
	struct list **stack = mem_new(cap * sizeof *stack);

	stack[top++] = root;
	while (top) {
		struct list *l = stack[--top];
		struct concat *c = (struct concat *)l;
		if (l->kind == LIST_CONCAT && c->flat)
			l = c->flat;
		if (l->kind == LIST_FLAT) {
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

	return __builtin_expect(l->kind == LIST_FLAT, 1) ? l : flatten((struct concat *)l);
}

W list_concat(W a, W b)
{
	struct list *l = W_PTR(a), *r = W_PTR(b);

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
