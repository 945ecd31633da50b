/* SPDX-License-Identifier: MIT
 *
 * An S3 address becomes one of https, the bucket in the path: so every bucket has a name that a certificate fits, and other servers
 * than Amazon's, which are asked for by endpoint=, are spoken to in the same way.
 */
#include "config.h"
#include "cache/address.h"
#include "base/alloc.h"
#include "base/arena.h"
#include "fetch/transfer.h"
#include "fetch/url.h"
#include "store/place.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *prefix;
	enum cache_kind kind;
} schemes[] = { { "file://", CACHE_FILE }, { "http://", CACHE_HTTP }, { "https://", CACHE_HTTP }, { "s3://", CACHE_S3 } };

enum { SCHEMES = sizeof schemes / sizeof *schemes };

static int scheme_of(const char *text)
{
	for (int i = 0; i < SCHEMES; i++)
		if (!strncmp(text, schemes[i].prefix, strlen(schemes[i].prefix)))
			return i;
	return -1;
}

int cache_address_is(const char *text)
{
	return scheme_of(text) >= 0;
}

void cache_address_release(struct cache_address *a)
{
	free(a->base);
	free(a->shown);
	free(a->secret_keys);
	free(a->region);
	free(a->profile);
	*a = (struct cache_address){ 0 };
}

/* --- parameters --- */

static int take_bool(const struct url_param *p, int *out, struct err *e)
{
	if (slice_eq(p->value, SLICE("true")) || slice_eq(p->value, SLICE("1")))
		*out = 1;
	else if (slice_eq(p->value, SLICE("false")) || slice_eq(p->value, SLICE("0")))
		*out = 0;
	else
		return err_set(e, ERR_INVALID, "'%.*s' is true or false, not '%.*s'", (int)p->name.n, p->name.p, (int)p->value.n,
			       p->value.p);
	return 0;
}

static int take_number(const struct url_param *p, int *out, struct err *e)
{
	char text[16] = "", *end;
	long n;

	if (p->value.n && p->value.n < sizeof text)
		memcpy(text, p->value.p, p->value.n);
	errno = 0;
	n = strtol(text, &end, 10);
	if (!*text || *end || errno || n < 0 || n > INT_MAX)
		return err_set(e, ERR_INVALID, "'%.*s' is a number, not '%.*s'", (int)p->name.n, p->name.p, (int)p->value.n,
			       p->value.p);
	*out = (int)n;
	return 0;
}

static int take_compression(struct slice word, enum compression *out, struct err *e)
{
	int rc = compression_parse(word, out, e);

	if (rc)
		err_prefix(e, "cannot initialize compression");
	return rc;
}

static void take_text(const struct url_param *p, char **out)
{
	free(*out);
	*out = xstrndup(p->value.p, p->value.n);
}

static void add_key(const struct url_param *p, char **out)
{
	struct buf b = BUF_INIT;

	buf_addf(&b, "%s%s%.*s", *out ? *out : "", *out ? "," : "", (int)p->value.n, p->value.p);
	free(*out);
	*out = buf_detach(&b, NULL);
}

/* Those of S3's address, which becomes another. */
struct s3 {
	char *endpoint, *scheme;
};

static int take_param(struct cache_address *a, struct s3 *s3, const struct url_param *p, struct err *e)
{
	static const char *const nothing[] = {
		"want-mass-query",  "store",	   "path-info-cache-size", "local-nar-cache", "index-debug-info",
		"multipart-upload", "buffer-size", "ls-compression",	   "log-compression", "narinfo-compression"
	};
	int ignored;

	if (slice_eq(p->name, SLICE("priority")))
		return take_number(p, &a->priority, e);
	if (slice_eq(p->name, SLICE("trusted")))
		return take_bool(p, &a->trusted, e);
	if (slice_eq(p->name, SLICE("compression")))
		return take_compression(p->value, &a->compression, e);
	if (slice_eq(p->name, SLICE("compression-level")))
		return slice_eq(p->value, SLICE("-1")) ? 0 : take_number(p, &a->level, e);
	if (slice_eq(p->name, SLICE("parallel-compression")))
		return take_bool(p, &a->parallel, e);
	if (slice_eq(p->name, SLICE("write-nar-listing")))
		return take_bool(p, &a->listing, e);
	if (slice_eq(p->name, SLICE("secret-key")) || slice_eq(p->name, SLICE("secret-keys")))
		return add_key(p, &a->secret_keys), 0;
	if (slice_eq(p->name, SLICE("region")))
		return take_text(p, &a->region), 0;
	if (slice_eq(p->name, SLICE("profile")))
		return take_text(p, &a->profile), 0;
	if (slice_eq(p->name, SLICE("endpoint")))
		return take_text(p, &s3->endpoint), 0;
	if (slice_eq(p->name, SLICE("scheme")))
		return take_text(p, &s3->scheme), 0;
	if (slice_eq(p->name, SLICE("want-mass-query")))
		return take_bool(p, &ignored, e);
	for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++)
		if (slice_eq(p->name, slice_of(nothing[i])))
			return 0;
	return err_set(e, ERR_INVALID, "there is no parameter '%.*s'", (int)p->name.n, p->name.p);
}

static int take_params(struct cache_address *a, struct s3 *s3, const char *query, struct err *e)
{
	struct arena mem = ARENA_INIT;
	struct url u = { .nquery = 0 };
	int rc = url_parse_query(slice_of(query), 0, &mem, &u, e);

	for (size_t i = 0; !rc && i < u.nquery; i++)
		rc = take_param(a, s3, &u.query[i], e);
	arena_release(&mem);
	return rc;
}

/* --- places --- */

static int take_file(struct cache_address *a, struct slice place, struct err *e)
{
	struct arena mem = ARENA_INIT;
	struct slice path;
	int rc = place.n && *place.p == '/' ? url_decode(place, &mem, &path, e) :
					      err_set(e, ERR_INVALID, "a file address needs an absolute path");

	if (!rc && memchr(path.p, 0, path.n))
		rc = err_set(e, ERR_INVALID, "a file address cannot hold a NUL");
	if (!rc)
		a->base = xstrndup(path.p, path.n);
	arena_release(&mem);
	return rc;
}

static int take_s3(struct cache_address *a, const struct s3 *s3, struct slice place, struct err *e)
{
	const char *scheme = s3->scheme && *s3->scheme ? s3->scheme : "https", *region = a->region ? a->region : "us-east-1";
	struct buf b = BUF_INIT;

	if (!place.n || *place.p == '/')
		return err_set(e, ERR_INVALID, "an address of S3 needs the name of a bucket");
	if (strcmp(scheme, "https") && strcmp(scheme, "http"))
		return err_set(e, ERR_INVALID, "'scheme' is https or http, not '%s'", scheme);
	if (!a->region)
		a->region = xstrdup(region);
	if (s3->endpoint && *s3->endpoint)
		buf_addf(&b, "%s://%s/", scheme, s3->endpoint);
	else
		buf_addf(&b, "%s://s3.%s.amazonaws.com/", scheme, a->region);
	buf_add(&b, place.p, place.n);
	a->base = buf_detach(&b, NULL);
	return 0;
}

static int take_place(struct cache_address *a, const struct s3 *s3, const char *text, struct slice place, struct err *e)
{
	struct buf b = BUF_INIT;

	while (place.n && place.p[place.n - 1] == '/' && place.n > 1)
		place.n--;
	if (a->kind == CACHE_FILE && take_file(a, place, e))
		return ERR_INVALID;
	if (a->kind == CACHE_S3 && take_s3(a, s3, place, e))
		return ERR_INVALID;
	if (a->kind == CACHE_HTTP && (!place.n || *place.p == '/'))
		return err_set(e, ERR_INVALID, "it names no host");
	char *whole = xstrndup(text, (size_t)(place.p + place.n - text));

	transfer_show_url(&b, whole);
	a->shown = buf_detach(&b, NULL);
	if (a->kind == CACHE_HTTP)
		a->base = whole;
	else
		free(whole);
	return 0;
}

/* --- a store in a folder --- */

static int is_store(const char *text)
{
	return *text == '/' || place_is_word(text, "local") || place_is_word(text, "auto") || !strncmp(text, "local://", 8);
}

/* What is said of the cache is no parameter of the store. */
static int take_store(struct cache_address *a, const char *text, struct err *e)
{
	static const char *const ours[] = { "priority", "trusted", "want-mass-query" };
	struct buf base = BUF_INIT, rest = BUF_INIT;
	size_t n = strcspn(text, "?");
	struct s3 none = { NULL, NULL };
	int rc = 0;

	a->kind = CACHE_STORE;
	buf_add(&base, text, n);
	a->shown = xstrdup(buf_str(&base));
	for (const char *p = text + n; !rc && *(p += strspn(p, "?&")); p += strcspn(p, "&")) {
		struct slice name = { p, strcspn(p, "=&") }, all = { p, strcspn(p, "&") };
		int is_ours = 0;

		for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
			is_ours |= slice_eq(name, slice_of(ours[i]));
		if (is_ours) {
			const struct url_param param = { name, { p + name.n + 1, all.n > name.n ? all.n - name.n - 1 : 0 } };

			rc = take_param(a, &none, &param, e);
		} else {
			buf_addf(&rest, "%c%.*s", rest.len ? '&' : '?', (int)all.n, all.p);
		}
	}
	buf_adds(&base, buf_str(&rest));
	a->base = buf_detach(&base, NULL);
	buf_release(&rest);
	return rc;
}

int cache_address_parse(const char *text, struct cache_address *out, struct err *e)
{
	int i = scheme_of(text), rc;
	struct s3 s3 = { NULL, NULL };

	*out = (struct cache_address){ .priority = -1, .compression = COMPRESS_XZ, .level = -1 };
	if (i < 0 && is_store(text))
		return take_store(out, text, e);
	if (i < 0)
		return err_set(e, ERR_INVALID,
			       "'%s' is no address of a binary cache: they begin with file://, http://, https:// or s3://", text);
	const char *place = text + strlen(schemes[i].prefix);
	size_t n = strcspn(place, "?#");

	out->kind = schemes[i].kind;
	rc = place[n] == '?' ? take_params(out, &s3, place + n + 1, e) : 0;
	rc = rc ? rc : take_place(out, &s3, text, (struct slice){ place, n }, e);
	free(s3.endpoint);
	free(s3.scheme);
	if (rc) {
		cache_address_release(out);
		err_prefix(e, "the binary cache '%.*s'", (int)strcspn(text, "?#@"), text);
	}
	return rc;
}
