/* SPDX-License-Identifier: MIT
 *
 * The commands of the REPL that build.
 *
 * Evaluating stages what it makes; the first :b makes it valid (store_real_flush) and builds in this process, on the store
 * that the evaluation has open.  While it builds, signals are the build's.
 */
#include "config.h"
#include "cli/repl/repl_int.h"
#include "base/alloc.h"
#include "builtins/drvs.h"
#include "builtins/store_real.h"
#include "cli/build_options.h"
#include "cli/dev_env.h"
#include "cli/drv_paths.h"
#include "cli/eval_store.h"
#include "cli/progress.h"
#include "cli/realise.h"
#include "cli/report.h"
#include "cli/shell.h"
#include "cli/store_view.h"
#include "eval/builtin.h"
#include "eval/eval.h"
#include "build/log.h"
#include "format/drv.h"
#include "store/roots.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct store *open_store(void)
{
	struct err e = ERR_INIT;

	if (eval_settings.read_only || !eval_store())
		throw_error(EK_EVAL, "nothing can be built or looked up here: the evaluation has no store to write to");
	if (eval_store_write())
		throw_error(EK_IO, "what was evaluated could not be put into the store");
	struct store *s = store_real_store(eval_store(), &e);
	if (!s)
		throw_err(&e);
	return s;
}

static void release(void *targets)
{
	build_targets_release(targets);
}

/* Adds the derivations an expression stands for; they are released when something throws before protect_pop. */
static void derivations(struct repl *r, const char *text, struct build_targets *t)
{
	protect_push(release, t);
	drv_paths_add(t, repl_eval(r, text), repl_no_args(), DRV_OUTPUT);
}

/* What each() gets of an output. */
struct built {
	struct store *store;
	const struct build_output *output;
	const char *path;
};

/* Builds what is on the list, which protect_push releases; result is the caller's.  Returns 0 after saying why it failed. */
static int make(struct store *s, struct build_targets *targets, struct build_result *result)
{
	struct build_options o;
	struct err e = ERR_INIT;

	build_options_init(&o);
	int rc = realise(s, &o, targets, result, &e);
	/* What a build says has several lines: it is told as gx build tells it. */
	if (rc)
		report_err(&e);
	err_release(&e);
	return !rc;
}

/* Builds the outputs that the expression is, or all of its derivation, and calls each() with them, which must not throw.  Returns 0
 * after saying why there are none. */
static int build(struct repl *r, const char *text, int all, void (*each)(void *arg, const struct built *b), void *arg)
{
	struct build_targets targets = { NULL, 0, 0 };
	struct build_result res = { NULL, 0, 0 };

	derivations(r, text, &targets);
	if (all)
		build_targets_name(&targets, 0, "*");
	struct store *s = open_store();
	int ok = make(s, &targets, &res);
	protect_pop(1);
	for (size_t i = 0; i < res.n && ok; i++) {
		struct buf path = BUF_GC;
		store_add_path(s, &path, &res.v[i].path);
		each(arg, &(struct built){ s, &res.v[i], path.p });
	}
	build_result_release(&res);
	return ok;
}

static void print_output(void *arg, const struct built *o)
{
	struct buf b = BUF_GC;

	(void)arg;
	buf_addf(&b, "%s -> %s\n", o->output->name, o->path);
	repl_write(b.p, b.len);
}

void repl_build(struct repl *r, const char *text)
{
	build(r, text, 1, print_output, NULL);
}

/* Under the names that Nix gives them. */
static void link_output(void *arg, const struct built *o)
{
	struct err e = ERR_INIT;
	struct buf b = BUF_GC;

	(void)arg;
	buf_addf(&b, "repl-result-%s", o->output->name);
	if (store_add_root_link(o->store, b.p, &o->output->path, &e)) {
		report_err(&e);
		err_release(&e);
		return;
	}
	buf_addf(&b, " -> %s\n", o->path);
	repl_write(b.p, b.len);
}

void repl_build_link(struct repl *r, const char *text)
{
	build(r, text, 1, link_output, NULL);
}

/* --- logs --- */

struct log {
	struct buf rest;
	int is_empty;
};

static int show_log(void *user, const void *p, size_t n, struct err *e)
{
	struct log *l = user;

	l->is_empty &= n == 0;
	return output_show_sink(&l->rest, p, n, e);
}

void repl_log(struct repl *r, const char *text)
{
	struct build_targets targets = { NULL, 0, 0 };
	struct log l = { BUF_GC, 1 };
	struct err e = ERR_INIT;

	derivations(r, text, &targets);
	struct store *s = open_store();
	fflush(stdout);
	for (size_t i = 0; i < targets.n; i++)
		if (log_read(s, &targets.v[i].drv, show_log, &l, &e) || output_show_end(&l.rest, &e))
			throw_err(&e);
	protect_pop(1);
	if (l.is_empty)
		report_line("its build printed nothing");
}

/* --- shells --- */

static void add_folder(void *arg, const struct built *o)
{
	struct buf *folders = arg;

	buf_addf(folders, "%s%s/bin", folders->len ? ":" : "", o->path);
}

/* In the child: a shell, or what else the words say, where the store is seen at its logical place. */
static __attribute__((noreturn)) void become(struct repl *r, char *const *words)
{
	const struct place_request request = { r->request->store, r->request->store_dir };
	struct place place = { 0 };
	struct err e = ERR_INIT;

	signal(SIGINT, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	if (place_choose(&place, &request, &e)) {
		dprintf(2, "error: %s\n", e.msg);
		_exit(1);
	}
	_exit(store_view_exec(&place, NULL, words));
}

/* Starts a shell and waits for its end.  env NULL: the environment as it is, with folders before PATH. */
static void run_shell(struct repl *r, const struct dev_env *env, const char *folders)
{
	struct shell_request request = { .command = NULL };
	int status;

	progress_finish();
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		if (env)
			shell_environment(&request, env);
		else
			shell_path(&request, folders);
		become(r, shell_words(&request));
	}
	if (pid < 0)
		report_error("cannot start a shell: %s", strerror(errno));
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	eval_interrupt_clear();
}

void repl_shell(struct repl *r, const char *text)
{
	struct buf folders = BUF_GC;

	if (build(r, text, 0, add_folder, &folders))
		run_shell(r, NULL, buf_str(&folders));
}

/* The environment of a derivation whose inputs are built. */
struct environment {
	struct buf text;
	struct drv drv;
	struct build_targets inputs;
	struct build_result built;
	struct dev_env env;
	struct store_path object;
};

/* Nothing in it throws.  Returns 1 when there was a shell, 0 when a build failed, which was told. */
static int enter(struct repl *r, struct store *s, const struct store_path *drv, struct environment *x, struct err *e)
{
	int rc = dev_env_read(s, drv, &x->text, &x->drv, e);

	if (rc)
		return rc;
	rc = dev_env_inputs(s, &x->drv, &x->inputs, e);
	if (!rc && make(s, &x->inputs, &x->built)) {
		rc = dev_env_make(&x->env, s, &x->drv, &x->built, 0, e);
		/* Registered, it keeps what it needs for as long as this process has it. */
		if (!rc && !(rc = dev_env_add(&x->env, &x->object, e)))
			run_shell(r, &x->env, NULL);
		dev_env_release(&x->env);
	}
	drv_release(&x->drv);
	return rc;
}

void repl_dev_shell(struct repl *r, const char *text)
{
	struct build_targets targets = { NULL, 0, 0 };
	struct environment x = { .text = BUF_INIT };
	struct err e = ERR_INIT;

	derivations(r, text, &targets);
	if (targets.n != 1)
		throw_error(EK_EVAL, "':sh' needs one derivation, and this is %zu", targets.n);
	int rc = enter(r, open_store(), &targets.v[0].drv, &x, &e);
	protect_pop(1);
	build_targets_release(&x.inputs);
	build_result_release(&x.built);
	buf_release(&x.text);
	if (rc)
		throw_err(&e);
}

void repl_install(struct repl *r, const char *text)
{
	(void)r;
	(void)text;
	throw_error_hint(EK_EVAL, "':b' builds, ':u' starts a shell with what was built", "gx keeps no profiles to install into");
}
