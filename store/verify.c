/* SPDX-License-Identifier: MIT
 *
 * Comparing the database with what is on disk.
 *
 * What is gone and held by nobody is simply no longer valid (somebody removed files by hand, or a disk lost them); when others
 * refer to it, it is a problem that only a repair can mend, because those others are broken as well.
 * The collector is kept out meanwhile.
 */
#include "config.h"
#include "store/verify.h"
#include "base/dir.h"
#include "base/flock.h"
#include "base/limits.h"
#include "format/nar.h"
#include "store/store_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct verify {
	struct store *s;
	const struct verify_options *o;
	size_t bad;
	struct err *e;
};

/* 1 when it was mended. */
static int problem(struct verify *v, enum verify_problem what, const struct store_path *p, const char *detail)
{
	int mended = v->o->problem ? v->o->problem(v->o->arg, what, p, detail) : 0;

	v->bad += !mended;
	return mended;
}

/* --- contents --- */

/* The first thing in the tree that is not as canonical objects are; 0 when all is well. */
static int find_odd(int dirfd, const char *name, int depth, struct buf *why)
{
	struct stat st;
	mode_t mode;

	if (depth > LIMIT_NAR_DEPTH || fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0; /* the hash will tell */
	mode = st.st_mode & 07777;
	if (!S_ISLNK(st.st_mode) && mode != 0555 && (mode != 0444 || S_ISDIR(st.st_mode)))
		buf_addf(why, "'%s' has mode %04o", name, (unsigned)mode);
	else if (st.st_mtime != 1)
		buf_addf(why, "'%s' has modification time %lld", name, (long long)st.st_mtime);
	if (why->len || !S_ISDIR(st.st_mode))
		return why->len > 0;

	struct dir d;
	int odd = 0, rc = dir_open(&d, dirfd, name, NULL);
	while (!rc && !odd && dir_next(&d, NULL) > 0)
		odd = find_odd(d.fd, d.name, depth + 1, why);
	dir_close(&d);
	return odd;
}

int verify_form(int dirfd, const char *name, struct buf *why)
{
	return find_odd(dirfd, name, 0, why);
}

static void check_form(struct verify *v, const struct store_path *p)
{
	struct buf why = BUF_INIT;

	if (find_odd(v->s->fd, p->base, 0, &why))
		problem(v, VERIFY_FORM, p, why.p);
	buf_release(&why);
}

static int check_contents(struct verify *v, const struct store_path *p)
{
	struct path_info info;
	struct err why = ERR_INIT;
	char text[HASH_TEXT_MAX];
	struct hash h;
	uint64_t size;
	int rc = db_info(v->s->db, p, &info, v->e);

	if (rc)
		return rc;
	if (nar_hash(info.nar_hash.algo, v->s->fd, p->base, p->base, NULL, &h, &size, &why)) {
		problem(v, VERIFY_UNREADABLE, p, why.msg);
		err_release(&why);
	} else if (!hash_eq(&h, &info.nar_hash) || (info.nar_size && info.nar_size != size)) {
		hash_print(&h, HASH_SRI, 1, text);
		problem(v, VERIFY_CONTENTS, p, text);
	} else {
		check_form(v, p);
		if (!info.nar_size && !store_is_readonly(v->s)) {
			info.nar_size = size;
			rc = db_update(v->s->db, &info, v->e);
		}
	}
	path_info_release(&info);
	return rc;
}

/* --- presence --- */

static int is_missing(struct verify *v, const struct store_path *p)
{
	struct stat st;

	return fstatat(v->s->fd, p->base, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;
}

/* Forgets what can be forgotten; each that goes may free others, so again until nothing changes. */
static int forget_missing(struct verify *v, struct path_set *missing)
{
	int changed = 1, rc = 0;

	while (changed && !rc && !store_is_readonly(v->s)) {
		changed = 0;
		for (size_t i = missing->n; !rc && i-- > 0;) {
			struct store_path p = missing->v[i];
			struct err why = ERR_INIT;
			int held = db_forget(v->s->db, &p, &why);
			if (held && held != ERR_INVALID)
				rc = err_set(v->e, held, "%s", why.msg);
			err_release(&why);
			if (held)
				continue;
			path_set_remove(missing, &p);
			store_notice(v->s, "'%s' is gone, and no longer counts as valid", p.base);
			changed = 1;
		}
	}
	return rc;
}

static int check_presence(struct verify *v, const struct path_set *all)
{
	struct path_set missing = PATH_SET_INIT;
	int rc;

	for (size_t i = 0; i < all->n; i++)
		if (is_missing(v, &all->v[i]) &&
		    !(v->o->problem && v->o->problem(v->o->arg, VERIFY_MISSING, &all->v[i], "")))
			path_set_push(&missing, &all->v[i]);
	path_set_sort(&missing);
	rc = forget_missing(v, &missing);
	for (size_t i = 0; !rc && i < missing.n; i++)
		problem(v, VERIFY_DANGLING, &missing.v[i], "");
	path_set_release(&missing);
	return rc;
}

static void bad_claim(void *arg, const struct store_path *p, const char *why)
{
	problem(arg, VERIFY_CLAIM, p, why);
}

int store_verify(struct store *s, const struct verify_options *o, size_t *bad, struct err *e)
{
	struct verify v = { s, o, 0, e };
	struct path_set all = PATH_SET_INIT;
	int lock = -1, rc = db_check(s->db, e);

	if (!rc && !store_is_readonly(s)) {
		lock = store_open_gc_lock(s, e);
		rc = lock < 0 ? lock : lock_fd(lock, LOCK_SH, e);
	}
	if (!rc)
		rc = db_all(s->db, &all, e);
	if (!rc)
		rc = check_presence(&v, &all);
	for (size_t i = 0; !rc && o->check_contents && i < all.n; i++)
		if (!is_missing(&v, &all.v[i]))
			rc = check_contents(&v, &all.v[i]);
	if (!rc)
		rc = claims_verify(s, &all, o, bad_claim, &v, e);
	path_set_release(&all);
	if (lock >= 0)
		close(lock);
	*bad = v.bad;
	return rc;
}
