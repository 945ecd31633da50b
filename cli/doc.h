/* SPDX-License-Identifier: MIT
 *
 * Documentation of values, for people: ':doc' and 'gx doc'.
 *
 * Builtins have theirs in the registry (eval/builtin.h).  Everything else has it in doc comments: before the binding that a
 * name leads to, or before the function that is its value.  Packages have their meta.
 */
#ifndef CLI_DOC_H
#define CLI_DOC_H

#include "base/buf.h"
#include "eval/value.h"

struct eval_request;

/* A value under the name it was found by.  Collected. */
struct documented {
	const char *name; /* as it is shown; "" without */
	W value;
	uint32_t pos; /* of the name where it is bound, 0 unknown */
};

/* Whether a text is a name, or several joined by dots. */
int doc_is_path(const char *text);

/* What a path means: a variable of scope; "builtins" or one of them; "std", which is gx:std's packages and lib in one set, or one
 * of these.  Throws when there is none. */
struct documented doc_find(const struct eval_request *r, W scope, const char *path);

/* What a path means in a set alone; name: what is shown before it. */
struct documented doc_below(struct documented set, const char *path);

/* All of gx:std.  Throws. */
struct documented doc_std(const struct eval_request *r);

/* All builtins. */
struct documented doc_builtins(void);

/* Appends what is known about it; of a set, a line for each of its names.  Throws, also for what has no documentation and is no
 * function. */
void doc_add(struct buf *b, const struct documented *d, unsigned columns);

#endif
