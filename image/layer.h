/* SPDX-License-Identifier: MIT
 *
 * Layers: which objects are in one, what is remembered of it, and making its bytes.
 *
 * A layer is a function of the objects in it (their paths and the hashes of their archives), of the form, and of how it is
 * compressed.  So what came out once is remembered under these (in the user's cache), and neither read nor packed again until it is
 * to be sent.
 */
#ifndef IMAGE_LAYER_H
#define IMAGE_LAYER_H

#include "fetch/cache.h"
#include "format/compress.h"
#include "format/hash.h"
#include "format/path.h"
#include "store/store.h"

/* Of an object, as far as layers need it. */
struct layer_path {
	struct store_path path;
	struct hash nar_hash;
	uint64_t nar_size;
};

/* A folder at the root of an image, with an owner. */
struct layer_folder {
	struct slice path; /* without slashes at the ends */
	unsigned mode;
	uint32_t uid, gid;
};

enum image_form {
	FORM_RUNNABLE, /* nix/store/<object>/… */
	FORM_TOOLS     /* <object>/…, to be mounted at /nix/store */
};

enum layer_kind {
	LAYER_OBJECTS, /* objects where they belong */
	LAYER_ROOT,    /* the contents of objects at the root, and folders */
	LAYER_FOREIGN  /* made by others: of a base */
};

/* The arrays belong to it. */
struct layer {
	enum layer_kind kind;
	enum image_form form;
	enum compression compression;
	struct layer_path *paths; /* in byte order */
	size_t n;
	unsigned part, parts; /* the second of two: 2, 2; zero: it is whole */
	struct layer_folder *folders;
	size_t nfolders;
	struct slice store_dir; /* borrowed */

	/* How it comes out, once known is set. */
	int known;
	struct hash diff_id; /* of the archive */
	struct hash digest;  /* of the blob */
	uint64_t size;	     /* of the blob */
	int wanted;	     /* somebody lacks it (image_make) */
	char *media_type;    /* LAYER_FOREIGN, as is the next: */
	char *from;	     /* the reference of the image that it is of */
};

void layer_release(struct layer *l);

/* "application/vnd.oci.image.layer.v1.tar+zstd" */
const char *layer_media_type(const struct layer *l);

/* How many bytes are in it, before they are compressed. */
uint64_t layer_weight(const struct layer *l);

/* Fills in what is remembered of it, and remembers it.  The cache may be NULL. */
void layer_recall(struct layer *l, struct cache *c);
void layer_remember(const struct layer *l, struct cache *c);

/* Makes it, from objects below the folder `store`, into the file `to` (-1: only what comes out is wanted).  ERR_HASH when an object
 * is not what the database says, ERR_INVALID for one that no layer can hold.  May be called by several threads for different
 * layers. */
int layer_make(struct layer *l, int store, int to, struct err *e);

#endif
