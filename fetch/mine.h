/* SPDX-License-Identifier: MIT
 *
 * Folders of the user's cache (fetch/cache.h) whose files are believed as far as their sums go: what others may write to is not
 * looked at.
 */
#ifndef FETCH_MINE_H
#define FETCH_MINE_H

#include "base/slice.h"

#include <stddef.h>
#include <stdint.h>

struct stat;

/* Nobody else can have written it. */
int mine_is(const struct stat *st);

/* Opens a folder, and makes it if asked to; negative when there is none, or others may write to it. */
int mine_open(const char *path, int make);

/* Opens a file in it for reading; negative when it is no regular file, or others may write to it. */
int mine_open_file(int dir, const char *name, struct stat *st);

/* Puts a file there in place of the one there is, as a whole: the n pieces one after the other.  1 when it is a new one, 0
 * when it replaced one, negative when it could not be written.  Nothing is synced. */
int mine_put(int dir, const char *name, const struct slice *pieces, size_t n);

/* Removes the files that were written longest ago while there are more than max, or more than max_size bytes of them; and what dead
 * processes left.  One always stays. */
void mine_tidy(int dir, size_t max, uint64_t max_size);

#endif
