/* SPDX-License-Identifier: MIT
 *
 * A map from byte strings to words, on the collected heap: for memos that live as long as an
 * evaluation.  Entries are never removed.  Values that are collected pointers (tagged or not) are kept alive by
 * the map; the map itself must be reachable (a mem_root block, the C stack).
 */
#ifndef BASE_STRMAP_H
#define BASE_STRMAP_H

#include <stddef.h>
#include <stdint.h>

struct strmap {
	struct strmap_entry *e;
	size_t n, cap;
};

#define STRMAP_INIT { 0, 0, 0 }

/* The value for a key, NULL when there is none.  Valid until the next strmap_put. */
uint64_t *strmap_get(const struct strmap *m, const char *key, size_t n);

/* The value for a key, made 0 when there was none; the key is copied. *is_new, when not NULL, says which.  Valid until the next
 * strmap_put. */
uint64_t *strmap_put(struct strmap *m, const char *key, size_t n, int *is_new);

/* The next entry from *at (0 at first) on, in no order; returns 0 at the end. */
int strmap_next(const struct strmap *m, size_t *at, const char **key, size_t *n, uint64_t **value);

#endif
