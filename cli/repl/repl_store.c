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
#include "cli/drv_paths.h"
#include "cli/eval_store.h"
#include "cli/progress.h"
#include "cli/realise.h"
#include "cli/report.h"
#include "cli/store_view.h"
#include "eval/builtin.h"
#include "eval/eval.h"
#include "build/log.h"

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
	drv_paths_add(t, repl_eval(r, text), repl_no_args());
}

/* Builds, and calls each() with the output paths.  Returns 0 after saying why there are none. */
static int build(struct repl *r, const char *text, void (*each)(void *arg, const char *name, struct buf *path), void *arg)
{
	struct build_targets targets = { NULL, 0, 0 };
	struct build_result res = { NULL, 0, 0 };
	struct build_options o;
	struct err e = ERR_INIT;

	derivations(r, text, &targets);
	struct store *s = open_store();
	build_options_init(&o);
	int rc = realise(s, &o, &targets, &res, &e);
	protect_pop(1);
	for (size_t i = 0; i < res.n && !rc; i++) {
		struct buf path = BUF_GC;
		store_add_path(s, &path, &res.v[i].path);
		each(arg, res.v[i].name, &path);
	}
	build_result_release(&res);
	/* What a build says has several lines: it is told as gx build tells it. */
	if (rc)
		report_err(&e);
	err_release(&e);
	return !rc;
}

static void print_output(void *arg, const char *name, struct buf *path)
{
	struct buf b = BUF_GC;

	(void)arg;
	buf_addf(&b, "%s -> %s\n", name, path->p);
	repl_write(b.p, b.len);
}

void repl_build(struct repl *r, const char *text)
{
	build(r, text, print_output, NULL);
}

/* --- logs --- */

void repl_log(struct repl *r, const char *text)
{
	struct build_targets targets = { NULL, 0, 0 };
	struct buf rest = BUF_GC;
	struct err e = ERR_INIT;

	derivations(r, text, &targets);
	struct store *s = open_store();
	fflush(stdout);
	for (size_t i = 0; i < targets.n; i++)
		if (log_read(s, &targets.v[i].drv, output_show_sink, &rest, &e) || output_show_end(&rest, &e))
			throw_err(&e);
	protect_pop(1);
}

/* --- shells --- */

static void add_folder(void *arg, const char *name, struct buf *path)
{
	struct buf *folders = arg;

	(void)name;
	buf_addf(folders, "%s/bin:", path->p);
}

/* In the child: a shell where the store is seen at its logical place. */
static __attribute__((noreturn)) void become_shell(struct repl *r, const char *folders)
{
	const struct place_request request = { r->request->store, r->request->store_dir };
	const char *path = getenv("PATH"), *shell = getenv("SHELL");
	struct place place = { 0 };
	struct err e = ERR_INIT;
	struct buf b = BUF_INIT;

	signal(SIGINT, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	buf_addf(&b, "%s%s", folders, path ? path : "/usr/bin:/bin");
	setenv("PATH", b.p, 1);
	char *argv[] = { xstrdup(shell && *shell ? shell : "/bin/sh"), NULL };
	if (place_choose(&place, &request, &e)) {
		dprintf(2, "error: %s\n", e.msg);
		_exit(1);
	}
	_exit(store_view_exec(&place, argv));
}

void repl_shell(struct repl *r, const char *text)
{
	struct buf folders = BUF_GC;
	int status;

	if (!build(r, text, add_folder, &folders))
		return;
	progress_finish();
	pid_t pid = fork();
	if (pid < 0)
		throw_error(EK_IO, "cannot start a shell: %s", strerror(errno));
	if (pid == 0)
		become_shell(r, buf_str(&folders));
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	eval_interrupt_clear();
}

void repl_install(struct repl *r, const char *text)
{
	(void)r;
	(void)text;
	throw_error_hint(EK_EVAL, "':b' builds, ':u' starts a shell with what was built", "gx keeps no profiles to install into");
}
