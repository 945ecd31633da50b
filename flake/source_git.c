/* SPDX-License-Identifier: MIT
 *
 * Trees of git repositories.
 *
 * A reference to a repository here, without branch and revision, means its working tree: the files git tracks, as they are
 * on disk.  When they differ from the commit the tree is dirty and has no revision; when they do not, they are what is
 * committed, also where git gives them other line ends on disk; with `lfs` large files are in it, checked out or not.  Any other
 * means a commit: its files are written, byte for byte as git has them, to the cache (flake/kept.h), once.  For a repository
 * elsewhere the commit is first brought into one in the cache.
 *
 * fetch/git.h runs git and checks what is handed to it.
 */
#include "config.h"
#include "flake/source_int.h"
#include "base/alloc.h"
#include "base/limits.h"
#include "base/mem.h"
#include "builtins/fs.h"
#include "eval/error.h"
#include "eval/eval.h"
#include "fetch/fetch_settings.h"
#include "fetch/git.h"
#include "fetch/hg.h"
#include "fetch/trail.h"
#include "fetch/url.h"
#include "flake/kept.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A commit that stands for no commit. */
static const char no_rev[] = "0000000000000000000000000000000000000000";

/* --- what a reference says --- */

/* What never changes of a commit, but is long in asking: its time, and how many it descends from.  Noted for the repository, for
 * what calls itself that commit elsewhere need not be it. */
static struct slice counts_key(const char *repo, const char *rev)
{
	struct buf b = BUF_GC;

	buf_addf(&b, "git-counts %s in %s", rev, repo);
	return (struct slice){ b.p, b.len };
}

static int recall_counts(struct flake_tree *t, const char *repo, const char *rev)
{
	struct buf text = BUF_GC;
	unsigned long long at, count;

	kept_fact(counts_key(repo, rev), 0, &text);
	if (!text.len || sscanf(text.p, "%llu %llu", &at, &count) != 2)
		return 0;
	if (!input_get(&t->locked, "lastModified"))
		source_set_int(&t->locked, "lastModified", at);
	if (!input_get(&t->locked, "revCount"))
		source_set_int(&t->locked, "revCount", count);
	return 1;
}

static void remember_counts(const struct flake_tree *t, const char *repo, const char *rev)
{
	const struct input_attr *at = input_get(&t->locked, "lastModified"), *count = input_get(&t->locked, "revCount");
	struct buf text = BUF_GC;

	buf_addf(&text, "%llu %llu", (unsigned long long)at->i, (unsigned long long)count->i);
	kept_note(counts_key(repo, rev), (struct slice){ text.p, text.len });
}

/* Commits that are not all there cannot be counted, which matters only to who asks how many they are. */
static void set_count(struct flake_tree *t, const char *repo, const char *rev, int whole)
{
	struct err e = ERR_INIT;
	uint64_t count;
	int rc = git_rev_count(repo, rev, whole, &count, &e);

	if (!rc)
		source_set_int(&t->locked, "revCount", count);
	else if (rc == ERR_INVALID)
		t->uncounted = arena_dup(flake_arena(), e.msg, strlen(e.msg));
	else
		throw_err(&e);
	err_release(&e);
}

/* whole: all its commits are known to be there. */
static void set_counts(struct flake_tree *t, const char *repo, const char *rev, int whole)
{
	int given = input_get(&t->locked, "lastModified") || input_get(&t->locked, "revCount");
	int shallow = source_is_set(&t->locked, "shallow"), noted = !shallow && !given;
	struct err e = ERR_INIT;
	int64_t at;

	if (noted && recall_counts(t, repo, rev))
		return;
	if (!input_get(&t->locked, "lastModified")) {
		throw_if(git_last_modified(repo, rev, &at, &e), &e);
		source_set_int(&t->locked, "lastModified", at < 0 ? 0 : (uint64_t)at);
	}
	if (!shallow && !input_get(&t->locked, "revCount"))
		set_count(t, repo, rev, whole);
	if (noted && !t->uncounted)
		remember_counts(t, repo, rev);
}

/* --- the working tree --- */

void source_set_members(struct flake_tree *t, struct slice names)
{
	char *text = arena_dup(flake_arena(), names.p, names.n);
	struct slice *v;
	size_t n = 0;

	for (size_t i = 0; i < names.n; i++)
		n += !text[i];
	v = arena_alloc(flake_arena(), (n + 1) * sizeof *v);
	n = 0;
	for (char *p = text; p < text + names.n; p += strlen(p) + 1)
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
		throw_if(git_last_modified(w->top, w->rev, &at, &e), &e);
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
		throw_error(
			EK_EVAL,
			"the commit of '%s' must be verified, but its working tree is dirty: it has changes that are in no commit",
			w->top);
	source_verify(&t->locked, source_take_commit(t, url, w->ref, w->rev), w->rev);
}

/* The folder that its repository names may have a repository too. */
static void check_place(const char *dir, const char *top)
{
	struct stat a, b;

	if (stat(dir, &a) || stat(top, &b) || a.st_dev != b.st_dev || a.st_ino != b.st_ino)
		throw_error(EK_EVAL, "the repository '%s' has its working tree elsewhere: '%s'", dir, top);
}

/* A work tree with its submodules: names of files below its top, collected. */
struct whole {
	const struct input *in;
	struct buf names;
	int dirty, converted;
	unsigned depth;
};

static void add_module(struct whole *whole, const char *top, const char *prefix, const char *name);

static void add_work_tree(struct whole *whole, struct git_worktree *w, const char *prefix)
{
	struct err e = ERR_INIT;

	if (source_is_set(whole->in, "exportIgnore"))
		throw_if(git_leave_out(w->top, &w->tracked, &e), &e);
	for (const char *p = w->tracked.p, *end = p + w->tracked.len; p < end; p += strlen(p) + 1) {
		buf_adds(&whole->names, prefix);
		buf_add(&whole->names, p, strlen(p) + 1);
	}
	whole->dirty |= w->dirty;
	whole->converted |= w->converted;
	if (source_is_set(whole->in, "submodules"))
		for (const char *p = w->modules.p, *end = p + w->modules.len; p < end; p += strlen(p) + 1)
			add_module(whole, w->top, prefix, p);
}

/* What a submodule has, as it is on disk: whatever is checked out there. */
static void add_module(struct whole *whole, const char *top, const char *prefix, const char *name)
{
	struct buf path = BUF_GC, dot = BUF_GC, below = BUF_GC;
	struct git_worktree w = { 0 };
	struct err e = ERR_INIT;

	buf_addf(&path, "%s/%s", top, name);
	buf_addf(&dot, "%s/.git", path.p);
	buf_addf(&below, "%s%s/", prefix, name);
	if (access(dot.p, F_OK))
		throw_error_hint(EK_EVAL, "'git submodule update --init --recursive' does it",
				 "the submodule '%s%s' of '%s' is not checked out", prefix, name, top);
	if (++whole->depth > LIMIT_SUBMODULES)
		throw_error(EK_EVAL, "submodules are nested deeper than %d", LIMIT_SUBMODULES);
	protect_push(release_worktree, &w);
	throw_if(git_worktree_read(path.p, &w, &e), &e);
	check_place(path.p, w.top);
	add_work_tree(whole, &w, below.p);
	protect_pop(1);
	whole->depth--;
}

/* The commit, and that files are or are not as it has them. */
static void note_state(const struct flake_tree *t)
{
	struct buf b = BUF_GC;

	trail_git_head(t->work_tree);
	if (!t->witness)
		trail_index(t->work_tree, 1);
	for (size_t i = 0; i < t->nmembers && !t->witness && trail_is_on(); i++) {
		buf_trim(&b, 0);
		buf_addf(&b, "%s/%s", t->work_tree, t->members[i].p);
		trail_member(b.p);
	}
	buf_trim(&b, 0);
	buf_addf(&b, "%s/%s", t->work_tree, t->witness ? t->witness : "");
	if (t->witness)
		trail_differs(b.p, t->witness_blob);
}

void source_take_dirty(const char *top)
{
	struct buf b = BUF_GC;

	if (!fetch_settings.allow_dirty)
		throw_error(EK_DENIED, "'%s' has changes that are not committed, and allow-dirty is false", top);
	buf_addf(&b, "warning: '%s' has changes that are not committed", top);
	if (fetch_settings.warn_dirty)
		eval_world()->message(b.p, b.len);
}

static void use_work_tree(struct flake_tree *t, const char *url, const char *dir)
{
	struct whole whole = { .in = &t->locked, .names = BUF_GC };
	struct git_worktree w = { 0 };
	struct err e = ERR_INIT;

	protect_push(release_worktree, &w);
	throw_if(git_worktree_read(dir, &w, &e), &e);
	check_place(dir, w.top);
	add_work_tree(&whole, &w, "");
	w.dirty = whole.dirty;
	source_set_members(t, (struct slice){ buf_str(&whole.names), whole.names.len });
	trail_index(w.top, 0);
	trail_git_config(w.top);
	if (source_is_set(whole.in, "submodules") || source_is_set(whole.in, "exportIgnore"))
		trail_spoil("git makes its tree of more than one index");
	t->place = t->work_tree = arena_dup(flake_arena(), w.top, strlen(w.top));
	if (source_is_signed(&t->locked))
		use_signed(t, &w, url);
	else if ((whole.converted || source_is_set(whole.in, "lfs")) && !w.dirty && *w.rev)
		throw_if(source_export(t, w.top, NULL, url, w.rev, &e), &e);
	t->dirty = w.dirty;
	t->loose = w.loose;
	if (w.dirty)
		source_take_dirty(t->place);
	t->on_trail = 1;
	t->note_state = note_state;
	if (w.witness && !w.converts) {
		t->witness = arena_dup(flake_arena(), w.witness, strlen(w.witness));
		t->witness_blob = arena_dup(flake_arena(), w.witness_blob, strlen(w.witness_blob));
	}
	/* Which bytes the files have depends on whether there are changes. */
	if (w.converts || source_is_set(whole.in, "lfs"))
		note_state(t);
	set_revision(t, &w);
	set_times(t, &w);
	protect_pop(1);
}

/* --- a commit --- */

/* --- what references stood for: a note of the commit, and of the full name --- */

static struct slice ref_of(const char *url, const char *ref)
{
	struct buf b = BUF_GC;

	buf_addf(&b, "%s %s", url, ref ? ref : "HEAD");
	return (struct slice){ b.p, b.len };
}

/* Takes a note apart; 0 for none. */
static int read_note(const char *note, char rev[GIT_REV_MAX + 1], char **full)
{
	size_t n = note ? strcspn(note, "\n") : 0;

	if (!n || n > GIT_REV_MAX || git_check_rev((struct slice){ note, n }, NULL) || note[n] != '\n')
		return 0;
	memcpy(rev, note, n);
	rev[n] = 0;
	*full = xstrdup(note + n + 1);
	return 1;
}

static int ask(const char *url, const char *ref, char rev[GIT_REV_MAX + 1], char **full, struct err *e)
{
	const char *path = source_file_path(url);

	if (path && access(path, F_OK))
		return err_set(e, ERR_IO, "the repository '%s' does not exist", path);
	if (!path && eval_settings.offline)
		return err_set(e, ERR_NETWORK, "'%s' needs the network, and --offline was given", url);
	return git_resolve(url, ref, rev, full, e);
}

/* Asks a repository; one elsewhere (dir is NULL) no more often than any address.  When it cannot be asked, or has gone, the commit
 * of last time will do if it is here. */
static int look_up(struct flake_tree *t, const char *url, const char *dir, const char *ref, char rev[GIT_REV_MAX + 1], char **full,
		   struct err *e)
{
	const char *what = ref_of(url, ref).p;
	struct buf note = BUF_GC;

	if (!dir && read_note(source_url_noted("git-ref", what), rev, full))
		return 0;
	int rc = ask(url, ref, rev, full, e);
	if (!rc) {
		buf_addf(&note, "%s\n%s", rev, *full);
		source_url_note("git-ref", what, note.p);
	} else if ((rc == ERR_IO || rc == ERR_NETWORK) && read_note(source_url_noted_once("git-ref", what), rev, full)) {
		if (!source_find_commit(t, dir, rev))
			return rc;
		if (!eval_settings.offline)
			source_url_use_older(e->msg);
		err_release(e);
		return 0;
	}
	return rc;
}

/* Completes ref and rev; *here says that the tree was found on the way. */
static const char *resolve(struct flake_tree *t, const char *url, const char *dir, int *here)
{
	const char *rev = source_get(&t->locked, "rev"), *ref = source_get(&t->locked, "ref");
	char found[GIT_REV_MAX + 1], *full = NULL;
	struct err e = ERR_INIT;

	if (rev) {
		throw_if(git_check_rev(slice_of(rev), &e), &e);
		*here = source_find_commit(t, dir, rev);
		/* Of what is locked the reference adds nothing. */
		if (ref || (*here && (source_get(&t->locked, "narHash") || eval_settings.offline)))
			return rev;
	}
	int rc = look_up(t, url, dir, ref, found, &full, &e);
	if (rc && *here && rc != ERR_INTERRUPT) {
		err_release(&e);
		return rev;
	}
	throw_if(rc, &e);
	*here |= t->place != NULL;
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
		       (input_get(&t->locked, "revCount") || source_is_set(&t->locked, "shallow"));

	if (complete && here && !is_signed)
		return;
	if (dir && access(dir, F_OK)) { /* it has gone; what is known of it is in the cache */
		if (here && !is_signed && recall_counts(t, dir, rev))
			return;
		dir = NULL;
	}
	if (dir && !is_signed && git_has(dir, rev, &e) != 1) {
		err_release(&e);
		throw_error(EK_EVAL, "the repository '%s' has no commit '%s'", dir, rev);
	}
	if (dir && !is_signed)
		throw_if(source_export(t, dir, NULL, url, rev, &e), &e);
	else /* One of somebody's proves nothing: use_signed. */
		dir = source_take_commit(t, url, ref, rev);
	if (is_signed)
		source_verify(&t->locked, dir, rev);
	set_counts(t, dir, rev, 0);
}

void source_make_known(const struct flake_tree *t, const char *name)
{
	const char *type = source_get(&t->locked, "type");
	struct err e = ERR_INIT;

	if (type && !strcmp(type, "hg")) {
		throw_if(hg_add(t->work_tree, name, &e), &e);
		return;
	}

	if (!t->members)
		return;
	for (size_t i = 0; i < t->nmembers; i++)
		if (slice_eq(t->members[i], slice_of(name)))
			return;
	throw_if(git_intend_to_add(t->work_tree, name, &e), &e);
}

/* "file:./x" is below where one stands, whoever asks: Nix has it so, and locks it as it is. */
static const char *from_here(const char *url)
{
	struct buf b = BUF_GC, text = BUF_GC;
	struct err e = ERR_INIT;
	struct slice path;

	throw_if(url_decode(slice_of(url + 5), flake_arena(), &path, &e), &e);
	const char *dir = arena_dup(flake_arena(), path.p, path.n);
	buf_adds(&b, "file://");
	url_encode(&b, slice_of(w_get_path(fs_user_path(dir, path.n))->b), "/!$&'()*+,;=:@");
	buf_addf(&text, "warning: the repository '%s' is looked for where this command was started, not beside the flake", url);
	eval_world()->message(text.p, text.len);
	return b.p;
}

/* An address as git takes it: to it "file:/x" would be a host. */
static const char *for_git(const char *url)
{
	struct buf b = BUF_GC;

	if (!strncmp(url, "git+", 4))
		url += 4;
	if (!strncmp(url, "file:", 5) && url[5] && url[5] != '/')
		return from_here(url);
	if (strncmp(url, "file:/", 6) || !strncmp(url, "file://", 7))
		return url;
	buf_addf(&b, "file://%s", url + 5);
	return b.p;
}

const char *source_repository(const char **url)
{
	const char *path = source_file_path(*url), *dir = path ? source_physical(path) : NULL;
	struct buf b = BUF_GC;

	/* Nix's variable for tests. */
	if (!path || slice_eq(slice_of(getenv("_NIX_FORCE_HTTP") ? getenv("_NIX_FORCE_HTTP") : ""), SLICE("1")))
		return NULL;
	if (!strcmp(dir, path))
		return path;
	dir = arena_dup(flake_arena(), dir, strlen(dir));
	buf_adds(&b, "file://");
	url_encode(&b, slice_of(dir), "/!$&'()*+,;=:@");
	*url = b.p;
	return dir;
}

void source_git(const struct input *in, struct flake_tree *t)
{
	const char *url = source_get(in, "url"), *dir;
	struct buf dot = BUF_GC;
	struct err e = ERR_INIT;

	if (!url)
		throw_error(EK_EVAL, "a git input needs a url");
	url = for_git(url);
	throw_if(git_check_url(url, &e), &e);
	dir = source_repository(&url);
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
