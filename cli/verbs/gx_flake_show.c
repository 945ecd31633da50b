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

static void show_text(struct flake_cmd *cmd, struct buf *b, struct spot *s, const char *indent);

/* One line, and what is below it. */
static void text_entry(struct flake_cmd *cmd, struct buf *b, struct spot *s, W *slot, const char *indent, int last)
{
	struct look l = { s, slot, cmd->legacy, cmd->all_systems, { 0 } };
	struct failure fail;
	struct buf below = BUF_GC;

	buf_addf(b, "%s%s%s", indent, last ? "└───" : "├───", s->name[s->n - 1]);
	if (!unwind_run(look, &l, &fail, TRACE_NONE)) {
		cmd->failed = 1;
		buf_addf(b, ": error: %s\n", w_is_str(fail.msg) ? w_get_str(fail.msg)->b : "");
		return;
	}
	if (l.f.what != IS_SET) {
		buf_addf(b, ": %s\n", l.f.text);
		return;
	}
	buf_addc(b, '\n');
	buf_addf(&below, "%s%s", indent, last ? "    " : "│   ");
	show_text(cmd, b, s, below.p);
}

static void show_text(struct flake_cmd *cmd, struct buf *b, struct spot *s, const char *indent)
{
	struct attrs *a = attrs_of(s->value);
	const uint32_t *order = attrs_order(a);
	W set = s->value;

	if (s->n == DEPTH_MAX)
		throw_error(EK_EVAL, "the outputs are nested deeper than %d", DEPTH_MAX);
	for (uint32_t k = 0; k < a->n; k++) {
		uint32_t i = order[k];
		s->name[s->n++] = sym_name(a->sh->sym[i])->b;
		text_entry(cmd, b, s, &a->v[i], indent, k + 1 == a->n);
		s->n--;
		s->value = set;
	}
}

static void show_json(struct flake_cmd *cmd, struct buf *b, struct spot *s);

static void json_text(struct buf *b, const char *name, const char *text)
{
	if (!text)
		return;
	buf_addf(b, "\"%s\":", name);
	output_json_string(b, text, strlen(text));
	buf_addc(b, ',');
}

static void json_entry(struct flake_cmd *cmd, struct buf *b, struct spot *s, W *slot)
{
	struct look l = { s, slot, cmd->legacy, cmd->all_systems, { 0 } };
	struct failure fail;

	if (!unwind_run(look, &l, &fail, TRACE_NONE)) {
		cmd->failed = 1;
		l.f = (struct found){ .what = IS_LEAF, .type = "error",
				      .description = w_is_str(fail.msg) ? w_get_str(fail.msg)->b : "" };
	}
	if (l.f.what == IS_SET) {
		show_json(cmd, b, s);
		return;
	}
	buf_addc(b, '{');
	size_t start = b->len;
	json_text(b, "description", l.f.description);
	json_text(b, "name", l.f.name);
	json_text(b, "type", l.f.type);
	if (b->len > start)
		buf_trim(b, b->len - 1);
	buf_addc(b, '}');
}

static void show_json(struct flake_cmd *cmd, struct buf *b, struct spot *s)
{
	struct attrs *a = attrs_of(s->value);
	const uint32_t *order = attrs_order(a);
	W set = s->value;

	if (s->n == DEPTH_MAX)
		throw_error(EK_EVAL, "the outputs are nested deeper than %d", DEPTH_MAX);
	buf_addc(b, '{');
	for (uint32_t k = 0; k < a->n; k++) {
		const struct str *name = sym_name(a->sh->sym[order[k]]);
		if (k)
			buf_addc(b, ',');
		output_json_string(b, name->b, name->len);
		buf_addc(b, ':');
		s->name[s->n++] = name->b;
		json_entry(cmd, b, s, &a->v[order[k]]);
		s->n--;
		s->value = set;
	}
	buf_addc(b, '}');
}

static void show(struct flake_cmd *cmd, struct buf *b)
{
	const char *fragment;
	const struct locked_flake *lf = flake_options_open(&cmd->eval.flake_options, flake_cmd_ref(cmd), &fragment);
	struct spot s = { .n = 0, .value = want_attrs(flake_outputs(flake_call(lf)), "the outputs of a flake") };

	if (cmd->c.json) {
		show_json(cmd, b, &s);
		buf_addc(b, '\n');
		return;
	}
	buf_addf(b, "%s\n", flake_ref_text(&lf->flake->locked));
	show_text(cmd, b, &s, "");
}

int flake_show_run(int argc, char **argv)
{
	static const struct program program = {
		"gx flake show", "what a flake provides", "gx flake show [options] [FLAKE]",
		"Of other systems only the names are shown, unless --all-systems is given; nothing is built.", flake_cmd_groups
	};
	struct flake_cmd f = { .failed = 0 };
	int rc = flake_cmd_read(&f, &program, argc, argv, 1, "at most one flake");

	return rc != COMMAND_GO ? rc : flake_cmd_run(&f, show);
}
