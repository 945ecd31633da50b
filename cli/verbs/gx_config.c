/* SPDX-License-Identifier: MIT
 *
 * gx config: every setting with what it is and where that was set; 'gx help settings' is the same.
 */
#include "config.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/settings.h"
#include "cli/verb.h"
#include "store/place.h"

#include <string.h>

static void add_text(struct buf *b, const struct setting_info *s)
{
	buf_addf(b, "%s = %s\n", s->name, s->value ? s->value : s->usual);
	buf_addf(b, "    %s\n    %s; %s%s\n", s->doc, s->kind, s->value ? "set by " : "", s->from);
}

static void add_member(struct buf *b, const char *name, const char *text)
{
	buf_addf(b, "\"%s\":", name);
	output_json_string(b, text, strlen(text));
}

static void add_json(struct buf *b, const struct setting_info *s)
{
	output_json_string(b, s->name, strlen(s->name));
	buf_adds(b, ":{");
	add_member(b, "value", s->value ? s->value : s->usual);
	buf_addc(b, ',');
	add_member(b, "default", s->usual);
	buf_addc(b, ',');
	add_member(b, "kind", s->kind);
	buf_addc(b, ',');
	add_member(b, "from", s->from);
	buf_addc(b, ',');
	add_member(b, "description", s->doc);
	buf_addc(b, '}');
}

static int is_wanted(const struct command *c, const char *name)
{
	for (size_t i = 0; i < c->n; i++)
		if (!strcmp(c->operands[i], name))
			return 1;
	return !c->n;
}

/* As programs read it from Nix: "name = value", of one that is named the value alone. */
static void add_for_programs(struct buf *b, const struct command *c)
{
	for (size_t i = 0; settings_name(i); i++) {
		if (!is_wanted(c, settings_name(i)))
			continue;
		if (!c->n)
			buf_addf(b, "%s = ", settings_name(i));
		settings_now(i, b);
		buf_addc(b, '\n');
	}
}

static void add_wanted(struct buf *b, const struct command *c)
{
	struct setting_info s;
	size_t before = b->len;

	for (size_t i = 0; settings_info(i, &s); i++) {
		if (!is_wanted(c, s.name))
			continue;
		if (c->json)
			buf_addc(b, b->len > before ? ',' : '{');
		(c->json ? add_json : add_text)(b, &s);
	}
	buf_adds(b, c->json ? "}\n" : "");
}

static int is_setting(const char *name)
{
	for (size_t i = 0; settings_name(i); i++)
		if (!strcmp(settings_name(i), name))
			return 1;
	return 0;
}

static int no_setting(const struct program *p, const char *name)
{
	const char *why = settings_why_not(name);

	if (!why)
		return usage_error(p, "there is no setting '%s'", name);
	report_error("setting '%s' has no effect: %s", name, why);
	return EXIT_FAILED;
}

static const struct option options[] = { OPTION_JSON, { 0 } };
static const struct option_group groups[] = { { "Options", options }, { "Help", command_help_options }, { 0 } };

int config_show_run(int argc, char **argv)
{
	static const struct program program = {
		"gx config show", "every setting, what it is and where that was set", "gx config show [options] [SETTING ...]",
		"A setting is set for one command by '--option NAME VALUE', or by '--NAME VALUE' ('--NAME' and '--no-NAME' for "
		"those that are true or false).", groups
	};
	struct command c = { .program = &program };
	struct buf b = BUF_INIT;
	int rc = command_read(&c, argc, argv, 0, 0, "");

	if (rc != COMMAND_GO)
		return rc;
	for (size_t i = 0; i < c.n; i++)
		if (!is_setting(c.operands[i]))
			return command_end(&c, no_setting(&program, c.operands[i]));
	if (place_obeys_environment() && !c.json)
		add_for_programs(&b, &c);
	else
		add_wanted(&b, &c);
	return command_end(&c, command_print(&b));
}

const struct verb config_verbs[] = {
	{ "show", "every setting, what it is and where that was set", config_show_run, NULL },
	{ 0 }
};
