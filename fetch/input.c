/* SPDX-License-Identifier: MIT
 *
 * One row of `schemes` for each kind of input: which attributes it knows, which of them pins it, where it lies, which URLs are its
 * own, the two directions, and how it is fetched.  What Nix accepts is accepted and written as Nix writes it, with one exception:
 * the name of a branch or tag that begins with a dash is refused here already, since it would end up on a command line.
 *
 *   indirect   flake:ID[/REF][/REV], also without "flake:"
 *   path       path:PATH and absolute paths
 *   git        git:…, git+https:…, git+ssh:…, git+file:…, git+http:…
 *   hg         hg+https:… and so on
 *   github gitlab sourcehut     NAME:OWNER/REPO[/REF-OR-REV]
 *   gx         gx:std, the library that comes with the program: as pure as a builtin, also without a hash
 *   tarball file     https: http: file:, with "tarball+" or "file+" in front to tell which
 */
#include "config.h"
#include "fetch/input.h"
#include "fetch/input_int.h"
#include "fetch/url.h"
#include "format/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- attributes --- */

const struct input_attr *input_get(const struct input *in, const char *name)
{
	for (size_t i = 0; i < in->n; i++)
		if (slice_eq(in->a[i].name, slice_of(name)))
			return &in->a[i];
	return NULL;
}

void input_set(struct input *in, const struct input_attr *a, struct arena *mem)
{
	size_t i = 0;
	int c = 1;

	while (i < in->n && (c = slice_cmp(in->a[i].name, a->name)) < 0)
		i++;
	if (i < in->n && !c) {
		in->a[i] = *a;
		return;
	}
	ARENA_GROW(mem, in->a, in->n + 1, in->cap);
	memmove(in->a + i + 1, in->a + i, (in->n - i) * sizeof *in->a);
	in->a[i] = *a;
	in->n++;
}

void input_set_all(struct input *in, const struct input *from, struct arena *mem)
{
	for (size_t i = 0; i < from->n; i++)
		input_set(in, &from->a[i], mem);
}

void input_set_string(struct input_ctx *c, struct input *in, const char *name, struct slice s)
{
	input_set(in, &(struct input_attr){ slice_of(name), INPUT_STRING, s, 0 }, c->mem);
}

/* A string attribute: *out, empty p when absent. */
int input_string(struct input_ctx *c, const struct input *in, const char *name, struct slice *out)
{
	const struct input_attr *a = input_get(in, name);

	*out = (struct slice){ NULL, 0 };
	if (!a)
		return 0;
	if (a->type != INPUT_STRING)
		return err_set(c->e, ERR_INVALID, "input attribute '%s' is not a string", name);
	*out = a->s;
	return 0;
}

int input_need_string(struct input_ctx *c, const struct input *in, const char *name, struct slice *out)
{
	if (input_string(c, in, name, out))
		return -1;
	return out->p ? 0 : err_set(c->e, ERR_INVALID, "input attribute '%s' is missing", name);
}

int input_bool(struct input_ctx *c, const struct input *in, const char *name, int *out)
{
	const struct input_attr *a = input_get(in, name);

	*out = a && a->i;
	return a && a->type != INPUT_BOOL ? err_set(c->e, ERR_INVALID, "input attribute '%s' is not a Boolean", name)
					  : 0;
}

static int check_int(struct input_ctx *c, const struct input *in, const char *name)
{
	const struct input_attr *a = input_get(in, name);

	return a && a->type != INPUT_INT ? err_set(c->e, ERR_INVALID, "input attribute '%s' is not an integer", name)
					 : 0;
}

static int parse_u64(struct slice s, uint64_t *out)
{
	*out = 0;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9' || __builtin_mul_overflow(*out, 10, out) ||
		    __builtin_add_overflow(*out, (uint64_t)(s.p[i] - '0'), out))
			return -1;
	return s.n ? 0 : -1;
}

/* --- revisions and names --- */

int input_is_rev(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= '0' && s.p[i] <= '9') || ((s.p[i] | 0x20) >= 'a' && (s.p[i] | 0x20) <= 'f')))
			return 0;
	return s.n == 40;
}

/* git's rules for the name of a reference. */
int input_is_ref(struct slice s)
{
	if (!s.n || slice_eq(s, SLICE("@")) || s.p[0] == '-' || s.p[s.n - 1] == '.' || s.p[s.n - 1] == '/')
		return 0;
	for (size_t i = 0, start = 0; i <= s.n; i++) {
		if (i == s.n || s.p[i] == '/') {
			struct slice part = { s.p + start, i - start };
			if (!part.n || part.p[0] == '.' || slice_ends(part, SLICE(".lock")))
				return 0;
			start = i + 1;
			continue;
		}
		unsigned char ch = (unsigned char)s.p[i];
		if (ch <= ' ' || ch == 0x7f || strchr("~^:\\?[*", ch))
			return 0;
		if (i + 1 < s.n && ((ch == '.' && s.p[i + 1] == '.') || (ch == '@' && s.p[i + 1] == '{')))
			return 0;
	}
	return 1;
}

static int is_alnum(char ch)
{
	return (ch >= '0' && ch <= '9') || ((ch | 0x20) >= 'a' && (ch | 0x20) <= 'z');
}

int input_is_name(struct slice s, const char *first, const char *rest)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_alnum(s.p[i]) && !(s.p[i] && strchr(i ? rest : first, s.p[i])))
			return 0;
	return s.n > 0;
}

int input_is_id(struct slice s)
{
	return input_is_name(s, "", "_-") && !(s.p[0] >= '0' && s.p[0] <= '9');
}

/* The simple pattern a reference has in "nixpkgs/REF" and in Mercurial. */
int input_is_plain_ref(struct slice s)
{
	return input_is_name(s, "@", "_./@+-");
}

/* The hash in an attribute as hexadecimal (rev) or SRI (narHash) digits; *out.p is NULL when it is absent. */
int input_hash(struct input_ctx *c, const struct input *in, const char *name, struct slice *out)
{
	char text[HASH_TEXT_MAX];
	struct hash h = { .algo = HASH_SHA256, .len = HASH_SHA256_LEN };
	int sri = !strcmp(name, "narHash");
	struct slice s;

	*out = (struct slice){ NULL, 0 };
	if (input_string(c, in, name, &s))
		return -1;
	if (!s.p)
		return 0;
	if (sri && s.n) {
		if (hash_parse_sri(s.p, s.n, &h, c->e)) {
			err_prefix(c->e, "narHash");
			return -1;
		}
		if (h.algo != HASH_SHA256)
			return err_set(c->e, ERR_INVALID, "narHash must use SHA-256");
	} else if (!sri) {
		/* A revision may name its algorithm; without a name it is SHA-1. */
		struct err ignored = ERR_INIT;
		int r = hash_parse(s.p, s.n, HASH_ANY, &h, NULL, &ignored);
		err_release(&ignored);
		if (r && hash_parse(s.p, s.n, HASH_SHA1, &h, NULL, c->e))
			return -1;
	}
	size_t n = hash_print(&h, sri ? HASH_SRI : HASH_BASE16, 0, text);
	*out = (struct slice){ arena_dup(c->mem, text, n), n };
	return 0;
}

/* --- URLs --- */

struct slice input_url_text(struct input_ctx *c, const struct url *u)
{
	struct buf b = BUF_INIT;

	url_add(&b, u);
	struct slice s = { arena_dup(c->mem, buf_str(&b), b.len), b.len };
	buf_release(&b);
	return s;
}

int input_url_is(const struct url *u, const char *name)
{
	return slice_eq(u->scheme, slice_of(name));
}

size_t input_segments(struct input_ctx *c, const struct url *u, struct slice **out)
{
	size_t n = 0;

	*out = arena_alloc(c->mem, (u->npath + 1) * sizeof **out);
	for (size_t i = 0; i < u->npath; i++)
		if (u->path[i].n)
			(*out)[n++] = u->path[i];
	return n;
}

void input_url_push(struct input_ctx *c, struct url *u, struct slice s)
{
	struct slice *p = arena_alloc(c->mem, (u->npath + 1) * sizeof *p);

	if (u->npath)
		memcpy(p, u->path, u->npath * sizeof *p);
	p[u->npath++] = s;
	u->path = p;
}

/* Two texts in one. */
struct slice input_prefixed(struct input_ctx *c, const char *prefix, struct slice s)
{
	size_t n = strlen(prefix);
	char *p = arena_alloc(c->mem, n + s.n + 1);

	memcpy(p, prefix, n);
	memcpy(p + n, s.p, s.n);
	return (struct slice){ p, n + s.n };
}

/* --- indirect --- */

static int owns_indirect(const struct url *u)
{
	return input_url_is(u, "flake");
}

static int check_indirect(struct input_ctx *c, const struct input_scheme *s, struct input *in)
{
	struct slice id;

	(void)s;
	if (input_need_string(c, in, "id", &id))
		return -1;
	return input_is_id(id) ? 0 : err_set(c->e, ERR_INVALID, "'%.*s' is not a valid flake ID", FMT(id));
}

static int from_indirect(struct input_ctx *c, struct url *u, struct input *out)
{
	struct slice *p;
	size_t n = input_segments(c, u, &p);

	if (!n || n > 3)
		return err_set(c->e, ERR_INVALID, "flake URL is invalid: it has %zu parts instead of one to three", n);
	input_set_string(c, out, "id", p[0]);
	if (n == 3 && !input_is_rev(p[2]))
		return err_set(c->e, ERR_INVALID, "'%.*s' is not a commit hash", FMT(p[2]));
	if (n == 3)
		input_set_string(c, out, "rev", p[2]);
	if (n == 2 && input_is_rev(p[1])) {
		input_set_string(c, out, "rev", p[1]);
	} else if (n >= 2) {
		if (!input_is_ref(p[1]))
			return err_set(c->e, ERR_INVALID, "'%.*s' is not a branch/tag name", FMT(p[1]));
		input_set_string(c, out, "ref", p[1]);
	}
	return 0;
}

static int to_indirect(struct input_ctx *c, const struct input_scheme *s, const struct input *in, struct url *u)
{
	struct slice id, ref, rev;

	(void)s;
	if (input_need_string(c, in, "id", &id) || input_string(c, in, "ref", &ref) || input_hash(c, in, "rev", &rev))
		return -1;
	u->scheme = SLICE("flake");
	input_url_push(c, u, id);
	if (ref.p)
		input_url_push(c, u, ref);
	if (rev.p)
		input_url_push(c, u, rev);
	return 0;
}

/* --- path --- */

static int owns_path(const struct url *u)
{
	return input_url_is(u, "path");
}

static int check_path(struct input_ctx *c, const struct input_scheme *s, struct input *in)
{
	struct slice path;

	(void)s;
	return input_need_string(c, in, "path", &path);
}

static int from_path(struct input_ctx *c, struct url *u, struct input *out)
{
	struct slice path;

	if (u->host.n)
		return err_set(c->e, ERR_INVALID, "path URL should not have an authority ('%.*s')", FMT(u->host));
	if (url_path_to_file(u, c->mem, &path, c->e))
		return -1;
	input_set_string(c, out, "path", path);
	for (size_t i = 0; i < u->nquery; i++) {
		struct input_attr a = { u->query[i].name, INPUT_STRING, u->query[i].value, 0 };
		if (slice_in_words(a.name, "revCount lastModified")) {
			a.type = INPUT_INT;
			if (parse_u64(a.s, &a.i))
				return err_set(c->e, ERR_INVALID, "path URL has invalid parameter '%.*s'", FMT(a.name));
		} else if (!slice_in_words(a.name, "rev narHash")) {
			return err_set(c->e, ERR_INVALID, "path URL has unsupported parameter '%.*s'", FMT(a.name));
		}
		input_set(out, &a, c->mem);
	}
	return 0;
}

static int to_path(struct input_ctx *c, const struct input_scheme *s, const struct input *in, struct url *u)
{
	struct slice path;
	char number[24];

	(void)s;
	if (input_need_string(c, in, "path", &path))
		return -1;
	u->scheme = SLICE("path");
	url_path_from_file(u, path, c->mem);
	for (size_t i = 0; i < in->n; i++) {
		const struct input_attr *a = &in->a[i];
		if (slice_in_words(a->name, "path type dir __final"))
			continue;
		size_t n = (size_t)snprintf(number, sizeof number, "%llu", (unsigned long long)a->i);
		url_set(u, a->name, a->type == INPUT_STRING ? a->s : (struct slice){ arena_dup(c->mem, number, n), n },
			c->mem);
	}
	return 0;
}

/* --- tarballs and files --- */

#define CURL_ATTRS "url narHash name unpack rev revCount lastModified"

static int owns_curl(const struct url *u, const char *name, int plain)
{
	struct slice application, transport;

	url_split_scheme(u->scheme, &application, &transport);
	if (!slice_in_words(transport, "file http https"))
		return 0;
	return application.n ? slice_eq(application, slice_of(name)) : plain;
}

static int owns_file(const struct url *u)
{
	return owns_curl(u, "file", 0);
}

/* What is fetched for a flake is a tree, so a URL that does not say is a tarball. */
static int owns_tarball(const struct url *u)
{
	return owns_curl(u, "tarball", 1);
}

static int from_curl(struct input_ctx *c, struct url *u, struct input *out)
{
	static const char *const strings[] = { "narHash", "rev" }, *const ints[] = { "revCount", "lastModified" };
	struct slice application, transport;
	const struct slice *v;
	uint64_t i;

	for (size_t k = 0; k < 2; k++)
		if ((v = url_param(u, strings[k])))
			input_set_string(c, out, strings[k], *v);
	for (size_t k = 0; k < 2; k++)
		if ((v = url_param(u, ints[k])) && !parse_u64(*v, &i))
			input_set(out, &(struct input_attr){ slice_of(ints[k]), INPUT_INT, { "", 0 }, i }, c->mem);
	url_split_scheme(u->scheme, &application, &transport);
	u->scheme = transport;
	for (const char *p = CURL_ATTRS; *p; p += strspn(p, " ")) {
		size_t n = strcspn(p, " ");
		url_drop(u, arena_dup(c->mem, p, n));
		p += n;
	}
	input_set_string(c, out, "url", input_url_text(c, u));
	return 0;
}

static int check_nothing(struct input_ctx *c, const struct input_scheme *s, struct input *in)
{
	(void)c;
	(void)s;
	(void)in;
	return 0;
}

static int to_curl(struct input_ctx *c, const struct input_scheme *s, const struct input *in, struct url *u)
{
	struct slice text, nar;

	(void)s;
	if (input_need_string(c, in, "url", &text) || url_parse(text, 0, c->mem, u, c->e) || input_hash(c, in, "narHash", &nar))
		return -1;
	if (nar.p)
		url_set(u, SLICE("narHash"), nar, c->mem);
	return 0;
}

/* --- what comes with the program --- */

static int owns_gx(const struct url *u)
{
	return input_url_is(u, "gx");
}

static int from_gx(struct input_ctx *c, struct url *u, struct input *out)
{
	struct slice *p;

	if (input_segments(c, u, &p) != 1 || u->host.n)
		return err_set(c->e, ERR_INVALID, "it is not 'gx:NAME'");
	input_set_string(c, out, "name", p[0]);
	for (size_t i = 0; i < u->nquery; i++) {
		if (!slice_in_words(u->query[i].name, "narHash version"))
			return err_set(c->e, ERR_INVALID, "URL contains unknown parameter '%.*s'", FMT(u->query[i].name));
		input_set(out, &(struct input_attr){ u->query[i].name, INPUT_STRING, u->query[i].value, 0 }, c->mem);
	}
	return 0;
}

static int check_gx(struct input_ctx *c, const struct input_scheme *s, struct input *in)
{
	struct slice name;

	(void)s;
	if (input_need_string(c, in, "name", &name))
		return -1;
	return input_is_id(name) ? 0 : err_set(c->e, ERR_INVALID, "'%.*s' is not the name of a library", FMT(name));
}

static int to_gx(struct input_ctx *c, const struct input_scheme *s, const struct input *in, struct url *u)
{
	struct slice name, nar, version;

	(void)s;
	if (input_need_string(c, in, "name", &name) || input_hash(c, in, "narHash", &nar) ||
	    input_string(c, in, "version", &version))
		return -1;
	u->scheme = SLICE("gx");
	input_url_push(c, u, name);
	if (nar.p)
		url_set(u, SLICE("narHash"), nar, c->mem);
	if (version.p)
		url_set(u, SLICE("version"), version, c->mem);
	return 0;
}

/* --- all of them --- */

static const struct input_scheme schemes[] = {
	{ "file", CURL_ATTRS, "narHash", INPUT_AT_URL, owns_file, from_curl, check_nothing, to_curl },
	{ "git", INPUT_GIT_ATTRS, "rev", INPUT_AT_URL, input_owns_git, input_from_git, input_check_git, input_to_git },
	{ "github", INPUT_FORGE_ATTRS, "rev", INPUT_ELSEWHERE, input_owns_forge, input_from_forge, input_check_forge,
	  input_to_forge },
	{ "gitlab", INPUT_FORGE_ATTRS, "rev", INPUT_ELSEWHERE, input_owns_forge, input_from_forge, input_check_forge,
	  input_to_forge },
	{ "gx", "name narHash version", NULL, INPUT_WITH_PROGRAM, owns_gx, from_gx, check_gx, to_gx },
	{ "hg", "url ref rev revCount narHash name", "rev", INPUT_AT_URL, input_owns_hg, input_from_hg, input_check_hg,
	  input_to_hg },
	{ "indirect", "id ref rev narHash", "narHash", INPUT_WITH_PROGRAM, owns_indirect, from_indirect, check_indirect,
	  to_indirect },
	{ "path", "path rev revCount lastModified narHash", "narHash", INPUT_AT_PATH, owns_path, from_path, check_path, to_path },
	{ "sourcehut", INPUT_FORGE_ATTRS, "rev", INPUT_ELSEWHERE, input_owns_forge, input_from_forge, input_check_forge,
	  input_to_forge },
	{ "tarball", CURL_ATTRS, "narHash", INPUT_AT_URL, owns_tarball, from_curl, check_nothing, to_curl },
};

enum { NSCHEMES = sizeof schemes / sizeof *schemes };

/* Of each row. */
static input_fetch_fn *fetchers[NSCHEMES];

static const struct input_scheme *scheme_for_url(const struct url *u)
{
	for (size_t i = 0; i < NSCHEMES; i++)
		if (schemes[i].owns(u) && (!input_owns_forge(u) || input_url_is(u, schemes[i].name)))
			return &schemes[i];
	return NULL;
}

static const struct input_scheme *scheme_named(struct slice name)
{
	for (size_t i = 0; i < NSCHEMES; i++)
		if (slice_eq(name, slice_of(schemes[i].name)))
			return &schemes[i];
	return NULL;
}

/* The row of an input, NULL for a type there is not. */
static const struct input_scheme *scheme_of(const struct input *in)
{
	const struct input_attr *type = input_get(in, "type");

	return type && type->type == INPUT_STRING ? scheme_named(type->s) : NULL;
}

enum input_where input_where(const struct input *in)
{
	const struct input_scheme *s = scheme_of(in);

	return s ? s->where : INPUT_ELSEWHERE;
}

int input_is_relative(const struct input *in)
{
	const struct input_attr *p = input_get(in, "path");

	return input_where(in) == INPUT_AT_PATH && p && p->type == INPUT_STRING && !(p->s.n && p->s.p[0] == '/');
}

int input_is_locked(const struct input *in)
{
	const struct input_scheme *s = scheme_of(in);

	return (s && !s->pin) || input_is_relative(in) || input_get(in, s ? s->pin : "narHash") != NULL;
}

void input_set_fetch(const char *type, input_fetch_fn *fetch)
{
	const struct input_scheme *s = scheme_named(slice_of(type));

	if (s)
		fetchers[s - schemes] = fetch;
}

input_fetch_fn *input_fetch(const struct input *in)
{
	const struct input_scheme *s = scheme_of(in);

	return s ? fetchers[s - schemes] : NULL;
}

/* What every kind of input has to have right. */
static int check_common(struct input_ctx *c, const struct input *in)
{
	struct slice ref;

	return input_string(c, in, "ref", &ref) || check_int(c, in, "revCount") || check_int(c, in, "lastModified") ? -1 : 0;
}

static int from_url(struct input_ctx *c, struct url *u, struct input *out)
{
	const struct input_scheme *s = scheme_for_url(u);
	const struct slice *dir = url_param(u, "dir");
	struct slice subdir = dir ? *dir : (struct slice){ "", 0 };

	if (u->fragment.n)
		return err_set(c->e, ERR_INVALID, "unexpected fragment '%.*s'", FMT(u->fragment));
	if (!s && input_url_is(u, "file+git"))
		return err_set(c->e, ERR_INVALID, "it is of no known kind; did you mean 'git+file' instead of 'file+git'?");
	if (!s)
		return err_set(c->e, ERR_INVALID, "it is of no known kind");
	url_drop(u, "dir");
	input_set_string(c, out, "type", slice_of(s->name));
	if (s->from_url(c, u, out) || s->check(c, s, out) || check_common(c, out))
		return -1;
	if (subdir.n)
		input_set_string(c, out, "dir", subdir);
	return 0;
}

/* --- references --- */

int input_is_id_reference(struct slice s)
{
	const char *slash = s.n ? memchr(s.p, '/', s.n) : NULL;
	struct slice id = { s.p, slash ? (size_t)(slash - s.p) : s.n };

	return input_is_id(id) && (!slash || input_is_plain_ref((struct slice){ slash + 1, s.n - id.n - 1 }));
}

/* An absolute path, which is not percent-encoded, with a query that is. */
static int parse_path_reference(struct input_ctx *c, struct slice ref, struct url *u)
{
	struct slice path = ref;
	const char *query = memchr(ref.p, '?', ref.n);

	memset(u, 0, sizeof *u);
	u->scheme = SLICE("path");
	if (query) {
		path.n = (size_t)(query - ref.p);
		if (url_parse_query((struct slice){ query + 1, ref.n - path.n - 1 }, URL_LENIENT, c->mem, u, c->e))
			return -1;
	}
	url_path_from_file(u, path, c->mem);
	return 0;
}

static int looks_like_url(struct slice s)
{
	size_t n = 0;

	while (n < s.n && (is_alnum(s.p[n]) || (s.p[n] && strchr("+-.", s.p[n]))))
		n++;
	return n && n < s.n && s.p[n] == ':';
}

static int parse_reference(struct input_ctx *c, struct slice ref, struct url *u)
{
	const char *hash = ref.n ? memchr(ref.p, '#', ref.n) : NULL;
	struct slice bare = { ref.p, hash ? (size_t)(hash - ref.p) : ref.n };

	if (input_is_id_reference(bare) || (bare.n && *bare.p == '/')) {
		if (hash && ref.n > bare.n + 1)
			return err_set(c->e, ERR_INVALID, "unexpected fragment '%.*s'", (int)(ref.n - bare.n - 1), hash + 1);
		if (*bare.p == '/')
			return parse_path_reference(c, bare, u);
		return url_parse(input_prefixed(c, "flake:", bare), 0, c->mem, u, c->e);
	}
	if (looks_like_url(ref))
		return url_parse(ref, URL_LENIENT, c->mem, u, c->e);
	return err_set(c->e, ERR_INVALID, "it is not an absolute path");
}

int input_parse(struct slice ref, struct arena *mem, struct input *out, struct err *e)
{
	struct input_ctx c = { mem, e };
	struct slice own = { arena_dup(mem, ref.p, ref.n), ref.n };
	struct url u;

	memset(out, 0, sizeof *out);
	if (!parse_reference(&c, own, &u) && !from_url(&c, &u, out))
		return 0;
	err_prefix(e, "flake reference '%.*s' is not valid", FMT(ref));
	return ERR_INVALID;
}

/* The row of an input, its attributes checked. */
static const struct input_scheme *checked(struct input_ctx *c, struct input *in)
{
	struct slice type;

	if (!input_get(in, "type")) {
		err_set(c->e, ERR_INVALID, "'type' attribute to specify input scheme is required but not provided");
		return NULL;
	}
	if (input_need_string(c, in, "type", &type))
		return NULL;
	const struct input_scheme *s = scheme_named(type);
	if (!s)
		err_set(c->e, ERR_INVALID, "the input type '%.*s' is not supported", FMT(type));
	for (size_t i = 0; s && i < in->n; i++)
		if (!slice_in_words(in->a[i].name, "type dir __final") && !slice_in_words(in->a[i].name, s->attrs)) {
			err_set(c->e, ERR_INVALID, "input attribute '%.*s' not supported by scheme '%s'", FMT(in->a[i].name),
				s->name);
			return NULL;
		}
	return s && !s->check(c, s, in) && !check_common(c, in) ? s : NULL;
}

int input_check(struct input *in, struct arena *mem, struct err *e)
{
	struct input_ctx c = { mem, e };

	return checked(&c, in) ? 0 : ERR_INVALID;
}

int input_print(const struct input *in, struct arena *mem, struct buf *out, struct err *e)
{
	struct input_ctx c = { mem, e };
	struct input own = { 0 };
	struct slice dir;
	struct url u;

	memset(&u, 0, sizeof u);
	input_set_all(&own, in, mem);
	if (input_string(&c, &own, "dir", &dir))
		return -1;
	const struct input_scheme *s = checked(&c, &own);
	if (!s || s->to_url(&c, s, &own, &u))
		return -1;
	if (dir.n && !url_param(&u, "dir"))
		url_set(&u, SLICE("dir"), dir, mem);
	url_add(out, &u);
	return 0;
}
