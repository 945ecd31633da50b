/* SPDX-License-Identifier: MIT
 *
 * gx fmt, gx formatter: the program that the flake here names as its formatter.
 *
 * It runs where one is, and is told the folder of the flake (PRJ_ROOT), as Nix does.
 */
#include "config.h"
#include "base/alloc.h"
#include "base/words.h"
#include "cli/project.h"
#include "cli/report.h"
#include "cli/runner.h"
#include "cli/value_options.h"
#include "cli/verb.h"
#include "eval/eval.h"
#include "store/roots.h"

#include <stdlib.h>

enum { O_OUT_LINK = 1, O_NO_LINK };

struct fmt {
	struct runner r; /* first: options get it */
	const char *link; /* NULL: none */
	struct buf path;  /* the program */
};

static const struct option build_options[] = {
	{ O_OUT_LINK, 'o', "out-link", "LINK", "The name of the link to what was built (result)." },
	{ O_NO_LINK, 0, "no-link", NULL, "Make no link." },
	{ 0 }
};

#define COMMON_GROUPS \
	{ "Flakes", flake_option_table }, { "Building", build_option_table }, { "The store", command_store_options }, \
	{ NULL, NULL }

static const struct option_group run_groups[] = { COMMON_GROUPS };
static const struct option_group build_groups[] = { { "Options", build_options }, COMMON_GROUPS };

static int on_option(struct runner *r, int id, char **values)
{
	((struct fmt *)r)->link = id == O_OUT_LINK ? values[0] : NULL;
	return 0;
}

/* Takes the operands away into words, and puts the formatter in their place. */
static void ask_for_formatter(struct fmt *f, struct words *words)
{
	struct command *c = &f->r.c;
	struct buf ref = BUF_INIT;

	for (size_t i = 0; i < c->n; i++)
		words_add(words, c->operands[i]);
	buf_addf(&ref, ".#formatter.%s", eval_settings.system);
	c->operands = xrealloc_array(c->operands, 1, sizeof *c->operands);
	c->operands[0] = buf_detach(&ref, NULL);
	c->n = 1;
}

/* Builds it and finds the program.  COMMAND_GO, or an exit status. */
static int make(struct fmt *f)
{
	struct runner *r = &f->r;
	int rc = runner_eval(r, FLAKE_WANT_APP);

	rc = rc == COMMAND_GO ? runner_build(r, &r->wanted[0].targets) : rc;
	if (rc != COMMAND_GO)
		return rc;
	runner_program(r, &f->path);
	if (f->path.len)
		return COMMAND_GO;
	report_error("the formatter does not say which program is its main one (meta.mainProgram)");
	return EXIT_FAILED;
}

static int end(struct fmt *f, char *ref, int rc)
{
	rc = runner_end(&f->r, rc);
	buf_release(&f->path);
	free(ref);
	return rc;
}

static int fmt_start(struct fmt *f, const struct program *p, int argc, char **argv)
{
	f->r.option = on_option;
	return runner_read(&f->r, p, argc, argv, 0, "");
}

static int run(const struct program *p, int argc, char **argv)
{
	struct fmt f = { .link = NULL };
	int all = argc;
	char **rest = runner_cut_words(&argc, argv, "--", NULL), *ref = NULL;
	struct words words = { NULL, 0, 0 };
	struct buf root = BUF_INIT;
	int rc = fmt_start(&f, p, argc, argv);

	if (rc == COMMAND_GO) {
		words_add(&words, ""); /* the program's name */
		ask_for_formatter(&f, &words);
		ref = f.r.c.operands[0];
		for (; rest && rest < argv + all; rest++)
			words_add(&words, *rest);
		rc = make(&f);
	}
	if (rc == COMMAND_GO) {
		free(words.v[0]);
		words.v[0] = xstrdup(buf_str(&f.path));
		if (!project_flake_folder(&root))
			setenv("PRJ_ROOT", buf_str(&root), 1);
		rc = runner_exec(&f.r, words.v);
	}
	words_release(&words);
	buf_release(&root);
	return end(&f, ref, rc);
}

int fmt_run(int argc, char **argv)
{
	static const struct program program = {
		"gx fmt", "reformat your code in the standard style", "gx fmt [options] [PATH ...] [-- ARGUMENT ...]",
		"Runs the program that the flake says under formatter.SYSTEM with these words. "
		"'gx formatter build' only builds it.",
		run_groups
	};

	return run(&program, argc, argv);
}

static int formatter_run_run(int argc, char **argv)
{
	static const struct program program = { "gx formatter run", "reformat your code in the standard style",
						"gx formatter run [options] [PATH ...] [-- ARGUMENT ...]", NULL, run_groups };

	return run(&program, argc, argv);
}

static int add_link(struct fmt *f)
{
	struct err e = ERR_INIT;

	if (f->link && f->r.built.n && store_add_root_link(f->r.c.store, f->link, &f->r.built.v[0].path, &e))
		return command_fail(&e);
	return EXIT_DONE;
}

static int formatter_build_run(int argc, char **argv)
{
	static const struct program program = { "gx formatter build", "build the formatter, and print which program it is",
						"gx formatter build [options]", NULL, build_groups };
	struct fmt f = { .link = "result" };
	struct words none = { NULL, 0, 0 };
	char *ref = NULL;
	int rc = fmt_start(&f, &program, argc, argv);

	if (rc == COMMAND_GO && f.r.c.n)
		return end(&f, NULL, usage_error(&program, "'gx formatter build' takes nothing, not '%s'", f.r.c.operands[0]));
	if (rc == COMMAND_GO) {
		ask_for_formatter(&f, &none);
		ref = f.r.c.operands[0];
		rc = make(&f);
	}
	if (rc == COMMAND_GO && !(rc = add_link(&f))) {
		struct buf out = BUF_INIT;

		buf_addf(&out, "%s\n", buf_str(&f.path));
		rc = command_print(&out);
	}
	words_release(&none);
	return end(&f, ref, rc);
}

const struct verb formatter_verbs[] = {
	{ "run", "reformat your code in the standard style", formatter_run_run, NULL },
	{ "build", "build the formatter, and print which program it is", formatter_build_run, NULL },
	{ 0 }
};
