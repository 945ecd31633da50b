/* SPDX-License-Identifier: MIT
 *
 * A store on disk as a binary cache over HTTP, read-only, signed on the fly.
 *
 *     /nix-cache-info, /DIGEST.narinfo, /nar/DIGEST.nar     GET and HEAD; everything else is 404 or 405
 *
 * Where tenants share it: 401 without a token (Authorization: Bearer, or the password of Basic, as netrc files give it), 403 for
 * what no tenant has whose store its owner may read, 503 when that cannot be told.
 */
#ifndef CACHE_SERVE_H
#define CACHE_SERVE_H

#include "base/words.h"
#include "cache/fill.h"
#include "store/store.h"

struct serve_options {
	const char *host; /* a numeric address */
	unsigned port;	  /* 0: any that is free */
	int priority;
	const struct secret_keys *keys;

	/* Whether who has this token may read what these tenants have (store/tenants.h), of whom there is at least one: 1 or 0.
	 * Appends who that is.  ERR_DENIED: the token is nobody's; else it cannot be told.  NULL: everybody reads everything.  From
	 * many threads. */
	int (*may)(void *user, struct slice token, const struct words *tenants, struct buf *who, struct err *e);
	/* Told of what was refused, and why: the status, the object, who it was. */
	void (*refused)(void *user, int status, const char *object, const char *who, const char *why);

	/* Told once where it is served: "http://127.0.0.1:5000". */
	void (*ready)(void *user, const char *url);
	void *user;
};

/* Serves until the process ends; returns only with an error. */
int cache_serve(struct store *s, const struct serve_options *o, struct err *e);

#endif
