/* SPDX-License-Identifier: MIT
 *
 * Module paths and versions, following golang.org/x/mod/module and x/mod/semver rule by rule: a module that the go
 * command refuses must not get into the store, and one that it takes must.  Each message names its rule, as
 * Go's does, because what is refused here is usually somebody's typing error.
 */
#include "config.h"
#include "golang/modpath.h"
#include "base/alloc.h"
#include "base/json.h"
#include "golang/unicode.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

enum path_kind { MODULE_PATH, FILE_PATH };

#define IS(s, lit) slice_eq(s, SLICE(lit))

static struct slice sub(struct slice s, size_t from, size_t to)
{
	return (struct slice){ s.p + from, to - from };
}

static int is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int is_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static size_t index_of(struct slice s, char c)
{
	const char *p = s.n ? memchr(s.p, c, s.n) : NULL;

	return p ? (size_t)(p - s.p) : s.n;
}

/* --- paths --- */

static int char_ok(uint32_t c, enum path_kind kind)
{
	if (c >= 0x80)
		return kind == FILE_PATH && unicode_is_letter(c);
	if (is_alnum((char)c))
		return 1;
	return c && strchr(kind == MODULE_PATH ? "-._~" : "!#$%&()+,-.=@[]^_{}~ ", (int)c) != NULL;
}

/* Names that Windows keeps for devices, whatever follows after a dot. */
static int is_device(struct slice name)
{
	static const char *const bad[] = { "CON", "PRN", "AUX", "NUL" };

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (unicode_fold_eq(name.p, name.n, bad[i], 3))
			return 1;
	return name.n == 4 && name.p[3] >= '1' && name.p[3] <= '9' &&
	       (unicode_fold_eq(name.p, 3, "COM", 3) || unicode_fold_eq(name.p, 3, "LPT", 3));
}

/* "name~1" is how Windows shortens names. */
static int is_short_name(struct slice name)
{
	size_t i = name.n;

	while (i && is_digit(name.p[i - 1]))
		i--;
	return i && i < name.n && name.p[i - 1] == '~';
}

static int check_element(struct slice s, enum path_kind kind, struct err *e)
{
	size_t dots = 0, k;

	if (!s.n)
		return err_set(e, ERR_INVALID, "empty path element");
	for (size_t i = 0; i < s.n; i++)
		dots += s.p[i] == '.';
	if (dots == s.n)
		return err_set(e, ERR_INVALID, "invalid path element '%.*s'", (int)s.n, s.p);
	if (s.p[0] == '.' && kind == MODULE_PATH)
		return err_set(e, ERR_INVALID, "leading dot in path element");
	if (s.p[s.n - 1] == '.')
		return err_set(e, ERR_INVALID, "trailing dot in path element");
	for (size_t i = 0; i < s.n; i += k) {
		uint32_t c = unicode_at(s.p + i, s.n - i, &k);

		if (char_ok(c, kind))
			continue;
		if (c < 0x20 || c == 0x7f)
			return err_set(e, ERR_INVALID, "invalid character 0x%02x", (unsigned)c);
		return err_set(e, ERR_INVALID, "invalid character '%.*s'", (int)k, s.p + i);
	}
	struct slice before_dot = sub(s, 0, index_of(s, '.'));

	if (is_device(before_dot))
		return err_set(e, ERR_INVALID, "'%.*s' disallowed as path element component on Windows", (int)before_dot.n,
			       before_dot.p);
	if (kind == MODULE_PATH && is_short_name(before_dot))
		return err_set(e, ERR_INVALID, "trailing tilde and digits in path element");
	return 0;
}

static int check_path(struct slice path, enum path_kind kind, struct err *e)
{
	int rc = 0;

	if (!path.n)
		return err_set(e, ERR_INVALID, "empty string");
	if (utf8_check(path.p, path.n))
		return err_set(e, ERR_INVALID, "invalid UTF-8");
	if (path.p[0] == '-' && kind != FILE_PATH)
		return err_set(e, ERR_INVALID, "leading dash");
	if (memmem(path.p, path.n, "//", 2))
		return err_set(e, ERR_INVALID, "double slash");
	if (path.p[path.n - 1] == '/')
		return err_set(e, ERR_INVALID, "trailing slash");
	for (size_t at = 0; at <= path.n && !rc;) {
		struct slice rest = sub(path, at, path.n);
		size_t n = index_of(rest, '/');

		rc = check_element(sub(rest, 0, n), kind, e);
		at += n + 1;
	}
	return rc;
}

int modpath_check_file(struct slice path, struct err *e)
{
	int rc = check_path(path, FILE_PATH, e);

	if (rc)
		err_prefix(e, "malformed file path '%.*s'", (int)path.n, path.p);
	return rc;
}

static int check_module_path(struct slice path, struct err *e)
{
	int rc = check_path(path, MODULE_PATH, e);
	struct slice first = sub(path, 0, index_of(path, '/')), prefix, major;

	if (rc)
		return rc;
	if (index_of(first, '.') == first.n)
		return err_set(e, ERR_INVALID, "missing dot in first path element");
	for (size_t i = 0; i < first.n; i++)
		if (!(first.p[i] == '-' || first.p[i] == '.' || is_digit(first.p[i]) ||
		      (first.p[i] >= 'a' && first.p[i] <= 'z')))
			return err_set(e, ERR_INVALID, "invalid character '%c' in first path element", first.p[i]);
	if (!modpath_split_major(path, &prefix, &major))
		return err_set(e, ERR_INVALID, "invalid version");
	return 0;
}

int modpath_check(struct slice path, struct err *e)
{
	int rc = check_module_path(path, e);

	if (rc)
		err_prefix(e, "malformed module path '%.*s'", (int)path.n, path.p);
	return rc;
}

/* gopkg.in writes ".vN" and always has it. */
static int split_gopkg(struct slice path, struct slice *prefix, struct slice *major)
{
	size_t i = path.n - (slice_ends(path, SLICE("-unstable")) ? 9 : 0);

	while (i && is_digit(path.p[i - 1]))
		i--;
	if (i <= 1 || path.p[i - 1] != 'v' || path.p[i - 2] != '.')
		return 0;
	struct slice m = sub(path, i - 2, path.n);

	if (m.n <= 2 || (m.p[2] == '0' && !IS(m, ".v0")))
		return 0;
	*prefix = sub(path, 0, i - 2);
	*major = m;
	return 1;
}

int modpath_split_major(struct slice path, struct slice *prefix, struct slice *major)
{
	size_t i = path.n;
	int dot = 0;

	*prefix = path;
	*major = (struct slice){ path.p + path.n, 0 };
	if (slice_starts(path, SLICE("gopkg.in/")))
		return split_gopkg(path, prefix, major);
	for (; i && (is_digit(path.p[i - 1]) || path.p[i - 1] == '.'); i--)
		dot |= path.p[i - 1] == '.';
	if (i <= 1 || i == path.n || path.p[i - 1] != 'v' || path.p[i - 2] != '/')
		return 1;
	struct slice m = sub(path, i - 2, path.n);

	if (dot || m.n <= 2 || m.p[2] == '0' || IS(m, "/v1"))
		return 0;
	*prefix = sub(path, 0, i - 2);
	*major = m;
	return 1;
}

/* --- versions --- */

/* The parts of a version, pointing into it; pre and build with their first character. */
struct semver {
	struct slice num[3];
	int given; /* how many of num were there */
	struct slice pre, build;
};

static int take_number(struct slice *s, struct slice *out)
{
	size_t n = 0;

	while (n < s->n && is_digit(s->p[n]))
		n++;
	if (!n || (n > 1 && s->p[0] == '0'))
		return 0;
	*out = sub(*s, 0, n);
	*s = sub(*s, n, s->n);
	return 1;
}

/* Identifiers between dots, up to `stop`; numbers among them must not begin with 0 in a pre-release. */
static int take_idents(struct slice *s, char stop, int strict, struct slice *out)
{
	size_t i = 1, start = 1;

	for (;; i++) {
		int end = i == s->n || (stop && s->p[i] == stop);

		if (end || s->p[i] == '.') {
			size_t digits = start;

			while (digits < i && is_digit(s->p[digits]))
				digits++;
			if (i == start || (strict && digits == i && i - start > 1 && s->p[start] == '0'))
				return 0;
			if (end)
				break;
			start = i + 1;
		} else if (!is_alnum(s->p[i]) && s->p[i] != '-') {
			return 0;
		}
	}
	*out = sub(*s, 0, i);
	*s = sub(*s, i, s->n);
	return 1;
}

static int semver_parse(struct slice v, struct semver *out)
{
	struct slice s = v;

	memset(out, 0, sizeof *out);
	for (int i = 0; i < 3; i++)
		out->num[i] = SLICE("0");
	if (!s.n || s.p[0] != 'v')
		return 0;
	s = sub(s, 1, s.n);
	for (;;) {
		if (!take_number(&s, &out->num[out->given]))
			return 0;
		if (++out->given == 3)
			break;
		if (!s.n)
			return 1;
		if (s.p[0] != '.')
			return 0;
		s = sub(s, 1, s.n);
	}
	if (s.n && s.p[0] == '-' && !take_idents(&s, '+', 1, &out->pre))
		return 0;
	if (s.n && s.p[0] == '+' && !take_idents(&s, 0, 0, &out->build))
		return 0;
	return !s.n;
}

int modver_is_semver(struct slice v, int shorts)
{
	struct semver s;

	return semver_parse(v, &s) && (shorts || s.given == 3);
}

int modver_is_canonical(struct slice v)
{
	struct semver s;

	return semver_parse(v, &s) && s.given == 3 && (!s.build.n || IS(s.build, "+incompatible"));
}

int modver_is_pseudo(struct slice v)
{
	struct semver s;
	size_t dash;

	if (!semver_parse(v, &s) || s.given != 3 || s.pre.n < 1 + 14 + 2)
		return 0;
	for (dash = s.pre.n - 1; dash > 0 && s.pre.p[dash] != '-'; dash--)
		if (s.pre.p[dash] == '.')
			return 0;
	if (dash < 15 || dash == s.pre.n - 1)
		return 0;
	for (size_t i = dash - 14; i < dash; i++)
		if (!is_digit(s.pre.p[i]))
			return 0;
	/* What is before the time: "-" after N.0.0, else "-0." or "-pre.0." */
	struct slice before = sub(s.pre, 0, dash - 14);

	if (before.n == 1)
		return IS(s.num[1], "0") && IS(s.num[2], "0");
	return IS(before, "-0.") || slice_ends(before, SLICE(".0."));
}

static int sign(int x)
{
	return (x > 0) - (x < 0);
}

static int cmp_number(struct slice a, struct slice b)
{
	if (a.n != b.n)
		return a.n < b.n ? -1 : 1;
	return sign(a.n ? memcmp(a.p, b.p, a.n) : 0);
}

static int all_digits(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_digit(s.p[i]))
			return 0;
	return 1;
}

/* A pre-release comes before the release; its identifiers compare one by one, numbers before words. */
static int cmp_pre(struct slice a, struct slice b)
{
	if (!a.n || !b.n)
		return (a.n == 0) - (b.n == 0);
	while (a.n && b.n) {
		a = sub(a, 1, a.n);
		b = sub(b, 1, b.n);
		struct slice x = sub(a, 0, index_of(a, '.')), y = sub(b, 0, index_of(b, '.'));

		a = sub(a, x.n, a.n);
		b = sub(b, y.n, b.n);
		if (slice_eq(x, y))
			continue;
		int dx = all_digits(x), dy = all_digits(y);

		if (dx != dy)
			return dx ? -1 : 1;
		return dx ? cmp_number(x, y) : sign(slice_cmp(x, y));
	}
	return (a.n != 0) - (b.n != 0);
}

int modver_cmp(struct slice a, struct slice b)
{
	struct semver x, y;
	int xo = semver_parse(a, &x), yo = semver_parse(b, &y), c;

	if (!xo || !yo)
		return xo - yo;
	for (int i = 0; i < 3; i++)
		if ((c = cmp_number(x.num[i], y.num[i])))
			return c;
	return cmp_pre(x.pre, y.pre);
}

/* --- both --- */

static int check_major(const struct module_version *m, struct err *e)
{
	struct slice prefix, major;
	struct semver s;

	modpath_split_major(m->path, &prefix, &major);
	semver_parse(m->version, &s);
	if (slice_starts(major, SLICE(".v")) && slice_ends(major, SLICE("-unstable")))
		major.n -= 9;
	/* An old mistake that published versions still carry: gopkg.in/check.v1 v0.0.0-2016… */
	if (IS(major, ".v1") && slice_starts(m->version, SLICE("v0.0.0-")))
		return 0;
	if (!major.n) {
		if (IS(s.num[0], "0") || IS(s.num[0], "1") || IS(s.build, "+incompatible"))
			return 0;
		return err_set(e, ERR_INVALID, "version '%.*s' does not fit the module path '%.*s': should be v0 or v1",
			       (int)m->version.n, m->version.p, (int)m->path.n, m->path.p);
	}
	if (slice_eq(s.num[0], sub(major, 2, major.n)))
		return 0;
	return err_set(e, ERR_INVALID, "version '%.*s' does not fit the module path '%.*s': should be %.*s",
		       (int)m->version.n, m->version.p, (int)m->path.n, m->path.p, (int)major.n - 1, major.p + 1);
}

int modpath_check_module(const struct module_version *m, struct err *e)
{
	int rc = modpath_check(m->path, e);

	if (rc)
		return rc;
	if (!modver_is_semver(m->version, 1))
		return err_set(e, ERR_INVALID, "'%.*s' is not a semantic version", (int)m->version.n, m->version.p);
	if (!modver_is_canonical(m->version))
		return err_set(e, ERR_INVALID, "version '%.*s' is not canonical", (int)m->version.n, m->version.p);
	return check_major(m, e);
}

static void escape(struct buf *b, struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] >= 'A' && s.p[i] <= 'Z') {
			buf_addc(b, '!');
			buf_addc(b, (char)(s.p[i] - 'A' + 'a'));
		} else {
			buf_addc(b, s.p[i]);
		}
	}
}

int modpath_escape(struct buf *b, struct slice path, struct err *e)
{
	int rc = modpath_check(path, e);

	if (!rc)
		escape(b, path);
	return rc;
}

int modver_escape(struct buf *b, struct slice v, struct err *e)
{
	int bad = !v.n || utf8_check(v.p, v.n) || check_element(v, FILE_PATH, NULL) || index_of(v, '!') < v.n;

	for (size_t i = 0; i < v.n; i++)
		bad |= (unsigned char)v.p[i] >= 0x80;
	if (bad)
		return err_set(e, ERR_INVALID, "'%.*s' cannot be a version", (int)v.n, v.p);
	escape(b, v);
	return 0;
}

int modpath_unescape(struct buf *b, struct slice s, struct err *e)
{
	size_t start = b->len;
	int bang = 0, bad = 0;

	for (size_t i = 0; i < s.n && !bad; i++) {
		char c = s.p[i];

		if (bang)
			bad = c < 'a' || c > 'z';
		else
			bad = (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80;
		if (!bang && c == '!') {
			bang = 1;
			continue;
		}
		buf_addc(b, bang ? (char)(c - 'a' + 'A') : c);
		bang = 0;
	}
	if (!bad && !bang && b->len > start && !modpath_check((struct slice){ b->p + start, b->len - start }, NULL))
		return 0;
	buf_trim(b, start);
	return err_set(e, ERR_INVALID, "invalid escaped module path '%.*s'", (int)s.n, s.p);
}

/* The first `slashes` + 1 elements, or an empty slice when there are fewer. */
static struct slice elements(struct slice path, size_t slashes)
{
	for (size_t i = 0; i < path.n; i++)
		if (path.p[i] == '/' && !slashes--)
			return sub(path, 0, i);
	return slashes ? (struct slice){ path.p, 0 } : path;
}

int modpath_matches(struct slice globs, struct slice path)
{
	int found = 0;

	while (globs.n && !found) {
		struct slice g = sub(globs, 0, index_of(globs, ','));
		size_t slashes = 0;

		globs = sub(globs, g.n < globs.n ? g.n + 1 : g.n, globs.n);
		if (g.n && g.p[g.n - 1] == '/')
			g.n--;
		for (size_t i = 0; i < g.n; i++)
			slashes += g.p[i] == '/';
		struct slice prefix = elements(path, slashes);

		if (!g.n || !prefix.n)
			continue;
		char *pattern = xstrndup(g.p, g.n), *text = xstrndup(prefix.p, prefix.n);

		found = !fnmatch(pattern, text, FNM_PATHNAME);
		free(pattern);
		free(text);
	}
	return found;
}
