/* SPDX-License-Identifier: MIT
 *
 * Coercions between values, as the language defines them.  All throw.
 */
#ifndef EVAL_COERCE_H
#define EVAL_COERCE_H

#include "eval/value.h"

enum coerce_flags {
	COERCE_MORE = 1,     /* as toString: also numbers, booleans, null, lists */
	COERCE_COPY = 2	     /* paths are copied to the store and become store paths with context */
};

/* The string (a TAG_STR word, context included) that w stands for: strings, paths, sets with
 * __toString or outPath, and with COERCE_MORE the rest. */
W coerce_string(W w, unsigned flags);

/* What a set stands for: the result of its __toString, else its outPath, as often as that is a set with one again;
 * any other value is itself, forced.  *via_to_string is set to 1 when a __toString was called, else left. */
W coerce_peel(W w, int *via_to_string);

/* The absolute path that w stands for, as a path value; *ctx receives the context its string carried. */
W coerce_path(W w, uint32_t *ctx);

/* The text of a float as toString gives it: fixed, six decimals.  Returns its length; out is NUL-terminated. */
#define FLOAT_STRING_MAX 328
size_t float_to_string(double d, char out[FLOAT_STRING_MAX]);

#endif
