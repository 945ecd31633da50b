/* SPDX-License-Identifier: MIT
 *
 * A hash is noted under the sum of what identifies the files: their names, devices, inodes, sizes, modes and times.  So the place
 * need not be a part of it, and a tree that was moved, or is seen through another name, is the same tree.
 */
#include "config.h"
#include "flake/tree_hash.h"
#include "base/pathname.h"
#include "fetch/cache.h"
#include "fetch/tree_state.h"
#include "flake/kept.h"

#include <string.h>

/* Noting it would change what was hashed. */
static int has_cache(const char *place)
{
	struct buf dir = BUF_INIT;
	struct err e = ERR_INIT;
	int yes = !cache_user_dir(&dir, &e) && path_is_within(buf_str(&dir), dir.len, place, strlen(place));

	err_release(&e);
	buf_release(&dir);
	return yes;
}

int tree_hash_recall(const char *place, const struct nar_filter *filter, struct buf *key, struct hash *out)
{
	char name[HASH_TEXT_MAX];
	struct err e = ERR_INIT;
	struct hash state;

	*key = (struct buf)BUF_GC;
	if (has_cache(place) || !tree_state(place, filter, &state))
		return 0;
	hash_print(&state, HASH_BASE16, 0, name);
	buf_addf(key, "tree %s", name);
	if (kept_fact_hash((struct slice){ key->p, key->len }, out, &e) == 1)
		return 1;
	err_release(&e);
	return 0;
}

void tree_hash_remember(const struct buf *key, const struct hash *h)
{
	struct err e = ERR_INIT;

	if (key->len && kept_try_hash((struct slice){ key->p, key->len }, h, &e))
		err_release(&e);
}
