/* SPDX-License-Identifier: MIT
 *
 * A run of gxeval: start the evaluator, find the value, pick its attributes, print.  Everything that can
 * throw happens inside one unwind_run; what is printed is collected on the way and written after it.
 */
#include "config.h"
#include "cli/eval_cmd.h"
#include "base/activity.h"
#include "base/json.h"
#include "base/source.h"
#include "cli/drv_paths.h"
#include "cli/dump.h"
#include "cli/eval_cache.h"
#include "cli/eval_store.h"
#include "cli/given.h"
#include "cli/options.h"
#include "cli/parse_cmd.h"
#include "cli/progress.h"
#include "cli/repl/repl.h"
#include "cli/realise.h"
#include "cli/report.h"
#include "cli/settings.h"
#include "cli/stats.h"
#include "cli/world.h"
#include "cli/write_to.h"
#include "eval/attrs.h"
#include "eval/builtin.h"
#include "eval/eval.h"
#include "eval/profile.h"
#include "fetch/trail.h"
#include "flake/call.h"
#include "flake/source.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A thousand samples a second: enough for a short run, and too few to slow it down. */
enum { PROFILE_INTERVAL_US = 1000 };

struct run {
	const struct eval_request *r;
	char cwd[PATH_MAX];
	struct buf out;
	size_t done; /* how much of out is whole results */
};

static void parse_and_print(struct run *k)
{
	parse_cmd(&k->out, given_source(k->r));
	k->done = k->out.len;
}

/* Prints a value, or notes down that it is to be built. */
static void give_one(struct run *k, W v, W args)
{
	/* A set that can be called is first of all a set: only given arguments make it a function. */
	if (W_TAG(v) != TAG_ATTRS || k->r->n_args)
		v = eval_auto_call(v, args);
	if (k->r->apply)
		v = call1(given_word(k->r->apply, "«apply»"), v);
	if (k->r->targets)
		drv_paths_add(k->r->targets, v, args, DRV_OUTPUT);
	if (k->r->write_to)
		write_to(k->r->write_to, v);
	else if (!k->r->realise)
		output_value(&k->out, v, k->r->form, args);
	k->done = k->out.len;
}

/* One that has a name. */
static void give_selected(struct run *k, W v, W args, struct attr_place *at)
{
	attr_place_note(at);
	give_one(k, v, args);
	note_pop();
}

static void print_flake(struct run *k, W args)
{
	const char *fragment;
	struct attr_place at;
	source_be_lazy();
	struct locked_flake *lf = flake_options_open(&k->r->flake_options, k->r->flake, &fragment);
	W outputs = flake_root_outputs(lf);

	if (!k->r->n_attrs)
		give_selected(k, flake_select(outputs, fragment, FLAKE_WANT_PACKAGE, k->r->flake, &at), args, &at);
	for (size_t i = 0; i < k->r->n_attrs; i++) {
		struct buf path = BUF_GC;
		buf_addf(&path, "%s%s%s", fragment, *fragment ? "." : "", k->r->attrs[i]);
		give_selected(k, flake_select(outputs, path.p, FLAKE_WANT_PACKAGE, k->r->flake, &at), args, &at);
	}
}

static void run(void *arg)
{
	struct run *k = arg;
	const struct eval_request *r = k->r;

	if (r->dump_builtins) {
		dump_builtins(&k->out, world_builtins);
		k->done = k->out.len;
		return;
	}
	if (r->parse_only) {
		parse_and_print(k);
		return;
	}
	flake_options_begin(&r->flake_options);
	W args = given_args(r);
	if (r->flake) {
		print_flake(k, args);
		return;
	}
	W root = given_value(r);
	if (!r->n_attrs)
		give_one(k, root, args);
	for (size_t i = 0; i < r->n_attrs; i++) {
		struct attr_place at;
		W v = eval_attr_path(root, r->attrs[i], args, &at);
		give_selected(k, v, args, &at);
	}
}

int eval_cmd_print(const struct eval_request *r, struct slice out)
{
	int json = r->form == OUTPUT_JSON || r->form == OUTPUT_JSON_IN_PLACE, data = json || r->form == OUTPUT_RAW;

	if (json && (r->pretty == PRETTY_YES || (r->pretty == PRETTY_TERMINAL && isatty(STDOUT_FILENO)))) {
		struct buf b = BUF_INIT;

		json_indent(&b, out);
		int rc = output_write(b.p, b.len);
		buf_release(&b);
		return rc;
	}
	return data ? output_write(out.p, out.n) : output_show(out.p, out.n);
}

/* What was made before the error of a later --attr is a result all the same. */
static int print_results(const struct run *k)
{
	struct slice out = { buf_str(&k->out), k->done };

	if (k->r->printed)
		buf_add(k->r->printed, out.p, out.n);
	return eval_cmd_print(k->r, out);
}

int eval_cmd_run(const struct eval_request *r, char *stack_low)
{
	struct run k = { .r = r, .out = BUF_GC };
	struct failure f;

	if (r->repl)
		return repl_run(r, stack_low);
	if (!getcwd(k.cwd, sizeof k.cwd)) {
		report_error("cannot tell the current directory: %s", strerror(errno));
		return EXIT_FAILED;
	}
	source_show_from(k.cwd);
	if (eval_store_start(r))
		return EXIT_FAILED;
	world_start(r, stack_low);
	if (r->profile)
		profile_start(PROFILE_INTERVAL_US);
	progress_begin();
	unsigned activity = activity_begin(ACTIVITY_EVALUATE, "");
	int ok = unwind_run(run, &k, &f, 1);
	int written = ok ? eval_store_write() : 0;
	activity_end(activity, !ok);
	/* Of the evaluation alone: building has a clock of its own. */
	int profiled = r->profile ? world_write_profile(r->profile, profile_stop) : EXIT_DONE;
	int ended = world_end();
	progress_finish();
	eval_store_end();
	if (written)
		trail_spoil("what it made could not be written");
	int status = written ? EXIT_FAILED : print_results(&k);
	if (r->flake)
		flake_options_notes();
	if (!ok) {
		report_failure(&f);
		eval_cache_failed(f.kind);
		status = report_status(&f);
	}
	if (r->stats)
		stats_print();
	return status ? status : profiled ? profiled : ended;
}
