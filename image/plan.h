/* SPDX-License-Identifier: MIT
 *
 * Which objects share a layer.
 *
 * One layer an object as long as there are few.  Of more, the large ones keep a layer of their own, and the small ones share some:
 * those that change together, so that a change sends few bytes again, and chosen by what they are alone, so that another image with
 * the same objects has the same layers.
 */
#ifndef IMAGE_PLAN_H
#define IMAGE_PLAN_H

#include "image/layer.h"
#include "format/pathset.h"

enum {
	PLAN_LAYERS = 60, /* of objects, where nobody says otherwise */
	PLAN_MOST = 120   /* engines stop at 127, and somebody may build on top */
};

/* Archives from this size on are two layers. */
#define PLAN_LARGE ((uint64_t)96 << 20)

/* What the layers of a plan have in common. */
struct plan_request {
	enum image_form form;
	enum compression compression;
	size_t layers; /* at most about so many; at least 1 */
};

/* Plans layers for objects; those that change least come first.  The array is malloc'd, its layers are to be released.  *closure:
 * SHA-256 over the objects and their hashes.  Nothing of the objects is read. */
int plan_layers(struct store *s, const struct path_set *objects, const struct plan_request *r, struct layer **out, size_t *n,
		struct hash *closure, struct err *e);

#endif
