/* SPDX-License-Identifier: MIT
 *
 * .attrs.sh: structured attributes as a shell can hold them, byte for byte as Nix writes them.
 */
#ifndef FORMAT_ATTRS_SH_H
#define FORMAT_ATTRS_SH_H

#include "base/json_tree.h"

/* Appends a `declare` line of bash for each member of an object that fits in a variable. */
void attrs_sh_write(struct buf *b, const struct jnode *json);

/* Appends a text in single quotes. */
void attrs_sh_add_quoted(struct buf *b, struct slice s);

/* Appends a value that fits in one word, a string in quotes; returns 0 when it does not. */
int attrs_sh_add_value(struct buf *b, const struct jnode *n);

#endif
