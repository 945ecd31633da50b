/* SPDX-License-Identifier: MIT
 *
 * fetchClosure: store objects by their paths, out of a binary cache.
 *
 * A path says what it holds only when it follows from that.  So any other one is either replaced by one that does
 * (cache/readdress.h), which the expression has to name, or used with a signature, and then the expression has to say that this is
 * meant.
 */
#include "config.h"
#include "builtins/fs.h"
#include "builtins/store_ops.h"
#include "cache/address.h"
#include "cache/readdress.h"
#include "eval/coerce.h"
#include "eval/eval.h"
#include "fetch/trail.h"
#include "fetch/url.h"
#include "flake/call.h"
#include "flake/source_int.h"
#include "store/object.h"
#include "store/roots.h"

#include <stdlib.h>
#include <string.h>

struct closure_args {
	const char *from_store;
	struct store_path from, to;
	int has_from, has_to, to_unknown;
	int input_addressed;
};

static const char what[] = "an argument of 'fetchClosure'";

static struct slice store_dir_here(void)
{
	return slice_of(eval_settings.store_dir);
}

static W path_string(const struct store_path *p)
{
	struct buf b = BUF_GC;

	store_path_add(&b, store_dir_here(), p);
	return w_str(b.p, b.len, ctx_single(b.p, b.len));
}

static const char *path_text(const struct store_path *p)
{
	return w_get_str(path_string(p))->b;
}

/* --- arguments --- */

static struct store_path take_path(const char *name, W w)
{
	struct store_path p;
	uint32_t ctx;
	W path = coerce_path(w, &ctx);
	struct slice text = { w_get_path(path)->b, w_get_path(path)->h.n };

	if (store_path_parse(store_dir_here(), text, &p, NULL))
		throw_error(EK_EVAL, "'%s' of 'fetchClosure' is '%s', which is no path of the store", name, text.p);
	return p;
}

static void read_arg(struct closure_args *a, const char *name, W w)
{
	if (!strcmp(name, "fromPath")) {
		a->from = take_path(name, w);
		a->has_from = 1;
	} else if (!strcmp(name, "toPath")) {
		a->to_unknown = w_is_str(w) && !w_get_str(w)->len;
		a->has_to = 1;
		if (!a->to_unknown)
			a->to = take_path(name, w);
	} else if (!strcmp(name, "fromStore")) {
		a->from_store = source_argument(w, what);
	} else if (!strcmp(name, "inputAddressed")) {
		a->input_addressed = want_bool(w, what);
	} else {
		throw_error(EK_EVAL, "'fetchClosure' has no argument '%s': it takes fromStore, fromPath, toPath and inputAddressed",
			    name);
	}
}

/* Files are for evaluations that may read any, and for Nix's own tests. */
static void check_store(const char *address)
{
	int is_file = !strncmp(address, "file://", 7);

	if (strncmp(address, "http://", 7) && strncmp(address, "https://", 8) &&
	    !(is_file && ((!eval_settings.pure && !eval_settings.restricted) || getenv("_NIX_IN_TEST"))))
		throw_error(EK_EVAL, "'fetchClosure' takes http:// and https:// for 'fromStore'%s, not '%s'",
			    eval_settings.pure || eval_settings.restricted ? "" : ", and file://", source_url_shown(address));
	if (strchr(address, '?'))
		throw_error(EK_EVAL, "'fromStore' of 'fetchClosure' must not have parameters ('?') as '%s' has",
			    source_url_shown(address));
}

static void read_args(struct closure_args *a, W set)
{
	struct attrs *v = attrs_of(set);
	const uint32_t *order = attrs_order(v);

	for (uint32_t k = 0; k < v->n; k++)
		read_arg(a, sym_name(v->sh->sym[order[k]])->b, force_at(&v->v[order[k]]));
	if (!a->has_from || !a->from_store)
		throw_error(EK_EVAL, "'fetchClosure' needs the argument '%s'", a->has_from ? "fromStore" : "fromPath");
	if (a->input_addressed && a->has_to)
		throw_error(EK_EVAL, "'fetchClosure' takes 'toPath' or 'inputAddressed = true', not both");
	check_store(a->from_store);
}

/* --- fetching --- */

static void note(void *user, const char *text)
{
	(void)user;
	eval_world()->message(text, strlen(text));
}

static struct cache_source cache_of(const struct closure_args *a)
{
	return (struct cache_source){ a->from_store, 1, note, NULL };
}

static int is_valid(struct store *s, const struct store_path *p)
{
	struct err e = ERR_INIT;
	int rc = store_add_temp_root(s, p, &e);

	rc = rc ? rc : store_is_valid(s, p, &e);
	if (rc < 0)
		throw_err(&e);
	return rc;
}

/* Whether the path follows from the contents. */
static int has_address(struct store *s, const struct store_path *p)
{
	struct path_info i = { 0 };
	struct err e = ERR_INIT;
	int rc = db_info(store_db(s), p, &i, &e), yes = !rc && i.ca && !store_check_address(s, &i, NULL);

	path_info_release(&i);
	if (rc)
		throw_err(&e);
	return yes;
}

static void rewrite(struct store *s, const struct closure_args *a)
{
	const struct cache_source from = cache_of(a);
	struct path_set paths = PATH_SET_INIT;
	struct readdressed r;
	struct store_path got = { 0 };
	struct err e = ERR_INIT;

	path_set_add(&paths, &a->from);
	int rc = readdress_from_cache(&from, s, &paths, &r, &e);
	if (!rc)
		got = *readdressed_path(&r, &a->from);
	readdressed_release(&r);
	path_set_release(&paths);
	if (rc)
		throw_err(&e);
	if (a->to_unknown)
		throw_error_hint(EK_EVAL, "give this as 'toPath'",
				 "rewriting '%s' to content-addressed form yielded '%s', and 'toPath' does not say it",
				 path_text(&a->from), path_text(&got));
	if (store_path_cmp(&got, &a->to))
		throw_error(EK_EVAL, "rewriting '%s' to content-addressed form yielded '%s', while '%s' was expected",
			    path_text(&a->from), path_text(&got), path_text(&a->to));
}

static const struct store_path *fetch_rewritten(struct store *s, const struct closure_args *a)
{
	if (a->to_unknown || !is_valid(s, &a->to))
		rewrite(s, a);
	if (!has_address(s, &a->to))
		throw_error_hint(EK_EVAL, "'toPath = \"\"' tells the right one",
				 "'toPath' of 'fetchClosure' is '%s', which is input-addressed, so nothing that was rewritten",
				 path_text(&a->to));
	return &a->to;
}

static const struct store_path *fetch_as_is(struct store *s, const struct closure_args *a)
{
	const struct cache_source from = cache_of(a);
	struct path_set paths = PATH_SET_INIT;
	struct copy_result r;
	struct err e = ERR_INIT;
	int rc = 0;

	if (!is_valid(s, &a->from)) {
		path_set_add(&paths, &a->from);
		rc = copy_from_cache(&from, s, &paths, &r, &e);
		path_set_release(&paths);
	}
	if (rc)
		throw_err(&e);
	int addressed = has_address(s, &a->from);
	if (!addressed && !a->input_addressed)
		throw_error_hint(EK_EVAL, "with 'toPath' it is rewritten; with 'inputAddressed = true' it is used as it is, and "
				 "needs a signature of a trusted key",
				 "The 'fromPath' value '%s' is input-addressed, but 'inputAddressed' is set to 'false' (default)",
				 path_text(&a->from));
	if (addressed && a->input_addressed)
		throw_error_hint(EK_EVAL, "leave 'inputAddressed' out",
				 "The store object referred to by 'fromPath' at '%s' is not input-addressed, but "
				 "'inputAddressed' is set to 'true'",
				 path_text(&a->from));
	return &a->from;
}

/* What was fetched may be read, and what it refers to.  The answer holds as long as it is there. */
static void allow(struct store *s, const struct store_path *p)
{
	struct path_set all = PATH_SET_INIT;
	struct err e = ERR_INIT;
	struct buf real = BUF_INIT;
	int rc = store_closure(s, p, 0, &all, &e);

	for (size_t k = 0; !rc && k < all.n; k++) {
		const char *text = path_text(&all.v[k]);
		fs_allow(text, strlen(text));
	}
	path_set_release(&all);
	if (rc)
		throw_err(&e);
	store_add_real_path(s, &real, p);
	trail_lstat(real.p);
	buf_release(&real);
}

static struct store *store_to_use(void)
{
	const struct store_ops *ops = store_ops_begin();
	struct err e = ERR_INIT;

	if (!ops)
		throw_error(EK_EVAL, "'fetchClosure' needs a store to put into what it fetches");
	struct store *s = ops->disk(ops->user, &e);
	if (!s)
		throw_err(&e);
	return s;
}

BUILTIN(bi_fetch_closure, "fetchClosure", "!args",
	"An object of the store with all it refers to, out of a binary cache: its path, as a string that depends on it. The "
	"attributes of *args*:\n\n"
	"- `fromStore`: the address of the cache, `https://…` or `http://…`.\n"
	"- `fromPath`: the path of the object there. When it follows from what the object holds (a content-addressed one), "
	"nothing else is needed, and nobody has to be trusted.\n"
	"- `toPath`: for any other path. What was fetched is rewritten so that all its paths follow from the contents, "
	"and this is the path that comes out. With `\"\"` the error says which that is, as `gx store make-content-addressed` "
	"does.\n"
	"- `inputAddressed`: if `true`, such an object is used as it is. It needs a signature of one of the "
	"`trusted-public-keys`.",
	"fetchClosure { fromStore = \"https://example.org\"; }", "error: 'fetchClosure' needs the argument 'fromPath'")
{
	struct closure_args a = { 0 };
	const struct store_path *p;

	read_args(&a, arg_attrs(args, 0));
	struct store *s = store_to_use();
	p = a.has_to ? fetch_rewritten(s, &a) : fetch_as_is(s, &a);
	allow(s, p);
	return path_string(p);
}

const struct builtin *const builtins_fetch_closure[] = { &def_bi_fetch_closure, NULL };
