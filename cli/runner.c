/* SPDX-License-Identifier: MIT
 *
 * What follows --command is cut off before the options are read: it belongs to another program.
 */
#include "config.h"
#include "cli/runner.h"
#include "base/alloc.h"
#include "cli/progress.h"
#include "cli/shebang.h"
#include "cli/store_view.h"
#include "cli/value_options.h"

#include <stdlib.h>
#include <string.h>

enum { O_IGNORE = RUNNER_OPTION_FIRST, O_KEEP, O_KEEP_THEN, O_SET, O_UNSET, O_COMMAND };

const struct option runner_shell_options[] = {
	{ O_IGNORE, 'i', "ignore-environment", NULL,
	  "Start from an empty environment, but for HOME, USER, LOGNAME, TERM, certificates and what --keep names." },
	{ O_IGNORE, 0, "ignore-env", NULL, NULL },
	{ O_KEEP, 'k', "keep", "NAME", "With --ignore-environment keep the variable NAME." },
	{ O_KEEP_THEN, 0, "keep-env-var", "NAME", NULL },
	{ O_SET, 's', "set-env-var", "NAME VALUE", "Set the variable NAME." },
	{ O_UNSET, 'u', "unset-env-var", "NAME", "Without --ignore-environment drop the variable NAME." },
	{ O_COMMAND, 'c', "command", "PROGRAM", "Run PROGRAM with all words that follow instead of a shell." },
	{ 0 }
};

static int on_option(void *arg, int id, char **values)
{
	struct runner *r = arg;

	if (id >= FLAKE_OPTION_FIRST && id < FLAKE_OPTION_LAST) {
		flake_options_take(&r->eval.flake_options, id, values);
		return 0;
	}
	if (id >= VALUE_OPTION_FIRST && id < VALUE_OPTION_LAST)
		return value_options_take(r->c.program, &r->eval, id, values);
	if (id >= BUILD_OPTION_FIRST && id < BUILD_OPTION_LAST)
		return build_options_take(&r->build, id, values);
	switch (id) {
	case O_IGNORE: r->shell.ignore = 1; return 0;
	case O_KEEP: shell_keep(&r->shell, values[0]); return 0;
	case O_KEEP_THEN:
		shell_keep(&r->shell, values[0]);
		r->shell.must_ignore = 1;
		return 0;
	case O_SET: shell_set(&r->shell, values[0], values[1]); return 0;
	case O_UNSET: shell_set(&r->shell, values[0], NULL); return 0;
	case O_COMMAND: return 0;
	}
	return r->option ? r->option(r, id, values) : 0;
}

char **runner_cut_words(int *argc, char **argv, const char *word, const char *letter)
{
	for (int i = 1; i < *argc; i++)
		if (!strcmp(argv[i], word) || (letter && !strcmp(argv[i], letter))) {
			*argc = i;
			return argv + i + 1;
		}
	return NULL;
}

int runner_read(struct runner *r, const struct program *p, int argc, char **argv, size_t max, const char *what)
{
	r->c.program = p;
	r->c.option = on_option;
	r->c.arg = r;
	build_options_init(&r->build);
	int rc = command_read(&r->c, argc, argv, 0, max, what);
	struct err e = ERR_INIT;
	if (rc == COMMAND_GO && shell_check(&r->shell, &e))
		return command_end(&r->c, command_fail(&e));
	return rc;
}

/* What is in the store already is read from there, the rest evaluated together. */
static int find_wanted(struct runner *r, enum flake_want want)
{
	char **words = xcalloc(r->c.n + 1, sizeof *words);
	struct installable *v = xcalloc(runner_count(r), sizeof *v);
	size_t n = 0, k = 0;
	struct err e = ERR_INIT;
	int rc = 0;

	for (size_t i = 0; i < r->c.n && !e.code; i++)
		if (installable_is_evaluated(&r->eval, r->c.operands[i]))
			words[n++] = r->c.operands[i];
		else
			build_targets_read(&r->wanted[i].targets, r->c.store, r->c.operands[i], &r->wanted[i].path, &e);
	if (e.code)
		rc = command_fail(&e);
	else if (n || !r->c.n)
		rc = installables_eval(&r->eval, r->c.store, words, n, want, v);
	for (size_t i = 0; i < runner_count(r); i++)
		if (!r->c.n || (k < n && words[k] == r->c.operands[i]))
			r->wanted[i] = v[k++];
	free(v);
	free(words);
	return rc;
}

int runner_eval(struct runner *r, enum flake_want want)
{
	r->wanted = xcalloc(runner_count(r), sizeof *r->wanted);
	r->shell.tools = r->build.settings.shell;
	if (command_open(&r->c, 0))
		return EXIT_FAILED;
	progress_begin();
	r->eval.build = &r->build;
	int rc = find_wanted(r, want);
	return rc ? rc : COMMAND_GO;
}

size_t runner_count(const struct runner *r)
{
	return r->c.n ? r->c.n : 1;
}

const char *runner_name(const struct runner *r, size_t i)
{
	return r->c.n ? r->c.operands[i] : r->eval.file ? r->eval.file : r->eval.expr ? r->eval.expr : ".";
}

int runner_build(struct runner *r, const struct build_targets *t)
{
	struct err e = ERR_INIT;

	if (realise(r->c.store, &r->build, t, &r->built, &e))
		return build_options_status(&r->build, &e);
	return r->build.dry_run ? EXIT_DONE : COMMAND_GO;
}

void runner_program(const struct runner *r, struct buf *path)
{
	if (r->wanted[0].program) {
		buf_adds(path, r->wanted[0].program);
	} else if (r->built.n && r->wanted[0].main) {
		store_add_path(r->c.store, path, &r->built.v[0].path);
		buf_addf(path, "/bin/%s", r->wanted[0].main);
	}
}

int runner_exec(struct runner *r, char *const *argv)
{
	int rc = shebang_leave();

	progress_finish();
	return rc ? rc : store_view_exec(&r->c.place, r->usr, argv);
}

int runner_end(struct runner *r, int status)
{
	progress_finish();
	build_result_release(&r->built);
	for (size_t i = 0; r->wanted && i < runner_count(r); i++)
		installable_release(&r->wanted[i]);
	free(r->wanted);
	shell_request_release(&r->shell);
	return command_end(&r->c, status);
}
