/* SPDX-License-Identifier: MIT
 *
 * gx flake show and gx flake check: a walk through the outputs of a flake.
 *
 * What an output is follows from where it stands (packages.SYSTEM.NAME is a package, devShells.SYSTEM.NAME a development
 * environment).  The walk evaluates each only as far as it must to name it, for every system, and builds nothing.  One
 * that cannot be evaluated is shown with its error and the others still are.
 */
#include "config.h"
#include "cli/flake_cmd.h"
#include "cli/output.h"
#include "cli/report.h"
#include "eval/attrs.h"
#include "eval/builtin.h"
#include "eval/compare.h"
#include "eval/eval.h"
#include "flake/call.h"
#include "flake/ref.h"

#include <stdio.h>
#include <string.h>

enum { DEPTH_MAX = 32 };

/* A place in the outputs. */
struct spot {
	const char *name[DEPTH_MAX];
	size_t n;
	W value;
};

enum what { IS_SET, IS_LEAF, IS_OMITTED };

/* What one spot turned out to be: a text for people, a type and perhaps name and description for programs. */
struct found {
	enum what what;
	const char *text, *type;
	const char *name, *description;
};

static int first_is(const struct spot *s, const char *words)
{
	size_t n = s->n ? strlen(s->name[0]) : 0;

	for (const char *p = words; n && *p; p += strspn(p, " ")) {
		size_t k = strcspn(p, " ");
		if (k == n && !memcmp(p, s->name[0], n))
			return 1;
		p += k;
	}
	return 0;
}

static const char *format(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static const char *format(const char *fmt, ...)
{
	struct buf b = BUF_GC;
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	return buf_str(&b);
}

/* A string attribute of a set, NULL when there is none. */
static const char *text_attr(W set, const char *name)
{
	W *w = attrs_find_c(set, name);
	W v = w ? force_at(w) : W_NULL;

	return w_is_str(v) ? w_get_str(v)->b : NULL;
}

static void is_derivation(const struct spot *s, W v, const char *kind, struct found *f)
{
	if (W_TAG(v) != TAG_ATTRS || !value_is_derivation(v))
		throw_error(EK_EVAL, "it is not a derivation");
	W *meta = attrs_find_c(v, "meta");
	(void)s;
	f->name = text_attr(v, "name");
	f->type = "derivation";
	f->description = meta && W_TAG(force_at(meta)) == TAG_ATTRS ? text_attr(*meta, "description") : NULL;
	f->text = f->description ? format("%s '%s' - '%s'", kind, f->name ? f->name : "?", f->description)
				 : format("%s '%s'", kind, f->name ? f->name : "?");
}

static void is_plain(struct found *f, const char *type, const char *text)
{
	f->type = type;
	f->text = text;
}

static void is_app(W v, struct found *f)
{
	const char *type = text_attr(want_attrs(v, "an app"), "type");

	if (!type || strcmp(type, "app"))
		throw_error(EK_EVAL, "an app needs type = \"app\"");
	is_plain(f, "app", "app");
}

static void is_template(W v, struct found *f)
{
	f->description = text_attr(want_attrs(v, "a template"), "description");
	is_plain(f, "template", f->description ? format("template: %s", f->description) : "template");
}

/* A set of packages inside a set of packages. */
static int says_recurse(W v)
{
	W *w = W_TAG(v) == TAG_ATTRS ? attrs_find_c(v, "recurseForDerivations") : NULL;

	return w && force_at(w) == W_TRUE;
}

/* Sets that are opened for their names alone. */
static int is_open(const struct spot *s, int legacy)
{
	return s->n == 0 ||
	       (s->n == 1 && first_is(s, "defaultPackage devShell formatter nixosConfigurations nixosModules defaultApp "
				      "templates overlays legacyPackages")) ||
	       (s->n <= 2 && first_is(s, "checks packages devShells apps")) ||
	       (s->n == 2 && legacy && first_is(s, "legacyPackages")) ||
	       (s->n > 2 && legacy && first_is(s, "legacyPackages") && says_recurse(s->value)) ||
	       (first_is(s, "hydraJobs") && W_TAG(s->value) == TAG_ATTRS && !value_is_derivation(s->value));
}

static const char *derivation_kind(const struct spot *s)
{
	if (first_is(s, "devShell devShells"))
		return "development environment";
	if (first_is(s, "checks hydraJobs"))
		return "derivation";
	return first_is(s, "formatter") ? "formatter" : "package";
}

static void classify(const struct spot *s, int legacy, struct found *f)
{
	W v = s->value;

	if (is_open(s, legacy)) {
		want_attrs(v, "an output");
		f->what = IS_SET;
		return;
	}
	f->what = IS_LEAF;
	if (first_is(s, "legacyPackages") && !legacy) {
		f->what = IS_OMITTED;
		f->text = "omitted (use '--legacy' to show)";
	} else if (first_is(s, "legacyPackages") && (W_TAG(v) != TAG_ATTRS || !value_is_derivation(v))) {
		/* Functions and sets stand beside the packages. */
		is_plain(f, "unknown", "unknown");
	} else if (first_is(s, "defaultPackage devShell formatter checks packages devShells hydraJobs legacyPackages")) {
		is_derivation(s, v, derivation_kind(s), f);
	} else if (first_is(s, "defaultApp apps")) {
		is_app(v, f);
	} else if (first_is(s, "defaultTemplate templates")) {
		is_template(v, f);
	} else if (first_is(s, "overlay overlays")) {
		is_plain(f, "nixpkgs-overlay", "Nixpkgs overlay");
	} else if (first_is(s, "nixosConfigurations")) {
		is_plain(f, "nixos-configuration", "NixOS configuration");
	} else if (first_is(s, "nixosModule nixosModules")) {
		is_plain(f, "nixos-module", "NixOS module");
	} else {
		is_plain(f, "unknown", "unknown");
	}
}

/* --- showing --- */

struct look {
	struct spot *s;
	W *slot;
	int legacy;
	struct found f;
};

static void look(void *arg)
{
	struct look *l = arg;

	l->s->value = l->slot ? force_at(l->slot) : l->s->value;
	classify(l->s, l->legacy, &l->f);
}

static void show_text(struct flake_cmd *cmd, struct buf *b, struct spot *s, const char *indent);

/* One line, and what is below it. */
static void text_entry(struct flake_cmd *cmd, struct buf *b, struct spot *s, W *slot, const char *indent, int last)
{
	struct look l = { s, slot, cmd->legacy, { 0 } };
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
	struct look l = { s, slot, cmd->legacy, { 0 } };
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
	static const struct program program = { "gx flake show", "what a flake provides", "gx flake show [options] [FLAKE]",
						"All systems are shown; nothing is built.", flake_cmd_groups };
	struct flake_cmd f = { .failed = 0 };
	int rc = flake_cmd_read(&f, &program, argc, argv, 1, "at most one flake");

	return rc != COMMAND_GO ? rc : flake_cmd_run(&f, show);
}

/* --- checking --- */

struct checking {
	struct flake_cmd *cmd;
	size_t good, bad;
};

static void check_below(struct checking *c, struct spot *s);

static void check_leaf(void *arg)
{
	struct look *l = arg;

	look(l);
	if (l->f.what == IS_LEAF && l->f.type && !strcmp(l->f.type, "derivation"))
		force(want_attr(l->s->value, "drvPath", "the derivation"));
}

static void check_entry(struct checking *c, struct spot *s, W *slot)
{
	struct look l = { s, slot, 0, { 0 } };
	struct failure fail;

	if (!unwind_run(check_leaf, &l, &fail, TRACE_ALL)) {
		struct buf path = BUF_GC;
		for (size_t i = 0; i < s->n; i++)
			buf_addf(&path, "%s%s", i ? "." : "", s->name[i]);
		c->bad++;
		c->cmd->failed = 1;
		report_line("checking '%s':", path.p);
		report_failure(&fail);
	} else if (l.f.what == IS_SET) {
		check_below(c, s);
	} else if (l.f.what == IS_LEAF) {
		c->good++;
	}
}

static void check_below(struct checking *c, struct spot *s)
{
	struct attrs *a = attrs_of(s->value);
	const uint32_t *order = attrs_order(a);
	W set = s->value;

	if (s->n == DEPTH_MAX)
		throw_error(EK_EVAL, "the outputs are nested deeper than %d", DEPTH_MAX);
	for (uint32_t k = 0; k < a->n; k++) {
		s->name[s->n++] = sym_name(a->sh->sym[order[k]])->b;
		check_entry(c, s, &a->v[order[k]]);
		s->n--;
		s->value = set;
	}
}

static void check(struct flake_cmd *cmd, struct buf *b)
{
	const char *fragment;
	const struct locked_flake *lf = flake_options_open(&cmd->eval.flake_options, flake_cmd_ref(cmd), &fragment);
	struct spot s = { .n = 0, .value = want_attrs(flake_outputs(flake_call(lf)), "the outputs of a flake") };
	struct checking c = { cmd, 0, 0 };

	(void)b;
	check_below(&c, &s);
	if (!report_settings.quiet)
		report_line("note: %zu outputs evaluate, %zu do not; nothing was built", c.good, c.bad);
}

int flake_check_run(int argc, char **argv)
{
	static const struct program program = {
		"gx flake check", "evaluate everything a flake provides", "gx flake check [options] [FLAKE]",
		"Every output is looked at, for all systems, also after one has failed. Nothing is built.", flake_cmd_groups
	};
	struct flake_cmd f = { .failed = 0 };
	int rc = flake_cmd_read(&f, &program, argc, argv, 1, "at most one flake");

	return rc != COMMAND_GO ? rc : flake_cmd_run(&f, check);
}
