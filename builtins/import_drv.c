/* SPDX-License-Identifier: MIT
 *
 * `import` of a .drv file gives the set that the call of `derivation` gave which made it, as far as the file knows:
 *
 *   common = { OUTPUT = set of that output; …; all = [ … ]; drvPath; name; type = "derivation"; }
 *   result = common // { outPath; outputName; }   of the first output by name
 *
 * The file is only read when the derivation was not made in this evaluation (drvs.h).
 */
#include "config.h"
#include "builtins/import_drv.h"

#include "builtins/derivation_make.h"
#include "builtins/drvs.h"
#include "eval/attrs.h"
#include "eval/error.h"
#include "eval/eval.h"
#include "eval/list.h"

/* common // what is an output's own; common is the element of a list, since the sets are inside it too. */
static W output_set(W common, W own)
{
	return attrs_update(list_of(common)->e[0], own);
}

static W own_attributes(const struct store_object *o, size_t i)
{
	const struct drv_known_output *out = &o->drv->outputs[i];
	struct attrs_builder b;

	attrs_builder_init(&b, 2);
	attrs_add(&b, SYM_OUT_PATH, 0, derivation_output_string(o->path, out->name, out->path));
	attrs_add(&b, SYM_OUTPUT_NAME, 0, w_str(out->name.p, out->name.n, 0));
	return attrs_finish(&b);
}

static W derivation_set(const struct store_object *o)
{
	const struct drv_known *d = o->drv;
	struct list *common = list_new(1), *all = list_new(d->noutputs);
	struct attrs_builder b;

	attrs_builder_init(&b, 4 + d->noutputs);
	attrs_add(&b, SYM_ALL, 0, w_list(all));
	attrs_add(&b, SYM_DRV_PATH, 0, derivation_path_string(o->path));
	attrs_add(&b, SYM_NAME, 0, w_str(d->name.p, d->name.n, 0));
	attrs_add(&b, SYM_TYPE, 0, w_cstr("derivation"));
	for (size_t i = 0; i < d->noutputs; i++) {
		const struct slice name = d->outputs[i].name;

		all->e[i] = lazy_native(output_set, w_list(common), own_attributes(o, i));
		attrs_add(&b, sym_intern(name.p, name.n), 0, all->e[i]);
	}
	common->e[0] = attrs_finish(&b);
	return force(all->e[0]);
}

W import_derivation(W path)
{
	struct slice text = { w_get_path(path)->b, w_get_path(path)->h.n };
	const struct store_object *o;
	struct store_path p;
	struct err e = ERR_INIT;

	if (!slice_ends(text, SLICE(".drv")) ||
	    store_path_parse(slice_of(eval_settings.store_dir), text, &p, NULL))
		return W_ABSENT;
	o = drvs_need(text, &e);
	if (!o)
		throw_err(&e);
	return derivation_set(o);
}
