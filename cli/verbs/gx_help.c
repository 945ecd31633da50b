/* SPDX-License-Identifier: MIT
 *
 * gx help, gx man.
 */
#include "config.h"
#include "cli/command.h"
#include "cli/manual.h"
#include "cli/verb.h"

#include <string.h>

static const struct option_group help_groups[] = { { "Options", command_help_options }, { 0 } };

static int unknown_verb(struct command *c, const struct verb_found *f, const char *word)
{
	return command_end(c, usage_error(c->program, "'%s' has no verb '%s'", f->title, word));
}

int help_run(int argc, char **argv)
{
	static const struct program program = { "gx help", "what a verb does and which options it has", "gx help [VERB ...]",
						"'gx help store gc' prints what 'gx store gc --help' does, 'gx help settings' "
						"every setting.", help_groups };
	struct command c = { .program = &program };
	int rc = command_read(&c, argc, argv, 0, 0, "");

	if (rc != COMMAND_GO)
		return rc;
	/* The one page that is about no verb. */
	if (c.n == 1 && !strcmp(c.operands[0], "settings"))
		rc = config_show_run(1, argv);
	else
		rc = verb_help(c.operands, c.n);
	return command_end(&c, rc);
}

enum { O_ALL = 1 };

static int on_man_option(void *arg, int id, char **values)
{
	(void)id;
	*(const char **)arg = values[0];
	return 0;
}

int man_run(int argc, char **argv)
{
	static const struct option options[] = {
		{ O_ALL, 0, "all", "DIR", "Write the page of each verb into the folder DIR instead." }, { 0 }
	};
	static const struct option_group groups[] = { { "Options", options }, { "Help", command_help_options }, { 0 } };
	static const struct program program = { "gx man", "print the manual page of a verb", "gx man [options] [VERB ...]",
						"It is written for man(1) to show:\n"
						"\n"
						"  gx man store gc | man -l -\n", groups };
	const char *dir = NULL;
	struct command c = { .program = &program, .option = on_man_option, .arg = &dir };
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	struct verb_found f;
	int rc = command_read(&c, argc, argv, 0, 0, "");

	if (rc != COMMAND_GO)
		return rc;
	if (dir && c.n)
		return command_end(&c, usage_error(&program, "'--all' goes without '%s'", c.operands[0]));
	if (dir)
		return command_end(&c, manual_write_all(dir, &e) ? command_fail(&e) : EXIT_DONE);
	size_t used = verb_find(&f, c.operands, c.n);
	if (used < c.n)
		return unknown_verb(&c, &f, c.operands[used]);
	manual_add(&b, &f);
	return command_end(&c, command_print(&b));
}
