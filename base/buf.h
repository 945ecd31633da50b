/* SPDX-License-Identifier: MIT
 *
 * Growable byte buffers, two kinds with the same calls.
 *
 * struct buf is malloc memory with an owner who releases it: for store/,
 * fetch/ and cli/.  A buf started with BUF_GC is collected memory that nobody
 * releases: for code that can be left by a throw (eval/, builtins/).
 *
 * p is always NUL-terminated once anything was added; len does not count it.
 * Read p and len freely; change them only through these functions.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>

struct buf {
	char *p;
	size_t len, cap;
	int gc;
};

#define BUF_INIT { 0, 0, 0, 0 }
#define BUF_GC { 0, 0, 0, 1 }

/* Frees the contents (nothing to do for a collected one) and leaves an empty buffer. */
void buf_release(struct buf *b);

/* Room for n more bytes. */
void buf_reserve(struct buf *b, size_t n);

void buf_add(struct buf *b, const void *p, size_t n);
void buf_addc(struct buf *b, char c);
void buf_adds(struct buf *b, const char *s);
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vaddf(struct buf *b, const char *fmt, va_list ap);

/* Sets the length to n, at most the present one. */
void buf_trim(struct buf *b, size_t n);

/* The contents as a C string ("" when empty); valid until the next change. */
const char *buf_str(const struct buf *b);

/* Hands the contents to the caller, who frees them (malloc kind), and empties b. */
char *buf_detach(struct buf *b, size_t *len);

#endif
