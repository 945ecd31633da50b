/* SPDX-License-Identifier: MIT
 *
 * What is at an address: an archive, as the tree that is in it, or one file.
 *
 * It is kept by its hash (flake/kept.h), and what an address gave is remembered: not asked for again before `tarball-ttl` seconds
 * have passed, and then fetched only when the server's etag is another.  What lies in files here is always read.
 */
#ifndef FLAKE_SOURCE_URL_H
#define FLAKE_SOURCE_URL_H

#include "format/hash.h"

#include <stdint.h>

struct at_url {
	const char *place; /* where it is kept */
	struct hash hash;  /* of its archive, SHA-256 */
	uint64_t modified; /* of an archive the latest time in it */
	const char *immutable; /* the address that will always have this, NULL when the server names none */
};

enum url_kind { URL_TARBALL, URL_FILE };

/* Brings what is at a url.  want: the hash it has to have, NULL when anything will do: what is remembered and has another is
 * fetched again, and is not checked here.  always: an address whose contents never change.  bearer: as download.h.  Throws. */
struct url_request {
	const char *url;
	enum url_kind kind;
	const struct hash *want;
	const char *bearer;
	int always;
};
void source_url_bring(const struct url_request *r, struct at_url *out);

/* What was noted of an address under a word ("commit"), at most `tarball-ttl` seconds ago; NULL for nothing.  And noting it. */
const char *source_url_noted(const char *word, const char *url);
const char *source_url_noted_once(const char *word, const char *url); /* however long ago */
void source_url_note(const char *word, const char *url, const char *text);

/* Warns that what is here is used, because what is there cannot be asked for. */
void source_url_use_older(const char *why);

/* An address as messages show it, collected: without the password it may hold. */
const char *source_url_shown(const char *url);

#endif
