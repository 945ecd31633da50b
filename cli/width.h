/* SPDX-License-Identifier: MIT
 *
 * How wide text is on a terminal, and cutting it to fit.  The text is UTF-8 without control characters.
 */
#ifndef CLI_WIDTH_H
#define CLI_WIDTH_H

#include "base/buf.h"
#include "base/slice.h"

/* Columns that it takes. */
size_t width_of(struct slice s);

/* Appends s, or as much of its beginning as fits in `columns` with an ellipsis behind. */
void width_cut_end(struct buf *b, struct slice s, size_t columns);

/* The same with its beginning and its end: what tells names apart is often last. */
void width_cut_middle(struct buf *b, struct slice s, size_t columns);

#endif
