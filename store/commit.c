/* SPDX-License-Identifier: MIT
 *
 * From staged to valid.
 *
 *     1. rename           each object gets its name; whatever invalid thing lay there is removed first
 *     2. sync             the bytes and names of the whole batch are on the disk (store/sync.c)
 *     3. transaction      rows of all objects, their references, the outputs of derivations
 *
 * After a crash before 3 there are files without a row, whole or not, which the collector removes and the next commit replaces;
 * there is never a row without its files.  When 3 fails the objects are removed again: the caller still holds their locks.
 *
 * Only the second step waits long, and it needs no database: it may be left to another thread (struct commit).
 *
 * Renaming a directory changes its "..", so an ordinary user must be able to write to it: its mode is 0755 for
 * the moment of the rename, and set again before the batch is synced.
 */
#include "config.h"
#include "base/alloc.h"
#include "base/check.h"
#include "format/nar.h"
#include "store/claims.h"
#include "store/lock.h"
#include "store/object.h"
#include "store/optimise.h"
#include "store/store_int.h"
#include "store/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- checks --- */

/* What is said to be content-addressed must have the path that follows from it: others rely on it without signatures. */
int store_check_address(struct store *s, const struct path_info *i, struct err *e)
{
	struct slice *refs = xcalloc(i->refs.n + 1, sizeof *refs);
	struct buf text = BUF_INIT;
	size_t n = 0, size = store_dir(s).n + STORE_BASE_MAX + 2;
	enum ca_method m;
	struct store_path want;
	struct hash h;
	int self = 0, rc = ca_parse(slice_of(i->ca), &m, &h, e);

	buf_reserve(&text, (i->refs.n + 1) * size);
	for (size_t k = 0; k < i->refs.n; k++) {
		size_t at = text.len;
		if (!store_path_cmp(&i->refs.v[k], &i->path)) {
			self = 1;
			continue;
		}
		store_add_path(s, &text, &i->refs.v[k]);
		refs[n++] = (struct slice){ text.p + at, text.len - at };
	}
	if (!rc)
		rc = m == CA_TEXT ? store_path_make_text(store_dir(s), store_path_name(&i->path), &h, refs, n, &want, e) :
				    store_path_make_fixed(store_dir(s), store_path_name(&i->path), m, &h, refs, n, self, &want, e);
	if (!rc && store_path_cmp(&want, &i->path))
		rc = err_set(e, ERR_INVALID, "'%s' claims the content address '%s', which belongs to '%s'", i->path.base, i->ca,
			     want.base);
	free(refs);
	buf_release(&text);
	return rc;
}

static int check(struct store *s, const struct new_object *o, struct err *e)
{
	const struct path_info *i = &o->info;

	CHECK(path_set_is_sorted(&i->refs));
	if (i->nar_hash.algo != HASH_SHA256 || !i->nar_size)
		return err_set(e, ERR_INVALID, "'%s' cannot be registered without the hash and size of its archive", i->path.base);
	return i->ca ? store_check_address(s, i, e) : 0;
}

/* --- moving --- */

static int move_directory(struct store *s, const struct new_object *o, struct err *e)
{
	static const struct timespec times[2] = { { 0, UTIME_OMIT }, { 1, 0 } };
	int fd = openat(o->dirfd, o->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), rc = 0;

	if (fd < 0)
		return err_errno(e, "cannot put '%s' into the store", o->info.path.base);
	if (fchmod(fd, 0755) < 0 || renameat(o->dirfd, o->name, s->fd, o->info.path.base) < 0 || fchmod(fd, 0555) < 0 ||
	    futimens(fd, times) < 0)
		rc = err_errno(e, "cannot put '%s' into the store", o->info.path.base);
	close(fd);
	return rc;
}

/* What is not there, or is nobody's, makes room. */
static int move(struct store *s, const struct new_object *o, struct err *e)
{
	int rc = tree_remove(s->fd, o->info.path.base, NULL, NULL, e);

	if (rc || renameat(o->dirfd, o->name, s->fd, o->info.path.base) == 0)
		return rc;
	if (errno == EACCES || errno == EPERM)
		return move_directory(s, o, e);
	return err_errno(e, "cannot put '%s' into the store", o->info.path.base);
}

/* --- registering --- */

/* Only what cannot change may be a derivation, and its outputs must be its own: whoever finds them valid builds them no more. */
static int add_outputs(struct store *s, const struct path_info *i, struct err *e)
{
	struct drv d;
	int rc = store_read_new_drv(s, i, &d, e);

	if (rc)
		return rc;
	rc = store_check_drv(s, &i->path, &d, e);
	for (size_t k = 0; !rc && k < d.noutputs; k++) {
		struct store_path p;
		if (!d.outputs[k].path.n)
			continue;
		rc = store_path_parse(store_dir(s), d.outputs[k].path, &p, e);
		if (!rc)
			rc = db_add_output(s->db, &i->path, d.outputs[k].name, &p, e);
	}
	drv_release(&d);
	return rc;
}

static int enter(struct store *s, const struct new_object *const *v, size_t n, struct err *e)
{
	struct path_info *infos = xcalloc(n + 1, sizeof *infos);
	struct store_path *paths = xcalloc(n + 1, sizeof *paths);
	size_t *order = NULL;
	int rc = db_begin(s->db, e);

	for (size_t i = 0; i < n; i++) {
		infos[i] = v[i]->info;
		paths[i] = v[i]->info.path;
	}
	if (rc)
		goto out;
	rc = db_register(s->db, infos, n, e);
	for (size_t i = 0; !rc && i < n; i++)
		if (store_path_is_drv(&infos[i].path))
			rc = add_outputs(s, &infos[i], e);
	if (!rc)
		rc = store_order(s, paths, n, &order, e); /* refuses what refers to one another */
	if (!rc)
		rc = db_commit(s->db, e);
	else
		db_rollback(s->db);
out:
	free(order);
	free(infos);
	free(paths);
	return rc;
}

/* --- the three steps --- */

struct commit {
	struct store *s;
	const struct new_object **v;
	size_t n, moved;
	int rc;
	struct err err;
};

/* They are valid already: that a file could not be shared is worth a word, no more. */
static void share(struct store *s, const struct new_object *const *v, size_t n)
{
	struct path_set paths = PATH_SET_INIT;
	struct optimise_result r;
	struct err e = ERR_INIT;

	for (size_t i = 0; i < n; i++)
		path_set_push(&paths, &v[i]->info.path);
	if (store_optimise(s, &paths, &r, &e))
		store_notice(s, "cannot keep equal files once: %s", e.msg);
	err_release(&e);
	path_set_release(&paths);
}

int commit_begin(struct store *s, const struct new_object *v, size_t n, struct commit **out, struct err *e)
{
	struct commit *c = xcalloc(1, sizeof *c);
	int rc = store_want_writable(s, e);

	c->s = s;
	c->v = xcalloc(n + 1, sizeof *c->v);
	for (size_t i = 0; !rc && i < n; i++) {
		/* What lost its files gets them back, and a row that fits them. */
		int valid = store_is_there(s, &v[i].info.path, NULL, e);
		if (valid < 0)
			rc = valid;
		else if (!valid)
			rc = check(s, c->v[c->n++] = &v[i], e);
	}
	if (rc) {
		free(c->v);
		free(c);
	}
	*out = rc ? NULL : c;
	return rc;
}

void commit_place(struct commit *const *v, size_t n)
{
	const struct new_object **all;
	struct err e = ERR_INIT;
	size_t k = 0;
	int rc;

	for (size_t i = 0; i < n; i++) {
		while (!v[i]->rc && v[i]->moved < v[i]->n)
			v[i]->rc = move(v[i]->s, v[i]->v[v[i]->moved++], &v[i]->err);
		k += v[i]->n;
	}
	if (!k || !store_syncs(v[0]->s))
		return;
	all = xcalloc(k, sizeof *all);
	k = 0;
	for (size_t i = 0; i < n; i++)
		for (size_t o = 0; !v[i]->rc && o < v[i]->n; o++)
			all[k++] = v[i]->v[o];
	rc = store_sync_objects(v[0]->s, all, k, &e);
	for (size_t i = 0; rc && i < n; i++)
		if (!v[i]->rc)
			v[i]->rc = err_set(&v[i]->err, rc, "%s", e.msg);
	err_release(&e);
	free(all);
}

int commit_end(struct commit *c, struct err *e)
{
	int rc = c->rc;

	if (rc && e) {
		*e = c->err;
		c->err = (struct err)ERR_INIT;
	} else if (!rc && c->n) {
		rc = enter(c->s, c->v, c->n, e);
		if (!rc && optimise_settings.automatic)
			share(c->s, c->v, c->n);
	}
	for (size_t i = 0; rc && i < c->moved; i++)
		tree_remove(c->s->fd, c->v[i]->info.path.base, NULL, NULL, NULL);
	err_release(&c->err);
	free(c->v);
	free(c);
	return rc;
}

int store_commit(struct store *s, const struct new_object *v, size_t n, struct err *e)
{
	struct commit *c;
	int rc = commit_begin(s, v, n, &c, e);

	if (rc)
		return rc;
	commit_place(&c, 1);
	return commit_end(c, e);
}

/* --- repairing --- */

/* Contents and form are those of its row. */
static int is_intact(struct store *s, const struct path_info *row)
{
	struct buf odd = BUF_INIT;
	struct hash h;
	uint64_t size;
	int good = !nar_hash(row->nar_hash.algo, s->fd, row->path.base, row->path.base, NULL, &h, &size, NULL) &&
		   hash_eq(&h, &row->nar_hash) && !verify_form(s->fd, row->path.base, &odd);

	buf_release(&odd);
	return good;
}

/* A directory can be renamed by its owner only when he may write to it. -1 for what is none. */
static int open_up(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0)
		fchmod(fd, 0755);
	return fd;
}

/* At no moment is there neither the old nor the new one. */
static int swap(struct store *s, const struct new_object *o, struct err *e)
{
	static const struct timespec times[2] = { { 0, UTIME_OMIT }, { 1, 0 } };
	const char *base = o->info.path.base;
	int fd = open_up(o->dirfd, o->name), old = open_up(s->fd, base), rc = 0;

	if (renameat2(o->dirfd, o->name, s->fd, base, RENAME_EXCHANGE) < 0)
		rc = err_errno(e, "cannot put '%s' in the place of the damaged one", base);
	if (fd >= 0 && (fchmod(fd, 0555) < 0 || futimens(fd, times) < 0 || (store_syncs(s) && fsync(fd) < 0)) && !rc)
		rc = err_errno(e, "cannot put '%s' in the place of the damaged one", base);
	if (fd >= 0)
		close(fd);
	if (old >= 0)
		close(old);
	return rc;
}

static int replace_one(struct store *s, const struct new_object *o, struct err *e)
{
	int rc = check(s, o, e);

	if (!rc && store_syncs(s) && syncfs(o->dirfd) < 0)
		rc = err_errno(e, "cannot write the new objects to the disk");
	if (!rc)
		rc = swap(s, o, e);
	if (!rc && store_syncs(s) && fsync(s->fd) < 0)
		rc = err_errno(e, "cannot write the store directory to the disk");
	return rc ? rc : db_register(s->db, &o->info, 1, e);
}

int store_replace(struct store *s, const struct new_object *v, size_t n, struct err *e)
{
	/* What is missing, or not valid, first: the others may refer to it. */
	int rc = store_commit(s, v, n, e);

	for (size_t i = 0; !rc && i < n; i++) {
		struct path_info row;
		rc = db_info(s->db, &v[i].info.path, &row, e);
		if (!rc && !is_intact(s, &row)) {
			store_notice(s, "'%s' was damaged, and is replaced", v[i].info.path.base);
			rc = replace_one(s, &v[i], e);
		}
		path_info_release(&row);
	}
	return rc;
}

int store_commit_staged(struct store *s, struct stage *st, const char *name, const struct path_info *info, struct err *e)
{
	const struct new_object o = { stage_fd(st), name, *info };
	struct path_set one = PATH_SET_INIT;
	struct path_locks locks;
	int rc;

	path_set_push(&one, &info->path);
	rc = path_locks_take(&locks, s, &one, LOCK_WAIT, e);
	if (!rc) {
		rc = store_commit(s, &o, 1, e);
		path_locks_release(&locks, 1);
	}
	path_set_release(&one);
	return rc;
}
