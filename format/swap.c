/* SPDX-License-Identifier: MIT
 *
 * Replacing digests on the way.
 */
#include "config.h"
#include "format/swap.h"

#include <string.h>

void swap_init(struct swapper *s, const struct swap *v, size_t n, int (*out)(void *user, const void *p, size_t n, struct err *e),
	       void *user)
{
	*s = (struct swapper){ v, n, BUF_INIT, out, user };
}

void swap_release(struct swapper *s)
{
	buf_release(&s->kept);
}

void swap_bytes(const struct swap *v, size_t n, char *p, size_t len)
{
	/* Nothing may lie nowhere, where memmem may not look. */
	for (size_t i = 0; len && i < n; i++) {
		struct slice from = store_path_hash(&v[i].from), to = store_path_hash(&v[i].to);
		char *at = p;

		while ((at = memmem(at, len - (size_t)(at - p), from.p, from.n))) {
			memcpy(at, to.p, to.n);
			at += to.n;
		}
	}
}

int swap_feed(struct swapper *s, const void *p, size_t n, struct err *e)
{
	struct buf *b = &s->kept;
	size_t done;
	int rc;

	buf_add(b, p, n);
	swap_bytes(s->v, s->n, b->p, b->len);
	if (b->len < STORE_HASH_LEN)
		return 0;
	done = b->len - (STORE_HASH_LEN - 1);
	rc = s->out(s->user, b->p, done, e);
	memmove(b->p, b->p + done, STORE_HASH_LEN - 1);
	buf_trim(b, STORE_HASH_LEN - 1);
	return rc;
}

int swap_end(struct swapper *s, struct err *e)
{
	int rc = s->kept.len ? s->out(s->user, s->kept.p, s->kept.len, e) : 0;

	buf_trim(&s->kept, 0);
	return rc;
}
