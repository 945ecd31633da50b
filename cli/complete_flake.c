/* SPDX-License-Identifier: MIT
 *
 * Completing ".#he": the flake is evaluated up to the set that holds the last name, as gx build would look it up.  Only names
 * are asked for, so nothing else is evaluated.  Somebody waits at a key: what is not here is not fetched, and what takes
 * long is given up.
 */
#include "config.h"
#include "cli/complete.h"
#include "cli/doc.h"
#include "cli/eval_cmd.h"
#include "cli/evaluation.h"
#include "cli/flake_options.h"
#include "cli/given.h"
#include "cli/report.h"
#include "eval/attrs.h"
#include "eval/builtin.h"
#include "eval/eval.h"
#include "flake/call.h"
#include "flake/ref.h"
#include "lang/quote.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { SECONDS = 3 };

struct attributes {
	struct eval_request eval;
	struct buf *out; /* malloc'd: outlives the evaluator */
	const char *word, *path;
	enum flake_want want;
	const char *file; /* to look into instead of a flake */
	char *const *flakes; /* whose inputs are meant */
	size_t n_flakes;
};

static void give_up(int sig)
{
	(void)sig;
	_exit(0);
}

/* The set that the names of a path lead to, all but the last of them; W_ABSENT when there is none. */
static W walk(W w, const char *path)
{
	struct attrs_builder none;

	attrs_builder_init(&none, 0);
	W args = attrs_finish(&none);
	for (;;) {
		size_t n = strcspn(path, ".");
		w = eval_auto_call(w, args);
		if (W_TAG(w) != TAG_ATTRS)
			return W_ABSENT;
		if (!path[n])
			return w;
		W *slot = attrs_find_name(w, path, n);
		if (!slot)
			return W_ABSENT;
		w = *slot;
		path += n + 1;
	}
}

/* Sets of names, those that are found first in front. */
struct sets {
	W v[5];
	size_t n;
};

static int is_hidden(const struct sets *earlier, const struct str *name)
{
	for (size_t i = 0; i < earlier->n; i++)
		if (earlier->v[i] != W_ABSENT && attrs_find_name(earlier->v[i], name->b, name->len))
			return 1;
	return 0;
}

/* The names in the set that earlier ones lack, in front of each what was typed up to there. */
static void offer_names(struct attributes *a, struct sets *earlier, W set, const char *kind)
{
	const char *dot = strrchr(a->path, '.');
	size_t before = (size_t)((dot ? dot + 1 : a->path) - a->word);
	struct attrs *attrs = set == W_ABSENT ? NULL : attrs_of(set);
	const uint32_t *order = attrs ? attrs_order(attrs) : NULL;

	for (uint32_t i = 0; attrs && i < attrs->n; i++) {
		const struct str *name = sym_name(attrs->sh->sym[order[i]]);
		struct buf b = BUF_GC;

		buf_add(&b, a->word, before);
		quote_name(&b, name->b, name->len);
		if (b.len == before + name->len && !is_hidden(earlier, name))
			complete_offer(a->out, a->word, buf_str(&b), kind);
	}
	earlier->v[earlier->n++] = set;
}

static W outputs_of(struct attributes *a, struct buf *ref)
{
	const char *fragment;

	return flake_outputs(flake_call(flake_options_open(&a->eval.flake_options, buf_str(ref), &fragment)));
}

static void evaluate_path(void *arg)
{
	struct attributes *a = arg;
	const char *fragment;
	struct sets sets = { .n = 0 };
	W root = a->file ? given_file(a->file)
			 : flake_outputs(flake_call(flake_options_open(&a->eval.flake_options, ".", &fragment)));

	offer_names(a, &sets, walk(root, a->path), NULL);
}

static void evaluate(void *arg)
{
	struct attributes *a = arg;
	struct buf ref = BUF_GC;
	struct sets sets = { .n = 0 };
	const char *kind;
	W outputs;

	buf_add(&ref, a->word, (size_t)(a->path - 1 - a->word));
	outputs = force(outputs_of(a, &ref));
	for (unsigned i = 0; (kind = flake_prefix(a->want, i)); i++) {
		struct buf path = BUF_GC;
		buf_addf(&path, "%s.%s.%s", kind, eval_settings.system, a->path);
		offer_names(a, &sets, walk(outputs, buf_str(&path)), kind);
	}
	if (*a->path)
		offer_names(a, &sets, walk(outputs, a->path), NULL);
}

/* Nothing is asked of the network, nothing is told, and what takes too long is left. */
static void run_quietly(struct eval_request *request, int pure, void (*fn)(void *arg), void *arg)
{
	request->flake_options.no_write = 1;
	eval_settings.offline = 1;
	report_settings.quiet = 1;
	signal(SIGALRM, give_up);
	alarm(SECONDS);
	eval_settings.allow_ifd = 0; /* nobody waits for a build between two keys */
	evaluation_run(request, pure, fn, arg);
	alarm(0);
}

void complete_paths(struct buf *b, const char *word, const char *file)
{
	struct attributes a = { .out = b, .word = word, .path = word, .file = file };

	run_quietly(&a.eval, !file, evaluate_path, &a);
}

/* --- inputs --- */

static void offer_input(void *arg, const struct input_path *p, const struct lock_edge *edge)
{
	struct attributes *a = arg;
	struct buf name = BUF_GC;

	(void)edge;
	input_path_add(&name, p);
	/* Those of the flake itself it names. */
	if (p->n > 1)
		complete_offer(a->out, a->word, buf_str(&name), NULL);
}

static void find_inputs_of(struct attributes *a, const char *ref)
{
	const struct input_path none = { NULL, 0 };
	const char *fragment;
	struct input in;

	flake_ref_parse(ref, &in, &fragment);
	const struct flake *f = flake_get(&in, &none, REGISTRY_ALL);
	for (size_t i = 0; i < f->ninputs; i++) {
		struct buf name = BUF_GC;
		buf_add(&name, f->inputs[i].name.p, f->inputs[i].name.n);
		complete_offer(a->out, a->word, buf_str(&name), NULL);
	}
	const struct lockfile l = flake_lock_file(f);
	lockfile_each(&l, offer_input, a);
}

static void find_inputs(void *arg)
{
	struct attributes *a = arg;

	for (size_t i = 0; i < a->n_flakes; i++)
		find_inputs_of(a, a->flakes[i]);
}

void complete_inputs(struct buf *b, const char *word, char *const *flakes, size_t n)
{
	struct attributes a = { .out = b, .word = word, .flakes = flakes, .n_flakes = n };

	run_quietly(&a.eval, 1, find_inputs, &a);
}

void complete_attributes(struct buf *b, const char *word, enum flake_want want)
{
	/* Without '#' it is the flake here that is meant. */
	const char *hash = strchr(word, '#'), *shown = hash ? word : ".#";
	struct attributes a = { .out = b, .word = shown, .path = hash ? hash + 1 : shown + 2, .want = want };

	if (!hash && strncmp(".#", word, strlen(word)))
		return;
	run_quietly(&a.eval, 1, evaluate, &a);
}

/* --- gx doc --- */

static void list_documented(void *arg)
{
	struct attributes *a = arg;
	struct sets sets = { .n = 0 };
	struct buf set = BUF_GC;
	const char *dot = strrchr(a->word, '.');

	if (!dot) {
		offer_names(a, &sets, eval_builtins(), NULL);
		offer_names(a, &sets, doc_std(&a->eval).value, NULL);
		complete_offer(a->out, a->word, "builtins", NULL);
		complete_offer(a->out, a->word, "std", NULL);
		return;
	}
	buf_add(&set, a->word, (size_t)(dot - a->word));
	if (!doc_is_path(buf_str(&set)))
		return;
	W found = force(doc_find(&a->eval, w_attrs_empty(), set.p).value);
	if (W_TAG(found) == TAG_ATTRS)
		offer_names(a, &sets, found, NULL);
}

void complete_documented(struct buf *b, const char *word)
{
	struct attributes a = { .out = b, .word = word, .path = word };

	run_quietly(&a.eval, 1, list_documented, &a);
}
