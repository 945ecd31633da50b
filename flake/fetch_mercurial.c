/* SPDX-License-Identifier: MIT
 *
 * fetchMercurial: a reference of type hg, in the words of an older Nix.
 */
#include "config.h"
#include "eval/eval.h"
#include "flake/call.h"
#include "flake/source_int.h"

#include <string.h>

/* What is called a revision may be a branch or tag. */
static void set_revision(struct input *in, const char *rev)
{
	source_set(in, strlen(rev) == 40 && strspn(rev, "0123456789abcdef") == 40 ? "rev" : "ref", rev);
}

static void read_set(struct input *in, W set)
{
	struct attrs *a = attrs_of(set);
	const uint32_t *order = attrs_order(a);

	for (uint32_t k = 0; k < a->n; k++) {
		const char *name = sym_name(a->sh->sym[order[k]])->b;
		W w = force_at(&a->v[order[k]]);
		if (!strcmp(name, "rev"))
			set_revision(in, source_argument(w, "an argument of 'fetchMercurial'"));
		else if (!strcmp(name, "url") || !strcmp(name, "name"))
			source_set(in, name, source_argument(w, "an argument of 'fetchMercurial'"));
		else
			throw_error(EK_EVAL, "'fetchMercurial' has no argument '%s': it takes url, rev and name", name);
	}
	if (!input_get(in, "url"))
		throw_error(EK_EVAL, "'fetchMercurial' needs the argument 'url'");
}

static W result(const struct flake_tree *t)
{
	static const char none[] = "0000000000000000000000000000000000000000";
	const struct input_attr *count = input_get(&t->locked, "revCount");
	const char *rev = source_get(&t->locked, "rev"), *branch = source_get(&t->locked, "ref");
	struct attrs_builder b;

	attrs_builder_init(&b, 5);
	attrs_add_c(&b, "outPath", source_out_path(t));
	attrs_add_c(&b, "branch", w_cstr(branch ? branch : "default"));
	attrs_add_c(&b, "rev", w_cstr(rev ? rev : none));
	attrs_add_c(&b, "shortRev", w_str(rev ? rev : none, 12, 0));
	if (count)
		attrs_add_c(&b, "revCount", w_int((int64_t)count->i));
	return attrs_finish(&b);
}

BUILTIN_FLAGS(
	bi_fetch_mercurial, BI_GLOBAL, "fetchMercurial", "!source",
	      "A commit, or the working tree, of a Mercurial repository: *source* is its address, or a set with `url` and "
	      "perhaps `rev` (a revision, branch or tag) and `name` (of the store path). Needs the program `hg`. Returns "
	      "`outPath`, `branch`, `rev`, `shortRev`, and of a commit `revCount`. Pure evaluation needs a revision.",
	"fetchMercurial { rev = \"default\"; }", "error: 'fetchMercurial' needs the argument 'url'")
{
	struct input in = { 0 };

	source_set(&in, "type", "hg");
	if (W_TAG(args[0]) == TAG_ATTRS)
		read_set(&in, args[0]);
	else
		source_set(&in, "url", source_argument(args[0], "an argument of 'fetchMercurial'"));
	source_use_address(&in, source_get(&in, "url"));
	source_check_locked(&in, "fetchMercurial");
	return result(source_fetch(&in));
}

const struct builtin *const builtins_fetch_mercurial[] = { &def_bi_fetch_mercurial, NULL };
