/* SPDX-License-Identifier: MIT
 *
 * One row of `schemes` for each kind of input: which URLs are its own, which attributes it knows, and the two
 * directions.  What Nix accepts is accepted and written as Nix writes it, with one exception: the
 * name of a branch or tag that begins with a dash is refused here already, since it would end up on a
 * command line.
 *
 *   indirect   flake:ID[/REF][/REV], also without "flake:"
 *   path       path:PATH and absolute paths
 *   git        git:…, git+https:…, git+ssh:…, git+file:…, git+http:…
 *   hg         hg+https:… and so on
 *   github gitlab sourcehut     NAME:OWNER/REPO[/REF-OR-REV]
 *   gx         gx:std, the library that comes with the program
 *   tarball file     https: http: file:, with "tarball+" or "file+" in front to tell which
 */
#include "config.h"
#include "fetch/input.h"
#include "fetch/url.h"
#include "format/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ctx {
	struct arena *mem;
	struct err *e;
};

struct scheme {
	const char *name;
	const char *attrs; /* all it knows beside `type`, blanks between */
	int (*owns)(const struct url *u);
	int (*from_url)(struct ctx *c, struct url *u, struct input *out);
	int (*check)(struct ctx *c, const struct scheme *s, struct input *in);
	int (*to_url)(struct ctx *c, const struct scheme *s, const struct input *in, struct url *out);
};

#define FMT(s) (int)(s).n, (s).p

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
	if (in->n == in->cap) {
		size_t cap = in->cap ? in->cap * 2 : 8;
		struct input_attr *p = arena_alloc(mem, cap * sizeof *p);
		if (in->n)
			memcpy(p, in->a, in->n * sizeof *p);
		in->a = p;
		in->cap = cap;
	}
	memmove(in->a + i + 1, in->a + i, (in->n - i) * sizeof *in->a);
	in->a[i] = *a;
	in->n++;
}

static void set_string(struct ctx *c, struct input *in, const char *name, struct slice s)
{
	input_set(in, &(struct input_attr){ slice_of(name), INPUT_STRING, s, 0 }, c->mem);
}

/* A string attribute: *out, empty p when absent. */
static int get_string(struct ctx *c, const struct input *in, const char *name, struct slice *out)
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

static int need_string(struct ctx *c, const struct input *in, const char *name, struct slice *out)
{
	if (get_string(c, in, name, out))
		return -1;
	return out->p ? 0 : err_set(c->e, ERR_INVALID, "input attribute '%s' is missing", name);
}

static int get_bool(struct ctx *c, const struct input *in, const char *name, int *out)
{
	const struct input_attr *a = input_get(in, name);

	*out = a && a->i;
	return a && a->type != INPUT_BOOL ? err_set(c->e, ERR_INVALID, "input attribute '%s' is not a Boolean", name)
					  : 0;
}

static int check_int(struct ctx *c, const struct input *in, const char *name)
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

static int is_rev(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= '0' && s.p[i] <= '9') || ((s.p[i] | 0x20) >= 'a' && (s.p[i] | 0x20) <= 'f')))
			return 0;
	return s.n == 40;
}

/* git's rules for the name of a reference. */
static int is_ref_name(struct slice s)
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

/* One character of `first` or alphanumeric, then any of `rest` or alphanumeric. */
static int is_name(struct slice s, const char *first, const char *rest)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_alnum(s.p[i]) && !(s.p[i] && strchr(i ? rest : first, s.p[i])))
			return 0;
	return s.n > 0;
}

int input_is_id(struct slice s)
{
	return is_name(s, "", "_-") && !(s.p[0] >= '0' && s.p[0] <= '9');
}

/* The simple pattern a reference has in "nixpkgs/REF" and in Mercurial. */
static int is_plain_ref(struct slice s)
{
	return is_name(s, "@", "_./@+-");
}

/* The hash in an attribute as hexadecimal (rev) or SRI (narHash) digits; *out.p is NULL when it is absent. */
static int hash_attr(struct ctx *c, const struct input *in, const char *name, struct slice *out)
{
	char text[HASH_TEXT_MAX];
	struct hash h = { .algo = HASH_SHA256, .len = HASH_SHA256_LEN };
	int sri = !strcmp(name, "narHash");
	struct slice s;

	*out = (struct slice){ NULL, 0 };
	if (get_string(c, in, name, &s))
		return -1;
	if (!s.p)
		return 0;
	if (sri && s.n) {
		if (hash_parse_sri(s.p, s.n, &h, c->e))
			return -1;
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

static struct slice url_text(struct ctx *c, const struct url *u)
{
	struct buf b = BUF_INIT;

	url_add(&b, u);
	struct slice s = { arena_dup(c->mem, buf_str(&b), b.len), b.len };
	buf_release(&b);
	return s;
}

static int has_scheme(const struct url *u, const char *name)
{
	return slice_eq(u->scheme, slice_of(name));
}

/* The segments that are not empty; older references have slashes everywhere. */
static size_t segments(struct ctx *c, const struct url *u, struct slice **out)
{
	size_t n = 0;

	*out = arena_alloc(c->mem, (u->npath + 1) * sizeof **out);
	for (size_t i = 0; i < u->npath; i++)
		if (u->path[i].n)
			(*out)[n++] = u->path[i];
	return n;
}

static void url_push(struct ctx *c, struct url *u, struct slice s)
{
	struct slice *p = arena_alloc(c->mem, (u->npath + 1) * sizeof *p);

	if (u->npath)
		memcpy(p, u->path, u->npath * sizeof *p);
	p[u->npath++] = s;
	u->path = p;
}

static struct slice joined(struct ctx *c, const struct slice *s, size_t n)
{
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_addc(&b, '/');
		buf_add(&b, s[i].p, s[i].n);
	}
	struct slice r = { arena_dup(c->mem, buf_str(&b), b.len), b.len };
	buf_release(&b);
	return r;
}

/* Two texts in one. */
static struct slice prefixed(struct ctx *c, const char *prefix, struct slice s)
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
	return has_scheme(u, "flake");
}

static int check_indirect(struct ctx *c, const struct scheme *s, struct input *in)
{
	struct slice id;

	(void)s;
	if (need_string(c, in, "id", &id))
		return -1;
	return input_is_id(id) ? 0 : err_set(c->e, ERR_INVALID, "'%.*s' is not a valid flake ID", FMT(id));
}

static int from_indirect(struct ctx *c, struct url *u, struct input *out)
{
	struct slice *p;
	size_t n = segments(c, u, &p);

	if (!n || n > 3)
		return err_set(c->e, ERR_INVALID, "flake URL is invalid: it has %zu parts instead of one to three", n);
	set_string(c, out, "id", p[0]);
	if (n == 3 && !is_rev(p[2]))
		return err_set(c->e, ERR_INVALID, "'%.*s' is not a commit hash", FMT(p[2]));
	if (n == 3)
		set_string(c, out, "rev", p[2]);
	if (n == 2 && is_rev(p[1])) {
		set_string(c, out, "rev", p[1]);
	} else if (n >= 2) {
		if (!is_ref_name(p[1]))
			return err_set(c->e, ERR_INVALID, "'%.*s' is not a branch/tag name", FMT(p[1]));
		set_string(c, out, "ref", p[1]);
	}
	return 0;
}

static int to_indirect(struct ctx *c, const struct scheme *s, const struct input *in, struct url *u)
{
	struct slice id, ref, rev;

	(void)s;
	if (need_string(c, in, "id", &id) || get_string(c, in, "ref", &ref) || hash_attr(c, in, "rev", &rev))
		return -1;
	u->scheme = SLICE("flake");
	url_push(c, u, id);
	if (ref.p)
		url_push(c, u, ref);
	if (rev.p)
		url_push(c, u, rev);
	return 0;
}

/* --- path --- */

static int owns_path(const struct url *u)
{
	return has_scheme(u, "path");
}

static int check_path(struct ctx *c, const struct scheme *s, struct input *in)
{
	struct slice path;

	(void)s;
	return need_string(c, in, "path", &path);
}

static int from_path(struct ctx *c, struct url *u, struct input *out)
{
	struct slice path;

	if (u->host.n)
		return err_set(c->e, ERR_INVALID, "path URL should not have an authority ('%.*s')", FMT(u->host));
	if (url_path_to_file(u, c->mem, &path, c->e))
		return -1;
	set_string(c, out, "path", path);
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

static int to_path(struct ctx *c, const struct scheme *s, const struct input *in, struct url *u)
{
	struct slice path;
	char number[24];

	(void)s;
	if (need_string(c, in, "path", &path))
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

/* --- git --- */

#define GIT_STRINGS "rev ref keytype publicKey publicKeys"
#define GIT_BOOLS "shallow submodules lfs exportIgnore allRefs verifyCommit"

static int owns_git(const struct url *u)
{
	struct slice application, transport;

	url_split_scheme(u->scheme, &application, &transport);
	return has_scheme(u, "git") || slice_eq(application, SLICE("git"));
}

static int from_git(struct ctx *c, struct url *u, struct input *out)
{
	struct url rest = *u;

	rest.query = NULL;
	rest.nquery = 0;
	for (size_t i = 0; i < u->nquery; i++) {
		struct url_param *q = &u->query[i];
		if (slice_in_words(q->name, GIT_STRINGS))
			input_set(out, &(struct input_attr){ q->name, INPUT_STRING, q->value, 0 }, c->mem);
		else if (slice_in_words(q->name, GIT_BOOLS))
			input_set(out, &(struct input_attr){ q->name, INPUT_BOOL, { "", 0 }, slice_eq(q->value, SLICE("1")) },
				  c->mem);
		else
			url_set(&rest, q->name, q->value, c->mem);
	}
	set_string(c, out, "url", url_text(c, &rest));
	return 0;
}

/* "user@host:path", as git itself takes it, into an ssh URL; 0 when the text is no such thing. */
static int scp_url(struct ctx *c, struct slice s, struct url *u)
{
	const char *colon = s.n ? memchr(s.p, ':', s.n) : NULL;
	struct slice host = { s.p, colon ? (size_t)(colon - s.p) : 0 }, path;

	if (!colon || memmem(s.p, s.n, "://", 3) || memchr(s.p, '/', host.n) || memchr(s.p, '[', host.n) ||
	    slice_in_words(host, "ssh http https file ftp ftps git git+ssh git+http git+https git+file git+ftp git+ftps git+git"))
		return 0;
	path = (struct slice){ colon + 1, s.n - host.n - 1 };
	if (!path.n)
		return err_set(c->e, ERR_INVALID, "Git URL '%.*s' has an empty path", FMT(s));
	const char *at = memchr(host.p, '@', host.n);
	u->scheme = SLICE("ssh");
	u->has_authority = 1;
	if (at) {
		u->has_user = 1;
		u->user = (struct slice){ host.p, (size_t)(at - host.p) };
		host.n -= u->user.n + 1;
		host.p = at + 1;
	}
	u->host = host;
	/* An ssh URL has no relative paths. */
	if (*path.p != '/')
		url_push(c, u, (struct slice){ "", 0 });
	while (1) {
		const char *slash = memchr(path.p, '/', path.n);
		size_t n = slash ? (size_t)(slash - path.p) : path.n;
		url_push(c, u, (struct slice){ path.p, n });
		if (!slash)
			return 1;
		path.p += n + 1;
		path.n -= n + 1;
	}
}

/* The URL of a repository from any way to write one. */
static int git_url(struct ctx *c, struct slice s, struct url *u)
{
	struct slice application, transport;

	memset(u, 0, sizeof *u);
	if (s.n && s.p[0] == '/') {
		u->scheme = SLICE("file");
		u->has_authority = 1;
		url_path_from_file(u, s, c->mem);
		return 0;
	}
	int r = scp_url(c, s, u);
	if (r)
		return r < 0 ? r : 0;
	if (url_parse(s, 0, c->mem, u, c->e))
		return -1;
	url_split_scheme(u->scheme, &application, &transport);
	if (slice_eq(application, SLICE("git")))
		u->scheme = transport;
	return 0;
}

static int check_git(struct ctx *c, const struct scheme *s, struct input *in)
{
	static const char *const bools[] = { "verifyCommit", "shallow", "submodules", "allRefs" };
	struct slice ref, text;
	struct url u;
	int b;

	(void)s;
	if (get_bool(c, in, bools[0], &b) || get_string(c, in, "ref", &ref))
		return -1;
	if (ref.p && !is_ref_name(ref))
		return err_set(c->e, ERR_INVALID, "invalid Git branch/tag name '%.*s'", FMT(ref));
	if (need_string(c, in, "url", &text) || git_url(c, text, &u))
		return -1;
	set_string(c, in, "url", url_text(c, &u));
	for (size_t i = 1; i < 4; i++)
		if (get_bool(c, in, bools[i], &b))
			return -1;
	return 0;
}

static int add_keys(struct ctx *c, const struct input *in, struct url *u)
{
	struct slice key, type, keys;

	if (get_string(c, in, "publicKey", &key) || get_string(c, in, "keytype", &type) ||
	    get_string(c, in, "publicKeys", &keys))
		return -1;
	if (key.p) {
		url_set(u, SLICE("keytype"), type.p ? type : SLICE("ssh-ed25519"), c->mem);
		url_set(u, SLICE("publicKey"), key, c->mem);
	}
	if (keys.p)
		url_set(u, SLICE("publicKeys"), keys, c->mem);
	return 0;
}

static int to_git(struct ctx *c, const struct scheme *s, const struct input *in, struct url *u)
{
	static const char *const shown[] = { "shallow", "lfs", "submodules", "exportIgnore", "verifyCommit" };
	struct slice text, rev, ref;
	int b;

	(void)s;
	if (need_string(c, in, "url", &text) || url_parse(text, 0, c->mem, u, c->e) || hash_attr(c, in, "rev", &rev) ||
	    get_string(c, in, "ref", &ref))
		return -1;
	if (!has_scheme(u, "git"))
		u->scheme = prefixed(c, "git+", u->scheme);
	if (rev.p)
		url_set(u, SLICE("rev"), rev, c->mem);
	if (ref.p)
		url_set(u, SLICE("ref"), ref, c->mem);
	for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
		if (get_bool(c, in, shown[i], &b))
			return -1;
		if (b)
			url_set(u, slice_of(shown[i]), SLICE("1"), c->mem);
	}
	return add_keys(c, in, u);
}

/* --- Mercurial --- */

static int owns_hg(const struct url *u)
{
	return has_scheme(u, "hg+http") || has_scheme(u, "hg+https") || has_scheme(u, "hg+ssh") || has_scheme(u, "hg+file");
}

static int from_hg(struct ctx *c, struct url *u, struct input *out)
{
	struct url rest = *u;

	rest.scheme.p += 3;
	rest.scheme.n -= 3;
	rest.query = NULL;
	rest.nquery = 0;
	for (size_t i = 0; i < u->nquery; i++)
		if (slice_in_words(u->query[i].name, "rev ref"))
			input_set(out, &(struct input_attr){ u->query[i].name, INPUT_STRING, u->query[i].value, 0 }, c->mem);
		else
			url_set(&rest, u->query[i].name, u->query[i].value, c->mem);
	set_string(c, out, "url", url_text(c, &rest));
	return 0;
}

static int check_hg(struct ctx *c, const struct scheme *s, struct input *in)
{
	struct slice text, ref;
	struct url u;

	(void)s;
	if (need_string(c, in, "url", &text) || url_parse(text, 0, c->mem, &u, c->e) || get_string(c, in, "ref", &ref))
		return -1;
	if (ref.p && !is_plain_ref(ref))
		return err_set(c->e, ERR_INVALID, "invalid Mercurial branch/tag name '%.*s'", FMT(ref));
	return 0;
}

static int to_hg(struct ctx *c, const struct scheme *s, const struct input *in, struct url *u)
{
	struct slice text, rev, ref;

	(void)s;
	if (need_string(c, in, "url", &text) || url_parse(text, 0, c->mem, u, c->e) || hash_attr(c, in, "rev", &rev) ||
	    get_string(c, in, "ref", &ref))
		return -1;
	u->scheme = prefixed(c, "hg+", u->scheme);
	if (rev.p)
		url_set(u, SLICE("rev"), rev, c->mem);
	if (ref.p)
		url_set(u, SLICE("ref"), ref, c->mem);
	return 0;
}

/* --- github, gitlab, sourcehut --- */

static int owns_forge(const struct url *u)
{
	return has_scheme(u, "github") || has_scheme(u, "gitlab") || has_scheme(u, "sourcehut");
}

static int forge_param(struct ctx *c, const struct url_param *q, struct input *out)
{
	if (!slice_in_words(q->name, "rev ref host narHash"))
		return err_set(c->e, ERR_INVALID, "URL contains unknown parameter '%.*s'", FMT(q->name));
	if (slice_eq(q->name, SLICE("rev")) && input_get(out, "rev"))
		return err_set(c->e, ERR_INVALID, "URL contains multiple commit hashes");
	if (slice_eq(q->name, SLICE("ref")) && input_get(out, "ref"))
		return err_set(c->e, ERR_INVALID, "URL contains multiple branch/tag names");
	input_set(out, &(struct input_attr){ q->name, INPUT_STRING, q->value, 0 }, c->mem);
	return 0;
}

static int from_forge(struct ctx *c, struct url *u, struct input *out)
{
	struct slice *p;
	size_t n = segments(c, u, &p);

	if (n < 2)
		return err_set(c->e, ERR_INVALID, "URL needs an owner and a repository: '%.*s:OWNER/REPO'", FMT(u->scheme));
	if (n == 3 && is_rev(p[2]))
		set_string(c, out, "rev", p[2]);
	else if (n >= 3)
		set_string(c, out, "ref", joined(c, p + 2, n - 2));
	for (size_t i = 0; i < u->nquery; i++)
		if (forge_param(c, &u->query[i], out))
			return -1;
	set_string(c, out, "owner", p[0]);
	set_string(c, out, "repo", p[1]);
	return 0;
}

static int is_host(struct slice s)
{
	return !s.n || is_name(s, ".-", ".-");
}

static int check_forge(struct ctx *c, const struct scheme *s, struct input *in)
{
	struct slice owner, repo, ref, rev, host;
	struct hash h;

	(void)s;
	if (need_string(c, in, "owner", &owner) || need_string(c, in, "repo", &repo) || get_string(c, in, "ref", &ref) ||
	    get_string(c, in, "rev", &rev))
		return -1;
	if (ref.p && rev.p)
		return err_set(c->e, ERR_INVALID, "input has both a commit hash ('%.*s') and a branch/tag name ('%.*s')",
			       FMT(rev), FMT(ref));
	if (rev.p && hash_parse(rev.p, rev.n, HASH_SHA1, &h, NULL, c->e))
		return -1;
	if (ref.p && !is_ref_name(ref))
		return err_set(c->e, ERR_INVALID, "invalid branch/tag name '%.*s'", FMT(ref));
	if (get_string(c, in, "host", &host))
		return -1;
	return is_host(host) ? 0 : err_set(c->e, ERR_INVALID, "invalid host '%.*s'", FMT(host));
}

static int to_forge(struct ctx *c, const struct scheme *s, const struct input *in, struct url *u)
{
	struct slice owner, repo, ref, rev, nar, host;

	if (need_string(c, in, "owner", &owner) || need_string(c, in, "repo", &repo) || get_string(c, in, "ref", &ref) ||
	    hash_attr(c, in, "rev", &rev) || hash_attr(c, in, "narHash", &nar) || get_string(c, in, "host", &host))
		return -1;
	u->scheme = slice_of(s->name);
	url_push(c, u, owner);
	url_push(c, u, repo);
	if (ref.p || rev.p)
		url_push(c, u, ref.p ? ref : rev);
	if (nar.p)
		url_set(u, SLICE("narHash"), nar, c->mem);
	if (host.p)
		url_set(u, SLICE("host"), host, c->mem);
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

static int from_curl(struct ctx *c, struct url *u, struct input *out)
{
	static const char *const strings[] = { "narHash", "rev" }, *const ints[] = { "revCount", "lastModified" };
	struct slice application, transport;
	const struct slice *v;
	uint64_t i;

	for (size_t k = 0; k < 2; k++)
		if ((v = url_param(u, strings[k])))
			set_string(c, out, strings[k], *v);
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
	set_string(c, out, "url", url_text(c, u));
	return 0;
}

static int check_nothing(struct ctx *c, const struct scheme *s, struct input *in)
{
	(void)c;
	(void)s;
	(void)in;
	return 0;
}

static int to_curl(struct ctx *c, const struct scheme *s, const struct input *in, struct url *u)
{
	struct slice text, nar;

	(void)s;
	if (need_string(c, in, "url", &text) || url_parse(text, 0, c->mem, u, c->e) || hash_attr(c, in, "narHash", &nar))
		return -1;
	if (nar.p)
		url_set(u, SLICE("narHash"), nar, c->mem);
	return 0;
}

/* --- what comes with the program --- */

static int owns_gx(const struct url *u)
{
	return has_scheme(u, "gx");
}

static int from_gx(struct ctx *c, struct url *u, struct input *out)
{
	struct slice *p;

	if (segments(c, u, &p) != 1 || u->host.n || u->nquery)
		return err_set(c->e, ERR_INVALID, "it is not 'gx:NAME'");
	set_string(c, out, "name", p[0]);
	return 0;
}

static int check_gx(struct ctx *c, const struct scheme *s, struct input *in)
{
	struct slice name;

	(void)s;
	if (need_string(c, in, "name", &name))
		return -1;
	return input_is_id(name) ? 0 : err_set(c->e, ERR_INVALID, "'%.*s' is not the name of a library", FMT(name));
}

static int to_gx(struct ctx *c, const struct scheme *s, const struct input *in, struct url *u)
{
	struct slice name;

	(void)s;
	if (need_string(c, in, "name", &name))
		return -1;
	u->scheme = SLICE("gx");
	url_push(c, u, name);
	return 0;
}

/* --- all of them --- */

#define FORGE_ATTRS "owner repo ref rev narHash lastModified host treeHash"

static const struct scheme schemes[] = {
	{ "file", CURL_ATTRS, owns_file, from_curl, check_nothing, to_curl },
	{ "git",
	  "url " GIT_STRINGS " " GIT_BOOLS " lastModified revCount narHash name dirtyRev dirtyShortRev",
	  owns_git, from_git, check_git, to_git },
	{ "github", FORGE_ATTRS, owns_forge, from_forge, check_forge, to_forge },
	{ "gitlab", FORGE_ATTRS, owns_forge, from_forge, check_forge, to_forge },
	{ "gx", "name", owns_gx, from_gx, check_gx, to_gx },
	{ "hg", "url ref rev revCount narHash name", owns_hg, from_hg, check_hg, to_hg },
	{ "indirect", "id ref rev narHash", owns_indirect, from_indirect, check_indirect, to_indirect },
	{ "path", "path rev revCount lastModified narHash", owns_path, from_path, check_path, to_path },
	{ "sourcehut", FORGE_ATTRS, owns_forge, from_forge, check_forge, to_forge },
	{ "tarball", CURL_ATTRS, owns_tarball, from_curl, check_nothing, to_curl },
};

static const struct scheme *scheme_for_url(const struct url *u)
{
	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
		if (schemes[i].owns(u) && (!owns_forge(u) || has_scheme(u, schemes[i].name)))
			return &schemes[i];
	return NULL;
}

static const struct scheme *scheme_named(struct slice name)
{
	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
		if (slice_eq(name, slice_of(schemes[i].name)))
			return &schemes[i];
	return NULL;
}

/* What every kind of input has to have right. */
static int check_common(struct ctx *c, const struct input *in)
{
	struct slice ref;

	return get_string(c, in, "ref", &ref) || check_int(c, in, "revCount") || check_int(c, in, "lastModified") ? -1 : 0;
}

static int from_url(struct ctx *c, struct url *u, struct input *out)
{
	const struct scheme *s = scheme_for_url(u);
	const struct slice *dir = url_param(u, "dir");
	struct slice subdir = dir ? *dir : (struct slice){ "", 0 };

	if (u->fragment.n)
		return err_set(c->e, ERR_INVALID, "unexpected fragment '%.*s'", FMT(u->fragment));
	if (!s && has_scheme(u, "file+git"))
		return err_set(c->e, ERR_INVALID, "it is of no known kind; did you mean 'git+file' instead of 'file+git'?");
	if (!s)
		return err_set(c->e, ERR_INVALID, "it is of no known kind");
	url_drop(u, "dir");
	set_string(c, out, "type", slice_of(s->name));
	if (s->from_url(c, u, out) || s->check(c, s, out) || check_common(c, out))
		return -1;
	if (subdir.n)
		set_string(c, out, "dir", subdir);
	return 0;
}

/* --- references --- */

/* "nixpkgs", "nixpkgs/REF", "nixpkgs/REV", "nixpkgs/REF/REV". */
static int is_id_reference(struct slice s)
{
	const char *slash = s.n ? memchr(s.p, '/', s.n) : NULL;
	struct slice id = { s.p, slash ? (size_t)(slash - s.p) : s.n };

	return input_is_id(id) && (!slash || is_plain_ref((struct slice){ slash + 1, s.n - id.n - 1 }));
}

/* An absolute path, which is not percent-encoded, with a query that is. */
static int parse_path_reference(struct ctx *c, struct slice ref, struct url *u)
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

static int parse_reference(struct ctx *c, struct slice ref, struct url *u)
{
	const char *hash = ref.n ? memchr(ref.p, '#', ref.n) : NULL;
	struct slice bare = { ref.p, hash ? (size_t)(hash - ref.p) : ref.n };

	if (is_id_reference(bare) || (bare.n && *bare.p == '/')) {
		if (hash && ref.n > bare.n + 1)
			return err_set(c->e, ERR_INVALID, "unexpected fragment '%.*s'", (int)(ref.n - bare.n - 1), hash + 1);
		if (*bare.p == '/')
			return parse_path_reference(c, bare, u);
		return url_parse(prefixed(c, "flake:", bare), 0, c->mem, u, c->e);
	}
	if (looks_like_url(ref))
		return url_parse(ref, URL_LENIENT, c->mem, u, c->e);
	return err_set(c->e, ERR_INVALID, "it is not an absolute path");
}

int input_parse(struct slice ref, struct arena *mem, struct input *out, struct err *e)
{
	struct ctx c = { mem, e };
	struct slice own = { arena_dup(mem, ref.p, ref.n), ref.n };
	struct url u;

	memset(out, 0, sizeof *out);
	if (!parse_reference(&c, own, &u) && !from_url(&c, &u, out))
		return 0;
	err_prefix(e, "flake reference '%.*s' is not valid", FMT(ref));
	return ERR_INVALID;
}

int input_print(const struct input *in, struct arena *mem, struct buf *out, struct err *e)
{
	struct ctx c = { mem, e };
	struct input own = { 0 };
	struct slice type, dir;
	struct url u;

	memset(&u, 0, sizeof u);
	for (size_t i = 0; i < in->n; i++)
		input_set(&own, &in->a[i], mem);
	if (!input_get(in, "type"))
		return err_set(e, ERR_INVALID, "'type' attribute to specify input scheme is required but not provided");
	if (need_string(&c, &own, "type", &type) || get_string(&c, &own, "dir", &dir))
		return -1;
	const struct scheme *s = scheme_named(type);
	if (!s)
		return err_set(e, ERR_INVALID, "the input type '%.*s' is not supported", FMT(type));
	for (size_t i = 0; i < own.n; i++)
		if (!slice_in_words(own.a[i].name, "type dir __final") && !slice_in_words(own.a[i].name, s->attrs))
			return err_set(e, ERR_INVALID, "input attribute '%.*s' not supported by scheme '%s'",
				       FMT(own.a[i].name), s->name);
	if (s->check(&c, s, &own) || check_common(&c, &own) || s->to_url(&c, s, &own, &u))
		return -1;
	if (dir.n && !url_param(&u, "dir"))
		url_set(&u, SLICE("dir"), dir, mem);
	url_add(out, &u);
	return 0;
}
