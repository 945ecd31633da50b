/* SPDX-License-Identifier: MIT
 *
 * What Tab offers behind ":lf": references, and names of a flake behind "#".
 *
 * References are folders, gx:std, the names of registries, and what the lock file here knows: inputs of the flake one works
 * on.  For names the flake is evaluated, as far as they need it, from what is here: somebody waits at a key, so nothing is
 * fetched and no lock file written.
 */
#include "config.h"
#include "cli/repl/repl_int.h"
#include "base/fdio.h"
#include "cli/report.h"
#include "eval/attrs.h"
#include "eval/builtin.h"
#include "eval/eval.h"
#include "flake/call.h"
#include "flake/lockfile.h"
#include "flake/ref.h"
#include "flake/registry.h"
#include "lang/quote.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

struct asked {
	struct repl *r;
	struct completions *c;
	const char *typed; /* collected */
	W sets[8];	   /* where names were found, those that are found first in front */
	size_t nsets;
};

/* --- references --- */

static void offer_begun(struct completions *c, const char *text, const char *typed)
{
	if (!strncmp(text, typed, strlen(typed)))
		completions_add(c, text, strlen(text));
}

static void offer_input(void *arg, const struct input_path *p, const struct lock_edge *edge)
{
	struct asked *a = arg;

	(void)p;
	if (!edge->node)
		return;
	offer_begun(a->c, flake_ref_text(&edge->node->original), a->typed);
	offer_begun(a->c, flake_ref_text(&edge->node->locked), a->typed);
}

/* What cannot be read offers nothing. */
static void offer_inputs(void *arg)
{
	struct buf text = BUF_INIT;
	struct lockfile lock;
	struct arena mem = ARENA_INIT;
	struct err e = ERR_INIT;
	int fd = open("flake.lock", O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return;
	if (!fd_read_all(fd, &text) && !lockfile_parse(&lock, &mem, (struct slice){ buf_str(&text), text.len }, "flake.lock", &e))
		lockfile_each(&lock, offer_input, arg);
	close(fd);
	err_release(&e);
	buf_release(&text);
	arena_release(&mem);
}

struct kind {
	struct asked *a;
	enum registry_kind kind;
};

static void offer_registry(void *arg)
{
	const struct kind *k = arg;
	const struct registry_list *list = registry_of(k->kind);

	for (size_t i = 0; i < list->n; i++) {
		const char *name = flake_ref_text(&list->v[i].from);
		/* As people type it. */
		if (!strncmp(name, "flake:", 6) && strncmp(k->a->typed, "flake:", 6))
			name += 6;
		offer_begun(k->a->c, name, k->a->typed);
	}
}

/* --- names --- */

static int is_hidden(const struct asked *a, const struct str *name)
{
	for (size_t i = 0; i < a->nsets; i++)
		if (attrs_find_name(a->sets[i], name->b, name->len))
			return 1;
	return 0;
}

/* Offers the names in the set that a path leads to below w, all of it but the last name. */
static void offer_below(struct asked *a, W w, const char *path)
{
	for (size_t n; (w = force(w), W_TAG(w) == TAG_ATTRS) && path[n = strcspn(path, ".")]; path += n + 1) {
		W *slot = attrs_find_name(w, path, n);
		w = slot ? *slot : W_NULL;
	}
	if (W_TAG(w) != TAG_ATTRS)
		return;
	struct attrs *attrs = attrs_of(w);
	for (uint32_t i = 0; i < attrs->n; i++) {
		const struct str *name = sym_name(attrs->sh->sym[i]);
		struct buf b = BUF_GC;
		/* Up to the last dot, or the mark. */
		const char *dot = strrchr(strchr(a->typed, '#'), '.');
		buf_add(&b, a->typed, (size_t)((dot ? dot : strchr(a->typed, '#')) + 1 - a->typed));
		quote_name(&b, name->b, name->len);
		if (!is_hidden(a, name))
			offer_begun(a->c, b.p, a->typed);
	}
	if (a->nsets < sizeof a->sets / sizeof *a->sets)
		a->sets[a->nsets++] = w;
}

static void offer_names(void *arg)
{
	struct asked *a = arg;
	struct flake_request request = a->r->request->flake_options;
	const char *hash = strchr(a->typed, '#'), *fragment, *kind;
	struct buf ref = BUF_GC;

	request.no_write = 1;
	buf_add(&ref, a->typed, (size_t)(hash - a->typed));
	W outputs = force(flake_outputs(flake_call(flake_options_open(&request, buf_str(&ref), &fragment))));
	for (unsigned i = 0; (kind = flake_prefix(FLAKE_WANT_PACKAGE, i)); i++) {
		struct buf path = BUF_GC;
		buf_addf(&path, "%s.%s.%s", kind, eval_settings.system, hash + 1);
		offer_below(a, outputs, path.p);
	}
	offer_below(a, outputs, hash + 1);
}

void complete_flake_ref(struct repl *r, struct completions *c, const char *typed, size_t n)
{
	struct buf copy = BUF_GC;
	int offline = eval_settings.offline, quiet = report_settings.quiet;

	buf_add(&copy, typed, n);
	struct asked a = { .r = r, .c = c, .typed = buf_str(&copy) };
	eval_settings.offline = 1;
	report_settings.quiet = 1;
	eval_interrupt_clear();
	if (strchr(a.typed, '#')) {
		unwind_run(offer_names, &a, NULL, TRACE_NONE);
	} else {
		offer_begun(c, "gx:std", a.typed);
		unwind_run(offer_inputs, &a, NULL, TRACE_NONE);
		for (int kind = REGISTRY_FLAGS; kind <= REGISTRY_GLOBAL; kind++)
			unwind_run(offer_registry, &(struct kind){ &a, kind }, NULL, TRACE_NONE);
	}
	eval_settings.offline = offline;
	report_settings.quiet = quiet;
}
