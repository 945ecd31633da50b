/* SPDX-License-Identifier: MIT
 *
 * Members of archives that others wrote (image/tar.c has the form), found by their names.
 */
#ifndef IMAGE_TAR_READ_H
#define IMAGE_TAR_READ_H

#include "base/buf.h"
#include "base/err.h"

#include <stdint.h>

/* Appends a file of the archive that `fd` reads.  ERR_NOTFOUND without one, ERR_LIMIT beyond max, ERR_INVALID when it is no
 * archive. */
int tar_get(int fd, const char *name, uint64_t max, struct buf *out, struct err *e);

#endif
