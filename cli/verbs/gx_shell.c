/* SPDX-License-Identifier: MIT
 *
 * gx shell, gx run: programs of the store, run as the user's own.
 */
#include "config.h"
#include "base/alloc.h"
#include "cli/report.h"
#include "cli/runner.h"
#include "cli/value_options.h"
#include "cli/verb.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { O_PACKAGES = 1, O_RUN };

static const struct option shell_options[] = {
	{ O_PACKAGES, 'p', "packages", NULL, "Words are names of packages of gx:std." },
	{ O_RUN, 0, "run", "TEXT", "Run TEXT as a command line of sh instead of a shell." },
	{ 0 }
};

static const struct option_group shell_groups[] = { { "Options", shell_options },
						    { "Shells", runner_shell_options },
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

/* --- shell --- */

struct shell_verb {
	struct runner r; /* first: options get it */
	int packages;
	char *run[4]; /* sh -c TEXT */
};

static int on_option(struct runner *r, int id, char **values)
{
	struct shell_verb *v = (struct shell_verb *)r;

	if (id == O_PACKAGES)
		v->packages = 1;
	if (id == O_RUN) {
		v->run[0] = (char *)"sh";
		v->run[1] = (char *)"-c";
		v->run[2] = values[0];
		r->shell.command = v->run;
	}
	return 0;
}

/* The names of packages as references to them; *texts is malloc'd. */
static char **package_refs(struct command *c)
{
	char **texts = xcalloc(c->n, sizeof *texts);

	for (size_t i = 0; i < c->n; i++) {
		struct buf b = BUF_INIT;

		buf_addf(&b, "gx:std#%s", c->operands[i]);
		c->operands[i] = texts[i] = buf_detach(&b, NULL);
	}
	return texts;
}

/* An object that is a link has the programs of what it leads to, which must be in the store as well: what lies elsewhere is not
 * what was built. */
static int check_link(struct runner *r, const struct store_path *p)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(store_fd(r->c.store), p->base, target, sizeof target - 1);
	struct slice dir = store_dir(r->c.store);
	struct buf name = BUF_INIT;

	if (n <= 0)
		return COMMAND_GO;
	target[n] = 0;
	if ((size_t)n > dir.n && !memcmp(target, dir.p, dir.n) && target[dir.n] == '/' && !strstr(target, "/../"))
		return COMMAND_GO;
	store_add_path(r->c.store, &name, p);
	report_error("'%s' leads to '%s', which is not in the Nix store", buf_str(&name), target);
	buf_release(&name);
	return EXIT_FAILED;
}

static void add_bin(struct runner *r, struct buf *bin, const struct store_path *p)
{
	if (bin->len)
		buf_addc(bin, ':');
	store_add_path(r->c.store, bin, p);
	buf_adds(bin, "/bin");
}

/* The bin folders of everything that is wanted. */
static int build_all(struct runner *r, struct buf *bin)
{
	int rc = COMMAND_GO;

	for (size_t i = 0; i < runner_count(r); i++) {
		if (r->wanted[i].path.len)
			add_bin(r, bin, &r->wanted[i].path);
		rc = runner_build(r, &r->wanted[i].targets);
		/* With --dry-run each is told of. */
		if (rc != COMMAND_GO && rc != EXIT_DONE)
			return rc;
		for (size_t k = 0; rc == COMMAND_GO && k < r->built.n; k++) {
			add_bin(r, bin, &r->built.v[k].path);
			rc = check_link(r, &r->built.v[k].path);
		}
		build_result_release(&r->built);
		r->built = (struct build_result){ NULL, 0, 0 };
		if (rc == EXIT_FAILED)
			return rc;
	}
	return rc;
}

int shell_run(int argc, char **argv)
{
	static const struct program program = { "gx shell", "a shell with packages in PATH",
						"gx shell [options] [FLAKE[#ATTR] ...] [--command PROGRAM [ARGUMENT ...]]\n"
						"gx shell [options] -p NAME ... [--run TEXT]",
						NULL, shell_groups };
	struct shell_verb v = { .r.option = on_option };
	struct runner *r = &v.r;
	struct buf bin = BUF_INIT;
	char **texts = NULL;
	int rc;

	r->shell.command = runner_cut_words(&argc, argv, "--command", "-c");
	rc = runner_read(r, &program, argc, argv, 0, "flakes");
	if (rc != COMMAND_GO)
		return runner_end(r, rc);
	if (v.packages && !r->c.n)
		return runner_end(r, usage_error(&program, "-p needs names of packages"));
	if (v.packages)
		texts = package_refs(&r->c);
	size_t n = r->c.n;
	rc = runner_eval(r, FLAKE_WANT_PACKAGE);
	if (rc == COMMAND_GO && (rc = build_all(r, &bin)) == COMMAND_GO) {
		shell_path(&r->shell, buf_str(&bin));
		rc = runner_exec(r, shell_words(&r->shell));
	}
	buf_release(&bin);
	rc = runner_end(r, rc);
	for (size_t i = 0; texts && i < n; i++)
		free(texts[i]);
	free(texts);
	return rc;
}

/* --- run --- */

int run_run(int argc, char **argv)
{
	static const struct program program = {
		"gx run", "run a program of a flake", "gx run [options] [FLAKE[#ATTR]] [-- ARGUMENT ...]",
		"An app's program, or the main program of a package. Words after FLAKE or -- are the program's.", run_groups
	};
	struct runner r = { .wanted = NULL };
	int all = argc;
	char **words = runner_cut_words(&argc, argv, "--", NULL), **v;
	struct buf path = BUF_INIT;
	size_t n = words ? (size_t)(argv + all - words) : 0;
	int rc = runner_read(&r, &program, argc, argv, 1, "one flake (words for its program follow --)");

	/* To Nix the first word is what to run also behind "--". */
	if (rc == COMMAND_GO && n && !r.c.n && place_obeys_environment()) {
		r.c.operands = xrealloc_array(r.c.operands, 1, sizeof *r.c.operands);
		r.c.operands[r.c.n++] = *words++;
		n--;
	}
	if (rc != COMMAND_GO || (rc = runner_eval(&r, FLAKE_WANT_APP)) != COMMAND_GO ||
	    (rc = runner_build(&r, &r.wanted[0].targets)) != COMMAND_GO)
		return runner_end(&r, rc);
	runner_program(&r, &path);
	if (!path.len) {
		report_error("'%s' does not say which program is its main one (meta.mainProgram)", runner_name(&r, 0));
		return runner_end(&r, EXIT_FAILED);
	}
	v = xcalloc(n + 2, sizeof *v);
	v[0] = (char *)buf_str(&path);
	for (size_t i = 0; i < n; i++)
		v[i + 1] = words[i];
	rc = runner_exec(&r, v);
	free(v);
	buf_release(&path);
	return runner_end(&r, rc);
}
