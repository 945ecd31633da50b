/* SPDX-License-Identifier: MIT
 *
 * gx edit: the editor takes the place of the program, so that keys and signals are its own.
 */
#include "config.h"
#include "cli/editor.h"
#include "cli/flake_cmd.h"
#include "cli/given.h"
#include "cli/report.h"
#include "cli/verb.h"
#include "eval/builtin.h"
#include "eval/eval.h"
#include "eval/show.h"
#include "flake/call.h"
#include "flake/source.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static const struct option_group groups[] = { { "What to evaluate", value_option_table },
					      { "Flakes", flake_option_table },
					      { "Options", command_help_options },
					      { NULL, NULL } };

struct edit {
	struct flake_cmd f; /* first */
	char **words;	    /* that run the editor */
};

static W find(const struct flake_cmd *f)
{
	const char *ref = f->c.n ? f->c.operands[0] : value_options_given(&f->eval) ? "" : ".", *fragment;
	struct attr_place at;

	if (value_options_given(&f->eval)) {
		W args = given_args(&f->eval), root = given_value(&f->eval);

		return *ref ? eval_attr_path(root, ref, args, &at) : eval_auto_call(root, args);
	}
	source_be_lazy();
	struct locked_flake *lf = flake_options_open(&f->eval.flake_options, ref, &fragment);
	return flake_select(flake_root_outputs(lf), fragment, FLAKE_WANT_PACKAGE, ref, &at);
}

static void evaluate(struct flake_cmd *f, struct buf *out)
{
	struct edit *e = (struct edit *)f;
	W v = find(f);
	struct editor_place at = editor_place_of(v);

	(void)out;
	if (!at.file)
		throw_error(EK_EVAL, "it is not known where %s is written", show_type(v));
	e->words = editor_words(&at);
}

int edit_run(int argc, char **argv)
{
	static const struct program program = { "gx edit", "open the editor where a package is written",
						"gx edit [options] [FLAKE[#ATTR]]\ngx edit [options] -f FILE [ATTR]",
						"The file and line are those of meta.position, else of the set itself; of a "
						"function, where it begins. The editor is VISUAL, EDITOR or vi.",
						groups };
	struct edit e = { .words = NULL };
	int rc = flake_cmd_read(&e.f, &program, argc, argv, 1, "one package");

	if (rc != COMMAND_GO)
		return rc;
	rc = flake_cmd_evaluate(&e.f, evaluate);
	if (!rc) {
		execvp(e.words[0], e.words);
		report_error("cannot run '%s': %s", e.words[0], strerror(errno));
		rc = EXIT_FAILED;
	}
	return command_end(&e.f.c, rc);
}
