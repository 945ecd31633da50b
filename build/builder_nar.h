/* SPDX-License-Identifier: MIT
 *
 * Archives in Nix's own format as outputs of builtin:fetchurl.
 */
#ifndef BUILD_BUILDER_NAR_H
#define BUILD_BUILDER_NAR_H

#include "build/builtin_builders.h"

/* Unpacks the file fd, which is compressed by xz or not, to out, which must not be there.  ERR_INVALID when it is no such archive,
 * ERR_LIMIT when it would become too large. */
int nar_place(const struct builtin_call *c, int fd, int is_xz, const char *out, struct err *e);

#endif
