/* SPDX-License-Identifier: MIT
 *
 * Writing lock files.
 *
 * The file stands beside the old one before it takes its place, so that nobody reads half of it.  It is part of the flake: what
 * was written makes another tree, which is read again.  A commit is of the lock file alone, with the user's own git and settings
 * since it bears his name; what else the index holds stays there.
 */
#include "config.h"
#include "flake/inputs_int.h"
#include "base/fdio.h"
#include "base/mem.h"
#include "eval/error.h"
#include "fetch/program.h"
#include "flake/ref.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void lock_say(const struct lock_options *o, const char *fmt, ...)
{
	struct buf b = BUF_GC;
	va_list ap;

	if (!o->message)
		return;
	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	o->message(b.p);
}

static const char *lock_text(const struct lockfile *l)
{
	struct buf b = BUF_GC;
	struct err e = ERR_INIT;

	if (lockfile_add(l, &b, &e))
		throw_err(&e);
	buf_addc(&b, '\n');
	return b.p;
}

static void replace_file(const char *path, const char *text)
{
	if (file_replace(path, text, strlen(text), 0666))
		throw_error(EK_IO, "cannot write the lock file '%s': %s", path, strerror(errno));
}

/* --- what forbids it --- */

struct unlocked {
	const struct lock_options *o;
	const struct lock_node *node;
};

static void look_unlocked(void *arg, const struct input_path *p, const struct lock_edge *edge)
{
	struct unlocked *u = arg;
	const struct input *in = edge->node ? &edge->node->locked : NULL;

	(void)p;
	if (in && !input_is_locked(in) && !(u->o->allow_dirty_locks && input_get(in, "narHash")))
		u->node = edge->node;
}

/* Whether an input cannot be written down, since nothing names its state. */
static int is_unlocked(const struct locked_flake *lf, const struct lock_options *o)
{
	const char *flake = flake_ref_text(&lf->flake->original);
	struct unlocked u = { o, NULL };

	lockfile_each(&lf->lock, look_unlocked, &u);
	if (!u.node)
		return 0;
	const char *input = flake_ref_text(&u.node->locked);
	if (o->must_write)
		throw_error_hint(
			EK_EVAL, "commit what it is made of, or pass --allow-dirty-locks",
			"Not writing lock file of flake '%s' because it has an unlocked input ('%s'): nothing names its state",
			flake, input);
	lock_say(o, "warning: Not writing lock file of flake '%s' because it has an unlocked input ('%s'): nothing names its state",
		 flake, input);
	return 1;
}

static void check_allowed(const struct flake *f, const struct lock_options *o, const char *diff)
{
	const char *flake = flake_ref_text(&f->original);

	if (o->check)
		throw_error_hint(EK_EVAL, "'gx flake lock' brings it up to date", "the lock file of '%s' is not up to date:\n%s",
				 flake, diff);
	if (o->no_update)
		throw_error(EK_EVAL, "flake '%s' requires lock file changes but they're not allowed due to '--no-update-lock-file'",
			    flake);
	if (o->in_ci && !o->output_file)
		throw_error_hint(
			EK_EVAL, "'gx flake lock' outside of CI, and commit flake.lock; --no-write-lock-file goes on without",
			"flake '%s' requires lock file changes but they're not allowed due to 'CI=true':\n%s", flake, diff);
}

/* --- committing --- */

static void git(const struct flake_tree *t, const char *const *words)
{
	struct words argv = { NULL, 0, 0 };
	struct err e = ERR_INIT;

	words_add(&argv, "git");
	words_add(&argv, "--literal-pathspecs");
	words_add(&argv, "-C");
	words_add(&argv, t->work_tree);
	for (; *words; words++)
		words_add(&argv, *words);
	int rc = program_run(&argv, NULL, NULL, NULL, &e);
	words_release(&argv);
	if (rc) {
		err_prefix(&e, "cannot commit the lock file");
		throw_err(&e);
	}
}

static int is_git(const struct flake_tree *t)
{
	const char *type = source_get(&t->locked, "type");

	return type && !strcmp(type, "git") && t->work_tree;
}

/* Commits the file `name` of the work tree and nothing else. */
static void commit(const struct flake *f, const char *name, int was, const char *diff, const struct lock_options *o)
{
	struct buf text = BUF_GC;

	if (!is_git(f->tree)) {
		lock_say(o, "warning: the lock file is not committed: '%s' is not a git repository", flake_ref_text(&f->original));
		return;
	}
	if (o->summary && *o->summary)
		buf_adds(&text, o->summary);
	else
		buf_addf(&text, "%s: %s", name, was ? "Update" : "Add");
	buf_addf(&text, "\n\nFlake lock file updates:\n\n%s", diff);
	git(f->tree, (const char *const[]){ "add", "--intent-to-add", "--force", "--", name, NULL });
	git(f->tree, (const char *const[]){ "commit", "--quiet", "--message", text.p, "--", name, NULL });
}

/* --- writing --- */

/* The flake with its new lock file. */
static void read_again(struct locked_flake *lf, const char *name)
{
	const struct input_path none = { NULL, 0 };
	const struct flake_tree *tree = lf->flake->tree;

	source_make_known(tree, name);
	source_forget(tree);
	lf->flake = flake_get(&lf->flake->original, &none, REGISTRY_ALL);
	lf->lock.root->tree = lf->flake->tree;
}

static void say_revision(const struct locked_flake *lf, const char *before, const struct lock_options *o)
{
	const char *now = source_get(&lf->flake->locked, "rev");

	if (now && (!before || strcmp(now, before)))
		lock_say(o, "note: committed the lock file as '%s'", now);
}

/* Where the flake's owner edits it. */
static void write_beside_flake(struct locked_flake *lf, const char *text, const char *diff, const struct lock_options *o)
{
	struct flake *f = lf->flake;
	const char *rev = source_get(&f->locked, "rev"), *type = source_get(&f->original, "type");
	struct buf path = BUF_GC;

	/* What a name means today is nothing to write to. */
	if (!f->tree->work_tree || (type && !strcmp(type, "indirect")))
		throw_error(EK_EVAL, "the lock file of '%s' would have to change, and it cannot be written; pass "
			    "--no-write-lock-file to go on without", flake_ref_text(&f->original));
	buf_addf(&path, "%s%s/flake.lock", f->tree->work_tree, f->dir + strlen(f->tree->store_path));
	const char *name = path.p + strlen(f->tree->work_tree) + 1;
	int was = access(path.p, F_OK) == 0;
	replace_file(path.p, text);
	lock_say(o, "note: %s '%s'%s%s", was ? "updated" : "made", path.p, *diff ? ":\n" : "", diff);
	if (o->commit)
		commit(f, name, was, diff, o);
	lf->changed = 0;
	read_again(lf, name);
	if (o->commit)
		say_revision(lf, rev, o);
}

void lock_write(struct locked_flake *lf, const struct lockfile *old, const struct lock_options *o)
{
	const char *before = lock_text(old), *after = lock_text(&lf->lock);
	struct flake *f = lf->flake;
	struct buf diff = BUF_GC;

	if (!strcmp(before, after) && !o->output_file)
		return;
	lockfile_diff(old, &lf->lock, &diff);
	lf->changed = strcmp(before, after) != 0;
	if (o->no_write && !o->check) {
		lock_say(o, "note: the lock file of '%s' would change and is not written:\n%s", flake_ref_text(&f->original),
			 buf_str(&diff));
		return;
	}
	if (!o->check && is_unlocked(lf, o))
		return;
	check_allowed(f, o, buf_str(&diff));
	if (o->output_file)
		replace_file(o->output_file, after);
	else
		write_beside_flake(lf, after, buf_str(&diff), o);
}
