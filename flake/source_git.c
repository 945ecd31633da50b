/* SPDX-License-Identifier: MIT
 *
 * Trees of git repositories.
 *
 * A reference to a repository here, without branch and revision, means its working tree: the files git tracks, as they are
 * on disk.  When they differ from the commit the tree is dirty and has no revision; when they do not, they are what is
 * committed, also where git gives them other line ends on disk.  Any other means a commit: its files are
 * written, byte for byte as git has them, to the cache (flake/kept.h), once.  For a repository
 * elsewhere the commit is first brought into one in the cache.
 *
 * fetch/git.h runs git and checks what is handed to it.
 */
#include "config.h"
#include "flake/kept.h"
#include "flake/source_int.h"
#include "base/mem.h"
#include "builtins/fs.h"
#include "eval/error.h"
#include "eval/eval.h"
#include "fetch/cache.h"
#include "fetch/git.h"
#include "fetch/trail.h"
#include "store/tree.h"

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

static void set_counts(struct flake_tree *t, const char *repo, const char *rev, int whole)
{
	struct err e = ERR_INIT;
	uint64_t count;
	int64_t at;

	if (!input_get(&t->locked, "lastModified")) {
		check(git_last_modified(repo, rev, &at, &e), &e);
		source_set_int(&t->locked, "lastModified", at < 0 ? 0 : (uint64_t)at);
	}
	if (!is_set(&t->locked, "shallow") && !input_get(&t->locked, "revCount")) {
		check(git_rev_count(repo, rev, whole, &count, &e), &e);
		source_set_int(&t->locked, "revCount", count);
	}
}

/* --- the tree of a commit --- */

/* The key under which the cache has the hash of a commit's tree.  A repository of somebody's may hold under a commit's name what
 * is not that commit: git does not look.  What came from one is its own (dir); what git_fetch brought is checked, and everybody's.
 */
static struct slice fact_key(const char *dir, const char *rev)
{
	struct buf b = BUF_GC;

	buf_addf(&b, "git-tree %s%s%s", rev, dir ? " in " : "", dir ? dir : "");
	return (struct slice){ b.p, b.len };
}

static int find_noted(struct slice key, struct flake_tree *t)
{
	struct err e = ERR_INIT;
	struct buf text = BUF_GC;
	struct hash h;

	check(kept_fact(key, 0, &text, &e), &e);
	if (!text.len || hash_parse(text.p, text.len, HASH_SHA256, &h, NULL, &e)) {
		err_release(&e);
		return 0;
	}
	t->place = kept_find(&h);
	if (t->place)
		t->hash = h;
	return t->place != NULL;
}

/* Whether the tree of a commit is here already.  dir: the repository it is asked of, NULL for one elsewhere. */
static int find_kept(const char *dir, const char *rev, struct flake_tree *t)
{
	return find_noted(fact_key(NULL, rev), t) || (dir && find_noted(fact_key(dir, rev), t));
}

/* Takes the tree of a commit out of the repository at dir, or at repo, which is one of the cache. */
static int export(const char *dir, const char *repo, const char *rev, struct flake_tree *t, struct err *e)
{
	char text[HASH_TEXT_MAX];
	struct kept_new n;
	int rc;

	if (find_kept(dir, rev, t))
		return 0;
	kept_begin(&n);
	rc = git_export(dir ? dir : repo, rev, n.fd, e);
	if (rc) {
		kept_drop(&n);
		return rc;
	}
	t->place = kept_finish(&n, n.path, &t->hash);
	hash_print(&t->hash, HASH_SRI, 1, text);
	kept_note(fact_key(dir, rev), slice_of(text));
	return 0;
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
	if (is_set(in, "allRefs"))
		ref = NULL;
	rc = git_fetch(dir, url, ref, rev, is_set(in, "shallow"), e);
	if (!rc || !there || rc == ERR_INTERRUPT || git_is_whole(dir) == 1)
		return rc;
	err_release(e);
	tree_remove(AT_FDCWD, dir, NULL, NULL, NULL);
	return git_fetch(dir, url, ref, rev, is_set(in, "shallow"), e);
}

/* The repository of the cache for an address, with the commit in it; anew: as if it had not been there. */
static const char *fetch_commit(const struct input *in, const char *url, const char *ref, const char *rev, int anew)
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
	if (!rc && anew)
		rc = tree_remove(AT_FDCWD, dir.p, NULL, NULL, &e);
	if (!rc)
		rc = bring_commit(in, buf_str(&dir), url, ref, rev, &e);
	const char *path = arena_dup(flake_arena(), buf_str(&dir), dir.len);
	if (lock >= 0)
		close(lock);
	cache_free(cache);
	buf_release(&dir);
	check(rc, &e);
	return path;
}

/* The same, and the tree of the commit out of it.  What cannot be read there is fetched once more. */
static const char *take_commit(struct flake_tree *t, const char *url, const char *ref, const char *rev)
{
	const char *repo = fetch_commit(&t->locked, url, ref, rev, 0);
	struct err e = ERR_INIT;
	int rc = export(NULL, repo, rev, t, &e);

	if (rc && rc != ERR_INTERRUPT && !eval_settings.offline) {
		err_release(&e);
		repo = fetch_commit(&t->locked, url, ref, rev, 1);
		rc = export(NULL, repo, rev, t, &e);
	}
	check(rc, &e);
	return repo;
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
		set_counts(t, w->top, w->rev, !w->shallow);
	} else if (*w->rev) {
		check(git_last_modified(w->top, w->rev, &at, &e), &e);
		source_set_int(&t->locked, "lastModified", (uint64_t)at);
	} else {
		source_set_int(&t->locked, "lastModified", 0);
		if (!w->dirty)
			source_set_int(&t->locked, "revCount", 0);
	}
}

/* Who may have written the files may have written what git keeps of them too, so neither proves anything: the tree is
 * that of the commit, from a repository that computed its name. */
static void use_signed(struct flake_tree *t, const struct git_worktree *w, const char *url)
{
	if (w->dirty || !*w->rev)
		throw_error(EK_EVAL,
			    "the commit of '%s' must be verified, but its working tree is not that of a commit: it has changes",
			    w->top);
	source_verify(&t->locked, take_commit(t, url, w->ref, w->rev), w->rev);
}

/* The folder that its repository names may have a repository too. */
static void check_place(const char *dir, const char *top)
{
	struct stat a, b;

	if (stat(dir, &a) || stat(top, &b) || a.st_dev != b.st_dev || a.st_ino != b.st_ino)
		throw_error(EK_EVAL, "the repository '%s' has its working tree elsewhere: '%s'", dir, top);
}

static void use_work_tree(struct flake_tree *t, const char *url, const char *dir)
{
	struct git_worktree w = { 0 };
	struct err e = ERR_INIT;

	protect_push(release_worktree, &w);
	check(git_worktree_read(dir, &w, &e), &e);
	check_place(dir, w.top);
	trail_git(w.top);
	add_members(t, &w.tracked);
	t->place = t->work_tree = arena_dup(flake_arena(), w.top, strlen(w.top));
	if (source_is_signed(&t->locked))
		use_signed(t, &w, url);
	else if (w.converted)
		check(export(w.top, NULL, w.rev, t, &e), &e);
	t->dirty = w.dirty;
	t->on_trail = 1;
	set_revision(t, &w);
	set_times(t, &w);
	protect_pop(1);
}

/* --- a commit --- */

/* Completes ref and rev; *here says that the tree was found on the way. */
static const char *resolve(struct flake_tree *t, const char *url, const char *dir, int *here)
{
	const char *rev = source_get(&t->locked, "rev"), *ref = source_get(&t->locked, "ref");
	char found[GIT_REV_MAX + 1], *full = NULL;
	struct err e = ERR_INIT;

	if (rev) {
		check(git_check_rev(slice_of(rev), &e), &e);
		*here = find_kept(dir, rev, t);
		if (ref || *here)
			return rev;
	}
	if (eval_settings.offline && !source_file_path(url))
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
	int here = 0, is_signed = source_is_signed(&t->locked);
	const char *rev = resolve(t, url, dir, &here), *ref = source_get(&t->locked, "ref");
	struct err e = ERR_INIT;
	int complete = input_get(&t->locked, "lastModified") &&
		       (input_get(&t->locked, "revCount") || is_set(&t->locked, "shallow"));

	if (complete && here && !is_signed)
		return;
	if (dir && !is_signed && git_has(dir, rev, &e) != 1) {
		err_release(&e);
		throw_error(EK_EVAL, "the repository '%s' has no commit '%s'", dir, rev);
	}
	if (dir && !is_signed)
		check(export(dir, NULL, rev, t, &e), &e);
	else /* One of somebody's proves nothing: use_signed. */
		dir = take_commit(t, url, ref, rev);
	if (is_signed)
		source_verify(&t->locked, dir, rev);
	set_counts(t, dir, rev, 0);
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
	static const char *const refused[] = { "submodules", "lfs", "exportIgnore" };
	const char *url = source_get(in, "url"), *dir;
	struct buf dot = BUF_GC;
	struct err e = ERR_INIT;
	struct stat st;

	if (!url)
		throw_error(EK_EVAL, "a git input needs a url");
	if (!strncmp(url, "git+", 4))
		url += 4;
	check(git_check_url(url, &e), &e);
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		if (is_set(in, refused[i]))
			throw_error(EK_EVAL, "'%s': '%s' is not supported", source_text(in), refused[i]);
	dir = source_file_path(url);
	if (dir && (stat(dir, &st) || !S_ISDIR(st.st_mode)))
		throw_error(EK_IO, "the repository '%s' does not exist", dir);
	if (dir)
		trail_lstat(dir);
	if (dir)
		buf_addf(&dot, "%s/.git", dir);
	if (dir)
		trail_stat(dot.p);
	if (dir && !input_get(in, "rev") && !input_get(in, "ref") && access(dot.p, F_OK) == 0)
		use_work_tree(t, url, dir);
	else
		use_commit(t, url, dir);
}
