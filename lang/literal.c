/* SPDX-License-Identifier: MIT
 *
 * What string, path, search path and URL literals mean.
 *
 * Text without escapes is not copied: the node points into the source.  Path literals become
 * absolute and normalised here, from the directory of the file they stand in, so evaluation never
 * needs to know where an expression came from.
 */
#include "config.h"
#include "lang/ast_build.h"
#include "lang/mistake.h"

#include <string.h>

const char *literal_text(struct parse *ps, struct span at)
{
	return ps->src->text + (at.begin - ps->src->start);
}

/* Writes what the inside of a string literal means to out, which has room for n bytes; returns its length.
 * Backslash escapes one byte, of which n, r and t are special; a carriage return, alone or before a
 * newline, is a newline.  The text never ends inside an escape. */
size_t literal_unescape(char *out, const char *p, size_t n)
{
	const char *end = p + n;
	char *o = out;

	while (p < end) {
		char c = *p++;
		if (c == '\\' && p < end) {
			c = *p++;
			*o++ = (char)(c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c);
		} else if (c == '\r') {
			*o++ = '\n';
			if (p < end && *p == '\n')
				p++;
		} else {
			*o++ = c;
		}
	}
	return (size_t)(o - out);
}

/* The string written as `text`; `at` is the span the node gets, with the quotes where it is the
 * whole literal. */
struct expr *literal_string(struct parse *ps, struct span text, struct span at)
{
	const char *p = literal_text(ps, text);
	size_t n = text.end - text.begin;

	if (memchr(p, '\\', n) || memchr(p, '\r', n)) {
		char *out = arena_alloc(ps->mem, n + 1);
		n = literal_unescape(out, p, n);
		p = out;
	}
	return ast_str(ps, p, n, at);
}

static void lint(struct parse *ps, enum lint_level level, struct span at, const char *what, const char *advice,
		 const char *setting)
{
	struct err e = ERR_INIT;

	if (level == LINT_IGNORE)
		return;
	int n = at.end - at.begin > 200 ? 200 : (int)(at.end - at.begin);
	err_at(&e, at.begin, at.end - at.begin, "%s '%.*s' %s (%s)", what, n, literal_text(ps, at), advice, setting);
	if (level == LINT_FATAL)
		err_at(ps->err, e.pos, e.len, "%s", e.msg);
	else if (ps->opt->warn)
		ps->opt->warn(ps->opt->warn_arg, e.pos, e.len, e.msg);
	err_release(&e);
}

/* Appends the parts of the path p to the normalised path out[0..len); "" stands for the root.  Returns
 * the new length; the caller has provided room. */
static size_t path_append(char *out, size_t len, const char *p, size_t n)
{
	const char *end = p + n;

	while (p < end) {
		const char *slash = memchr(p, '/', (size_t)(end - p));
		size_t k = (size_t)((slash ? slash : end) - p);
		if (k == 2 && p[0] == '.' && p[1] == '.') {
			while (len && out[--len] != '/')
				;
		} else if (k && !(k == 1 && p[0] == '.')) {
			out[len++] = '/';
			memcpy(out + len, p, k);
			len += k;
		}
		p += k + (slash != NULL);
	}
	return len;
}

/* base and the n bytes at p joined.  Where an interpolation follows, the last slash stays. */
static struct expr *path_node(struct parse *ps, const char *base, const char *p, size_t n, struct span at)
{
	size_t base_len = strlen(base), len;
	char *out = arena_alloc(ps->mem, base_len + n + 4);
	struct expr *e;

	len = path_append(out, 0, base, base_len);
	len = path_append(out, len, p, n);
	if (!len || p[n - 1] == '/')
		out[len++] = '/';
	e = ast_str(ps, out, len, at);
	e->kind = E_PATH;
	return e;
}

struct expr *literal_path(struct parse *ps, struct span at)
{
	const char *p = literal_text(ps, at);

	if (*p == '/')
		lint(ps, ps->opt->absolute_paths, at, "absolute path literals are not portable; instead of",
		     "consider a string, a relative path or a parameter", "lint-absolute-path-literals");
	else if (*p != '.')
		lint(ps, ps->opt->short_paths, at, "relative path literal", "should be prefixed with './'",
		     "lint-short-path-literals");
	return path_node(ps, *p == '/' ? "" : ps->src->base, p, at.end - at.begin, at);
}

struct expr *literal_home_path(struct parse *ps, struct span at)
{
	const char *p = literal_text(ps, at);
	int n = at.end - at.begin > 200 ? 200 : (int)(at.end - at.begin);

	if (ps->opt->pure)
		err_at(ps->err, at.begin, at.end - at.begin,
		       "path '%.*s' depends on the home directory, which pure evaluation does not allow", n, p);
	else if (!ps->opt->home)
		err_at(ps->err, at.begin, at.end - at.begin, "path '%.*s' needs a home directory, and none is known", n, p);
	lint(ps, ps->opt->absolute_paths, at, "home path literals are not portable; instead of",
	     "consider a string, a relative path or a parameter", "lint-absolute-path-literals");
	return path_node(ps, ps->opt->home ? ps->opt->home : "", p + 1, at.end - at.begin - 1, at);
}

struct expr *literal_search_path(struct parse *ps, struct span at)
{
	struct expr *e = ast_str(ps, literal_text(ps, at) + 1, at.end - at.begin - 2, at);

	e->kind = E_SPATH;
	return e;
}

/* "${HOME:-/root}" is a URL in braces.  It is what the shell's users write, and seldom a URL. */
static void warn_shell(struct parse *ps, struct span at)
{
	const char *p = literal_text(ps, at);
	size_t n = at.end - at.begin;
	struct buf b = BUF_INIT;

	if (at.begin < ps->src->start + 2 || p[-1] != '{' || p[-2] != '$' || p[n] != '}' || !mistake_is_shell(p) || !ps->opt->warn)
		return;
	buf_addf(&b, "${%.*s} is a URL in an interpolation here; for the shell's variable write ''${%.*s} in a ''...'' string, "
		     "\\${%.*s} in \"...\"", (int)n, p, (int)n, p, (int)n, p);
	ps->opt->warn(ps->opt->warn_arg, at.begin, (uint32_t)n, buf_str(&b));
	buf_release(&b);
}

struct expr *literal_url(struct parse *ps, struct span at)
{
	warn_shell(ps, at);
	lint(ps, ps->opt->url_literals, at, "URL literal", "should be a string, in quotes", "lint-url-literals");
	return ast_str(ps, literal_text(ps, at), at.end - at.begin, at);
}
