/* SPDX-License-Identifier: MIT
 *
 * fn runs on a large stack that the collector looks at, and is over when evaluation_run returns: what it hands out is in
 * memory of its own.
 */
#include "config.h"
#include "cli/evaluation.h"
#include "base/mem.h"
#include "base/source.h"
#include "builtins/compiled.h"
#include "cli/eval_cmd.h"
#include "cli/eval_main.h"
#include "cli/eval_store.h"
#include "cli/report.h"
#include "cli/world.h"
#include "eval/eval.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

struct evaluation {
	const struct eval_request *r;
	void (*fn)(void *arg);
	void *arg;
	char *stack_low;
	int status;
};

static int evaluate(struct evaluation *v)
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
	world_start(v->r, v->stack_low);
	int ok = unwind_run(v->fn, v->arg, &f, 1);
	int written = ok ? eval_store_write() : 0;
	eval_store_end();
	flake_options_notes();
	if (ok)
		return written;
	report_failure(&f);
	return f.kind == EK_INTERRUPT ? EXIT_INTERRUPTED : EXIT_FAILED;
}

static void run(void *arg)
{
	struct evaluation *v = arg;

	v->status = evaluate(v);
}

int evaluation_run(const struct eval_request *r, int pure, void (*fn)(void *arg), void *arg)
{
	struct evaluation v = { .r = r, .fn = fn, .arg = arg, .status = EXIT_FAILED };

	eval_interruptible();
	eval_settings.pure = pure;
	mem_init();
	mem_run_on_stack(eval_stack_size(), run, &v, &v.stack_low);
	compiled_save();
	return v.status;
}
