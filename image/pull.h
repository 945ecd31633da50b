/* SPDX-License-Identifier: MIT
 *
 * Images of registries: manifests by name or digest, and bases for images of ours.
 */
#ifndef IMAGE_PULL_H
#define IMAGE_PULL_H

#include "image/image.h"
#include "image/registry.h"

/* Who bases are asked of: the user of struct image_request.  Zeroed but for the settings before use. */
struct puller {
	struct cache *cache; /* borrowed; NULL: nothing is remembered */
	int plain_http;
	struct registry *open; /* the one that was asked last */
};

void puller_release(struct puller *p);

/* For struct image_request. What has a digest is remembered, so that it is asked for once. */
int pull_base(void *puller, struct slice ref, const struct image_spec *spec, struct image_base *out, struct err *e);
int pull_layer(void *puller, const struct layer *l, int to, struct err *e);

/* What a registry has among its "manifests" or "blobs" by a name, which is small, and what it says of it in the answer's head. */
int pull_named(struct registry *r, const char *kind, const char *name, struct buf *out, struct buf *heads, struct err *e);

#endif
