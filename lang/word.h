/* SPDX-License-Identifier: MIT
 *
 * The value word, shared by literals in the program and values of the evaluator.
 *
 * A value is one 64-bit word.  The low three bits say what it is:
 *
 *   0 thunk*    not (or not known to be) evaluated     4 attribute set*
 *   1 integer   61 bits, two's complement              5 list*
 *   2 constant  null, true, false and marks            6 closure*
 *   3 string*                                          7 box* (the rest)
 *
 * Marks are constants that only stand in slots of frames: W_HOLE (a variable being evaluated),
 * lazy slots (a node that was not evaluated yet, in place) and W_ABSENT (no value).  A word
 * that is neither a thunk nor a mark is a value in weak head normal form.
 *
 * Integers beyond 61 bits, floats, paths, builtins and partial applications are boxes.
 */
#ifndef LANG_WORD_H
#define LANG_WORD_H

#include <stddef.h>
#include <stdint.h>

typedef uint64_t W;

enum word_tag { TAG_THUNK, TAG_INT, TAG_CONST, TAG_STR, TAG_ATTRS, TAG_LIST, TAG_CLOSURE, TAG_BOX };

#define W_TAG(w) ((enum word_tag)((w) & 7))
#define W_PTR(w) ((void *)((w) & ~(W)7))

/* Constants: kind in bits 3..7. */
#define W_CONST(kind) (((W)(kind) << 3) | TAG_CONST)
#define W_NULL W_CONST(0)
#define W_FALSE W_CONST(1)
#define W_TRUE W_CONST(2)
#define W_ABSENT W_CONST(3)
#define W_HOLE W_CONST(4)
#define W_LAZY_KIND 5
#define W_IS_LAZY(w) (((w) & 0xff) == W_CONST(W_LAZY_KIND))
#define W_LAZY(node) (((W)(uintptr_t)(node) << 8) | W_CONST(W_LAZY_KIND))
#define W_LAZY_NODE(w) ((const struct node *)(uintptr_t)((w) >> 8))

/* Neither a thunk nor a mark. */
static inline int w_is_value(W w)
{
	return W_TAG(w) != TAG_THUNK && (W_TAG(w) != TAG_CONST || w <= W_TRUE);
}

#define W_BOOL(b) ((b) ? W_TRUE : W_FALSE)

/* Strings are pointer-free.  ctx is an id of eval/context.h (0: no context).  b[len] is NUL
 * for the convenience of C; a string may hold NULs only where the language allows it. */
struct str {
	uint32_t len;
	uint32_t ctx;
	char b[];
};

enum box_kind { BOX_INT, BOX_FLOAT, BOX_PATH, BOX_BUILTIN, BOX_PAP };

struct box {
	uint32_t kind;
	uint32_t n;
};

struct box_int {
	struct box h;
	int64_t i;
};

struct box_float {
	struct box h;
	double d;
};

/* An absolute, normalised path of h.n bytes, NUL-terminated. */
struct box_path {
	struct box h;
	char b[];
};

/* h.n is the arity; strict a bit for each argument that is forced first in any case. */
struct box_builtin {
	struct box h;
	const struct builtin *def;
	uint64_t strict;
};

/* A closure or builtin with h.n of its arguments. */
struct box_pap {
	struct box h;
	W fn;
	W args[];
};

#define INT61_MIN (-((int64_t)1 << 60))
#define INT61_MAX (((int64_t)1 << 60) - 1)

static inline int int_fits(int64_t i)
{
	return i >= INT61_MIN && i <= INT61_MAX;
}

static inline W w_small(int64_t i)
{
	return ((W)i << 3) | TAG_INT;
}

static inline W w_tag(const void *p, enum word_tag t)
{
	return (W)(uintptr_t)p | t;
}

#endif
