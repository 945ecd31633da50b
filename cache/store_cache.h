/* SPDX-License-Identifier: MIT
 *
 * A store in a folder, asked as if it were a binary cache: objects of one store come out of another.
 */
#ifndef CACHE_STORE_CACHE_H
#define CACHE_STORE_CACHE_H

#include "store/store.h"

struct store_cache;

/* By an address as place_choose takes it, of a store in a folder that is there. */
int store_cache_open(struct store_cache **out, const char *address, struct err *e);
void store_cache_free(struct store_cache *c);

/* Appends nix-cache-info or DIGEST.narinfo; ERR_NOTFOUND. */
int store_cache_read(struct store_cache *c, const char *name, struct buf *out, struct err *e);

/* A descriptor to read nar/DIGEST.nar from, the caller's; negative on failure. */
int store_cache_archive(struct store_cache *c, const char *name, struct err *e);

#endif
