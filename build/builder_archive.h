/* SPDX-License-Identifier: MIT
 *
 * Archives as outputs of builders that fetch: the tree in a tar or zip file (fetch/archive.h), as nixpkgs' fetchzip has it.
 */
#ifndef BUILD_BUILDER_ARCHIVE_H
#define BUILD_BUILDER_ARCHIVE_H

#include "base/err.h"

/* Unpacks the file fd to out, which must not be there.  strip: not all of it, but the one folder that is in it; where that is a
 * file, a folder with it.  ERR_INVALID when there is not one thing. */
int archive_place(int fd, const char *out, int strip, struct err *e);

#endif
