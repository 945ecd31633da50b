/* SPDX-License-Identifier: MIT
 *
 * A command line of gxeval from its first word to its exit status, for gxeval itself, `gx eval` and `gx repl`.
 */
#include "config.h"
#include "cli/eval_main.h"
#include "cli/eval_cache.h"
#include "cli/eval_cmd.h"
#include "cli/eval_options.h"
#include "cli/evaluation.h"
#include "cli/options.h"
#include "cli/signals.h"
#include "eval/eval.h"

static int run(void *request, char *stack_low)
{
	return eval_cmd_run(request, stack_low);
}

/* What puts something into a store does so each time. */
static int may_be_kept(const struct eval_request *r)
{
	return !r->want_store && !r->realise && !r->store && !r->store_dir;
}

static int answer(struct eval_request *r, enum eval_program as)
{
	const struct eval_question q = { .kind = as == EVAL_GXEVAL ? "gxeval" : "eval", .r = r, .pure = eval_settings.pure };
	struct eval_cache k;
	struct buf out = BUF_INIT;
	int status;

	if (!may_be_kept(r))
		return evaluation_on_stack(run, r);
	if (eval_cache_find(&k, &q)) {
		eval_cache_tell(&k);
		status = eval_cmd_print(r, k.answer);
		status = k.status ? k.status : status;
	} else {
		r->printed = &out;
		status = evaluation_on_stack(run, r);
		eval_cache_keep(&k, status, (struct slice){ buf_str(&out), out.len });
	}
	eval_cache_end(&k);
	buf_release(&out);
	return status;
}

static int run_command_line(int argc, char **argv, enum eval_program as)
{
	int repl = as == EVAL_GX_REPL, go = 0;
	struct eval_request r = { .repl = repl, .want_store = repl };

	signals_push(SIGNALS_INTERRUPT, signals_exit);
	int rc = eval_options_read(&r, as, argc, argv, &go);
	return rc || !go ? rc : answer(&r, as);
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
