/* SPDX-License-Identifier: MIT
 *
 * --parse.
 */
#ifndef CLI_PARSE_CMD_H
#define CLI_PARSE_CMD_H

#include "base/buf.h"
#include "base/source.h"

/* Parses src, checks that every variable is bound, and appends the tree in normal form and a line end to
 * b.  Throws. */
void parse_cmd(struct buf *b, const struct source *src);

#endif
