/* SPDX-License-Identifier: MIT
 *
 * URLs taken apart and put together, as RFC 3986 has them and Nix writes them.
 *
 *   scheme ":" [ "//" [ user [ ":" password ] "@" ] host [ ":" port ] ] path [ "?" query ] [ "#" fragment ]
 *
 * Parts are held decoded; printing encodes again, in one way only.  Query parameters are a set in the order of their
 * names.  All memory is the caller's arena.
 */
#ifndef FETCH_URL_H
#define FETCH_URL_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

struct url_param {
	struct slice name, value;
};

struct url {
	struct slice scheme;
	int has_authority;
	int bracketed; /* the host is an IPv6 (or later) address */
	int has_user, has_password;
	struct slice host, user, password;
	unsigned port; /* 0: none */
	struct slice *path; /* segments; the first is empty when the path begins with a slash */
	size_t npath;
	struct url_param *query;
	size_t nquery;
	struct slice fragment;
};

enum url_flags {
	URL_LENIENT = 1 /* blanks and double quotes may stand in the query, and ^ too in the fragment */
};

/* Parses a URL with a scheme.  ERR_INVALID. */
int url_parse(struct slice text, unsigned flags, struct arena *mem, struct url *out, struct err *e);

void url_add(struct buf *b, const struct url *u);

/* "a=1&b=2" into a set of parameters; one without "=" is dropped, of several with one name the first counts. */
int url_parse_query(struct slice text, unsigned flags, struct arena *mem, struct url *out, struct err *e);

/* A parameter's value; NULL when absent.  Removing one; setting one, replacing what it was. */
const struct slice *url_param(const struct url *u, const char *name);
void url_drop(struct url *u, const char *name);
void url_set(struct url *u, struct slice name, struct slice value, struct arena *mem);

/* Appends s with everything but unreserved characters and those in `keep` as %XX. */
void url_encode(struct buf *b, struct slice s, const char *keep);

/* Decodes %XX. ERR_INVALID when a percent sign has no two digits after it. */
int url_decode(struct slice s, struct arena *mem, struct slice *out, struct err *e);

/* Splits a file system path into segments, and joins segments to a path: "//" is one slash, and a segment must
 * not hold a slash or NUL (ERR_INVALID). */
void url_path_from_file(struct url *u, struct slice path, struct arena *mem);
int url_path_to_file(const struct url *u, struct arena *mem, struct slice *out, struct err *e);

/* "git" of "git+https", and "https"; the first is empty when there is no plus. */
void url_split_scheme(struct slice scheme, struct slice *application, struct slice *transport);

#endif
