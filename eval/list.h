/* SPDX-License-Identifier: MIT
 *
 * Lists: an array of words.  `++` makes a concatenation node that is flattened the first time an
 * element is asked for.  Read lists through list_of, make them with list_new.
 */
#ifndef EVAL_LIST_H
#define EVAL_LIST_H

#include "eval/value.h"

struct list {
	uint32_t n;
	uint32_t kind; /* 0: elements follow; else a concatenation, private to list.c */
	W e[];
};

/* The elements of a list value: e[0..n), each perhaps a thunk.  Do not store to e, except the value of the
 * element itself (force_at).  The result may be of kind != 0 only inside list.c. */
struct list *list_of(W w);

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

#endif
