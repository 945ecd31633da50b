/* SPDX-License-Identifier: MIT
 *
 * Equality and order of values.  Both force what they must and throw.
 */
#ifndef EVAL_COMPARE_H
#define EVAL_COMPARE_H

#include "eval/value.h"
#include "base/session.h"

/* The derivations that were compared. */
extern const struct session_part compare_session[];

/* a == b.  Functions are never equal, except to themselves inside sets and lists, as in Nix. */
int value_equal(W a, W b);

/* The same for values inside lists and sets (and for builtins.elem): one and the same value is
 * equal to itself, even a function. */
int value_equal_inside(W a, W b);

/* Is the set a derivation, that is, is its `type` the string "derivation"?  Forces that attribute. */
int value_is_derivation(W set);

/* a < b for numbers, strings, paths and lists of these. */
int value_less(W a, W b);

#endif
