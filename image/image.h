/* SPDX-License-Identifier: MIT
 *
 * An image from its description to its digest.
 *
 *     image_plan       which layers it has; nothing is read of what is in it
 *     image_make       those whose digests are not remembered are made, side by side
 *     image_finish     configuration, manifest, digest
 *
 * An index of several platforms is an image whose parts are images.
 */
#ifndef IMAGE_IMAGE_H
#define IMAGE_IMAGE_H

#include "image/spec.h"

#define MEDIA_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define MEDIA_INDEX "application/vnd.oci.image.index.v1+json"
#define MEDIA_CONFIG "application/vnd.oci.image.config.v1+json"

struct image;

/* What a base in a registry is: its layers, and its configuration. */
struct image_base {
	struct layer *layers; /* LAYER_FOREIGN, malloc'd */
	size_t n;
	struct buf config;
};

/* Which of an image's layers are made. */
enum image_make {
	MAKE_UNKNOWN, /* those whose digest is not known */
	MAKE_WANTED,  /* and those with `wanted` that are no file yet */
	MAKE_ALL      /* and all others that are no file yet */
};

struct image_request {
	struct store *store;
	struct cache *cache; /* NULL: nothing is remembered */
	int form, compression; /* negative: as the description says */
	struct slice flake, revision; /* annotations; n 0: none */
	/* Ask for a base by its reference (spec: for which platform), and for a layer of one; NULL: there is nobody to ask.  What
	 * is put into *out is the image's then. */
	int (*base)(void *user, struct slice ref, const struct image_spec *spec, struct image_base *out, struct err *e);
	int (*fetch)(void *user, const struct layer *l, int to, struct err *e);
	void *user;
};

struct image {
	struct image_spec spec;
	struct layer *layers; /* the base's first */
	size_t n, base_n;
	struct path_set objects; /* all that is in it, its base's not */
	struct hash closure;
	struct buf base_config; /* "" without */

	struct buf config, manifest; /* the manifest of an index is the index */
	struct hash config_digest, digest;

	struct image **parts; /* of an index */
	size_t nparts;
};

/* What `find` says of an object, put into *out, empty at first: out of the cache by its path and hash, or found and remembered
 * there.  what: the kind of thing it is. */
int image_recall(const struct image_request *r, const struct path_info *info, const char *what,
		 int (*find)(struct store *s, const struct store_path *p, struct buf *out, struct err *e), struct buf *out,
		 struct err *e);

/* Is it a description of an image, by its name? */
int image_is_description(const struct store_path *p);

/* Plans the image of a description; of objects without one (spec: what is to be, taken over). Released in any case. */
int image_plan(struct image *i, const struct image_request *r, const struct store_path *description, struct err *e);
int image_plan_objects(struct image *i, const struct image_request *r, struct image_spec *spec, const struct path_set *objects,
		       struct err *e);
void image_release(struct image *i);

/* Makes layers: each is a file of the folder `to`, named by the digits of its digest; to is negative where only digests are wanted.
 * *made, when not NULL, grows by how many were made. */
int image_make(struct image *i, const struct image_request *r, int to, enum image_make which, size_t *made, struct err *e);

/* Once all layers are known. */
int image_finish(struct image *i, const struct image_request *r, struct err *e);

/* MEDIA_MANIFEST or MEDIA_INDEX. */
const char *image_media_type(const struct image *i);

/* "linux/arm64/v8" */
void image_add_platform(struct buf *b, const struct image_spec *s);

/* A descriptor: { mediaType, digest, size }. */
struct jnode *image_descriptor(struct arena *a, const char *media_type, const struct hash *digest, uint64_t size);

/* Puts a text, or a number, as a member. */
void image_set(struct arena *a, struct jnode *o, const char *name, struct slice text);
void image_set_int(struct arena *a, struct jnode *o, const char *name, uint64_t n);

#endif
