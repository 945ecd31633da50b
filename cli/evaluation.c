/* SPDX-License-Identifier: MIT
 *
 * fn runs on a large stack that the collector looks at, and is over when evaluation_run returns: what it hands out is in
 * memory of its own.
 */
#include "config.h"
#include "cli/evaluation.h"
#include "base/activity.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/source.h"
#include "builtins/compiled.h"
#include "cli/eval_cache.h"
#include "cli/eval_cmd.h"
#include "cli/eval_store.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/signals.h"
#include "cli/world.h"
#include "eval/eval.h"
#include "fetch/trail.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct evaluation {
	const struct eval_request *r;
	void (*fn)(void *arg);
	void *arg;
};

static void begin(void *arg)
{
	const struct evaluation *v = arg;

	flake_options_begin(&v->r->flake_options);
	v->fn(v->arg);
}

static int evaluate(struct evaluation *v, char *stack_low)
{
	static char cwd[PATH_MAX];
	struct failure f;

	if (!getcwd(cwd, sizeof cwd)) {
		report_error("cannot tell the current directory: %s", strerror(errno));
		return EXIT_FAILED;
	}
	source_show_from(cwd);
	if (eval_store_start(v->r))
		return EXIT_FAILED;
	world_start(v->r, stack_low);
	progress_begin();
	unsigned activity = activity_begin(ACTIVITY_EVALUATE, "");
	int ok = unwind_run(begin, v, &f, 1);
	int written = ok ? eval_store_write() : 0;
	activity_end(activity, !ok);
	int ended = world_end();
	progress_end();
	eval_store_end();
	flake_options_notes();
	if (written)
		trail_spoil("what it made could not be written");
	if (ok)
		return written ? written : ended;
	report_failure(&f);
	eval_cache_failed(f.kind);
	return report_status(&f);
}

static int run(void *arg, char *stack_low)
{
	return evaluate(arg, stack_low);
}

int evaluation_run(const struct eval_request *r, int pure, void (*fn)(void *arg), void *arg)
{
	struct evaluation v = { r, fn, arg };

	/* Also for what the program does afterwards. */
	signals_push(SIGNALS_INTERRUPT, signals_exit);
	eval_settings.pure = pure;
	return evaluation_on_stack(run, &v);
}

/* --- the stack --- */

struct job {
	int (*fn)(void *arg, char *stack_low);
	void *arg;
	char *stack_low;
	int status;
};

static void run_job(void *arg)
{
	struct job *j = arg;

	j->status = j->fn(j->arg, j->stack_low);
}

/* GX_STACK_SIZE makes the stack small, for the tests of what happens at its end. */
static size_t stack_size(void)
{
	const char *s = getenv("GX_STACK_SIZE");
	size_t n = s ? strtoull(s, NULL, 10) : 0;

	return n >= 2 * LIMIT_EVAL_STACK_RESERVE ? n & ~(size_t)4095 : LIMIT_EVAL_STACK;
}

int evaluation_on_stack(int (*fn)(void *arg, char *stack_low), void *arg)
{
	struct job j = { .fn = fn, .arg = arg, .status = EXIT_FAILED };

	mem_init();
	mem_run_on_stack(stack_size(), run_job, &j, &j.stack_low);
	compiled_save();
	return j.status;
}
