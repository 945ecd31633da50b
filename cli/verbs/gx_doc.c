/* SPDX-License-Identifier: MIT
 *
 * gx doc: what ':doc' of the REPL says, without one.
 */
#include "config.h"
#include "cli/doc.h"
#include "cli/flake_cmd.h"
#include "cli/repl/repl.h"
#include "cli/verb.h"
#include "cli/width.h"
#include "eval/attrs.h"
#include "eval/builtin.h"
#include "flake/call.h"

#include <string.h>

static const struct option_group groups[] = { { "Flakes", flake_option_table },
					      { "Options", command_help_options },
					      { NULL, NULL } };

/* Of a name in a flake. */
static struct documented find_in_flake(const struct flake_cmd *f, const char *ref)
{
	const char *fragment;
	W flake = flake_call(flake_options_open(&f->eval.flake_options, ref, &fragment));
	struct documented d = { "", flake_outputs(flake), 0 };

	if (*fragment && !doc_is_path(fragment))
		throw_error(EK_EVAL, "'%s' is no name, nor names joined by dots", fragment);
	return *fragment ? doc_below(d, fragment) : d;
}

static struct documented find(const struct flake_cmd *f, const char *name)
{
	if (strchr(name, '#'))
		return find_in_flake(f, name);
	if (!doc_is_path(name))
		throw_error(EK_EVAL, "'%s' is no name, nor names joined by dots", name);
	return doc_find(&f->eval, w_attrs_empty(), name);
}

static void evaluate(struct flake_cmd *f, struct buf *out)
{
	unsigned columns = width_of_terminal(1);
	struct documented all[] = { doc_builtins(), { .name = NULL } };

	if (f->c.n) {
		struct documented d = find(f, f->c.operands[0]);
		doc_add(out, &d, columns);
		return;
	}
	all[1] = doc_std(&f->eval);
	for (size_t i = 0; i < 2; i++) {
		buf_addf(out, "%s%s\n", i ? "\n" : "", all[i].name);
		doc_add(out, &all[i], columns);
	}
}

int doc_run(int argc, char **argv)
{
	static const struct program program = {
		"gx doc", "what a function is for, and what it takes",
		"gx doc [options] [NAME]\ngx doc [options] FLAKE#NAME",
		"NAME is a builtin ('map', 'builtins.map'), a function or package of the standard library ('mkShell', "
		"'std.mkShell', 'std.lib.hasPrefix'), or one of the sets 'builtins' and 'std', whose names are listed. "
		"Without NAME both are.",
		groups
	};
	struct flake_cmd f = { .all_systems = 0 };
	int rc = flake_cmd_read(&f, &program, argc, argv, 1, "at most one name");

	if (rc != COMMAND_GO)
		return command_end(&f.c, rc);
	/* Nothing of it is to be built, and a default system may be asked for. */
	f.eval.flake_options.impure = 1;
	return flake_cmd_run(&f, evaluate);
}
