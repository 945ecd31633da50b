/* SPDX-License-Identifier: MIT
 *
 * JSON text: a strict reader that hands out one event at a time, and the parts of a writer that must agree
 * with Nix byte for byte.
 *
 * The reader accepts exactly RFC 8259 (and a UTF-8 byte order mark in front): no comments, no trailing commas, no
 * lone surrogates, UTF-8 without overlong forms.  Integers keep all 64 bits.  It holds no
 * memory but the caller's buffer for strings with escapes, and recurses nowhere.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/slice.h"

#include <stddef.h>
#include <stdint.h>

enum json_event {
	JSON_ERROR = -1, /* the err is set */
	JSON_END,	 /* the one value was read to the end of the text */
	JSON_NULL,
	JSON_FALSE,
	JSON_TRUE,
	JSON_INT,      /* i */
	JSON_UINT,     /* u: above INT64_MAX */
	JSON_FLOAT,    /* d: has a fraction or exponent, or does not fit 64 bits; always finite */
	JSON_STRING,   /* str, len */
	JSON_KEY,      /* str, len; its value follows */
	JSON_ARRAY,    /* the elements follow, then JSON_CLOSE */
	JSON_OBJECT,   /* keys and values follow, then JSON_CLOSE */
	JSON_CLOSE
};

struct json_reader {
	/* Of the last event; str is valid until the next one and may hold NULs. */
	int64_t i;
	uint64_t u;
	double d;
	const char *str;
	size_t len;
	const char *at; /* where its text starts */

	/* private */
	const char *start, *p, *end;
	struct buf *scratch;
	struct err *err;
	unsigned depth;
	unsigned char expect;
	unsigned char is_object[LIMIT_JSON_DEPTH / 8 + 1];
};

/* Starts on n bytes at p.  scratch receives strings that need decoding; the caller releases it. */
void json_reader_init(struct json_reader *r, const char *p, size_t n, struct buf *scratch, struct err *e);

/* The next event.  After JSON_END or JSON_ERROR it is the same again. */
enum json_event json_next(struct json_reader *r);

/* Fails at the last event: fills the err with the message and where in the text it is; returns JSON_ERROR. */
enum json_event json_fail(struct json_reader *r, const char *at, const char *msg);

/* --- writing --- */

/* Appends a string literal: quotes and controls escaped, the rest as it is.  Returns 0, or when the bytes are no
 * valid UTF-8 the offset of the offending byte plus 1 (the literal is then incomplete). */
size_t json_add_string(struct buf *b, const char *p, size_t n);

/* Appends a number: digits that read back as the same double, always with a point or an exponent; null for
 * infinities and NaN. */
void json_add_double(struct buf *b, double d);

/* Appends JSON text with a line for each element and member, two blanks a level. */
void json_indent(struct buf *b, struct slice text);

/* Length of the valid sequence at the start of the n > 0 bytes, 0 when there is none. */
size_t utf8_length(const char *p, size_t n);

/* 0 when the n bytes are valid UTF-8, else the offset of the first offending byte plus 1. */
size_t utf8_check(const char *p, size_t n);

/* Appends the UTF-8 form of a code point, which must be at most 0x10ffff. */
void utf8_add(struct buf *b, uint32_t c);

#endif
