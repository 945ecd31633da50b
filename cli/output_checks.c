/* SPDX-License-Identifier: MIT
 *
 * One row for each kind of output that has a form of its own, by where it stands.
 */
#include "config.h"
#include "cli/output_checks.h"
#include "base/slice.h"
#include "builtins/fs.h"
#include "eval/attrs.h"
#include "eval/builtin.h"
#include "eval/coerce.h"
#include "eval/compare.h"
#include "eval/eval.h"
#include "eval/show.h"

#include <string.h>

/* The names of a set are among these words. */
static void only(W set, const char *words, const char *what)
{
	struct attrs *a = attrs_of(set);

	for (uint32_t i = 0; i < a->n; i++) {
		const char *name = sym_name(a->sh->sym[i])->b;
		if (!slice_in_words(slice_of(name), words))
			throw_error(EK_EVAL, "%s has no attribute '%s'", what, name);
	}
}

/* "final", "_final", "_" */
static int is_called(sym_t arg, const char *name)
{
	const char *is = arg ? sym_name(arg)->b : "";

	return !strcmp(is, name) || !strcmp(is, "_") || (*is == '_' && !strcmp(is + 1, name));
}

static void check_overlay(const struct spot *s)
{
	uint32_t pos;

	if (!w_is_function(s->value))
		throw_error(EK_EVAL, "overlay is not a function, but %s instead", show_type(s->value));
	if (!is_called(function_arg(s->value, &pos), "final"))
		throw_error(EK_EVAL, "an overlay takes the arguments 'final' and 'prev'");
}

static void check_app(const struct spot *s)
{
	W *meta;

	want_string(want_attr(s->value, "program", "the app"), "the program of an app");
	meta = attrs_find_c(s->value, "meta");
	if (meta)
		want_attrs(force_at(meta), "the meta of an app");
	only(s->value, "type program meta", "an app");
}

static void check_template(const struct spot *s)
{
	uint32_t context = 0;
	W path = coerce_path(want_attr(s->value, "path", "the template"), &context);

	if (fs_stat(path) < FS_REGULAR)
		throw_error(EK_EVAL, "the template's path '%s' is not there", w_get_path(path)->b);
	want_string(want_attr(s->value, "description", "the template"), "the description of a template");
	only(s->value, "path description welcomeText", "a template");
}

static void check_nixos(const struct spot *s)
{
	static const char *const path[] = { "config", "system", "build", "toplevel" };
	W v = s->value;

	for (size_t i = 0; i < sizeof path / sizeof *path; i++)
		v = force(want_attr(want_attrs(v, "a NixOS configuration"), path[i], "the NixOS configuration"));
	if (W_TAG(v) != TAG_ATTRS || !value_is_derivation(v))
		throw_error(EK_EVAL, "its config.system.build.toplevel is not a derivation");
}

static const struct {
	const char *names; /* of the first member of the path */
	size_t n;	   /* how long the path is */
	void (*check)(const struct spot *s);
} kinds[] = {
	{ "overlay", 1, check_overlay },	     { "overlays", 2, check_overlay },	{ "defaultApp", 2, check_app },
	{ "apps", 3, check_app },		     { "defaultTemplate", 1, check_template }, { "templates", 2, check_template },
	{ "nixosConfigurations", 2, check_nixos },
};

void output_check_system(const struct spot *s)
{
	if (s->n == 2 &&
	    output_is(s, "checks packages devShells apps legacyPackages formatter devShell defaultPackage defaultApp") &&
	    !strchr(s->name[1], '-'))
		throw_error(EK_EVAL, "'%s' is not a system: one is 'x86_64-linux'", s->name[1]);
}

void output_check(const struct spot *s)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (s->n == kinds[i].n && output_is(s, kinds[i].names))
			kinds[i].check(s);
}
