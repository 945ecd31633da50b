/* SPDX-License-Identifier: MIT
 *
 * The layout of module trees, between the one who makes them (gomodule.c) and the one who checks them (gomodule_tree.c).
 */
#ifndef FETCH_GOMODULE_INT_H
#define FETCH_GOMODULE_INT_H

#include "fetch/gomodule.h"

/* Is the file at this path of a toolchain executable? */
int go_toolchain_executable(struct slice path);

/* 1 when the last element of the path is `name`. */
int go_path_ends(struct slice path, struct slice name);

#endif
