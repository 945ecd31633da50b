/* SPDX-License-Identifier: MIT
 *
 * <name> paths.  An entry "prefix=path" answers for names that begin with its prefix, an entry without prefix for
 * any name below its path; the first whose file exists wins.
 *
 * In $NIX_PATH entries are separated by colons, and yet an entry may be a URL: a colon after a known scheme belongs
 * to it.  What is at a URL, in a channel or in a flake is fetched when a name is looked up there, by the builtins that fetch; what
 * cannot be had is left out, and said.
 */
#include "config.h"
#include "builtins/fs_int.h"
#include "base/buf.h"
#include "base/mem.h"
#include "eval/coerce.h"
#include "eval/context.h"
#include "eval/eval.h"

#include <string.h>

/* --- the list --- */

static int starts(const char *p, size_t n, const char *with)
{
	size_t k = strlen(with);

	return n >= k && !memcmp(p, with, k);
}

/* An entry that is fetched, not looked up. */
static int is_url(const char *p, size_t n)
{
	static const char *const schemes[] = { "http", "https", "file", "channel", "git", "s3", "ssh" };

	if (starts(p, n, "channel:"))
		return 1;
	const char *sep = memmem(p, n, "://", 3);
	for (size_t i = 0; sep && i < sizeof schemes / sizeof *schemes; i++)
		if (strlen(schemes[i]) == (size_t)(sep - p) && !memcmp(p, schemes[i], (size_t)(sep - p)))
			return 1;
	return 0;
}

void fs_search_path_add(const char *entry, size_t n)
{
	struct fs *fs = fs_state();
	char *p = mem_bytes(mem_size(1, n, 1));

	memcpy(p, entry, n);
	p[n] = 0;
	MEM_GROW(fs->search, fs->nsearch + 1, fs->search_cap);
	const char *eq = memchr(p, '=', n);
	size_t prefix = eq ? (size_t)(eq - p) : 0, path = eq ? prefix + 1 : 0;
	/* The path has its own block: a pointer into the middle of one does not keep it alive. */
	char *rest = mem_bytes(n - path + 1);
	memcpy(rest, p + path, n - path + 1);
	fs->search[fs->nsearch++] = (struct fs_search_entry){ p, rest, prefix, n - path };
}

void fs_search_path_add_all(const char *entries)
{
	const char *p = entries, *end = p + strlen(p);

	while (p < end) {
		const char *colon = memchr(p, ':', (size_t)(end - p)), *stop = colon ? colon : end;
		const char *eq = memchr(p, '=', (size_t)(stop - p)), *value = eq ? eq + 1 : p;
		size_t left = (size_t)(end - value);
		if (colon && (is_url(value, left) || starts(value, left, "flake:"))) {
			stop = memchr(colon + 1, ':', (size_t)(end - colon - 1));
			stop = stop ? stop : end;
		}
		if (stop > p)
			fs_search_path_add(p, (size_t)(stop - p));
		p = stop + 1;
	}
}

const struct fs_search_entry *fs_search_path(size_t *n)
{
	struct fs *fs = fs_state();

	*n = eval_settings.pure ? 0 : fs->nsearch;
	return fs->search;
}

/* --- looking up --- */

static void warn(const struct fs_search_entry *e, const char *what, const char *why)
{
	struct buf b = BUF_GC;

	buf_addf(&b, "warning: search path entry '%.*s' %s, ignoring%s%s", (int)e->path_len, e->path, what, *why ? ": " : "", why);
	eval_world()->message(b.p, b.len);
}

/* --- entries that are fetched --- */

int fs_search_path_is_fetched(const struct fs_search_entry *e)
{
	return is_url(e->path, e->path_len) || starts(e->path, e->path_len, "flake:");
}

struct fetching {
	const struct fs_search_entry *e;
	int restricted;
	W dir;
};

/* "flake:REF" is the tree of a flake, an address what is in the archive there; the builtins know how. */
static void fetch(void *arg)
{
	struct fetching *f = arg;
	const struct fs_search_entry *e = f->e;
	int flake = starts(e->path, e->path_len, "flake:");
	/* A name alone is one of the registry, for which "flake:" is the scheme. */
	size_t skip = flake && memchr(e->path + 6, ':', e->path_len - 6) ? 6 : 0;
	W fn = eval_builtin(flake ? "fetchTree" : "fetchTarball");

	if (fn == W_ABSENT)
		throw_error(EK_EVAL, "nothing can be fetched here");
	f->dir = coerce_path(call1(fn, w_str(e->path + skip, e->path_len - skip, 0)), &(uint32_t){ 0 });
}

/* What the session's own search path names may be fetched in restricted evaluation, as its folders may be read. */
static int is_own(const struct fs_search_entry *e)
{
	struct fs *fs = fs_state();

	for (size_t i = 0; i < fs->nsearch; i++)
		if (fs->search[i].path_len == e->path_len && !memcmp(fs->search[i].path, e->path, e->path_len))
			return 1;
	return 0;
}

static void restrict_again(void *arg)
{
	eval_settings.restricted = ((struct fetching *)arg)->restricted;
}

/* Fetched once an evaluation, also when it cannot be had. */
static W fetched(const struct fs_search_entry *e)
{
	struct fs *fs = fs_state();
	struct fetching f = { e, eval_settings.restricted, W_ABSENT };
	uint64_t *known = strmap_get(&fs->fetched, e->path, e->path_len);
	struct failure why;

	if (known)
		return *known;
	if (is_own(e))
		eval_settings.restricted = 0;
	protect_push(restrict_again, &f);
	int ok = unwind_run(fetch, &f, &why, TRACE_NONE);
	protect_pop(1);
	if (!ok && (why.kind == EK_INTERRUPT || why.kind == EK_DENIED))
		unwind_rethrow(&why);
	if (!ok)
		warn(e, "cannot be fetched", w_get_str(why.msg)->b);
	else if (fs_guarded())
		fs_allow(w_get_path(f.dir)->b, w_get_path(f.dir)->h.n);
	*strmap_put(&fs->fetched, e->path, e->path_len, NULL) = f.dir;
	return f.dir;
}

W fs_fetch_place(const char *text, size_t n)
{
	const struct fs_search_entry e = { "", text, 0, n };
	struct fetching f = { &e, eval_settings.restricted, W_ABSENT };

	if (!fs_search_path_is_fetched(&e))
		return W_ABSENT;
	/* Whoever names it on the command line may. */
	eval_settings.restricted = 0;
	protect_push(restrict_again, &f);
	fetch(&f);
	protect_pop(1);
	if (fs_guarded())
		fs_allow(w_get_path(f.dir)->b, w_get_path(f.dir)->h.n);
	return f.dir;
}

/* --- finding --- */

/* The directory an entry stands for; W_ABSENT when it does not exist. */
static W entry_dir(const struct fs_search_entry *e)
{
	if (fs_search_path_is_fetched(e))
		return fetched(e);
	W dir = fs_user_path(e->path, e->path_len);
	enum fs_kind k = fs_stat(dir);
	if (k >= FS_REGULAR)
		return dir;
	if (k == FS_DENIED)
		fs_throw(k, dir);
	int is_new;
	strmap_put(&fs_state()->warned, e->path, e->path_len, &is_new);
	if (is_new)
		warn(e, "does not exist", "");
	return W_ABSENT;
}

/* The rest of `name` after the entry's prefix; NULL when the prefix does not match whole components. */
static const char *rest_of(const struct fs_search_entry *e, const char *name, size_t n)
{
	size_t k = e->prefix_len;

	if (n < k || memcmp(name, e->prefix, k) || (k && n > k && name[k] != '/'))
		return NULL;
	return name + k + (k && n > k);
}

static W found_in(const struct fs_search_entry *e, const char *name, size_t n)
{
	const char *rest = rest_of(e, name, n);
	W dir = rest ? entry_dir(e) : W_ABSENT;

	if (dir == W_ABSENT)
		return W_ABSENT;
	/* On its own first: '..' does not lead out of dir. */
	W below = fs_join(w_path("/", 1), rest, (size_t)(name + n - rest));
	W path = fs_join(dir, w_get_path(below)->b, w_get_path(below)->h.n);
	enum fs_kind k = fs_stat(path);
	if (k == FS_DENIED)
		fs_throw(k, path);
	return k >= FS_REGULAR ? fs_resolve(path) : W_ABSENT;
}

/* Nothing stands in for nixpkgs by itself: under its name another set of packages would be taken for it. */
static const char *near_entry(const char *name, size_t n)
{
	if (!starts(name, n, "nixpkgs") || (n > 7 && name[7] != '/'))
		return NULL;
	return "-I nixpkgs=FOLDER names one that is here, -I nixpkgs=channel:nixos-unstable or an address one that is fetched, "
	       "-I nixpkgs=flake:gx:std the library of gx";
}

W fs_find_file(const struct fs_search_entry *e, size_t n, const char *name, size_t name_len)
{
	for (size_t i = 0; i < n; i++) {
		W path = found_in(&e[i], name, name_len);
		if (path != W_ABSENT)
			return path;
	}
	if (starts(name, name_len, "nix/")) {
		W path = fs_join(w_path(FS_PROVIDED_DIR, strlen(FS_PROVIDED_DIR)), name + 4, name_len - 4);
		if (fs_provided(path))
			return path;
	}
	if (eval_settings.pure)
		throw_error(EK_THROW, "cannot look up '<%.*s>' in pure evaluation mode (use '--impure' to override)",
			    (int)name_len, name);
	throw_error_hint(EK_THROW, near_entry(name, name_len),
			 "file '%.*s' was not found in the Nix search path (add it using $NIX_PATH or -I)", (int)name_len, name);
}

/* --- builtins --- */

/* One element of findFile's list.  keep[0..1] receive the strings it points into, ctx the context of its path. */
static struct fs_search_entry read_entry(W w, W *keep, struct ctx_acc *ctx)
{
	struct fs_search_entry e = { .prefix = "" };

	w = want_attrs(w, "an element of the list passed to 'findFile'");
	W *prefix = attrs_find(w, SYM_PREFIX);
	if (prefix) {
		struct str *s = want_string_plain(*prefix, "the 'prefix' of an element of the list passed to 'findFile'");
		keep[0] = w_tag(s, TAG_STR);
		e.prefix = s->b;
		e.prefix_len = s->len;
	}
	struct str *path = w_get_str(coerce_string(want_attr(w, "path", "an element of the list passed to 'findFile'"), 0));
	keep[1] = w_tag(path, TAG_STR);
	ctx_acc_add(ctx, path->ctx);
	e.path = path->b;
	e.path_len = path->len;
	return e;
}

BUILTIN(bi_find_file, "findFile", "!search-path name",
	"Looks *name* up in *search-path*, a list of sets with a `path` and perhaps a `prefix`, and returns the first path "
	"that exists. `<a/b>` means `findFile nixPath \"a/b\"`. An element with prefix `a` answers for `a` and for names "
	"below it; one without prefix for every name. A name that is not found is an error that `tryEval` catches.",
	"findFile [ { prefix = \"root\"; path = \"/\"; } ] \"root\"", "/")
{
	struct list *l = list_of(arg_list(args, 0));
	struct fs_search_entry *e = mem_new(mem_size(l->n, sizeof *e, 1));
	W *keep = mem_new(mem_size(l->n, 2 * sizeof *keep, 1));
	struct ctx_acc ctx = { 0 };

	for (uint32_t i = 0; i < l->n; i++)
		e[i] = read_entry(l->e[i], keep + 2 * (size_t)i, &ctx);
	struct str *name = arg_string_plain(args, 1);
	fs_realise_context(ctx_acc_finish(&ctx));
	return fs_find_file(e, l->n, name->b, name->len);
}

BUILTIN_FLAGS(
	bi_nix_path, BI_VALUE, "nixPath", "",
	"The search path that `<name>` is looked up in, as a list for `findFile`: the entries given with `-I`, then those of the "
	"environment variable `NIX_PATH`. Empty in pure evaluation.",
	"isList nixPath", "true")
{
	size_t n;
	const struct fs_search_entry *e = fs_search_path(&n);
	struct list *l = list_new(n);

	(void)args;
	for (size_t i = 0; i < n; i++) {
		struct attrs_builder b;
		attrs_builder_init(&b, 2);
		attrs_add(&b, SYM_PATH, 0, w_str(e[i].path, e[i].path_len, 0));
		attrs_add(&b, SYM_PREFIX, 0, w_str(e[i].prefix, e[i].prefix_len, 0));
		l->e[i] = attrs_finish(&b);
	}
	return w_list(l);
}

const struct builtin *const builtins_search_path[] = { &def_bi_find_file, &def_bi_nix_path, NULL };
