/* SPDX-License-Identifier: MIT
 *
 * import and scopedImport.
 *
 * A file is named by where its own links lead, so that a relative path in it starts at the real file; links in the
 * directories above are left alone.  Two memos stand in front of the work: by the path as written, which is
 * what the same expression asks again and again, and by the file found, so that two ways to
 * one file give one value.  Both hold the thunk while the file is being evaluated: a file that imports itself
 * before it has a value is an infinite recursion and is reported as one.
 */
#include "config.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/pathname.h"
#include "base/source.h"
#include "builtins/compiled.h"
#include "builtins/fs_int.h"
#include "builtins/import_drv.h"
#include "eval/coerce.h"
#include "eval/eval.h"

#include <string.h>

/* --- finding the file --- */

/* The target of the link at path, as a path; W_ABSENT when it is none. */
static W link_target(W path)
{
	struct box_path *p = w_get_path(path);
	W target = fs_link(path);

	if (target == W_ABSENT)
		return W_ABSENT;
	const struct str *t = w_get_str(target);
	if (t->len && t->b[0] == '/')
		return fs_join(w_path("/", 1), t->b, t->len);
	return fs_join(w_path(p->b, path_dir_len(p->b, p->h.n)), t->b, t->len);
}

/* default.gx if there is one, else default.nix, there or not. */
static W default_file(W dir)
{
	W gx = fs_join(dir, "default.gx", 10);

	return fs_stat(gx) >= FS_REGULAR ? gx : fs_join(dir, "default.nix", 11);
}

static W expression_file(W path)
{
	W next;

	for (int links = 0; w_get_path(path)->h.n > 1; path = next, links++) {
		if (links == LIMIT_LINKS)
			fs_throw(FS_LOOP, path);
		if ((next = link_target(path)) == W_ABSENT)
			break;
	}
	return fs_stat(path) == FS_DIRECTORY ? default_file(path) : path;
}

/* --- evaluating it --- */

/* "while evaluating the file …", collected. */
static const char *file_note(W path)
{
	struct buf b = BUF_GC;

	buf_addf(&b, "while evaluating the file '%s'", w_get_path(path)->b);
	return b.p;
}

static W eval_kept(W path)
{
	struct file_program p = compiled_program(path);

	return eval_program(&p);
}

static W eval_file(W path, W scope)
{
	/* The file the program began with needs no note: every position is in it. */
	int nested = call_pos() != 0;

	if (nested)
		note_push(file_note(path), 0);
	W w = scope == W_NULL ? eval_kept(path) : eval_source(fs_source(path), scope);
	if (nested)
		note_pop();
	return w;
}

static void remember(struct strmap *m, W path, W value)
{
	*strmap_put(m, w_get_path(path)->b, w_get_path(path)->h.n, NULL) = value;
}

static W *remembered(struct strmap *m, W path)
{
	return strmap_get(m, w_get_path(path)->b, w_get_path(path)->h.n);
}

/* Under a guard a remembered value must not tell more than the file would. */
static void check_access(W path)
{
	enum fs_kind k;

	if (fs_guarded() && (k = fs_stat(path)) < FS_REGULAR)
		fs_throw(k, path);
}

W fs_import(W path)
{
	struct fs *fs = fs_state();
	W *known;

	check_access(path);
	if ((known = remembered(&fs->imports, path)))
		return force(*known);
	W file = expression_file(path), value;
	if ((known = remembered(&fs->exprs, file))) {
		value = *known;
	} else {
		check_access(file);
		value = lazy_native(eval_file, file, W_NULL);
		remember(&fs->exprs, file, value);
	}
	remember(&fs->imports, path, value);
	value = force(value);
	remember(&fs->exprs, file, value);
	remember(&fs->imports, path, value);
	return value;
}

BUILTIN_FLAGS(bi_import, BI_GLOBAL, "import", "!path",
	      "The value of the expression in the file *path*. For a directory that is its `default.gx`, or its "
	      "`default.nix`.\n"
	      "The file sees the builtins and nothing of where it is imported; a relative path in it starts at the "
	      "file's own directory. A file is evaluated once, however often it is imported. When the path comes "
	      "from a derivation that is not built yet, it is built first.",
	      "isFunction (import <nix/fetchurl.nix>)", "true")
{
	W path = fs_realise(args[0]), w = import_derivation(path);

	return w == W_ABSENT ? fs_import(path) : w;
}

BUILTIN_FLAGS(bi_scoped_import, BI_GLOBAL, "scopedImport", "scope path",
	      "The value of the expression in the file *path*, with the attributes of the set *scope* as variables "
	      "in front of the builtins.\n"
	      "Unlike with `import`, the file is evaluated each time.",
	      "isFunction (scopedImport { x = 2; } <nix/fetchurl.nix>)", "true")
{
	W path = fs_realise(args[1]), w = import_derivation(path);

	if (w != W_ABSENT)
		return w;
	W scope = arg_attrs(args, 0);
	/* Under the name that was asked for, before a link's target is one. */
	check_access(path);
	W file = expression_file(path);
	check_access(file);
	return eval_file(file, scope);
}

const struct builtin *const builtins_import[] = { &def_bi_import, &def_bi_scoped_import, NULL };
