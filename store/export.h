/* SPDX-License-Identifier: MIT
 *
 * Objects as one stream, as `nix-store --export` writes it:
 *
 *     stream = { 1 archive magic path references deriver 0 } 0
 *
 * Numbers are 64 bits, little endian; texts are their length, their bytes and zeros up to 8; references are their number and
 * that many texts; deriver is "" where there is none.  The last 0 of an object stands where a signature once did.
 */
#ifndef STORE_EXPORT_H
#define STORE_EXPORT_H

#include "format/nar.h"
#include "store/object.h"

/* Writes the objects in their order; each must be valid.  ERR_HASH for one that is not what its row says: what was written of it
 * up to there cannot be read as an object. */
int store_export(struct store *s, const struct path_set *paths, const struct nar_sink *sink, struct err *e);

/* The same in an order in which they can be read: what others of them refer to first. */
int store_export_ordered(struct store *s, const struct path_set *paths, const struct nar_sink *sink, struct err *e);

/* Reads a stream and makes its objects valid; each is added to *out.  Nothing vouches for what it says but whoever calls.
 * What one refers to has to be valid by then. */
int store_import(struct store *s, const struct byte_source *from, struct path_set *out, struct err *e);

#endif
