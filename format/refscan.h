/* SPDX-License-Identifier: MIT
 *
 * Which of a set of store objects occur, by their 32 digits, in a stream of bytes.
 *
 * One pass in pieces of any size, meant to run beside the hash of the same bytes.
 */
#ifndef FORMAT_REFSCAN_H
#define FORMAT_REFSCAN_H

#include "format/pathset.h"

struct refscan;

/* Looks for the digests of these (borrowed; must stay as they are). */
struct refscan *refscan_new(const struct path_set *candidates);
void refscan_free(struct refscan *r);

void refscan_feed(struct refscan *r, const void *p, size_t n);

/* Forgets what was seen: the next bytes are those of another object. */
void refscan_clear(struct refscan *r);

/* 1 when p, one of the candidates, was seen. */
int refscan_has(const struct refscan *r, const struct store_path *p);

/* Adds all that were seen to out. */
void refscan_found(const struct refscan *r, struct path_set *out);

#endif
