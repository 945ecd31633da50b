/* SPDX-License-Identifier: MIT
 *
 * The builtins about hashes.
 */
#ifndef BUILTINS_HASH_H
#define BUILTINS_HASH_H

#include "eval/builtin.h"

extern const struct builtin *const builtins_hash[];

#endif
