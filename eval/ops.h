/* SPDX-License-Identifier: MIT
 *
 * Private to eval/: the slow halves of operators (arith.c, interp.c), long chains of them (chain.c) and errors about nodes
 * (fail.c).
 */
#ifndef EVAL_OPS_H
#define EVAL_OPS_H

#include "base/suggest.h"
#include "eval/state.h"

/* l OP r for numbers, op one of - * /.  Throws. */
W arith(const struct node *n, char op, W l, W r);

/* l + r where l is a string or both are numbers. */
W add_values(const struct node *n, W l, W r);

/* l + the right side of n, where l is no string.  What must become one does before the right side is evaluated. */
W add_to_other(const struct node *n, W l, struct frame *f);

/* w as a string, for the `+` n; flags as for coerce_string. */
const struct str *add_operand(const struct node *n, W w, unsigned flags);

/* The value of a variable or a selection as far as it is known: evaluates nothing.  W_ABSENT when it is not. */
W peek_value(const struct node *n, struct frame *f);

/* A CHAIN. */
W chain_node(const struct node *n, struct frame *f);

/* a < b when not both are small integers. */
int less_slow(const struct node *n, W a, W b);

/* "a${b}c", and a path followed by parts. */
W interpolate(const struct n_interp *n, struct frame *f);
W interpolate_path(const struct n_interp *n, struct frame *f);

void throw_not_a_set(W w, sym_t s, const struct node *n, const struct node *e) __attribute__((noreturn, cold));
/* A Boolean was expected, where says where: "left of '&&'". */
void throw_not_boolean(const struct node *n, const char *where, W got) __attribute__((noreturn, cold));
void throw_duplicate_attr(sym_t s, uint32_t pos, uint32_t len, uint32_t first) __attribute__((noreturn, cold));
void throw_assertion(const struct node *n, const struct node *cond, struct frame *f) __attribute__((noreturn, cold));

#endif
