/* SPDX-License-Identifier: MIT
 *
 * A command line of gxeval from its first word to its exit status, for gxeval itself, `gx eval` and `gx repl`.
 */
#include "config.h"
#include "cli/eval_main.h"
#include "cli/eval_cmd.h"
#include "cli/eval_options.h"
#include "cli/evaluation.h"
#include "cli/options.h"
#include "cli/signals.h"

static int run(void *request, char *stack_low)
{
	return eval_cmd_run(request, stack_low);
}

static int run_command_line(int argc, char **argv, enum eval_program as)
{
	int repl = as == EVAL_GX_REPL, go = 0;
	struct eval_request r = { .repl = repl, .want_store = repl };

	signals_push(SIGNALS_INTERRUPT, signals_exit);
	int rc = eval_options_read(&r, as, argc, argv, &go);
	return rc || !go ? rc : evaluation_on_stack(run, &r);
}

int gxeval_main(int argc, char **argv)
{
	return run_command_line(argc, argv, EVAL_GXEVAL);
}

int eval_main(int argc, char **argv)
{
	return run_command_line(argc, argv, EVAL_GX_EVAL);
}

int repl_main(int argc, char **argv)
{
	return run_command_line(argc, argv, EVAL_GX_REPL);
}
