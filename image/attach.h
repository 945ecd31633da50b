/* SPDX-License-Identifier: MIT
 *
 * What is said about an image, beside it in a registry or a folder: manifests that refer to it (OCI 1.1).
 */
#ifndef IMAGE_ATTACH_H
#define IMAGE_ATTACH_H

#include "image/about.h"
#include "image/layout.h"
#include "image/registry.h"

/* To an image that is there.  In a registry that has no list of referrers, the tag "sha256-DIGEST" is the list. */
int attach_remote(struct registry *r, const struct image *i, const struct attachment *t, struct err *e);
int attach_folder(struct layout *l, const struct attachment *t, struct err *e);

#endif
