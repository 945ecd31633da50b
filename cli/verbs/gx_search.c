/* SPDX-License-Identifier: MIT
 *
 * gx search: the packages of a flake that some words are found in.
 *
 * A line a package, that it is read and grepped as a list.  Of each only the name, version and description are evaluated.  What has
 * none, because it is no package, or not for this system, is passed over: sets of packages hold functions and much else.
 */
#include "config.h"
#include "base/mem.h"
#include "base/regex.h"
#include "cli/flake_cmd.h"
#include "cli/output.h"
#include "cli/outputs.h"
#include "cli/verb.h"
#include "cli/width.h"
#include "eval/attrs.h"
#include "eval/builtin.h"
#include "eval/eval.h"
#include "flake/call.h"

#include <stdlib.h>
#include <string.h>

/* A package, its strings collected. */
struct hit {
	const char *path; /* below packages.SYSTEM or legacyPackages.SYSTEM */
	const char *set;  /* which of them */
	const char *pname, *version, *description;
};

struct search {
	char *const *words; /* in small letters */
	size_t n;
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

/* Each word is in its name or in what is said of it. */
static int is_meant(const struct search *r, const struct hit *h)
{
	const char *path = small_letters(h->path), *text = small_letters(h->description);

	for (size_t i = 0; i < r->n; i++)
		if (!contains(path, r->words[i]) && !contains(text, r->words[i]))
			return 0;
	return 1;
}

static const char *path_of(const struct spot *s)
{
	struct buf b = BUF_GC;

	for (size_t i = 2; i < s->n; i++)
		buf_addf(&b, "%s%s", i > 2 ? "." : "", s->name[i]);
	return buf_str(&b);
}

static const char *text_of(W package, const char *name)
{
	W *slot = attrs_find_c(package, name);
	W v = slot ? force_at(slot) : W_NULL;

	return w_is_str(v) ? w_get_str(v)->b : "";
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
		v->hit.pname = text_of(v->look.s->value, "pname");
		v->hit.version = text_of(v->look.s->value, "version");
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

	(void)last;
	/* Packages of the flake's own are in both as a rule. */
	if (s->n == 3 && r->own && attrs_find_c(r->own, s->name[2]))
		return;
	if (!unwind_run(visit, &v, NULL, TRACE_NONE))
		return;
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

		buf_addf(&path, "%s.%s.%s", h->set, eval_settings.system, h->path);
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

static void evaluate(struct flake_cmd *f, struct buf *out)
{
	/* With one word it is in the standard library. */
	size_t first = f->c.n > 1;
	const char *fragment, *ref = first ? f->c.operands[0] : "gx:std";
	const struct locked_flake *lf = flake_options_open(&f->eval.flake_options, ref, &fragment);
	W outputs = flake_root_outputs(lf);
	struct search r = { .n = f->c.n - first };
	char **words = mem_new(r.n * sizeof *words);

	for (size_t i = 0; i < r.n; i++)
		words[i] = small_letters(f->c.operands[first + i]);
	r.words = words;
	r.own = walk(&r, outputs, "packages");
	walk(&r, outputs, "legacyPackages");
	if (!r.n_hits && !f->c.json)
		throw_error(EK_EVAL, "no package of '%s' has that in its name or description", ref);
	if (r.n_hits)
		qsort(r.hits, r.n_hits, sizeof *r.hits, by_path);
	(f->c.json ? add_json : add_text)(out, &r);
}

int search_run(int argc, char **argv)
{
	static const struct option options[] = { OPTION_JSON, { 0 } };
	static const struct option_group groups[] = { { "Options", options },
						      FLAKE_CMD_GROUPS,
						      { "The store", command_store_options },
						      { NULL, NULL } };
	static const struct program program = {
		"gx search", "find packages by name and description", "gx search [options] WORD\ngx search [options] FLAKE WORD...",
		"With one word the packages of gx:std are searched, else those of FLAKE. A word is a regular expression that is "
		"found "
		"in the name of a package or in its description, in large or small letters; of several, all are. '^' is in each.",
		groups
	};
	struct flake_cmd f = { .all_systems = 0 };
	int rc = flake_cmd_read(&f, &program, argc, argv, 0, "a word");

	if (rc != COMMAND_GO)
		return rc;
	if (!f.c.n)
		return command_end(&f.c, usage_error(&program, "a word is wanted"));
	if (eval_settings.allow_ifd < 0)
		eval_settings.allow_ifd = 0;
	return flake_cmd_run(&f, evaluate);
}
