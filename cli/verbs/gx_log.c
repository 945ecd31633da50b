/* SPDX-License-Identifier: MIT
 *
 * gx log: what a build printed.
 */
#include "config.h"
#include "cli/named.h"
#include "cli/output.h"
#include "cli/value_options.h"
#include "cli/verb.h"
#include "build/log.h"

int log_run(int argc, char **argv)
{
	static const struct option_group groups[] = { { "Options", command_help_options },
						      { "What to evaluate", value_option_table },
						      { "Flakes", flake_option_table },
						      { "The store", command_store_options },
						      { NULL, NULL } };
	static const struct program program = { "gx log", "print the log of a build", "gx log [options] PATH | FLAKE#ATTR",
						"PATH is a derivation, one of its outputs, or a link to either.", groups };
	struct named n = { .option = NULL };
	struct path_set found = PATH_SET_INIT;
	struct buf rest = BUF_INIT;
	struct err e = ERR_INIT;
	int rc = named_read(&n, &program, argc, argv, 1, 1, "one path");

	if (rc != COMMAND_GO)
		return rc;
	rc = named_find(&n, 1, &found);
	if (rc) {
		path_set_release(&found);
		return command_end(&n.c, rc);
	}
	for (size_t i = 0; i < found.n && !rc; i++)
		rc = log_read(n.c.store, &found.v[i], output_show_sink, &rest, &e);
	rc = output_show_end(&rest, rc ? NULL : &e) && !rc ? e.code : rc;
	path_set_release(&found);
	return command_end(&n.c, rc ? command_fail(&e) : EXIT_DONE);
}
