/* SPDX-License-Identifier: MIT
 *
 * Texts replaced by others of the same length in a stream of bytes, and the hash of an archive that holds its own digest.
 */
#ifndef FORMAT_REWRITE_H
#define FORMAT_REWRITE_H

#include "format/nar.h"
#include "format/path.h"

struct rewrite {
	struct slice from, to; /* of one length, not empty */
};

struct rewriter;

/* What goes through comes out at `to`, which is copied; v is borrowed, and must stay. */
struct rewriter *rewriter_new(const struct rewrite *v, size_t n, const struct nar_sink *to);
void rewriter_free(struct rewriter *r);

/* The next bytes, in pieces of any size; and that there are no more.  What the sink returns. */
int rewriter_feed(struct rewriter *r, const void *p, size_t n, struct err *e);
int rewriter_end(struct rewriter *r, struct err *e);

/* The SHA-256 of an archive whose object refers to itself.  Its digest depends on this hash, so wherever it stands zeros
 * are hashed, and after the archive where it stood: "|" and the offset for each.  Without those (Nix 2.17 to 2.34) an archive
 * that has zeros in some of these places would have the same hash. */
struct self_hash;

/* digest: the 32 digits, which must stay. */
struct self_hash *self_hash_new(const char *digest);
void self_hash_feed(struct self_hash *h, const void *p, size_t n);

/* Frees it; out may be NULL. */
void self_hash_end(struct self_hash *h, struct hash *out);

#endif
