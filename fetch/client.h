/* SPDX-License-Identifier: MIT
 *
 * What other programs of this machine say of the registries they ask: their files, and they themselves.
 */
#ifndef FETCH_CLIENT_H
#define FETCH_CLIENT_H

#include "base/buf.h"
#include "base/slice.h"

/* What `read` finds in a file, which it appends; 0 when it finds nothing.  A file that cannot be read is as good as not there. */
int client_file(const char *path, int (*read)(struct slice text, struct buf *out), struct buf *out);

/* Appends what a program prints when it is asked, without the end of the line; nothing where there is none, or it fails. */
void client_answer(const char *const *question, size_t n, struct buf *out);

#endif
