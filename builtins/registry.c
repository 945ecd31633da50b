/* SPDX-License-Identifier: MIT
 *
 * The table of tables.  eval/ is handed it and knows no builtin by name.
 */
#include "config.h"
#include "builtins/registry.h"

#include <stddef.h>

const struct builtin *const *const builtins_all[] = { BUILTINS_LISTS, NULL };
