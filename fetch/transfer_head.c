/* SPDX-License-Identifier: MIT
 *
 * The headers of responses, a line at a time: what decides how a transfer goes on, what its result says of them, and the lines
 * themselves for those who want to see them.
 */
#include "config.h"
#include "base/alloc.h"
#include "fetch/transfer_int.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Of a refusal that somebody wants to see. */
enum { HEADS_MAX = 16384 };

/* The value of a header line when it is the one called so. */
static int header_is(struct slice line, const char *name, struct slice *value)
{
	size_t n = strlen(name);

	if (line.n <= n || strncasecmp(line.p, name, n) || line.p[n] != ':')
		return 0;
	*value = slice_trim((struct slice){ line.p + n + 1, line.n - n - 1 });
	return 1;
}

/* The limits that forges have: "x-ratelimit-remaining: 0", "ratelimit-reset: 1700000000". */
static void take_limit(struct response *r, struct slice line)
{
	struct slice v;

	if (line.n > 2 && !strncasecmp(line.p, "x-", 2))
		line = (struct slice){ line.p + 2, line.n - 2 };
	if (header_is(line, "ratelimit-remaining", &v))
		r->used_up = slice_eq(v, SLICE("0"));
	else if (header_is(line, "ratelimit-reset", &v) && v.n && v.n < 20 && *v.p >= '0' && *v.p <= '9')
		r->reset = strtoull(v.p, NULL, 10);
}

/* <address>; rel="immutable" */
static void take_link(struct transfer *t, struct slice v)
{
	const char *end = v.n && *v.p == '<' ? memchr(v.p, '>', v.n) : NULL;

	if (!end || v.n > 8192 || !memmem(end, (size_t)(v.p + v.n - end), "rel=\"immutable\"", 15))
		return;
	free(t->result.immutable);
	t->result.immutable = xstrndup(v.p + 1, (size_t)(end - v.p - 1));
}

/* For those who parse it: the version as HTTP/1 writes it. */
static void keep_head(struct transfer *t, struct slice line)
{
	struct slice two = SLICE("HTTP/2 ");

	if (slice_starts(line, two)) {
		buf_adds(&t->heads, "HTTP/2.0 ");
		line.p += two.n, line.n -= two.n;
	}
	buf_add(&t->heads, line.p, line.n);
}

void transfer_head(struct transfer *t, struct slice line)
{
	struct response *r = &t->response;
	struct slice v;

	if (line.n > 5 && !strncmp(line.p, "HTTP/", 5)) {
		/* A new response: what was said before was about a redirect. */
		free(r->etag);
		*r = (struct response){ 0 };
		buf_trim(&t->heads, 0);
	} else if (header_is(line, "etag", &v) && v.n && v.n < 1024) {
		free(r->etag);
		r->etag = xstrndup(v.p, v.n);
	} else if (header_is(line, "content-range", &v) && v.n > 6 && v.n < 64 && !strncasecmp(v.p, "bytes ", 6)) {
		r->has_range = v.p[6] >= '0' && v.p[6] <= '9';
		r->range_from = r->has_range ? strtoull(v.p + 6, NULL, 10) : 0;
	} else if (header_is(line, "retry-after", &v) && v.n && v.n < 6 && *v.p >= '0' && *v.p <= '9') {
		r->retry_after = (unsigned)strtoul(v.p, NULL, 10);
	} else if (header_is(line, "link", &v)) {
		take_link(t, v);
	} else {
		take_limit(r, line);
	}
	if ((t->req.refusal || t->req.answer) && t->heads.len + line.n < HEADS_MAX)
		keep_head(t, line);
}
