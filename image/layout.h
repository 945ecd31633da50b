/* SPDX-License-Identifier: MIT
 *
 * Images on disk: the folder of OCI's image layout, the same as one tar file, and the file that `docker save` writes.
 *
 *     oci-layout, index.json, blobs/sha256/DIGEST
 */
#ifndef IMAGE_LAYOUT_H
#define IMAGE_LAYOUT_H

#include "image/image.h"

struct layout {
	const char *path; /* borrowed */
	int dir, blobs;
};

/* Opens a folder, made when it is missing; ERR_INVALID for one that is full of something else.  Closed in any case. */
int layout_open(struct layout *l, const char *path, struct err *e);
void layout_close(struct layout *l);

/* A private folder for images that go elsewhere, removed with all in it by layout_remove. */
int layout_temporary(struct layout *l, struct err *e);
void layout_remove(struct layout *l);

/* Puts a blob there, unless it is there. */
int layout_blob(struct layout *l, const struct buf *bytes, const struct hash *digest, struct err *e);

/* All that an image, planned, is made of, and finishes it.  Only layers that are not there are made. */
int layout_image(struct layout *l, struct image *i, const struct image_request *r, size_t *made, struct err *e);

/* Names an image in index.json, in place of what had the name (NULL: without a name). */
int layout_name(struct layout *l, const struct image *i, const char *name, struct err *e);

/* The same for anything with a descriptor, which is copied. */
int layout_list(struct layout *l, const struct jnode *descriptor, const char *name, struct err *e);

/* The folder as a file. */
int layout_archive(struct layout *l, const char *file, struct err *e);

/* An image of one platform, whose layers are not compressed, as `docker load` takes it; name: "REPOSITORY:TAG", NULL without. */
int layout_docker(struct layout *l, const struct image *i, const char *name, const char *file, struct err *e);

/* The file of a blob. */
int layout_open_blob(struct layout *l, const struct hash *digest, uint64_t *size, struct err *e);

#endif
