/* SPDX-License-Identifier: MIT
 *
 * A store on disk as a binary cache over HTTP, read-only, signed on the fly.
 *
 *     /nix-cache-info, /DIGEST.narinfo, /nar/DIGEST.nar     GET and HEAD; everything else is 404 or 405
 */
#ifndef CACHE_SERVE_H
#define CACHE_SERVE_H

#include "cache/fill.h"
#include "store/store.h"

struct serve_options {
	const char *host; /* a numeric address */
	unsigned port;	  /* 0: any that is free */
	int priority;
	const struct secret_keys *keys;

	/* Told once where it is served: "http://127.0.0.1:5000". */
	void (*ready)(void *user, const char *url);
	void *user;
};

/* Serves until the process ends; returns only with an error. */
int cache_serve(struct store *s, const struct serve_options *o, struct err *e);

#endif
