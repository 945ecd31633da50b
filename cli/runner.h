/* SPDX-License-Identifier: MIT
 *
 * The frame of the verbs that run something of the store: what is named is evaluated, then built, then a program takes over.
 *
 * The store stays open up to the end, so that its temporary roots hold what the program is made of: while this process waits for
 * it, or up to the moment at which it takes the place of this process and a collector sees what it uses.
 */
#ifndef CLI_RUNNER_H
#define CLI_RUNNER_H

#include "cli/build_options.h"
#include "cli/command.h"
#include "cli/installable.h"
#include "cli/shell.h"

/* Zeroed before use. */
struct runner {
	struct command c;
	struct eval_request eval;
	struct build_options build;
	struct shell_request shell;
	struct installable *wanted; /* by operand; one without */
	struct build_result built;
	const char *usr; /* what is /usr for the program, as store_view_exec has it; borrowed */
	int (*option)(struct runner *r, int id, char **values); /* of a verb's own options, NULL without */
};

/* Options of shells, what a program's groups list. */
enum { RUNNER_OPTION_FIRST = 500 };
extern const struct option runner_shell_options[];

/* Cuts the words from the first that is one of the two (letter may be NULL); returns where they begin, NULL when there is none. */
char **runner_cut_words(int *argc, char **argv, const char *word, const char *letter);

/* Reads the command line; then opens the store and evaluates.  Both return COMMAND_GO, or the exit status of a program that is
 * done. max and what as for command_read. */
int runner_read(struct runner *r, const struct program *p, int argc, char **argv, size_t max, const char *what);
int runner_eval(struct runner *r, enum flake_want want);

/* How many things are wanted; what the i-th is called in messages. */
size_t runner_count(const struct runner *r);
const char *runner_name(const struct runner *r, size_t i);

/* Builds something into r->built.  Returns COMMAND_GO, or an exit status: with --dry-run it is
 * done. */
int runner_build(struct runner *r, const struct build_targets *t);

/* Adds the path of the program that what was built first has; nothing when none is known. */
void runner_program(const struct runner *r, struct buf *path);

/* Becomes the program argv[0]; returns an exit status when it could not, or when it has ended. */
int runner_exec(struct runner *r, char *const *argv);

/* Frees everything; returns status. */
int runner_end(struct runner *r, int status);

#endif
