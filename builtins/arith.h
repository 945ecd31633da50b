/* SPDX-License-Identifier: MIT
 *
 * What sort needs to know about the builtins of numbers.
 */
#ifndef BUILTINS_ARITH_H
#define BUILTINS_ARITH_H

#include "eval/value.h"

/* Is f the builtin lessThan itself, so that value_less can stand for calling it? */
int arith_is_less_than(W f);

#endif
