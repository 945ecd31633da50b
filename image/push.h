/* SPDX-License-Identifier: MIT
 *
 * Images on their way into a registry.
 *
 *     1. the name is asked for: when it means this image already, that was it
 *     2. all blobs are asked for at once
 *     3. what is missing is taken over from another repository of the registry, where it is known to be in one
 *     4. layers that are still missing are made, those that were not made yet
 *     5. and sent, several at a time; what breaks off goes on where it stopped
 *     6. the manifests, the image's last
 */
#ifndef IMAGE_PUSH_H
#define IMAGE_PUSH_H

#include "image/image.h"
#include "image/layout.h"
#include "image/registry.h"

struct push_result {
	size_t there, mounted, sent; /* blobs */
	uint64_t bytes;		     /* that were sent */
	size_t made;		     /* layers */
	int unchanged;		     /* the name meant this image already */
};

/* Sends an image, planned, to r->ref.  tmp: a folder that is removed afterwards. */
int image_push(struct registry *r, struct image *i, const struct image_request *q, struct layout *tmp, struct push_result *out,
	       struct err *e);

#endif
