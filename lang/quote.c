/* SPDX-License-Identifier: MIT
 *
 * In runs: what needs no escape is copied at once.
 */
#include "config.h"
#include "lang/quote.h"
#include "base/buf.h"

#include <string.h>

/* What stands for a byte in a string, NULL for itself; `next` is the byte behind it. */
static const char *escape_of(char c, char next)
{
	switch (c) {
	case '"': return "\\\"";
	case '\\': return "\\\\";
	case '\n': return "\\n";
	case '\r': return "\\r";
	case '\t': return "\\t";
	case '$': return next == '{' ? "\\$" : NULL;
	default: return NULL;
	}
}

void quote_string(struct buf *b, const char *p, size_t n)
{
	size_t done = 0;

	buf_addc(b, '"');
	for (size_t i = 0; i < n; i++) {
		const char *e = escape_of(p[i], i + 1 < n ? p[i + 1] : 0);
		if (!e)
			continue;
		buf_add(b, p + done, i - done);
		buf_adds(b, e);
		done = i + 1;
	}
	buf_add(b, p + done, n - done);
	buf_addc(b, '"');
}

enum { FIRST = 1, LATER = 2 };

/* Which bytes an identifier has, first and later. */
static const unsigned char in_identifier[256] = {
	['a' ... 'z'] = FIRST | LATER, ['A' ... 'Z'] = FIRST | LATER, ['_'] = FIRST | LATER,
	['0' ... '9'] = LATER, ['\''] = LATER, ['-'] = LATER,
};

/* `or` is not among them: it may name an attribute without quotes. */
static int is_reserved(const char *p, size_t n)
{
	static const char *const reserved[] = { "if", "then", "else", "assert", "with", "let", "in", "rec", "inherit" };

	for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
		if (strlen(reserved[i]) == n && !memcmp(reserved[i], p, n))
			return 1;
	return 0;
}

static int is_identifier(const char *p, size_t n)
{
	enum { LONGEST_RESERVED = 7 };

	if (!n || !(in_identifier[(unsigned char)p[0]] & FIRST))
		return 0;
	for (size_t i = 1; i < n; i++)
		if (!(in_identifier[(unsigned char)p[i]] & LATER))
			return 0;
	return n > LONGEST_RESERVED || !is_reserved(p, n);
}

void quote_name(struct buf *b, const char *p, size_t n)
{
	if (is_identifier(p, n))
		buf_add(b, p, n);
	else
		quote_string(b, p, n);
}
