/* SPDX-License-Identifier: MIT
 *
 * Lists: an array of words.  `++` makes a concatenation node that is flattened the first time an
 * element is asked for, map and genList make lists whose elements are made when they are asked for, and `tail` makes a
 * list that reads another's.  Read single elements with list_force and list_share, whole lists through list_of; make them
 * with list_new.
 */
#ifndef EVAL_LIST_H
#define EVAL_LIST_H

#include "eval/value.h"

/* Kinds of list.  FLAT: its elements follow; the others are list.c's.  Of those behind LAZY the first words are no
 * elements. */
enum { LIST_FLAT, LIST_LAZY, LIST_CONCAT, LIST_TAIL };

struct list {
	uint32_t n;
	uint32_t kind;
	W e[];
};

/* The elements of a list value: e[0..n), each perhaps a thunk.  Do not store to e, except the value of the
 * element itself (force_at).  For a list of map or genList this makes all thunks: where elements are only forced
 * one after the other, list_force makes none. */
struct list *list_of(W w);

/* The value of element i (below the length).  Throws. */
W list_force_slow(W list, uint32_t i);

static inline W list_force(W w, uint32_t i)
{
	struct list *l = W_PTR(w);

	return __builtin_expect(l->kind <= LIST_LAZY && w_is_value(l->e[i]), 1) ? l->e[i] : list_force_slow(w, i);
}

/* A word for element i, perhaps a thunk; evaluates nothing. */
W list_share(W list, uint32_t i);

/* Element i for calls that force it first anyway (function_forces), or perhaps a thunk.  Throws. */
static inline W list_argument(W list, uint32_t i, int forced)
{
	return forced ? list_force(list, i) : list_share(list, i);
}

/* Element i was given away and will hardly be asked for here again: if it is done, the list keeps the value and lets
 * go of the thunk. */
static inline void list_settle(W w, uint32_t i)
{
	struct list *l = W_PTR(w);

	if (l->kind <= LIST_LAZY && W_TAG(l->e[i]) == TAG_THUNK)
		l->e[i] = w_peek(l->e[i]);
}

/* The list of `f x` for each x of src, and of `f 0` … `f (n-1)`.  f may be a thunk. */
W list_map(W f, W src);
W list_generate(W f, size_t n);

/* The length; does not flatten. */
static inline uint32_t list_len(W w)
{
	return ((struct list *)W_PTR(w))->n;
}

/* A list of n null elements for the caller to fill before anything else sees it.  Throws when too long. */
struct list *list_new(size_t n);

/* The list as a value; the empty list is always the same word. */
W w_list(struct list *l);
W w_list_empty(void);

/* l ++ r, both list values; does not force anything. */
W list_concat(W l, W r);

/* The elements of l, a list value that is not empty, behind the first; does not force anything. */
W list_tail(W l);

#endif
