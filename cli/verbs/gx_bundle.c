/* SPDX-License-Identifier: MIT
 *
 * gx bundle: what a function of a flake, the bundler, makes of a program, built; an archive that runs without a store, an image.
 */
#include "config.h"
#include "cli/report.h"
#include "cli/runner.h"
#include "cli/value_options.h"
#include "cli/verb.h"
#include "store/roots.h"

#include <string.h>

enum { O_BUNDLER = 1, O_OUT_LINK };

static const struct option options[] = {
	{ O_BUNDLER, 0, "bundler", "FLAKE[#ATTR]", "The function that makes it, instead of that of github:NixOS/bundlers." },
	{ O_OUT_LINK, 'o', "out-link", "NAME", "Call the link NAME instead of what the bundle is called." },
	{ 0 }
};

static const struct option_group groups[] = { { "Options", options },
					      { "What to evaluate", value_option_table },
					      { "Flakes", flake_option_table },
					      { "Building", build_option_table },
					      { "The store", command_store_options },
					      { NULL, NULL } };

struct bundle_verb {
	struct runner r; /* first: options get it */
	const char *link;
};

static int on_option(struct runner *r, int id, char **values)
{
	struct bundle_verb *v = (struct bundle_verb *)r;

	if (id == O_BUNDLER)
		r->eval.bundler = values[0];
	if (id == O_OUT_LINK)
		v->link = values[0];
	return 0;
}

/* Leaves a link to the one output that the bundle is. */
static int add_link(struct bundle_verb *v)
{
	const struct build_result *built = &v->r.built;
	struct err e = ERR_INIT;
	size_t i = 0;

	while (i < built->n && strcmp(built->v[i].name, "out"))
		i++;
	const struct store_path *p = &built->v[i < built->n ? i : 0].path;
	struct slice name = store_path_name(p);
	struct buf own = BUF_INIT;

	buf_add(&own, name.p, name.n);
	int rc = store_add_root_link(v->r.c.store, v->link ? v->link : buf_str(&own), p, &e);
	buf_release(&own);
	return rc ? command_fail(&e) : 0;
}

int bundle_run(int argc, char **argv)
{
	static const struct program program = {
		"gx bundle", "build what a bundler makes of a program",
		"gx bundle [options] [--bundler FLAKE[#ATTR]] [FLAKE[#ATTR]]\ngx bundle [options] -f FILE [ATTR]",
		"A bundler is a function of a package or an app, among the bundlers of a flake, whose result is a derivation. That "
		"is built, and a link leads to it.",
		groups
	};
	struct bundle_verb v = { .r.option = on_option, .r.eval.bundler = "github:NixOS/bundlers" };
	struct runner *r = &v.r;
	int rc = runner_read(r, &program, argc, argv, 1, "one flake");

	if (rc == COMMAND_GO && (rc = runner_eval(r, FLAKE_WANT_APP)) == COMMAND_GO)
		rc = runner_build(r, &r->wanted[0].targets);
	if (rc == COMMAND_GO)
		rc = add_link(&v);
	return runner_end(r, rc);
}
