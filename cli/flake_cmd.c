/* SPDX-License-Identifier: MIT
 *
 * Results of verbs that evaluate are printed when the evaluation is over and succeeded.
 */
#include "config.h"
#include "cli/flake_cmd.h"
#include "cli/eval_cache.h"
#include "cli/eval_cmd.h"
#include "cli/evaluation.h"
#include "cli/output.h"
#include "cli/report.h"
#include "eval/eval.h"
#include "flake/source.h"

int flake_cmd_option(struct flake_cmd *f, int id, char **values)
{
	if (id >= VALUE_OPTION_FIRST && id < VALUE_OPTION_LAST)
		return value_options_take(f->c.program, &f->eval, id, values);
	switch (id) {
	case FLAKE_CMD_LEGACY: f->legacy = 1; break;
	case FLAKE_CMD_ALL_SYSTEMS: f->all_systems = 1; break;
	default: flake_options_take(&f->eval.flake_options, id, values);
	}
	return 0;
}

static int on_option(void *arg, int id, char **values)
{
	return flake_cmd_option(arg, id, values);
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

void flake_cmd_note(const struct locked_flake *lf)
{
	const char *text = flake_not_for_nix(lf->flake);

	if (text && !report_settings.quiet)
		report_line("note: %s", text);
}

/* --- running --- */

struct job {
	struct flake_cmd *f;
	void (*fn)(struct flake_cmd *f, struct buf *out);
	struct buf out; /* of malloc: outlives the evaluator */
};

static void call(void *arg)
{
	struct job *j = arg;
	struct buf out = BUF_GC;

	j->fn(j->f, &out);
	buf_add(&j->out, buf_str(&out), out.len);
	/* It may show errors. */
	source_show_places(&j->out);
}

/* What is printed, evaluated anew or as it was kept. */
static int answer(struct flake_cmd *f, struct job *j)
{
	const char *const words[] = { flake_cmd_ref(f), f->c.json ? "--json" : "", f->legacy ? "--legacy" : "",
				      f->all_systems ? "--all-systems" : "" };
	const struct eval_question q = { f->kept, &f->eval, NULL, words, sizeof words / sizeof *words,
					 !f->eval.flake_options.impure };
	struct eval_cache k;
	struct buf bytes = BUF_INIT;
	int status;

	if (eval_cache_find(&k, &q)) {
		eval_cache_tell(&k);
		status = k.status;
		f->failed = k.answer.n && *k.answer.p;
		if (k.answer.n)
			buf_add(&j->out, k.answer.p + 1, k.answer.n - 1);
	} else {
		status = evaluation_run(&f->eval, !f->eval.flake_options.impure, call, j);
		buf_addc(&bytes, f->failed != 0);
		buf_add(&bytes, buf_str(&j->out), j->out.len);
		eval_cache_keep(&k, status, (struct slice){ bytes.p, bytes.len });
		buf_release(&bytes);
	}
	eval_cache_end(&k);
	return status;
}

int flake_cmd_evaluate(struct flake_cmd *f, void (*fn)(struct flake_cmd *f, struct buf *out))
{
	struct job j = { f, fn, BUF_INIT };
	int status;

	f->eval.store = f->c.request.store;
	f->eval.store_dir = f->c.request.store_dir;
	/* What puts something into a store does so each time. */
	int may_be_kept = f->kept && !f->eval.store && !f->eval.store_dir;
	status = may_be_kept ? answer(f, &j) : evaluation_run(&f->eval, !f->eval.flake_options.impure, call, &j);
	if (!status && j.out.len)
		status = output_show(j.out.p, j.out.len);
	buf_release(&j.out);
	return status;
}

int flake_cmd_run(struct flake_cmd *f, void (*fn)(struct flake_cmd *f, struct buf *out))
{
	int status = flake_cmd_evaluate(f, fn);

	return command_end(&f->c, status ? status : f->failed ? EXIT_FAILED : EXIT_DONE);
}
