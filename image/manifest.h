/* SPDX-License-Identifier: MIT
 *
 * Manifests of others, as registries give them: read with suspicion.
 */
#ifndef IMAGE_MANIFEST_H
#define IMAGE_MANIFEST_H

#include "base/json_tree.h"
#include "image/layer.h"

#define MEDIA_DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define MEDIA_DOCKER_INDEX "application/vnd.docker.distribution.manifest.list.v2+json"

/* What a manifest or an index points at. */
struct descriptor {
	struct slice media_type;
	struct hash digest;
	uint64_t size;
	struct slice os, architecture, variant; /* of an index; n 0: not said */
};

enum { LIMIT_DESCRIPTORS = 1000 };

/* Arrays and texts are in the arena. */
struct manifest {
	int is_index;
	struct descriptor config;  /* of an image */
	struct descriptor *v;	   /* layers, or what an index lists */
	size_t n;
};

/* A digest as manifests have it, "sha256:" and 64 digits; not 0 for what is none. */
int manifest_digest(struct slice text, struct hash *out);

/* ERR_INVALID, ERR_LIMIT. */
int manifest_parse(struct arena *a, struct slice text, struct manifest *out, struct err *e);

/* The layers of a manifest and what its configuration says of them: malloc'd, LAYER_FOREIGN, of the image `from`. ERR_INVALID where
 * the two do not agree, or a layer is of a kind that cannot be copied. */
int manifest_layers(const struct manifest *m, struct slice config, const char *from, struct layer **out, struct err *e);

/* What an index has for a platform; NULL for nothing. */
const struct descriptor *manifest_choose(const struct manifest *index, struct slice os, struct slice architecture,
					 struct slice variant);

#endif
