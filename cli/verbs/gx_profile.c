/* SPDX-License-Identifier: MIT
 *
 * gx profile: packages that stay, in a profile that is switched as a whole (store/profile.h, cli/profile_manifest.h).
 *
 * Whoever changes one holds its lock from before it is read until it is switched, so that two who add at the same time both get
 * theirs.
 */
#include "config.h"
#include "base/alloc.h"
#include "base/words.h"
#include "cli/command.h"
#include "cli/installable.h"
#include "cli/output.h"
#include "cli/profile_manifest.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/value_options.h"
#include "cli/verb.h"
#include "cli/verbs/gx_store.h"
#include "eval/eval.h"
#include "fetch/input.h"
#include "store/profile.h"

#include <errno.h>
#include <limits.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { O_PROFILE = BUILD_OPTION_LAST, O_PRIORITY, O_ALL, O_REGEX, O_TO, O_OLDER, O_DRY };

struct profile_command {
	struct command c;
	struct build_options build;
	struct eval_request eval;
	const char *profile, *priority, *to, *older;
	struct words regexes;
	int all, dry;

	char *path; /* of the profile */
	int lock;
	struct profile_manifest m;
	struct err e;
};

#define OPTION_PROFILE { O_PROFILE, 0, "profile", "PATH", "The profile; otherwise what ~/.nix-profile leads to." }

static const struct option profile_options[] = { OPTION_PROFILE, { 0 } };
static const struct option list_options[] = { OPTION_PROFILE, OPTION_JSON, { 0 } };
static const struct option choosing_options[] = {
	OPTION_PROFILE,
	{ O_ALL, 0, "all", NULL, "All packages." },
	{ O_REGEX, 0, "regex", "REGEX", "Those whose name a regular expression matches as a whole." },
	{ 0 }
};
#define CHOOSING_ABOUT "A PACKAGE is a name as gx profile list prints it, or a store path."

static int on_option(void *arg, int id, char **values)
{
	struct profile_command *p = arg;

	switch (id) {
	case O_PROFILE: p->profile = values[0]; return 0;
	case O_PRIORITY: p->priority = values[0]; return 0;
	case O_ALL: p->all = 1; return 0;
	case O_REGEX: words_add(&p->regexes, values[0]); return 0;
	case O_TO: p->to = values[0]; return 0;
	case O_OLDER: p->older = values[0]; return 0;
	case O_DRY: p->dry = 1; return 0;
	}
	if (id >= VALUE_OPTION_FIRST && id < VALUE_OPTION_LAST)
		return value_options_take(p->c.program, &p->eval, id, values);
	if (id < FLAKE_OPTION_FIRST || id >= FLAKE_OPTION_LAST)
		return build_options_take(&p->build, id, values);
	flake_options_take(&p->eval.flake_options, id, values);
	return 0;
}

/* --- the frame of all of them --- */

static int find_profile(struct profile_command *p)
{
	p->path = p->profile ? profile_named(p->profile, &p->e) : profile_usual(&p->c.place, &p->e);
	return p->path ? 0 : p->e.code;
}

/* What a verb does; returns an exit status, or sets p->e. */
typedef int profile_verb(struct profile_command *p);

static int act(struct profile_command *p, int changes, profile_verb *fn)
{
	int rc = changes ? command_open(&p->c, 0) : command_open_reading(&p->c);

	if (rc)
		return rc;
	p->lock = -1;
	progress_begin();
	if (!find_profile(p) && (!changes || (p->lock = profile_lock(p->path, &p->e)) >= 0))
		rc = fn(p);
	if (p->lock >= 0)
		profile_unlock(p->path, p->lock);
	progress_finish();
	return p->e.code ? build_options_status(&p->build, &p->e) : rc;
}

enum { READS, CHANGES = 1, NO_OPERANDS = 2 };

static int run(const struct program *program, int argc, char **argv, int kind, profile_verb *fn)
{
	struct profile_command p = { .c = { .program = program, .option = on_option, .arg = &p }, .e = ERR_INIT };
	int rc;

	build_options_init(&p.build);
	p.eval.build = &p.build;
	p.eval.origin = ORIGIN_FOR_PROFILE;
	rc = command_read(&p.c, argc, argv, 0, kind & NO_OPERANDS ? COMMAND_NOTHING : 0, "packages");
	if (rc != COMMAND_GO)
		return rc;
	rc = act(&p, kind & CHANGES, fn);
	profile_manifest_release(&p.m);
	words_release(&p.regexes);
	free(p.path);
	return command_end(&p.c, rc);
}

static int switch_to_new(struct profile_command *p)
{
	struct store_path path;
	int rc = profile_manifest_make(&p->m, p->c.store, &p->build, &path, &p->e);

	return rc ? rc : profile_set(p->c.store, p->path, &path, &p->e);
}

/* --- what packages come to --- */

/* Operands that are evaluated, what they came to, and what has to be built; those that are in the store are paths. */
struct fresh {
	char **words;
	struct installable *v;
	size_t n, *first; /* first: of each, and past the last, in targets */
	struct build_targets targets;
	struct build_result res;
};

static void fresh_release(struct fresh *f)
{
	for (size_t i = 0; f->v && i < f->n; i++)
		installable_release(&f->v[i]);
	free(f->v);
	free(f->words);
	free(f->first);
	build_targets_release(&f->targets);
	build_result_release(&f->res);
}

/* Evaluates f->words[0..n), or the folder here; returns an exit status. */
static int evaluate(struct profile_command *p, struct fresh *f, size_t n)
{
	f->n = n ? n : 1;
	f->v = xcalloc(f->n, sizeof *f->v);
	return installables_eval(&p->eval, p->c.store, f->words, n, FLAKE_WANT_PACKAGE, f->v);
}

static void add_targets(struct fresh *f)
{
	f->first = xcalloc(f->n + 1, sizeof *f->first);
	for (size_t i = 0; i < f->n; i++) {
		for (size_t k = 0; k < f->v[i].targets.n; k++) {
			const struct build_target *t = &f->v[i].targets.v[k];

			build_targets_add(&f->targets, &t->drv, t->outputs, t->noutputs);
		}
		f->first[i + 1] = f->targets.n;
	}
}

/* The outputs of targets[from..to). */
static void take_outputs(const struct fresh *f, size_t from, size_t to, struct path_set *out)
{
	for (size_t i = 0; i < f->res.n; i++)
		if (f->res.v[i].target >= from && f->res.v[i].target < to)
			path_set_add(out, &f->res.v[i].path);
}

static char *copy(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

static void fill(struct profile_element *x, const struct fresh *f, size_t i)
{
	const struct installable *from = &f->v[i];

	path_set_release(&x->paths);
	take_outputs(f, f->first[i], f->first[i + 1], &x->paths);
	if (from->path.len)
		path_set_add(&x->paths, &from->path);
	free(x->locked);
	x->locked = from->original ? copy(from->flake) : NULL;
}

/* --- add --- */

/* An object, or a link to one: also where that holds a flake, as Nix has it. */
static int is_stored(const struct profile_command *p, const char *word)
{
	struct store_path path;
	struct err e = ERR_INIT;
	int yes = strchr(word, '/') && !strpbrk(word, "#?:") && !store_resolve(p->c.store, word, &path, NULL, &e);

	err_release(&e);
	return yes;
}

static int is_evaluated(const struct profile_command *p, const char *word)
{
	char *bare = xstrndup(word, strcspn(word, "^"));
	int yes = value_options_given(&p->eval) || (!is_stored(p, bare) && flake_options_is_flake(bare));

	free(bare);
	return yes;
}

/* An operand that is in the store: a derivation, to be built, or an object. */
static int read_stored(struct profile_command *p, char *word, struct fresh *f, struct profile_element *x)
{
	struct store_path object;
	int rc = build_targets_read(&f->targets, p->c.store, word, &object, &p->e);

	if (!rc && object.len)
		path_set_add(&x->paths, &object);
	return rc;
}

static int is_there(const struct profile_manifest *m, const struct profile_element *x)
{
	char *name = profile_element_name(x);
	int there = 0;

	for (size_t i = 0; i < m->n; i++) {
		const struct profile_element *old = &m->v[i];

		if (strcmp(old->name, name) || !old->original || !x->original || old->priority != x->priority)
			continue;
		there = !strcmp(old->original, x->original) && !strcmp(old->attr, x->attr);
	}
	if (there)
		report_line("warning: '%s' is already added", name);
	free(name);
	return there;
}

static int priority_of(struct profile_command *p, const char *text, int64_t *out)
{
	char *end;

	*out = PROFILE_PRIORITY;
	text = p->priority ? p->priority : text;
	if (!text)
		return 0;
	errno = 0;
	*out = strtoll(text, &end, 10);
	return *text && !*end && !errno ? 0 : err_set(&p->e, ERR_INVALID, "'%s' is no priority: it is a number", text);
}

static int add_element(struct profile_command *p, struct profile_element *x, const char *priority)
{
	int rc = priority_of(p, priority, &x->priority);

	if (!rc && !is_there(&p->m, x))
		profile_manifest_add(&p->m, x);
	return rc;
}

/* The operands in their order: evaluated ones are f->v, the others' derivations come after those in targets. */
static int add_all(struct profile_command *p, const struct fresh *f, struct profile_element *stored, const size_t *targets)
{
	size_t k = 0, n = p->c.n ? p->c.n : 1;
	int rc = 0;

	for (size_t i = 0; i < n && !rc; i++) {
		struct profile_element *x = &stored[i];
		const char *priority = NULL;

		if (!p->c.n || (k < f->n && f->words[k] == p->c.operands[i])) {
			x->original = copy(f->v[k].original);
			x->attr = copy(f->v[k].attr);
			x->outputs = copy(f->v[k].outputs);
			priority = f->v[k].priority;
			fill(x, f, k++);
		} else {
			take_outputs(f, targets[i], targets[i + 1], &x->paths);
		}
		rc = add_element(p, x, priority);
	}
	return rc;
}

static int add_fresh(struct profile_command *p, struct fresh *f, struct profile_element *stored, size_t *targets)
{
	size_t n = 0;
	int status, rc = 0;

	for (size_t i = 0; i < p->c.n; i++)
		if (is_evaluated(p, p->c.operands[i]))
			f->words[n++] = p->c.operands[i];
	status = n || !p->c.n ? evaluate(p, f, n) : 0;
	add_targets(f);
	for (size_t i = 0, k = 0; !status && !rc && i < p->c.n; i++) {
		targets[i] = f->targets.n;
		if (k < n && f->words[k] == p->c.operands[i])
			k++;
		else
			rc = read_stored(p, p->c.operands[i], f, &stored[i]);
		targets[i + 1] = f->targets.n;
	}
	if (status || rc)
		return status;
	rc = f->targets.n ? realise(p->c.store, &p->build, &f->targets, &f->res, &p->e) : 0;
	if (rc || p->build.dry_run)
		return 0;
	if (!add_all(p, f, stored, targets))
		switch_to_new(p);
	return 0;
}

static int add(struct profile_command *p)
{
	struct profile_element *stored = xcalloc(p->c.n + 1, sizeof *stored);
	size_t *targets = xcalloc(p->c.n + 1, sizeof *targets);
	struct fresh f = { .words = xcalloc(p->c.n + 1, sizeof *f.words) };
	int status = 0;

	if (!profile_manifest_read(&p->m, p->c.store, p->path, &p->e))
		status = add_fresh(p, &f, stored, targets);
	for (size_t i = 0; i <= p->c.n; i++)
		profile_element_release(&stored[i]);
	free(stored);
	free(targets);
	fresh_release(&f);
	return status;
}

static const struct option add_options[] = {
	OPTION_PROFILE,
	{ O_PRIORITY, 0, "priority", "N", "The smaller wins where two packages have the same file; 5 otherwise." },
	{ 0 }
};
static const struct option_group add_groups[] = { { "Options", add_options },
						  { "What to evaluate", value_option_table },
						  { "Flakes", flake_option_table },
						  { "Building", build_option_table },
						  { "The store", command_store_options },
						  { 0 } };

static int add_run(int argc, char **argv)
{
	static const struct program program = {
		"gx profile add", "add packages to a profile", "gx profile add [options] [FLAKE[#ATTR][^OUTPUT,...] | PATH] ...",
		"Without operands the default package of the flake here. A package stays until gx profile remove takes it out, and "
		"is what it was until gx profile upgrade.",
		add_groups
	};

	return run(&program, argc, argv, CHANGES, add);
}

/* --- choosing packages of the profile --- */

static void mark(char *chosen, size_t i, int *any)
{
	chosen[i] = 1;
	*any = 1;
}

static void choose_by_word(struct profile_command *p, const char *word, char *chosen)
{
	struct store_path path;
	struct err e = ERR_INIT;
	int is_path = *word == '/' && !store_path_parse(store_dir(p->c.store), slice_of(word), &path, &e), any = 0;

	err_release(&e);
	for (size_t i = 0; i < p->m.n; i++)
		if (is_path ? path_set_has(&p->m.v[i].paths, &path) : !strcmp(p->m.v[i].name, word))
			mark(chosen, i, &any);
	if (!any)
		report_line("warning: %s '%s' does not match any packages in the profile", is_path ? "store path" : "package name",
			    word);
}

static int choose_by_regex(struct profile_command *p, const char *text, char *chosen)
{
	struct buf b = BUF_INIT;
	regex_t re;
	int bad, any = 0;

	buf_addf(&b, "^(%s)$", text);
	bad = regcomp(&re, buf_str(&b), REG_EXTENDED | REG_ICASE | REG_NOSUB);
	buf_release(&b);
	if (bad)
		return err_set(&p->e, ERR_INVALID, "'%s' is no regular expression", text);
	for (size_t i = 0; i < p->m.n; i++) {
		char *what = profile_element_what(&p->m.v[i]);

		if (!regexec(&re, p->m.v[i].name, 0, NULL, 0) || !regexec(&re, what, 0, NULL, 0))
			mark(chosen, i, &any);
		free(what);
	}
	regfree(&re);
	if (!any)
		report_line("warning: regex '%s' does not match any packages in the profile", text);
	return 0;
}

/* Marks what the line names, a byte for each package, malloc'd; NULL when that is nothing, or with p->e or *status set. */
static char *choose(struct profile_command *p, const char *verb, int *status)
{
	char *chosen;
	int rc = 0;

	if (p->all ? p->c.n || p->regexes.n : !p->c.n && !p->regexes.n) {
		*status = usage_error(p->c.program, p->all ? "--all cannot be used with package names or regular expressions" :
							     "no packages were named; --all is all");
		return NULL;
	}
	if (profile_manifest_read(&p->m, p->c.store, p->path, &p->e))
		return NULL;
	chosen = xcalloc(p->m.n + 1, 1);
	memset(chosen, p->all, p->m.n);
	for (size_t i = 0; i < p->c.n; i++)
		choose_by_word(p, p->c.operands[i], chosen);
	for (size_t i = 0; i < p->regexes.n && !rc; i++)
		rc = choose_by_regex(p, p->regexes.v[i], chosen);
	if (rc || !memchr(chosen, 1, p->m.n)) {
		if (!rc)
			report_line("warning: no packages to %s; 'gx profile list' shows the profile", verb);
		free(chosen);
		return NULL;
	}
	return chosen;
}

/* --- remove --- */

static int remove_packages(struct profile_command *p)
{
	int status = 0;
	char *chosen = choose(p, "remove", &status);
	size_t before = p->m.n;

	if (!chosen)
		return status;
	for (size_t i = before; i-- > 0;) {
		if (!chosen[i])
			continue;
		char *what = profile_element_what(&p->m.v[i]);

		report_line("removing '%s'", what);
		free(what);
		profile_manifest_remove(&p->m, i);
	}
	free(chosen);
	if (!switch_to_new(p))
		report_line("removed %zu packages, kept %zu packages", before - p->m.n, p->m.n);
	return 0;
}

static int remove_run(int argc, char **argv)
{
	static const struct option_group groups[] = { { "Options", choosing_options },
						      { "Building", build_option_table },
						      { "The store", command_store_options },
						      { 0 } };
	static const struct program program = { "gx profile remove", "take packages out of a profile",
						"gx profile remove [options] PACKAGE...", CHOOSING_ABOUT, groups };

	return run(&program, argc, argv, CHANGES, remove_packages);
}

/* --- upgrade --- */

static int is_locked(const char *ref)
{
	struct arena a = ARENA_INIT;
	struct input in;
	struct err e = ERR_INIT;
	int yes = !input_parse(slice_of(ref), &a, &in, &e) && input_is_locked(&in);

	err_release(&e);
	arena_release(&a);
	return yes;
}

static int can_upgrade(const struct profile_element *x)
{
	if (!x->original)
		report_line("warning: '%s' was not added from a flake: nobody knows where something newer would be", x->name);
	else if (is_locked(x->original))
		report_line("warning: '%s' was added from a reference that says which version: there is no other", x->name);
	else
		return 1;
	return 0;
}

/* What is no other than before is left out: it is neither built nor written anew. */
static void keep_newer(const struct profile_command *p, struct fresh *f, size_t *of)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++) {
		const struct profile_element *x = &p->m.v[of[i]];

		if (!strcmp(x->locked, f->v[i].flake) && is_locked(x->locked)) {
			installable_release(&f->v[i]);
			continue;
		}
		report_line("upgrading '%s' from flake '%s' to '%s'", x->attr, x->locked, f->v[i].flake);
		of[n] = of[i];
		f->v[n++] = f->v[i];
	}
	f->n = n;
}

static void upgrade_all(struct profile_command *p, struct fresh *f, size_t *of)
{
	keep_newer(p, f, of);
	add_targets(f);
	if (!f->n || realise(p->c.store, &p->build, &f->targets, &f->res, &p->e) || p->build.dry_run)
		return;
	for (size_t i = 0; i < f->n; i++) {
		free(p->m.v[of[i]].attr);
		p->m.v[of[i]].attr = xstrdup(f->v[i].attr);
		fill(&p->m.v[of[i]], f, i);
	}
	switch_to_new(p);
}

static int upgrade(struct profile_command *p)
{
	int status = 0;
	char *chosen = choose(p, "upgrade", &status);
	struct fresh f = { .words = xcalloc(p->m.n + 1, sizeof *f.words) };
	size_t *of = xcalloc(p->m.n + 1, sizeof *of), n = 0;

	for (size_t i = 0; chosen && i < p->m.n; i++) {
		struct buf b = BUF_INIT;

		if (!chosen[i] || !can_upgrade(&p->m.v[i]))
			continue;
		profile_element_add_source(&b, &p->m.v[i]);
		of[n] = i;
		f.words[n++] = buf_detach(&b, NULL);
	}
	if (n && !(status = evaluate(p, &f, n)))
		upgrade_all(p, &f, of);
	for (size_t i = 0; i < n; i++)
		free(f.words[i]);
	fresh_release(&f);
	free(chosen);
	free(of);
	return status;
}

static int upgrade_run(int argc, char **argv)
{
	static const struct option_group groups[] = { { "Options", choosing_options },
						      { "Flakes", flake_option_table },
						      { "Building", build_option_table },
						      { "The store", command_store_options },
						      { 0 } };
	static const struct program program = { "gx profile upgrade", "take what a package's flake has now",
						"gx profile upgrade [options] PACKAGE...", CHOOSING_ABOUT, groups };

	eval_settings.tarball_ttl = 0;
	return run(&program, argc, argv, CHANGES, upgrade);
}

/* --- list --- */

static void add_listed(struct buf *b, const struct store *s, const struct profile_element *x)
{
	buf_addf(b, "Name:               %s%s\n", x->name, x->inactive ? " (inactive)" : "");
	if (x->original) {
		buf_addf(b, "Flake attribute:    %s%s%s\n", x->attr, x->outputs ? "^" : "", x->outputs ? x->outputs : "");
		buf_addf(b, "Original flake URL: %s\nLocked flake URL:   %s\n", x->original, x->locked);
	}
	buf_adds(b, "Store paths:       ");
	for (size_t i = 0; i < x->paths.n; i++) {
		buf_addc(b, ' ');
		store_add_path(s, b, &x->paths.v[i]);
	}
	buf_addc(b, '\n');
}

static int list(struct profile_command *p)
{
	struct buf b = BUF_INIT;

	if (profile_manifest_read(&p->m, p->c.store, p->path, &p->e))
		return 0;
	if (p->c.json) {
		profile_manifest_write(&b, &p->m, p->c.store);
		buf_addc(&b, '\n');
	}
	for (size_t i = 0; !p->c.json && i < p->m.n; i++) {
		buf_adds(&b, i ? "\n" : "");
		add_listed(&b, p->c.store, &p->m.v[i]);
	}
	return command_print(&b);
}

static int list_run(int argc, char **argv)
{
	static const struct option_group groups[] = { { "Options", list_options },
						      { "The store", command_store_options },
						      { 0 } };
	static const struct program program = { "gx profile list", "which packages are in a profile",
						"gx profile list [options]", NULL, groups };

	return run(&program, argc, argv, READS | NO_OPERANDS, list);
}

/* --- generations --- */

static const struct option_group generation_groups[] = { { "Options", profile_options },
							 { "The store", command_store_options },
							 { 0 } };

static void add_version(struct buf *b, const struct generations *g, size_t i)
{
	char when[32] = "";
	struct tm t;

	if (gmtime_r(&g->v[i].made, &t))
		strftime(when, sizeof when, "%Y-%m-%d", &t);
	buf_addf(b, "%sVersion %u (%s)", i ? "\n" : "", g->v[i].number, when);
	if (i)
		buf_addf(b, " <- %u", g->v[i - 1].number);
	buf_adds(b, g->v[i].number == g->current ? ", in use:\n" : ":\n");
}

static int history(struct profile_command *p)
{
	struct profile_manifest before = { NULL, 0, 0 };
	struct generations g;
	struct buf b = BUF_INIT;
	int rc = profile_generations(p->path, &g, &p->e);

	for (size_t i = 0; !rc && i < g.n; i++) {
		struct profile_manifest m = { NULL, 0, 0 };

		add_version(&b, &g, i);
		rc = profile_manifest_read(&m, p->c.store, g.v[i].link, &p->e);
		if (!rc)
			profile_manifest_compare(&b, &before, &m);
		profile_manifest_release(&before);
		before = m;
	}
	profile_manifest_release(&before);
	generations_release(&g);
	if (!rc)
		return command_print(&b);
	buf_release(&b);
	return 0;
}

static int history_run(int argc, char **argv)
{
	static const struct program program = { "gx profile history", "what each version of a profile changed",
						"gx profile history [options]", NULL, generation_groups };

	return run(&program, argc, argv, READS | NO_OPERANDS, history);
}

static int diff_closures(struct profile_command *p)
{
	struct generations g;
	struct buf b = BUF_INIT;
	int rc = profile_generations(p->path, &g, &p->e);

	for (size_t i = 1; !rc && i < g.n; i++) {
		struct store_path before, after;

		buf_addf(&b, "%sVersion %u -> %u:\n", i > 1 ? "\n" : "", g.v[i - 1].number, g.v[i].number);
		rc = store_resolve(p->c.store, g.v[i - 1].link, &before, NULL, &p->e);
		rc = rc ? rc : store_resolve(p->c.store, g.v[i].link, &after, NULL, &p->e);
		rc = rc ? rc : closures_compare(p->c.store, &before, &after, "  ", &b, &p->e);
	}
	generations_release(&g);
	if (!rc)
		return command_print(&b);
	buf_release(&b);
	return 0;
}

static int diff_closures_run(int argc, char **argv)
{
	static const struct program program = { "gx profile diff-closures",
						"what the closure of each version of a profile has more and less",
						"gx profile diff-closures [options]", NULL, generation_groups };

	return run(&program, argc, argv, READS | NO_OPERANDS, diff_closures);
}

static int rollback(struct profile_command *p)
{
	char *end = NULL;
	unsigned long number = p->to ? strtoul(p->to, &end, 10) : 0;
	unsigned to = 0;

	if (p->to && (!number || *end || number > UINT_MAX))
		return usage_error(p->c.program, "'%s' is no number of a version", p->to);
	if (!profile_switch(p->path, (unsigned)number, &to, &p->e))
		report_line("switching profile to version %u", to);
	return 0;
}

static int rollback_run(int argc, char **argv)
{
	static const struct option options[] = {
		OPTION_PROFILE, { O_TO, 0, "to", "VERSION", "Not to the one before, but to this one." }, { 0 }
	};
	static const struct option_group groups[] = { { "Options", options }, { "The store", command_store_options }, { 0 } };
	static const struct program program = { "gx profile rollback", "go back to the version before",
						"gx profile rollback [options]", NULL, groups };

	return run(&program, argc, argv, CHANGES | NO_OPERANDS, rollback);
}

static void say_removed(void *arg, const struct generation *g)
{
	const struct profile_command *p = arg;

	report_line("%s profile version %u", p->dry ? "would remove" : "removing", g->number);
}

static int wipe_history(struct profile_command *p)
{
	struct generation_filter f = { .old = !p->older, .each = say_removed, .arg = p, .dry = p->dry };

	if (!p->older || !profile_period(p->older, &f.before, &p->e))
		profile_delete(p->path, &f, &p->e);
	return 0;
}

static int wipe_history_run(int argc, char **argv)
{
	static const struct option options[] = { OPTION_PROFILE,
						 { O_OLDER, 0, "older-than", "PERIOD", "Only older ones, such as 30d." },
						 { O_DRY, 0, "dry-run", NULL, "Only say which would go." },
						 { 0 } };
	static const struct option_group groups[] = { { "Options", options }, { "The store", command_store_options }, { 0 } };
	static const struct program program = { "gx profile wipe-history", "forget the versions that are not in use",
						"gx profile wipe-history [options]", NULL, groups };

	return run(&program, argc, argv, CHANGES | NO_OPERANDS, wipe_history);
}

const struct verb profile_verbs[] = {
	{ "add", "add packages", add_run, NULL },
	{ "install", NULL, add_run, NULL },
	{ "remove", "take packages out", remove_run, NULL },
	{ "upgrade", "take what their flakes have now", upgrade_run, NULL },
	{ "list", "which packages there are", list_run, NULL },
	{ "history", "what each version changed", history_run, NULL },
	{ "diff-closures", "what the closure of each version has more and less", diff_closures_run, NULL },
	{ "rollback", "go back to the version before", rollback_run, NULL },
	{ "wipe-history", "forget the versions that are not in use", wipe_history_run, NULL },
	{ 0 }
};
