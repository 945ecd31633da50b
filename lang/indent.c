/* SPDX-License-Identifier: MIT
 *
 * Indented strings: ''...''.
 *
 * The indentation common to all lines is removed.  It is measured in spaces only (a tab is text), on
 * the literal parts: an interpolation or an escape ends the indentation of its line, and lines of nothing
 * but spaces do not count.  If the last line is such a line, it goes too.
 *
 * Every literal part stays a string of its own in the result, as the scanner cut them; empty ones are
 * dropped, and a single one is the whole string.
 */
#include "config.h"
#include "lang/ast_build.h"

#include <string.h>

void indent_text(struct parse *ps, enum ind_piece kind, struct span at)
{
	*(struct piece *)stack_push(&ps->pieces) = (struct piece){ NULL, kind, at };
}

void indent_expr(struct parse *ps, struct expr *e)
{
	*(struct piece *)stack_push(&ps->pieces) = (struct piece){ .e = e };
}

/* Where in a line the scan is, and the least indentation so far. */
struct indent_scan {
	int in_indent;
	size_t spaces, least;
};

static void end_of_indent(struct indent_scan *s)
{
	if (s->in_indent && s->spaces < s->least)
		s->least = s->spaces;
	s->in_indent = 0;
}

static void measure(struct indent_scan *s, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '\n') {
			s->in_indent = 1;
			s->spaces = 0;
		} else if (!s->in_indent) {
			const char *nl = memchr(p + i, '\n', n - i);
			i = (nl ? (size_t)(nl - p) : n) - 1;
		} else if (p[i] == ' ') {
			s->spaces++;
		} else {
			end_of_indent(s);
		}
	}
}

static size_t least_indent(struct parse *ps, const struct piece *v, uint32_t n)
{
	struct indent_scan s = { 1, 0, SIZE_MAX };

	for (uint32_t i = 0; i < n; i++)
		if (v[i].e || v[i].kind != IND_TEXT)
			end_of_indent(&s);
		else
			measure(&s, literal_text(ps, v[i].at), v[i].at.end - v[i].at.begin);
	return s.least;
}

/* State of the second pass: in the indentation of a line, of which `dropped` spaces are gone. */
struct strip {
	int in_indent;
	size_t dropped, least;
};

static size_t strip_text(struct strip *s, char *out, const char *p, size_t n)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		if (s->in_indent && p[i] == ' ') {
			if (s->dropped++ < s->least)
				continue;
		} else if (s->in_indent) {
			s->in_indent = p[i] == '\n';
			s->dropped = 0;
		} else if (p[i] == '\n') {
			s->in_indent = 1;
		}
		out[len++] = p[i];
	}
	return len;
}

/* Without the last line if that is only spaces, but with its newline. */
static size_t drop_last_line(const char *p, size_t n)
{
	size_t k = n;

	while (k && p[k - 1] == ' ')
		k--;
	return k && p[k - 1] == '\n' ? k : n;
}

/* What a piece says, before stripping; *n is its length. */
static const char *piece_text(struct parse *ps, const struct piece *p, size_t *n)
{
	const char *text = literal_text(ps, p->at);
	char *out;

	*n = 1;
	switch (p->kind) {
	case IND_DOLLAR:
		return "$";
	case IND_QUOTE:
		return "'";
	case IND_QUOTES:
		*n = 2;
		return "''";
	case IND_ESCAPE:
		out = arena_alloc(ps->mem, 2);
		*n = literal_unescape(out, text + 2, 2);
		return out;
	case IND_TEXT:
		break;
	}
	*n = p->at.end - p->at.begin;
	return text;
}

static void strip_piece(struct parse *ps, struct strip *s, const struct piece *p, int is_last)
{
	size_t n;
	const char *text = piece_text(ps, p, &n);
	char *out = arena_alloc(ps->mem, n + 1);

	n = strip_text(s, out, text, n);
	if (is_last)
		n = drop_last_line(out, n);
	if (n)
		ast_push(ps, ast_str(ps, out, n, p->at));
}

struct expr *indent_done(struct parse *ps, uint32_t mark, struct span at)
{
	uint32_t n = ps->pieces.n - mark, exprs = ps->exprs.n;
	const struct piece *v = stack_from(&ps->pieces, mark);
	struct strip s = { 1, 0, least_indent(ps, v, n) };
	struct expr *only;

	for (uint32_t i = 0; i < n; i++) {
		if (!v[i].e) {
			strip_piece(ps, &s, &v[i], i == n - 1);
			continue;
		}
		s.in_indent = 0;
		s.dropped = 0;
		ast_push(ps, v[i].e);
	}
	ps->pieces.n = mark;
	if (ps->exprs.n == exprs)
		return ast_str(ps, "", 0, at);
	only = *(struct expr **)stack_from(&ps->exprs, exprs);
	if (ps->exprs.n != exprs + 1 || only->kind != E_STR)
		return ast_concat(ps, 1, NULL, exprs, at);
	ps->exprs.n = exprs;
	return ast_str(ps, only->str.p, only->str.n, at);
}
