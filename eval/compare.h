/* SPDX-License-Identifier: MIT
 *
 * Equality and order of values.  Both force what they must and throw.
 */
#ifndef EVAL_COMPARE_H
#define EVAL_COMPARE_H

#include "eval/value.h"

/* a == b.  Functions are never equal, except to themselves inside sets and lists, as in Nix. */
int value_equal(W a, W b);

/* a < b for numbers, strings, paths and lists of these. */
int value_less(W a, W b);

#endif
