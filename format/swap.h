/* SPDX-License-Identifier: MIT
 *
 * The digests of some store objects replaced by those of others in a stream of bytes, which keeps its length.
 *
 * For what a builder had to call by another name than it gets: an archive stays an archive when all digests in it change.
 */
#ifndef FORMAT_SWAP_H
#define FORMAT_SWAP_H

#include "base/buf.h"
#include "format/path.h"

/* One replacement; borrowed wherever it is given. */
struct swap {
	struct store_path from, to;
};

struct swapper {
	const struct swap *v;
	size_t n;
	struct buf kept; /* the end of what came, which may be the beginning of a digest */
	int (*out)(void *user, const void *p, size_t n, struct err *e);
	void *user;
};

/* v[0..n) is borrowed until the end; out gets what comes out, and its failures are returned.  Needs no more than swap_release. */
void swap_init(struct swapper *s, const struct swap *v, size_t n, int (*out)(void *user, const void *p, size_t n, struct err *e),
	       void *user);
void swap_release(struct swapper *s);

int swap_feed(struct swapper *s, const void *p, size_t n, struct err *e);

/* What is still kept. */
int swap_end(struct swapper *s, struct err *e);

/* The same in bytes that are all there. */
void swap_bytes(const struct swap *v, size_t n, char *p, size_t len);

#endif
