/* SPDX-License-Identifier: MIT
 *
 * From the arguments of a derivation to its store paths.
 */
#ifndef BUILTINS_DERIVATION_MAKE_H
#define BUILTINS_DERIVATION_MAKE_H

#include "builtins/drv_args.h"
#include "base/slice.h"

/* Makes the derivation, remembers it (drvs.h), and returns the set of drvPath and one attribute for each
 * output, strings with context.  Throws. */
W derivation_make(const struct drv_args *a);

/* The string for an output of a derivation: its path if that is known, else the placeholder that
 * stands for it until it is. */
W derivation_output_string(struct slice drv_path, struct slice output, struct slice path);

/* A drvPath: the path with its whole closure as context. */
W derivation_path_string(struct slice drv_path);

#endif
