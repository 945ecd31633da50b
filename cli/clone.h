/* SPDX-License-Identifier: MIT
 *
 * Copies of sources for people to work on.
 */
#ifndef CLI_CLONE_H
#define CLI_CLONE_H

#include "base/err.h"

/* A clone of a repository, by git with its user's configuration; ref: a branch or tag, NULL for the usual one. */
int clone_git(const char *url, const char *ref, const char *dest, struct err *e);

/* A copy of a tree that its owner may change. */
int clone_tree(const char *from, const char *dest, struct err *e);

#endif
