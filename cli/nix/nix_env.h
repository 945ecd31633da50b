/* SPDX-License-Identifier: MIT
 *
 * Between the files of nix-env.
 */
#ifndef CLI_NIX_NIX_ENV_H
#define CLI_NIX_NIX_ENV_H

#include "base/json_tree.h"
#include "cli/nix/nix_classic.h"

/* The function that answers questions about packages; see nix_env_expr.c. */
extern const char nix_env_expression[];

/* The columns of nix-env --query. */
struct env_columns {
	int available, json, xml, no_name, attr_path, status, compare, system, drv_path, out_path, description, meta, prebuilt;
};

/* Prints records of packages: `shown` those asked for, `others` those they are compared with.  Returns an exit status. */
int env_query_print(struct store *s, const struct env_columns *c, const struct jnode *shown, const struct jnode *others);

#endif
