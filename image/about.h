/* SPDX-License-Identifier: MIT
 *
 * What is said about an image beside it: a bill of materials (SPDX 2.3 or CycloneDX 1.5), which lists its objects and the Go
 * modules in its programs, and where it is from (in-toto, SLSA 1).  Neither is signed, and neither tells a time: both follow from
 * the image.
 */
#ifndef IMAGE_ABOUT_H
#define IMAGE_ABOUT_H

#include "image/image.h"

#define MEDIA_SPDX "application/spdx+json"
#define MEDIA_CYCLONEDX "application/vnd.cyclonedx+json"
#define MEDIA_IN_TOTO "application/vnd.in-toto+json"

enum about_kind { ABOUT_SPDX, ABOUT_CYCLONEDX, ABOUT_PROVENANCE };

const char *about_media_type(enum about_kind k);

/* Appends it, for an image that is finished. */
int about_image(struct image *i, const struct image_request *r, enum about_kind k, struct buf *out, struct err *e);

/* What refers to an image, made of such a text: its manifest, with the digest. The blobs are the text and "{}". */
struct attachment {
	enum about_kind kind;
	struct buf text, manifest;
	struct hash text_digest, digest;
};

#define EMPTY_TEXT "{}"
#define MEDIA_EMPTY "application/vnd.oci.empty.v1+json"

int attachment_make(struct attachment *a, struct image *i, const struct image_request *r, enum about_kind k, struct err *e);
void attachment_release(struct attachment *a);

/* Its descriptor, as lists of referrers have it. */
struct jnode *attachment_descriptor(struct arena *a, const struct attachment *t);

#endif
