/* SPDX-License-Identifier: MIT
 *
 * Images of others, where they are: in registries, folders and archives.
 *
 *     docker://REFERENCE        a registry
 *     oci:FOLDER[:NAME]         a folder in OCI's layout
 *     oci-archive:FILE[:NAME]   the same as one file
 *     docker-archive:FILE       what `docker save` writes
 */
#ifndef IMAGE_LOOK_H
#define IMAGE_LOOK_H

#include "base/buf.h"
#include "base/err.h"

/* Does it begin as one of these? */
int look_is_place(const char *text);

/* Appends what the image there is made of as JSON, or its digest alone.  What does not have the digest it is named by is ERR_HASH.
 */
int look_at(const char *place, int plain_http, int json, struct buf *out, struct err *e);

#endif
