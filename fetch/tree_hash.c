/* SPDX-License-Identifier: MIT
 *
 * A hash is noted in the user's cache under the sum of what identifies the files: their names, devices, inodes, sizes, modes and
 * times. So the place need not be a part of it, and a tree that was moved, or is seen through another name, is the same tree.
 *
 * A folder counts by its times too: what was added and taken away again between this look and the reading of the files is then
 * another state, and not one that what was read is remembered for.
 */
#include "config.h"
#include "fetch/tree_hash.h"
#include "base/buf.h"
#include "base/dir.h"
#include "base/limits.h"
#include "base/pathname.h"
#include "fetch/cache.h"
#include "fetch/trail_int.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* --- states --- */

struct look {
	const struct nar_filter *filter;
	struct hash_ctx sum;
	struct buf path;
	uint64_t cost; /* of reading what was looked at, in bytes */
	struct err e;
};

/* What opening a file costs, and what reading must cost that a note is worth its own file. */
enum { COST_OF_FILE = 4096, WORTH = 256 * 1024 };

static enum nar_type type_of(mode_t mode)
{
	return S_ISREG(mode) ? NAR_REGULAR : S_ISDIR(mode) ? NAR_DIRECTORY : S_ISLNK(mode) ? NAR_SYMLINK : NAR_UNKNOWN;
}

static int look_at(struct look *l, int dirfd, const char *name, int depth);

static int look_into(struct look *l, int dirfd, const char *name, int depth)
{
	struct dir d;
	int rc = dir_open(&d, dirfd, name, &l->e), ok = !rc;
	size_t n = l->path.len;

	while (ok && (rc = dir_next(&d, &l->e)) > 0) {
		buf_addc(&l->path, '/');
		buf_adds(&l->path, d.name);
		ok = look_at(l, d.fd, d.name, depth + 1);
		buf_trim(&l->path, n);
	}
	dir_close(&d);
	return ok && !rc;
}

/* What is called name, and last in the path. */
static int look_at(struct look *l, int dirfd, const char *name, int depth)
{
	struct stat st;

	if (depth > LIMIT_NAR_DEPTH || fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW))
		return 0;
	enum nar_type type = type_of(st.st_mode);
	struct trail_id id = trail_id_of(&st);
	int counts = depth && l->filter ? l->filter->include(l->filter->user, buf_str(&l->path), l->path.len, type, &l->e) : 1;
	if (counts != 1)
		return !counts;
	if (trail_is_young(&id))
		return 0;
	hash_update(&l->sum, name, depth ? strlen(name) + 1 : 0);
	hash_update(&l->sum, &id, sizeof id);
	l->cost += COST_OF_FILE + (type == NAR_REGULAR ? id.size : 0);
	if (type != NAR_DIRECTORY)
		return 1;
	int ok = look_into(l, dirfd, name, depth);
	/* No file is called so: the folder ends here. */
	hash_update(&l->sum, "/", 1);
	return ok;
}

/* 1 when *state stands for the contents, and they are worth remembering. */
static int state_of(const struct tree_question *q, struct hash *state)
{
	struct look l = { .filter = q->filter, .path = BUF_INIT, .e = ERR_INIT };

	hash_init(&l.sum, HASH_SHA256);
	buf_adds(&l.path, q->root ? q->root : q->place);
	int ok = look_at(&l, AT_FDCWD, q->place, 0);
	hash_final(&l.sum, state);
	buf_release(&l.path);
	err_release(&l.e);
	return ok && l.cost >= WORTH;
}

/* --- hashes --- */

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

static void add_key(struct buf *b, const struct tree_question *q, const struct hash *state)
{
	char text[HASH_TEXT_MAX];

	hash_print(state, HASH_BASE16, 0, text);
	buf_addf(b, "%s %s", q->flat ? "bytes" : "tree", text);
}

int tree_hash_recall(const struct tree_question *q, struct hash *state, struct hash *out)
{
	struct buf key = BUF_INIT, text = BUF_INIT;
	struct cache *c = NULL;
	struct err e = ERR_INIT;
	int known = 0;

	if (!state_of(q, state) || has_cache(q->place)) {
		*state = (struct hash){ .algo = 0 };
		return 0;
	}
	add_key(&key, q, state);
	if (!cache_open(&c, NULL, &e) && cache_get(c, (struct slice){ key.p, key.len }, 0, &text, &e) == 1)
		known = !hash_parse(buf_str(&text), text.len, HASH_SHA256, out, NULL, NULL);
	cache_free(c);
	err_release(&e);
	buf_release(&key);
	buf_release(&text);
	return known;
}

void tree_hash_remember(const struct tree_question *q, const struct hash *state, const struct hash *h)
{
	char text[HASH_TEXT_MAX];
	struct buf key = BUF_INIT;
	struct cache *c = NULL;
	struct err e = ERR_INIT;

	if (!state->algo)
		return;
	add_key(&key, q, state);
	if (!cache_open(&c, NULL, &e))
		cache_put(c, (struct slice){ key.p, key.len }, (struct slice){ text, hash_print(h, HASH_SRI, 1, text) }, &e);
	cache_free(c);
	err_release(&e);
	buf_release(&key);
}
