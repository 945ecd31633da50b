/* SPDX-License-Identifier: MIT
 *
 * gx key: the keys that binary caches sign with.
 */
#include "config.h"
#include "base/fdio.h"
#include "cli/command.h"
#include "cli/verb.h"
#include "format/sign.h"

#include <unistd.h>

enum { O_NAME = 1 };

static int on_option(void *arg, int id, char **values)
{
	(void)id;
	*(const char **)arg = values[0];
	return 0;
}

static int generate_run(int argc, char **argv)
{
	static const struct option options[] = {
		{ O_NAME, 0, "key-name", "NAME",
		  "What it is called: usually the cache's host and a number, 'cache.example.org-1'." },
		OPTIONS_OF_ALL,
		{ 0 }
	};
	static const struct option_group groups[] = { { "Options", options }, { 0 } };
	static const struct program program = { "gx key generate-secret", "make a key to sign with",
						"gx key generate-secret --key-name NAME > secret-key",
						"Who has it can sign for all who trust it: keep the file to yourself.\n", groups };
	const char *name = NULL;
	struct command c = { .program = &program, .option = on_option, .arg = &name };
	struct secret_key key;
	struct err e = ERR_INIT;
	struct buf b = BUF_INIT;
	int rc = command_read(&c, argc, argv, 0, 0, "");

	if (rc != COMMAND_GO)
		return rc;
	if (!name || c.n)
		return command_end(&c, usage_error(&program, "'gx key generate-secret' needs --key-name, and nothing else"));
	if (secret_key_generate(slice_of(name), &key, &e))
		return command_end(&c, command_fail(&e));
	secret_key_add(&b, &key);
	buf_addc(&b, '\n');
	secret_key_release(&key);
	return command_end(&c, command_print(&b));
}

static int convert_run(int argc, char **argv)
{
	static const struct option_group groups[] = { { "Options", command_help_options }, { 0 } };
	static const struct program program = {
		"gx key convert-secret-to-public", "what others need to trust a key",
		"gx key convert-secret-to-public < secret-key",
		"The line that it prints belongs into trusted-public-keys of gx.conf or nix.conf.\n", groups
	};
	struct command c = { .program = &program };
	struct buf text = BUF_INIT, b = BUF_INIT;
	struct secret_key key;
	struct err e = ERR_INIT;
	int rc = command_read(&c, argc, argv, 0, 0, "");

	if (rc != COMMAND_GO)
		return rc;
	if (c.n)
		return command_end(&c, usage_error(&program, "the key is read from standard input"));
	rc = fd_read_all(STDIN_FILENO, &text) ? err_errno(&e, "cannot read standard input") :
						secret_key_parse((struct slice){ buf_str(&text), text.len }, &key, &e);
	buf_wipe(&text);
	if (rc)
		return command_end(&c, command_fail(&e));
	secret_key_add_public(&b, &key);
	buf_addc(&b, '\n');
	secret_key_release(&key);
	return command_end(&c, command_print(&b));
}

const struct verb key_verbs[] = {
	{ "generate-secret", "make a key to sign with", generate_run, NULL },
	{ "convert-secret-to-public", "what others need to trust a key", convert_run, NULL },
	{ 0 }
};
