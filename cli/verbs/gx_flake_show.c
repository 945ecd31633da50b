/* SPDX-License-Identifier: MIT
 *
 * gx flake show: a walk through the outputs of a flake.
 *
 * Nothing is built.  What cannot be evaluated is shown with its error, and the others still are.
 */
#include "config.h"
#include "cli/eval_cache.h"
#include "cli/flake_cmd.h"
#include "cli/flake_json.h"
#include "cli/output.h"
#include "cli/outputs.h"
#include "cli/report.h"
#include "eval/attrs.h"
#include "eval/builtin.h"
#include "eval/eval.h"
#include "flake/call.h"
#include "flake/ref.h"
#include "flake/source.h"

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

/* An output that cannot be told without building something. */
static struct found needs_building(void)
{
	return (struct found){ .what = IS_OMITTED, .text = "omitted due to use of import from derivation" };
}

/* One line, and what is below it. */
static void text_entry(void *user, struct spot *s, W *slot, int last)
{
	const struct picture *p = user;
	struct look l = { s, slot, p->cmd->legacy, p->cmd->all_systems, 1, { 0 } };
	struct failure fail;
	struct buf *b = p->b, indent = BUF_GC;

	buf_addf(b, "%s%s%s", p->indent, last ? "└───" : "├───", s->name[s->n - 1]);
	int ok = unwind_run(look, &l, &fail, TRACE_NONE);
	if (!ok)
		eval_cache_failed(fail.kind);
	if (!ok && fail.kind == EK_IFD) {
		l.f = needs_building();
	} else if (!ok) {
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

/* --- as Nix's JSON --- */

/* Is there anything in it?  What sets hold no output is left out, as is what cannot be told before it is asked for. */
struct content {
	const struct spot *s;
	W *slot;
	int found;
};

static int is_container(const struct spot *s)
{
	return (s->n <= 2 && output_is(s, "apps checks devShells legacyPackages packages")) ||
	       (s->n == 1 && output_is(s, "formatter nixosConfigurations nixosModules overlays"));
}

static void look_for_content(void *arg);

static int has_content(const struct spot *s, W *slot)
{
	struct content c = { s, slot, 0 };

	return !is_container(s) || !unwind_run(look_for_content, &c, NULL, TRACE_NONE) || c.found;
}

static void look_inside(void *user, struct spot *s, W *slot, int last)
{
	struct content *c = user;

	(void)last;
	c->found = c->found || has_content(s, slot);
}

static void look_for_content(void *arg)
{
	struct content *c = arg;
	struct spot s = *c->s;

	s.value = want_attrs(force_at(c->slot), "an output");
	outputs_walk(&s, look_inside, c);
}

/* What a leaf has in the JSON: nothing for what is left out. */
static void json_leaf(struct buf *b, const struct found *f)
{
	int is_drv = f->type && !strcmp(f->type, "derivation");

	buf_addc(b, '{');
	flake_json_text(b, "description", is_drv && !f->description ? "" : f->description);
	flake_json_text(b, "name", f->name);
	flake_json_text(b, "type", f->type);
	flake_json_end(b);
}

/* The names of what another system has, which is not looked at. */
static void names_of_other(void *arg)
{
	struct look *l = arg;

	l->s->value = want_attrs(force_at(l->slot), "an output");
	l->f.what = IS_SET;
}

static int is_below_other(const struct picture *p, const struct spot *s)
{
	return !p->cmd->all_systems && s->n > 2 && output_is(s, "packages checks devShells") &&
	       strcmp(s->name[1], eval_settings.system);
}

/* As far as Nix looks; 0 when it failed. */
static int json_look(const struct picture *p, struct look *l, struct failure *fail)
{
	const struct spot *s = l->s;

	if (is_below_other(p, s)) {
		l->f.what = IS_OMITTED;
		return 1;
	}
	if (!p->cmd->all_systems && output_of_another_system(s) && output_is(s, "packages checks devShells"))
		return unwind_run(names_of_other, l, fail, TRACE_NONE);
	l->all_systems |= output_is(s, "apps defaultApp");
	return unwind_run(look, l, fail, TRACE_NONE);
}

static int is_legacy_leaf(const struct spot *s, const struct found *f)
{
	return s->n > 2 && output_is(s, "legacyPackages") && !(f->type && !strcmp(f->type, "derivation"));
}

static void report_omitted(const struct spot *s, const char *text)
{
	struct buf b = BUF_GC;

	for (size_t i = 0; i < s->n; i++)
		buf_addf(&b, "%s%s", i ? "." : "", s->name[i]);
	buf_addf(&b, " %s", text);
	report_warning(0, 0, b.p);
}

static void json_failed(const struct picture *p, const struct spot *s, const struct failure *fail, struct found *f)
{
	*f = (struct found){ .what = IS_OMITTED };
	eval_cache_failed(fail->kind);
	if (fail->kind == EK_IFD) {
		*f = needs_building();
		report_omitted(s, f->text);
		return;
	}
	/* There it is usual. */
	if (output_is(s, "legacyPackages"))
		return;
	p->cmd->failed = 1;
	*f = (struct found){ .what = IS_LEAF, .type = "error",
			     .description = w_is_str(fail->msg) ? w_get_str(fail->msg)->b : "" };
}

static void json_entry(void *user, struct spot *s, W *slot, int last)
{
	const struct picture *p = user;
	struct look l = { s, slot, p->cmd->legacy, p->cmd->all_systems, 1, { 0 } };
	struct failure fail;
	struct buf *b = p->b;

	(void)last;
	if (!has_content(s, slot))
		return;
	if (b->p[b->len - 1] != '{')
		buf_addc(b, ',');
	output_json_string(b, s->name[s->n - 1], strlen(s->name[s->n - 1]));
	buf_addc(b, ':');
	if (!json_look(p, &l, &fail))
		json_failed(p, s, &fail, &l.f);
	if (l.f.what == IS_SET && (s->n <= 2 || output_is(s, "hydraJobs"))) {
		buf_addc(b, '{');
		outputs_walk(s, json_entry, user);
		buf_addc(b, '}');
	} else if (l.f.what == IS_OMITTED || is_legacy_leaf(s, &l.f)) {
		buf_adds(b, "{}");
	} else {
		json_leaf(b, &l.f);
	}
}

static void show(struct flake_cmd *cmd, struct buf *b)
{
	const char *fragment;

	/* Its address may have its hash. */
	if (cmd->c.json)
		source_be_lazy();
	const struct locked_flake *lf = flake_options_open(&cmd->eval.flake_options, flake_cmd_ref(cmd), &fragment);
	struct spot s = { .n = 0, .value = flake_root_outputs(lf) };
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
						      FLAKE_CMD_GROUPS,
						      { "The store", command_store_options },
						      { NULL, NULL } };
	static const struct program program = {
		"gx flake show", "what a flake provides", "gx flake show [options] [FLAKE]",
		"Of other systems only the names are shown, unless --all-systems is given; nothing is built. What cannot be told "
		"without building something (import from derivation) is omitted, unless --allow-import-from-derivation is given.",
		groups
	};
	struct flake_cmd f = { .kept = "flake show" };
	int rc = flake_cmd_read(&f, &program, argc, argv, 1, "at most one flake");

	if (rc != COMMAND_GO)
		return rc;
	if (eval_settings.allow_ifd < 0)
		eval_settings.allow_ifd = 0;
	return flake_cmd_run(&f, show);
}
