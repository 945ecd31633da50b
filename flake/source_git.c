/* SPDX-License-Identifier: MIT
 *
 * Trees of git repositories.
 *
 * A reference to a repository here, without branch and revision, means its working tree: the files git tracks, as they are
 * on disk.  When they differ from the commit the tree is dirty and has no revision.  Any other means a commit: its files are
 * written, byte for byte as git has them, to a folder of the cache that is named after the commit, once.  For a repository
 * elsewhere the commit is first brought into one in the cache.
 *
 * fetch/git.h runs git and checks what is handed to it.
 */
#include "config.h"
#include "flake/source.h"
#include "base/mem.h"
#include "builtins/fs.h"
#include "eval/error.h"
#include "fetch/cache.h"
#include "fetch/git.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A commit that stands for no commit. */
static const char no_rev[] = "0000000000000000000000000000000000000000";

static void check(int rc, struct err *e)
{
	if (rc < 0)
		throw_err(e);
}

/* --- what a reference says --- */

static int is_set(const struct input *in, const char *name)
{
	const struct input_attr *a = input_get(in, name);

	return a && a->i;
}

static void set_counts(struct flake_tree *t, const char *repo, const char *rev)
{
	struct err e = ERR_INIT;
	uint64_t count;
	int64_t at;

	if (!input_get(&t->locked, "lastModified")) {
		check(git_last_modified(repo, rev, &at, &e), &e);
		source_set_int(&t->locked, "lastModified", at < 0 ? 0 : (uint64_t)at);
	}
	if (!is_set(&t->locked, "shallow") && !input_get(&t->locked, "revCount")) {
		check(git_rev_count(repo, rev, &count, &e), &e);
		source_set_int(&t->locked, "revCount", count);
	}
}

/* --- the working tree --- */

static void add_members(struct flake_tree *t, const struct buf *tracked)
{
	char *text = arena_dup(flake_arena(), tracked->p ? tracked->p : "", tracked->len);
	struct slice *v;
	size_t n = 0;

	for (size_t i = 0; i < tracked->len; i++)
		n += !text[i];
	v = arena_alloc(flake_arena(), (n + 1) * sizeof *v);
	n = 0;
	for (char *p = text; p < text + tracked->len; p += strlen(p) + 1)
		v[n++] = slice_of(p);
	t->members = v;
	t->nmembers = n;
}

static void release_worktree(void *arg)
{
	git_worktree_release(arg);
}

static void set_revision(struct flake_tree *t, const struct git_worktree *w)
{
	char text[GIT_REV_MAX + 16];

	if (!w->dirty) {
		if (w->ref)
			source_set(&t->locked, "ref", w->ref);
		source_set(&t->locked, "rev", *w->rev ? w->rev : no_rev);
	} else if (*w->rev) {
		snprintf(text, sizeof text, "%s-dirty", w->rev);
		source_set(&t->locked, "dirtyRev", text);
		snprintf(text, sizeof text, "%.7s-dirty", w->rev);
		source_set(&t->locked, "dirtyShortRev", text);
	}
}

static void set_times(struct flake_tree *t, const struct git_worktree *w)
{
	struct err e = ERR_INIT;
	int64_t at;

	if (*w->rev && !w->dirty) {
		set_counts(t, w->top, w->rev);
	} else if (*w->rev) {
		check(git_last_modified(w->top, w->rev, &at, &e), &e);
		source_set_int(&t->locked, "lastModified", (uint64_t)at);
	} else {
		source_set_int(&t->locked, "lastModified", 0);
		if (!w->dirty)
			source_set_int(&t->locked, "revCount", 0);
	}
}

static void use_work_tree(struct flake_tree *t, const char *dir)
{
	struct git_worktree w = { 0 };
	struct err e = ERR_INIT;

	protect_push(release_worktree, &w);
	check(git_worktree_read(dir, &w, &e), &e);
	add_members(t, &w.tracked);
	t->place = t->work_tree = arena_dup(flake_arena(), w.top, strlen(w.top));
	t->dirty = w.dirty;
	set_revision(t, &w);
	set_times(t, &w);
	protect_pop(1);
}

/* --- a commit --- */

static void export_to(const char *repo, const char *rev, const char *dir)
{
	struct err e = ERR_INIT;
	int fd = open(dir, O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		throw_error(EK_IO, "cannot open '%s': %s", dir, strerror(errno));
	int rc = git_export(repo, rev, fd, &e);
	close(fd);
	check(rc, &e);
}

/* The folder with the files of a commit, made when it is not there. */
static const char *commit_dir(const char *repo, const char *rev)
{
	struct buf path = BUF_GC, tmp = BUF_GC;
	const char *cache = source_cache_dir("git-trees");

	buf_addf(&path, "%s/%s", cache, rev);
	if (access(path.p, F_OK) == 0)
		return arena_dup(flake_arena(), path.p, path.len);
	buf_addf(&tmp, "%s/tmp-XXXXXX", cache);
	if (!mkdtemp(tmp.p) || chmod(tmp.p, 0755))
		throw_error(EK_IO, "cannot make a folder in '%s': %s", cache, strerror(errno));
	export_to(repo, rev, tmp.p);
	if (rename(tmp.p, path.p) && errno != EEXIST && errno != ENOTEMPTY)
		throw_error(EK_IO, "cannot make the folder '%s': %s", path.p, strerror(errno));
	return arena_dup(flake_arena(), path.p, path.len);
}

/* Whether some copy of the commit's tree is here already. */
static int is_exported(const char *rev)
{
	struct buf path = BUF_GC;

	buf_addf(&path, "%s/%s", source_cache_dir("git-trees"), rev);
	return access(path.p, F_OK) == 0;
}

/* The repository of the cache for an address, with the commit in it. */
static const char *fetch_commit(const struct input *in, const char *url, const char *ref, const char *rev)
{
	struct buf dir = BUF_INIT;
	struct cache *cache = NULL;
	struct err e = ERR_INIT;
	int lock = -1, rc = cache_open(&cache, NULL, &e);

	if (!rc) {
		cache_git_path(cache, slice_of(url), &dir);
		lock = cache_lock(cache, slice_of(url), &e);
		rc = lock < 0 ? lock : 0;
	}
	int have = !rc && access(buf_str(&dir), F_OK) == 0 ? git_has(buf_str(&dir), rev, NULL) : 0;
	if (!rc && have != 1 && source_offline)
		rc = err_set(&e, ERR_NETWORK, "'%s' needs the network, and --offline was given", url);
	if (!rc && have != 1)
		rc = git_fetch(buf_str(&dir), url, ref, rev, is_set(in, "shallow"), &e);
	const char *path = arena_dup(flake_arena(), buf_str(&dir), dir.len);
	if (lock >= 0)
		close(lock);
	cache_free(cache);
	buf_release(&dir);
	check(rc, &e);
	return path;
}

/* Completes ref and rev. */
static const char *resolve(struct flake_tree *t, const char *url)
{
	const char *rev = source_get(&t->locked, "rev"), *ref = source_get(&t->locked, "ref");
	char found[GIT_REV_MAX + 1], *full = NULL;
	struct err e = ERR_INIT;

	if (rev) {
		check(git_check_rev(slice_of(rev), &e), &e);
		if (ref || is_exported(rev))
			return rev;
	}
	if (source_offline && !source_file_path(url))
		throw_error(EK_IO, "'%s' needs the network, and --offline was given", url);
	check(git_resolve(url, ref, found, &full, &e), &e);
	if (!ref && full)
		source_set(&t->locked, "ref", full);
	free(full);
	if (!rev)
		source_set(&t->locked, "rev", found);
	return source_get(&t->locked, "rev");
}

static void use_commit(struct flake_tree *t, const char *url, const char *dir)
{
	const char *rev = resolve(t, url), *ref = source_get(&t->locked, "ref");
	struct err e = ERR_INIT;
	int complete = input_get(&t->locked, "lastModified") &&
		       (input_get(&t->locked, "revCount") || is_set(&t->locked, "shallow"));

	if (complete && is_exported(rev)) {
		t->place = commit_dir(NULL, rev);
		return;
	}
	if (!dir) {
		dir = fetch_commit(&t->locked, url, ref, rev);
	} else if (git_has(dir, rev, &e) != 1) {
		err_release(&e);
		throw_error(EK_EVAL, "the repository '%s' has no commit '%s'", dir, rev);
	}
	set_counts(t, dir, rev);
	t->place = commit_dir(dir, rev);
}

void source_git_add(const struct flake_tree *t, const char *name)
{
	struct err e = ERR_INIT;

	if (!t->members)
		return;
	for (size_t i = 0; i < t->nmembers; i++)
		if (slice_eq(t->members[i], slice_of(name)))
			return;
	check(git_intend_to_add(t->work_tree, name, &e), &e);
}

void source_git(const struct input *in, struct flake_tree *t)
{
	const char *url = source_get(in, "url"), *dir;
	struct buf dot = BUF_GC;
	struct err e = ERR_INIT;
	struct stat st;

	if (!url)
		throw_error(EK_EVAL, "a git input needs a url");
	if (!strncmp(url, "git+", 4))
		url += 4;
	check(git_check_url(url, &e), &e);
	if (is_set(in, "submodules") || is_set(in, "lfs"))
		throw_error(EK_EVAL, "'%s': submodules and lfs are not supported yet", source_text(in));
	dir = source_file_path(url);
	if (dir && (stat(dir, &st) || !S_ISDIR(st.st_mode)))
		throw_error(EK_IO, "the repository '%s' does not exist", dir);
	if (dir)
		buf_addf(&dot, "%s/.git", dir);
	if (dir && !input_get(in, "rev") && !input_get(in, "ref") && access(dot.p, F_OK) == 0)
		use_work_tree(t, dir);
	else
		use_commit(t, url, dir);
}
