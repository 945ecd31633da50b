/* SPDX-License-Identifier: MIT
 *
 * Relative paths in words of the command line are relative to the working directory.
 */
#include "config.h"
#include "cli/given.h"
#include "base/fdio.h"
#include "base/source.h"
#include "builtins/fs.h"
#include "cli/report.h"
#include "eval/attrs.h"
#include "eval/builtin.h"
#include "eval/eval.h"
#include "fetch/trail.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *base;

void given_relative_to(const char *dir)
{
	base = dir;
}

static const char *cwd(void)
{
	static char path[PATH_MAX];

	if (base)
		return base;
	if (!*path && !getcwd(path, sizeof path))
		throw_error(EK_IO, "cannot tell the current directory: %s", strerror(errno));
	return path;
}

/* The whole of standard input, NUL-terminated, for the life of the process.  Throws. */
static char *read_stdin(size_t *len)
{
	struct buf b = BUF_INIT;

	trail_spoil("it read standard input");
	if (fd_read_all(0, &b)) {
		int en = errno;

		buf_release(&b);
		throw_error(EK_IO, "cannot read standard input: %s", strerror(en));
	}
	return buf_detach(&b, len);
}

static const struct source *source_of_text(const char *name, const char *text, size_t len)
{
	const struct source *s = source_add(name, NULL, cwd(), text, len);

	if (!s)
		throw_error(EK_EVAL, "the program text is larger than 4 GiB");
	return s;
}

/* The text of -E or standard input as a source; NULL when a file was named. */
static const struct source *given_text(const struct eval_request *r)
{
	size_t len;

	if (r->expr)
		return source_of_text("«string»", r->expr, strlen(r->expr));
	if (strcmp(r->file, "-"))
		return NULL;
	char *text = read_stdin(&len);
	return source_of_text("«stdin»", text, len);
}

/* A file of a folder, W_ABSENT when it has none of that name. */
static W file_of(W dir, const char *name)
{
	W file = fs_join(dir, name, strlen(name));

	return fs_stat(file) >= FS_REGULAR ? file : W_ABSENT;
}

static W first_of(W dir, const char *gx, const char *nix)
{
	W file = file_of(dir, gx);

	return file == W_ABSENT ? file_of(dir, nix) : file;
}

enum given_folder given_folder;

/* The file that a folder stands for; another path is what it is. */
static W in_folder(W path)
{
	W shell;

	if (given_folder == GIVEN_DEFAULT || fs_stat(path) != FS_DIRECTORY)
		return path;
	shell = first_of(path, "shell.gx", "shell.nix");
	if (shell != W_ABSENT && given_folder == GIVEN_SHELL)
		return shell;
	if (shell != W_ABSENT)
		report_line("warning: Skipping '%s', because the setting 'nix-shell-always-looks-for-shell-nix' is disabled. "
			    "This is a deprecated behavior. Consider enabling 'nix-shell-always-looks-for-shell-nix'.",
			    w_get_path(shell)->b);
	else if (first_of(path, "default.gx", "default.nix") == W_ABSENT)
		throw_error(EK_IO, "neither 'shell.nix' nor 'default.nix' found in '%s'", w_get_path(path)->b);
	return path;
}

static W named_path(const char *file)
{
	size_t n = strlen(file);
	struct stat st;

	if (n > 2 && file[0] == '<' && file[n - 1] == '>')
		return given_word(file, "«command line»");
	W fetched = fs_fetch_place(file, n);
	if (fetched != W_ABSENT)
		return fetched;
	trail_stat(file);
	if (stat(file, &st) < 0 && strpbrk(file, " +*(){}[]\"'"))
		throw_error_hint(EK_IO, "an expression is given with -E", "cannot open '%s': %s", file, strerror(errno));
	/* What is not there is no less forbidden. */
	if (stat(file, &st) < 0 && !eval_settings.restricted)
		throw_error(EK_IO, "cannot open '%s': %s", file, strerror(errno));
	return fs_user_path(file, n);
}

/* The path value of a file that was named: `<name>` goes through the search path. */
static W file_path(const char *file)
{
	return in_folder(named_path(file));
}

const struct source *given_source(const struct eval_request *r)
{
	const struct source *src = given_text(r);

	return src ? src : fs_source(file_path(r->file));
}

W given_file(const char *file)
{
	return fs_import(file_path(file));
}

W given_value(const struct eval_request *r)
{
	const struct source *src = given_text(r);

	return src ? eval_source(src, W_NULL) : given_file(r->file);
}

W given_word(const char *text, const char *name)
{
	return eval_text(text, strlen(text), name, cwd());
}

/* A pointer travels as an integer: what it points at is argv and the C stack, which the collector need not know. */
static W parse_arg(W auto_arg, W nothing)
{
	const struct auto_arg *a = (const struct auto_arg *)(intptr_t)w_get_int(auto_arg);

	(void)nothing;
	return given_word(a->text, "«argument»");
}

W given_args(const struct eval_request *r)
{
	struct attrs_builder b;

	attrs_builder_init(&b, r->n_args);
	for (size_t i = 0; i < r->n_args; i++) {
		const struct auto_arg *a = &r->args[i];

		attrs_add_c(&b, a->name, a->is_string ? w_cstr(a->text) : lazy_native(parse_arg, w_int((intptr_t)a), W_NULL));
	}
	return attrs_finish_keep_last(&b);
}
