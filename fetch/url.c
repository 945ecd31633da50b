/* SPDX-License-Identifier: MIT
 *
 * The text is cut at the delimiters first, since none of them may occur before its place, and then each part
 * is checked against its own set of characters.  What RFC 3986 leaves open Nix decides: a file: URL has no host, an
 * empty path in one is "/", parameters without a value are dropped, and a plus sign is a plus sign.
 */
#include "config.h"
#include "fetch/url.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

/* --- characters --- */

static int is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int is_unreserved(char c)
{
	return is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

static int in(char c, const char *set)
{
	return c && strchr(set, c) != NULL;
}

#define SUB_DELIMS "!$&'()*+,;="

static int hex(char c)
{
	if (is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Every character is unreserved, in `more`, or a %XX. */
static int made_of(struct slice s, const char *more)
{
	for (size_t i = 0; i < s.n; i++) {
		if (is_unreserved(s.p[i]) || in(s.p[i], more))
			continue;
		if (s.p[i] != '%' || s.n - i < 3 || hex(s.p[i + 1]) < 0 || hex(s.p[i + 2]) < 0)
			return 0;
		i += 2;
	}
	return 1;
}

void url_encode(struct buf *b, struct slice s, const char *keep)
{
	for (size_t i = 0; i < s.n; i++) {
		if (is_unreserved(s.p[i]) || in(s.p[i], keep))
			buf_addc(b, s.p[i]);
		else
			buf_addf(b, "%%%02X", (unsigned char)s.p[i]);
	}
}

int url_decode(struct slice s, struct arena *mem, struct slice *out, struct err *e)
{
	char *d = arena_alloc(mem, s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != '%') {
			d[n++] = s.p[i];
			continue;
		}
		if (s.n - i < 3 || hex(s.p[i + 1]) < 0 || hex(s.p[i + 2]) < 0)
			return err_set(e, ERR_INVALID, "'%%' in '%.*s' is not followed by two hexadecimal digits", (int)s.n, s.p);
		d[n++] = (char)(hex(s.p[i + 1]) << 4 | hex(s.p[i + 2]));
		i += 2;
	}
	*out = (struct slice){ d, n };
	return 0;
}

/* --- cutting --- */

/* The part of *s before c, taken off together with c; all of it when c is not there. *found says which. */
static struct slice cut(struct slice *s, char c, int *found)
{
	const char *p = s->n ? memchr(s->p, c, s->n) : NULL;
	struct slice head = { s->p, p ? (size_t)(p - s->p) : s->n };

	*found = p != NULL;
	s->p += head.n + (p != NULL);
	s->n -= head.n + (p != NULL);
	return head;
}

void url_split_scheme(struct slice scheme, struct slice *application, struct slice *transport)
{
	int plus;

	*transport = scheme;
	*application = cut(transport, '+', &plus);
	if (!plus) {
		*application = (struct slice){ "", 0 };
		*transport = scheme;
	}
}

static int is_file(const struct url *u)
{
	struct slice application, transport;

	url_split_scheme(u->scheme, &application, &transport);
	return slice_eq(transport, SLICE("file"));
}

/* --- authority --- */

static int parse_port(struct slice s, struct url *u, struct err *e)
{
	unsigned long port = 0;

	if (!s.n)
		return 0;
	for (size_t i = 0; i < s.n; i++) {
		if (!is_digit(s.p[i]))
			return err_set(e, ERR_INVALID, "port '%.*s' is invalid", (int)s.n, s.p);
		port = port * 10 + (unsigned long)(s.p[i] - '0');
		if (port > 65535)
			break;
	}
	if (!port || port > 65535)
		return err_set(e, ERR_INVALID, "port '%.*s' is invalid", (int)s.n, s.p);
	u->port = (unsigned)port;
	return 0;
}

/* The address between brackets, a zone (%25…) after it allowed. */
static int is_ip_literal(struct slice s)
{
	char text[64];
	struct in6_addr addr;
	const char *zone = memchr(s.p, '%', s.n);
	size_t n = zone ? (size_t)(zone - s.p) : s.n;

	if (s.n > 1 && (s.p[0] | 0x20) == 'v')
		return made_of(s, SUB_DELIMS ":");
	if (n >= sizeof text)
		return 0;
	memcpy(text, s.p, n);
	text[n] = 0;
	return inet_pton(AF_INET6, text, &addr) == 1;
}

static int parse_user(struct slice s, struct url *u, struct arena *mem, struct err *e)
{
	struct slice user = cut(&s, ':', &u->has_password);

	u->has_user = 1;
	if (!made_of(user, SUB_DELIMS) || !made_of(s, SUB_DELIMS ":"))
		return err_set(e, ERR_INVALID, "invalid user in a URL");
	if (url_decode(user, mem, &u->user, e))
		return -1;
	return u->has_password ? url_decode(s, mem, &u->password, e) : 0;
}

static int parse_authority(struct slice s, struct url *u, struct arena *mem, struct err *e)
{
	int found;
	const char *at = s.n ? memrchr(s.p, '@', s.n) : NULL;

	if (at) {
		struct slice user = { s.p, (size_t)(at - s.p) };
		if (parse_user(user, u, mem, e))
			return -1;
		s.n -= user.n + 1;
		s.p = at + 1;
	}
	struct slice host;
	if (s.n && *s.p == '[') {
		s.p++;
		s.n--;
		host = cut(&s, ']', &found);
		u->bracketed = 1;
		if (!found || !is_ip_literal(host) || (s.n && *s.p != ':'))
			return err_set(e, ERR_INVALID, "invalid address in a URL");
		cut(&s, ':', &found);
	} else {
		host = cut(&s, ':', &found);
		if (!made_of(host, SUB_DELIMS))
			return err_set(e, ERR_INVALID, "invalid host '%.*s'", (int)host.n, host.p);
	}
	return parse_port(s, u, e) || url_decode(host, mem, &u->host, e) ? -1 : 0;
}

/* --- path --- */

static int parse_path(struct slice s, struct url *u, struct arena *mem, struct err *e)
{
	size_t n = 1;

	if (!made_of(s, SUB_DELIMS ":@/"))
		return err_set(e, ERR_INVALID, "invalid character in path '%.*s'", (int)s.n, s.p);
	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == '/';
	u->path = arena_alloc(mem, n * sizeof *u->path);
	for (int more = 1; more;)
		if (url_decode(cut(&s, '/', &more), mem, &u->path[u->npath++], e))
			return -1;
	return 0;
}

void url_path_from_file(struct url *u, struct slice path, struct arena *mem)
{
	size_t n = 3;
	int more = path.n > 0;

	for (size_t i = 0; i < path.n; i++)
		n += path.p[i] == '/';
	u->path = arena_alloc(mem, n * sizeof *u->path);
	u->npath = 0;
	if (path.n && path.p[0] == '/')
		u->path[u->npath++] = (struct slice){ "", 0 };
	int slash_at_end = !path.n || path.p[path.n - 1] == '/', only_slashes = 1;
	while (more) {
		struct slice part = cut(&path, '/', &more);
		if (part.n) {
			u->path[u->npath++] = part;
			only_slashes = 0;
		}
	}
	/* Nix writes a slash at the end twice: pinned by flake_ref_to_string/path_trailing_slash_doubles. */
	for (int i = 0; slash_at_end && i < (only_slashes ? 1 : 2); i++)
		u->path[u->npath++] = (struct slice){ "", 0 };
}

int url_path_to_file(const struct url *u, struct arena *mem, struct slice *out, struct err *e)
{
	size_t n = 2, len = 0;

	for (size_t i = 0; i < u->npath; i++)
		n += u->path[i].n + 1;
	char *p = arena_alloc(mem, n);
	if (u->npath && !u->path[0].n)
		p[len++] = '/';
	for (size_t i = len; i < u->npath; i++) {
		struct slice s = u->path[i];
		if (s.n && (memchr(s.p, '/', s.n) || memchr(s.p, 0, s.n)))
			return err_set(e, ERR_INVALID, "path component of a URL has a slash or a NUL in it");
		if (len && p[len - 1] != '/')
			p[len++] = '/';
		if (s.n)
			memcpy(p + len, s.p, s.n);
		len += s.n;
	}
	*out = (struct slice){ p, len };
	return 0;
}

/* --- query --- */

const struct slice *url_param(const struct url *u, const char *name)
{
	for (size_t i = 0; i < u->nquery; i++)
		if (slice_eq(u->query[i].name, slice_of(name)))
			return &u->query[i].value;
	return NULL;
}

void url_drop(struct url *u, const char *name)
{
	for (size_t i = 0; i < u->nquery; i++)
		if (slice_eq(u->query[i].name, slice_of(name))) {
			memmove(u->query + i, u->query + i + 1, (u->nquery - i - 1) * sizeof *u->query);
			u->nquery--;
			return;
		}
}

/* Inserts in order; returns 0 when the name was there already, and leaves it. */
static int insert(struct url *u, struct slice name, struct slice value, struct arena *mem, int replace)
{
	size_t i = 0;
	int c = 1;

	while (i < u->nquery && (c = slice_cmp(u->query[i].name, name)) < 0)
		i++;
	if (i < u->nquery && !c) {
		if (replace)
			u->query[i].value = value;
		return 0;
	}
	struct url_param *q = arena_alloc(mem, (u->nquery + 1) * sizeof *q);
	if (u->nquery) {
		memcpy(q, u->query, i * sizeof *q);
		memcpy(q + i + 1, u->query + i, (u->nquery - i) * sizeof *q);
	}
	q[i] = (struct url_param){ name, value };
	u->query = q;
	u->nquery++;
	return 1;
}

void url_set(struct url *u, struct slice name, struct slice value, struct arena *mem)
{
	insert(u, name, value, mem, 1);
}

int url_parse_query(struct slice text, unsigned flags, struct arena *mem, struct url *out, struct err *e)
{
	/* Square brackets are no query characters in RFC 3986, but browsers and Nix's library take them. */
	if (!made_of(text, flags & URL_LENIENT ? SUB_DELIMS ":@/?[] \"" : SUB_DELIMS ":@/?[]"))
		return err_set(e, ERR_INVALID, "invalid character in query '%.*s'", (int)text.n, text.p);
	for (int more = 1; more;) {
		int valued;
		struct slice value = cut(&text, '&', &more), name = cut(&value, '=', &valued), n, v;
		if (!valued)
			continue;
		if (url_decode(name, mem, &n, e) || url_decode(value, mem, &v, e))
			return -1;
		insert(out, n, v, mem, 0);
	}
	return 0;
}

/* --- the whole --- */

static int parse_scheme(struct slice *s, struct url *u, struct err *e)
{
	size_t n = 0;

	while (n < s->n && (is_alpha(s->p[n]) || (n && (is_digit(s->p[n]) || in(s->p[n], "+-.")))))
		n++;
	if (!n || n == s->n || s->p[n] != ':')
		return err_set(e, ERR_INVALID, "it does not begin with a scheme such as 'https:'");
	u->scheme = (struct slice){ s->p, n };
	s->p += n + 1;
	s->n -= n + 1;
	return 0;
}

/* "//host" and what follows it, up to the path. */
static int parse_place(struct slice *s, struct url *u, struct arena *mem, struct err *e)
{
	if (s->n < 2 || s->p[0] != '/' || s->p[1] != '/')
		return 0;
	size_t end = 2;
	while (end < s->n && s->p[end] != '/')
		end++;
	struct slice place = { s->p + 2, end - 2 };
	u->has_authority = 1;
	s->p += end;
	s->n -= end;
	if (parse_authority(place, u, mem, e))
		return -1;
	if (u->host.n && is_file(u))
		return err_set(e, ERR_INVALID, "a file URL has no host, but this has '%.*s'", (int)place.n, place.p);
	return 0;
}

static int parse_parts(struct slice s, unsigned flags, struct arena *mem, struct url *u, struct err *e)
{
	int has_fragment, has_query;

	if (parse_scheme(&s, u, e))
		return -1;
	struct slice rest = s, front = cut(&rest, '#', &has_fragment);
	struct slice query = front, path = cut(&query, '?', &has_query);
	if (parse_place(&path, u, mem, e))
		return -1;
	if (!path.n && is_file(u))
		path = SLICE("/");
	if (parse_path(path, u, mem, e) || (has_query && url_parse_query(query, flags, mem, u, e)))
		return -1;
	if (!has_fragment)
		return 0;
	if (!made_of(rest, flags & URL_LENIENT ? SUB_DELIMS ":@/? \"^" : SUB_DELIMS ":@/?"))
		return err_set(e, ERR_INVALID, "invalid character in fragment '%.*s'", (int)rest.n, rest.p);
	return url_decode(rest, mem, &u->fragment, e);
}

int url_parse(struct slice text, unsigned flags, struct arena *mem, struct url *out, struct err *e)
{
	struct slice own = { arena_dup(mem, text.p, text.n), text.n };

	memset(out, 0, sizeof *out);
	if (!parse_parts(own, flags, mem, out, e))
		return 0;
	err_prefix(e, "'%.*s' is not a valid URL", (int)text.n, text.p);
	return ERR_INVALID;
}

static void add_authority(struct buf *b, const struct url *u)
{
	buf_adds(b, "//");
	if (u->has_user) {
		url_encode(b, u->user, "");
		if (u->has_password) {
			buf_addc(b, ':');
			url_encode(b, u->password, "");
		}
		buf_addc(b, '@');
	}
	if (u->bracketed)
		buf_addc(b, '[');
	url_encode(b, u->host, u->bracketed ? ":" : "");
	if (u->bracketed)
		buf_addc(b, ']');
	if (u->port)
		buf_addf(b, ":%u", u->port);
}

void url_add(struct buf *b, const struct url *u)
{
	buf_add(b, u->scheme.p, u->scheme.n);
	buf_addc(b, ':');
	if (u->has_authority)
		add_authority(b, u);
	for (size_t i = 0; i < u->npath; i++) {
		if (i)
			buf_addc(b, '/');
		url_encode(b, u->path[i], ":@");
	}
	for (size_t i = 0; i < u->nquery; i++) {
		buf_addc(b, i ? '&' : '?');
		url_encode(b, u->query[i].name, ":@/?");
		buf_addc(b, '=');
		url_encode(b, u->query[i].value, ":@/?");
	}
	if (u->fragment.n) {
		buf_addc(b, '#');
		url_encode(b, u->fragment, "");
	}
}
