/* SPDX-License-Identifier: MIT
 *
 * Looking at the context of a string and changing it.
 *
 * As a value a context is a set with a member for each store path: `path` is true for the path itself,
 * `allOutputs` for a derivation with its whole closure, `outputs` lists outputs of a derivation.  One path may have
 * all three, so elements are grouped by path first.
 */
#include "config.h"
#include "builtins/context.h"
#include "base/buf.h"
#include "base/mem.h"
#include "builtins/drvs.h"
#include "builtins/store_ops.h"
#include "eval/coerce.h"
#include "eval/eval.h"

#include <stdlib.h>
#include <string.h>

static int is_drv(const char *p, size_t n)
{
	return n > 4 && !memcmp(p + n - 4, ".drv", 4);
}

/* --- hasContext, discarding --- */

BUILTIN(bi_has_context, "hasContext", "!s",
	"Whether the string *s* has a context, that is, refers to something in the store.",
	"hasContext \"plain\"", "false")
{
	return W_BOOL(arg_string(args, 0)->ctx != 0);
}

BUILTIN(bi_unsafe_discard_string_context, "unsafeDiscardStringContext", "!s",
	"The string *s* without its context. What it referred to is then no dependency of a derivation that uses it.",
	"hasContext (unsafeDiscardStringContext (toFile \"a\" \"\"))", "false")
{
	return str_with_context(coerce_string(args[0], COERCE_COPY), 0);
}

/* The context c with each element handed through change(). */
static uint32_t map_context(uint32_t c, uint32_t (*change)(const struct str *e, const struct ctx_elem *parts))
{
	struct ctx_acc acc = { 0 };

	for (size_t i = 0; i < ctx_count(c); i++) {
		struct ctx_elem parts;
		ctx_parse(ctx_element(c, i), &parts);
		ctx_acc_add(&acc, change(ctx_element(c, i), &parts));
	}
	return ctx_acc_finish(&acc);
}

static uint32_t deep_to_plain(const struct str *e, const struct ctx_elem *parts)
{
	return parts->kind == CTX_DRV_DEEP ? ctx_single(parts->path, parts->path_len) : ctx_single(e->b, e->len);
}

BUILTIN(bi_unsafe_discard_output_dependency, "unsafeDiscardOutputDependency", "!s",
	"The string *s*, where references to a derivation together with all its outputs become references to the derivation "
	"file alone. The inverse of `addDrvOutputDependencies`.",
	"hasContext (unsafeDiscardOutputDependency \"x\")", "false")
{
	W s = coerce_string(args[0], COERCE_COPY);

	return str_with_context(s, map_context(w_get_str(s)->ctx, deep_to_plain));
}

static uint32_t plain_to_deep(const struct str *e, const struct ctx_elem *parts)
{
	struct buf b = BUF_GC;

	if (parts->kind == CTX_DRV_DEEP)
		return ctx_single(e->b, e->len);
	if (parts->kind == CTX_BUILT)
		throw_error(EK_EVAL,
			    "'addDrvOutputDependencies' needs a derivation, not an output of one such as '%.*s'",
			    (int)parts->output_len, parts->output);
	if (!is_drv(parts->path, parts->path_len))
		throw_error(EK_EVAL, "path '%s' is not a derivation", e->b);
	buf_addc(&b, '=');
	buf_add(&b, e->b, e->len);
	return ctx_single(b.p, b.len);
}

BUILTIN(bi_add_drv_output_dependencies, "addDrvOutputDependencies", "!s",
	"The string *s*, whose context must be one derivation file, with a reference to the derivation and all its outputs "
	"instead.",
	"addDrvOutputDependencies \"x\"",
	"error: context of string 'x' must have exactly one element, but has 0")
{
	W s = coerce_string(args[0], COERCE_COPY);
	uint32_t c = w_get_str(s)->ctx;

	if (ctx_count(c) != 1)
		throw_error(EK_EVAL, "context of string '%s' must have exactly one element, but has %zu", w_get_str(s)->b,
			    ctx_count(c));
	return str_with_context(s, map_context(c, plain_to_deep));
}

/* --- getContext --- */

/* Elements sorted by path, then as they were: outputs stay in the order of their names. */
static int by_path(const void *x, const void *y)
{
	const struct ctx_elem *a = x, *b = y;
	size_t n = a->path_len < b->path_len ? a->path_len : b->path_len;
	int c = memcmp(a->path, b->path, n);

	if (c || a->path_len != b->path_len)
		return c ? c : a->path_len < b->path_len ? -1 : 1;
	if (a->kind != b->kind || a->kind != CTX_BUILT)
		return (int)a->kind - (int)b->kind;
	n = a->output_len < b->output_len ? a->output_len : b->output_len;
	c = memcmp(a->output, b->output, n);
	return c ? c : a->output_len < b->output_len ? -1 : a->output_len > b->output_len;
}

/* The description of the n elements of one path. */
static W describe_path(const struct ctx_elem *e, size_t n)
{
	struct attrs_builder b;
	size_t first = 0;

	attrs_builder_init(&b, 3);
	for (; first < n && e[first].kind != CTX_BUILT; first++)
		attrs_add_c(&b, e[first].kind == CTX_OPAQUE ? "path" : "allOutputs", W_TRUE);
	if (first < n) {
		struct list *l = list_new(n - first);
		for (size_t i = first; i < n; i++)
			l->e[i - first] = w_str(e[i].output, e[i].output_len, 0);
		attrs_add(&b, SYM_OUTPUTS, 0, w_list(l));
	}
	return attrs_finish(&b);
}

BUILTIN(bi_get_context, "getContext", "!s",
	"The context of the string *s*: a set with a member for each store path, which is a set with `path = true` when "
	"*s* refers to that path itself, `allOutputs = true` when to a derivation with all its outputs, and `outputs` with "
	"the names of the outputs it refers to.",
	"getContext \"plain\"", "{ }")
{
	uint32_t c = arg_string(args, 0)->ctx;
	size_t n = ctx_count(c);
	struct ctx_elem *e = mem_bytes(mem_size(n, sizeof *e, 1));
	struct attrs_builder b;

	attrs_builder_init(&b, n);
	for (size_t i = 0; i < n; i++)
		ctx_parse(ctx_element(c, i), &e[i]);
	qsort(e, n, sizeof *e, by_path);
	for (size_t i = 0, k; i < n; i = k) {
		for (k = i + 1; k < n && e[k].path_len == e[i].path_len && !memcmp(e[k].path, e[i].path, e[i].path_len); k++)
			;
		attrs_add(&b, sym_intern(e[i].path, e[i].path_len), 0, describe_path(e + i, k - i));
	}
	return attrs_finish(&b);
}

/* --- appendContext --- */

static void check_key(const struct str *key)
{
	struct slice dir = slice_of(eval_settings.store_dir);
	struct store_path path;
	struct err e = ERR_INIT;

	if (store_path_parse(dir, (struct slice){ key->b, key->len }, &path, &e)) {
		err_release(&e);
		throw_error(EK_EVAL, "context key '%s' is not a store path", key->b);
	}
	const struct store_ops *ops = store_ops_writing();
	if (ops && ops->ensure(ops->user, (struct slice){ key->b, key->len }, &e))
		throw_err(&e);
}

/* That the key may stand for its outputs.  Without a store to write to, nothing will be built from it. */
static void check_drv(const struct str *key, const char *what)
{
	struct err e = ERR_INIT;

	if (!is_drv(key->b, key->len))
		throw_error(EK_EVAL, "cannot add %s of '%s' to the context of a string: it is no derivation", what, key->b);
	if (store_ops_writing() && !drvs_need((struct slice){ key->b, key->len }, &e))
		throw_err(&e);
}

static uint32_t prefixed(const char *prefix, const struct str *path)
{
	struct buf b = BUF_GC;

	buf_adds(&b, prefix);
	buf_add(&b, path->b, path->len);
	return ctx_single(b.p, b.len);
}

static void add_outputs(struct ctx_acc *acc, const struct str *key, W outputs)
{
	struct list *l = list_of(want_list(outputs, "the 'outputs' attribute of a string context"));

	if (l->n)
		check_drv(key, "outputs");
	for (uint32_t i = 0; i < l->n; i++) {
		struct str *name = want_string_plain(l->e[i], "an output name in a string context");
		struct buf b = BUF_GC;
		buf_addf(&b, "!%s!%s", name->b, key->b);
		ctx_acc_add(acc, ctx_single(b.p, b.len));
	}
}

static void add_described(struct ctx_acc *acc, const struct str *key, W about)
{
	W *slot;

	check_key(key);
	about = want_attrs(about, "the value of a string context");
	if ((slot = attrs_find(about, SYM_PATH)) && want_bool(*slot, "the 'path' attribute of a string context"))
		ctx_acc_add(acc, ctx_single(key->b, key->len));
	if ((slot = attrs_find_c(about, "allOutputs")) &&
	    want_bool(*slot, "the 'allOutputs' attribute of a string context")) {
		check_drv(key, "all outputs");
		ctx_acc_add(acc, prefixed("=", key));
	}
	if ((slot = attrs_find(about, SYM_OUTPUTS)))
		add_outputs(acc, key, *slot);
}

BUILTIN(bi_append_context, "appendContext", "!s !context",
	"The string *s* with *context*, a set as `getContext` returns it, added to its own.",
	"appendContext \"s\" { }", "\"s\"")
{
	struct str *s = arg_string(args, 0);
	struct attrs *a = attrs_of(arg_attrs(args, 1));
	const uint32_t *order = attrs_order(a);
	struct ctx_acc acc = { 0 };

	ctx_acc_add(&acc, s->ctx);
	for (uint32_t i = 0; i < a->n; i++)
		add_described(&acc, sym_name(a->sh->sym[order[i]]), a->v[order[i]]);
	return str_with_context(w_tag(s, TAG_STR), ctx_acc_finish(&acc));
}

const struct builtin *const builtins_context[] = {
	&def_bi_has_context,	    &def_bi_get_context,
	&def_bi_append_context,	    &def_bi_unsafe_discard_string_context,
	&def_bi_unsafe_discard_output_dependency, &def_bi_add_drv_output_dependencies,
	NULL,
};
