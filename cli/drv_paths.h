/* SPDX-License-Identifier: MIT
 *
 * --drv-path: the derivations a value stands for.
 */
#ifndef CLI_DRV_PATHS_H
#define CLI_DRV_PATHS_H

#include "base/buf.h"
#include "eval/value.h"

/* Appends one line for each derivation: its .drv path, with "!output" when another output than the first, "out", is
 * meant.  Throws when v is neither a derivation nor a set or list of them. */
void drv_paths_print(struct buf *b, W v, W args);

#endif
