/* SPDX-License-Identifier: MIT
 *
 * gx search: the packages of a flake that some words are found in.
 *
 * A line a package, that it is read and grepped as a list, or with --long as `nix search` prints them.  Of each only the name,
 * version and description are evaluated.  What has none, because it is no package, or not for this system, is passed over: sets of
 * packages hold functions and much else.
 */
#include "config.h"
#include "base/mem.h"
#include "base/regex.h"
#include "base/words.h"
#include "cli/flake_cmd.h"
#include "cli/given.h"
#include "cli/output.h"
#include "cli/outputs.h"
#include "cli/verb.h"
#include "cli/width.h"
#include "eval/attrs.h"
#include "eval/builtin.h"
#include "eval/compare.h"
#include "eval/eval.h"
#include "flake/call.h"
#include "format/path.h"

#include <stdlib.h>
#include <string.h>

/* A package, its strings collected. */
struct hit {
	const char *path; /* below packages.SYSTEM or legacyPackages.SYSTEM */
	const char *set;  /* which of them; "": of what -f or -E gave */
	const char *name, *pname, *version, *description;
};

struct search_command {
	struct flake_cmd f; /* first: options get it */
	struct words without; /* as they were typed */
	int with_descriptions;	 /* --long */
};

struct search {
	struct words words, without; /* in small letters; the collector's */
	int strict; /* what fails is an error */
	W own; /* packages.SYSTEM, when legacyPackages are walked through */
	struct hit *hits;
	size_t n_hits, room, names_width, versions_width;
};

/* --- what is found --- */

static char *small_letters(const char *text)
{
	size_t n = strlen(text);
	char *s = mem_bytes(n + 1);

	for (size_t i = 0; i <= n; i++)
		s[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + ('a' - 'A') : text[i]);
	return s;
}

static int contains(const char *text, const char *word)
{
	struct err e = ERR_INIT;
	const struct regex *re = regex_get(word, strlen(word), &e);
	struct regex_span whole, *groups;

	if (!re) {
		err_prefix(&e, "invalid regular expression '%s'", word);
		throw_err(&e);
	}
	groups = mem_bytes((regex_groups(re) + 1) * sizeof *groups);
	return regex_iter_next(regex_iter_new(re, text, strlen(text)), &whole, groups);
}

/* Each word is in its name or in what is said of it, and none of the others is. */
static int is_meant(const struct search *r, const struct hit *h)
{
	const char *path = small_letters(h->path), *name = small_letters(h->pname), *text = small_letters(h->description);

	for (size_t i = 0; i < r->words.n + r->without.n; i++) {
		const char *word = i < r->words.n ? r->words.v[i] : r->without.v[i - r->words.n];
		int found = contains(path, word) || contains(name, word) || contains(text, word);

		if (found != (i < r->words.n))
			return 0;
	}
	return 1;
}

static const char *path_of(const struct spot *s)
{
	struct buf b = BUF_GC;

	for (size_t i = 2; i < s->n; i++)
		buf_addf(&b, "%s%s", i > 2 ? "." : "", s->name[i]);
	return buf_str(&b);
}

/* NULL when it has none. */
static const char *text_of(W package, const char *name)
{
	W *slot = attrs_find_c(package, name);
	W v = slot ? force_at(slot) : W_NULL;

	return w_is_str(v) ? w_get_str(v)->b : NULL;
}

/* Where a package does not say them apart, they are in its name. */
static void name_and_version(struct hit *h, W package)
{
	size_t cut = drv_name_cut(slice_of(h->name));
	const char *pname = text_of(package, "pname"), *version = text_of(package, "version");
	struct buf b = BUF_GC;

	buf_add(&b, h->name, cut);
	h->pname = pname ? pname : buf_str(&b);
	h->version = version ? version : !pname && h->name[cut] ? h->name + cut + 1 : "";
}

/* --- the walk --- */

struct visit {
	struct look look;
	struct hit hit;
};

static void visit(void *arg)
{
	struct visit *v = arg;

	output_look(&v->look);
	/* A name is what packages have only. */
	if (v->look.f.name) {
		v->hit.name = v->look.f.name;
		name_and_version(&v->hit, v->look.s->value);
	}
}

static void take(struct search *r, const struct hit *h)
{
	MEM_GROW(r->hits, r->n_hits + 1, r->room);
	r->hits[r->n_hits++] = *h;
	size_t path = width_of((struct slice){ h->path, strlen(h->path) });
	size_t version = width_of((struct slice){ h->version, strlen(h->version) });
	r->names_width = path > r->names_width ? path : r->names_width;
	r->versions_width = version > r->versions_width ? version : r->versions_width;
}

static void entry(void *user, struct spot *s, W *slot, int last)
{
	struct search *r = user;
	struct visit v = { .look = { .s = s, .slot = slot, .legacy = 1, .lenient = 1 } };
	struct failure failure;

	(void)last;
	/* Packages of the flake's own are in both as a rule. */
	if (s->n == 3 && r->own && attrs_find_c(r->own, s->name[2]))
		return;
	if (!unwind_run(visit, &v, &failure, r->strict ? TRACE_ALL : TRACE_NONE)) {
		if (r->strict)
			unwind_rethrow(&failure);
		return;
	}
	if (v.look.f.what == IS_SET) {
		outputs_walk(s, entry, r);
	} else if (v.look.f.name) {
		v.hit.path = path_of(s);
		v.hit.set = s->name[0];
		v.hit.description = v.look.f.description ? v.look.f.description : "";
		if (is_meant(r, &v.hit))
			take(r, &v.hit);
	}
}

/* Those of one of the two outputs.  Returns the set, W_NULL when there is none. */
static W walk(struct search *r, W outputs, const char *name)
{
	W *systems = attrs_find_c(outputs, name);
	W *packages = systems ? attrs_find_c(want_attrs(force_at(systems), name), eval_settings.system) : NULL;
	struct spot s = { .name = { name, eval_settings.system }, .n = 2 };

	if (!packages)
		return W_NULL;
	s.value = want_attrs(force_at(packages), name);
	outputs_walk(&s, entry, r);
	return s.value;
}

/* The same of what -f or -E gave, whose packages are found as those of legacyPackages are. */
static void walk_given(struct search *r, struct flake_cmd *f)
{
	W args = given_args(&f->eval), root = given_value(&f->eval);
	const char *attr = f->c.operands[0];
	struct spot s = { .name = { "legacyPackages", eval_settings.system }, .n = 2 };
	struct attr_place at;

	r->strict = 1;
	s.value = eval_auto_call(*attr ? eval_attr_path(root, attr, args, &at) : root, args);
	if (*attr)
		s.name[s.n++] = attr;
	if (value_is_derivation(want_attrs(s.value, "what is searched")))
		entry(r, &s, NULL, 1);
	else
		outputs_walk(&s, entry, r);
	for (size_t i = 0; i < r->n_hits; i++)
		r->hits[i].set = "";
}

/* --- output --- */

static void add_padded(struct buf *b, const char *text, size_t columns)
{
	size_t n = width_of((struct slice){ text, strlen(text) });

	buf_adds(b, text);
	buf_addf(b, "%*s", (int)(columns - n + 2), "");
}

static void add_text(struct buf *b, const struct search *r)
{
	for (size_t i = 0; i < r->n_hits; i++) {
		const struct hit *h = &r->hits[i];

		add_padded(b, h->path, r->names_width);
		if (r->versions_width)
			add_padded(b, h->version, r->versions_width);
		while (b->len && b->p[b->len - 1] == ' ' && !*h->description)
			b->len--;
		buf_addf(b, "%s\n", h->description);
	}
}

static void mark_matches(char *marks, const char *text, const char *word)
{
	const struct regex *re = regex_get(word, strlen(word), &(struct err)ERR_INIT);
	struct regex_iter *it = regex_iter_new(re, text, strlen(text));
	struct regex_span whole, *groups = mem_bytes((regex_groups(re) + 1) * sizeof *groups);

	while (regex_iter_next(it, &whole, groups))
		memset(marks + whole.start, 1, whole.end - whole.start);
}

/* A text with what was found in green; after: what sets the colours around it again. */
static void add_marked(struct buf *b, const struct search *r, const char *text, const char *after)
{
	size_t n = strlen(text);
	char *marks = memset(mem_bytes(n + 1), 0, n + 1);

	for (size_t i = 0; i < r->words.n; i++)
		mark_matches(marks, small_letters(text), r->words.v[i]);
	for (size_t i = 0; i < n; i++) {
		if (marks[i] && (!i || !marks[i - 1]))
			buf_adds(b, "\033[32;1m");
		buf_addc(b, text[i]);
		if (marks[i] && !marks[i + 1])
			buf_adds(b, after);
	}
}

static void add_full_path(struct buf *b, const struct hit *h)
{
	if (*h->set)
		buf_addf(b, "%s.%s.", h->set, eval_settings.system);
	buf_adds(b, h->path);
}

/* Two lines a package, an empty one between. */
static void add_long(struct buf *b, const struct search *r)
{
	for (size_t i = 0; i < r->n_hits; i++) {
		const struct hit *h = &r->hits[i];
		struct buf path = BUF_GC;

		add_full_path(&path, h);
		buf_adds(b, i ? "\n* \033[0;1m" : "* \033[0;1m");
		add_marked(b, r, buf_str(&path), "\033[0;1m");
		buf_adds(b, "\033[0m");
		buf_addf(b, *h->version ? " (%s)\n" : "%s\n", h->version);
		if (!*h->description)
			continue;
		buf_adds(b, "  ");
		add_marked(b, r, h->description, "\033[0m");
		buf_addc(b, '\n');
	}
}

static void add_member(struct buf *b, const char *name, const char *text)
{
	buf_addf(b, "\"%s\":", name);
	output_json_string(b, text, strlen(text));
}

/* As Nix has it. */
static void add_json(struct buf *b, const struct search *r)
{
	buf_addc(b, '{');
	for (size_t i = 0; i < r->n_hits; i++) {
		const struct hit *h = &r->hits[i];
		struct buf path = BUF_GC;

		add_full_path(&path, h);
		buf_adds(b, i ? "," : "");
		output_json_string(b, path.p, path.len);
		buf_adds(b, ":{");
		add_member(b, "description", h->description);
		buf_addc(b, ',');
		add_member(b, "pname", h->pname);
		buf_addc(b, ',');
		add_member(b, "version", h->version);
		buf_addc(b, '}');
	}
	buf_adds(b, "}\n");
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct hit *)a)->path, ((const struct hit *)b)->path);
}

static struct words in_small_letters(char *const *v, size_t n)
{
	struct words w = { mem_new(mem_size(n + 1, sizeof *w.v, 0)), n, n };

	for (size_t i = 0; i < n; i++)
		w.v[i] = small_letters(v[i]);
	return w;
}

static void evaluate(struct flake_cmd *f, struct buf *out)
{
	struct search_command *c = (struct search_command *)f;
	int given = value_options_given(&f->eval);
	/* With one word it is in the standard library. */
	size_t first = given || f->c.n > 1;
	const char *fragment, *ref = given ? f->eval.file ? f->eval.file : "the expression" : first ? f->c.operands[0] : "gx:std";
	struct search r = { .words = in_small_letters(f->c.operands + first, f->c.n - first),
			    .without = in_small_letters(c->without.v, c->without.n) };

	if (given) {
		walk_given(&r, f);
	} else {
		W outputs = flake_root_outputs(flake_options_open(&f->eval.flake_options, ref, &fragment));

		r.own = walk(&r, outputs, "packages");
		walk(&r, outputs, "legacyPackages");
	}
	if (!r.n_hits && !f->c.json)
		throw_error(EK_EVAL, "no package of '%s' has that in its name or description", ref);
	if (r.n_hits)
		qsort(r.hits, r.n_hits, sizeof *r.hits, by_path);
	(f->c.json ? add_json : c->with_descriptions ? add_long : add_text)(out, &r);
}

enum { O_LONG = 10, O_EXCLUDE };

static int on_option(void *arg, int id, char **values)
{
	struct search_command *c = arg;

	switch (id) {
	case O_LONG: c->with_descriptions = 1; return 0;
	case O_EXCLUDE: words_add(&c->without, values[0]); return 0;
	}
	return flake_cmd_option(&c->f, id, values);
}

int search_run(int argc, char **argv)
{
	static const struct option options[] = {
		OPTION_JSON,
		{ O_EXCLUDE, 'e', "exclude", "WORD", "Leave out what WORD is found in." },
		{ O_LONG, 0, "long", NULL, "Descriptions on lines of their own, and what was found in colours, also in a pipe." },
		{ 0 }
	};
	static const struct option_group groups[] = { { "Options", options },
						      { "What to evaluate", value_option_table },
						      { "Flakes", flake_option_table },
						      { "The store", command_store_options },
						      { NULL, NULL } };
	static const struct program program = {
		"gx search", "find packages by name and description",
		"gx search [options] WORD\ngx search [options] FLAKE WORD...\ngx search [options] -f FILE ATTR WORD...",
		"With one word the packages of gx:std are searched, else those of FLAKE, or of the set ATTR of a file, '' for all "
		"of it. A word is a regular expression that is found in the name of a package or in its description, in large or "
		"small letters; of several, all are. '^' is in each.",
		groups
	};
	struct search_command c = { .with_descriptions = 0 };
	struct flake_cmd *f = &c.f;
	int rc;

	f->c.program = &program;
	f->c.option = on_option;
	f->c.arg = &c;
	rc = command_read(&f->c, argc, argv, 0, 0, "a word");
	if (rc == COMMAND_GO && f->c.n < (value_options_given(&f->eval) ? 2 : 1))
		rc = command_end(&f->c, usage_error(&program, "a word is wanted"));
	else if (rc == COMMAND_GO) {
		if (eval_settings.allow_ifd < 0)
			eval_settings.allow_ifd = 0;
		/* A file may look around, as for gx eval. */
		f->eval.flake_options.impure |= f->eval.file != NULL;
		rc = flake_cmd_run(f, evaluate);
	}
	words_release(&c.without);
	return rc;
}
