/* SPDX-License-Identifier: MIT
 *
 * fetchurl and fetchTarball: one file, or the tree in an archive, as a store path.
 *
 * With a hash what is in the store is taken, whatever the address says now.  Without one, which pure evaluation refuses, an
 * address is asked as often as inputs are (flake/source_url.h), and once an evaluation.
 */
#include "config.h"
#include "base/mem.h"
#include "eval/eval.h"
#include "fetch/url.h"
#include "flake/call.h"
#include "flake/kept.h"
#include "fetch/trail.h"
#include "flake/source_int.h"
#include "flake/source_url.h"
#include "format/nar.h"

#include <fcntl.h>
#include <string.h>

struct fetch_args {
	const char *builtin, *url, *name;
	int has_hash;
	struct hash hash;
	enum url_kind kind;
};

/* --- the argument --- */

static const char *text_of(W w, const char *what)
{
	struct str *s = want_string_plain(w, what);

	if (strlen(s->b) != s->len)
		throw_error(EK_EVAL, "%s must not hold a NUL", what);
	return arena_dup(flake_arena(), s->b, s->len);
}

static void read_hash(struct fetch_args *a, const char *name, W w)
{
	int sri = !strcmp(name, "hash");
	const char *text = text_of(w, "the hash");
	struct err e = ERR_INIT;

	if (a->has_hash)
		throw_error(EK_EVAL, "'%s' takes one hash, not both 'sha256' and 'hash'", a->builtin);
	if (hash_parse_or_empty(text, strlen(text), sri && *text && a->kind == URL_FILE ? HASH_ANY : HASH_SHA256, &a->hash, NULL,
				&e))
		throw_err(&e);
	a->has_hash = 1;
}

static void read_attr(struct fetch_args *a, const char *name, W w)
{
	if (!strcmp(name, "url"))
		a->url = text_of(w, "the address");
	else if (!strcmp(name, "name"))
		a->name = text_of(w, "the name");
	else if (!strcmp(name, "sha256") || !strcmp(name, "hash"))
		read_hash(a, name, w);
	else
		throw_error(EK_EVAL, "'%s' has no argument '%s': it takes url, name, sha256 and hash", a->builtin, name);
}

/* "channel:NAME" is where that channel's expressions are; an absolute path is a file here. */
static const char *whole_url(const char *url)
{
	struct buf b = BUF_GC;

	if (!strncmp(url, "channel:", 8)) {
		buf_adds(&b, "https://channels.nixos.org/");
		url_encode(&b, slice_of(url + 8), "");
		buf_adds(&b, "/nixexprs.tar.xz");
	} else if (*url == '/') {
		buf_adds(&b, "file://");
		url_encode(&b, slice_of(url), "/!$&'()*+,;=:@");
	} else {
		return url;
	}
	return b.p;
}

static void read_argument(struct fetch_args *a, W w)
{
	w = force(w);
	if (W_TAG(w) == TAG_ATTRS) {
		struct attrs *set = attrs_of(w);
		const uint32_t *order = attrs_order(set);
		for (uint32_t k = 0; k < set->n; k++)
			read_attr(a, sym_name(set->sh->sym[order[k]])->b, force_at(&set->v[order[k]]));
		if (!a->url)
			throw_error(EK_EVAL, "'%s' needs the argument 'url'", a->builtin);
	} else {
		a->url = text_of(w, "the address");
	}
	a->url = whole_url(a->url);
	if (!a->name) {
		const char *slash = strrchr(a->url, '/');
		a->name = a->kind == URL_TARBALL ? "source" : slash ? slash + 1 : a->url;
	}
}

/* --- fetching --- */

static void check_allowed(const struct fetch_args *a)
{
	struct input in = { 0 };

	if (eval_settings.pure && !a->has_hash)
		throw_error_hint(EK_DENIED, "give its 'sha256', or pass --impure",
				 "in pure evaluation, '%s' takes only what has a hash, which '%s' has not", a->builtin,
				 source_url_shown(a->url));
	source_set(&in, "type", a->kind == URL_TARBALL ? "tarball" : "file");
	source_set(&in, "url", a->url);
	source_check_allowed(&in);
}

/* What is remembered of a file by the hash of its bytes: the hash of its archive, by which it is kept. */
static struct slice flat_key(const struct hash *flat)
{
	struct buf b = BUF_GC;

	buf_adds(&b, "flat ");
	hash_add(&b, flat, HASH_SRI, 1);
	return (struct slice){ b.p, b.len };
}

static const char *find_flat(const struct hash *flat)
{
	struct hash nar;

	return kept_find_noted(flat_key(flat), &nar);
}

/* The hash that counts of what lies at place. */
static void hash_place(const struct fetch_args *a, const struct at_url *u, struct hash *out)
{
	enum hash_algo algo = a->has_hash ? a->hash.algo : HASH_SHA256;
	struct err e = ERR_INIT;
	uint64_t size;

	*out = u->hash;
	if (a->kind == URL_TARBALL)
		return;
	if (nar_hash_file_flat(algo, AT_FDCWD, u->place, out, &size, &e))
		throw_err(&e);
	kept_note_hash(flat_key(out), &u->hash);
}

static void check_hash(const struct fetch_args *a, const struct hash *got)
{
	char want_text[HASH_TEXT_MAX], got_text[HASH_TEXT_MAX];

	if (!a->has_hash || hash_eq(&a->hash, got))
		return;
	hash_print(&a->hash, HASH_SRI, 1, want_text);
	hash_print(got, HASH_SRI, 1, got_text);
	throw_error(EK_HASH, "what is at '%s' does not have the hash that was given: wanted %s, got %s", source_url_shown(a->url),
		    want_text, got_text);
}

static void bring(const struct fetch_args *a, struct flake_tree *t)
{
	struct url_request r = { a->url, a->kind, a->has_hash && a->kind == URL_TARBALL ? &a->hash : NULL, NULL, 0 };
	struct at_url u;

	t->place = !a->has_hash ? NULL : a->kind == URL_TARBALL ? kept_find(&a->hash) : find_flat(&a->hash);
	if (t->place) {
		t->hash = a->hash;
		return;
	}
	source_url_bring(&r, &u);
	hash_place(a, &u, &t->hash);
	check_hash(a, &t->hash);
	t->place = u.place;
}

/* What could not be fetched may be there the next time. */
static void on_failure(void *arg)
{
	(void)arg;
	trail_spoil("what it fetches could not be fetched");
}

static void bring_or_forget(const struct fetch_args *a, struct flake_tree *t)
{
	protect_push(on_failure, NULL);
	bring(a, t);
	protect_pop(0);
}

static W fetched(struct fetch_args *a, W arg)
{
	struct buf key = BUF_GC;

	read_argument(a, arg);
	check_allowed(a);
	buf_addf(&key, "%s %s %s ", a->builtin, a->name, a->url);
	if (a->has_hash)
		hash_add(&key, &a->hash, HASH_SRI, 1);
	const struct flake_tree *known = source_known(key.p);
	if (known)
		return source_out_path(known);
	struct flake_tree *t = source_new(a->name);
	t->method = a->kind == URL_TARBALL ? CA_NAR : CA_FLAT;
	if (!a->has_hash || !source_find_valid(t, &a->hash))
		bring_or_forget(a, t);
	if (!a->has_hash)
		trail_spoil("it fetched without a hash");
	else
		trail_fixed(t->place);
	source_mount(t);
	source_know(key.p, t);
	return source_out_path(t);
}

BUILTIN(bi_fetchurl, "fetchurl", "!source",
	"The file that is at an address, as a store path. *source* is the address, or a set with `url` and perhaps its hash "
	"(`sha256`, or `hash` as SRI) and the `name` of the store path, which is otherwise what stands behind the last slash. "
	"Pure evaluation needs the hash, and a file with another is an error. Without one, what an address gave is asked for "
	"again after `tarball-ttl` seconds.",
	"fetchurl { url = \"https://example.org/\"; colour = \"red\"; }",
	"error: 'fetchurl' has no argument 'colour': it takes url, name, sha256 and hash")
{
	return fetched(&(struct fetch_args){ .builtin = "fetchurl", .kind = URL_FILE }, args[0]);
}

BUILTIN_FLAGS(bi_fetch_tarball, BI_GLOBAL, "fetchTarball", "!source",
	      "The tree in the archive that is at an address, as a store path: of an archive with one folder at its top that "
	      "folder. *source* is the address (`channel:NAME` is that channel's), or a set with `url` and perhaps its hash "
	      "(`sha256`, of the unpacked tree) and the `name` of the store path, otherwise `source`. Pure evaluation needs the "
	      "hash. Tar and zip, packed by gzip, xz, bzip2 or zstd.",
	      "fetchTarball { name = \"x\"; }", "error: 'fetchTarball' needs the argument 'url'")
{
	return fetched(&(struct fetch_args){ .builtin = "fetchTarball", .kind = URL_TARBALL }, args[0]);
}

const struct builtin *const builtins_fetch_url[] = { &def_bi_fetchurl, &def_bi_fetch_tarball, NULL };
