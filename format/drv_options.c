/* SPDX-License-Identifier: MIT
 *
 * Reading what a derivation asks of its build.
 *
 * The two forms differ in more than syntax, and both are kept as Nix has them: structured attributes give checks per
 * output (outputChecks) and switch the top-level ones and passAsFile off; the plain form checks all
 * outputs alike and does not count an output as a requisite of itself.
 *
 * Timeouts in meta have no meaning here and are not read.
 */
#include "config.h"
#include "format/drv_options.h"

#include <stddef.h>
#include <stdlib.h>

static void list_add(struct arena *a, struct slice_list *l, struct slice s)
{
	/* Powers of two; the arena keeps the old ones. */
	if ((l->n & (l->n - 1)) == 0) {
		struct slice *v = arena_alloc(a, (l->n ? l->n * 2 : 1) * sizeof *v);

		if (l->n)
			memcpy(v, l->v, l->n * sizeof *v);
		l->v = v;
	}
	l->v[l->n++] = s;
}

/* Words between blanks. */
static void list_words(struct arena *a, struct slice_list *l, struct slice s)
{
	size_t i = 0, at;

	l->given = 1;
	while (i < s.n) {
		while (i < s.n && strchr(" \t\n\r", s.p[i]))
			i++;
		at = i;
		while (i < s.n && (!s.p[i] || !strchr(" \t\n\r", s.p[i])))
			i++;
		if (i > at)
			list_add(a, l, (struct slice){ s.p + at, i - at });
	}
}

static int list_strings(struct arena *a, struct slice_list *l, const struct jnode *n, const char *what, struct err *e)
{
	l->given = 1;
	if (n->kind != JSON_ARRAY)
		return err_set(e, ERR_INVALID, "attribute '%s' must be a list of strings", what);
	for (n = n->first; n; n = n->next) {
		if (n->kind != JSON_STRING)
			return err_set(e, ERR_INVALID, "attribute '%s' must be a list of strings", what);
		list_add(a, l, n->str);
	}
	return 0;
}

/* A list that stands in either form. */
static int read_list(struct drv_options *o, const struct drv *d, const char *name, struct slice_list *l, struct err *e)
{
	const struct jnode *n;
	const struct slice *s;

	if (o->json) {
		n = json_member(o->json, slice_of(name));
		return n ? list_strings(&o->arena, l, n, name, e) : 0;
	}
	s = drv_env(d, slice_of(name));
	if (s)
		list_words(&o->arena, l, *s);
	return 0;
}

/* --- checks of outputs --- */

static struct output_check *add_check(struct drv_options *o, size_t max, struct slice output)
{
	struct output_check *c;

	if (!o->checks)
		o->checks = arena_alloc(&o->arena, max * sizeof *o->checks);
	c = &o->checks[o->nchecks++];
	c->output = output;
	c->max_size = c->max_closure_size = UINT64_MAX;
	return c;
}

static int read_size(const struct jnode *n, const char *what, uint64_t *out, struct err *e)
{
	if (!n)
		return 0;
	if (n->kind != JSON_INT || n->i < 0)
		return err_set(e, ERR_INVALID, "attribute '%s' must be a number of bytes", what);
	*out = (uint64_t)n->i;
	return 0;
}

/* The lists of a check, by the attributes they are read from. */
static const struct {
	const char *name;
	size_t at;
} check_lists[] = {
	{ "allowedReferences", offsetof(struct output_check, allowed_references) },
	{ "disallowedReferences", offsetof(struct output_check, disallowed_references) },
	{ "allowedRequisites", offsetof(struct output_check, allowed_requisites) },
	{ "disallowedRequisites", offsetof(struct output_check, disallowed_requisites) },
};

static struct slice_list *check_list(struct output_check *c, size_t i)
{
	return (void *)((char *)c + check_lists[i].at);
}

static int read_check(struct drv_options *o, struct output_check *c, const struct jnode *from, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; i < sizeof check_lists / sizeof *check_lists && !rc; i++) {
		const char *name = check_lists[i].name;
		const struct jnode *n = json_member(from, slice_of(name));

		rc = n ? list_strings(&o->arena, check_list(c, i), n, name, e) : 0;
	}
	rc = rc ? rc : read_size(json_member(from, SLICE("maxSize")), "maxSize", &c->max_size, e);
	return rc ? rc : read_size(json_member(from, SLICE("maxClosureSize")), "maxClosureSize", &c->max_closure_size, e);
}

static int read_checks_json(struct drv_options *o, struct err *e)
{
	const struct jnode *all = json_member(o->json, SLICE("outputChecks"));
	size_t n = 0;
	int rc = 0;

	if (!all)
		return 0;
	if (all->kind != JSON_OBJECT)
		return err_set(e, ERR_INVALID, "attribute 'outputChecks' must be a set");
	for (const struct jnode *m = all->first; m; m = m->next)
		n++;
	for (const struct jnode *m = all->first; m && !rc; m = m->next) {
		if (m->kind != JSON_OBJECT)
			return err_set(e, ERR_INVALID, "attribute 'outputChecks.%.*s' must be a set", (int)m->key.n, m->key.p);
		rc = read_check(o, add_check(o, n, m->key), m, e);
	}
	return rc;
}

static void read_checks_plain(struct drv_options *o, const struct drv *d)
{
	struct output_check *c = add_check(o, 1, SLICE(""));

	c->ignore_self = 1;
	for (size_t i = 0; i < sizeof check_lists / sizeof *check_lists; i++) {
		const struct slice *s = drv_env(d, slice_of(check_lists[i].name));

		if (s)
			list_words(&o->arena, check_list(c, i), *s);
	}
}

/* --- exportReferencesGraph --- */

static int flatten(struct arena *a, struct slice_list *l, const struct jnode *top, struct err *e)
{
	const struct jnode *n = top;

	for (;;) {
		if (n->kind == JSON_STRING)
			list_add(a, l, n->str);
		else if (n->kind != JSON_ARRAY)
			return err_set(e, ERR_INVALID, "'exportReferencesGraph' value is not an array or a string");
		if (n->kind == JSON_ARRAY && n->first) {
			n = n->first;
			continue;
		}
		while (n != top && !n->next)
			n = n->parent;
		if (n == top)
			return 0;
		n = n->next;
	}
}

static int read_exports_json(struct drv_options *o, struct err *e)
{
	const struct jnode *all = json_member(o->json, SLICE("exportReferencesGraph"));
	size_t n = 0;
	int rc = 0;

	if (!all || all->kind != JSON_OBJECT)
		return 0;
	for (const struct jnode *m = all->first; m; m = m->next)
		n++;
	o->exports = arena_alloc(&o->arena, (n + 1) * sizeof *o->exports);
	for (const struct jnode *m = all->first; m && !rc; m = m->next) {
		o->exports[o->nexports].name = m->key;
		rc = flatten(&o->arena, &o->exports[o->nexports++].paths, m, e);
	}
	return rc;
}

/* [A-Za-z_][A-Za-z0-9_.-]* */
static int is_file_name(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
		      (i && ((c >= '0' && c <= '9') || c == '.' || c == '-'))))
			return 0;
	}
	return s.n > 0;
}

static int read_exports_plain(struct drv_options *o, const struct drv *d, struct err *e)
{
	const struct slice *s = drv_env(d, SLICE("exportReferencesGraph"));
	struct slice_list words = { 0 };

	if (!s)
		return 0;
	list_words(&o->arena, &words, *s);
	if (words.n % 2)
		return err_set(e, ERR_INVALID, "odd number of tokens in 'exportReferencesGraph': '%.*s'", (int)s->n, s->p);
	o->exports = arena_alloc(&o->arena, (words.n / 2 + 1) * sizeof *o->exports);
	for (size_t i = 0; i < words.n; i += 2) {
		if (!is_file_name(words.v[i]))
			return err_set(e, ERR_INVALID, "invalid file name '%.*s' in 'exportReferencesGraph'", (int)words.v[i].n,
				       words.v[i].p);
		o->exports[o->nexports].name = words.v[i];
		list_add(&o->arena, &o->exports[o->nexports++].paths, words.v[i + 1]);
	}
	return 0;
}

/* --- the rest --- */

static int read_bool(const struct drv_options *o, const struct drv *d, const char *name, int usual)
{
	const struct slice *s;

	if (o->json) {
		const struct jnode *n = json_member(o->json, slice_of(name));

		return n ? n->kind == JSON_TRUE : usual;
	}
	s = drv_env(d, slice_of(name));
	return s ? slice_eq(*s, SLICE("1")) : usual;
}

static void read_discards(struct drv_options *o)
{
	const struct jnode *n = json_member(o->json, SLICE("unsafeDiscardReferences"));

	if (!n || n->kind != JSON_OBJECT)
		return;
	for (n = n->first; n; n = n->next)
		if (n->kind == JSON_TRUE)
			list_add(&o->arena, &o->discard_references, n->key);
}

int drv_options_read(struct drv_options *o, const struct drv *d, struct err *e)
{
	const struct slice *json = drv_env(d, SLICE("__json")), *files;
	int rc = 0;

	*o = (struct drv_options){ .arena = ARENA_INIT };
	if (json) {
		rc = json_tree_parse(&o->arena, *json, &o->json, e);
		if (!rc && o->json->kind != JSON_OBJECT)
			rc = err_set(e, ERR_INVALID, "it is not a set");
		if (rc) {
			err_prefix(e, "cannot process __json attribute");
			return rc;
		}
		rc = read_checks_json(o, e);
		rc = rc ? rc : read_exports_json(o, e);
		read_discards(o);
	} else {
		read_checks_plain(o, d);
		rc = read_exports_plain(o, d, e);
		files = drv_env(d, SLICE("passAsFile"));
		if (files)
			list_words(&o->arena, &o->pass_as_file, *files);
	}
	rc = rc ? rc : read_list(o, d, "impureEnvVars", &o->impure_env, e);
	rc = rc ? rc : read_list(o, d, "requiredSystemFeatures", &o->features, e);
	o->no_chroot = read_bool(o, d, "__noChroot", 0);
	o->prefer_local = read_bool(o, d, "preferLocalBuild", 0);
	o->allow_substitutes = read_bool(o, d, "allowSubstitutes", 1);
	return rc;
}

void drv_options_release(struct drv_options *o)
{
	arena_release(&o->arena);
	*o = (struct drv_options){ .arena = ARENA_INIT };
}
