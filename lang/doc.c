/* SPDX-License-Identifier: MIT
 *
 * The text of a doc comment.
 *
 * The tree keeps it as written, since most are never shown.  Showing one removes the indentation
 * common to its lines, in spaces, where the opening mark counts as three of them: so text that begins
 * on the first line and goes on below it lines up.
 */
#include "config.h"
#include "lang/parse.h"
#include "base/buf.h"

#include <stdint.h>
#include <string.h>

/* The end of the line that begins at p; *next is where the one after it does. */
static const char *line_end(const char *p, const char *end, const char **next)
{
	while (p < end && *p != '\n' && *p != '\r')
		p++;
	*next = p < end ? p + 1 : end;
	if (p + 1 < end && p[0] == '\r' && p[1] == '\n')
		++*next;
	return p;
}

static size_t spaces(const char *p, const char *end)
{
	const char *q = p;

	while (q < end && *q == ' ')
		q++;
	return (size_t)(q - p);
}

static const char first_line_indent[] = "   ";

static size_t least_indent(const char *p, const char *end)
{
	size_t least = SIZE_MAX, lead = sizeof first_line_indent - 1;
	const char *eol, *next;

	for (; p < end; p = next, lead = 0) {
		eol = line_end(p, end, &next);
		size_t k = spaces(p, eol);
		if (p + k < eol && k + lead < least)
			least = k + lead;
	}
	return least;
}

void doc_text(struct buf *b, const char *p, size_t n)
{
	const char *end = p + n, *eol, *next;
	size_t least = least_indent(p, end), lead = sizeof first_line_indent - 1;

	for (; p < end; p = next, lead = 0) {
		eol = line_end(p, end, &next);
		size_t len = (size_t)(eol - p);
		if (least < lead)
			buf_add(b, first_line_indent, lead - least);
		size_t cut = least > lead ? least - lead : 0;
		if (len > cut)
			buf_add(b, p + cut, len - cut);
		buf_addc(b, '\n');
	}
}
