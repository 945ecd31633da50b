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

static int run_command_line(int argc, char **argv, int repl)
{
	struct eval_request r = { .repl = repl, .want_store = repl };
	int go = 0;

	signals_push(SIGNALS_INTERRUPT, signals_exit);
	int rc = eval_options_read(&r, argc, argv, &go);
	return rc || !go ? rc : evaluation_on_stack(run, &r);
}

int eval_main(int argc, char **argv)
{
	return run_command_line(argc, argv, 0);
}

int repl_main(int argc, char **argv)
{
	return run_command_line(argc, argv, 1);
}
