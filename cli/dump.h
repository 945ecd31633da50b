/* SPDX-License-Identifier: MIT
 *
 * --dump-builtins: the table of builtins as JSON, for the manual and the tests.
 */
#ifndef CLI_DUMP_H
#define CLI_DUMP_H

#include "base/buf.h"
#include "eval/builtin.h"

void dump_builtins(struct buf *b, const struct builtin *const *const *lists);

#endif
