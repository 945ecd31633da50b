/* SPDX-License-Identifier: MIT
 *
 * The builtins that make store paths other than derivations: placeholder, outputOf, toFile, path, filterSource,
 * storePath.
 */
#ifndef BUILTINS_STOREPATHS_H
#define BUILTINS_STOREPATHS_H

#include "eval/builtin.h"

extern const struct builtin *const builtins_store_paths[];

#endif
