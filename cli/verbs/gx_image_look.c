/* SPDX-License-Identifier: MIT
 *
 * gx image inspect and digest of images that others made: nothing is evaluated, and there is no store.
 */
#include "config.h"
#include "cli/command.h"
#include "cli/verbs/gx_image.h"
#include "image/look.h"

enum { O_PLAIN_HTTP = 1 };

int image_names_place(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (look_is_place(argv[i]))
			return 1;
	return 0;
}

static int on_option(void *arg, int id, char **values)
{
	int *plain_http = arg;

	(void)values;
	*plain_http |= id == O_PLAIN_HTTP;
	return 0;
}

int image_look_run(const struct program *p, int argc, char **argv, int json)
{
	static const struct option options[] = { { O_PLAIN_HTTP, 0, "plain-http", NULL, "Speak to registries without TLS." },
						 { 0 } };
	static const struct option_group groups[] = { { "Options", options },
						      { "Other", command_help_options },
						      { NULL, NULL } };
	const struct program own = { p->name, p->summary, p->usage, p->about, groups };
	int plain_http = 0;
	struct command c = { .program = &own, .option = on_option, .arg = &plain_http };
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;
	int rc = command_read(&c, argc, argv, 1, 1, "an image");

	if (rc != COMMAND_GO)
		return rc;
	rc = look_at(c.operands[0], plain_http, json, &out, &e);
	buf_addc(&out, '\n');
	rc = rc ? command_fail(&e) : command_print(&out);
	buf_release(&out);
	return command_end(&c, rc);
}
