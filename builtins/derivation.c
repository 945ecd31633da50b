/* SPDX-License-Identifier: MIT
 *
 * derivationStrict and its lazy wrapper, derivation.
 *
 * derivationStrict evaluates every attribute at once.  derivation only looks at `outputs`, and returns the
 * given attributes with some more that are made when asked for:
 *
 *   commonAttrs = drvAttrs // { OUTPUT = set of that output; … } // { all = [ … ]; drvAttrs; }
 *   result      = commonAttrs // { outPath; drvPath; type = "derivation"; outputName; }   of the first output
 *
 * outPath and drvPath share one thunk that calls derivationStrict.  So package sets may refer to each
 * other's attributes, names and outputs in cycles, as nixpkgs does.
 *
 * The wrapper is native because every package calls it: the sets are merges over the caller's own, and for the one output
 * "out", nearly always, a single merge of seven attributes with a shape made once.
 */
#include "config.h"
#include "builtins/derivation.h"

#include "base/mem.h"
#include "builtins/derivation_make.h"
#include "builtins/drv_args.h"

#include <string.h>

BUILTIN_FLAGS(bi_derivation_strict, BI_GLOBAL, "derivationStrict", "!attrs",
	      "Make a derivation of the attributes *attrs* and return a set of its store paths: `drvPath` and one attribute "
	      "for each output.\n\n"
	      "All attributes are evaluated. Use [`derivation`](#builtins-derivation), which returns a set with the given "
	      "attributes as well, and calls this function only when a path is asked for.\n\n"
	      "In `attrs` these names mean something to the derivation itself; the builder sees all but "
	      "`args` and the ones with two underscores as environment variables:\n\n"
	      "- `name` (required): part of the store paths.\n"
	      "- `system`, `builder` (required): the platform, and the program to run there.\n"
	      "- `args`: a list of arguments for the builder.\n"
	      "- `outputs`: names of the outputs, `[ \"out\" ]` by default.\n"
	      "- `outputHash`, `outputHashAlgo`, `outputHashMode`: what the output is known to hold. The mode is "
	      "`flat` (the default), `recursive` or its newer name `nar`, or `text`; in gx also `go-h1`, for the sum of "
	      "a Go module as it stands in go.sum (\"h1:…\").\n"
	      "- `__structuredAttrs`: pass all attributes as one JSON object instead of as variables.\n"
	      "- `__ignoreNulls`: leave out attributes that are `null`.\n"
	      "- `__contentAddressed`, `__impure`: the paths of the outputs depend on what is built. Their paths are "
	      "placeholders until then.",
	      "(derivationStrict { name = \"x\"; system = \"x86_64-linux\"; builder = \"/bin/sh\"; }).out",
	      "\"/nix/store/s668cfx1vrqfjryf96jj8wfhg7f67dhj-x\"")
{
	struct drv_args a;
	W result;

	drv_args_read(&a, arg_attrs(args, 0));
	drv_args_note(&a);
	result = derivation_make(&a);
	note_pop();
	return result;
}

/* --- the lazy wrapper --- */

/* The set of an output's attributes, filled in once and looked at through the thunks below.
 * Kept on the list `shared`: the caller's set, the thunk of derivationStrict, the attributes common to all. */
enum { DRV_ATTRS, STRICT, COMMON, FIRST_NAME };

static W strict_thunk(W attrs, W unused)
{
	W args[1] = { attrs };

	(void)unused;
	return bi_derivation_strict(args);
}

/* One path of what derivationStrict returned. */
static W path_thunk(W strict, W sym)
{
	sym_t name = (sym_t)w_get_int(sym);
	W *slot = attrs_find(force(strict), name);

	/* derivationStrict reads the outputs as words between blanks. */
	if (!slot)
		throw_error(EK_EVAL, "derivation has no output '%s'", sym_name(name)->b);
	return force_at(slot);
}

static W path_of(W strict, sym_t which)
{
	return lazy_native(path_thunk, strict, w_small(which));
}

/* commonAttrs // the attributes of output number i. */
static W output_thunk(W shared, W index)
{
	struct list *l = list_of(shared);
	W name = l->e[FIRST_NAME + w_get_int(index)];
	struct str *s = w_get_str(name);
	struct attrs_builder b;

	attrs_builder_init(&b, 4);
	attrs_add(&b, SYM_OUT_PATH, 0, path_of(l->e[STRICT], sym_intern(s->b, s->len)));
	attrs_add(&b, SYM_DRV_PATH, 0, path_of(l->e[STRICT], SYM_DRV_PATH));
	attrs_add(&b, SYM_TYPE, 0, w_cstr("derivation"));
	attrs_add(&b, SYM_OUTPUT_NAME, 0, name);
	return attrs_update(l->e[COMMON], attrs_finish(&b));
}

static sym_t sym_drv_attrs(void)
{
	static sym_t s;

	return s ? s : (s = sym_c("drvAttrs"));
}

/* Any number of outputs, by the definition. */
static W with_outputs(W attrs, struct list *names)
{
	struct list *shared = list_new(FIRST_NAME + names->n), *all = list_new(names->n);
	struct attrs_builder b;

	shared->e[DRV_ATTRS] = attrs;
	shared->e[STRICT] = lazy_native(strict_thunk, attrs, W_NULL);
	attrs_builder_init(&b, names->n + 2);
	for (uint32_t i = 0; i < names->n; i++) {
		shared->e[FIRST_NAME + i] = names->e[i];
		all->e[i] = lazy_native(output_thunk, w_list(shared), w_small(i));
	}
	attrs_add(&b, SYM_ALL, 0, w_list(all));
	attrs_add(&b, sym_drv_attrs(), 0, attrs);
	for (uint32_t i = 0; i < names->n; i++) {
		struct str *s = w_get_str(names->e[i]);

		attrs_add(&b, sym_intern(s->b, s->len), 0, all->e[i]);
	}
	shared->e[COMMON] = attrs_update(attrs, attrs_finish(&b));
	return force_at(&all->e[0]);
}

/* The set that a one-element list holds: a reference to a set from inside itself. */
static W self_thunk(W holder, W unused)
{
	(void)unused;
	return list_of(holder)->e[0];
}

/* The seven attributes of a derivation whose one output is "out", in the order of their symbols. */
struct single {
	struct shape *sh;
	W type;
	uint32_t all, drv_attrs, drv_path, out, out_path, output_name, type_at;
};

static uint32_t index_of(const struct shape *sh, sym_t s)
{
	for (uint32_t i = 0; i < sh->n; i++)
		if (sh->sym[i] == s)
			return i;
	return 0;
}

static struct single *single_shape(void)
{
	static struct single *s;
	const sym_t syms[] = { SYM_ALL,	     sym_drv_attrs(), SYM_DRV_PATH, SYM_OUT,
			       SYM_OUT_PATH, SYM_OUTPUT_NAME, SYM_TYPE };
	struct attrs_builder b;

	if (s)
		return s;
	s = mem_root(sizeof *s);
	attrs_builder_init(&b, 7);
	for (size_t i = 0; i < sizeof syms / sizeof *syms; i++)
		attrs_add(&b, syms[i], 0, W_NULL);
	s->sh = attrs_of(attrs_finish(&b))->sh;
	s->type = w_cstr("derivation");
	s->all = index_of(s->sh, SYM_ALL);
	s->drv_attrs = index_of(s->sh, sym_drv_attrs());
	s->drv_path = index_of(s->sh, SYM_DRV_PATH);
	s->out = index_of(s->sh, SYM_OUT);
	s->out_path = index_of(s->sh, SYM_OUT_PATH);
	s->output_name = index_of(s->sh, SYM_OUTPUT_NAME);
	s->type_at = index_of(s->sh, SYM_TYPE);
	return s;
}

static W with_out(W attrs)
{
	struct single *s = single_shape();
	struct attrs *a = attrs_with_shape(s->sh);
	struct list *holder = list_new(1), *all = list_new(1);
	W strict = lazy_native(strict_thunk, attrs, W_NULL), self = lazy_native(self_thunk, w_list(holder), W_NULL);

	all->e[0] = self;
	a->v[s->all] = w_list(all);
	a->v[s->drv_attrs] = attrs;
	a->v[s->drv_path] = path_of(strict, SYM_DRV_PATH);
	a->v[s->out] = self;
	a->v[s->out_path] = path_of(strict, SYM_OUT);
	a->v[s->output_name] = sym_word(SYM_OUT);
	a->v[s->type_at] = s->type;
	holder->e[0] = attrs_update(attrs, w_attrs(a));
	return holder->e[0];
}

BUILTIN_FLAGS(bi_derivation, BI_GLOBAL, "derivation", "!attrs",
	      "Describe how to build something: return the set *attrs* with the attributes of a derivation added.\n\n"
	      "`drvPath` is the store path of the derivation, `outPath` that of its first output; `type` is "
	      "`\"derivation\"`, `outputName` the name of that output, `all` the list of all outputs, `drvAttrs` the given set. "
	      "For each output there is an attribute of its name that holds the same set with the `outPath` and "
	      "`outputName` of that output. Used as a string, each is its `outPath`.\n\n"
	      "Only `outputs` is evaluated at once, the other attributes when one of the paths is asked for. "
	      "What the attributes mean is said at [`derivationStrict`](#builtins-derivationStrict).",
	      "(derivation { name = \"x\"; system = \"x86_64-linux\"; builder = \"/bin/sh\"; }).drvPath",
	      "\"/nix/store/97qlv6h78lxlm9zc8849ahsbcklhsi2y-x.drv\"")
{
	W attrs = arg_attrs(args, 0), *slot = attrs_find(attrs, SYM_OUTPUTS);
	struct list *names;

	if (!slot)
		return with_out(attrs);
	names = list_of(want_list(force_at(slot), "the 'outputs' attribute of a derivation"));
	if (!names->n)
		throw_error(EK_EVAL, "derivation cannot have an empty set of outputs");
	for (uint32_t i = 0; i < names->n; i++)
		want_string_plain(force_at(&names->e[i]), "an element of the 'outputs' attribute of a derivation");
	if (names->n == 1 && w_get_str(names->e[0])->len == 3 && !memcmp(w_get_str(names->e[0])->b, "out", 3))
		return with_out(attrs);
	return with_outputs(attrs, names);
}

const struct builtin *const builtins_derivation[] = { &def_bi_derivation_strict, &def_bi_derivation, NULL };
