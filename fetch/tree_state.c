/* SPDX-License-Identifier: MIT
 *
 * A folder counts by its times too: what was added and taken away again between this look and the reading of the files is then
 * another state, and not one that what was read is remembered for.
 */
#include "config.h"
#include "fetch/tree_state.h"
#include "base/buf.h"
#include "base/dir.h"
#include "base/limits.h"
#include "fetch/trail_int.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

struct look {
	const struct nar_filter *filter;
	struct hash_ctx sum;
	struct buf path;
	struct err e;
};

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
	hash_update(&l->sum, name, strlen(name) + 1);
	hash_update(&l->sum, &id, sizeof id);
	if (type != NAR_DIRECTORY)
		return 1;
	int ok = look_into(l, dirfd, name, depth);
	/* No file is called so: the folder ends here. */
	hash_update(&l->sum, "/", 1);
	return ok;
}

int tree_state(const char *place, const struct nar_filter *filter, struct hash *state)
{
	struct look l = { .filter = filter, .path = BUF_INIT, .e = ERR_INIT };

	hash_init(&l.sum, HASH_SHA256);
	buf_adds(&l.path, place);
	int ok = look_at(&l, AT_FDCWD, place, 0);
	hash_final(&l.sum, state);
	buf_release(&l.path);
	err_release(&l.e);
	return ok;
}
