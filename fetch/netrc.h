/* SPDX-License-Identifier: MIT
 *
 * Names and passwords for hosts, from a netrc file.
 *
 * Read here and not by libcurl, because builders that fetch run where the user's files are not to be seen: the text is
 * read before, and kept in memory.
 */
#ifndef FETCH_NETRC_H
#define FETCH_NETRC_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

/* What a netrc says of a host.  user and password are appended; returns 1 when there is an entry (an exact
 * one, or "default" after it), 0 when not. */
int netrc_find(struct slice text, struct slice host, struct buf *user, struct buf *password);

/* Reads the file that counts: $NETRC, ~/.netrc, none.  A file that is not there is empty. */
int netrc_load(struct buf *out, struct err *e);

#endif
