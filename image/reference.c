/* SPDX-License-Identifier: MIT
 *
 * The grammar is that of the distribution specification: repositories are parts of lower-case letters, digits and single
 * separators.
 */
#include "config.h"
#include "image/reference.h"
#include "base/alloc.h"
#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

#define DIGITS "0123456789"
#define LOWER "abcdefghijklmnopqrstuvwxyz" DIGITS
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZ" LOWER

enum { NAME_MOST = 255, TAG_MOST = 128 };

void reference_release(struct reference *r)
{
	free(r->host);
	free(r->repository);
	free(r->tag);
	*r = (struct reference){ .host = NULL };
}

static int consists_of(struct slice s, const char *chars)
{
	for (size_t i = 0; i < s.n; i++)
		if (!s.p[i] || !strchr(chars, s.p[i]))
			return 0;
	return s.n != 0;
}

/* "team/app-1": separators stand between letters. */
static int is_repository(struct slice s)
{
	if (!consists_of(s, LOWER "._-/") || s.n > NAME_MOST)
		return 0;
	for (size_t i = 0; i < s.n; i++) {
		const int first = !i || s.p[i - 1] == '/', last = i + 1 == s.n || s.p[i + 1] == '/';

		if (s.p[i] == '/' ? first || last : (first || last) && strchr("._-", s.p[i]))
			return 0;
	}
	return 1;
}

static int is_tag(struct slice s)
{
	return consists_of(s, LETTERS "._-") && s.n <= TAG_MOST && !strchr(".-", *s.p);
}

static int is_host(struct slice s)
{
	const char *end = s.n && *s.p == '[' ? memchr(s.p, ']', s.n) : NULL, *colon;
	struct slice name = s;

	colon = end ? (end + 1 < s.p + s.n ? end + 1 : NULL) : memchr(s.p, ':', s.n);
	if (colon) {
		name.n = (size_t)(colon - s.p);
		if (*colon != ':' || !consists_of((struct slice){ colon + 1, s.n - name.n - 1 }, DIGITS))
			return 0;
	}
	if (end)
		return consists_of((struct slice){ s.p + 1, (size_t)(end - s.p) - 1 }, "0123456789abcdefABCDEF:.");
	return consists_of(name, LETTERS ".-") && *name.p != '-' && *name.p != '.';
}

static int bad(struct err *e, struct slice text, const char *why)
{
	return err_set(e, ERR_INVALID, "'%.*s' is no name of an image: %s", (int)(text.n < 300 ? text.n : 300), text.p, why);
}

/* Cuts the host off; one part alone is never a host. */
static struct slice take_host(struct slice *rest)
{
	const char *slash = memchr(rest->p, '/', rest->n);
	struct slice host = { rest->p, slash ? (size_t)(slash - rest->p) : 0 };

	if (!slash || (!memchr(host.p, '.', host.n) && !memchr(host.p, ':', host.n) && !slice_eq(host, SLICE("localhost"))))
		return SLICE("docker.io");
	rest->n -= host.n + 1;
	rest->p = slash + 1;
	return host;
}

int reference_parse(struct reference *r, struct slice text, struct err *e)
{
	struct slice rest = text, host, official = SLICE("library/");
	const char *at = memchr(text.p, '@', text.n), *slash, *colon;
	struct buf b = BUF_INIT;

	*r = (struct reference){ .host = NULL };
	if (at) {
		struct slice digest = { at + 1, (size_t)(text.p + text.n - at) - 1 };

		if (!slice_starts(digest, SLICE("sha256:")) || digest.n != 71 ||
		    !consists_of((struct slice){ digest.p + 7, 64 }, "0123456789abcdef") ||
		    hash_parse_bare(digest.p + 7, 64, HASH_SHA256, &r->digest, NULL))
			return bad(e, text, "a digest is 'sha256:' and 64 digits");
		r->has_digest = 1;
		rest.n = (size_t)(at - text.p);
	}
	host = take_host(&rest);
	if (!is_host(host))
		return bad(e, text, "its host is none");
	slash = memrchr(rest.p, '/', rest.n);
	slash = slash ? slash : rest.p;
	colon = memchr(slash, ':', rest.n - (size_t)(slash - rest.p));
	if (colon) {
		struct slice tag = { colon + 1, rest.n - (size_t)(colon - rest.p) - 1 };

		if (!is_tag(tag))
			return bad(e, text, "its tag is none");
		r->tag = xstrndup(tag.p, tag.n);
		rest.n = (size_t)(colon - rest.p);
	}
	if (!is_repository(rest))
		return bad(e, text,
			   "a repository is of lower-case letters, digits and single '.', '_', '-' between them, with '/' between "
			   "its parts");
	if (slice_eq(host, SLICE("docker.io")) && !memchr(rest.p, '/', rest.n))
		buf_add(&b, official.p, official.n);
	buf_add(&b, rest.p, rest.n);
	r->host = xstrndup(host.p, host.n);
	r->repository = buf_detach(&b, NULL);
	return 0;
}

void reference_add_name(struct buf *b, const struct reference *r)
{
	if (r->has_digest)
		hash_add(b, &r->digest, HASH_BASE16, 1);
	else
		buf_adds(b, r->tag ? r->tag : "latest");
}

void reference_add(struct buf *b, const struct reference *r)
{
	buf_addf(b, "%s/%s%c", r->host, r->repository, r->has_digest ? '@' : ':');
	reference_add_name(b, r);
}

struct slice host_name(const char *host)
{
	const char *end = *host == '[' ? strchr(host, ']') : NULL;

	return (struct slice){ host, end ? (size_t)(end - host) + 1 : strcspn(host, ":") };
}

static int is_loopback(const char *host)
{
	struct slice name = host_name(host);

	return slice_eq(name, SLICE("localhost")) || slice_eq(name, SLICE("[::1]")) ||
	       (slice_starts(name, SLICE("127.")) && consists_of(name, DIGITS "."));
}

void reference_add_address(struct buf *b, const struct reference *r, int plain_http)
{
	/* The name that people use is not where it is served. */
	const char *host = strcmp(r->host, "docker.io") ? r->host : "registry-1.docker.io";

	buf_addf(b, "http%s://%s", plain_http || is_loopback(host) ? "" : "s", host);
}
