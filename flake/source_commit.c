/* SPDX-License-Identifier: MIT
 *
 * The trees of commits: brought into a repository of the cache, written out of it once, kept by their hash (flake/kept.h).
 *
 * With `submodules` each submodule is filled with the commit that the tree names, from where .gitmodules says; with `exportIgnore`
 * what git archive would leave out is left out; with `lfs` large files are themselves (fetch/git_lfs.h).  Which tree that makes is
 * remembered by all of these.
 */
#include "config.h"
#include "flake/kept.h"
#include "flake/source_int.h"
#include "base/limits.h"
#include "base/mem.h"
#include "eval/error.h"
#include "eval/eval.h"
#include "fetch/cache.h"
#include "fetch/git.h"
#include "fetch/git_lfs.h"
#include "store/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- what is here --- */

/* The key under which the cache has the hash of a commit's tree.  A repository of somebody's may hold under a commit's name what
 * is not that commit: git does not look.  What came from one is its own (dir); what git_fetch brought is checked, and everybody's.
 */
static struct slice fact_key(const struct input *in, const char *dir, const char *rev)
{
	static const char *const matter[] = { "submodules", "exportIgnore", "lfs" };
	struct buf b = BUF_GC;

	buf_addf(&b, "git-tree %s", rev);
	for (size_t i = 0; i < sizeof matter / sizeof *matter; i++)
		if (source_is_set(in, matter[i]))
			buf_addf(&b, " %s", matter[i]);
	buf_addf(&b, "%s%s", dir ? " in " : "", dir ? dir : "");
	return (struct slice){ b.p, b.len };
}

static int find_noted(struct slice key, struct flake_tree *t)
{
	struct hash h;

	t->place = kept_find_noted(key, &h);
	if (t->place)
		t->hash = h;
	return t->place != NULL;
}

int source_find_commit(struct flake_tree *t, const char *dir, const char *rev)
{
	return find_noted(fact_key(&t->locked, NULL, rev), t) || (dir && find_noted(fact_key(&t->locked, dir, rev), t));
}

/* --- what is remembered of working trees --- */

/* One without changes has the hash of its commit's tree.  git does not look at what is checked out in submodules. */
static int is_of_commit(const struct flake_tree *t)
{
	return t->work_tree && t->members && !t->dirty && !t->loose && source_get(&t->locked, "rev") &&
	       !source_is_set(&t->locked, "submodules");
}

int source_recall_hash(struct flake_tree *t)
{
	if (!is_of_commit(t) || !kept_fact_hash(fact_key(&t->locked, t->work_tree, source_get(&t->locked, "rev")), &t->hash))
		return 0;
	/* Nobody looked at the files: that git holds them for unchanged is what counts. */
	if (t->note_state)
		t->note_state(t);
	return 1;
}

void source_remember_hash(const struct flake_tree *t)
{
	if (is_of_commit(t))
		kept_note_hash(fact_key(&t->locked, t->work_tree, source_get(&t->locked, "rev")), &t->hash);
}

/* --- repositories of the cache --- */

/* Brings the commit into the repository at dir, whose lock is held.  One that is damaged is made anew. */
static int bring_commit(const struct input *in, const char *dir, const char *url, const char *ref, const char *rev, struct err *e)
{
	int there = access(dir, F_OK) == 0, rc;

	if (there && git_has(dir, rev, NULL) == 1)
		return 0;
	if (eval_settings.offline && !source_file_path(url))
		return err_set(e, ERR_NETWORK, "'%s' needs the network, and --offline was given", url);
	if (source_is_set(in, "allRefs"))
		ref = NULL;
	rc = git_fetch(dir, url, ref, rev, source_is_set(in, "shallow"), e);
	/* It may be on another branch by now, or be on none. */
	if (rc == ERR_NOTFOUND && ref && !git_fetch(dir, url, NULL, rev, source_is_set(in, "shallow"), NULL)) {
		err_release(e);
		return 0;
	}
	if (!rc || !there || rc == ERR_INTERRUPT || git_is_whole(dir) == 1)
		return rc;
	err_release(e);
	tree_remove(AT_FDCWD, dir, NULL, NULL, NULL);
	return git_fetch(dir, url, ref, rev, source_is_set(in, "shallow"), e);
}

/* The repository of the cache for an address, with the commit in it; anew: as if it had not been there. */
static const char *fetch_commit(const struct input *in, const char *url, const char *ref, const char *rev, int anew)
{
	struct buf dir = BUF_INIT, key = BUF_GC;
	struct err e = ERR_INIT;

	/* One that has all history, and one that has none: what is cut off cannot be counted. */
	buf_addf(&key, "%s%s", url, source_is_set(in, "shallow") ? " shallow" : "");
	int lock = cache_repository(slice_of(key.p), &dir, &e), rc = lock < 0 ? lock : 0;
	if (!rc && anew)
		rc = tree_remove(AT_FDCWD, dir.p, NULL, NULL, &e);
	if (!rc)
		rc = bring_commit(in, buf_str(&dir), url, ref, rev, &e);
	const char *path = arena_dup(flake_arena(), buf_str(&dir), dir.len);
	if (lock >= 0)
		close(lock);
	buf_release(&dir);
	throw_if(rc, &e);
	return path;
}

/* --- submodules --- */

static void close_fd(void *arg)
{
	close(*(int *)arg);
}

/* The folder of a submodule, which git_export made. */
static int open_below(int dirfd, const char *path)
{
	int fd = fcntl(dirfd, F_DUPFD_CLOEXEC, 0);

	for (const char *p = path; fd >= 0 && *p; p += strspn(p, "/")) {
		size_t n = strcspn(p, "/");
		int next = openat(fd, arena_dup(flake_arena(), p, n), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		close(fd);
		fd = next;
		p += n;
	}
	if (fd < 0)
		throw_error(EK_IO, "cannot open the folder of the submodule '%s': %s", path, strerror(errno));
	return fd;
}

/* A tree that is being written: of which reference, and how deep in submodules. */
struct filling {
	const struct input *in;
	unsigned depth;
};

static int fill(const struct filling *f, const char *repo, const char *url, const char *rev, int dirfd, struct err *e);

static void check_submodule(const char *url)
{
	struct input in = { 0 };

	source_set(&in, "type", "git");
	source_set(&in, "url", url);
	source_check_allowed(&in);
}

static int fill_submodule(const struct filling *f, const char *repo, const char *url, const char *rev, const char *path,
			  const char *commit, int dirfd, struct err *e)
{
	struct filling below = { f->in, f->depth + 1 };
	struct buf theirs = BUF_GC;
	int rc = git_submodule_url(repo, rev, path, url, &theirs, e);

	if (rc)
		return rc;
	if (below.depth > LIMIT_SUBMODULES)
		return err_set(e, ERR_LIMIT, "submodules are nested deeper than %d", LIMIT_SUBMODULES);
	check_submodule(theirs.p);
	const char *from = fetch_commit(f->in, theirs.p, NULL, commit, 0);
	int fd = open_below(dirfd, path);
	protect_push(close_fd, &fd);
	rc = fill(&below, from, theirs.p, commit, fd, e);
	protect_pop(1);
	return rc;
}

static void warn_strange(const char *url, const struct buf *names)
{
	for (const char *p = buf_str(names), *end = p + names->len; p < end; p += strlen(p) + 1) {
		struct buf b = BUF_GC;

		buf_addf(&b, "warning: '%s' in '%s' should be a pointer to a large file and is none: it stays as it is", p,
			 source_url_shown(url));
		eval_world()->message(b.p, b.len);
	}
}

static int fill_large(const char *url, int dirfd, const struct buf *names, struct err *e)
{
	struct buf strange = BUF_GC;
	struct git_lfs l = { url, source_file_path(url), eval_settings.offline, &strange };
	int rc = git_lfs_fill(&l, dirfd, (struct slice){ buf_str(names), names->len }, e);

	if (!rc)
		warn_strange(url, &strange);
	return rc;
}

/* Writes a commit's tree, with its submodules. */
static int fill(const struct filling *f, const char *repo, const char *url, const char *rev, int dirfd, struct err *e)
{
	struct buf subs = BUF_GC, large = BUF_GC;
	int with = source_is_set(f->in, "submodules"), lfs = source_is_set(f->in, "lfs");
	int rc = git_export(repo, rev, dirfd, source_is_set(f->in, "exportIgnore"), with ? &subs : NULL, lfs ? &large : NULL, e);

	if (!rc && lfs)
		rc = fill_large(url, dirfd, &large, e);
	for (const char *p = subs.p, *end = p + subs.len; !rc && p < end;) {
		const char *commit = p + strlen(p) + 1;
		rc = fill_submodule(f, repo, url, rev, p, commit, dirfd, e);
		p = commit + strlen(commit) + 1;
	}
	return rc;
}

/* --- taking --- */

int source_export(struct flake_tree *t, const char *dir, const char *repo, const char *url, const char *rev, struct err *e)
{
	struct filling f = { &t->locked, 0 };
	struct kept_new n;
	int rc;

	if (source_find_commit(t, dir, rev))
		return 0;
	kept_begin(&n);
	rc = fill(&f, dir ? dir : repo, url, rev, n.fd, e);
	if (rc) {
		kept_drop(&n);
		return rc;
	}
	t->place = kept_finish(&n, n.path, &t->hash);
	kept_note_hash(fact_key(&t->locked, dir, rev), &t->hash);
	return 0;
}

/* What cannot be read in the cache is fetched once more. */
const char *source_take_commit(struct flake_tree *t, const char *url, const char *ref, const char *rev)
{
	const char *repo = fetch_commit(&t->locked, url, ref, rev, 0);
	struct err e = ERR_INIT;
	int rc = source_export(t, NULL, repo, url, rev, &e);

	if (rc && rc != ERR_INTERRUPT && !eval_settings.offline) {
		err_release(&e);
		repo = fetch_commit(&t->locked, url, ref, rev, 1);
		rc = source_export(t, NULL, repo, url, rev, &e);
	}
	throw_if(rc, &e);
	return repo;
}
