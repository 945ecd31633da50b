/* SPDX-License-Identifier: MIT
 *
 * gx flake show: a walk through the outputs of a flake.
 *
 * Nothing is built.  What cannot be evaluated is shown with its error, and the others still are.
 */
#include "config.h"
#include "cli/flake_cmd.h"
#include "cli/output.h"
#include "cli/outputs.h"
#include "cli/report.h"
#include "eval/attrs.h"
#include "eval/builtin.h"
#include "eval/eval.h"
#include "flake/call.h"
#include "flake/ref.h"

#include <stdio.h>
#include <string.h>

static void look(void *arg)
{
	output_look(arg);
}

struct picture {
	struct flake_cmd *cmd;
	struct buf *b;
	const char *indent; /* as text */
};

/* One line, and what is below it. */
static void text_entry(void *user, struct spot *s, W *slot, int last)
{
	const struct picture *p = user;
	struct look l = { s, slot, p->cmd->legacy, p->cmd->all_systems, { 0 } };
	struct failure fail;
	struct buf *b = p->b, indent = BUF_GC;

	buf_addf(b, "%s%s%s", p->indent, last ? "└───" : "├───", s->name[s->n - 1]);
	if (!unwind_run(look, &l, &fail, TRACE_NONE)) {
		p->cmd->failed = 1;
		buf_addf(b, ": error: %s\n", w_is_str(fail.msg) ? w_get_str(fail.msg)->b : "");
		return;
	}
	if (l.f.what != IS_SET) {
		buf_addf(b, ": %s\n", l.f.text);
		return;
	}
	buf_addc(b, '\n');
	buf_addf(&indent, "%s%s", p->indent, last ? "    " : "│   ");
	struct picture below = { p->cmd, b, buf_str(&indent) };
	outputs_walk(s, text_entry, &below);
}

static void json_text(struct buf *b, const char *name, const char *text)
{
	if (!text)
		return;
	buf_addf(b, "\"%s\":", name);
	output_json_string(b, text, strlen(text));
	buf_addc(b, ',');
}

static void json_entry(void *user, struct spot *s, W *slot, int last)
{
	const struct picture *p = user;
	struct look l = { s, slot, p->cmd->legacy, p->cmd->all_systems, { 0 } };
	struct failure fail;
	struct buf *b = p->b;

	output_json_string(b, s->name[s->n - 1], strlen(s->name[s->n - 1]));
	buf_addc(b, ':');
	if (!unwind_run(look, &l, &fail, TRACE_NONE)) {
		p->cmd->failed = 1;
		l.f = (struct found){ .what = IS_LEAF, .type = "error",
				      .description = w_is_str(fail.msg) ? w_get_str(fail.msg)->b : "" };
	}
	buf_addc(b, '{');
	if (l.f.what == IS_SET) {
		outputs_walk(s, json_entry, user);
	} else {
		size_t start = b->len;
		json_text(b, "description", l.f.description);
		json_text(b, "name", l.f.name);
		json_text(b, "type", l.f.type);
		if (b->len > start)
			buf_trim(b, b->len - 1);
	}
	buf_adds(b, last ? "}" : "},");
}

static void show(struct flake_cmd *cmd, struct buf *b)
{
	const char *fragment;
	const struct locked_flake *lf = flake_options_open(&cmd->eval.flake_options, flake_cmd_ref(cmd), &fragment);
	struct spot s = { .n = 0, .value = want_attrs(flake_outputs(flake_call(lf)), "the outputs of a flake") };
	struct picture p = { cmd, b, "" };

	if (cmd->c.json) {
		buf_addc(b, '{');
		outputs_walk(&s, json_entry, &p);
		buf_adds(b, "}\n");
		return;
	}
	buf_addf(b, "%s\n", flake_ref_text(&lf->flake->locked));
	outputs_walk(&s, text_entry, &p);
}

int flake_show_run(int argc, char **argv)
{
	static const struct option options[] = {
		OPTION_JSON,
		{ FLAKE_CMD_LEGACY, 0, "legacy", NULL, "Show legacyPackages as well." },
		OPTION_ALL_SYSTEMS,
		{ 0 }
	};
	static const struct option_group groups[] = { { "Options", options },
						      { "Flakes", flake_option_table },
						      { "The store", command_store_options },
						      { NULL, NULL } };
	static const struct program program = {
		"gx flake show", "what a flake provides", "gx flake show [options] [FLAKE]",
		"Of other systems only the names are shown, unless --all-systems is given; nothing is built.", groups
	};
	struct flake_cmd f = { .failed = 0 };
	int rc = flake_cmd_read(&f, &program, argc, argv, 1, "at most one flake");

	return rc != COMMAND_GO ? rc : flake_cmd_run(&f, show);
}
