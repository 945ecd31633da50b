/* SPDX-License-Identifier: MIT
 *
 * gx why-depends, gx store diff-closures: what a closure has, and why.
 */
#include "config.h"
#include "base/alloc.h"
#include "cli/named.h"
#include "cli/output.h"
#include "cli/value_options.h"
#include "cli/verb.h"
#include "cli/verbs/gx_store.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- why-depends --- */

enum { O_ALL = 1, O_DERIVATION, O_PRECISE };

struct why_command {
	struct named n; /* first: options get it */
	int all, derivation, precise;
};

static int on_why_option(struct named *n, int id, char **values)
{
	struct why_command *w = (struct why_command *)n;

	(void)values;
	w->all |= id == O_ALL;
	w->derivation |= id == O_DERIVATION;
	w->precise |= id == O_PRECISE;
	return 0;
}

/* Finding the way from one object to another. */
struct search {
	struct store *s;
	struct path_set holders; /* all that refer to the end, directly or not */
	struct path_set shown;	 /* whose references were printed already */
	const struct store_path *end;
	int precise;
	struct buf *out;
	struct err *e;
};

/* The references of p from which the end is reached. */
static int next_steps(struct search *k, const struct store_path *p, struct path_set *out)
{
	struct path_set refs = PATH_SET_INIT;
	int rc = db_references(store_db(k->s), p, &refs, k->e);

	for (size_t i = 0; !rc && i < refs.n; i++)
		if (store_path_cmp(&refs.v[i], p) && path_set_has(&k->holders, &refs.v[i]))
			path_set_push(out, &refs.v[i]);
	path_set_sort(out);
	path_set_release(&refs);
	return rc;
}

/* Of a breadth-first walk: where each object was reached from. */
struct reached {
	struct path_set at;
	size_t *from;
	size_t cap;
};

static void reach(struct reached *r, const struct store_path *p, size_t from)
{
	for (size_t i = 0; i < r->at.n; i++)
		if (!store_path_cmp(&r->at.v[i], p))
			return;
	ARRAY_GROW(r->from, r->at.n + 1, r->cap);
	r->from[r->at.n] = from;
	path_set_push(&r->at, p);
}

/* The shortest way, both ends included, into *way: pushed in order. */
static int shortest(struct search *k, const struct store_path *start, struct path_set *way)
{
	struct reached r = { PATH_SET_INIT, NULL, 0 };
	size_t i = 0, n = 0, *back = NULL, cap = 0;
	int rc = 0;

	reach(&r, start, 0);
	for (; !rc && store_path_cmp(&r.at.v[i], k->end); i++) {
		struct path_set steps = PATH_SET_INIT;

		rc = next_steps(k, &r.at.v[i], &steps);
		for (size_t j = 0; j < steps.n; j++)
			reach(&r, &steps.v[j], i);
		path_set_release(&steps);
	}
	for (size_t at = i; !rc; at = r.from[at]) {
		ARRAY_GROW(back, n + 1, cap);
		back[n++] = at;
		if (!at)
			break;
	}
	while (n)
		path_set_push(way, &r.at.v[back[--n]]);
	free(back);
	free(r.from);
	path_set_release(&r.at);
	return rc;
}

static void print_line(struct search *k, const char *indent, const struct store_path *p)
{
	buf_adds(k->out, indent);
	store_add_path(k->s, k->out, p);
	buf_addc(k->out, '\n');
}

/* With --precise the places of `from` where p is named come first, and then p. */
struct places {
	struct search *k;
	const char *first, *next; /* what begins the first line, and others */
	size_t n;
};

static void print_place(void *arg, const char *line)
{
	struct places *w = arg;

	buf_addf(w->k->out, "%s%s\n", w->n++ ? w->next : w->first, line);
}

static int print_step(struct search *k, const struct store_path *from, const struct store_path *p, const char *line,
		      const char *below)
{
	struct places w = { k, line, below, 0 };
	struct buf arrow = BUF_INIT;
	int rc = 0;

	if (k->precise)
		rc = why_precisely(k->s, from, p, print_place, &w, k->e);
	buf_addf(&arrow, "%s%s", w.n ? below : line, w.n ? "→ " : "");
	print_line(k, buf_str(&arrow), p);
	buf_release(&arrow);
	return rc;
}

static int print_all(struct search *k, const struct store_path *p, const char *indent)
{
	struct path_set steps = PATH_SET_INIT;
	struct buf line = BUF_INIT, below = BUF_INIT;
	int rc = 0;

	if (!path_set_has(&k->shown, p)) {
		path_set_add(&k->shown, p);
		rc = next_steps(k, p, &steps);
	}
	for (size_t i = 0; !rc && i < steps.n; i++) {
		int last = i + 1 == steps.n;

		buf_trim(&line, 0);
		buf_trim(&below, 0);
		buf_addf(&line, "%s%s", indent, last ? "└───" : "├───");
		buf_addf(&below, "%s%s", indent, last ? "    " : "│   ");
		rc = print_step(k, p, &steps.v[i], buf_str(&line), buf_str(&below));
		rc = rc ? rc : print_all(k, &steps.v[i], buf_str(&below));
	}
	buf_release(&line);
	buf_release(&below);
	path_set_release(&steps);
	return rc;
}

static int print_shortest(struct search *k, const struct store_path *start)
{
	struct path_set way = PATH_SET_INIT;
	struct buf indent = BUF_INIT;
	int rc = shortest(k, start, &way);

	for (size_t i = 1; !rc && i < way.n; i++) {
		struct buf line = BUF_INIT;

		buf_addf(&line, "%s└───", buf_str(&indent));
		buf_adds(&indent, "    ");
		rc = print_step(k, &way.v[i - 1], &way.v[i], buf_str(&line), buf_str(&indent));
		buf_release(&line);
	}
	buf_release(&indent);
	path_set_release(&way);
	return rc;
}

static int explain(struct store *s, const struct path_set *ends, const struct why_command *w, struct buf *out, struct err *e)
{
	struct search k = { .s = s, .end = &ends->v[1], .precise = w->precise, .out = out, .e = e };
	struct path_set end = PATH_SET_INIT;
	int rc;

	path_set_push(&end, k.end);
	rc = db_closure(store_db(s), &end, DB_CLOSURE_REFERRERS, &k.holders, e);
	path_set_sort(&k.holders);
	if (!rc && !path_set_has(&k.holders, &ends->v[0])) {
		buf_addf(out, "'%s' does not depend on '%s'\n", ends->v[0].base, k.end->base);
	} else if (!rc) {
		print_line(&k, "", &ends->v[0]);
		rc = w->all ? print_all(&k, &ends->v[0], "") : print_shortest(&k, &ends->v[0]);
	}
	path_set_release(&end);
	path_set_release(&k.holders);
	path_set_release(&k.shown);
	return rc;
}

/* Two of the operands, both of them there. */
static int find_two(struct named *n, int drvs, struct path_set *out)
{
	struct err e = ERR_INIT;
	int rc = named_find(n, drvs, out);

	if (!rc && out->n != 2)
		err_set(&e, ERR_INVALID, "these name %zu objects, and two are wanted: NAME^out names one output", out->n);
	/* Of a package that is not there nobody can depend. */
	for (size_t i = 0; !rc && !e.code && i < (n->builds && n->c.n == 2 && *n->c.operands[1] != '/' ? 1 : 2); i++)
		if (!store_is_valid(n->c.store, &out->v[i], &e) && !e.code)
			err_set(&e, ERR_NOTFOUND, "path '%s/%s' is not valid", n->c.place.store_dir, out->v[i].base);
	return rc ? rc : e.code ? command_fail(&e) : 0;
}

int why_depends_run(int argc, char **argv)
{
	static const struct option options[] = {
		{ O_ALL, 'a', "all", NULL, "Every way, not only the shortest." },
		{ O_PRECISE, 0, "precise", NULL, "Show in which files the references are." },
		{ O_DERIVATION, 0, "derivation", NULL, "Of packages take the derivations." },
		{ 0 }
	};
	static const struct option_group groups[] = { { "Options", options },
						      { "What to evaluate", value_option_table },
						      { "Flakes", flake_option_table },
						      { "The store", command_store_options },
						      { NULL, NULL } };
	static const struct program program = { "gx why-depends", "by which references an object needs another",
						"gx why-depends [options] PACKAGE DEPENDENCY", NULL, groups };
	struct why_command w = { .n = { .option = on_why_option, .builds = 1 } };
	struct path_set ends = PATH_SET_INIT;
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;
	int rc = named_read(&w.n, &program, argc, argv, 2, 2, "a package and what it may depend on");

	if (rc != COMMAND_GO)
		return rc;
	w.n.builds = !w.derivation;
	rc = find_two(&w.n, w.derivation, &ends);
	if (!rc)
		rc = explain(w.n.c.store, &ends, &w, &out, &e) ? command_fail(&e) : 0;
	path_set_release(&ends);
	int printed = command_print(&out);
	return command_end(&w.n.c, rc ? rc : printed);
}

/* --- diff-closures --- */

/* An object of a closure, by its name. */
struct member {
	char *name, *version; /* version: "" for none */
	uint64_t size;
	int after;
};

struct members {
	struct member *v;
	size_t n, cap;
};

/* Cuts a store name as Nix does here: the version begins behind the first dash that a digit follows, and names of outputs are left
 * out. */
static void split_name(const char *text, char **name, char **version)
{
	static const char *const outputs[] = { "-bin", "-dev", "-lib", "-doc", "-man", "-out", "-info", "-debug", "-devdoc" };
	size_t n = strlen(text), cut = n, k;

	for (size_t i = 0; i < sizeof outputs / sizeof *outputs; i++)
		if ((k = strlen(outputs[i])) < n && !strcmp(text + n - k, outputs[i])) {
			n -= k;
			break;
		}
	for (cut = 0; cut < n && !(text[cut] == '-' && cut + 1 < n && text[cut + 1] >= '0' && text[cut + 1] <= '9'); cut++)
		;
	*name = xstrndup(text, cut);
	*version = cut < n ? xstrndup(text + cut + 1, n - cut - 1) : xstrdup("");
}

static int add_closure(struct store *s, const struct store_path *p, int after, struct members *m, struct err *e)
{
	struct path_set all = PATH_SET_INIT;
	int rc = store_closure(s, p, 0, &all, e);

	for (size_t i = 0; !rc && i < all.n; i++) {
		struct path_info info = { 0 };

		rc = db_info(store_db(s), &all.v[i], &info, e);
		if (!rc) {
			ARRAY_GROW(m->v, m->n + 1, m->cap);
			m->v[m->n] = (struct member){ .size = info.nar_size, .after = after };
			split_name(all.v[i].base + STORE_HASH_LEN + 1, &m->v[m->n].name, &m->v[m->n].version);
			m->n++;
		}
		path_info_release(&info);
	}
	path_set_release(&all);
	return rc;
}

static int by_name(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	int by = strcmp(x->name, y->name);

	return by ? by : strcmp(x->version, y->version);
}

static int has_version(const struct member *v, size_t n, const char *version, int after)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].after == after && !strcmp(v[i].version, version))
			return 1;
	return 0;
}

/* The versions that only one side has: "1.0, 1.1"; "ε" is no version, "∅" nothing at all.  Returns how many. */
static size_t add_versions(struct buf *b, const struct member *v, size_t n, int after)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		if (v[i].after != after || has_version(v, n, v[i].version, !after) ||
		    (i && has_version(v, i, v[i].version, after)))
			continue;
		buf_addf(b, "%s%s", count++ ? ", " : "", *v[i].version ? v[i].version : "ε");
	}
	if (!count)
		buf_adds(b, "∅");
	return count;
}

/* A line for a name that came, went, changed its versions, or its size by 8 KiB at least. */
static void add_difference(struct buf *out, const struct member *v, size_t n, const char *indent)
{
	struct buf removed = BUF_INIT, added = BUF_INIT;
	size_t gone, came;
	double size = 0;

	for (size_t i = 0; i < n; i++)
		size += v[i].after ? (double)v[i].size : -(double)v[i].size;
	gone = add_versions(&removed, v, n, 0);
	came = add_versions(&added, v, n, 1);
	int changed = gone || came;
	if (changed || fabs(size) >= 8 * 1024) {
		buf_addf(out, "%s%s: ", indent, v->name);
		if (changed)
			buf_addf(out, "%s → %s", buf_str(&removed), buf_str(&added));
		if (fabs(size) >= 8 * 1024)
			buf_addf(out, "%s%+.1f KiB", changed ? ", " : "", size / 1024);
		buf_addc(out, '\n');
	}
	buf_release(&removed);
	buf_release(&added);
}

static void add_differences(struct buf *out, struct members *m, const char *indent)
{
	if (m->n)
		qsort(m->v, m->n, sizeof *m->v, by_name);
	for (size_t i = 0, n; i < m->n; i += n) {
		for (n = 1; i + n < m->n && !strcmp(m->v[i].name, m->v[i + n].name); n++)
			;
		add_difference(out, m->v + i, n, indent);
	}
}

int closures_compare(struct store *s, const struct store_path *before, const struct store_path *after, const char *indent,
		     struct buf *out, struct err *e)
{
	struct members m = { NULL, 0, 0 };
	int rc = add_closure(s, before, 0, &m, e);

	rc = rc ? rc : add_closure(s, after, 1, &m, e);
	if (!rc)
		add_differences(out, &m, indent);
	for (size_t i = 0; i < m.n; i++) {
		free(m.v[i].name);
		free(m.v[i].version);
	}
	free(m.v);
	return rc;
}

int store_diff_closures_run(int argc, char **argv)
{
	static const struct option_group groups[] = { { "Options", command_help_options },
						      { "What to evaluate", value_option_table },
						      { "Flakes", flake_option_table },
						      { "The store", command_store_options },
						      { NULL, NULL } };
	static const struct program program = { "gx store diff-closures", "what another version of a closure has more and less",
						"gx store diff-closures BEFORE AFTER", NULL, groups };
	struct named n = { .option = NULL };
	struct path_set ends = PATH_SET_INIT;
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;
	int rc = named_read(&n, &program, argc, argv, 2, 2, "two closures");

	if (rc != COMMAND_GO)
		return rc;
	rc = find_two(&n, 0, &ends);
	if (!rc && closures_compare(n.c.store, &ends.v[0], &ends.v[1], "", &out, &e))
		rc = command_fail(&e);
	path_set_release(&ends);
	int printed = command_print(&out);
	return command_end(&n.c, rc ? rc : printed);
}
