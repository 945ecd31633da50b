/* SPDX-License-Identifier: MIT
 *
 * Store paths from names, texts and files.
 *
 * All of them can be computed without a store; with one to write to, the objects are put there at once (files
 * and trees) or when somebody needs them (texts, see drvs.h).
 *
 * outputOf is Nix's as long as the derivation is a file that is known; a derivation that is itself the output of a
 * derivation would need contexts that nest, and is refused by name.
 */
#include "config.h"
#include "builtins/storepaths.h"

#include "base/mem.h"
#include "builtins/addpath.h"
#include "builtins/derivation_make.h"
#include "builtins/drvs.h"
#include "builtins/fs.h"
#include "builtins/store_ops.h"
#include "eval/coerce.h"
#include "eval/eval.h"
#include "eval/show.h"

#include <string.h>

static struct slice store_dir(void)
{
	return slice_of(eval_settings.store_dir);
}

static struct slice slice_str(const struct str *s)
{
	return (struct slice){ s->b, s->len };
}

BUILTIN_FLAGS(bi_placeholder, BI_GLOBAL, "placeholder", "!output",
	      "A text that stands for the path of the output named *output* of the derivation in whose attributes it is used. "
	      "The path itself depends on those attributes; wherever the builder finds the placeholder in its "
	      "environment or arguments it has been replaced by the path.",
	      "placeholder \"out\"", "\"/1rz4g4znpzjwh1xymhjpm42vipw92pr73vdgl6xs1hycac8kf2n9\"")
{
	char text[PLACEHOLDER_LEN + 1];

	placeholder_output(slice_str(arg_string_plain(args, 0)), text);
	return w_str(text, PLACEHOLDER_LEN, 0);
}

/* --- outputOf --- */

/* The derivation that a string refers to: its context says which, its text must be the path of it. */
static struct slice derivation_reference(const struct str *s)
{
	struct ctx_elem c;

	if (ctx_count(s->ctx) != 1)
		throw_error(EK_EVAL, "string '%s' has %zu entries in its context, but a reference to a derivation has one", s->b,
			    ctx_count(s->ctx));
	ctx_parse(ctx_element(s->ctx, 0), &c);
	if (c.kind == CTX_DRV_DEEP)
		throw_error(EK_EVAL, "string '%s' refers to a derivation with its whole closure; use "
				     "builtins.unsafeDiscardOutputDependency to refer to the derivation alone", s->b);
	if (c.kind == CTX_BUILT)
		throw_error(EK_EVAL, "'%s' is the output of a derivation; outputs of derivations that are made by other "
				     "derivations (dynamic derivations) are not supported", s->b);
	if (!slice_eq((struct slice){ c.path, c.path_len }, slice_str(s)))
		throw_error(EK_EVAL, "string '%s' has a context with the different path '%s'", s->b, c.path);
	return (struct slice){ c.path, c.path_len };
}

BUILTIN(bi_output_of, "outputOf", "!reference output",
	"The path of the output named *output* of the derivation that *reference* refers to, a string with the "
	"store path of a `.drv` file. If that path is not known before the derivation is built, a placeholder that "
	"stands for it.\n\n"
	"The `drvPath` of a derivation refers to its whole closure; `builtins.unsafeDiscardOutputDependency` makes a "
	"reference of it that will do here.",
	"let d = derivation { name = \"x\"; system = \"x86_64-linux\"; builder = \"/bin/sh\"; };\n"
	"in outputOf (unsafeDiscardOutputDependency d.drvPath) \"out\" == d.outPath",
	"true")
{
	struct str *s = arg_string(args, 0);
	struct slice path = derivation_reference(s), name = slice_str(arg_string_plain(args, 1));
	const struct store_object *o;
	struct err e = ERR_INIT;

	o = drvs_need(path, &e);
	if (!o)
		throw_err(&e);
	for (size_t i = 0; i < o->drv->noutputs; i++)
		if (slice_eq(o->drv->outputs[i].name, name))
			return derivation_output_string(o->path, name, o->drv->outputs[i].path);
	throw_error(EK_EVAL, "derivation '%s' does not have an output '%s'", o->path.p, name.p);
}

/* --- toFile --- */

/* What a text refers to, full paths in byte order. */
static struct slice *text_references(const struct str *name, const struct str *text, size_t *n)
{
	struct slice *refs;

	*n = ctx_count(text->ctx);
	refs = mem_new(mem_size(*n, sizeof *refs, sizeof *refs));
	for (size_t i = 0; i < *n; i++) {
		struct ctx_elem c;

		ctx_parse(ctx_element(text->ctx, i), &c);
		if (c.kind != CTX_OPAQUE)
			throw_error(EK_EVAL, "files created by 'toFile' may not refer to derivations, but '%s' refers to '%s'",
				    name->b, c.path);
		refs[i] = (struct slice){ c.path, c.path_len };
	}
	return refs;
}

BUILTIN(bi_to_file, "toFile", "!name !text",
	"Put *text* into a file of the store and return its path, which ends in *name*. "
	"The text may hold paths of other files in the store, but not of derivations' outputs: such a file would have to be "
	"made by a derivation.",
	"toFile \"hello.txt\" \"hello\"", "\"/nix/store/q790zdjk75hm2cn42nh77pqw4gbv1b88-hello.txt\"")
{
	struct str *name = arg_string_plain(args, 0), *text = arg_string(args, 1);
	struct err e = ERR_INIT;
	struct store_path path;
	struct hash h;
	size_t n;
	struct slice *refs = text_references(name, text, &n);
	W result;

	hash_bytes(HASH_SHA256, text->b, text->len, &h);
	if (store_path_make_text(store_dir(), slice_str(name), &h, refs, n, &path, &e)) {
		err_prefix(&e, "toFile");
		throw_err(&e);
	}
	result = store_path_string(&path);
	drvs_add_text(slice_str(w_get_str(result)), refs, n, slice_str(text));
	if (!store_ops_writing())
		fs_stand_in_text(w_get_str(result)->b, w_tag(text, TAG_STR));
	return result;
}

/* --- path and filterSource --- */

static void add_reference(void *arg, struct slice ref)
{
	struct add_path *p = arg;
	char *copy = memcpy(mem_bytes(ref.n + 1), ref.p, ref.n);
	struct slice *refs = mem_new(mem_size(p->nrefs + 1, sizeof *refs, 0));

	copy[ref.n] = 0;
	if (p->nrefs)
		memcpy(refs, p->refs, p->nrefs * sizeof *refs);
	refs[p->nrefs++] = (struct slice){ copy, ref.n };
	p->refs = refs;
}

/* A copy of (part of) a store object that was named with its context refers to what that object refers to. */
static void take_references(struct add_path *p)
{
	struct slice path = { w_get_path(p->path)->b, w_get_path(p->path)->h.n }, rest;
	struct buf b = BUF_GC;
	struct store_path sp;
	struct err e = ERR_INIT;

	if (!store_ops || store_path_split(store_dir(), path, &sp, &rest, NULL))
		return;
	store_path_add(&b, store_dir(), &sp);
	if (store_ops->references(store_ops->user, (struct slice){ b.p, b.len }, add_reference, p, &e))
		err_release(&e); /* not in the store: no references known */
}

/* Sets what is to be added, links followed; what its string's context names is built first. */
static void take_path(struct add_path *p, W arg)
{
	uint32_t ctx;

	p->given = coerce_path(arg, &ctx);
	fs_realise_context(ctx);
	p->path = fs_resolve(p->given);
	if (ctx)
		take_references(p);
}

static void want_callable(W w, const char *what)
{
	if (w_is_function(w) || (W_TAG(w) == TAG_ATTRS && attrs_find(w, SYM_FUNCTOR)))
		return;
	note_push(what, 0);
	throw_type("a function", w);
}

BUILTIN(bi_filter_source, "filterSource", "filter !path",
	"Copy the directory *path* to the store without the files that the function *filter* does not want, and return "
	"the store path.\n\n"
	"*filter* is called with the path of each file, a string, and its type: `\"regular\"`, `\"directory\"`, "
	"`\"symlink\"` or `\"unknown\"`. Of a directory it does not want, nothing is copied. The store path is named "
	"after the directory; [`path`](#builtins-path) does the same and lets you choose the name.",
	"filterSource (path: type: false) /etc", "\"/nix/store/l4qv3rnr36l876mmp9bqkkqa75sg4b7r-etc\"")
{
	struct add_path *p = mem_new(sizeof *p);

	p->method = CA_NAR;
	take_path(p, args[1]);
	p->filter = arg_function(args, 0);
	p->name = path_base_name(p->given);
	return add_path(p);
}

/* What the attributes of `path` say. */
struct path_args {
	struct add_path add;
	struct hash expected;
};

static void read_hash(struct path_args *p, W w)
{
	static const char empty[] = "warning: found empty hash in the argument of 'path'";
	struct str *s = want_string_plain(w, "the 'sha256' attribute");
	struct err e = ERR_INIT;
	int was_empty = 0;

	if (hash_parse_or_empty(s->b, s->len, HASH_SHA256, &p->expected, &was_empty, &e))
		throw_err(&e);
	if (was_empty)
		eval_world()->message(empty, sizeof empty - 1);
	p->add.expected = &p->expected;
}

static void read_path_arg(struct path_args *p, const struct str *name, W *slot)
{
	if (!strcmp(name->b, "path")) {
		take_path(&p->add, *slot);
	} else if (!strcmp(name->b, "name")) {
		p->add.name = slice_str(want_string_plain(force_at(slot), "the 'name' attribute"));
	} else if (!strcmp(name->b, "filter")) {
		p->add.filter = force_at(slot);
		want_callable(p->add.filter, "while evaluating the 'filter' attribute");
	} else if (!strcmp(name->b, "recursive")) {
		p->add.method = want_bool(force_at(slot), "the 'recursive' attribute") ? CA_NAR : CA_FLAT;
	} else if (!strcmp(name->b, "sha256")) {
		read_hash(p, force_at(slot));
	} else {
		throw_error(EK_EVAL, "unsupported argument '%s' to 'path'", name->b);
	}
}

BUILTIN(bi_path, "path", "!args",
	"Copy a file or directory to the store and return its store path. The attributes of *args*:\n\n"
	"- `path`: what to copy.\n"
	"- `name`: how to call it, by default the last component of `path`. With it, files with names that may not "
	"stand in a store path can be copied.\n"
	"- `filter`: which files of a directory to copy, as in [`filterSource`](#builtins-filterSource).\n"
	"- `recursive`: if `false`, the store path is computed from the bytes of the file, which must be a regular one, "
	"and not from its archive. Files so copied have the path that a fixed-output derivation with a flat "
	"hash gives them. `true` by default.\n"
	"- `sha256`: the hash the copy must have.\n\n"
	"Only `path` is required.",
	"path { path = /etc; name = \"empty\"; filter = path: type: false; }",
	"\"/nix/store/9ljssglw74jabzzsqsl3lim4d5jgh4ya-empty\"")
{
	struct path_args *p = mem_new(sizeof *p);
	struct attrs *a = attrs_of(arg_attrs(args, 0));
	const uint32_t *order = attrs_order(a);

	p->add.method = CA_NAR;
	p->add.filter = W_NULL;
	p->add.given = W_NULL;
	for (uint32_t i = 0; i < a->n; i++)
		read_path_arg(p, sym_name(a->sh->sym[order[i]]), &a->v[order[i]]);
	if (p->add.given == W_NULL)
		throw_error(EK_EVAL, "the attribute 'path' is missing in the argument of 'path'");
	if (!p->add.name.n)
		p->add.name = path_base_name(p->add.given);
	return add_path(&p->add);
}

/* --- storePath --- */

BUILTIN(bi_store_path, "storePath", "!path",
	"Refer to an object that is in the store already: *path* as a string that depends on it. A path value "
	"in a derivation would be copied to the store once more. Not available in pure evaluation.",
	"storePath \"/nix/store/q790zdjk75hm2cn42nh77pqw4gbv1b88-hello.txt\"",
	"\"/nix/store/q790zdjk75hm2cn42nh77pqw4gbv1b88-hello.txt\"")
{
	struct store_path sp;
	struct err e = ERR_INIT;
	struct slice rest;
	struct buf b = BUF_GC;
	uint32_t ctx;
	W path;

	if (eval_settings.pure)
		throw_error(EK_DENIED, "'storePath' is not allowed in pure evaluation mode");
	path = coerce_path(args[0], &ctx);
	if (w_path_is_lazy(path))
		path = eval_world()->real_path(path);
	if (store_path_parse(store_dir(), (struct slice){ w_get_path(path)->b, w_get_path(path)->h.n }, &sp, &e)) {
		err_release(&e);
		path = fs_resolve(path);
	}
	struct slice text = { w_get_path(path)->b, w_get_path(path)->h.n };
	if (!store_path_is_inside(store_dir(), text))
		throw_error(EK_EVAL, "path '%s' is not in the Nix store", text.p);
	if (store_path_split(store_dir(), text, &sp, &rest, &e))
		throw_err(&e);
	store_path_add(&b, store_dir(), &sp);
	if (store_ops_writing() && store_ops->ensure(store_ops->user, (struct slice){ b.p, b.len }, &e))
		throw_err(&e);
	return w_str(text.p, text.n, ctx_union(ctx, ctx_single(b.p, b.len)));
}

const struct builtin *const builtins_store_paths[] = {
	&def_bi_placeholder, &def_bi_output_of, &def_bi_to_file, &def_bi_filter_source, &def_bi_path, &def_bi_store_path, NULL,
};
