/* SPDX-License-Identifier: MIT
 *
 * Importing a .drv file of the store.
 */
#ifndef BUILTINS_IMPORT_DRV_H
#define BUILTINS_IMPORT_DRV_H

#include "eval/value.h"

/* The set that stands for the derivation whose file is at `path`; W_ABSENT when path is no .drv file
 * directly in the store directory.  Throws. */
W import_derivation(W path);

#endif
