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
#include "base/alloc.h"
#include "base/dir.h"
#include "base/flock.h"
#include "base/limits.h"
#include "base/parallel.h"
#include "format/nar.h"
#include "store/store_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
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

static int is_missing(struct verify *v, const struct store_path *p)
{
	struct stat st;

	return fstatat(v->s->fd, p->base, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;
}

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

/* What is said of an object, and what was seen of it. */
struct look {
	int dirfd;
	struct path_info info;
	struct hash hash;
	uint64_t size;
	struct buf odd;
	struct err why;
};

/* For parallel_each: only reads. */
static void look_at(void *arg, unsigned worker, size_t i)
{
	struct look *l = &((struct look *)arg)[i];
	const char *base = l->info.path.base;

	if (!nar_hash(l->info.nar_hash.algo, l->dirfd, base, base, NULL, &l->hash, &l->size, &l->why))
		find_odd(l->dirfd, base, 0, &l->odd);
	(void)worker;
}

static int judge(struct verify *v, struct look *l)
{
	const struct path_info *i = &l->info;
	char text[HASH_TEXT_MAX];

	if (l->why.code) {
		problem(v, VERIFY_UNREADABLE, &i->path, l->why.msg);
	} else if (!hash_eq(&l->hash, &i->nar_hash) || (i->nar_size && i->nar_size != l->size)) {
		hash_print(&l->hash, HASH_SRI, 1, text);
		problem(v, VERIFY_CONTENTS, &i->path, text);
	} else if (l->odd.len) {
		problem(v, VERIFY_FORM, &i->path, l->odd.p);
	} else if (!i->nar_size && !store_is_readonly(v->s)) {
		l->info.nar_size = l->size;
		return db_update(v->s->db, i, v->e);
	}
	return 0;
}

static void look_release(struct look *l)
{
	path_info_release(&l->info);
	buf_release(&l->odd);
	err_release(&l->why);
}

/* The database before and after, in this thread; between, the objects on all cores. */
static int check_some(struct verify *v, const struct store_path *paths, size_t n)
{
	struct look *some = xcalloc(n + 1, sizeof *some);
	size_t k = 0;
	int rc = 0;

	for (size_t i = 0; !rc && i < n; i++) {
		if (is_missing(v, &paths[i]))
			continue;
		some[k].dirfd = v->s->fd;
		rc = db_info(v->s->db, &paths[i], &some[k++].info, v->e);
	}
	if (!rc)
		parallel_each(k, look_at, some);
	for (size_t i = 0; !rc && i < k; i++)
		rc = judge(v, &some[i]);
	for (size_t i = 0; i < k; i++)
		look_release(&some[i]);
	free(some);
	return rc;
}

/* Some at a time, so that problems are told as they are found. */
static int check_contents(struct verify *v, const struct path_set *all)
{
	enum { AT_ONCE = 256 };
	int rc = 0;

	for (size_t i = 0; !rc && i < all->n; i += AT_ONCE)
		rc = check_some(v, all->v + i, all->n - i < AT_ONCE ? all->n - i : AT_ONCE);
	return rc;
}

/* --- presence --- */

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
	const struct path_set *which = o->paths ? o->paths : &all;
	int lock = -1, rc;

	if (s->source)
		return s->source->verify(s->source->user, o->check_contents, bad, e);
	rc = db_check(s->db, e);

	if (!rc && !store_is_readonly(s)) {
		lock = store_open_gc_lock(s, e);
		rc = lock < 0 ? lock : lock_fd(lock, LOCK_SH, e);
	}
	if (!rc && !o->paths)
		rc = db_all(s->db, &all, e);
	if (!rc)
		rc = check_presence(&v, which);
	if (!rc && o->check_contents)
		rc = check_contents(&v, which);
	if (!rc)
		rc = claims_verify(s, which, o, bad_claim, &v, e);
	path_set_release(&all);
	if (lock >= 0)
		close(lock);
	*bad = v.bad;
	return rc;
}
