/* SPDX-License-Identifier: MIT
 *
 * gx flake check: is everything that a flake provides in order?
 *
 * Every output is evaluated, also after one has failed; then the checks are built, all of them.
 */
#include "config.h"
#include "base/words.h"
#include "cli/drv_paths.h"
#include "cli/eval_cache.h"
#include "cli/flake_cmd.h"
#include "cli/given.h"
#include "cli/kept_drvs.h"
#include "cli/output_checks.h"
#include "cli/outputs.h"
#include "cli/progress.h"
#include "cli/realise.h"
#include "cli/report.h"
#include "cli/signals.h"
#include "eval/attrs.h"
#include "eval/builtin.h"
#include "eval/eval.h"
#include "flake/call.h"
#include "store/claims.h"
#include "store/roots.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { O_NO_BUILD = 50, O_OUT_LINK, O_PRINT_PATHS };

struct check {
	struct flake_cmd f; /* first: options get it */
	struct build_options build;
	struct build_targets checks;
	struct words names; /* of these: where they stand in the flake */
	const char *flake, *only; /* only: the name of one check, NULL for all */
	const char *link; /* NULL: none */
	int no_build, print_paths;
	int usual_ifd; /* nobody said whether derivations may be imported from */
	size_t good, bad;
};

static const struct option own_options[] = {
	{ O_NO_BUILD, 0, "no-build", NULL, "Only evaluate: the checks are not built." },
	{ O_OUT_LINK, 'o', "out-link", "NAME", "Make links to what was built: NAME, NAME-1 and so on." },
	{ O_PRINT_PATHS, 0, "print-out-paths", NULL, "Print the paths of what was built." },
	OPTION_ALL_SYSTEMS,
	{ 0 }
};

static const struct option_group groups[] = { { "Options", own_options },
					      FLAKE_CMD_GROUPS,
					      { "Building", build_option_table },
					      { "The store", command_store_options },
					      { NULL, NULL } };

static int on_option(void *arg, int id, char **values)
{
	struct check *c = arg;

	if (id >= BUILD_OPTION_FIRST && id < BUILD_OPTION_LAST)
		return build_options_take(&c->build, id, values);
	switch (id) {
	case O_NO_BUILD: c->no_build = 1; return 0;
	case O_OUT_LINK: c->link = values[0]; return 0;
	case O_PRINT_PATHS: c->print_paths = 1; return 0;
	}
	return flake_cmd_option(&c->f, id, values);
}

/* --- evaluating --- */

struct leaf {
	struct look l; /* first */
	struct check *c;
};

static void add_check(struct check *c, const struct spot *s)
{
	drv_paths_add(&c->checks, s->value, given_args(&c->f.eval), DRV_OUTPUTS_ALL);
	while (c->names.n < c->checks.n)
		words_addf(&c->names, "%s.%s.%s", s->name[0], s->name[1], s->name[2]);
}

static void check_leaf(void *arg)
{
	struct leaf *leaf = arg;
	struct look *l = &leaf->l;
	struct check *c = leaf->c;

	output_check_system(l->s);
	output_look(l);
	if (l->f.what == IS_LEAF)
		output_check(l->s);
	if (l->f.what != IS_LEAF || !l->f.type || strcmp(l->f.type, "derivation"))
		return;
	force(want_attr(l->s->value, "drvPath", "the derivation"));
	/* Those of other systems cannot be built here. */
	if (output_is(l->s, "checks") && l->s->n == 3 && !strcmp(l->s->name[1], eval_settings.system) && !c->no_build)
		add_check(c, l->s);
}

static void check_entry(void *user, struct spot *s, W *slot, int last)
{
	struct check *c = user;
	struct leaf leaf = { { s, slot, 0, c->f.all_systems, 0, { 0 } }, c };
	struct failure fail;

	(void)last;
	/* As Nix has it: jobs of Hydra build nothing to be evaluated, and neither does what is only evaluated. */
	if (c->usual_ifd)
		eval_settings.allow_ifd = c->no_build || output_is(s, "hydraJobs") ? 0 : -1;
	if (!unwind_run(check_leaf, &leaf, &fail, TRACE_ALL)) {
		struct buf path = BUF_GC;

		for (size_t i = 0; i < s->n; i++)
			buf_addf(&path, "%s%s", i ? "." : "", s->name[i]);
		c->bad++;
		report_line("checking '%s':", path.p);
		report_failure(&fail);
		eval_cache_failed(fail.kind);
	} else if (leaf.l.f.what == IS_SET) {
		outputs_walk(s, check_entry, c);
	} else if (leaf.l.f.what == IS_LEAF) {
		c->good++;
	}
}

/* The one check that is wanted. */
static void check_one(struct check *c, W outputs)
{
	struct spot s = { .name = { "checks", eval_settings.system, c->only }, .n = 3 };
	W *checks = attrs_find_c(outputs, "checks"), *here = NULL, *it = NULL;

	if (checks)
		here = attrs_find_c(want_attrs(force_at(checks), "the checks of a flake"), eval_settings.system);
	if (here)
		it = attrs_find_c(want_attrs(force_at(here), "the checks of a flake"), c->only);
	if (it) {
		check_entry(c, &s, it, 1);
		return;
	}
	struct buf names = BUF_GC;
	struct attrs *a = here ? attrs_of(force_at(here)) : NULL;

	for (uint32_t k = 0; a && k < a->n; k++)
		buf_addf(&names, "%s'%s'", k ? ", " : "", sym_name(a->sh->sym[attrs_order(a)[k]])->b);
	throw_error(EK_EVAL, "the flake '%s' has no check '%s' for %s; it has %s", c->flake, c->only, eval_settings.system,
		    names.len ? buf_str(&names) : "none");
}

static void evaluate(struct flake_cmd *cmd, struct buf *b)
{
	struct check *c = (struct check *)cmd;
	const char *fragment;
	const struct locked_flake *lf = flake_options_open(&cmd->eval.flake_options, c->flake, &fragment);
	struct spot s = { .n = 0, .value = want_attrs(flake_outputs(flake_call(lf)), "the outputs of a flake") };

	(void)b;
	flake_cmd_note(lf);
	if (*fragment)
		c->only = fragment;
	if (c->only)
		check_one(c, s.value);
	else
		outputs_walk(&s, check_entry, c);
}

/* --- kept for the next run --- */

static void add_answer(struct buf *b, const struct check *c)
{
	answer_add(b, &c->good, sizeof c->good);
	answer_add(b, &c->bad, sizeof c->bad);
	if (c->no_build)
		return;
	kept_drvs_add(b, &c->checks, store_dir(c->f.c.store));
	for (size_t i = 0; i < c->names.n; i++)
		answer_add(b, c->names.v[i], strlen(c->names.v[i]));
}

static int take_checks(struct slice *rest, struct check *c)
{
	struct slice name;

	if (kept_drvs_take(rest, c->f.c.store, &c->checks))
		return -1;
	while (c->names.n < c->checks.n) {
		if (answer_take(rest, &name))
			return -1;
		words_addf(&c->names, "%.*s", (int)name.n, name.p);
	}
	return 0;
}

static int take_size(struct slice *rest, size_t *out)
{
	struct slice s;

	if (answer_take(rest, &s) || s.n != sizeof *out)
		return -1;
	memcpy(out, s.p, sizeof *out);
	return 0;
}

static int find_answer(struct eval_cache *k, const struct eval_question *q, struct check *c)
{
	if (!eval_cache_find(k, q))
		return 0;
	struct slice rest = k->answer;
	if (!take_size(&rest, &c->good) && !take_size(&rest, &c->bad) &&
	    (c->no_build || !take_checks(&rest, c))) {
		eval_cache_tell(k);
		return 1;
	}
	build_targets_release(&c->checks);
	c->checks = (struct build_targets){ NULL, 0, 0 };
	words_release(&c->names);
	c->good = c->bad = 0;
	eval_cache_refuse(k, KEPT_GONE);
	return 0;
}

/* Evaluates, or takes what was kept. */
static int answer(struct check *c)
{
	const char *const words[] = { c->flake, c->only ? c->only : "", c->no_build ? "--no-build" : "",
				      c->f.all_systems ? "--all-systems" : "" };
	const struct store *s = c->f.c.store;
	const struct eval_question q = { "flake check", &c->f.eval, s ? store_place(s)->real_store : NULL, words,
					 sizeof words / sizeof *words, !c->f.eval.flake_options.impure };
	struct eval_cache k;
	struct buf bytes = BUF_INIT;
	int status;

	if (find_answer(&k, &q, c)) {
		/* As evaluation_run leaves it. */
		signals_push(SIGNALS_INTERRUPT, signals_exit);
		status = k.status;
	} else {
		status = flake_cmd_evaluate(&c->f, evaluate);
		add_answer(&bytes, c);
		eval_cache_keep(&k, status, (struct slice){ bytes.p, bytes.len });
	}
	eval_cache_end(&k);
	buf_release(&bytes);
	return status;
}

/* --- building --- */

/* Links and paths of what was built. */
static int give_results(const struct check *c, const struct build_result *built)
{
	struct buf paths = BUF_INIT, link = BUF_INIT;
	struct err e = ERR_INIT;
	int rc = 0;

	for (size_t i = 0; i < built->n && !rc; i++) {
		buf_trim(&link, 0);
		buf_adds(&link, c->link ? c->link : "");
		if (i)
			buf_addf(&link, "-%zu", i);
		store_add_path(c->f.c.store, &paths, &built->v[i].path);
		buf_addc(&paths, '\n');
		if (c->link)
			rc = store_add_root_link(c->f.c.store, buf_str(&link), &built->v[i].path, &e);
	}
	buf_release(&link);
	if (c->print_paths && !rc)
		return command_print(&paths);
	buf_release(&paths);
	return rc ? command_fail(&e) : EXIT_DONE;
}

/* Whether a check has all its outputs. */
static int is_built(struct store *s, const struct build_target *t)
{
	struct store_path p;
	struct drv d;
	int there = 1;

	if (store_read_drv(s, &t->drv, &d, NULL))
		return 0;
	for (size_t i = 0; there && i < d.noutputs; i++)
		there = !store_path_parse(store_dir(s), d.outputs[i].path, &p, NULL) && store_is_valid(s, &p, NULL) == 1;
	drv_release(&d);
	return there;
}

/* The errors were about derivations; people know their checks by other names. */
static void name_failed(const struct check *c)
{
	for (size_t i = 0; i < c->checks.n; i++)
		if (!is_built(c->f.c.store, &c->checks.v[i]))
			report_error("the check '%s' failed", c->names.v[i]);
}

static int build(struct check *c)
{
	struct build_result built = { NULL, 0, 0 };
	struct err e = ERR_INIT;
	int rc;

	if (!c->checks.n)
		return EXIT_DONE;
	/* One that fails says nothing of the others. */
	c->build.settings.keep_going = 1;
	if (!report_settings.quiet && !progress_settings.quiet)
		report_line("running %zu flake check%s", c->checks.n, c->checks.n == 1 ? "" : "s");
	rc = realise(c->f.c.store, &c->build, &c->checks, &built, &e) ? build_options_status(&c->build, &e) : EXIT_DONE;
	if (rc)
		name_failed(c);
	else
		rc = give_results(c, &built);
	build_result_release(&built);
	return rc;
}

static void say_result(const struct check *c, int built)
{
	const char *good = c->good == 1 ? " evaluates" : "s evaluate", *bad = c->bad == 1 ? "does" : "do";

	if (report_settings.quiet || progress_settings.quiet)
		return;
	if (!c->checks.n)
		report_line("note: %zu output%s, %zu %s not; nothing was built", c->good, good, c->bad, bad);
	else
		report_line("note: %zu output%s, %zu %s not; %zu check%s built%s", c->good, good, c->bad, bad, c->checks.n,
			    c->checks.n == 1 ? " was" : "s were", built ? ", not all of them with success" : "");
}

/* A word is a flake, or the name of a check of the flake here; by Nix's name one that a registry has. */
static void read_operand(struct check *c)
{
	const char *word = c->f.c.n ? c->f.c.operands[0] : ".";
	struct stat st;
	int is_check = !place_obeys_environment() && input_is_id(slice_of(word)) && stat(word, &st);

	c->flake = ".";
	if (!is_check && flake_options_is_flake(word))
		c->flake = word;
	else
		c->only = word;
}

int flake_check_run(int argc, char **argv)
{
	static const struct program program = { "gx flake check", "evaluate what a flake provides, build its checks",
						"gx flake check [options] [FLAKE[#NAME] | NAME]",
						"Every output for this system is evaluated and every check built, also after one "
						"has failed. NAME is one check. Exit status "
						"1: something does not evaluate, 100: a check failed.",
						groups };
	struct check c = { .f.c = { .program = &program, .option = on_option, .arg = &c } };
	int rc, status;

	build_options_init(&c.build);
	rc = command_read(&c.f.c, argc, argv, 0, 1, "at most one flake or check");
	if (rc != COMMAND_GO)
		return rc;
	read_operand(&c);
	if (!c.no_build && (rc = command_open(&c.f.c, 0)))
		return rc;
	c.f.eval.open_store = c.f.c.store;
	c.f.eval.build = &c.build;
	c.usual_ifd = eval_settings.allow_ifd < 0;
	progress_begin();
	rc = answer(&c);
	status = rc ? rc : build(&c);
	progress_finish();
	if (!rc)
		say_result(&c, status);
	build_targets_release(&c.checks);
	words_release(&c.names);
	return command_end(&c.f.c, status ? status : c.bad ? EXIT_FAILED : EXIT_DONE);
}
