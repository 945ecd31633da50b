/* SPDX-License-Identifier: MIT
 *
 * The frame of a verb of gx that evaluates a flake: an evaluator on a stack of its own, a store when one was named, errors
 * told as gxeval tells them, results printed at the end.
 */
#ifndef CLI_FLAKE_CMD_H
#define CLI_FLAKE_CMD_H

#include "cli/command.h"
#include "cli/eval_cmd.h"
#include "cli/value_options.h"

struct flake_cmd {
	struct command c;
	struct eval_request eval;
	int all_systems; /* of show and check */
	int legacy;	 /* of show */
	const char *kept; /* the command, when what it prints is kept for the next run (cli/eval_cache.h) */
	int failed;	 /* something was left out of the result after its error was told */
};

/* command_read for such a verb: its options are those of flakes.  Sets c.program. */
int flake_cmd_read(struct flake_cmd *f, const struct program *p, int argc, char **argv, size_t max, const char *what);

/* Runs fn in an evaluator; what it adds to out is printed when it returns.  Ends the command; returns an exit status. */
int flake_cmd_run(struct flake_cmd *f, void (*fn)(struct flake_cmd *f, struct buf *out));

/* The same without the end, for a verb that goes on. */
int flake_cmd_evaluate(struct flake_cmd *f, void (*fn)(struct flake_cmd *f, struct buf *out));

/* What verbs that evaluate a flake have in their groups of options besides their own. */
#define FLAKE_CMD_GROUPS \
	{ "What to evaluate with", VALUE_OPTION_ARGUMENTS }, { "Flakes", flake_option_table }

/* Takes one of the options of these verbs. */
int flake_cmd_option(struct flake_cmd *f, int id, char **values);

/* The reference the words name, "." without. */
const char *flake_cmd_ref(const struct flake_cmd *f);

/* What verbs that look at outputs have in their tables. */
enum { FLAKE_CMD_ALL_SYSTEMS = 1, FLAKE_CMD_LEGACY };

#define OPTION_ALL_SYSTEMS \
	{ FLAKE_CMD_ALL_SYSTEMS, 0, "all-systems", NULL, "Look at what is there for other systems as well." }

int flake_show_run(int argc, char **argv);
int flake_check_run(int argc, char **argv);
int flake_metadata_run(int argc, char **argv);
int flake_new_run(int argc, char **argv);
int flake_audit_run(int argc, char **argv);
int flake_prefetch_run(int argc, char **argv);
int flake_archive_run(int argc, char **argv);
int flake_clone_run(int argc, char **argv);

/* Says when Nix would not take the flake as it is. */
void flake_cmd_note(const struct locked_flake *lf);

#endif
