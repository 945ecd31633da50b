/* SPDX-License-Identifier: MIT
 *
 * The builtins that make derivations: derivation and derivationStrict.
 */
#ifndef BUILTINS_DERIVATION_H
#define BUILTINS_DERIVATION_H

#include "eval/builtin.h"

extern const struct builtin *const builtins_derivation[];

#endif
