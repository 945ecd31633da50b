/* SPDX-License-Identifier: MIT
 *
 * The rows for git and Mercurial of the table in input.c: their URLs are those of a transport with "git+" or "hg+" in
 * front, and git takes "user@host:path" as well.
 */
#include "config.h"
#include "fetch/input_int.h"
#include "fetch/url.h"

#include <string.h>

/* --- git --- */

int input_owns_git(const struct url *u)
{
	struct slice application, transport;

	url_split_scheme(u->scheme, &application, &transport);
	return input_url_is(u, "git") || slice_eq(application, SLICE("git"));
}

int input_from_git(struct input_ctx *c, struct url *u, struct input *out)
{
	struct url rest = *u;

	rest.query = NULL;
	rest.nquery = 0;
	for (size_t i = 0; i < u->nquery; i++) {
		struct url_param *q = &u->query[i];
		if (slice_in_words(q->name, INPUT_GIT_STRINGS))
			input_set(out, &(struct input_attr){ q->name, INPUT_STRING, q->value, 0 }, c->mem);
		else if (slice_in_words(q->name, INPUT_GIT_BOOLS))
			input_set(out, &(struct input_attr){ q->name, INPUT_BOOL, { "", 0 }, slice_eq(q->value, SLICE("1")) },
				  c->mem);
		else
			url_set(&rest, q->name, q->value, c->mem);
	}
	input_set_string(c, out, "url", input_url_text(c, &rest));
	return 0;
}

/* "user@host:path", as git itself takes it, into an ssh URL; 0 when the text is no such thing. */
static int scp_url(struct input_ctx *c, struct slice s, struct url *u)
{
	const char *colon = s.n ? memchr(s.p, ':', s.n) : NULL;
	struct slice host = { s.p, colon ? (size_t)(colon - s.p) : 0 }, path;

	if (!colon || memmem(s.p, s.n, "://", 3) || memchr(s.p, '/', host.n) || memchr(s.p, '[', host.n) ||
	    slice_in_words(host, "ssh http https file ftp ftps git git+ssh git+http git+https git+file git+ftp git+ftps git+git"))
		return 0;
	path = (struct slice){ colon + 1, s.n - host.n - 1 };
	/* To git the name of a program. */
	if (path.n && *path.p == ':')
		return err_set(c->e, ERR_INVALID, "'%.*s' is not a Git address: file, http, https, ssh and git are known", FMT(s));
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
		input_url_push(c, u, (struct slice){ "", 0 });
	while (1) {
		const char *slash = memchr(path.p, '/', path.n);
		size_t n = slash ? (size_t)(slash - path.p) : path.n;
		input_url_push(c, u, (struct slice){ path.p, n });
		if (!slash)
			return 1;
		path.p += n + 1;
		path.n -= n + 1;
	}
}

/* The URL of a repository from any way to write one. */
static int git_url(struct input_ctx *c, struct slice s, struct url *u)
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

int input_check_git(struct input_ctx *c, const struct input_scheme *s, struct input *in)
{
	static const char *const bools[] = { "verifyCommit", "shallow", "submodules", "allRefs" };
	struct slice ref, text;
	struct url u;
	int b;

	(void)s;
	if (input_bool(c, in, bools[0], &b) || input_string(c, in, "ref", &ref))
		return -1;
	if (ref.p && !input_is_ref(ref))
		return err_set(c->e, ERR_INVALID, "invalid Git branch/tag name '%.*s'", FMT(ref));
	if (input_need_string(c, in, "url", &text) || git_url(c, text, &u))
		return -1;
	input_set_string(c, in, "url", input_url_text(c, &u));
	for (size_t i = 1; i < 4; i++)
		if (input_bool(c, in, bools[i], &b))
			return -1;
	return 0;
}

static int add_keys(struct input_ctx *c, const struct input *in, struct url *u)
{
	struct slice key, type, keys;

	if (input_string(c, in, "publicKey", &key) || input_string(c, in, "keytype", &type) ||
	    input_string(c, in, "publicKeys", &keys))
		return -1;
	if (key.p) {
		url_set(u, SLICE("keytype"), type.p ? type : SLICE("ssh-ed25519"), c->mem);
		url_set(u, SLICE("publicKey"), key, c->mem);
	}
	if (keys.p)
		url_set(u, SLICE("publicKeys"), keys, c->mem);
	return 0;
}

int input_to_git(struct input_ctx *c, const struct input_scheme *s, const struct input *in, struct url *u)
{
	static const char *const shown[] = { "shallow", "lfs", "submodules", "exportIgnore", "verifyCommit" };
	struct slice text, rev, ref;
	int b;

	(void)s;
	if (input_need_string(c, in, "url", &text) || url_parse(text, 0, c->mem, u, c->e) || input_hash(c, in, "rev", &rev) ||
	    input_string(c, in, "ref", &ref))
		return -1;
	if (!input_url_is(u, "git"))
		u->scheme = input_prefixed(c, "git+", u->scheme);
	if (rev.p)
		url_set(u, SLICE("rev"), rev, c->mem);
	if (ref.p)
		url_set(u, SLICE("ref"), ref, c->mem);
	for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
		if (input_bool(c, in, shown[i], &b))
			return -1;
		if (b)
			url_set(u, slice_of(shown[i]), SLICE("1"), c->mem);
	}
	return add_keys(c, in, u);
}

/* --- Mercurial --- */

int input_owns_hg(const struct url *u)
{
	return input_url_is(u, "hg+http") || input_url_is(u, "hg+https") || input_url_is(u, "hg+ssh") || input_url_is(u, "hg+file");
}

int input_from_hg(struct input_ctx *c, struct url *u, struct input *out)
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
	input_set_string(c, out, "url", input_url_text(c, &rest));
	return 0;
}

int input_check_hg(struct input_ctx *c, const struct input_scheme *s, struct input *in)
{
	struct slice text, ref;
	struct url u;

	(void)s;
	if (input_need_string(c, in, "url", &text) || url_parse(text, 0, c->mem, &u, c->e) || input_string(c, in, "ref", &ref))
		return -1;
	if (ref.p && !input_is_plain_ref(ref))
		return err_set(c->e, ERR_INVALID, "invalid Mercurial branch/tag name '%.*s'", FMT(ref));
	return 0;
}

int input_to_hg(struct input_ctx *c, const struct input_scheme *s, const struct input *in, struct url *u)
{
	struct slice text, rev, ref;

	(void)s;
	if (input_need_string(c, in, "url", &text) || url_parse(text, 0, c->mem, u, c->e) || input_hash(c, in, "rev", &rev) ||
	    input_string(c, in, "ref", &ref))
		return -1;
	u->scheme = input_prefixed(c, "hg+", u->scheme);
	if (rev.p)
		url_set(u, SLICE("rev"), rev, c->mem);
	if (ref.p)
		url_set(u, SLICE("ref"), ref, c->mem);
	return 0;
}
