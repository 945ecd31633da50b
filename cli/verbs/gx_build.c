/* SPDX-License-Identifier: MIT
 *
 * gx build: makes outputs of derivations valid and leaves links to them.
 *
 * Operands that name flakes ("FLAKE#ATTR", ".") are evaluated first and stand for the derivations they come to.  Others are
 * named as Nix does: "/nix/store/….drv^out,dev", "….drv^*" for all outputs, the same without ^, or a
 * store path that exists.  Each output gets a link, result for the first, -N for the others in order, and
 * -OUTPUT for outputs that are not "out"; the links are roots, so a collector leaves the outputs alone as long as
 * the links are there.
 *
 * An interrupt is a byte in a pipe that the build loop watches: builders are killed and their folders removed
 * before the program ends.
 */
#include "config.h"
#include "base/alloc.h"
#include "cache/fill.h"
#include "cli/build_options.h"
#include "cli/command.h"
#include "cli/installable.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/project.h"
#include "cli/realise.h"
#include "cli/report.h"
#include "cli/value_options.h"
#include "cli/verb.h"
#include "store/profile.h"
#include "store/roots.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { O_OUT_LINK = BUILD_OPTION_LAST, O_NO_LINK, O_PRINT_PATHS, O_PUSH, O_PROFILE, O_STDIN };

struct request {
	struct build_options build;
	struct eval_request eval;
	const char *link; /* NULL: none */
	struct store_path linked; /* what the link without a number leads to */
	int print_paths, from_stdin;
	const char *profile; /* its newest generation will be what was built; NULL: none */
	const char *push; /* a binary cache that gets the outputs; NULL: none */
};

static const struct option options[] = {
	{ O_OUT_LINK, 'o', "out-link", "NAME", "Call the links NAME instead of result." },
	{ O_NO_LINK, 0, "no-link", NULL, "Make no links: nothing keeps the outputs afterwards." },
	{ O_PRINT_PATHS, 0, "print-out-paths", NULL, "Print the paths of the outputs." },
	{ O_PUSH, 0, "push", "URL", "Copy the outputs, with all they refer to, to a binary cache; see gx copy." },
	{ O_PROFILE, 0, "profile", "PATH", "Make the output the newest generation of a profile." },
	{ O_STDIN, 0, "stdin", NULL, "Take more operands from standard input, one a line; without any nothing is built." },
	OPTION_JSON,
	{ 0 }
};

static const struct option_group groups[] = { { "Options", options },
					      { "What to evaluate", value_option_table },
					      { "Flakes", flake_option_table },
					      { "Building", build_option_table },
					      { "The store", command_store_options },
					      { NULL, NULL } };

static const struct program program = {
	"gx build", "build packages and derivations",
	"gx build [options] [FLAKE[#ATTR][^OUTPUT,...] | FILE] ...\ngx build [options] -f FILE [ATTR[^OUTPUT,...]] ...\n"
	"gx build [options] DRV[^OUTPUT,...] ...",
	"Without operands the default package of the flake here, or default.gx or default.nix where there is none. ^* is "
	"all outputs, as DRV alone. Exit status 100: a build failed; 101: one took too long; 102: one is not what its hash "
	"says; 104: one that was built once more came out different.",
	groups
};

static int on_option(void *arg, int id, char **values)
{
	struct request *r = arg;

	switch (id) {
	case O_OUT_LINK: r->link = values[0]; return 0;
	case O_NO_LINK: r->link = NULL; return 0;
	case O_PRINT_PATHS: r->print_paths = 1; return 0;
	case O_STDIN: r->from_stdin = 1; return 0;
	case O_PUSH: r->push = values[0]; return 0;
	case O_PROFILE: r->profile = values[0]; return 0;
	}
	if (id >= VALUE_OPTION_FIRST && id < VALUE_OPTION_LAST)
		return value_options_take(&program, &r->eval, id, values);
	if (id < FLAKE_OPTION_FIRST || id >= FLAKE_OPTION_LAST)
		return build_options_take(&r->build, id, values);
	flake_options_take(&r->eval.flake_options, id, values);
	return 0;
}

/* --- what is evaluated --- */

/* The operands that are, and what they came to. */
struct evaluated {
	char **words;
	struct installable *v;
	size_t n;
};

/* Returns 0 or an exit status. */
static int evaluate(struct command *c, struct request *r, struct evaluated *x)
{
	size_t n = 0;

	x->words = xcalloc(c->n + 1, sizeof *x->words);
	for (size_t i = 0; i < c->n; i++)
		if (installable_is_evaluated(&r->eval, c->operands[i]))
			x->words[n++] = c->operands[i];
	x->n = c->n ? n : 1; /* or the folder here */
	x->v = xcalloc(x->n, sizeof *x->v);
	return x->n ? installables_eval(&r->eval, c->store, x->words, n, FLAKE_WANT_PACKAGE, x->v) : 0;
}

static void evaluated_release(struct evaluated *x)
{
	for (size_t i = 0; i < x->n; i++)
		installable_release(&x->v[i]);
	free(x->v);
	free(x->words);
}

/* --- what to build --- */

struct item {
	struct store_path path; /* an object that is no derivation; len 0: */
	size_t target;		/* index of a derivation in targets */
};

/* What the operands stand for, in their order: one item each, but for those that are evaluated, which may come to
 * several. */
struct wanted {
	struct build_targets targets;
	struct item *items;
	size_t n, cap;
};

static struct item *add_item(struct wanted *w)
{
	ARRAY_GROW(w->items, w->n + 1, w->cap);
	w->items[w->n] = (struct item){ .target = w->targets.n };
	return &w->items[w->n++];
}

static void wanted_release(struct wanted *w)
{
	build_targets_release(&w->targets);
	free(w->items);
}

static void add_installable(struct wanted *w, const struct installable *i)
{
	if (i->path.len)
		add_item(w)->path = i->path;
	for (size_t k = 0; k < i->targets.n; k++) {
		const struct build_target *t = &i->targets.v[k];

		add_item(w);
		build_targets_add(&w->targets, &t->drv, t->outputs, t->noutputs);
	}
}

static int read_operand(struct command *c, char *word, struct wanted *w, struct err *e)
{
	struct item *item = add_item(w);

	return build_targets_read(&w->targets, c->store, word, &item->path, e);
}

static int read_operands(struct command *c, const struct evaluated *x, struct wanted *w, struct err *e)
{
	size_t k = 0;
	int rc = 0;

	for (size_t i = 0; i < c->n && !rc; i++)
		if (k < x->n && x->words[k] == c->operands[i])
			add_installable(w, &x->v[k++]);
		else
			rc = read_operand(c, c->operands[i], w, e);
	if (!c->n)
		add_installable(w, x->v);
	return rc;
}

/* --- results --- */

static int add_link(struct command *c, struct request *r, size_t item, const char *output,
		    const struct store_path *p, struct err *e)
{
	struct buf name = BUF_INIT;
	int rc;

	if (!r->link || r->build.dry_run)
		return 0;
	buf_adds(&name, r->link);
	if (!item && (!output || !strcmp(output, "out")))
		r->linked = *p;
	if (item)
		buf_addf(&name, "-%zu", item);
	if (output && strcmp(output, "out"))
		buf_addf(&name, "-%s", output);
	rc = store_add_root_link(c->store, buf_str(&name), p, e);
	buf_release(&name);
	return rc;
}

static void add_json_output(struct command *c, struct buf *b, const struct build_output *o, int first)
{
	buf_addf(b, "%s\"%s\":\"", first ? "" : ",", o->name);
	store_add_path(c->store, b, &o->path);
	buf_addc(b, '"');
}

/* Links and text for one item. */
static int finish_item(struct command *c, struct request *r, const struct wanted *w, size_t i,
		       const struct build_result *res, struct buf *b, struct err *e)
{
	const struct item *item = &w->items[i];
	int rc = 0, first = 1;

	if (c->json)
		buf_addc(b, i ? ',' : '[');
	if (item->path.len) {
		if (c->json)
			buf_adds(b, "\"");
		if (c->json || r->print_paths)
			store_add_path(c->store, b, &item->path);
		buf_adds(b, c->json ? "\"" : r->print_paths ? "\n" : "");
		return add_link(c, r, i, NULL, &item->path, e);
	}
	if (c->json) {
		buf_adds(b, "{\"drvPath\":\"");
		store_add_path(c->store, b, &w->targets.v[item->target].drv);
		buf_adds(b, "\",\"outputs\":{");
	}
	for (size_t k = 0; k < res->n && !rc; k++) {
		if (res->v[k].target != item->target)
			continue;
		if (c->json) {
			add_json_output(c, b, &res->v[k], first);
		} else if (r->print_paths) {
			store_add_path(c->store, b, &res->v[k].path);
			buf_addc(b, '\n');
		}
		first = 0;
		rc = add_link(c, r, i, res->v[k].name, &res->v[k].path, e);
	}
	if (c->json)
		buf_adds(b, "}}");
	return rc;
}

/* In a store of one's own the link leads to a name that only gx's own shells know. */
static void say_where(struct command *c, const struct request *r)
{
	struct buf real = BUF_INIT;

	if (!r->linked.len || c->json || progress_settings.quiet || c->place.mode != PLACE_USER)
		return;
	store_add_real_path(c->store, &real, &r->linked);
	report_line("note: '%s' leads to '%s', which only gx's own shells have; it lies in '%s'", r->link, c->place.store_dir,
		    real.p);
	buf_release(&real);
}

/* What was built goes to others as well. */
static int push(struct command *c, const struct request *r, const struct build_result *res, struct err *e)
{
	const struct fill_options o = { .cancel_fd = r->build.settings.cancel_fd };
	struct path_set paths = PATH_SET_INIT;
	struct fill_result result;
	int rc = 0;

	if (!r->push || r->build.dry_run)
		return 0;
	for (size_t i = 0; !rc && i < res->n; i++)
		rc = store_closure(c->store, &res->v[i].path, 0, &paths, e);
	rc = rc ? rc : cache_fill(c->store, r->push, &paths, &o, &result, e);
	path_set_release(&paths);
	if (!rc && !progress_settings.quiet)
		report_line("%zu copied to '%.*s', %zu there already", result.copied, (int)strcspn(r->push, "?"), r->push,
			    result.present);
	return rc;
}

static int set_profile(struct command *c, const struct request *r, const struct wanted *w, const struct build_result *res,
		       struct err *e)
{
	int is_object = w->n == 1 && w->items[0].path.len;

	if (!r->profile || r->build.dry_run)
		return 0;
	if (w->n != 1 || (!is_object && res->n != 1))
		return err_set(e, ERR_INVALID, "a profile leads to one object: name one package, and one output of it");
	return profile_install(c->store, r->profile, is_object ? &w->items[0].path : &res->v[0].path, e);
}

static int build(struct command *c, struct request *r, const struct wanted *w, struct buf *out, struct err *e)
{
	struct build_result res = { NULL, 0, 0 };
	int rc = realise(c->store, &r->build, &w->targets, &res, e);

	for (size_t i = 0; i < w->n && !rc; i++)
		rc = finish_item(c, r, w, i, &res, out, e);
	rc = rc ? rc : set_profile(c, r, w, &res, e);
	rc = rc ? rc : push(c, r, &res, e);
	if (!rc)
		say_where(c, r);
	if (c->json && !rc)
		buf_adds(out, w->n ? "]\n" : "[]\n");
	build_result_release(&res);
	return rc;
}

int build_run(int argc, char **argv)
{
	struct request r = { .link = "result" };
	struct command c = { .program = &program, .option = on_option, .arg = &r };
	struct wanted w = { { NULL, 0, 0 }, NULL, 0, 0 };
	struct evaluated x = { NULL, NULL, 0 };
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;
	int rc;

	build_options_init(&r.build);
	r.eval.build = &r.build;
	rc = command_read(&c, argc, argv, 0, 0, "packages or derivations");
	if (rc != COMMAND_GO)
		return rc;
	if (r.from_stdin && command_add_stdin(&c))
		return command_end(&c, EXIT_FAILED);
	if (r.from_stdin && !c.n)
		return command_end(&c, c.json ? output_show("[]\n", 3) : EXIT_DONE);
	rc = command_open(&c, 0);
	progress_begin();
	if (!rc)
		rc = evaluate(&c, &r, &x);
	if (!rc && (read_operands(&c, &x, &w, &e) || build(&c, &r, &w, &out, &e)))
		rc = build_options_status(&r.build, &e);
	progress_finish();
	if (!rc && out.len)
		rc = command_print(&out);
	evaluated_release(&x);
	wanted_release(&w);
	buf_release(&out);
	return command_end(&c, rc);
}
