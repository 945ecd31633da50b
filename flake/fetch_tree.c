/* SPDX-License-Identifier: MIT
 *
 * fetchTree and fetchGit: sources without a flake around them.
 *
 * Both make a reference of their argument and hand it to flake/source.h, so what they return is the sourceInfo of such
 * an input, and the same rule holds: pure evaluation takes only what is locked.
 */
#include "config.h"
#include "builtins/fs.h"
#include "eval/coerce.h"
#include "eval/eval.h"
#include "eval/show.h"
#include "fetch/url.h"
#include "flake/call.h"
#include "flake/ref.h"
#include "flake/source_int.h"

#include <string.h>

const char *source_argument(W w, const char *what)
{
	if (w_is_path(w))
		return w_path_text(w)->b;
	struct str *s = want_string_plain(w, what);
	if (strlen(s->b) != s->len)
		throw_error(EK_EVAL, "%s must not hold a NUL", what);
	return s->b;
}

static void add_attr(struct input *in, const char *name, W w)
{
	struct input_attr a = { .name = slice_of(name), .s = { "", 0 } };

	if (w_is_bool(w)) {
		a.type = INPUT_BOOL;
		a.i = w == W_TRUE;
		input_set(in, &a, flake_arena());
	} else if (w_is_int(w)) {
		if (w_get_int(w) < 0)
			throw_error(EK_EVAL, "the attribute '%s' must not be negative", name);
		source_set_int(in, name, (uint64_t)w_get_int(w));
	} else if (w_is_str(w) || w_is_path(w)) {
		source_set(in, name, source_argument(w, "an attribute of a source"));
	} else {
		throw_error(EK_EVAL, "the attribute '%s' is %s, but a string, a Boolean or an integer is needed", name,
			    show_type(w));
	}
}

static void read_set(struct input *in, W set)
{
	struct attrs *a = attrs_of(set);
	const uint32_t *order = attrs_order(a);

	for (uint32_t k = 0; k < a->n; k++) {
		const char *name = sym_name(a->sh->sym[order[k]])->b;
		W w = force_at(&a->v[order[k]]);
		if (w_type(w) == V_LIST && !strcmp(name, "publicKeys"))
			source_set_keys(in, w, 0);
		else if (w != W_NULL)
			add_attr(in, name, w);
	}
}

/* What an attribute is that is not given. */
static void set_default(struct input *in, const char *name)
{
	struct input_attr a = { .name = slice_of(name), .type = INPUT_BOOL, .s = { "", 0 }, .i = 1 };

	if (!input_get(in, name))
		input_set(in, &a, flake_arena());
}

static void check_given(const struct input *in, const char *builtin, const char *name)
{
	const struct input_attr *a = input_get(in, name);

	if (!a)
		throw_error(EK_EVAL, "'%s' needs the attribute '%s'", builtin, name);
	if (a->type != INPUT_STRING)
		throw_error(EK_EVAL, "'%s' needs a string as the attribute '%s'", builtin, name);
}

/* Of what only its hash is known, that one is here or there by chance. */
static void warn_unlocked(const struct input *in)
{
	struct buf b = BUF_GC;

	buf_addf(&b,
		 "warning: Input '%s' is unlocked: only its hash is known, and when something else is there, nobody can fetch it "
		 "again",
		 flake_ref_text(in));
	eval_world()->message(b.p, b.len);
}

void source_check_locked(const struct input *in, const char *builtin)
{
	int unlocked = eval_settings.pure && !input_is_locked(in);

	if (unlocked && !source_get(in, "narHash"))
		throw_error_hint(EK_DENIED, "name a revision or a narHash, or pass --impure",
				 "in pure evaluation mode, '%s' doesn't fetch unlocked input '%s'", builtin,
				 flake_ref_text(in));
	source_check_allowed(in);
	if (unlocked)
		warn_unlocked(in);
}

/* Each attribute stands where the call does. */
static W at_call(W info)
{
	struct attrs *a = attrs_of(info);
	struct attrs_builder b;

	attrs_builder_init(&b, a->n);
	for (uint32_t i = 0; i < a->n; i++)
		attrs_add(&b, a->sh->sym[i], call_pos(), a->v[i]);
	return attrs_finish(&b);
}

BUILTIN_FLAGS(bi_fetch_tree, BI_GLOBAL, "fetchTree", "!source",
	"The source that *source* names, a set with a `type` (`path`, `git`, `tarball`, `github`, `gitlab`, `gx`) or a flake "
	"reference as text: its store path `outPath`, its `narHash`, and what its type knows of it (`rev`, `lastModified`, …). "
	"Pure evaluation takes only what is locked by a revision or a hash, restricted evaluation only what it may read; both take "
	"`gx:std` without a hash, which is then the library of this gx, as builtins are its own.",
	"attrNames (fetchTree { type = \"path\"; path = ./.; })",
	"[ \"lastModified\" \"lastModifiedDate\" \"narHash\" \"outPath\" ]")
{
	struct input in = { 0 };
	W w = force_at(args);

	if (W_TAG(w) == TAG_ATTRS) {
		read_set(&in, w);
		check_given(&in, "fetchTree", "type");
		if (input_get(&in, "name") && input_where(&in) != INPUT_WITH_PROGRAM)
			throw_error_hint(EK_EVAL, "fetchGit, fetchTarball and fetchurl have one",
					 "the attribute 'name' is not for 'fetchTree': what it fetches is called 'source'");
		/* As Nix has it: who wants the number of commits says shallow = false. */
		if (!strcmp(source_get(&in, "type"), "git"))
			set_default(&in, "shallow");
	} else {
		flake_ref_parse_input(source_argument(w, "the source"), &in);
	}
	if (input_is_relative(&in))
		throw_error(EK_EVAL, "the source '%s' is a relative path", flake_ref_text(&in));
	source_check_locked(&in, "fetchTree");
	return at_call(source_info(source_fetch(&in), 0));
}

/* fetchGit always names a revision: of what has none, zeros. */
static W with_revision(W info)
{
	struct attrs_builder b;

	if (attrs_find_c(info, "rev"))
		return info;
	attrs_builder_init(&b, 3);
	attrs_add_c(&b, "rev", w_cstr("0000000000000000000000000000000000000000"));
	attrs_add_c(&b, "shortRev", w_cstr("0000000"));
	attrs_add_c(&b, "revCount", w_int(0));
	return attrs_update(info, attrs_finish(&b));
}

void source_use_address(struct input *in, const char *url)
{
	size_t colon = strcspn(url, ":/");
	struct buf b = BUF_GC;

	if (!*url || url[colon] == ':')
		return;
	buf_adds(&b, "file://");
	url_encode(&b, slice_of(w_get_path(fs_user_path(url, strlen(url)))->b), "/!$&'()*+,;=:@");
	source_set(in, "url", b.p);
}

BUILTIN_FLAGS(
	bi_fetch_git, BI_GLOBAL, "fetchGit", "!source",
	"A commit, or the working tree, of a git repository: *source* is its address, or a set with `url` and perhaps "
	"`rev`, `ref`, `shallow`, `submodules`, `name` (of the store path), as in "
	"`fetchGit { url = \"https://example.org/repo.git\"; ref = \"main\"; }`. Returns what `fetchTree` does. Pure "
	"evaluation needs `rev`, or takes a `narHash` with a warning. What `export-ignore` in .gitattributes leaves "
	"out is left out, unless `submodules` is true or `exportIgnore` false. With `lfs = true` the files that "
	".gitattributes gives `filter=lfs` are the large files that their pointers stand for, checked by hash and size. "
	"No example: there is no repository where the tests run.",
	"", "")
{
	struct input in = { 0 };
	W w = force_at(args);

	if (W_TAG(w) == TAG_ATTRS)
		read_set(&in, w);
	else
		source_set(&in, "url", source_argument(w, "the address"));
	check_given(&in, "fetchGit", "url");
	source_set(&in, "type", "git");
	source_use_address(&in, source_get(&in, "url"));
	source_check_locked(&in, "fetchGit");
	/* As Nix has it, here and nowhere else, and not together with submodules. */
	if (!source_is_set(&in, "submodules"))
		set_default(&in, "exportIgnore");
	return at_call(with_revision(source_info(source_fetch(&in), 0)));
}

const struct builtin *const builtins_fetch_tree[] = { &def_bi_fetch_tree, &def_bi_fetch_git, NULL };
