/* SPDX-License-Identifier: MIT
 *
 * Verbs of gx that evaluate run as gxeval does; see cli/eval_cmd.c.
 */
#include "config.h"
#include "cli/flake_cmd.h"
#include "base/mem.h"
#include "base/source.h"
#include "cli/eval_cmd.h"
#include "cli/eval_main.h"
#include "cli/eval_store.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/settings.h"
#include "cli/world.h"
#include "eval/eval.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { O_ALL_SYSTEMS = 1, O_LEGACY, O_TRACE, O_NO_BUILD };

static const struct option own_options[] = {
	OPTION_JSON,
	{ O_LEGACY, 0, "legacy", NULL, "Show legacyPackages as well." },
	{ O_ALL_SYSTEMS, 0, "all-systems", NULL, NULL },
	{ O_NO_BUILD, 0, "no-build", NULL, NULL },
	{ O_TRACE, 0, "show-trace", NULL, "Show the whole trace of an error." },
	{ 0 }
};

const struct option_group flake_cmd_groups[] = { { "Options", own_options },
						 { "Flakes", flake_option_table },
						 { "The store", command_store_options },
						 { NULL, NULL } };

static int on_option(void *arg, int id, char **values)
{
	struct flake_cmd *f = arg;

	switch (id) {
	case O_LEGACY: f->legacy = 1; break;
	case O_ALL_SYSTEMS: f->all_systems = 1; break;
	case O_NO_BUILD: break;
	case O_TRACE: eval_settings.show_trace = report_settings.full_trace = 1; break;
	default: flake_options_take(&f->flake, id, values);
	}
	return 0;
}

int flake_cmd_read(struct flake_cmd *f, const struct program *p, int argc, char **argv, size_t max, const char *what)
{
	f->c.program = p;
	f->c.option = on_option;
	f->c.arg = f;
	return command_read(&f->c, argc, argv, 0, max, what);
}

const char *flake_cmd_ref(const struct flake_cmd *f)
{
	return f->c.n ? f->c.operands[0] : ".";
}

/* --- running --- */

struct job {
	struct flake_cmd *f;
	void (*fn)(struct flake_cmd *f, struct buf *out);
	struct buf out;
	char *stack_low;
	int status;
};

static void call(void *arg)
{
	struct job *j = arg;

	j->fn(j->f, &j->out);
}

static int evaluate(struct job *j)
{
	const struct eval_request r = { .store = j->f->c.request.store, .store_dir = j->f->c.request.store_dir };
	/* A copy on this stack, which the collector looks at. */
	struct job own = *j;
	static char cwd[PATH_MAX];
	struct failure f;

	if (!getcwd(cwd, sizeof cwd)) {
		report_error("cannot tell the current directory: %s", strerror(errno));
		return EXIT_FAILED;
	}
	source_show_from(cwd);
	if (eval_store_start(&r))
		return EXIT_FAILED;
	world_start(&r, j->stack_low);
	own.out = (struct buf)BUF_GC;
	int ok = unwind_run(call, &own, &f, 1);
	int written = ok ? eval_store_write() : 0;
	eval_store_end();
	flake_options_notes();
	if (!ok) {
		report_failure(&f);
		return f.kind == EK_INTERRUPT ? EXIT_INTERRUPTED : EXIT_FAILED;
	}
	int status = own.out.len ? output_write(own.out.p, own.out.len) : EXIT_DONE;
	return status ? status : written || j->f->failed ? EXIT_FAILED : EXIT_DONE;
}

static void run(void *arg)
{
	struct job *j = arg;

	j->status = evaluate(j);
}

int flake_cmd_run(struct flake_cmd *f, void (*fn)(struct flake_cmd *f, struct buf *out))
{
	struct job j = { .f = f, .fn = fn, .status = EXIT_FAILED };

	settings_defaults();
	eval_settings.pure = !f->flake.impure;
	mem_init();
	mem_run_on_stack(eval_stack_size(), run, &j, &j.stack_low);
	return command_end(&f->c, j.status);
}
