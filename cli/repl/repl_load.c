/* SPDX-License-Identifier: MIT
 *
 * What gives many variables at once: files, flakes, sets.
 */
#include "config.h"
#include "cli/repl/repl_int.h"
#include "base/alloc.h"
#include "builtins/fs.h"
#include "cli/report.h"
#include "cli/width.h"
#include "cli/world.h"
#include "eval/attrs.h"
#include "eval/builtin.h"
#include "eval/eval.h"
#include "flake/call.h"
#include "lang/quote.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* --- what was added --- */

/* As much as is said without being asked. */
enum { LINES_SHOWN = 3 };

/* Appends the names of a set from the i-th on, as many as fit in a line; returns the next one's number. */
static uint32_t add_line(struct buf *b, struct attrs *a, uint32_t i, unsigned columns)
{
	const uint32_t *order = attrs_order(a);
	size_t width = 2;

	buf_adds(b, "\n  ");
	for (uint32_t first = i; i < a->n; i++) {
		const struct str *name = sym_name(a->sh->sym[order[i]]);
		struct buf quoted = BUF_GC;
		quote_name(&quoted, name->b, name->len);
		/* With the comma. */
		size_t n = width_of((struct slice){ quoted.p, quoted.len }) + 1;
		if (i > first && width + 1 + n > columns)
			break;
		buf_addf(b, "%s%s%s", i > first ? " " : "", quoted.p, i + 1 < a->n ? "," : "");
		width += n + (i > first);
	}
	return i;
}

void repl_add_names(struct buf *b, W set, unsigned columns, uint32_t lines)
{
	struct attrs *a = attrs_of(set);
	uint32_t i = 0;

	for (; lines && i < a->n; lines--)
		i = add_line(b, a, i, columns);
	if (i < a->n)
		buf_addf(b, "\n  … and %u more; ':ll' lists all", a->n - i);
}

void repl_add(struct repl *r, W set)
{
	uint32_t n = attrs_count(set);
	struct buf b = BUF_GC;

	r->scope = attrs_update(r->scope, set);
	r->own_it |= attrs_find_c(set, "it") != NULL;
	r->added = set;
	if (report_settings.quiet)
		return;
	buf_addf(&b, "added %u variable%s%s", n, n == 1 ? "" : "s", n ? ":" : "");
	repl_add_names(&b, set, width_of_terminal(2), LINES_SHOWN);
	report_line("%s", b.p);
}

/* --- loading --- */

static W load_file(const char *name)
{
	struct stat st;
	size_t n = strlen(name);

	if (n > 2 && name[0] == '<' && name[n - 1] == '>')
		return fs_import(eval_text(name, n, "«repl»", "/"));
	if (stat(name, &st) < 0)
		throw_error(EK_IO, "cannot open '%s': %s", name, strerror(errno));
	return fs_import(fs_user_path(name, n));
}

W repl_flake(struct repl *r, const char *ref, const char **fragment)
{
	flake_options_begin(&r->request->flake_options);
	return flake_call(flake_options_open(&r->request->flake_options, ref, fragment));
}

static W load_flake(struct repl *r, const char *ref)
{
	const char *fragment;
	struct attr_place found;
	W flake = repl_flake(r, ref, &fragment);

	if (!*fragment)
		return flake;
	return flake_select(flake_outputs(flake), fragment, FLAKE_WANT_PACKAGE, ref, &found);
}

/* What --arg and --argstr pass to functions at the top. */
static W given_args(struct repl *r)
{
	struct attrs_builder b;

	attrs_builder_init(&b, r->request->n_args);
	for (size_t i = 0; i < r->request->n_args; i++) {
		const struct auto_arg *a = &r->request->args[i];
		attrs_add_c(&b, a->name, a->is_string ? w_cstr(a->text) : repl_eval(r, a->text));
	}
	return attrs_finish_keep_last(&b);
}

static void load(struct repl *r, enum loaded_kind kind, const char *name)
{
	W v = kind == LOADED_FILE ? load_file(name) : kind == LOADED_FLAKE ? load_flake(r, name) : repl_eval(r, name);

	repl_add(r, want_attrs(eval_auto_call(v, given_args(r)), "what is loaded"));
}

void repl_load(struct repl *r, enum loaded_kind kind, const char *name)
{
	load(r, kind, name);
	for (size_t i = 0; i < r->nloaded; i++)
		if (r->loaded[i].kind == kind && !strcmp(r->loaded[i].name, name))
			return;
	r->loaded = xrealloc_array(r->loaded, r->nloaded + 1, sizeof *r->loaded);
	r->loaded[r->nloaded].name = xstrdup(name);
	r->loaded[r->nloaded++].kind = kind;
}

struct one_load {
	struct repl *r;
	const struct loaded *what;
};

static void load_again(void *arg)
{
	struct one_load *l = arg;

	load(l->r, l->what->kind, l->what->name);
}

void repl_reload(struct repl *r)
{
	/* Nothing of the old session is to be looked at in the new one. */
	r->added = W_NULL;
	r->has_failed = 0;
	world_renew(r->request);
	r->scope = repl_no_args();
	r->own_it = 0;
	/* One that fails now must not hide the others. */
	for (size_t i = 0; i < r->nloaded; i++) {
		struct one_load l = { r, &r->loaded[i] };
		repl_guard(r, load_again, &l);
	}
}
