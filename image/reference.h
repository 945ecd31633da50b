/* SPDX-License-Identifier: MIT
 *
 * What images in registries are called: "[HOST[:PORT]/]REPOSITORY[:TAG][@sha256:…]", as docker has it.
 *
 * A name whose first part is no host ("alpine", "me/app") is one of docker.io.  A registry on this machine's loopback is spoken to
 * without TLS, any other only where that is asked for.
 */
#ifndef IMAGE_REFERENCE_H
#define IMAGE_REFERENCE_H

#include "base/err.h"
#include "base/slice.h"
#include "format/hash.h"

/* Strings are malloc'd. */
struct reference {
	char *host;	  /* "ghcr.io", "127.0.0.1:5000", "docker.io" */
	char *repository; /* "team/app" */
	char *tag;	  /* NULL without */
	int has_digest;
	struct hash digest;
};

/* ERR_INVALID; released in any case. */
int reference_parse(struct reference *r, struct slice text, struct err *e);
void reference_release(struct reference *r);

/* The tag, or the digest. */
void reference_add_name(struct buf *b, const struct reference *r);

/* All of it. */
void reference_add(struct buf *b, const struct reference *r);

/* Appends "http://HOST" or "https://HOST". */
void reference_add_address(struct buf *b, const struct reference *r, int plain_http);

/* The host without a port; points into the text. */
struct slice host_name(const char *host);

#endif
