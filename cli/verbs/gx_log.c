/* SPDX-License-Identifier: MIT
 *
 * gx log: what a build printed.
 */
#include "config.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/verb.h"
#include "build/log.h"

static const struct option_group groups[] = { { "Options", command_help_options },
					      { "The store", command_store_options },
					      { NULL, NULL } };

int log_run(int argc, char **argv)
{
	static const struct program program = { "gx log", "print the log of a build", "gx log [options] PATH",
						"PATH is a derivation, one of its outputs, or a link to either.", groups };
	struct command c = { .program = &program };
	struct store_path p;
	struct buf rest = BUF_INIT;
	struct err e = ERR_INIT;
	int rc = command_read(&c, argc, argv, 1, 1, "one path");

	if (rc != COMMAND_GO)
		return rc;
	rc = command_open(&c, 0);
	if (rc)
		return command_end(&c, rc);
	rc = store_resolve(c.store, c.operands[0], &p, NULL, &e);
	rc = rc ? rc : log_read(c.store, &p, output_show_sink, &rest, &e);
	rc = output_show_end(&rest, rc ? NULL : &e) && !rc ? e.code : rc;
	return command_end(&c, rc ? command_fail(&e) : EXIT_DONE);
}
