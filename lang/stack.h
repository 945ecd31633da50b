/* SPDX-License-Identifier: MIT
 *
 * A growing stack of equal-sized items in malloc memory, for what the parser has read but
 * not yet put into the tree: list elements, steps of attribute paths, open brackets.
 *
 * A construct notes the stack's height (its mark) where it begins, takes everything above the
 * mark where it ends, and cuts the stack back.  Constructs nest, so one stack of each kind
 * serves all of them and nothing is allocated for one list or one path.
 */
#ifndef LANG_STACK_H
#define LANG_STACK_H

#include "base/alloc.h"
#include "base/check.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct stack {
	char *p;
	uint32_t n, cap, size; /* size of one item, set once */
};

#define STACK_INIT(type) { 0, 0, 0, sizeof(type) }

/* A new zeroed item on top.  Pointers to older items are void after this. */
static inline void *stack_push(struct stack *s)
{
	if (s->n == s->cap) {
		s->cap = s->cap ? s->cap * 2 : 64;
		s->p = xrealloc_array(s->p, s->cap, s->size);
	}
	return memset(s->p + (size_t)s->n++ * s->size, 0, s->size);
}

/* The items from `mark` up; the caller knows their type. */
static inline void *stack_from(const struct stack *s, uint32_t mark)
{
	CHECK(mark <= s->n && s->n <= s->cap);
	return s->p ? s->p + (size_t)mark * s->size : NULL;
}

static inline void stack_release(struct stack *s)
{
	free(s->p);
	s->p = NULL;
	s->n = s->cap = 0;
}

#endif
