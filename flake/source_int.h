/* SPDX-License-Identifier: MIT
 *
 * What source.c and the kinds of sources share: source_git.c, source_tarball.c, source_keys.c.
 */
#ifndef FLAKE_SOURCE_INT_H
#define FLAKE_SOURCE_INT_H

#include "flake/source.h"

/* Fills place, members, work_tree, dirty, locked, and hash where it is known, of a git reference.  Throws. */
void source_git(const struct input *in, struct flake_tree *t);

/* The same for a tarball; for a repository of github or gitlab. */
void source_tarball(const struct input *in, struct flake_tree *t);
void source_forge(const struct input *in, struct flake_tree *t);

/* Whether the commit must be signed, and that it is: repo is one of the cache.  Both throw. */
int source_is_signed(const struct input *in);
void source_verify(const struct input *in, const char *repo, const char *rev);

/* The path of a file: address, in the flake arena; NULL for one elsewhere.  Throws. */
const char *source_file_path(const char *url);

#endif
