/* SPDX-License-Identifier: MIT
 *
 * Sets of store paths: arrays in byte order of base names without repeats, the order in which Nix hashes and
 * prints references.  malloc memory.
 */
#ifndef FORMAT_PATHSET_H
#define FORMAT_PATHSET_H

#include "format/path.h"

#include <stddef.h>

/* Read v and n freely. */
struct path_set {
	struct store_path *v;
	size_t n, cap;
};

#define PATH_SET_INIT { 0, 0, 0 }

void path_set_release(struct path_set *s);

/* Adds p; returns 1 when it was new. Amortised cheap when paths come in order. */
int path_set_add(struct path_set *s, const struct store_path *p);

/* Appends without looking at the order; path_set_sort must follow before anything else is asked. */
void path_set_push(struct path_set *s, const struct store_path *p);
void path_set_sort(struct path_set *s);

/* Does the invariant hold?  For CHECK. */
int path_set_is_sorted(const struct path_set *s);

int path_set_has(const struct path_set *s, const struct store_path *p);

/* Is there one with the 32 digits that `base` begins with? */
int path_set_has_digest(const struct path_set *s, const char *base);

/* Adds all of `from`. */
void path_set_add_all(struct path_set *s, const struct path_set *from);

void path_set_remove(struct path_set *s, const struct store_path *p);

#endif
