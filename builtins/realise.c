/* SPDX-License-Identifier: MIT
 *
 * What the context of a string names is put where it can be read: import from derivation.
 *
 * Whoever is about to read a path comes here first.  What this evaluation made is written for it; outputs are built, those of
 * one string together, so that what does not need each other is built at the same time.  In pure and restricted evaluation an
 * output may then be read, and all it refers to.
 */
#include "config.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/source.h"
#include "base/strmap.h"
#include "builtins/drvs.h"
#include "builtins/fs_int.h"
#include "builtins/store_ops.h"
#include "eval/coerce.h"
#include "eval/context.h"
#include "eval/eval.h"
#include "fetch/trail.h"

#include <string.h>

/* --- is it there? --- */

static struct slice path_of(const struct ctx_elem *c)
{
	return (struct slice){ c->path, c->path_len };
}

/* Does this evaluation know what would be in the store? */
static int is_made_here(struct slice path)
{
	const struct store_object *o = drvs_find(path);

	return (o && o->drv) || fs_stands_in(path.p, path.n);
}

/* Is the object there to be read?  What this evaluation made is written for it now. */
static int is_valid(struct slice path)
{
	struct err e = ERR_INIT;
	int r;

	if (!store_ops) {
		const struct store_object *o = drvs_find(path);
		return (o && o->drv) || fs_lstat(w_path(path.p, path.n)) >= FS_REGULAR;
	}
	/* Nothing is written then, and what would be can be read all the same. */
	if (!store_ops_writing() && is_made_here(path))
		return 1;
	r = drvs_write(path, &e);
	if (!r)
		r = store_ops->is_valid(store_ops->user, path, &e);
	if (r <= 0)
		trail_spoil("it needed what the store did not have");
	if (r < 0)
		throw_err(&e);
	return r;
}

/* The path of an output, empty when it cannot be known. */
static struct slice output_path(const struct ctx_elem *c)
{
	struct err e = ERR_INIT;
	const struct store_object *o = drvs_need(path_of(c), &e);

	if (!o && store_ops)
		throw_err(&e);
	err_release(&e);
	for (size_t i = 0; o && i < o->drv->noutputs; i++)
		if (slice_eq(o->drv->outputs[i].name, (struct slice){ c->output, c->output_len }))
			return o->drv->outputs[i].path;
	return (struct slice){ "", 0 };
}

static int is_built(const struct ctx_elem *c)
{
	struct slice path = output_path(c);

	return path.n && is_valid(path);
}

/* --- building --- */

static __attribute__((noreturn, cold)) void not_allowed(const struct ctx_elem *c)
{
	throw_error(EK_IFD,
		    "cannot build '%.*s^%.*s' during evaluation because the option 'allow-import-from-derivation' is disabled",
		    (int)c->path_len, c->path, (int)c->output_len, c->output);
}

static __attribute__((noreturn, cold)) void no_store(const struct ctx_elem *c)
{
	throw_error(EK_DENIED,
		    "cannot build '%.*s^%.*s' during evaluation: in read-only mode what is imported must exist already",
		    (int)c->path_len, c->path, (int)c->output_len, c->output);
}

/* trace-import-from-derivation: which output, and who asked. */
static void tell(const struct ctx_elem *c)
{
	struct source_loc at;
	struct buf b = BUF_GC;

	if (!eval_settings.trace_ifd)
		return;
	buf_addf(&b, "warning: built '%.*s^%.*s' during evaluation due to an import from derivation", (int)c->path_len, c->path,
		 (int)c->output_len, c->output);
	if (!source_locate(call_pos(), &at))
		buf_addf(&b, " at %s:%u:%u", source_shown_name(at.src), at.line, at.column);
	eval_world()->message(b.p, b.len);
}

/* Outputs that are to be built, on the collected heap. */
struct wanted {
	struct store_output *v;
	size_t n;
};

static const char *build_note(void *wanted)
{
	const struct wanted *w = wanted;
	struct buf b = BUF_GC;

	buf_addf(&b, "while importing from derivation '%.*s^%.*s'", (int)w->v[0].drv.n, w->v[0].drv.p, (int)w->v[0].name.n,
		 w->v[0].name.p);
	if (w->n > 1)
		buf_addf(&b, " and %zu more", w->n - 1);
	return b.p;
}

static void build(const struct store_ops *ops, struct wanted *w)
{
	struct err e = ERR_INIT;

	note_push_made(build_note, w, call_pos());
	for (size_t i = 0; i < w->n; i++)
		if (drvs_write(w->v[i].drv, &e))
			throw_err(&e);
	if (ops->build(ops->user, w->v, w->n, &e))
		throw_err(&e);
	note_pop();
}

static void allow(void *arg, const struct store_object *o)
{
	(void)arg;
	fs_allow(o->path.p, o->path.n);
}

/* Lets what was built be read, with all it refers to. */
static void allow_output(const struct ctx_elem *c)
{
	struct slice path = output_path(c);
	struct err e = ERR_INIT;

	if (!fs_guarded() || !path.n)
		return;
	fs_allow(path.p, path.n);
	if (store_ops && drvs_closure(path, allow, NULL, &e))
		throw_err(&e);
}

static void realise_outputs(const struct ctx_elem *v, size_t n)
{
	struct wanted w = { mem_new(mem_size(n, sizeof *w.v, 0)), 0 };
	const struct store_ops *ops;

	if (!eval_settings.allow_ifd)
		not_allowed(v);
	ops = store_ops_begin();
	for (size_t i = 0; i < n; i++) {
		tell(&v[i]);
		if (is_built(&v[i]))
			continue;
		if (!ops || !ops->build)
			no_store(&v[i]);
		w.v[w.n++] = (struct store_output){ path_of(&v[i]), { v[i].output, v[i].output_len } };
	}
	if (w.n)
		build(ops, &w);
	for (size_t i = 0; i < n; i++)
		allow_output(&v[i]);
}

/* --- contexts --- */

static __attribute__((noreturn, cold)) void not_valid(const struct ctx_elem *c)
{
	throw_error(EK_EVAL, "path '%.*s' is not valid%s", (int)c->path_len, c->path,
		    eval_settings.read_only ? ": in read-only mode nothing is written to the store" : "");
}

void fs_realise_context(uint32_t ctx)
{
	size_t n = ctx_count(ctx), outputs = 0;
	struct ctx_elem *v;

	if (!ctx)
		return;
	v = mem_bytes(mem_size(n, sizeof *v, 0)); /* the texts are the context's, which is never freed */
	for (size_t i = 0; i < n; i++) {
		ctx_parse(ctx_element(ctx, i), &v[outputs]);
		if (v[outputs].kind == CTX_BUILT)
			outputs++;
		else if (!is_valid(path_of(&v[outputs])))
			not_valid(&v[outputs]);
	}
	if (outputs)
		realise_outputs(v, outputs);
}

W fs_realise(W arg)
{
	uint32_t ctx;
	W path = coerce_path(arg, &ctx);

	fs_realise_context(ctx);
	return path;
}
