/* SPDX-License-Identifier: MIT
 *
 * What nix-build and nix-instantiate evaluate: each operand is a file (default.nix in a folder), or with -E an expression; of each
 * what -A names is taken.
 */
#ifndef CLI_NIX_NIX_CLASSIC_H
#define CLI_NIX_NIX_CLASSIC_H

#include "cli/eval_cmd.h"
#include "cli/nix/nix.h"
#include "cli/value_options.h"
#include "eval/value.h"

/* For tables, behind VALUE_OPTION_ARGUMENTS. */
enum { CLASSIC_FIRST = 800, CLASSIC_EXPR = CLASSIC_FIRST, CLASSIC_ATTR, CLASSIC_LAST };
extern const struct option classic_options[];

/* Zeroed before use. */
struct classic {
	struct eval_request eval; /* attrs: what -A names */
	int is_expr;
	char *const *words; /* the operands; none: "." */
	size_t n;
};

/* Takes one of the options, of these or of VALUE_OPTION_ARGUMENTS; -1 when it is another. */
int classic_take(struct classic *c, const struct program *p, int id, char **values);

/* Calls each() for every operand, in an evaluator: one has it as what to evaluate, args are the arguments of the line.  What was
 * evaluated is in the store afterwards; s may be NULL: then nothing is written.  Returns an exit status after saying why. */
int classic_eval(struct classic *c, struct store *s, void (*each)(void *arg, const struct eval_request *one, W args), void *arg);

/* Calls each() with the values of an operand: all that -A names of it, or itself.  Throws. */
void classic_values(const struct eval_request *one, W args, void (*each)(void *arg, W v, W args), void *arg);

#endif
