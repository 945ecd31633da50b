/* SPDX-License-Identifier: MIT
 *
 * The layout of module trees, between the one who makes them (gomodule.c) and the one who checks them (gomodule_tree.c).
 */
#ifndef GOLANG_GOMODULE_INT_H
#define GOLANG_GOMODULE_INT_H

#include "golang/gomodule.h"

/* The link in a toolchain that leads to its top, and what it says. */
#define GO_SHARE "share"
#define GO_SHARE_LINK "share/go"
#define GO_SHARE_TARGET ".."

/* Is the file at this path of a toolchain executable? */
int go_toolchain_executable(struct slice path);

/* 1 when the last element of the path is `name`. */
int go_path_ends(struct slice path, struct slice name);

#endif
