/* SPDX-License-Identifier: MIT
 *
 * Trees of Mercurial repositories.  A reference to one here, without branch and revision, means its working tree while that differs
 * from its commit; any other means a commit, which is pulled into a repository of the cache and written out of it once.
 */
#include "config.h"
#include "flake/kept.h"
#include "flake/source_int.h"
#include "base/mem.h"
#include "eval/error.h"
#include "eval/eval.h"
#include "fetch/cache.h"
#include "fetch/hg.h"
#include "fetch/trail.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- the working tree --- */

struct worktree {
	struct buf names;
	char *branch;
	int dirty;
};

static void release(void *arg)
{
	struct worktree *w = arg;

	buf_release(&w->names);
	free(w->branch);
}

/* 1 when the tree is what lies there; 0: it is the commit of the branch that is noted. */
static int use_work_tree(struct flake_tree *t, const char *dir)
{
	struct worktree w = { 0 };
	struct err e = ERR_INIT;

	protect_push(release, &w);
	throw_if(hg_worktree(dir, &w.names, &w.dirty, &w.branch, &e), &e);
	if (w.dirty) {
		source_set_members(t, (struct slice){ buf_str(&w.names), w.names.len });
		t->place = t->work_tree = dir;
		t->dirty = 1;
		source_take_dirty(dir);
		trail_spoil("it read a Mercurial working tree");
	} else {
		source_set(&t->locked, "ref", w.branch);
	}
	protect_pop(1);
	return t->dirty;
}

/* --- a commit --- */

/* Finds what is asked for in the repository of the cache at dir, whose lock is held; pulls when it must. */
static int find_or_pull(const char *dir, const char *url, const char *rev, const char *ref, struct hg_commit *c, struct err *e)
{
	int here = access(dir, F_OK) == 0, rc = here && rev ? hg_find(dir, rev, c, e) : 0;

	if (rc)
		return rc < 0 ? rc : 0;
	if (eval_settings.offline && !source_file_path(url) && !here)
		return err_set(e, ERR_NETWORK, "'%s' needs the network, and --offline was given", source_url_shown(url));
	if (source_file_path(url) && access(source_file_path(url), F_OK))
		rc = err_set(e, ERR_IO, "the repository '%s' does not exist", source_file_path(url));
	else if (!eval_settings.offline || source_file_path(url))
		rc = hg_pull(dir, url, e);
	/* Of one that has gone, what came a moment ago will do. */
	if (rc && rc != ERR_INTERRUPT && here && source_url_noted("hg-pull", url) && hg_find(dir, rev ? rev : ref, c, NULL) == 1) {
		source_url_use_older(e->msg);
		err_release(e);
		return 0;
	}
	if (!rc)
		source_url_note("hg-pull", url, "done");
	if (!rc)
		rc = hg_find(dir, rev ? rev : ref, c, e);
	if (!rc)
		return err_set(e, ERR_NOTFOUND, "the repository '%s' has no %s '%s'", source_url_shown(url),
			       rev ? "revision" : "branch or tag", rev ? rev : ref);
	return rc < 0 ? rc : 0;
}

/* The repository of the cache for an address, with the commit in it. */
static const char *bring(const char *url, const char *rev, const char *ref, struct hg_commit *c)
{
	struct buf dir = BUF_INIT, key = BUF_GC;
	struct err e = ERR_INIT;

	buf_addf(&key, "hg %s", url);
	int lock = cache_repository(slice_of(key.p), &dir, &e);
	int rc = lock < 0 ? lock : find_or_pull(buf_str(&dir), url, rev, ref, c, &e);
	const char *path = arena_dup(flake_arena(), buf_str(&dir), dir.len);
	if (lock >= 0)
		close(lock);
	buf_release(&dir);
	throw_if(rc, &e);
	return path;
}

static struct slice fact_key(const char *rev)
{
	struct buf b = BUF_GC;

	buf_addf(&b, "hg-tree %s", rev);
	return (struct slice){ b.p, b.len };
}

static void export(const char *repo, const char *rev, struct flake_tree *t)
{
	struct buf to = BUF_GC;
	struct err e = ERR_INIT;
	struct kept_new n;

	if ((t->place = kept_find_noted(fact_key(rev), &t->hash)))
		return;
	kept_begin(&n);
	buf_addf(&to, "%s/tree", n.path);
	if (mkdir(to.p, 0700))
		throw_error(EK_IO, "cannot make a folder in the cache");
	throw_if(hg_export(repo, rev, to.p, &e), &e);
	t->place = kept_finish(&n, to.p, &t->hash);
	kept_note_hash(fact_key(rev), &t->hash);
}

static void use_commit(struct flake_tree *t, const char *url)
{
	const char *rev = source_get(&t->locked, "rev"), *ref = source_get(&t->locked, "ref");
	struct hg_commit c = { 0 };
	const char *repo = bring(url, rev, ref ? ref : "default", &c);
	char *branch = c.branch ? arena_dup(flake_arena(), c.branch, strlen(c.branch)) : NULL;

	free(c.branch);
	source_set(&t->locked, "rev", c.rev);
	source_set_int(&t->locked, "revCount", c.number);
	if (branch && *branch)
		source_set(&t->locked, "ref", branch);
	export(repo, source_get(&t->locked, "rev"), t);
}

void source_hg(const struct input *in, struct flake_tree *t)
{
	const char *url = source_need(in, "url"), *dir;
	struct buf dot = BUF_GC;
	struct err e = ERR_INIT;

	throw_if(hg_check_url(url, &e), &e);
	dir = source_repository(&url);
	buf_addf(&dot, "%s/.hg", dir ? dir : "");
	int here = dir && !input_get(in, "rev") && !input_get(in, "ref") && !access(dot.p, F_OK);
	if (here && use_work_tree(t, dir))
		return;
	use_commit(t, url);
	/* Its files are those of the commit, and a lock file can be put beside them. */
	if (here)
		t->work_tree = dir;
}
