/* SPDX-License-Identifier: MIT
 *
 * Equality and order.
 *
 * Functions are not equal to anything, not even to themselves.  But an element of a list or an attribute of a
 * set that is the very same value on both sides is equal without looking inside, so that sets with
 * functions in them can be compared with themselves; nixpkgs relies on it.  That short cut must not be taken at
 * the top, where Nix does not take it either: `f == f` is false, `x == x` forces what x holds.  Nix means the same cell, of
 * which each evaluated expression has its own; values here have none, so `[ s.f ] == [ s.f ]` is true only here.
 *
 * What is forced, and in which order, is observable through errors and tryEval: the left side first; lists by
 * length, then by elements; sets by size, then name and value in turn, in the order of symbols;
 * two derivations by their outPath alone.
 *
 * Depth is the data's depth: stack_check turns too much of it, and cycles, into the stack error.
 */
#include "config.h"
#include "eval/compare.h"
#include "eval/eval.h"
#include "eval/attrs.h"
#include "eval/error.h"
#include "eval/list.h"
#include "eval/show.h"
#include "base/mem.h"

#include <string.h>

/* Forces the left one first, which the order of a call's arguments would leave to the compiler. */
static int slots_equal(W *a, W *b)
{
	W l = force_at(a), r = force_at(b);

	return value_equal_inside(l, r);
}

static int str_equal(const struct str *a, const struct str *b)
{
	return a == b || (a->len == b->len && !memcmp(a->b, b->b, a->len));
}

static int list_equal(W a, W b)
{
	if (list_len(a) != list_len(b))
		return 0;
	struct list *l = list_of(a), *r = list_of(b);
	for (uint32_t i = 0; i < l->n; i++)
		if (!slots_equal(&l->e[i], &r->e[i]))
			return 0;
	return 1;
}

int value_is_derivation(W set)
{
	W *p = attrs_find(set, SYM_TYPE);

	if (!p)
		return 0;
	W w = force_at(p);
	return w_is_str(w) && w_get_str(w)->len == 10 && !memcmp(w_get_str(w)->b, "derivation", 10);
}

/* Package sets look for the same derivations in lists again and again: of 4.8 million look-ups in the sets of one, 4.1
 * million were `type` and `outPath` of what is compared.  So what they were the last time is kept, for as many
 * derivations as a list of inputs has; a later one takes an earlier one's place. */
#define COMPARED 512

struct compared {
	W set, out_path; /* both forced */
};

static struct compared *compared; /* a root block */

static void end(void)
{
	mem_free(compared);
}

const struct session_part compare_session[] = { { &compared, sizeof compared, end }, { 0 } };

static struct compared *place_of(W set)
{
	return &compared[(set >> 4 ^ set >> 13) % COMPARED];
}

/* What is known of the set, which holds until the next comparison; NULL: nothing. */
static const struct compared *known(W set)
{
	return compared && place_of(set)->set == set ? place_of(set) : NULL;
}

static void remember(W set, W out_path)
{
	if (!compared)
		compared = mem_root(COMPARED * sizeof *compared);
	*place_of(set) = (struct compared){ set, out_path };
}

static int derivations_equal(W a, W *p, W b, W *q)
{
	int equal = slots_equal(p, q);

	remember(a, *p);
	remember(b, *q);
	return equal;
}

static int attrs_equal(W a, W b)
{
	const struct compared *ka = known(a), *kb = known(b);

	if (ka && kb)
		return value_equal_inside(ka->out_path, kb->out_path);
	if ((ka || value_is_derivation(a)) && (kb || value_is_derivation(b))) {
		W *p = attrs_find(a, SYM_OUT_PATH), *q = attrs_find(b, SYM_OUT_PATH);
		if (p && q)
			return derivations_equal(a, p, b, q);
	}
	struct attrs *l = attrs_of(a), *r = attrs_of(b);
	if (l->n != r->n)
		return 0;
	for (uint32_t i = 0; i < l->n; i++)
		if (l->sh->sym[i] != r->sh->sym[i] || !slots_equal(&l->v[i], &r->v[i]))
			return 0;
	return 1;
}

/* The two paths as texts that compare as they do.  Those of one tree do whatever its store path is. */
static void path_texts(W a, W b, struct box_path **p, struct box_path **q)
{
	size_t n = strlen(eval_settings.store_dir) + 1 + LAZY_TREE_NAME;

	*p = w_get_path(a);
	*q = w_get_path(b);
	if (w_path_is_lazy(a) && w_path_is_lazy(b) && (*p)->h.n >= n && (*q)->h.n >= n && !memcmp((*p)->b, (*q)->b, n))
		return;
	*p = w_path_text(a);
	*q = w_path_text(b);
}

/* Two paths, or two numbers at least one of which is in a box. */
static int box_equal(W a, W b)
{
	if (w_is_path(a) && w_is_path(b)) {
		struct box_path *p, *q;
		path_texts(a, b, &p, &q);
		return p->h.n == q->h.n && !memcmp(p->b, q->b, p->h.n);
	}
	if (w_is_float(a) && w_is_float(b))
		return w_get_float(a) == w_get_float(b);
	if (w_is_int(a) && w_is_int(b))
		return w_get_int(a) == w_get_int(b);
	if (w_is_int(a) && w_is_float(b))
		return (double)w_get_int(a) == w_get_float(b);
	if (w_is_float(a) && w_is_int(b))
		return w_get_float(a) == (double)w_get_int(b);
	return 0;
}

int value_equal(W a, W b)
{
	int same;

	a = force(a);
	b = force(b);
	if (W_TAG(a) == TAG_BOX || W_TAG(b) == TAG_BOX)
		return box_equal(a, b);
	if (W_TAG(a) != W_TAG(b))
		return 0;
	switch (W_TAG(a)) {
	case TAG_STR:
		return str_equal(w_get_str(a), w_get_str(b));
	case TAG_LIST:
		depth_enter();
		same = list_equal(a, b);
		depth_leave();
		return same;
	case TAG_ATTRS:
		depth_enter();
		same = attrs_equal(a, b);
		depth_leave();
		return same;
	case TAG_CLOSURE:
		return 0;
	default:
		return a == b;
	}
}

int value_equal_inside(W a, W b)
{
	a = force(a);
	b = force(b);
	return a == b || value_equal(a, b);
}

/* --- order --- */

static int bytes_less(const char *a, size_t n, const char *b, size_t m)
{
	int c = memcmp(a, b, n < m ? n : m);

	return c ? c < 0 : n < m;
}

static __attribute__((noreturn, cold)) void cannot_compare(W a, W b)
{
	enum vtype t = w_type(a);

	if (t == w_type(b))
		throw_error(EK_EVAL, "cannot compare %s with %s; values of that type have no order (values are %s and %s)",
			    show_type(a), show_type(b), show_brief(a), show_brief(b));
	throw_error(EK_EVAL, "cannot compare %s with %s; values are %s and %s", show_type(a), show_type(b),
		    show_brief(a), show_brief(b));
}

/* By the first pair that is not equal; a list is less than its continuations. */
static int list_less(W a, W b)
{
	struct list *l = list_of(a), *r = list_of(b);

	stack_check();
	for (uint32_t i = 0;; i++) {
		if (i == r->n)
			return 0;
		if (i == l->n)
			return 1;
		if (!slots_equal(&l->e[i], &r->e[i])) {
			note_push("while comparing two list elements", 0);
			int v = value_less(l->e[i], r->e[i]);
			note_pop();
			return v;
		}
	}
}

int value_less(W a, W b)
{
	a = force(a);
	b = force(b);
	if (W_TAG(a) == TAG_INT && W_TAG(b) == TAG_INT)
		return (int64_t)a < (int64_t)b;
	if (W_TAG(a) == TAG_STR && W_TAG(b) == TAG_STR)
		return bytes_less(w_get_str(a)->b, w_get_str(a)->len, w_get_str(b)->b, w_get_str(b)->len);
	if (W_TAG(a) == TAG_LIST && W_TAG(b) == TAG_LIST)
		return list_less(a, b);
	if (w_is_int(a) && w_is_int(b))
		return w_get_int(a) < w_get_int(b);
	if (w_is_float(a) && w_is_float(b))
		return w_get_float(a) < w_get_float(b);
	if (w_is_float(a) && w_is_int(b))
		return w_get_float(a) < (double)w_get_int(b);
	if (w_is_int(a) && w_is_float(b))
		return (double)w_get_int(a) < w_get_float(b);
	if (w_is_path(a) && w_is_path(b)) {
		struct box_path *p, *q;
		path_texts(a, b, &p, &q);
		return bytes_less(p->b, p->h.n, q->b, q->h.n);
	}
	cannot_compare(a, b);
}
