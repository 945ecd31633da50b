/* SPDX-License-Identifier: MIT
 *
 * parseFlakeRef and flakeRefToString.
 */
#ifndef BUILTINS_FLAKEREF_H
#define BUILTINS_FLAKEREF_H

#include "eval/builtin.h"

extern const struct builtin *const builtins_flakeref[];

#endif
