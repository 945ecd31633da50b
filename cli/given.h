/* SPDX-License-Identifier: MIT
 *
 * The value that a command line gives by -f or -E, and the arguments for it.  In an evaluator.
 */
#ifndef CLI_GIVEN_H
#define CLI_GIVEN_H

#include "cli/eval_cmd.h"
#include "eval/value.h"

struct source;

/* What a folder stands for that is given as a file. */
enum given_folder {
	GIVEN_DEFAULT,	/* its default.gx or default.nix */
	GIVEN_SHELL,	/* its shell.gx or shell.nix, if it has one */
	GIVEN_NO_SHELL, /* as the first, with a word about what the second would be */
};
extern enum given_folder given_folder;

/* Expressions are from now on as if they stood in a file in this folder, an absolute path that stays; NULL: in the current one. */
void given_relative_to(const char *dir);

/* The text of -E, of standard input or of the file.  Throws. */
const struct source *given_source(const struct eval_request *r);

/* Its value.  Throws. */
W given_value(const struct eval_request *r);

/* The value of a file as if it had been given by -f.  Throws. */
W given_file(const char *file);

/* The set of what --arg and --argstr say; those that are expressions are evaluated when they are used. */
W given_args(const struct eval_request *r);

/* The value of a word of the command line that is an expression; name: what messages call it ("«apply»").  Throws. */
W given_word(const char *text, const char *name);

#endif
