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
#include "cli/kept_drvs.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/signals.h"
#include "cli/view.h"
#include "eval/eval.h"

static int run(void *request, char *stack_low)
{
	return eval_cmd_run(request, stack_low);
}

/* Those that print: evaluated, or as it was kept. */
static int answer(struct eval_request *r, const struct eval_question *q)
{
	struct eval_cache k;
	struct buf out = BUF_INIT;
	int status;

	if (eval_cache_find(&k, q)) {
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

/* --- derivations, which are written into a store --- */

static int find_derivations(struct eval_cache *k, const struct eval_question *q, struct store *s, struct build_targets *targets,
			    struct slice *text)
{
	struct slice rest;

	if (!eval_cache_find(k, q))
		return 0;
	rest = k->answer;
	if (!answer_take(&rest, text) && (k->status || !kept_drvs_take(&rest, s, targets))) {
		eval_cache_tell(k);
		return 1;
	}
	build_targets_release(targets);
	*targets = (struct build_targets){ NULL, 0, 0 };
	eval_cache_refuse(k, KEPT_GONE);
	return 0;
}

static int evaluate_derivations(struct eval_request *r, struct eval_cache *k, struct slice dir)
{
	struct buf out = BUF_INIT, kept = BUF_INIT;
	int status;

	r->printed = &out;
	status = evaluation_on_stack(run, r);
	answer_add(&kept, buf_str(&out), out.len);
	kept_drvs_add(&kept, r->targets, dir);
	eval_cache_keep(k, status, (struct slice){ kept.p, kept.len });
	buf_release(&out);
	buf_release(&kept);
	return status;
}

/* --realise: builds, and prints where it is. */
static int build(struct store *s, const struct build_targets *targets)
{
	struct build_result built = { NULL, 0, 0 };
	struct build_options o;
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;
	int status = EXIT_DONE;

	build_options_init(&o);
	if (realise(s, &o, targets, &built, &e))
		status = build_options_status(&o, &e);
	for (size_t i = 0; i < built.n; i++) {
		store_add_path(s, &out, &built.v[i].path);
		buf_addc(&out, '\n');
	}
	progress_finish();
	if (!status)
		status = output_write(buf_str(&out), out.len);
	buf_release(&out);
	build_result_release(&built);
	return status;
}

static int give_derivations(struct eval_request *r, struct eval_question *q, struct store *s)
{
	struct build_targets targets = { NULL, 0, 0 };
	struct eval_cache k;
	struct slice text;
	int status;

	r->open_store = s;
	r->targets = &targets;
	q->store = store_place(s)->real_store;
	if (find_derivations(&k, q, s, &targets, &text)) {
		status = eval_cmd_print(r, text);
		status = k.status ? k.status : status;
	} else {
		status = evaluate_derivations(r, &k, store_dir(s));
	}
	eval_cache_end(&k);
	if (!status && r->realise)
		status = build(s, &targets);
	build_targets_release(&targets);
	return status;
}

static void notice(void *user, const char *text)
{
	(void)user;
	if (!report_settings.quiet)
		report_line("note: %s", text);
}

static int with_store(struct eval_request *r, struct eval_question *q)
{
	const struct place_request request = { r->store, r->store_dir };
	struct store *s = NULL;
	struct err e = ERR_INIT;
	struct place place;
	int status = EXIT_FAILED;

	if (place_choose(&place, &request, &e)) {
		report_err(&e);
	} else if (view_open(&s, &place, 0, &e)) {
		report_err(&e);
		place_release(&place);
	} else {
		store_set_notice(s, notice, NULL);
		status = give_derivations(r, q, s);
		store_free(s);
		place_release(&place);
	}
	err_release(&e);
	return status;
}

static int answer_request(struct eval_request *r, enum eval_program as)
{
	struct eval_question q = { .kind = as == EVAL_GXEVAL ? "gxeval" : "eval", .r = r, .pure = eval_settings.pure };
	int derivations = r->form == OUTPUT_DRV_PATH && !r->repl;

	if (r->realise && eval_settings.read_only) {
		report_error("--realise builds, and --read-only forbids it");
		return EXIT_USAGE;
	}
	if (derivations && !eval_settings.read_only)
		return with_store(r, &q);
	/* What may put something into a store does so each time. */
	return r->store || r->store_dir || (r->want_store && !r->repl) ? evaluation_on_stack(run, r) : answer(r, &q);
}

static int run_command_line(int argc, char **argv, enum eval_program as)
{
	int repl = as == EVAL_GX_REPL, go = 0;
	/* 'nix eval' leaves in the store what it names, as Nix does. */
	struct eval_request r = { .repl = repl, .want_store = repl || (as == EVAL_GX_EVAL && place_obeys_environment()) };

	signals_push(SIGNALS_INTERRUPT, signals_exit);
	int rc = eval_options_read(&r, as, argc, argv, &go);
	/* nix eval copies no paths for JSON, nix-instantiate does. */
	if (as == EVAL_GX_EVAL && r.form == OUTPUT_JSON)
		r.form = OUTPUT_JSON_IN_PLACE;
	return rc || !go ? rc : answer_request(&r, as);
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
