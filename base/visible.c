/* SPDX-License-Identifier: MIT
 *
 * An escape sequence is left out when it is certain where it ends, and on the line it began on: then nothing that is meant to be
 * read goes with it.  Otherwise only its first byte is changed, after which the rest is but letters.
 *
 * Colours are ESC [ digits and semicolons m, exactly: other sequences that end in m set modes of the keyboard.  One
 * that is still on at the end of a line is switched off there, or the next thing printed would be in it.
 */
#include "config.h"
#include "base/visible.h"

#include "base/json.h"

enum { ESC = 0x1b, BEL = 0x07, DEL = 0x7f };

size_t visible_char(const char *p, size_t n, int *harmless)
{
	const unsigned char *u = (const unsigned char *)p;
	size_t len = utf8_length(p, n);

	/* The controls of the upper half begin with 0xc2 in UTF-8. */
	*harmless = len == 1 ? *u == '\t' || (*u >= 0x20 && *u != DEL) : len && !(u[0] == 0xc2 && u[1] < 0xa0);
	return len ? len : 1;
}

/* Length of the sequence ESC [ … at p, 0 when it has no end. */
static size_t control_sequence(const char *p, size_t n)
{
	size_t i = 2;

	while (i < n && p[i] >= 0x20 && p[i] < 0x40)
		i++;
	return i < n && p[i] >= 0x40 && p[i] < DEL ? i + 1 : 0;
}

/* The same for ESC ] …, which BEL or ESC \ ends. */
static size_t system_command(const char *p, size_t n)
{
	for (size_t i = 2; i < n && p[i] != '\n'; i++) {
		if (p[i] == BEL)
			return i + 1;
		if (p[i] == ESC)
			return i + 1 < n && p[i + 1] == '\\' ? i + 2 : 0;
	}
	return 0;
}

static size_t escape(const char *p, size_t n)
{
	if (n < 2 || *p != ESC)
		return 0;
	return p[1] == '[' ? control_sequence(p, n) : p[1] == ']' ? system_command(p, n) : 0;
}

static int is_colour(const char *p, size_t n)
{
	if (p[1] != '[' || p[n - 1] != 'm')
		return 0;
	for (size_t i = 2; i + 1 < n; i++)
		if ((p[i] < '0' || p[i] > '9') && p[i] != ';')
			return 0;
	return 1;
}

static int is_reset(const char *p, size_t n)
{
	return n == 3 || (n == 4 && p[2] == '0');
}

static void plain(struct buf *b, int *coloured)
{
	if (*coloured)
		buf_adds(b, "\033[0m");
	*coloured = 0;
}

static void add_char(struct buf *b, const char *p, size_t n, int harmless)
{
	unsigned char c = (unsigned char)*p;

	if (harmless) {
		buf_add(b, p, n);
	} else if (c < 0x20 || c == DEL) {
		buf_addc(b, '^');
		buf_addc(b, (char)(c ^ 0x40));
	} else {
		buf_adds(b, "\xef\xbf\xbd");
	}
}

void visible_add(struct buf *b, const char *p, size_t n, enum visible_flags flags)
{
	int coloured = 0, harmless;
	size_t len;

	for (; n; p += len, n -= len) {
		len = escape(p, n);
		if (len) {
			if (!(flags & VISIBLE_COLOUR) || !is_colour(p, len))
				continue;
			buf_add(b, p, len);
			coloured = !is_reset(p, len);
			continue;
		}
		len = visible_char(p, n, &harmless);
		if (*p == '\n' && flags & VISIBLE_LINES) {
			plain(b, &coloured);
			buf_addc(b, '\n');
		} else {
			add_char(b, p, len, harmless);
		}
	}
	plain(b, &coloured);
}
