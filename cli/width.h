/* SPDX-License-Identifier: MIT
 *
 * How wide text is on a terminal, and cutting it to fit.  The text is UTF-8 without control characters.
 */
#ifndef CLI_WIDTH_H
#define CLI_WIDTH_H

#include "base/buf.h"
#include "base/slice.h"

/* Columns of the terminal behind a descriptor; 80 where there is none. */
unsigned width_of_terminal(int fd);

/* Columns that it takes. */
size_t width_of(struct slice s);

/* Appends s, or as much of its beginning as fits in `columns` with an ellipsis behind. */
void width_cut_end(struct buf *b, struct slice s, size_t columns);

/* The same with its beginning and its end: what tells names apart is often last. */
void width_cut_middle(struct buf *b, struct slice s, size_t columns);

/* Appends words and a line end, broken at blanks before `width` columns; the first line is at column `indent` already, and further
 * ones are brought there. */
void width_wrap(struct buf *b, const char *text, size_t indent, size_t width);

#endif
