/* SPDX-License-Identifier: MIT
 *
 * What an output is follows from where it stands: packages.SYSTEM.NAME is a package, devShells.SYSTEM.NAME a development
 * environment.  It is evaluated only as far as it must be to name it.
 */
#include "config.h"
#include "cli/outputs.h"
#include "eval/attrs.h"
#include "eval/builtin.h"
#include "eval/compare.h"
#include "eval/eval.h"

#include <stdio.h>
#include <string.h>

int output_is(const struct spot *s, const char *words)
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

static const char *description_of(W v)
{
	W *meta = attrs_find_c(v, "meta");

	return meta && W_TAG(force_at(meta)) == TAG_ATTRS ? text_attr(*meta, "description") : NULL;
}

/* Of the older names that hold one for each system; what has names of its own is written under another. */
static const char *no_derivation(const struct spot *s)
{
	int is_set = s->n == 2 && W_TAG(s->value) == TAG_ATTRS;

	if (is_set && output_is(s, "devShell"))
		return "it is not a derivation; did you mean 'devShells'?";
	if (is_set && output_is(s, "defaultPackage"))
		return "it is not a derivation; did you mean 'packages'?";
	return "it is not a derivation";
}

static void is_derivation(const struct spot *s, const char *kind, int lenient, struct found *f)
{
	W v = s->value;
	int good = W_TAG(v) == TAG_ATTRS && value_is_derivation(v);

	if (!good && !lenient)
		throw_error(EK_EVAL, "%s", no_derivation(s));
	if (!good) {
		f->what = IS_OMITTED;
		f->text = no_derivation(s);
		return;
	}
	f->name = text_attr(v, "name");
	f->type = "derivation";
	f->description = description_of(v);
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
	f->description = description_of(v);
	is_plain(f, "app", f->description ? format("app: %s", f->description) : "app");
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
	       (s->n == 1 && output_is(s, "defaultPackage devShell formatter nixosConfigurations nixosModules defaultApp "
				      "templates overlays legacyPackages")) ||
	       (s->n <= 2 && output_is(s, "checks packages devShells apps")) ||
	       (s->n == 2 && legacy && output_is(s, "legacyPackages")) ||
	       (s->n > 2 && legacy && output_is(s, "legacyPackages") && says_recurse(s->value)) ||
	       (output_is(s, "hydraJobs") && W_TAG(s->value) == TAG_ATTRS && !value_is_derivation(s->value));
}

static const char *derivation_kind(const struct spot *s)
{
	if (output_is(s, "devShell devShells"))
		return "development environment";
	if (output_is(s, "checks hydraJobs"))
		return "derivation";
	return "package";
}

static void classify(const struct spot *s, int legacy, int lenient, struct found *f)
{
	W v = s->value;

	if (is_open(s, legacy)) {
		want_attrs(v, "an output");
		f->what = IS_SET;
		return;
	}
	f->what = IS_LEAF;
	if (output_is(s, "legacyPackages") && !legacy) {
		f->what = IS_OMITTED;
		f->text = "omitted (use '--legacy' to show)";
	} else if (output_is(s, "legacyPackages") && (W_TAG(v) != TAG_ATTRS || !value_is_derivation(v))) {
		/* Functions and sets stand beside the packages. */
		is_plain(f, "unknown", "unknown");
	} else if (output_is(s, "defaultPackage devShell formatter checks packages devShells hydraJobs legacyPackages")) {
		is_derivation(s, derivation_kind(s), lenient, f);
	} else if (output_is(s, "defaultApp apps")) {
		is_app(v, f);
	} else if (output_is(s, "defaultTemplate templates")) {
		is_template(v, f);
	} else if (output_is(s, "overlay overlays")) {
		is_plain(f, "nixpkgs-overlay", "Nixpkgs overlay");
	} else if (output_is(s, "nixosConfigurations")) {
		is_plain(f, "nixos-configuration", "NixOS configuration");
	} else if (output_is(s, "nixosModule nixosModules")) {
		is_plain(f, "nixos-module", "NixOS module");
	} else {
		const char *plural = s->n == 1 && output_is(s, "package check app template") ? s->name[0] : NULL;
		is_plain(f, "unknown", plural ? format("unknown; did you mean '%ss'?", plural) : "unknown");
	}
}

int output_of_another_system(const struct spot *s)
{
	return s->n == 2 &&
	       output_is(s, "checks packages devShells apps legacyPackages formatter devShell defaultPackage defaultApp") &&
	       strcmp(s->name[1], eval_settings.system);
}

void output_look(struct look *l)
{
	/* Another system's is not evaluated at all. */
	if (!l->all_systems && output_of_another_system(l->s)) {
		l->f.what = IS_OMITTED;
		l->f.text = "omitted (use '--all-systems' to show)";
		return;
	}
	l->s->value = l->slot ? force_at(l->slot) : l->s->value;
	classify(l->s, l->legacy, l->lenient, &l->f);
}

void outputs_walk(struct spot *s, void (*fn)(void *user, struct spot *s, W *slot, int last), void *user)
{
	struct attrs *a = attrs_of(s->value);
	const uint32_t *order = attrs_order(a);
	W set = s->value;

	if (s->n == DEPTH_MAX)
		throw_error(EK_EVAL, "the outputs are nested deeper than %d", DEPTH_MAX);
	for (uint32_t k = 0; k < a->n; k++) {
		s->name[s->n++] = sym_name(a->sh->sym[order[k]])->b;
		fn(user, s, &a->v[order[k]], k + 1 == a->n);
		s->n--;
		s->value = set;
	}
}
