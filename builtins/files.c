/* SPDX-License-Identifier: MIT
 *
 * The builtins that look at files.  Reading is fs_read.c's; here are their arguments and the few rules that are
 * theirs: a string that ends in a slash asks pathExists for a directory, what is forbidden does not exist for
 * it, and the text of a store object refers to what the object refers to.
 */
#include "config.h"
#include "builtins/fs.h"
#include "builtins/store_ops.h"
#include "eval/coerce.h"
#include "eval/eval.h"

#include <string.h>

/* --- readFile --- */

struct text_refs {
	const struct str *text;
	struct ctx_acc found;
};

static void add_ref(void *arg, struct slice ref)
{
	struct text_refs *t = arg;
	size_t dir = strlen(eval_settings.store_dir) + 1;

	if (ref.n > dir + STORE_HASH_LEN && memmem(t->text->b, t->text->len, ref.p + dir, STORE_HASH_LEN))
		ctx_acc_add(&t->found, ctx_single(ref.p, ref.n));
}

/* Of the references of the store object that holds the file, those whose digest occurs in its text. */
static uint32_t text_context(W path, const struct str *text)
{
	struct text_refs t = { .text = text };
	struct slice dir = { eval_settings.store_dir, strlen(eval_settings.store_dir) };
	struct slice whole = { w_get_path(path)->b, w_get_path(path)->h.n }, rest;
	struct store_path object;
	struct err e = ERR_INIT;

	if (!store_ops || store_path_split(dir, whole, &object, &rest, &e)) {
		err_release(&e);
		return 0;
	}
	whole.n -= rest.n;
	/* An object that is not in the database has no known references; its text can be read all the same. */
	if (store_ops->references(store_ops->user, whole, add_ref, &t, &e))
		err_release(&e);
	return ctx_acc_finish(&t.found);
}

BUILTIN(bi_read_file, "readFile", "!path",
	"The contents of the file *path* as a string. A file with a NUL byte cannot be read. The text of a file in the "
	"store carries the context of the store paths it mentions.",
	"isString (readFile <nix/fetchurl.nix>)", "true")
{
	W path = fs_realise(args[0]), w = fs_read_file(path);
	struct str *s = w_get_str(w);

	if (memchr(s->b, 0, s->len))
		throw_error(EK_EVAL, "the contents of the file '%s' cannot be represented as a string: it has a NUL byte",
			    w_get_path(path)->b);
	uint32_t ctx = text_context(path, s);
	return ctx ? str_with_context(w, ctx) : w;
}

/* --- readDir, readFileType --- */

BUILTIN(bi_read_dir, "readDir", "!path",
	"The entries of the directory *path*: a set from their names to `\"regular\"`, `\"directory\"`, `\"symlink\"` or "
	"`\"unknown\"`.",
	"isAttrs (readDir /.)", "true")
{
	return fs_read_dir(fs_realise(args[0]));
}

BUILTIN(bi_read_file_type, "readFileType", "!path",
	"What is at *path*: `\"regular\"`, `\"directory\"`, `\"symlink\"` or `\"unknown\"` (a device, a socket …). "
	"A symbolic link is not followed.",
	"readFileType /.", "\"directory\"")
{
	return fs_kind_string(fs_realise(args[0]));
}

/* --- pathExists --- */

static int asks_for_directory(W w)
{
	struct str *s = W_PTR(w);

	if (!w_is_str(w) || !s->len)
		return 0;
	return s->b[s->len - 1] == '/' || (s->len > 1 && s->b[s->len - 1] == '.' && s->b[s->len - 2] == '/');
}

BUILTIN(bi_path_exists, "pathExists", "!path",
	"Whether there is something at *path*. A symbolic link counts, wherever it leads; but when *path* is a string that ends in "
	"a slash, only a directory does, or a link to one. What may not be read in pure or restricted evaluation does not exist.",
	"pathExists /does/not/exist", "false")
{
	int dir = asks_for_directory(arg_force(args, 0));
	W path = fs_realise(args[0]);

	return W_BOOL(dir ? fs_stat(path) == FS_DIRECTORY : fs_lstat(path) >= FS_REGULAR);
}

const struct builtin *const builtins_files[] = { &def_bi_read_file, &def_bi_read_dir, &def_bi_read_file_type,
						 &def_bi_path_exists, NULL };
