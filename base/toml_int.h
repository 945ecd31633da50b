/* SPDX-License-Identifier: MIT
 *
 * A TOML text that is being read, between toml.c, which has its structure, and toml_word.c, which reads its bare words.
 *
 * What can fail returns 0, or negative with the error set.
 */
#ifndef BASE_TOML_INT_H
#define BASE_TOML_INT_H

#include "base/buf.h"
#include "base/toml.h"

struct toml {
	const char *start, *p, *end;
	struct arena *mem;
	struct err *err;
	struct buf scratch; /* malloc; for strings with escapes and numbers with underscores */
	int depth;
	/* The key just read. */
	struct toml_string *part;
	size_t parts, part_cap;
};

/* Says what is wrong, at a place or where the reader is, and returns its code. */
int toml_fail_at(struct toml *t, const char *at, const char *msg);
int toml_fail(struct toml *t, const char *msg);

/* The next byte; -1 at the end. */
static inline int toml_peek(const struct toml *t)
{
	return t->p < t->end ? (unsigned char)*t->p : -1;
}

static inline int toml_is_digit(int c)
{
	return c >= '0' && c <= '9';
}

/* --- toml_word.c: a value, at its first byte --- */

int toml_read_number(struct toml *t, struct toml_value *v);
int toml_read_bool(struct toml *t, struct toml_value *v);

/* Does a date or a time begin at a digit? */
int toml_looks_like_time(const struct toml *t);
int toml_read_time(struct toml *t, struct toml_value *v);

#endif
