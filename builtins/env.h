/* SPDX-License-Identifier: MIT
 *
 * The builtins about the environment of an evaluation.
 */
#ifndef BUILTINS_ENV_H
#define BUILTINS_ENV_H

#include "eval/builtin.h"

extern const struct builtin *const builtins_env[];

#endif
