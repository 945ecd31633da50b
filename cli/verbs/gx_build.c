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
#include "cli/build_options.h"
#include "cli/build_progress.h"
#include "cli/command.h"
#include "cli/installable.h"
#include "cli/project.h"
#include "cli/report.h"
#include "cli/value_options.h"
#include "cli/verb.h"
#include "build/build.h"
#include "store/roots.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { O_OUT_LINK = BUILD_OPTION_LAST, O_NO_LINK, O_PRINT_PATHS };

struct request {
	struct build_options build;
	struct eval_request eval;
	const char *link; /* NULL: none */
	int print_paths;
};

static const struct option options[] = {
	{ O_OUT_LINK, 'o', "out-link", "NAME", "Call the links NAME instead of result." },
	{ O_NO_LINK, 0, "no-link", NULL, "Make no links: nothing keeps the outputs afterwards." },
	{ O_PRINT_PATHS, 0, "print-out-paths", NULL, "Print the paths of the outputs." },
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
	"Without operands the default package of the flake here, or default.gx or default.nix where there is none. ^* is all outputs, "
	"as DRV alone. Exit status 100: a build failed.",
	groups
};

static int on_option(void *arg, int id, char **values)
{
	struct request *r = arg;

	switch (id) {
	case O_OUT_LINK: r->link = values[0]; return 0;
	case O_NO_LINK: r->link = NULL; return 0;
	case O_PRINT_PATHS: r->print_paths = 1; return 0;
	}
	if (id >= VALUE_OPTION_FIRST && id < VALUE_OPTION_LAST)
		return value_options_take(&program, &r->eval, id, values);
	if (id < FLAKE_OPTION_FIRST || id >= FLAKE_OPTION_LAST)
		return build_options_take(&r->build, id, values);
	flake_options_take(&r->eval.flake_options, id, values);
	return 0;
}

/* --- flakes --- */

static void add_operand(struct command *c, char *word)
{
	c->operands = xrealloc_array(c->operands, c->n + 1, sizeof *c->operands);
	c->operands[c->n++] = word;
}

/* The derivations of an installable as operands: "drv^output". The texts live as long as the installable. */
static void add_drvs(struct command *c, struct installable *i)
{
	struct buf b = BUF_INIT;

	for (const char *p = i->drvs; *p; p++)
		if (*p == '\n')
			buf_addc(&b, 0);
		else
			buf_addc(&b, *p == '!' ? '^' : *p);
	free(i->drvs);
	size_t len = b.len;
	i->drvs = len ? buf_detach(&b, NULL) : NULL;
	for (size_t at = 0; at < len; at += strlen(i->drvs + at) + 1)
		add_operand(c, i->drvs + at);
}

static int is_evaluated(const struct request *r, const char *word)
{
	return value_options_given(&r->eval) || flake_options_is_flake(word) || project_is_file(word);
}

/* Evaluates the operands that are flakes and puts derivations in their places.  Returns 0 or an exit status; *out: what they
 * came to, to be released after the operands' last use. */
static int evaluate_flakes(struct command *c, struct request *r, struct installable **out, size_t *nout)
{
	char **words = c->operands, **refs;
	size_t n = c->n, k = 0;
	int rc;

	refs = xcalloc(n + 1, sizeof *refs);
	for (size_t i = 0; i < n; i++)
		if (is_evaluated(r, words[i]))
			refs[(*nout)++] = words[i];
	*out = xcalloc(*nout + 1, sizeof **out);
	rc = *nout || !n ? installables_eval(&r->eval, c->store, refs, *nout, FLAKE_WANT_PACKAGE, *out) : 0;
	*nout += !n;
	c->operands = NULL;
	c->n = 0;
	for (size_t i = 0; i < n && !rc; i++)
		if (k < *nout && refs[k] == words[i])
			add_drvs(c, &(*out)[k++]);
		else
			add_operand(c, words[i]);
	if (!n && !rc)
		add_drvs(c, *out);
	free(refs);
	free(words);
	return rc;
}

/* --- what to build --- */

struct wanted {
	struct build_target *v; /* derivations */
	size_t n;
	struct store_path *paths; /* by operand: objects that are no derivation; len 0 otherwise */
	size_t *target;		  /* by operand: index in v */
};

/* "a,b" as slices. */
static void split_outputs(char *text, struct build_target *t)
{
	size_t n = 1;
	struct slice *v;

	for (char *p = text; *p; p++)
		n += *p == ',';
	v = xcalloc(n, sizeof *v);
	t->noutputs = 0;
	for (char *p, *rest = text; (p = strtok_r(rest, ",", &rest));)
		v[t->noutputs++] = slice_of(p);
	t->outputs = v;
}

static int read_operand(struct command *c, size_t i, struct wanted *w, struct err *e)
{
	char *hat = strrchr(c->operands[i], '^');
	struct build_target *t = &w->v[w->n];
	int rc, valid;

	if (hat)
		*hat++ = 0;
	rc = store_resolve(c->store, c->operands[i], &t->drv, NULL, e);
	if (rc)
		return rc;
	if (store_path_is_drv(&t->drv)) {
		if (hat && strcmp(hat, "*"))
			split_outputs(hat, t);
		if (hat && !*hat)
			return err_set(e, ERR_INVALID, "'%s^' names no output", c->operands[i]);
		w->target[i] = w->n++;
		return 0;
	}
	if (hat)
		return err_set(e, ERR_INVALID, "'%s' is not a derivation: it has no outputs", c->operands[i]);
	w->paths[i] = t->drv;
	valid = store_add_temp_root(c->store, &t->drv, e);
	valid = valid ? valid : store_is_valid(c->store, &t->drv, e);
	return valid < 0 ? valid : valid ? 0 : err_set(e, ERR_NOTFOUND, "path '%s' is not valid", c->operands[i]);
}

/* --- results --- */

static int add_link(struct command *c, const struct request *r, size_t operand, const char *output,
		    const struct store_path *p, struct err *e)
{
	struct buf name = BUF_INIT;
	int rc;

	if (!r->link || r->build.dry_run)
		return 0;
	buf_adds(&name, r->link);
	if (operand)
		buf_addf(&name, "-%zu", operand);
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

/* Links and text for one operand. */
static int finish_operand(struct command *c, const struct request *r, const struct wanted *w, size_t i,
			  const struct build_result *res, struct buf *b, struct err *e)
{
	int rc = 0, first = 1;

	if (c->json)
		buf_addc(b, i ? ',' : '[');
	if (w->paths[i].len) {
		if (c->json)
			buf_adds(b, "\"");
		if (c->json || r->print_paths)
			store_add_path(c->store, b, &w->paths[i]);
		buf_adds(b, c->json ? "\"" : r->print_paths ? "\n" : "");
		return add_link(c, r, i, NULL, &w->paths[i], e);
	}
	if (c->json) {
		buf_adds(b, "{\"drvPath\":\"");
		store_add_path(c->store, b, &w->v[w->target[i]].drv);
		buf_adds(b, "\",\"outputs\":{");
	}
	for (size_t k = 0; k < res->n && !rc; k++) {
		if (res->v[k].target != w->target[i])
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

static int build(struct command *c, struct request *r, struct wanted *w, struct buf *out, struct err *e)
{
	struct build_result res = { NULL, 0, 0 };
	struct build_progress progress;
	int rc = 0;

	for (size_t i = 0; i < c->n && !rc; i++)
		rc = read_operand(c, i, w, e);
	if (rc)
		return rc;
	build_progress_init(&progress, store_dir(c->store));
	build_options_apply(&r->build, &progress);
	rc = build_realise(c->store, &r->build.settings, w->v, w->n, &res, e);
	build_progress_end(&progress);
	for (size_t i = 0; i < c->n && !rc; i++)
		rc = finish_operand(c, r, w, i, &res, out, e);
	if (c->json && !rc)
		buf_adds(out, "]\n");
	build_result_release(&res);
	return rc;
}

int build_run(int argc, char **argv)
{
	struct request r = { .link = "result" };
	struct command c = { .program = &program, .option = on_option, .arg = &r };
	struct wanted w = { NULL, 0, NULL, NULL };
	struct installable *flakes = NULL;
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;
	size_t nflakes = 0;
	int rc;

	build_options_init(&r.build);
	rc = command_read(&c, argc, argv, 0, 0, "packages or derivations");
	if (rc != COMMAND_GO)
		return rc;
	rc = command_open(&c, 0);
	if (!rc)
		rc = evaluate_flakes(&c, &r, &flakes, &nflakes);
	if (rc)
		return command_end(&c, rc);
	w.v = xcalloc(c.n, sizeof *w.v);
	w.paths = xcalloc(c.n, sizeof *w.paths);
	w.target = xcalloc(c.n, sizeof *w.target);
	if (build(&c, &r, &w, &out, &e)) {
		rc = build_options_status(&e);
	} else {
		rc = out.len ? command_print(&out) : EXIT_DONE;
	}
	for (size_t i = 0; i < w.n; i++)
		free((void *)w.v[i].outputs);
	for (size_t i = 0; i < nflakes; i++)
		installable_release(&flakes[i]);
	free(flakes);
	free(w.v);
	free(w.paths);
	free(w.target);
	buf_release(&out);
	return command_end(&c, rc);
}
