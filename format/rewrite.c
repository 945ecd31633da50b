/* SPDX-License-Identifier: MIT
 *
 * A piece is searched together with what was held back of the one before: as much as the beginning of a text may be whose end has
 * not come.  Texts are expected not to overlap, which digests of store paths do not.
 */
#include "config.h"
#include "format/rewrite.h"
#include "base/alloc.h"
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct rewriter {
	const struct rewrite *v;
	size_t n, longest;
	struct nar_sink to;
	struct buf held;
	uint64_t at; /* where `held` is in the stream */
	void (*found)(void *user, uint64_t at);
	void *user;
};

struct rewriter *rewriter_new(const struct rewrite *v, size_t n, const struct nar_sink *to)
{
	struct rewriter *r = xcalloc(1, sizeof *r);

	*r = (struct rewriter){ .v = v, .n = n, .longest = 1, .to = *to, .held = BUF_INIT };
	for (size_t i = 0; i < n; i++)
		if (v[i].from.n > r->longest)
			r->longest = v[i].from.n;
	return r;
}

void rewriter_free(struct rewriter *r)
{
	if (!r)
		return;
	buf_release(&r->held);
	free(r);
}

static void replace(struct rewriter *r, const struct rewrite *w)
{
	char *p = r->held.p, *end = p + r->held.len;

	while ((p = memmem(p, (size_t)(end - p), w->from.p, w->from.n))) {
		if (r->found)
			r->found(r->user, r->at + (uint64_t)(p - r->held.p));
		memcpy(p, w->to.p, w->to.n);
		p += w->from.n;
	}
}

/* Hands on all but the last `keep` bytes. */
static int pass(struct rewriter *r, size_t keep, struct err *e)
{
	size_t n = r->held.len > keep ? r->held.len - keep : 0;
	int rc = n ? r->to.write(r->to.user, r->held.p, n, e) : 0;

	if (!n)
		return 0;
	memmove(r->held.p, r->held.p + n, r->held.len - n);
	r->held.len -= n;
	r->at += n;
	return rc;
}

int rewriter_feed(struct rewriter *r, const void *p, size_t n, struct err *e)
{
	buf_add(&r->held, p, n);
	for (size_t i = 0; i < r->n && r->held.len; i++)
		replace(r, &r->v[i]);
	return pass(r, r->longest - 1, e);
}

int rewriter_end(struct rewriter *r, struct err *e)
{
	return pass(r, 0, e);
}

/* --- the hash --- */

struct self_hash {
	struct rewrite zeros;
	struct rewriter *r;
	struct hash_ctx ctx;
	uint64_t *at;
	size_t n, cap;
};

static void on_found(void *user, uint64_t at)
{
	struct self_hash *h = user;

	ARRAY_GROW(h->at, h->n + 1, h->cap);
	h->at[h->n++] = at;
}

static int on_bytes(void *user, const void *p, size_t n, struct err *e)
{
	(void)e;
	hash_update(&((struct self_hash *)user)->ctx, p, n);
	return 0;
}

struct self_hash *self_hash_new(const char *digest)
{
	static const char zeros[STORE_HASH_LEN];
	struct self_hash *h = xcalloc(1, sizeof *h);

	h->zeros = (struct rewrite){ { digest, STORE_HASH_LEN }, { zeros, STORE_HASH_LEN } };
	h->r = rewriter_new(&h->zeros, 1, &(struct nar_sink){ on_bytes, h });
	h->r->found = on_found;
	h->r->user = h;
	hash_init(&h->ctx, HASH_SHA256);
	return h;
}

void self_hash_feed(struct self_hash *h, const void *p, size_t n)
{
	rewriter_feed(h->r, p, n, NULL);
}

void self_hash_end(struct self_hash *h, struct hash *out)
{
	struct hash unused;
	char text[24];

	if (!h)
		return;
	rewriter_end(h->r, NULL);
	for (size_t i = 0; i < h->n; i++)
		hash_update(&h->ctx, text, (size_t)snprintf(text, sizeof text, "|%llu", (unsigned long long)h->at[i]));
	hash_final(&h->ctx, out ? out : &unused);
	rewriter_free(h->r);
	free(h->at);
	free(h);
}
