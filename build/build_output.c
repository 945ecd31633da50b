/* SPDX-License-Identifier: MIT
 *
 * From what a builder left to valid objects.
 *
 * Every process of the build is dead when this runs.  Each output is looked at (who owns it, what it is), then copied into
 * fresh files in a private folder of the store, hashed and scanned for references on the way; a builder that
 * managed to pass a descriptor of its output to somebody outside has one of a file that is thrown away (CVE-2024-27297),
 * and nothing it planted beside its output is ever opened (CVE-2026-39860).  A fixed output's hash is compared, and the
 * derivation's own demands are checked, before anything is registered; then all outputs become valid at once.
 */
#include "config.h"
#include "base/alloc.h"
#include "base/dir.h"
#include "base/limits.h"
#include "build/build_int.h"
#include "format/goh1.h"
#include "store/object.h"
#include "store/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where the builder's outputs lie. */
static int made_fd(const struct job *j)
{
	return j->bare ? store_fd(j->b->s) : j->dir.store;
}

/* Gives an ordinary user, who is also the builder outside, the rights to read what the builder left: it may have taken them
 * away.  The mode is not part of an object but for the executable bit, which stays. */
static int open_up(int dirfd, const char *name, int depth, struct err *e)
{
	char self[32];
	struct stat st;
	int rc = 0, fd = openat(dirfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st))
		rc = err_errno(e, "looking at '%s'", name);
	snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
	if (!rc && S_ISREG(st.st_mode) && !(st.st_mode & S_IRUSR))
		rc = chmod(self, (st.st_mode & 0777) | S_IRUSR) ? err_errno(e, "making '%s' readable", name) : 0;
	if (!rc && S_ISDIR(st.st_mode) && (st.st_mode & 0700) != 0700)
		rc = chmod(self, 0700) ? err_errno(e, "making '%s' readable", name) : 0;
	if (!rc && S_ISDIR(st.st_mode) && depth < LIMIT_NAR_DEPTH) { /* what lies deeper is refused later */
		struct dir d;
		rc = dir_open(&d, fd, ".", e);
		while (!rc && (rc = dir_next(&d, e)) > 0)
			rc = open_up(d.fd, d.name, depth + 1, e);
		dir_close(&d);
	}
	if (fd >= 0)
		close(fd);
	return rc;
}

static void add_where(const struct job *j, size_t i, struct buf *drv, struct buf *path)
{
	build_add_drv(j->b, drv, j->node);
	store_add_path(j->b->s, path, &j->node->paths[i]);
}

/* That the output is there, and a thing the builder could have made alone. */
static int look_at(struct job *j, size_t i, struct stat *st, struct err *e)
{
	const struct drv_output *o = &j->node->drv.outputs[i];
	struct buf drv = BUF_INIT, path = BUF_INIT;
	const char *base = build_made_path(j, i)->base;
	int rc = 0;

	add_where(j, i, &drv, &path);
	if (fstatat(made_fd(j), base, st, AT_SYMLINK_NOFOLLOW)) {
		rc = errno == ENOENT ?
			     err_set(e, ERR_BUILD, "builder for '%s' failed to produce output path for output '%.*s' at '%s'",
				     buf_str(&drv), (int)o->name.n, o->name.p, buf_str(&path)) :
			     err_errno(e, "looking at '%s'", buf_str(&path));
	} else if (!S_ISLNK(st->st_mode) && st->st_mode & (S_IWGRP | S_IWOTH)) {
		rc = err_set(e, ERR_BUILD,
			     "suspicious ownership or permission on '%s' for output '%.*s'; rejecting this build output",
			     buf_str(&path), (int)o->name.n, o->name.p);
	} else if (!j->bare) {
		rc = geteuid() ? open_up(made_fd(j), base, 0, e) : 0;
		rc = rc ? rc : tree_check_owner(made_fd(j), base, j->user.uid, e);
		if (rc)
			err_prefix(e, "output '%.*s' of '%s' is rejected", (int)o->name.n, o->name.p, buf_str(&drv));
	}
	buf_release(&drv);
	buf_release(&path);
	return rc;
}

static int mismatch(struct job *j, const struct hash *want, const struct hash *got, struct err *e)
{
	struct buf b = BUF_INIT;

	buf_adds(&b, "hash mismatch in fixed-output derivation '");
	build_add_drv(j->b, &b, j->node);
	buf_adds(&b, "':\n  specified: ");
	hash_add(&b, want, HASH_SRI, 1);
	buf_adds(&b, "\n     got:    ");
	hash_add(&b, got, HASH_SRI, 1);
	err_set(e, ERR_HASH, "%s", buf_str(&b));
	buf_release(&b);
	return ERR_HASH;
}

const struct slice *build_foreign_mode(const struct drv *d)
{
	const struct slice *mode = drv_env(d, SLICE("outputHashMode"));
	enum ca_method known;

	return mode && mode->n && ca_method_parse(*mode, &known, NULL) ? mode : NULL;
}

int build_foreign_hash(struct build *b, const struct node *n, int dirfd, const char *name, struct hash *out, struct err *e)
{
	const struct build_hooks *h = &b->set->hooks;
	const struct slice *mode = build_foreign_mode(&n->drv);

	if (!mode)
		return 1;
	/* Its hash in the derivation is not that of the archive: comparing these would only ever fail. */
	if (!h->content_hash && slice_eq(*mode, SLICE(GO_H1_MODE)))
		return err_set(e, ERR_BUILD, "nothing here can check an output of outputHashMode = \"" GO_H1_MODE "\"");
	if (!h->content_hash)
		return 1;
	return h->content_hash(h->user, &n->drv, *mode, dirfd, name, out, e);
}

static int check_fixed(struct job *j, const struct drv_output *o, const struct object_facts *f, struct new_object *n,
		       struct err *e)
{
	struct hash got = f->hash;
	struct buf b = BUF_INIT;
	int rc = build_foreign_hash(j->b, j->node, n->dirfd, n->name, &got, e), foreign = rc == 0;

	if (rc < 0)
		return rc;
	if (!hash_eq(&got, &o->hash))
		return mismatch(j, &o->hash, &got, e);
	if (f->refs.n) {
		build_add_drv(j->b, &b, j->node);
		rc = err_set(e, ERR_REJECTED, "illegal path references in fixed-output derivation '%s'", buf_str(&b));
		buf_release(&b);
		return rc;
	}
	/* A method of our own has no content address that other programs could read. */
	if (!foreign) {
		ca_add(&b, o->method, &got);
		n->info.ca = buf_detach(&b, NULL);
	}
	return 0;
}

static int discards(const struct job *j, struct slice output)
{
	for (size_t i = 0; i < j->opt.discard_references.n; i++)
		if (slice_eq(j->opt.discard_references.v[i], output))
			return 1;
	return 0;
}

static int copy_one(struct job *j, size_t i, int stage, const struct path_set *candidates, struct new_object *n,
		    struct err *e)
{
	const struct drv_output *o = &j->node->drv.outputs[i];
	const struct store_path *p = &j->node->paths[i];
	struct object_facts f = { .candidates = discards(j, o->name) ? NULL : candidates, .rewrites = j->renamed,
				  .nrewrites = j->nmoved };
	struct buf path = BUF_INIT;
	struct stat st;
	int rc = look_at(j, i, &st, e);

	store_add_path(j->b->s, &path, p);
	if (!rc && o->kind == DRV_FIXED) {
		if (o->method == CA_FLAT && (!S_ISREG(st.st_mode) || st.st_mode & S_IXUSR))
			rc = err_set(e, ERR_BUILD,
				     "output path '%s' should be a non-executable regular file since recursive hashing is not "
				     "enabled (outputHashMode=flat)",
				     buf_str(&path));
		f.method = o->method;
		f.algo = o->hash.algo;
	}
	rc = rc ? rc : object_copy(made_fd(j), build_made_path(j, i)->base, buf_str(&path), NULL, stage, p->base, &f, e);
	buf_release(&path);
	if (rc)
		goto out;
	*n = (struct new_object){ .dirfd = stage, .name = p->base };
	n->info.path = *p;
	n->info.nar_hash = f.nar_hash;
	n->info.nar_size = f.nar_size;
	n->info.deriver = j->node->path;
	n->info.ultimate = 1;
	if (o->kind == DRV_FIXED)
		rc = check_fixed(j, o, &f, n, e);
	n->info.refs = f.refs;
	f.refs = (struct path_set)PATH_SET_INIT;
out:
	object_facts_release(&f);
	return rc;
}

/* Outputs that refer to one another in a circle could never be deleted one by one. */
static int check_cycles(struct job *j, const struct new_object *v, struct err *e)
{
	size_t n = j->node->drv.noutputs, left = n, before = n + 1;
	unsigned char *done = xcalloc(n + 1, 1);
	struct buf drv = BUF_INIT;
	int rc = 0;

	/* Takes away, again and again, what refers to nothing that is left. */
	while (left && left < before) {
		before = left;
		for (size_t i = 0; i < n; i++) {
			int free_of = 1;

			for (size_t k = 0; k < n && v[i].name; k++)
				if (k != i && !done[k] && v[k].name && path_set_has(&v[i].info.refs, &v[k].info.path))
					free_of = 0;
			if (!done[i] && free_of) {
				done[i] = 1;
				left--;
			}
		}
	}
	if (left) {
		build_add_drv(j->b, &drv, j->node);
		rc = err_set(e, ERR_REJECTED, "cycle detected in the references of the outputs of '%s'", buf_str(&drv));
		buf_release(&drv);
	}
	free(done);
	return rc;
}

/* --check: what was built now against what is registered. */
static int compare(struct job *j, const struct new_object *v, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; i < j->node->drv.noutputs && !rc; i++) {
		struct path_info old = { 0 };
		struct buf drv = BUF_INIT, path = BUF_INIT;

		add_where(j, i, &drv, &path);
		rc = db_info(store_db(j->b->s), &j->node->paths[i], &old, e);
		if (!rc && !hash_eq(&old.nar_hash, &v[i].info.nar_hash))
			rc = err_set(e, ERR_DIFFERS, "derivation '%s' may not be deterministic: output '%s' differs", buf_str(&drv),
				     buf_str(&path));
		path_info_release(&old);
		buf_release(&drv);
		buf_release(&path);
	}
	return rc;
}

/* What is built here may be wanted elsewhere. */
static int sign(struct job *j, struct new_object *v, struct err *e)
{
	size_t added = 0;
	int rc = 0;

	for (size_t i = 0; !rc && i < j->node->drv.noutputs; i++)
		if (v[i].name)
			rc = path_info_sign(&j->b->keys, store_dir(j->b->s), &v[i].info, &added, e);
	return rc;
}

/* What did not get into the store goes. */
static void release_made(struct made *m, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (m->v[i].name)
			tree_remove(m->v[i].dirfd, m->v[i].name, NULL, NULL, NULL);
		path_info_release(&m->v[i].info);
	}
	free(m->v);
	free(m->fresh);
	stage_free(m->stage);
	*m = (struct made){ 0 };
}

/* Those that were made now go into the store: at once when something is to be compared or replaced, else with those of others. */
static int begin_commit(struct job *j, struct err *e)
{
	struct made *m = &j->made;
	size_t n = 0, all = j->node->drv.noutputs;

	m->fresh = xcalloc(all + 1, sizeof *m->fresh);
	for (size_t i = 0; i < all; i++)
		if (m->v[i].name)
			m->fresh[n++] = m->v[i];
	if (j->node->asked && j->b->set->repair)
		return store_replace(j->b->s, m->fresh, n, e);
	return commit_begin(j->b->s, m->fresh, n, &m->commit, e);
}

/* The end of all of it; what is wrong with an output is the builder's doing: also one that is called a derivation and is none. */
static int finish(struct job *j, int rc, struct err *e)
{
	rc = rc ? rc : build_hook_run(j, e);
	release_made(&j->made, j->node->drv.noutputs);
	return rc == ERR_INVALID || rc == ERR_LIMIT ? e->code = ERR_BUILD : rc;
}

int build_check_brought(struct job *j, size_t i, const struct hash *hash, struct new_object *n, struct err *e)
{
	const struct drv_output *o = &j->node->drv.outputs[i];
	struct object_facts f = { .hash = *hash, .refs = n->info.refs };

	return o->kind == DRV_FIXED ? check_fixed(j, o, &f, n, e) : 0;
}

int build_brought(struct job *j, int rc, struct err *e)
{
	struct made *m = &j->made;

	rc = rc ? rc : check_cycles(j, m->v, e);
	rc = rc ? rc : build_check_outputs(j, m->v, e);
	rc = rc ? rc : begin_commit(j, e);
	return !rc && m->commit ? 1 : finish(j, rc, e);
}

int build_outputs(struct job *j, struct err *e)
{
	int check = j->node->asked && j->b->set->check, rc = 0;
	size_t n = j->node->drv.noutputs;
	struct made *m = &j->made;
	struct path_set candidates = PATH_SET_INIT;

	m->v = xcalloc(n + 1, sizeof *m->v);
	path_set_add_all(&candidates, &j->inputs);
	for (size_t i = 0; i < n; i++)
		path_set_add(&candidates, &j->node->paths[i]);
	rc = j->b->stage ? 0 : stage_open(j->b->s, &j->b->stage, e);
	for (size_t i = 0; i < n && !rc; i++)
		if (check || !j->skip[i])
			rc = copy_one(j, i, stage_fd(j->b->stage), &candidates, &m->v[i], e);
	rc = rc ? rc : check_cycles(j, m->v, e);
	rc = rc ? rc : build_check_outputs(j, m->v, e);
	rc = rc ? rc : sign(j, m->v, e);
	if (!rc)
		rc = check && !j->b->set->repair && graph_outputs_valid(j->b, j->node, 1, e) == 1 ? compare(j, m->v, e)
												  : begin_commit(j, e);
	path_set_release(&candidates);
	return !rc && m->commit ? 1 : finish(j, rc, e);
}

int build_outputs_end(struct job *j, struct err *e)
{
	return finish(j, commit_end(j->made.commit, e), e);
}
