/* SPDX-License-Identifier: MIT
 *
 * fromTOML.
 */
#ifndef BUILTINS_TOML_H
#define BUILTINS_TOML_H

#include "eval/builtin.h"

extern const struct builtin *const builtins_toml[];

#endif
