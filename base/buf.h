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
#include <stdint.h>
#include <string.h>

struct buf {
	char *p;
	size_t len, cap;
	int gc;
};

#define BUF_INIT { 0, 0, 0, 0 }
#define BUF_GC { 0, 0, 0, 1 }

/* Frees the contents (nothing to do for a collected one) and leaves an empty buffer. */
void buf_release(struct buf *b);

/* The same of a secret, whose bytes are overwritten before. */
void buf_wipe(struct buf *b);

/* Room for n more bytes. */
void buf_reserve(struct buf *b, size_t n);

static inline void buf_add(struct buf *b, const void *p, size_t n)
{
	if (!n)
		return;
	if (b->cap - b->len <= n)
		buf_reserve(b, n);
	memcpy(b->p + b->len, p, n);
	b->len += n;
	b->p[b->len] = 0;
}

static inline void buf_addc(struct buf *b, char c)
{
	if (b->cap - b->len <= 1)
		buf_reserve(b, 1);
	b->p[b->len++] = c;
	b->p[b->len] = 0;
}

/* Makes n bytes contents that were written at p + len, into room that buf_reserve made. */
static inline void buf_extend(struct buf *b, size_t n)
{
	b->len += n;
	b->p[b->len] = 0;
}

static inline void buf_adds(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vaddf(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

/* A number in decimal, as buf_addf's %lld writes it. */
void buf_addi(struct buf *b, int64_t i);

/* The same as text of its own.  Returns its length; out is NUL-terminated. */
#define INT_STRING_MAX 24
size_t int_to_string(int64_t i, char out[INT_STRING_MAX]);

/* "1.2 MiB" */
void buf_add_size(struct buf *b, uint64_t bytes);

/* Sets the length to n, at most the present one. */
void buf_trim(struct buf *b, size_t n);

/* The contents as a C string ("" when empty); valid until the next change. */
const char *buf_str(const struct buf *b);

/* Hands the contents to the caller, who frees them (malloc kind), and empties b. */
char *buf_detach(struct buf *b, size_t *len);

#endif
