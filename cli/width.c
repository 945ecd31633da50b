/* SPDX-License-Identifier: MIT
 *
 * The C library's wcwidth knows only what the locale does, and in the C locale nothing: so a short list of what is wide or has no
 * width.  It errs towards wide: a line that is too short is better than one that wraps.
 */
#include "config.h"
#include "cli/width.h"

#include <stdint.h>
#include <sys/ioctl.h>

static const struct {
	uint32_t from, to;
	unsigned width;
} ranges[] = {
	{ 0x300, 0x36f, 0 },	 { 0x1100, 0x115f, 2 },	  { 0x200b, 0x200f, 0 },   { 0x2600, 0x27bf, 2 },     { 0x2b00, 0x2bff, 2 },
	{ 0x2e80, 0xa4cf, 2 },	 { 0xac00, 0xd7a3, 2 },	  { 0xf900, 0xfaff, 2 },   { 0xfe00, 0xfe0f, 0 },     { 0xfe30, 0xfe6f, 2 },
	{ 0xff00, 0xff60, 2 },	 { 0xffe0, 0xffe6, 2 },	  { 0x1f000, 0x1faff, 2 }, { 0x20000, 0x3fffd, 2 },
};

/* The character at p[0..n), n > 0; returns its length. */
static size_t next_char(const char *p, size_t n, unsigned *width)
{
	const unsigned char *u = (const unsigned char *)p;
	size_t len = *u < 0xc0 ? 1 : *u < 0xe0 ? 2 : *u < 0xf0 ? 3 : 4;
	uint32_t c = len == 1 ? *u : *u & (0x7fu >> len);

	if (len > n)
		len = n;
	for (size_t i = 1; i < len; i++)
		c = c << 6 | (u[i] & 0x3f);
	*width = 1;
	for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
		if (c >= ranges[i].from && c <= ranges[i].to)
			*width = ranges[i].width;
	return len;
}

unsigned width_of_terminal(int fd)
{
	struct winsize w;

	return ioctl(fd, TIOCGWINSZ, &w) == 0 && w.ws_col ? w.ws_col : 80;
}

size_t width_of(struct slice s)
{
	size_t all = 0;
	unsigned w;

	while (s.n) {
		size_t len = next_char(s.p, s.n, &w);

		all += w;
		s.p += len;
		s.n -= len;
	}
	return all;
}

/* How many bytes of its beginning take at most so many columns. */
static size_t fitting(struct slice s, size_t columns)
{
	size_t at = 0;
	unsigned w;

	while (at < s.n) {
		size_t len = next_char(s.p + at, s.n - at, &w);

		if (w > columns)
			break;
		columns -= w;
		at += len;
	}
	return at;
}

void width_cut_end(struct buf *b, struct slice s, size_t columns)
{
	if (width_of(s) <= columns) {
		buf_add(b, s.p, s.n);
	} else if (columns) {
		buf_add(b, s.p, fitting(s, columns - 1));
		buf_adds(b, "…");
	}
}

void width_cut_middle(struct buf *b, struct slice s, size_t columns)
{
	size_t width = width_of(s), tail = columns / 2, at;

	if (width <= columns || columns < 4) {
		width_cut_end(b, s, columns);
		return;
	}
	buf_add(b, s.p, fitting(s, columns - tail - 1));
	buf_adds(b, "…");
	/* What is left out in front of the tail may end in the middle of a wide character: that goes too. */
	at = fitting(s, width - tail);
	while (width_of((struct slice){ s.p + at, s.n - at }) > tail) {
		unsigned w;

		at += next_char(s.p + at, s.n - at, &w);
	}
	buf_add(b, s.p + at, s.n - at);
}

void width_wrap(struct buf *b, const char *text, size_t indent, size_t width)
{
	size_t col = indent;

	while (*text) {
		size_t n = strcspn(text, " ");
		if (col > indent && col + 1 + n > width) {
			buf_addf(b, "\n%*s", (int)indent, "");
			col = indent;
		} else if (col > indent) {
			buf_addc(b, ' ');
			col++;
		}
		buf_add(b, text, n);
		col += n;
		text += n;
		text += strspn(text, " ");
	}
	buf_addc(b, '\n');
}
