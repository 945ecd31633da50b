/* SPDX-License-Identifier: MIT
 *
 * Absolute paths as text.  Nothing here looks at a file system: ".." removes the component before it, as
 * the language defines for path values.
 */
#ifndef BASE_PATHNAME_H
#define BASE_PATHNAME_H

#include <stddef.h>

/* The normal form of the n bytes at p, read as starting at the root whether or not they begin with a slash: one
 * slash between components, none at the end, no "." and "..".  Writes at most n + 2 bytes to out (which
 * may be p when p begins with a slash), NUL included; returns the length. */
size_t path_normalise(const char *p, size_t n, char *out);

/* 1 when the normal path p is `dir` or lies below it. */
int path_is_within(const char *p, size_t n, const char *dir, size_t dir_n);

/* Length of the directory part of a normal path: of "/a/b" 2, of "/a" and "/" 1. */
size_t path_dir_len(const char *p, size_t n);

#endif
