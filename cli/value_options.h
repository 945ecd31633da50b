/* SPDX-License-Identifier: MIT
 *
 * What every command that evaluates takes: what to evaluate and with which arguments, and settings by their nix.conf names.
 */
#ifndef CLI_VALUE_OPTIONS_H
#define CLI_VALUE_OPTIONS_H

#include "cli/eval_cmd.h"
#include "cli/options.h"

/* Ids of a command's own options lie outside of these. */
enum { VALUE_OPTION_FIRST = 400, VALUE_OPTION_LAST = 420 };

extern const struct option value_option_table[];

/* Those about what is not named by them: without -f and -E, with which it begins. */
#define VALUE_OPTION_ARGUMENTS (value_option_table + 2)

/* Takes one of the table's options; texts are borrowed.  Returns 0, or EXIT_USAGE after saying why. */
int value_options_take(const struct program *p, struct eval_request *r, int id, char **values);

/* 1 when there is an expression or a file to evaluate, so that operands are attributes of it. */
int value_options_given(const struct eval_request *r);

/* --option NAME VALUE.  Returns 0, or EXIT_USAGE after saying why. */
int value_options_set(const struct program *p, const char *name, const char *value);

/* Settings by their own names: `other` and `other_name` of a struct option_sink.  --max-call-depth 100, --no-restrict-eval;
 * those that mean nothing here are taken, and said to.  p is the program whose line it is. */
int value_options_other(const struct program *p, const char *name, char *value, int *used);

#endif
