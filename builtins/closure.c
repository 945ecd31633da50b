/* SPDX-License-Identifier: MIT
 *
 * builtins.genericClosure: everything reachable from a start set, breadth first.
 *
 * Items are the same when their keys are neither less nor greater than each other, in the order of
 * `<`.  The keys met so far are in an AA tree: order is all that is known about them, and which pairs get
 * compared decides whether keys of mixed types are an error, so hashing would not do.
 */
#include "config.h"
#include "builtins/registry.h"
#include "eval/builtin.h"
#include "eval/compare.h"
#include "base/mem.h"

#include <string.h>

struct node {
	struct node *l, *r;
	W key;
	uint32_t level;
};

static struct node *skew(struct node *t)
{
	struct node *l = t->l;

	if (!l || l->level != t->level)
		return t;
	t->l = l->r;
	l->r = t;
	return l;
}

static struct node *split(struct node *t)
{
	struct node *r = t->r;

	if (!r || !r->r || r->r->level != t->level)
		return t;
	t->r = r->l;
	r->l = t;
	r->level++;
	return r;
}

/* The tree with the key in it; *added says whether it is new.  The tree changes only after all comparisons, which
 * may throw, are done.  Recursion is as deep as the tree, some 2 log n. */
static struct node *insert(struct node *t, W key, int *added)
{
	if (!t) {
		struct node *n = mem_new(sizeof *n);
		n->key = key;
		n->level = 1;
		*added = 1;
		return n;
	}
	if (value_less(key, t->key))
		t->l = insert(t->l, key, added);
	else if (value_less(t->key, key))
		t->r = insert(t->r, key, added);
	return *added ? split(skew(t)) : t;
}

/* A list that grows at the end. */
struct items {
	W *v;
	size_t n, cap;
};

static void items_add(struct items *q, W w)
{
	MEM_GROW(q->v, q->n + 1, q->cap);
	q->v[q->n++] = w;
}

static void items_add_list(struct items *q, W list, int evaluate)
{
	struct list *l = list_of(list);

	for (uint32_t i = 0; i < l->n; i++)
		items_add(q, evaluate ? force_at(&l->e[i]) : l->e[i]);
}

static const char element[] = "an element for 'genericClosure'";

static W key_of(W item)
{
	return force(want_attr(item, "key", element));
}

BUILTIN(bi_generic_closure, "genericClosure", "!attrset",
	"All items that can be reached from the list `startSet` of *attrset*: the function `operator` is called on each item "
	"once and returns the list of items it leads to. An item is a set with an attribute `key`; items with equal keys "
	"are the same, and only the first is kept. Keys are compared with `<`, so they must be of one type that has an "
	"order. The result is in the order in which the items were found, breadth first.",
	"map (x: x.key) (genericClosure { startSet = [ { key = 5; } ]; operator = x: if x.key > 1 then "
	"[ { key = x.key - 1; } { key = x.key - 2; } ] else [ ]; })",
	"[ 5 4 3 2 1 0 ]")
{
	W set = arg_attrs(args, 0);
	W start = want_list(want_attr(set, "startSet", "the argument of 'genericClosure'"),
			    "the 'startSet' of 'genericClosure'");
	struct items work = { 0 }, found = { 0 };
	struct node *seen = NULL;

	if (!list_len(start))
		return start;
	W op = force(want_attr(set, "operator", "the argument of 'genericClosure'"));
	if (!w_is_function(op) && !(W_TAG(op) == TAG_ATTRS && attrs_find(op, SYM_FUNCTOR)))
		throw_type("a function as the 'operator' of 'genericClosure'", op);
	items_add_list(&work, start, 0);
	for (size_t i = 0; i < work.n; i++) {
		W item = want_attrs(work.v[i], element);
		int added = 0;
		seen = insert(seen, key_of(item), &added);
		if (!added)
			continue;
		items_add(&found, item);
		/* New items are evaluated when they are found, their keys when it is their turn. */
		items_add_list(&work, want_list(call1(op, item), "the result of the 'operator' of 'genericClosure'"), 1);
	}
	struct list *out = list_new(found.n);
	memcpy(out->e, found.v, found.n * sizeof(W));
	return w_list(out);
}

const struct builtin *const builtins_closure[] = { &def_bi_generic_closure, NULL };
