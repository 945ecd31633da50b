/* SPDX-License-Identifier: MIT
 *
 * gx develop, gx shell, gx run: programs of the store, run as the user's own.
 *
 * develop reads the environment from the derivation of the shell (stdlib/pkgs/shell.gx): the inputs' bin folders come first in
 * PATH, the other variables are set, shellHook is run by the shell.  Variables go through the environment of the new process
 * and are never written into a script, so there is nothing to quote.  The derivation is built as well: its output names all that the
 * shell needs, and a link to it, a root, keeps that from being collected.
 */
#include "config.h"
#include "base/alloc.h"
#include "base/fdio.h"
#include "cli/build_options.h"
#include "cli/command.h"
#include "cli/installable.h"
#include "cli/progress.h"
#include "cli/realise.h"
#include "cli/report.h"
#include "cli/shell.h"
#include "cli/store_view.h"
#include "cli/value_options.h"
#include "cli/verb.h"
#include "format/drv.h"
#include "format/hash.h"
#include "store/roots.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { O_IGNORE = 1, O_KEEP, DRV_TEXT_MAX = 64 << 20 };

struct run {
	struct command c;
	struct eval_request eval;
	struct build_options build;
	struct shell_request shell;
	struct installable *wanted; /* by operand */
	struct build_result built;
};

static const struct option own_options[] = {
	{ O_IGNORE, 'i', "ignore-environment", NULL,
	  "Start from an empty environment, but for HOME, USER, LOGNAME, TERM and what --keep names." },
	{ O_KEEP, 'k', "keep", "NAME", "With --ignore-environment keep the variable NAME." },
	/* Taken from the line before the others are read; here for --help. */
	{ -1, 'c', "command", "PROGRAM", "Run PROGRAM with all words that follow instead of a shell." },
	{ 0 }
};

static const struct option_group groups[] = { { "Options", own_options },
					      { "What to evaluate", value_option_table },
					      { "Flakes", flake_option_table },
					      { "Building", build_option_table },
					      { "The store", command_store_options },
					      { NULL, NULL } };

static const struct option_group run_groups[] = { { "What to evaluate", value_option_table },
						  { "Flakes", flake_option_table },
						  { "Building", build_option_table },
						  { "The store", command_store_options },
						  { NULL, NULL } };

static int on_option(void *arg, int id, char **values)
{
	struct run *r = arg;

	if (id >= FLAKE_OPTION_FIRST && id < FLAKE_OPTION_LAST) {
		flake_options_take(&r->eval.flake_options, id, values);
		return 0;
	}
	if (id >= VALUE_OPTION_FIRST && id < VALUE_OPTION_LAST)
		return value_options_take(r->c.program, &r->eval, id, values);
	if (id >= BUILD_OPTION_FIRST && id < BUILD_OPTION_LAST)
		return build_options_take(&r->build, id, values);
	switch (id) {
	case O_IGNORE: r->shell.ignore = 1; break;
	case O_KEEP: shell_keep(&r->shell, values[0]); break;
	}
	return 0;
}

/* Cuts the words from the first that is one of the two; returns where they begin, NULL when there is none. */
static char **cut_words(int *argc, char **argv, const char *word, const char *letter)
{
	for (int i = 1; i < *argc; i++)
		if (!strcmp(argv[i], word) || (letter && !strcmp(argv[i], letter))) {
			*argc = i;
			return argv + i + 1;
		}
	return NULL;
}

static int start(struct run *r, const struct program *p, int argc, char **argv, size_t max, const char *what,
		 enum flake_want want)
{
	int rc;

	r->c.program = p;
	r->c.option = on_option;
	r->c.arg = r;
	build_options_init(&r->build);
	rc = command_read(&r->c, argc, argv, 0, max, what);
	if (rc != COMMAND_GO)
		return rc;
	size_t n = r->c.n ? r->c.n : 1;
	r->wanted = xcalloc(n, sizeof *r->wanted);
	if (command_open(&r->c, 0))
		return EXIT_FAILED;
	progress_begin();
	rc = installables_eval(&r->eval, r->c.store, r->c.operands, r->c.n, want, r->wanted);
	return rc ? rc : COMMAND_GO;
}

static int end(struct run *r, int status)
{
	progress_finish();
	build_result_release(&r->built);
	for (size_t i = 0; r->wanted && i < (r->c.n ? r->c.n : 1); i++)
		installable_release(&r->wanted[i]);
	free(r->wanted);
	shell_request_release(&r->shell);
	return command_end(&r->c, status);
}

static int build(struct run *r, size_t i)
{
	struct err e = ERR_INIT;

	if (realise(r->c.store, &r->build, &r->wanted[i].targets, &r->built, &e))
		return build_options_status(&r->build, &e);
	return r->build.dry_run ? EXIT_DONE : COMMAND_GO;
}

/* The store stays open, so that its temporary roots hold what the program is made of: while this process waits for it, or up
 * to the moment at which it takes the place of this process and a collector sees what it uses. */
static int leave(struct run *r, char *const *argv)
{
	progress_finish();
	return store_view_exec(&r->c.place, argv);
}

/* --- develop --- */

/* $XDG_STATE_HOME/gx/roots/develop-HASH, of the folder and the words that asked. */
static int root_name(const struct run *r, struct buf *out)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	char cwd[PATH_MAX], hex[33];
	struct buf key = BUF_INIT;
	struct hash h;

	if (!getcwd(cwd, sizeof cwd) || !((state && *state == '/') || (home && *home == '/')))
		return -1;
	buf_addf(out, "%s%s/gx/roots", state && *state == '/' ? state : home, state && *state == '/' ? "" : "/.local/state");
	/* One that cannot be made is told of when the link in it cannot. */
	make_folders(buf_str(out), 0755);
	buf_addf(&key, "%s\n%s\n%s", cwd, r->c.n ? r->c.operands[0] : ".", r->c.place.real_store);
	hash_bytes(HASH_SHA256, key.p, key.len, &h);
	buf_release(&key);
	for (int i = 0; i < 16; i++)
		snprintf(hex + 2 * i, 3, "%02x", h.b[i]);
	buf_addf(out, "/develop-%s", hex);
	return 0;
}

static void keep_root(struct run *r, const struct store_path *p)
{
	struct buf name = BUF_INIT;
	struct err e = ERR_INIT;

	if (root_name(r, &name)) {
		report_line("note: without HOME nothing keeps this shell's programs from being collected later");
	} else if (store_add_root_link(r->c.store, buf_str(&name), p, &e)) {
		report_line("note: nothing keeps this shell's programs from being collected later: %s", e.msg);
		err_release(&e);
	}
	buf_release(&name);
}

/* The derivation of the shell, from the store. */
static int read_shell(struct run *r, struct drv *d, struct buf *text, struct err *e)
{
	const struct build_targets *t = &r->wanted[0].targets;
	struct slice name;
	int rc;

	if (t->n != 1)
		return err_set(e, ERR_INVALID, "'%s' is not one derivation", r->c.n ? r->c.operands[0] : ".");
	rc = store_read(r->c.store, &t->v[0].drv, DRV_TEXT_MAX, text, e);
	if (rc)
		return rc;
	name = store_path_name(&t->v[0].drv);
	name.n -= 4; /* ".drv" */
	return drv_parse(d, store_dir(r->c.store), name, (struct slice){ text->p, text->len }, e);
}

int develop_run(int argc, char **argv)
{
	static const struct program program = {
		"gx develop", "a shell with what a flake's development shell offers",
		"gx develop [options] [FLAKE[#ATTR]] [--command PROGRAM [ARGUMENT ...]]",
		"Without ATTR devShells.SYSTEM.default, or the default package.", groups
	};
	struct run r = { .wanted = NULL };
	struct buf text = BUF_INIT;
	struct err e = ERR_INIT;
	struct drv d;

	r.shell.command = cut_words(&argc, argv, "--command", "-c");
	int rc = start(&r, &program, argc, argv, 1, "at most one flake", FLAKE_WANT_SHELL);
	if (rc != COMMAND_GO)
		return end(&r, rc);
	if ((rc = build(&r, 0)) != COMMAND_GO)
		return end(&r, rc);
	if (read_shell(&r, &d, &text, &e)) {
		buf_release(&text);
		return end(&r, command_fail(&e));
	}
	if (r.built.n)
		keep_root(&r, &r.built.v[0].path);
	shell_environment(&r.shell, &d);
	drv_release(&d);
	buf_release(&text);
	return end(&r, leave(&r, shell_words(&r.shell)));
}

/* --- shell --- */

int shell_run(int argc, char **argv)
{
	static const struct program program = { "gx shell", "a shell with packages in PATH",
						"gx shell [options] [FLAKE[#ATTR] ...] [--command PROGRAM [ARGUMENT ...]]",
						NULL, groups };
	struct run r = { .wanted = NULL };
	struct buf bin = BUF_INIT;

	r.shell.command = cut_words(&argc, argv, "--command", "-c");
	int rc = start(&r, &program, argc, argv, 0, "flakes", FLAKE_WANT_PACKAGE);
	for (size_t i = 0; rc == COMMAND_GO && i < (r.c.n ? r.c.n : 1); i++) {
		int done = build(&r, i);

		/* With --dry-run each is told of. */
		if (done != COMMAND_GO && (done != EXIT_DONE || i + 1 >= r.c.n))
			rc = done;
		for (size_t k = 0; k < r.built.n && done == COMMAND_GO; k++) {
			if (bin.len)
				buf_addc(&bin, ':');
			store_add_path(r.c.store, &bin, &r.built.v[k].path);
			buf_adds(&bin, "/bin");
		}
		build_result_release(&r.built);
		r.built = (struct build_result){ NULL, 0, 0 };
	}
	if (rc == COMMAND_GO) {
		shell_path(&r.shell, buf_str(&bin));
		rc = leave(&r, shell_words(&r.shell));
	}
	buf_release(&bin);
	return end(&r, rc);
}

/* --- run --- */

int run_run(int argc, char **argv)
{
	static const struct program program = {
		"gx run", "run a program of a flake", "gx run [options] [FLAKE[#ATTR]] [-- ARGUMENT ...]",
		"An app's program, or the main program of a package. Words after FLAKE or -- are the program's.", run_groups
	};
	struct run r = { .wanted = NULL };
	int all = argc;
	char **words = cut_words(&argc, argv, "--", NULL), **v;
	struct buf path = BUF_INIT;
	size_t n = words ? (size_t)(argv + all - words) : 0;
	int rc = start(&r, &program, argc, argv, 1, "one flake (words for its program follow --)", FLAKE_WANT_APP);

	if (rc != COMMAND_GO || (rc = build(&r, 0)) != COMMAND_GO)
		return end(&r, rc);
	if (r.wanted[0].program) {
		buf_adds(&path, r.wanted[0].program);
	} else if (r.built.n && r.wanted[0].main) {
		store_add_path(r.c.store, &path, &r.built.v[0].path);
		buf_addf(&path, "/bin/%s", r.wanted[0].main);
	} else {
		report_error("'%s' does not say which program is its main one (meta.mainProgram)", r.c.n ? r.c.operands[0] : ".");
		return end(&r, EXIT_FAILED);
	}
	v = xcalloc(n + 2, sizeof *v);
	v[0] = (char *)buf_str(&path);
	for (size_t i = 0; i < n; i++)
		v[i + 1] = words[i];
	rc = leave(&r, v);
	free(v);
	buf_release(&path);
	return end(&r, rc);
}
