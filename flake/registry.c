/* SPDX-License-Identifier: MIT
 *
 * Registries.
 *
 *   { "flakes": [ { "exact": true?, "from": ATTRS, "to": ATTRS }, … ], "version": 2 }
 *
 * A `from` without branch and revision answers for references that name one: they are carried over.  Files are read when
 * the first name is asked for, and once.
 */
#include "config.h"
#include "flake/registry.h"
#include "fetch/trail.h"
#include "base/fdio.h"
#include "base/json.h"
#include "base/json_tree.h"
#include "base/limits.h"
#include "base/pathname.h"
#include "builtins/fs.h"
#include "eval/error.h"
#include "flake/ref.h"
#include "flake/source_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct registry_settings registry_settings = { .use = 1 };

static struct {
	struct registry_list of[REGISTRY_GLOBAL + 1];
	int read[REGISTRY_GLOBAL + 1];
} of_session;

const struct session_part flake_registry_session[] = { { &of_session, sizeof of_session, NULL }, { 0 } };

/* Names that everybody uses, and what they mean to everybody. */
static const struct known {
	const char *name, *means;
} well_known[] = {
	{ "agenix", "github:ryantm/agenix" },
	{ "crane", "github:ipetkov/crane" },
	{ "deploy-rs", "github:serokell/deploy-rs" },
	{ "devenv", "github:cachix/devenv" },
	{ "devshell", "github:numtide/devshell" },
	{ "disko", "github:nix-community/disko" },
	{ "emacs-overlay", "github:nix-community/emacs-overlay" },
	{ "fenix", "github:nix-community/fenix" },
	{ "flake-compat", "github:edolstra/flake-compat" },
	{ "flake-parts", "github:hercules-ci/flake-parts" },
	{ "flake-utils", "github:numtide/flake-utils" },
	{ "gomod2nix", "github:nix-community/gomod2nix" },
	{ "hercules-ci-effects", "github:hercules-ci/hercules-ci-effects" },
	{ "home-manager", "github:nix-community/home-manager" },
	{ "hydra", "github:NixOS/hydra" },
	{ "naersk", "github:nix-community/naersk" },
	{ "nix", "github:NixOS/nix" },
	{ "nix-darwin", "github:nix-darwin/nix-darwin" },
	{ "nixops", "github:NixOS/nixops" },
	{ "nixos-hardware", "github:NixOS/nixos-hardware" },
	{ "nixos-search", "github:NixOS/nixos-search" },
	{ "nixpkgs", "github:NixOS/nixpkgs/nixpkgs-unstable" },
	{ "nur", "github:nix-community/NUR" },
	{ "patchelf", "github:NixOS/patchelf" },
	{ "poetry2nix", "github:nix-community/poetry2nix" },
	{ "rust-overlay", "github:oxalica/rust-overlay" },
	{ "sops-nix", "github:Mic92/sops-nix" },
	{ "systems", "github:nix-systems/default" },
	{ "templates", "github:NixOS/templates" },
	{ "treefmt-nix", "github:numtide/treefmt-nix" },
};

/* --- entries --- */

void registry_add(struct registry_list *r, const struct registry_entry *e)
{
	ARENA_GROW(flake_arena(), r->v, r->n + 1, r->cap);
	r->v[r->n++] = *e;
}

size_t registry_remove(struct registry_list *r, const struct input *from)
{
	size_t kept = 0, n = r->n;

	for (size_t i = 0; i < n; i++)
		if (!flake_ref_same(&r->v[i].from, from))
			r->v[kept++] = r->v[i];
	r->n = kept;
	return n - kept;
}

void registry_override(const struct input *from, const struct input *to)
{
	registry_add(&of_session.of[REGISTRY_FLAGS], &(struct registry_entry){ *from, *to, 0 });
}

static void add_name(struct registry_list *r, const char *name, const char *means)
{
	struct registry_entry entry = { .exact = 0 };

	flake_ref_parse_input(name, &entry.from);
	flake_ref_parse_input(means, &entry.to);
	registry_add(r, &entry);
}

/* --- reading --- */

static __attribute__((noreturn, cold)) void bad(const char *path, const char *what)
{
	throw_error(EK_EVAL, "the registry '%s' is not valid: %s", path, what);
}

static void read_attrs(const char *path, const struct jnode *o, struct input *out)
{
	if (!o || o->kind != JSON_OBJECT)
		bad(path, "an entry lacks 'from' or 'to'");
	for (const struct jnode *m = o->first; m; m = m->next) {
		struct input_attr a = { .name = m->key, .s = { "", 0 } };
		if (m->kind == JSON_STRING) {
			a.type = INPUT_STRING;
			a.s = m->str;
		} else if (m->kind == JSON_INT && m->i >= 0) {
			a.type = INPUT_INT;
			a.i = (uint64_t)m->i;
		} else if (m->kind == JSON_TRUE || m->kind == JSON_FALSE) {
			a.type = INPUT_BOOL;
			a.i = m->kind == JSON_TRUE;
		} else {
			bad(path, "an attribute is neither a string nor a number nor a Boolean");
		}
		input_set(out, &a, flake_arena());
	}
	source_text(out);
}

/* A relative path starts where the registry lies. */
static void make_absolute(const char *path, struct input *to)
{
	struct buf b = BUF_GC;

	if (!input_is_relative(to))
		return;
	buf_addf(&b, "%.*s/%s", (int)path_dir_len(path, strlen(path)), path, source_get(to, "path"));
	buf_trim(&b, path_normalise(b.p, b.len, b.p));
	source_set(to, "path", b.p);
}

static void read_entry(const char *path, const struct jnode *o, struct registry_list *out)
{
	const struct jnode *exact = json_member(o, SLICE("exact"));
	struct registry_entry e = { .exact = exact && exact->kind == JSON_TRUE };

	read_attrs(path, json_member(o, SLICE("from")), &e.from);
	read_attrs(path, json_member(o, SLICE("to")), &e.to);
	make_absolute(path, &e.to);
	registry_add(out, &e);
}

static void read_text(const char *path, struct slice text, struct registry_list *out)
{
	struct err e = ERR_INIT;
	struct jnode *doc;

	if (json_tree_parse(flake_arena(), text, &doc, &e)) {
		err_prefix(&e, "the registry '%s' is not valid", path);
		throw_err(&e);
	}
	const struct jnode *version = json_member(doc, SLICE("version")), *flakes = json_member(doc, SLICE("flakes"));
	if (!version || version->kind != JSON_INT || version->i != 2)
		bad(path, "its version is not 2");
	if (!flakes || flakes->kind != JSON_ARRAY)
		bad(path, "it has no list 'flakes'");
	for (const struct jnode *o = flakes->first; o; o = o->next)
		read_entry(path, o, out);
}

/* All of a file, in the flake arena; 0 when there is none. */
static int read_whole(const char *path, struct slice *text)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct buf b = BUF_INIT;
	struct stat st;

	int error = errno;

	if (fd < 0)
		trail_lstat(path);
	if (fd < 0 && error == ENOENT)
		return 0;
	int bad_file = fd < 0 || fstat(fd, &st);
	int too_large = !bad_file && st.st_size > LIMIT_REGISTRY_FILE;
	int rc = bad_file || too_large ? -1 : fd_read_all(fd, &b);
	error = rc && fd >= 0 ? errno : error;
	if (!rc)
		trail_file(path, &st, buf_str(&b), b.len);
	*text = (struct slice){ arena_dup(flake_arena(), buf_str(&b), b.len), b.len };
	buf_release(&b);
	if (fd >= 0)
		close(fd);
	if (too_large)
		bad(path, "it is too large");
	if (rc)
		throw_error(EK_IO, "cannot read the registry '%s': %s", path, strerror(error));
	return 1;
}

void registry_read(const char *path, struct registry_list *out)
{
	struct slice text;

	if (read_whole(path, &text))
		read_text(path, text, out);
}

/* --- writing --- */

static void add_text(struct buf *b, struct slice s)
{
	if (json_add_string(b, s.p, s.n))
		throw_error(EK_EVAL, "the registry cannot be written: '%.*s' is not valid UTF-8", (int)s.n, s.p);
}

static void add_attrs(struct buf *b, const char *name, const struct input *in)
{
	buf_addf(b, "      \"%s\": {", name);
	for (size_t i = 0; i < in->n; i++) {
		const struct input_attr *a = &in->a[i];
		buf_adds(b, i ? ",\n        " : "\n        ");
		add_text(b, a->name);
		buf_adds(b, ": ");
		if (a->type == INPUT_STRING)
			add_text(b, a->s);
		else if (a->type == INPUT_INT)
			buf_addf(b, "%llu", (unsigned long long)a->i);
		else
			buf_adds(b, a->i ? "true" : "false");
	}
	buf_adds(b, "\n      }");
}

static void add_registry(struct buf *b, const struct registry_list *r)
{
	buf_adds(b, "{\n  \"flakes\": [");
	for (size_t i = 0; i < r->n; i++) {
		buf_adds(b, i ? ",\n    {\n" : "\n    {\n");
		if (r->v[i].exact)
			buf_adds(b, "      \"exact\": true,\n");
		add_attrs(b, "from", &r->v[i].from);
		buf_adds(b, ",\n");
		add_attrs(b, "to", &r->v[i].to);
		buf_adds(b, "\n    }");
	}
	buf_adds(b, r->n ? "\n  ],\n  \"version\": 2\n}\n" : "],\n  \"version\": 2\n}\n");
}

void registry_write(const char *path, const struct registry_list *r)
{
	struct buf b = BUF_GC, dir = BUF_GC;

	add_registry(&b, r);
	buf_addf(&dir, "%.*s", (int)path_dir_len(path, strlen(path)), path);
	if (dir.len && make_folders(dir.p, 0777))
		throw_error(EK_IO, "cannot make the folder '%s': %s", dir.p, strerror(errno));
	if (file_replace(path, b.p, b.len, 0666))
		throw_error(EK_IO, "cannot write the registry '%s': %s", path, strerror(errno));
}

/* --- where they are --- */

/* A file of the user's configuration, collected; NULL when the environment does not say where that is. */
static const char *user_file(const char *name)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	struct buf b = BUF_GC;

	if (config && *config == '/')
		buf_addf(&b, "%s/%s", config, name);
	else if (home && *home == '/')
		buf_addf(&b, "%s/.config/%s", home, name);
	return b.p;
}

const char *registry_user_file(void)
{
	const char *path = user_file(registry_settings.of_nix ? "nix/registry.json" : "gx/registry.json");

	if (!path)
		throw_error(EK_IO, "there is no place for the user's registry: HOME is not set");
	return path;
}

static void read_user(struct registry_list *out)
{
	const char *own = user_file("gx/registry.json"), *nix = user_file("nix/registry.json");

	if (own) {
		registry_read(own, out);
		registry_read(nix, out);
	}
}

static void read_system(struct registry_list *out)
{
	const char *nix = getenv("NIX_CONF_DIR");
	struct buf b = BUF_GC;

	buf_addf(&b, "%s/registry.json", nix && *nix == '/' ? nix : "/etc/nix");
	registry_read("/etc/gx/registry.json", out);
	registry_read(b.p, out);
}

/* A file that has an address: what it said last counts when it has gone, as of one elsewhere that cannot be reached. */
static void read_addressed(const char *url, const char *path, struct registry_list *out)
{
	const char *before = source_url_noted_once("registry", url);
	struct buf why = BUF_GC;
	struct slice text;

	if (read_whole(path, &text)) {
		read_text(path, text, out);
		if (!before || strcmp(before, text.p))
			source_url_note("registry", url, text.p);
	} else if (before) {
		buf_addf(&why, "the registry '%s' is gone", path);
		source_url_use_older(why.p);
		read_text(path, slice_of(before), out);
	}
}

/* A registry at an address is fetched as any other file, and kept. */
static void fetch_global(const char *url, struct registry_list *out)
{
	const char *path = source_file_path(url);
	struct input in = { 0 };

	if (path) {
		read_addressed(url, path, out);
		return;
	}
	source_set(&in, "type", "file");
	source_set(&in, "url", url);
	registry_read(source_fetch(&in)->place, out);
}

static void read_global(struct registry_list *out)
{
	const char *global = registry_settings.global;

	for (size_t i = 0; !global && i < sizeof well_known / sizeof *well_known; i++)
		add_name(out, well_known[i].name, well_known[i].means);
	if (!global)
		add_name(out, "std", "gx:std");
	else if (*global == '/')
		registry_read(global, out);
	else if (*global)
		fetch_global(global, out);
}

const struct registry_list *registry_of(enum registry_kind kind)
{
	static void (*const readers[])(struct registry_list *out) = { NULL, read_user, read_system, read_global };
	struct registry_list *r = &of_session.of[kind];

	if (readers[kind] && !of_session.read[kind])
		readers[kind](r);
	of_session.read[kind] = 1;
	return r;
}

/* --- looking up --- */

int registry_is_name(const struct input *in)
{
	const char *type = source_get(in, "type");

	return type && !strcmp(type, "indirect");
}

static struct input without(const struct input *in, int branch_too)
{
	struct input r = { 0 };

	for (size_t i = 0; i < in->n; i++)
		if (!slice_eq(in->a[i].name, SLICE("dir")) && !(branch_too && slice_in_words(in->a[i].name, "ref rev")))
			input_set(&r, &in->a[i], flake_arena());
	return r;
}

static int answers(const struct registry_entry *e, const struct input *in)
{
	struct input plain = without(in, 0), bare = without(in, 1);

	return flake_ref_same(&e->from, &plain) || (!e->exact && flake_ref_same(&e->from, &bare));
}

static __attribute__((noreturn, cold)) void cannot_carry(const struct input *to, const char *what, const char *value)
{
	throw_error(EK_EVAL, "the %s '%s' cannot be taken of '%s', which is what the registry says", what, value,
		    flake_ref_text(to));
}

/* Carries the branch and revision that a reference names over to what it means. */
static void carry(struct input *to, const char *ref, const char *rev)
{
	const char *type = source_get(to, "type");

	if (!ref && !rev)
		return;
	if (!type || !slice_in_words(slice_of(type), "git hg github gitlab sourcehut indirect"))
		cannot_carry(to, ref ? "branch or tag" : "revision", ref ? ref : rev);
	if (slice_in_words(slice_of(type), "github gitlab sourcehut")) {
		/* There a revision is all; a branch beside it only said where to look. */
		source_unset(to, "ref");
		source_unset(to, "rev");
		source_set(to, rev ? "rev" : "ref", rev ? rev : ref);
		return;
	}
	if (ref)
		source_set(to, "ref", ref);
	if (rev)
		source_set(to, "rev", rev);
}

/* One step.  0 when nobody knows more. */
static int step(struct input *in, const struct registry_list *r)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct registry_entry *e = &r->v[i];
		const char *dir = source_get(in, "dir"), *ref = source_get(in, "ref"), *rev = source_get(in, "rev");
		const char *hash = source_get(in, "narHash");
		struct input to = { 0 };
		if (!answers(e, in))
			continue;
		for (size_t k = 0; k < e->to.n; k++)
			input_set(&to, &e->to.a[k], flake_arena());
		carry(&to, source_get(&e->from, "ref") ? NULL : ref, source_get(&e->from, "rev") ? NULL : rev);
		if (dir && !source_get(&to, "dir"))
			source_set(&to, "dir", dir);
		if (hash && !source_get(&to, "narHash"))
			source_set(&to, "narHash", hash);
		*in = to;
		return 1;
	}
	return 0;
}

static int look_up(struct input *in, enum registry_use use)
{
	static const enum registry_kind order[] = { REGISTRY_FLAGS, REGISTRY_USER, REGISTRY_SYSTEM, REGISTRY_GLOBAL };

	for (size_t i = 0; registry_settings.use && i < sizeof order / sizeof *order; i++)
		if ((use == REGISTRY_ALL || order[i] == REGISTRY_FLAGS || order[i] == REGISTRY_GLOBAL) &&
		    step(in, registry_of(order[i])))
			return 1;
	/* The library of the program needs no registry. */
	const char *id = source_get(in, "id");
	if (!registry_is_name(in) || !id || strcmp(id, "std"))
		return 0;
	struct registry_list own = { 0 };
	add_name(&own, "std", "gx:std");
	return step(in, &own);
}

static __attribute__((noreturn, cold)) void not_known(const struct input *in)
{
	const char *text = flake_ref_text(in);

	throw_error_hint(EK_EVAL, registry_settings.use ? "'gx registry add' gives it an address, or pass --override-input with one"
							: "give its address: no registry is asked",
			 "cannot find flake '%s' in the flake registries", text);
}

struct input registry_resolve(const struct input *in, enum registry_use use)
{
	struct input out = *in;

	if (!registry_is_name(in))
		return out;
	for (int n = 0; look_up(&out, use); n++)
		if (n == LIMIT_REGISTRY_STEPS)
			throw_error(EK_EVAL, "the registries send the flake '%s' round in a circle", flake_ref_text(in));
	if (registry_is_name(&out))
		not_known(&out);
	return out;
}
