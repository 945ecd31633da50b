/* SPDX-License-Identifier: MIT
 *
 * gx develop, gx print-dev-env, gx env: the environment of a derivation, for people.
 *
 * It is read from the derivation (cli/dev_env.h), of a shell (stdlib/pkgs/shell.gx) or of any package: only its inputs are built,
 * and what its stdenv has for setup runs (cli/dev_setup.h), so that of a package whose build fails can be looked at.  Variables go
 * through the environment of the new process and are never written into a script, so there is nothing to quote.  An object of the
 * store names all that the environment needs, and a link to it, a root, keeps that from being collected.
 */
#include "config.h"
#include "base/alloc.h"
#include "base/fdio.h"
#include "base/limits.h"
#include "cli/dev_setup.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/runner.h"
#include "cli/value_options.h"
#include "cli/verb.h"
#include "format/drv.h"
#include "format/hash.h"
#include "store/roots.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { O_DIRENV = 1, O_FHS };

static const struct option develop_options[] = { { O_FHS, 0, "fhs", NULL,
						   "Show the merged tree of a shell that gx:std's fhs made at /usr, for programs "
						   "that expect one, and nothing of the machine's." },
						 { 0 } };

static const struct option_group groups[] = { { "Options", develop_options },
					      { "Shells", runner_shell_options },
					      { "What to evaluate", value_option_table },
					      { "Flakes", flake_option_table },
					      { "Building", build_option_table },
					      { "The store", command_store_options },
					      { NULL, NULL } };

/* What all three open. */
struct opened {
	struct runner r; /* first: options get it */
	struct buf text;
	struct drv drv;
	struct dev_env env;
	int parsed, made, direnv;
};

/* --- roots --- */

/* $XDG_STATE_HOME/gx/roots/develop-HASH, of the folder and the words that asked. */
static int root_name(const struct runner *r, struct buf *out)
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
	buf_addf(&key, "%s\n%s\n%s", cwd, runner_name(r, 0), r->c.place.real_store);
	hash_bytes(HASH_SHA256, key.p, key.len, &h);
	buf_release(&key);
	for (int i = 0; i < 16; i++)
		snprintf(hex + 2 * i, 3, "%02x", h.b[i]);
	buf_addf(out, "/develop-%s", hex);
	return 0;
}

static void keep_root(struct runner *r, const struct store_path *p)
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

/* --- opening --- */

/* The derivation, from the store. */
static int read_shell(struct opened *o, struct err *e)
{
	const struct runner *r = &o->r;
	const struct build_targets *t = &r->wanted[0].targets;

	if (t->n != 1)
		return err_set(e, ERR_INVALID, "'%s' is not one derivation", runner_name(r, 0));
	int rc = dev_env_read(r->c.store, &t->v[0].drv, &o->text, &o->drv, e);
	o->parsed = !rc;
	return rc;
}

/* Builds what it needs. */
static int build_inputs(struct opened *o)
{
	struct build_targets t = { NULL, 0, 0 };
	struct err e = ERR_INIT;
	int rc = dev_env_inputs(o->r.c.store, &o->drv, &t, &e);

	rc = rc ? command_fail(&e) : runner_build(&o->r, &t);
	build_targets_release(&t);
	return rc;
}

/* Runs the setup of its stdenv, where there is one. */
static int run_setup(struct opened *o)
{
	struct build_targets t = { NULL, 0, 0 };
	struct store_path drv;
	struct err e = ERR_INIT;

	if (!dev_setup_wanted(&o->env))
		return COMMAND_GO;
	if (dev_setup_derive(&o->env, &drv, &e))
		return command_fail(&e);
	build_targets_add(&t, &drv, NULL, 0);
	build_result_release(&o->r.built);
	int rc = runner_build(&o->r, &t);
	build_targets_release(&t);
	if (rc == COMMAND_GO && dev_setup_take(&o->env, &o->r.built, &e))
		return command_fail(&e);
	return rc;
}

/* Evaluates, builds what is needed, and makes the environment.  COMMAND_GO, or an exit status. */
static int open_env(struct opened *o)
{
	struct runner *r = &o->r;
	struct store_path kept;
	struct err e = ERR_INIT;
	int rc = runner_eval(r, FLAKE_WANT_SHELL);

	if (rc != COMMAND_GO)
		return rc;
	if (read_shell(o, &e))
		return command_fail(&e);
	rc = build_inputs(o);
	if (rc != COMMAND_GO)
		return rc;
	o->made = 1;
	if (dev_env_make(&o->env, r->c.store, &o->drv, &r->built, r->shell.ignore, &e))
		return command_fail(&e);
	rc = run_setup(o);
	if (rc != COMMAND_GO)
		return rc;
	if (dev_env_add(&o->env, &kept, &e))
		return command_fail(&e);
	keep_root(r, &kept);
	return COMMAND_GO;
}

static int close_env(struct opened *o, int status)
{
	if (o->made)
		dev_env_release(&o->env);
	if (o->parsed)
		drv_release(&o->drv);
	buf_release(&o->text);
	return runner_end(&o->r, status);
}

/* --- develop --- */

static int on_develop_option(struct runner *r, int id, char **values)
{
	(void)values;
	if (id == O_FHS)
		r->shell.fhs = 1;
	return 0;
}

/* What is to be /usr: pkgs.fhs says it in a variable. */
static int find_tree(struct opened *o)
{
	struct runner *r = &o->r;
	struct err e = ERR_INIT;

	if (!r->shell.fhs)
		return COMMAND_GO;
	r->usr = dev_env_get(&o->env, "fhs");
	if (r->usr && *r->usr)
		return COMMAND_GO;
	err_set(&e, ERR_INVALID, "'%s' has no merged tree for --fhs; gx:std's fhs { packages = [ … ]; } makes a shell with one",
		runner_name(r, 0));
	return command_fail(&e);
}

int develop_run(int argc, char **argv)
{
	static const struct program program = { "gx develop", "a shell with what a flake's development shell offers",
						"gx develop [options] [FLAKE[#ATTR]] [--command PROGRAM [ARGUMENT ...]]\n"
						"gx develop [options] -f FILE [ATTR] [--command PROGRAM [ARGUMENT ...]]",
						"Without ATTR devShells.SYSTEM.default, or the default package. Where there is no "
						"flake: shell.gx, shell.nix, default.gx, "
						"default.nix, or the Go that go.mod asks for. The environment of any derivation "
						"can be opened; it is not built itself.",
						groups };
	struct opened o = { .r.option = on_develop_option };
	int rc;

	o.r.shell.command = runner_cut_words(&argc, argv, "--command", "-c");
	rc = runner_read(&o.r, &program, argc, argv, 1, "at most one flake");
	if (rc == COMMAND_GO)
		rc = open_env(&o);
	if (rc == COMMAND_GO)
		rc = find_tree(&o);
	if (rc == COMMAND_GO) {
		shell_environment(&o.r.shell, &o.env);
		rc = runner_exec(&o.r, shell_words(&o.r.shell));
	}
	return close_env(&o, rc);
}

/* --- print-dev-env, env --- */

/* Whoever reads this is not where the store has the name that programs in it know. */
static void leave_store_name(struct opened *o)
{
	const struct place *place = &o->r.c.place;

	if (!place_is_mapped(place))
		return;
	dev_env_physical(&o->env);
	report_line("note: '%s' is that of gx's own shells; here its programs are those below '%s'", place->store_dir,
		    place->real_store);
}

static int print_env(struct opened *o, int rc)
{
	struct buf out = BUF_INIT;

	if (rc == COMMAND_GO)
		rc = open_env(o);
	if (rc != COMMAND_GO)
		return close_env(o, rc);
	progress_finish();
	leave_store_name(o);
	if (o->r.c.json)
		dev_env_json(&o->env, &out);
	else
		dev_env_script(&o->env, &out);
	return close_env(o, command_print(&out));
}

static const struct option print_options[] = { OPTION_JSON, { 0 } };

static const struct option_group print_groups[] = { { "Options", print_options },
						    { "What to evaluate", value_option_table },
						    { "Flakes", flake_option_table },
						    { "Building", build_option_table },
						    { "The store", command_store_options },
						    { NULL, NULL } };

int print_dev_env_run(int argc, char **argv)
{
	static const struct program program = {
		"gx print-dev-env", "print the environment of 'gx develop' as a script for bash",
		"gx print-dev-env [options] [FLAKE[#ATTR]]",
		"The script sets the variables and runs the shell's hook: eval \"$(gx print-dev-env)\".", print_groups
	};
	struct opened o = { .parsed = 0 };

	return print_env(&o, runner_read(&o.r, &program, argc, argv, 1, "at most one flake"));
}

static const char direnv_function[] =
	"use_gx() {\n"
	"\tlocal env dir word file\n"
	"\tfor word in . \"$@\"; do\n"
	"\t\tdir=${word%%#*}\n"
	"\t\t[ -d \"$dir\" ] || continue\n"
	"\t\tfor file in flake.gx flake.nix flake.lock shell.gx shell.nix default.gx default.nix go.mod go.work; do\n"
	"\t\t\twatch_file \"$dir/$file\"\n"
	"\t\tdone\n"
	"\tdone\n"
	"\tenv=$(gx env \"$@\") || return\n"
	"\teval \"$env\"\n"
	"}\n";

static const struct option env_options[] = {
	OPTION_JSON,
	{ O_DIRENV, 0, "direnv", NULL, "Print the function that makes 'use gx' work in an .envrc." },
	{ 0 }
};

static const struct option_group env_groups[] = { { "Options", env_options },
						  { "What to evaluate", value_option_table },
						  { "Flakes", flake_option_table },
						  { "Building", build_option_table },
						  { "The store", command_store_options },
						  { NULL, NULL } };

static int on_env_option(struct runner *r, int id, char **values)
{
	(void)values;
	if (id == O_DIRENV)
		((struct opened *)r)->direnv = 1;
	return 0;
}

int env_run(int argc, char **argv)
{
	static const struct program program = {
		"gx env", "the environment of 'gx develop' for direnv", "gx env [options] [FLAKE[#ATTR]]\ngx env --direnv",
		"Once: mkdir -p ~/.config/direnv/lib; gx env --direnv > ~/.config/direnv/lib/gx.sh\n"
		"In a project: echo 'use gx' > .envrc; direnv allow\n"
		"It is made anew when the flake, its lock or go.mod changes.\n"
		"Where '/nix/store' is only in gx's own shells, the paths are those of where it lies.\n",
		env_groups
	};
	struct opened o = { .r.option = on_env_option };
	int rc = runner_read(&o.r, &program, argc, argv, 1, "at most one flake");

	if (rc == COMMAND_GO && o.direnv)
		return close_env(&o, output_write(direnv_function, sizeof direnv_function - 1));
	return print_env(&o, rc);
}
