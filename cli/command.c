/* SPDX-License-Identifier: MIT
 *
 * The frame of a verb.  Notices of the store go to standard error as they come; results are collected and printed
 * at the end, so that a failure half-way prints nothing that looks like a result.
 */
#include "config.h"
#include "cli/command.h"
#include "base/alloc.h"
#include "base/fdio.h"
#include "cli/eval_store.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/value_options.h"
#include "cli/view.h"
#include "eval/eval.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int on_option(void *arg, int id, char **values);

const struct option command_store_options[] = {
	{ OPT_STORE, 0, "store", "ROOT",
	  "Use the store below the folder ROOT: its objects lie in ROOT/nix/store. Or one behind an address: 'daemon', "
	  "unix://PATH, ssh-ng://HOST, or to look into, a binary cache." },
	{ OPT_STORE_DIR, 0, "store-dir", "DIR",
	  "Use a store of its own in DIR, which is part of every path in it: no binary cache fits it." },
	OPTIONS_OF_ALL,
	{ 0 }
};

const struct option command_help_options[] = { OPTIONS_OF_ALL, { 0 } };

/* A setting that is an option of this verb as well, such as max-jobs, is that option. */
static int set_option(struct command *c, const char *name, char **value)
{
	const struct option *o = options_find(c->program, name);
	int rc = value_options_set(c->program, name, *value);

	if (rc || !o || !o->doc || o->id == OPT_OPTION)
		return rc;
	return o->value || !strcmp(*value, "true") ? on_option(c, o->id, value) : 0;
}

static int on_option(void *arg, int id, char **values)
{
	struct command *c = arg;

	switch (id) {
	case OPT_STORE: c->request.store = values[0]; return 0;
	case OPT_STORE_DIR: c->request.store_dir = values[0]; return 0;
	case OPT_JSON: c->json = 1; return 0;
	case OPT_OPTION: return set_option(c, values[0], values + 1);
	case OPT_VERBOSE:
	case OPT_TRACE:
		eval_settings.trace_verbose |= id == OPT_VERBOSE;
		eval_settings.show_trace = report_settings.full_trace = 1;
		return 0;
	case OPT_REFRESH:
		eval_settings.tarball_ttl = 0;
		return 0;
	case OPT_LOGS: progress_settings.logs = 1; return 0;
	case OPT_HELP: c->help = 1; return 0;
	}
	return c->option(c->arg, id, values);
}

static int on_other(void *arg, const char *name, char *value, int *used)
{
	return value_options_other(((struct command *)arg)->program, name, value, used);
}

static int on_operand(void *arg, char *word)
{
	struct command *c = arg;

	c->operands = xrealloc_array(c->operands, c->n + 1, sizeof *c->operands);
	c->operands[c->n++] = word;
	return 0;
}

int command_read(struct command *c, int argc, char **argv, size_t min, size_t max, const char *what)
{
	const struct option_sink sink = { .option = on_option, .operand = on_operand, .other = on_other, .arg = c };
	int rc = options_parse(c->program, argc, argv, &sink);

	if (rc)
		return command_end(c, rc);
	if (c->help)
		return command_end(c, options_help(c->program));
	if (c->n < min)
		return command_end(c, usage_error(c->program, "'%s' needs %s", c->program->name, what));
	if (max == COMMAND_NOTHING && c->n)
		return command_end(c, usage_error(c->program, "'%s' takes nothing, not '%s'", c->program->name, c->operands[0]));
	if (max && c->n > max)
		return command_end(c, usage_error(c->program, "'%s' takes %s, not also '%s'", c->program->name, what,
						  c->operands[max]));
	return COMMAND_GO;
}

static void notice(void *user, const char *text)
{
	(void)user;
	report_line("note: %s", text);
}

static int open_at(struct command *c, enum store_flags flags, int reading)
{
	struct err e = ERR_INIT;

	if (place_choose(&c->place, &c->request, &e))
		return command_end(c, command_fail(&e));
	/* Opening for writing makes what is missing, so that is done where it can be. */
	if (reading && access(c->place.state_dir, W_OK) < 0 && (errno == EACCES || errno == EROFS))
		flags |= STORE_READONLY;
	if (view_open(&c->store, &c->place, flags, &e))
		return command_end(c, command_fail(&e));
	store_set_notice(c->store, notice, NULL);
	if (eval_store_join(c->store, c->request.store_dir, &e))
		return command_end(c, command_fail(&e));
	return 0;
}

int command_open(struct command *c, enum store_flags flags)
{
	return open_at(c, flags, 0);
}

int command_open_reading(struct command *c)
{
	return open_at(c, 0, 1);
}

int command_add_stdin(struct command *c)
{
	struct buf b = BUF_INIT;
	char *save = NULL;

	if (fd_read_all(STDIN_FILENO, &b)) {
		report_error("cannot read standard input: %s", strerror(errno));
		buf_release(&b);
		return -1;
	}
	buf_addc(&b, 0);
	c->text = buf_detach(&b, NULL);
	for (char *line = strtok_r(c->text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		c->operands = xrealloc_array(c->operands, c->n + 1, sizeof *c->operands);
		c->operands[c->n++] = line;
	}
	return 0;
}

int command_end(struct command *c, int status)
{
	store_free(c->store);
	c->store = NULL;
	place_release(&c->place);
	free(c->operands);
	free(c->text);
	c->text = NULL;
	c->operands = NULL;
	return status;
}

int command_fail(struct err *e)
{
	int status = e->code == ERR_BUILD && !settings_one_failure ? EXIT_BUILD : EXIT_FAILED;

	report_err(e);
	err_release(e);
	return status;
}

int command_print(struct buf *b)
{
	int rc = b->len ? output_show(b->p, b->len) : EXIT_DONE;

	buf_release(b);
	return rc;
}
