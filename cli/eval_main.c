/* SPDX-License-Identifier: MIT
 *
 * A command line of gxeval from its first word to its exit status, for gxeval itself and for `gx eval`.
 *
 * The command line is read on the stack the system gives; everything that may recurse over what the
 * user wrote runs on a large, lazily mapped stack of its own, so that how deep an evaluation may go does
 * not depend on the shell's `ulimit -s`.
 */
#include "config.h"
#include "cli/eval_main.h"
#include "base/limits.h"
#include "base/mem.h"
#include "builtins/compiled.h"
#include "cli/eval_cmd.h"
#include "cli/eval_options.h"
#include "cli/options.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

struct job {
	struct eval_request request;
	char *stack_low;
	int status;
};

static void run(void *arg)
{
	struct job *j = arg;

	j->status = eval_cmd_run(&j->request, j->stack_low);
}

static void interrupted(int sig)
{
	static const char text[] = "\nerror: interrupted\n";

	(void)sig;
	ssize_t w = write(2, text, sizeof text - 1);
	(void)w;
	_exit(EXIT_INTERRUPTED);
}

void eval_interruptible(void)
{
	/* nohup and the like stay in force. */
	if (signal(SIGINT, SIG_IGN) != SIG_IGN)
		signal(SIGINT, interrupted);
}

/* GX_STACK_SIZE makes the stack small, for the tests of what happens at its end. */
size_t eval_stack_size(void)
{
	const char *s = getenv("GX_STACK_SIZE");
	size_t n = s ? strtoull(s, NULL, 10) : 0;

	return n >= 2 * LIMIT_EVAL_STACK_RESERVE ? n & ~(size_t)4095 : LIMIT_EVAL_STACK;
}

int eval_main(int argc, char **argv)
{
	struct job j = { .status = EXIT_FAILED };

	eval_interruptible();
	int go = 0, rc = eval_options_read(&j.request, argc, argv, &go);
	if (rc || !go)
		return rc;
	mem_init();
	mem_run_on_stack(eval_stack_size(), run, &j, &j.stack_low);
	compiled_save();
	return j.status;
}
