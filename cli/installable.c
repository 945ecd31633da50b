/* SPDX-License-Identifier: MIT
 *
 * The evaluation half of gx build, develop, shell and run.  It runs as gxeval does and is over before anything is built, so that
 * a build of an hour needs no evaluator's memory; the two halves share a list and the open store, whose temporary roots hold the
 * fresh derivations from the moment they are written.
 *
 * An app's program is a string; what has to be built for it is what its context says.
 */
#include "config.h"
#include "cli/installable.h"
#include "base/alloc.h"
#include "cli/drv_paths.h"
#include "cli/eval_cache.h"
#include "cli/eval_cmd.h"
#include "cli/evaluation.h"
#include "cli/given.h"
#include "cli/kept_drvs.h"
#include "cli/project.h"
#include "cli/signals.h"
#include "cli/value_options.h"
#include "eval/attrs.h"
#include "eval/builtin.h"
#include "eval/coerce.h"
#include "eval/compare.h"
#include "eval/context.h"
#include "eval/eval.h"
#include "flake/source.h"

#include <stdlib.h>
#include <string.h>

/* A word of the command line. */
struct asked {
	char *word;	     /* without "^out,dev" */
	const char *outputs; /* "out,dev", in word's memory; NULL without */
	struct project project;
	struct installable *out;
};

struct work {
	const struct eval_request *r;
	struct asked *v;
	size_t n;
	enum flake_want want;
};

void installable_release(struct installable *i)
{
	build_targets_release(&i->targets);
	free(i->program);
	free(i->main);
	free(i->flake);
	free(i->revision);
	free(i->original);
	free(i->attr);
	free(i->outputs);
	free(i->priority);
	*i = (struct installable){ .program = NULL };
}

/* An attribute that is a string, as malloc'd text; NULL when it is not there. */
static char *string_attr(W set, const char *name, const char *what)
{
	W *v = attrs_find_c(set, name);

	if (!v)
		return NULL;
	struct str *s = want_string(*v, what);

	return xstrndup(s->b, s->len);
}

/* What nixpkgs does to find a package's program: meta.mainProgram, then the name without its version. */
static char *main_program(W set)
{
	W *meta = attrs_find_c(set, "meta");
	char *name = NULL;

	if (meta && W_TAG(force_at(meta)) == TAG_ATTRS)
		name = string_attr(force_at(meta), "mainProgram", "the attribute 'mainProgram'");
	if (!name)
		name = string_attr(set, "pname", "the attribute 'pname'");
	if (name)
		return name;
	name = string_attr(set, "name", "the attribute 'name'");
	for (char *p = name; p && *p; p++)
		if (*p == '-' && p[1] && !strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", p[1])) {
			*p = 0;
			break;
		}
	return name;
}

static void app(W set, struct installable *out)
{
	struct slice dir = slice_of(eval_settings.store_dir);
	struct str *s = w_get_str(coerce_string(want_attr(set, "program", "an app"), 0));
	struct store_path drv;
	struct ctx_elem c;
	struct err e = ERR_INIT;

	out->program = xstrndup(s->b, s->len);
	for (size_t i = 0; i < ctx_count(s->ctx); i++) {
		ctx_parse(ctx_element(s->ctx, i), &c);
		if (c.kind != CTX_BUILT)
			continue;
		if (store_path_parse(dir, (struct slice){ c.path, c.path_len }, &drv, &e))
			throw_err(&e);
		build_targets_add(&out->targets, &drv, &(struct slice){ c.output, c.output_len }, 1);
	}
}

static int is_below(const struct attr_place *at, const char *set)
{
	return at->path && !strncmp(at->path, set, strlen(set));
}

/* As in Nix: what lies among the packages is run as a package, and what lies among the apps has to be one. */
static int is_app(W v, const struct attr_place *at)
{
	if (is_below(at, "packages.") || is_below(at, "legacyPackages."))
		return 0;

	W *t = W_TAG(v) == TAG_ATTRS ? attrs_find(v, SYM_TYPE) : NULL;

	return t && w_is_str(force_at(t)) && !strcmp(w_get_str(force_at(t))->b, "app");
}

/* A string that is a store path and nothing more, or a path: an object, or an output of the derivation that its context names. */
static void reference(W v, struct installable *out)
{
	struct str *s = w_get_str(coerce_string(v, COERCE_COPY));
	struct err e = ERR_INIT;
	struct store_path p;
	struct ctx_elem c;

	if (ctx_count(s->ctx) != 1)
		throw_error(EK_EVAL, "string '%s' has %zu entries in its context. It should only have exactly one entry", s->b,
			    ctx_count(s->ctx));
	ctx_parse(ctx_element(s->ctx, 0), &c);
	if (c.kind == CTX_DRV_DEEP)
		throw_error_hint(EK_EVAL, "builtins.unsafeDiscardOutputDependency refers to the derivation alone",
				 "string '%s' has a context which refers to a complete source and binary closure", s->b);
	if (store_path_parse(slice_of(eval_settings.store_dir), (struct slice){ c.path, c.path_len }, &p, &e))
		throw_err(&e);
	if (c.kind == CTX_BUILT)
		build_targets_add(&out->targets, &p, &(struct slice){ c.output, c.output_len }, 1);
	else if (slice_eq((struct slice){ c.path, c.path_len }, (struct slice){ s->b, s->len }))
		out->path = p;
	else
		throw_error(EK_EVAL, "string '%s' has a context with the different path '%.*s'", s->b, (int)c.path_len, c.path);
}

/* --- finding the value --- */

static W find_attr(W root, const char *path, W args, struct attr_place *at)
{
	return *path ? eval_attr_path(root, path, args, at) : eval_auto_call(root, args);
}

/* A shell with the Go that go.mod or go.work asks for. */
static W go_shell(const char *dir, const char *fragment)
{
	if (*fragment)
		throw_error_hint(EK_EVAL, "'gx init' writes a flake", "there is only a Go module in '%s', it has no attribute '%s'",
				 dir, fragment);
	return call1(given_word("(builtins.getFlake \"gx:std\").legacyPackages.${builtins.currentSystem}.goShell", "«go.mod»"),
		     w_cstr(dir));
}

/* Which source it is of: the same for everybody, so nothing of a tree that only this machine has but its commit. */
static void note_origin(const struct flake *f, struct installable *out)
{
	const char *rev = source_get(&f->locked, "rev");
	struct buf b = BUF_INIT;

	/* A commit that changes nothing that was read is another one all the same. */
	if (f->tree->note_state)
		f->tree->note_state(f->tree);
	out->revision = rev ? xstrdup(rev) : NULL;
	if (f->tree->work_tree || !input_is_locked(&f->locked) || input_where(&f->locked) == INPUT_AT_PATH)
		return;
	if (!input_print(&f->locked, flake_arena(), &b, NULL) && !strstr(buf_str(&b), "file:"))
		out->flake = xstrdup(buf_str(&b));
	buf_release(&b);
}

static char *reference_text(const struct input *in)
{
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	if (input_print(in, flake_arena(), &b, &e)) {
		buf_release(&b);
		throw_err(&e);
	}
	return buf_detach(&b, NULL);
}

/* What it takes to evaluate it again, and to see that it is another one then. */
static void note_source(const struct flake *f, const struct asked *a)
{
	if (f->tree->note_state)
		f->tree->note_state(f->tree);
	a->out->original = reference_text(&f->original);
	a->out->flake = reference_text(&f->locked);
	a->out->outputs = a->outputs ? xstrdup(a->outputs) : NULL;
}

/* Which of two packages of a profile wins where both have a file. */
static void note_priority(W set, struct installable *out)
{
	W *meta = attrs_find_c(set, "meta"), *priority = NULL;
	struct buf b = BUF_INIT;

	if (meta && W_TAG(force_at(meta)) == TAG_ATTRS)
		priority = attrs_find_c(force_at(meta), "priority");
	if (!priority || !w_is_int(force_at(priority)))
		return;
	buf_addf(&b, "%lld", (long long)w_get_int(force_at(priority)));
	out->priority = buf_detach(&b, NULL);
}

static W find_value(struct work *k, const struct asked *a, W given, W args, struct attr_place *at)
{
	const struct project *p = &a->project;
	const char *fragment;

	if (given != W_ABSENT)
		return find_attr(given, a->word, args, at);
	if (p->kind == PROJECT_FILE)
		return find_attr(given_file(p->path), p->fragment, args, at);
	if (p->kind == PROJECT_GO)
		return go_shell(p->path, p->fragment);
	if (k->r->origin != ORIGIN_FOR_PROFILE)
		source_be_lazy();
	struct locked_flake *lf = flake_options_open(&k->r->flake_options, a->word, &fragment);
	if (k->r->origin == ORIGIN_FOR_ALL)
		note_origin(lf->flake, a->out);
	else if (k->r->origin == ORIGIN_FOR_PROFILE)
		note_source(lf->flake, a);
	W v = flake_select(flake_root_outputs(lf), fragment, k->want, a->word, at);
	if (a->out->original)
		a->out->attr = xstrdup(at->path);
	return v;
}

/* What the bundler makes of it.  Its flake is read as it is locked. */
static W bundled(struct work *k, W v)
{
	const struct flake_request quiet = { .no_write = 1, .impure = k->r->flake_options.impure };
	struct attr_place at = { "", 0 };
	const char *fragment;
	struct locked_flake *lf = flake_options_open(&quiet, k->r->bundler, &fragment);
	W bundler = flake_select(flake_root_outputs(lf), fragment, FLAKE_WANT_BUNDLER, k->r->bundler, &at),
	  made = call1(bundler, v);

	if (W_TAG(made) != TAG_ATTRS || !value_is_derivation(made))
		throw_error(EK_EVAL, "the bundler '%s' does not make a derivation", k->r->bundler);
	return made;
}

/* Cuts "^out,dev" or "^*" off a word; NULL when it has none. */
static char *cut_outputs(char *word)
{
	char *hat = strrchr(word, '^');

	if (!hat || strpbrk(hat, "#/ ") || (strchr(hat, '*') && strcmp(hat, "^*")))
		return NULL;
	*hat = 0;
	return hat + 1;
}

/* What runs is in the one output that the value is. */
static enum drv_outputs which_outputs(const struct work *k, const struct asked *a, W given)
{
	if (k->r->bundler)
		return DRV_OUTPUTS_ALL;
	if (k->want == FLAKE_WANT_APP)
		return DRV_OUTPUT;
	return given == W_ABSENT && a->project.kind == PROJECT_FLAKE ? DRV_OUTPUTS_FLAKE : DRV_OUTPUTS_FILE;
}

static void evaluate_one(struct work *k, const struct asked *a, W given, W args)
{
	struct attr_place at = { "", 0 };
	W v = find_value(k, a, given, args, &at);

	attr_place_note(&at);
	if (k->r->bundler) {
		drv_paths_add(&a->out->targets, bundled(k, v), args, which_outputs(k, a, given));
	} else if (k->want == FLAKE_WANT_APP && is_app(v, &at)) {
		app(v, a->out);
	} else if (k->want == FLAKE_WANT_APP && (is_below(&at, "apps.") || is_below(&at, "defaultApp."))) {
		throw_error_hint(EK_EVAL, "{ type = \"app\"; program = \"…\"; } is one", "'%s' is not an app", at.path);
	} else if (k->want == FLAKE_WANT_PACKAGE && (w_is_str(v) || w_is_path(v))) {
		reference(v, a->out);
		note_pop();
		return;
	} else {
		if (k->want == FLAKE_WANT_SHELL && (W_TAG(v) != TAG_ATTRS || !value_is_derivation(v)))
			throw_type("a derivation", v);
		drv_paths_add(&a->out->targets, v, args, which_outputs(k, a, given));
		if (W_TAG(v) == TAG_ATTRS) {
			a->out->main = main_program(v);
			if (k->r->origin == ORIGIN_FOR_PROFILE)
				note_priority(v, a->out);
		}
	}
	note_pop();
	if (a->outputs && build_targets_name(&a->out->targets, 0, a->outputs))
		throw_error(EK_EVAL, "'%s^' names no output", a->word);
}

static void evaluate_all(void *arg)
{
	struct work *k = arg;
	W args = given_args(k->r), given = value_options_given(k->r) ? given_value(k->r) : W_ABSENT;

	for (size_t i = 0; i < k->n; i++)
		evaluate_one(k, &k->v[i], given, args);
}

/* --- kept for the next run --- */

static void add_text(struct buf *b, const char *text)
{
	answer_add(b, text ? text : "", text ? strlen(text) + 1 : 0);
}

static void add_answer(struct buf *b, const struct installable *v, size_t n, struct slice dir)
{
	for (size_t i = 0; i < n; i++) {
		add_text(b, v[i].program);
		add_text(b, v[i].main);
		add_text(b, v[i].flake);
		add_text(b, v[i].revision);
		add_text(b, v[i].original);
		add_text(b, v[i].attr);
		add_text(b, v[i].outputs);
		add_text(b, v[i].priority);
		kept_path_add(b, &v[i].path, dir);
		kept_drvs_add(b, &v[i].targets, dir);
	}
}

static int take_text(struct slice *rest, char **out)
{
	struct slice s;

	if (answer_take(rest, &s))
		return -1;
	*out = s.n ? xstrndup(s.p, s.n) : NULL;
	return 0;
}

static int take_answer(struct slice rest, struct store *s, struct installable *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (take_text(&rest, &v[i].program) || take_text(&rest, &v[i].main) || take_text(&rest, &v[i].flake) ||
		    take_text(&rest, &v[i].revision) || take_text(&rest, &v[i].original) || take_text(&rest, &v[i].attr) ||
		    take_text(&rest, &v[i].outputs) || take_text(&rest, &v[i].priority) || kept_path_take(&rest, s, &v[i].path) ||
		    kept_drvs_take(&rest, s, &v[i].targets))
			return -1;
	return 0;
}

/* What was kept for a question; 1 when it will do. */
static int find_answer(struct eval_cache *k, const struct eval_question *q, struct store *s, struct installable *out, size_t n)
{
	if (!eval_cache_find(k, q))
		return 0;
	if (k->status || !take_answer(k->answer, s, out, n)) {
		eval_cache_tell(k);
		return 1;
	}
	for (size_t i = 0; i < n; i++)
		installable_release(&out[i]);
	eval_cache_refuse(k, KEPT_GONE);
	return 0;
}

/* The words that tell one question from another: what each names, and where it was found. */
static const char **question_words(const struct work *k, struct buf *texts)
{
	const char **words = xcalloc(k->n, sizeof *words);

	for (size_t i = 0; i < k->n; i++) {
		const struct asked *a = &k->v[i];

		if (k->r->bundler)
			buf_addf(texts, "%s of ", k->r->bundler);
		buf_addf(texts, "%s%s%s %s", a->word, a->outputs ? "^" : "", a->outputs ? a->outputs : "",
			 a->project.kind == PROJECT_FLAKE ? "" : a->project.path);
		buf_addc(texts, 0);
	}
	const char *p = texts->p;
	for (size_t i = 0; i < k->n; i++, p += strlen(p) + 1)
		words[i] = p;
	return words;
}

/* Takes what was kept, or evaluates. */
static int answer_all(struct eval_request *r, int pure, struct work *k, struct store *s, struct installable *out)
{
	static const char *const kinds[] = { "build", "develop", "run" }, *const origins[] = { NULL, "image", "profile" };
	struct buf texts = BUF_INIT, bytes = BUF_INIT;
	const char **words = question_words(k, &texts);
	const struct eval_question q = { r->bundler ? "bundle" : r->origin ? origins[r->origin] : kinds[k->want],
					 r,
					 store_place(s)->real_store,
					 words,
					 k->n,
					 pure };
	struct eval_cache cache;
	int status;

	if (find_answer(&cache, &q, s, out, k->n)) {
		/* As evaluation_run leaves it. */
		signals_push(SIGNALS_INTERRUPT, signals_exit);
		status = cache.status;
	} else {
		status = evaluation_run(r, pure, evaluate_all, k);
		if (!status)
			add_answer(&bytes, out, k->n, store_dir(s));
		eval_cache_keep(&cache, status, (struct slice){ buf_str(&bytes), bytes.len });
	}
	eval_cache_end(&cache);
	buf_release(&texts);
	buf_release(&bytes);
	free(words);
	return status;
}

int installables_eval(const struct eval_request *r, struct store *s, char *const *refs, size_t n, enum flake_want want,
		      struct installable *out)
{
	int given = value_options_given(r), pure = !r->flake_options.impure && (!given || eval_settings.pure);
	struct eval_request e = *r;
	struct work k = { .r = &e, .n = n ? n : 1, .want = want };

	k.v = xcalloc(k.n, sizeof *k.v);
	for (size_t i = 0; i < k.n; i++) {
		struct asked *a = &k.v[i];

		a->word = xstrdup(n ? refs[i] : given ? "" : ".");
		a->outputs = cut_outputs(a->word);
		a->out = &out[i];
		if (!given)
			project_find(a->word, want == FLAKE_WANT_SHELL, &a->project);
		pure &= a->project.kind == PROJECT_FLAKE;
	}
	e.open_store = s;
	int status = answer_all(&e, pure, &k, s, out);
	for (size_t i = 0; i < k.n; i++) {
		project_release(&k.v[i].project);
		free(k.v[i].word);
	}
	free(k.v);
	return status;
}

int installable_is_evaluated(const struct eval_request *r, const char *word)
{
	const char *hat = strrchr(word, '^');
	char *bare = xstrndup(word, hat ? (size_t)(hat - word) : strlen(word));
	int yes = value_options_given(r) || flake_options_is_flake(bare) || (!place_obeys_environment() && project_is_file(bare));

	free(bare);
	return yes;
}
