/* SPDX-License-Identifier: MIT
 *
 * What people name to verbs that look into the store: objects by their paths or by links, or packages as for gx build, which are
 * evaluated first, and not built.
 */
#ifndef CLI_NAMED_H
#define CLI_NAMED_H

#include "cli/command.h"
#include "cli/eval_cmd.h"
#include "format/pathset.h"

/* Zeroed before use. */
struct named {
	struct command c;
	struct eval_request eval;
	int writes; /* set by the verb: the store is to be written to */
	size_t builds; /* set by the verb: how many packages, from the first, are built when they are not there */
	int (*option)(struct named *n, int id, char **values); /* of a verb's own options, NULL without */
};

/* As command_read; the program's groups list value_option_table and flake_option_table. */
int named_read(struct named *n, const struct program *p, int argc, char **argv, size_t min, size_t max, const char *what);

/* Opens the store and finds what the operands name, in their order: objects; of packages the outputs, or with drvs the
 * derivations.  Returns 0, or an exit status after saying why. */
int named_find(struct named *n, int drvs, struct path_set *out);

#endif
