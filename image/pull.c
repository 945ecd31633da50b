/* SPDX-License-Identifier: MIT
 *
 * Everything of a base is named by a digest, from the reference down, and is looked at before it counts.
 */
#include "config.h"
#include "image/pull.h"
#include "base/alloc.h"
#include "image/manifest.h"

#include <stdlib.h>
#include <string.h>

#define MANIFESTS MEDIA_MANIFEST ", " MEDIA_INDEX ", " MEDIA_DOCKER_MANIFEST ", " MEDIA_DOCKER_INDEX

int pull_named(struct registry *r, const char *kind, const char *name, struct buf *out, struct buf *heads, struct err *e)
{
	struct buf url = BUF_INIT;
	int rc;

	registry_add_url(r, &url, "%s/%s", kind, name);
	rc = registry_get(r, url.p, strcmp(kind, "manifests") ? NULL : MANIFESTS, LIMIT_MANIFEST, out, heads, e);
	buf_release(&url);
	return rc;
}

static void close_registry(struct puller *p)
{
	if (p->open)
		registry_release(p->open);
	free(p->open);
	p->open = NULL;
}

void puller_release(struct puller *p)
{
	close_registry(p);
}

/* The registry of a reference, which is open already when the last one was in the same repository. */
static int open_registry(struct puller *p, struct slice ref, struct err *e)
{
	struct reference r;
	int rc = reference_parse(&r, ref, e);

	if (!rc && (!p->open || strcmp(p->open->ref.host, r.host) || strcmp(p->open->ref.repository, r.repository))) {
		close_registry(p);
		p->open = xcalloc(1, sizeof *p->open);
		rc = registry_open(p->open, &r, 0, p->plain_http, e);
	}
	reference_release(&r);
	return rc;
}

static int expect(const struct buf *bytes, const struct hash *digest, const char *what, struct err *e)
{
	struct hash seen;

	hash_bytes(HASH_SHA256, buf_str(bytes), bytes->len, &seen);
	return hash_eq(&seen, digest) ? 0 : err_set(e, ERR_HASH, "the registry gave another %s than it was asked for", what);
}

/* A small thing by its digest, out of the user's cache or from the registry. */
static int get(struct puller *p, struct slice ref, const char *kind, const struct hash *digest, struct buf *out, struct err *e)
{
	struct buf key = BUF_INIT, heads = BUF_INIT;
	char name[HASH_TEXT_MAX];
	int rc;

	hash_print(digest, HASH_BASE16, 1, name);
	buf_addf(&key, "gx image blob %s", name);
	struct slice k = { key.p, key.len };

	if (p->cache && cache_get(p->cache, k, 0, out, NULL) == 1 && !expect(out, digest, kind, NULL)) {
		buf_release(&key);
		return 0;
	}
	buf_trim(out, 0);
	rc = open_registry(p, ref, e);
	rc = rc ? rc : pull_named(p->open, strcmp(kind, "manifest") ? "blobs" : "manifests", name, out, &heads, e);
	rc = rc ? rc : expect(out, digest, kind, e);
	if (!rc && p->cache)
		cache_put(p->cache, k, (struct slice){ buf_str(out), out->len }, NULL);
	buf_release(&key);
	buf_release(&heads);
	return rc;
}

int pull_base(void *puller, struct slice ref, const struct image_spec *spec, struct image_base *out, struct err *e)
{
	struct puller *p = puller;
	struct arena a = ARENA_INIT;
	struct buf text = BUF_INIT;
	struct reference r;
	struct manifest m = { .n = 0 };
	int rc = reference_parse(&r, ref, e);

	rc = rc ? rc : get(p, ref, "manifest", &r.digest, &text, e);
	rc = rc ? rc : manifest_parse(&a, (struct slice){ text.p, text.len }, &m, e);
	if (!rc && m.is_index) {
		const struct descriptor *d = manifest_choose(&m, spec->os, spec->architecture, spec->variant);

		rc = d ? get(p, ref, "manifest", &d->digest, &text, e)
		       : err_set(e, ERR_NOTFOUND, "there is none for %.*s/%.*s", (int)spec->os.n, spec->os.p,
				 (int)spec->architecture.n, spec->architecture.p);
		rc = rc ? rc : manifest_parse(&a, (struct slice){ text.p, text.len }, &m, e);
		if (!rc && m.is_index)
			rc = err_set(e, ERR_INVALID, "its index lists an index");
	}
	rc = rc ? rc : get(p, ref, "configuration", &m.config.digest, &out->config, e);
	if (!rc) {
		struct buf from = BUF_INIT;

		reference_add(&from, &r);
		rc = manifest_layers(&m, (struct slice){ buf_str(&out->config), out->config.len }, from.p, &out->layers, e);
		out->n = rc ? 0 : m.n;
		buf_release(&from);
	}
	if (rc)
		err_prefix(e, "the base '%.*s'", (int)ref.n, ref.p);
	reference_release(&r);
	buf_release(&text);
	arena_release(&a);
	return rc;
}

int pull_layer(void *puller, const struct layer *l, int to, struct err *e)
{
	struct puller *p = puller;
	int rc = open_registry(p, slice_of(l->from), e);

	return rc ? rc : registry_blob(p->open, &l->digest, l->size, to, e);
}
