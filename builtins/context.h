/* SPDX-License-Identifier: MIT
 *
 * The builtins about string contexts.
 */
#ifndef BUILTINS_CONTEXT_H
#define BUILTINS_CONTEXT_H

#include "eval/builtin.h"

extern const struct builtin *const builtins_context[];

#endif
