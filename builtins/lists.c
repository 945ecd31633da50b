/* SPDX-License-Identifier: MIT
 *
 * Lists.  map, genList and friends make elements that call the function when they are forced; filter,
 * partition and sort move elements as they are.  What is forced when is part of the language: a builtin
 * here forces an element only where its entry in the documentation implies it.
 *
 * Sorting is in sort.c, grouping in groups.c.
 */
#include "config.h"
#include "builtins/registry.h"
#include "eval/builtin.h"
#include "eval/compare.h"
#include "base/mem.h"

#include <string.h>

BUILTIN(bi_length, "length", "!list",
	"The number of elements of *list*.",
	"length [ 1 2 ]", "2")
{
	return w_int(list_len(arg_list(args, 0)));
}

BUILTIN(bi_head, "head", "!list",
	"The first element of *list*, which must not be empty.",
	"head [ 1 2 3 ]", "1")
{
	W l = arg_list(args, 0);

	if (!list_len(l))
		throw_error(EK_EVAL, "'head' called on an empty list");
	return list_force(l, 0);
}

BUILTIN(bi_tail, "tail", "!list",
	"The elements of *list*, which must not be empty, without the first. The list is not copied before all of its "
	"elements are asked for at once, so that walking one with `head` and `tail` takes time in its length.",
	"tail [ 1 2 3 ]", "[ 2 3 ]")
{
	W l = arg_list(args, 0);

	if (!list_len(l))
		throw_error(EK_EVAL, "'tail' called on an empty list");
	return list_tail(l);
}

BUILTIN(bi_elem_at, "elemAt", "list !n",
	"Element *n* of *list*, counted from 0.",
	"elemAt [ \"a\" \"b\" \"c\" ] 1", "\"b\"")
{
	int64_t n = arg_int(args, 1);
	W l = arg_list(args, 0);

	if (n < 0 || n >= list_len(l))
		throw_error(EK_EVAL, "'elemAt' called with index %lld on a list of %u elements", (long long)n,
			    list_len(l));
	return list_force(l, (uint32_t)n);
}

BUILTIN_FLAGS(bi_map, BI_GLOBAL, "map", "f !list",
	      "The list of *f* applied to each element of *list*. Each result is computed when it is needed.",
	      "map (x: x * x) [ 1 2 3 ]", "[ 1 4 9 ]")
{
	W w = arg_list(args, 1);

	if (!list_len(w))
		return w;
	return list_map(arg_function(args, 0), w);
}

BUILTIN(bi_gen_list, "genList", "generator !length",
	"A list of *length* elements, element *i* being `generator i`. Each is computed when it is needed.",
	"genList (i: i * i) 5", "[ 0 1 4 9 16 ]")
{
	int64_t n = arg_int(args, 1);

	if (n < 0)
		throw_error(EK_EVAL, "cannot create a list of %lld elements", (long long)n);
	return list_generate(arg_function(args, 0), (size_t)n);
}

BUILTIN(bi_filter, "filter", "f !list",
	"The elements of *list* for which *f* returns `true`, in the same order.",
	"filter (x: x > 1) [ 3 1 2 ]", "[ 3 2 ]")
{
	W w = arg_list(args, 1);

	if (!list_len(w))
		return w;
	W f = arg_function(args, 0);
	uint32_t n = list_len(w), k = 0;
	int forced = function_forces(f, 1, 0);
	W *keep = mem_new(mem_size(n, sizeof *keep, 0));
	for (uint32_t i = 0; i < n; i++) {
		W e = list_argument(w, i, forced);
		if (want_bool(call1(f, e), "the result of the function given to 'filter'"))
			keep[k++] = e;
	}
	if (k == n)
		return w;
	struct list *out = list_new(k);
	memcpy(out->e, keep, k * sizeof *keep);
	return w_list(out);
}

BUILTIN(bi_partition, "partition", "!pred !list",
	"The elements of *list* in two lists: `right` has those for which *pred* returns `true`, `wrong` the others.",
	"partition (x: x > 10) [ 1 23 9 42 ]", "{ right = [ 23 42 ]; wrong = [ 1 9 ]; }")
{
	W pred = arg_function(args, 0);
	struct list *l = list_of(arg_list(args, 1));
	W *both = mem_new(mem_size(l->n, sizeof *both, 8));
	uint32_t right = 0, wrong = l->n;

	/* One array, filled from both ends. */
	for (uint32_t i = 0; i < l->n; i++) {
		W e = force_at(&l->e[i]);
		if (want_bool(call1(pred, e), "the result of the function given to 'partition'"))
			both[right++] = e;
		else
			both[--wrong] = e;
	}
	struct list *r = list_new(right), *w = list_new(l->n - right);
	memcpy(r->e, both, right * sizeof *both);
	for (uint32_t i = 0; i < w->n; i++)
		w->e[i] = both[l->n - 1 - i];
	struct attrs_builder b;
	attrs_builder_init(&b, 2);
	attrs_add(&b, SYM_RIGHT, 0, w_list(r));
	attrs_add(&b, SYM_WRONG, 0, w_list(w));
	return attrs_finish(&b);
}

BUILTIN(bi_elem, "elem", "x !list",
	"Whether an element of *list* is equal to *x*. Elements after the first such one are not evaluated.",
	"elem 2 [ 1 2 3 ]", "true")
{
	W l = arg_list(args, 1);

	for (uint32_t i = 0; i < list_len(l); i++) {
		arg_force(args, 0);
		if (value_equal_inside(args[0], list_force(l, i)))
			return W_TRUE;
	}
	return W_FALSE;
}

/* Is the predicate args[0] `wanted` for any element of args[1]? */
static int any_is(W *args, int wanted, const char *what)
{
	W pred = arg_function(args, 0);
	W l = arg_list(args, 1);
	int forced = function_forces(pred, 1, 0);

	for (uint32_t i = 0; i < list_len(l); i++) {
		if (want_bool(call1(pred, list_argument(l, i, forced)), what) == wanted)
			return 1;
		list_settle(l, i);
	}
	return 0;
}

BUILTIN(bi_any, "any", "!pred !list",
	"Whether *pred* returns `true` for at least one element of *list*. It is not called again after that.",
	"any (x: x > 2) [ 1 2 3 ]", "true")
{
	return W_BOOL(any_is(args, 1, "the result of the function given to 'any'"));
}

BUILTIN(bi_all, "all", "!pred !list",
	"Whether *pred* returns `true` for every element of *list*. It is not called again after the first `false`.",
	"all (x: x > 2) [ 1 2 3 ]", "false")
{
	return W_BOOL(!any_is(args, 0, "the result of the function given to 'all'"));
}

BUILTIN(bi_foldl, "foldl'", "!op nul !list",
	"Combines the elements of *list* from left to right: `op (op (op nul x0) x1) x2`. The result of each step is "
	"evaluated before the next, so the length of the list is not limited by the depth of the stack.",
	"foldl' (acc: x: acc * 10 + x) 0 [ 1 2 3 ]", "123")
{
	W op = arg_function(args, 0), acc = args[1];
	W l = arg_list(args, 2);
	int forced = function_forces(op, 2, 1);

	for (uint32_t i = 0; i < list_len(l); i++) {
		acc = call2(op, acc, list_argument(l, i, forced));
		list_settle(l, i);
	}
	return acc;
}

/* --- concatenation --- */

/* All elements of n lists (list words) one after the other. */
static W concat(const W *lists, uint32_t n)
{
	uint64_t total = 0;
	W only = w_list_empty();
	uint32_t used = 0;

	for (uint32_t i = 0; i < n; i++)
		if (list_len(lists[i])) {
			total += list_len(lists[i]);
			only = lists[i];
			used++;
		}
	if (used < 2)
		return only;
	struct list *out = list_new(total);
	W *to = out->e;
	for (uint32_t i = 0; i < n; i++) {
		struct list *l = list_of(lists[i]);
		memcpy(to, l->e, l->n * sizeof *to);
		to += l->n;
	}
	return w_list(out);
}

BUILTIN(bi_concat_lists, "concatLists", "!lists",
	"The elements of each list in *lists*, in one list.",
	"concatLists [ [ 1 2 ] [ ] [ 3 ] ]", "[ 1 2 3 ]")
{
	struct list *l = list_of(arg_list(args, 0));

	for (uint32_t i = 0; i < l->n; i++)
		l->e[i] = want_list(l->e[i], "an element of the list given to 'concatLists'");
	return concat(l->e, l->n);
}

/* Elements of lists that are let go one by one: to keep millions of short lists until their lengths are known costs marking
 * all of them again and again.  In pieces, each as large as all before it, since a growing array would be copied and marked. */
struct piece {
	struct piece *up;
	size_t n, cap;
	W e[];
};

struct joined {
	W only; /* the first list that is not empty; all there is while last is NULL */
	struct piece *last;
	size_t n;
};

enum { FIRST_PIECE = 60, PIECE_MAX = 1 << 16 };

static struct piece *piece_new(struct joined *j, size_t want)
{
	size_t cap = j->n < FIRST_PIECE ? FIRST_PIECE : j->n < PIECE_MAX ? j->n : PIECE_MAX;
	struct piece *p = mem_new(mem_size(cap < want ? want : cap, sizeof(W), sizeof *p));

	p->cap = cap < want ? want : cap;
	p->up = j->last;
	return j->last = p;
}

static void join_more(struct joined *j, struct list *l)
{
	struct piece *p = j->last;

	if (!p || p->cap - p->n < l->n)
		p = piece_new(j, l->n);
	memcpy(p->e + p->n, l->e, l->n * sizeof *l->e);
	p->n += l->n;
	j->n += l->n;
}

static void join(struct joined *j, W part)
{
	if (!list_len(part))
		return;
	if (!j->last && !list_len(j->only)) {
		j->only = part;
		return;
	}
	if (!j->last)
		join_more(j, list_of(j->only));
	join_more(j, list_of(part));
}

static W join_end(struct joined *j)
{
	if (!j->last)
		return j->only;
	struct list *out = list_new(j->n);
	W *to = out->e + j->n;
	for (struct piece *p = j->last; p; p = p->up) {
		to -= p->n;
		memcpy(to, p->e, p->n * sizeof *to);
	}
	return w_list(out);
}

BUILTIN(bi_concat_map, "concatMap", "!f !list",
	"Applies *f*, which returns a list, to each element of *list*, and joins the results into one list.",
	"concatMap (x: [ x (x * 10) ]) [ 1 2 ]", "[ 1 10 2 20 ]")
{
	W f = arg_function(args, 0);
	W l = arg_list(args, 1);
	int forced = function_forces(f, 1, 0);
	struct joined j = { .only = w_list_empty() };

	for (uint32_t i = 0; i < list_len(l); i++) {
		W part = want_list(call1(f, list_argument(l, i, forced)), "the result of the function given to 'concatMap'");
		if (list_len(part))
			join(&j, part);
		list_settle(l, i);
	}
	return join_end(&j);
}

const struct builtin *const builtins_lists[] = {
	&def_bi_length, &def_bi_head, &def_bi_tail, &def_bi_elem_at, &def_bi_map, &def_bi_gen_list, &def_bi_filter,
	&def_bi_partition, &def_bi_elem, &def_bi_any, &def_bi_all, &def_bi_foldl, &def_bi_concat_lists,
	&def_bi_concat_map, NULL,
};
