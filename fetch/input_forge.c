/* SPDX-License-Identifier: MIT
 *
 * Inputs of forges: github, gitlab and sourcehut, NAME:OWNER/REPO[/REF-OR-REV].
 */
#include "config.h"
#include "fetch/input_int.h"
#include "format/hash.h"

int input_owns_forge(const struct url *u)
{
	return input_url_is(u, "github") || input_url_is(u, "gitlab") || input_url_is(u, "sourcehut");
}

static int forge_param(struct input_ctx *c, const struct url_param *q, struct input *out)
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

static struct slice joined(struct input_ctx *c, const struct slice *s, size_t n)
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

int input_from_forge(struct input_ctx *c, struct url *u, struct input *out)
{
	struct slice *p;
	size_t n = input_segments(c, u, &p);

	if (n < 2)
		return err_set(c->e, ERR_INVALID, "URL needs an owner and a repository: '%.*s:OWNER/REPO'", FMT(u->scheme));
	if (n == 3 && input_is_rev(p[2]))
		input_set_string(c, out, "rev", p[2]);
	else if (n >= 3)
		input_set_string(c, out, "ref", joined(c, p + 2, n - 2));
	for (size_t i = 0; i < u->nquery; i++)
		if (forge_param(c, &u->query[i], out))
			return -1;
	input_set_string(c, out, "owner", p[0]);
	input_set_string(c, out, "repo", p[1]);
	return 0;
}

static int is_host(struct slice s)
{
	return !s.n || input_is_name(s, ".-", ".-");
}

int input_check_forge(struct input_ctx *c, const struct input_scheme *s, struct input *in)
{
	struct slice owner, repo, ref, rev, host;
	struct hash h;

	(void)s;
	if (input_need_string(c, in, "owner", &owner) || input_need_string(c, in, "repo", &repo) ||
	    input_string(c, in, "ref", &ref) || input_string(c, in, "rev", &rev))
		return -1;
	if (ref.p && rev.p)
		return err_set(c->e, ERR_INVALID, "input has both a commit hash ('%.*s') and a branch/tag name ('%.*s')",
			       FMT(rev), FMT(ref));
	if (rev.p && hash_parse(rev.p, rev.n, HASH_SHA1, &h, NULL, c->e))
		return -1;
	if (ref.p && !input_is_ref(ref))
		return err_set(c->e, ERR_INVALID, "invalid branch/tag name '%.*s'", FMT(ref));
	if (input_string(c, in, "host", &host))
		return -1;
	return is_host(host) ? 0 : err_set(c->e, ERR_INVALID, "invalid host '%.*s'", FMT(host));
}

int input_to_forge(struct input_ctx *c, const struct input_scheme *s, const struct input *in, struct url *u)
{
	struct slice owner, repo, ref, rev, nar, host;

	if (input_need_string(c, in, "owner", &owner) || input_need_string(c, in, "repo", &repo) ||
	    input_string(c, in, "ref", &ref) || input_hash(c, in, "rev", &rev) || input_hash(c, in, "narHash", &nar) ||
	    input_string(c, in, "host", &host))
		return -1;
	u->scheme = slice_of(s->name);
	input_url_push(c, u, owner);
	input_url_push(c, u, repo);
	if (ref.p || rev.p)
		input_url_push(c, u, ref.p ? ref : rev);
	if (nar.p)
		url_set(u, SLICE("narHash"), nar, c->mem);
	if (host.p)
		url_set(u, SLICE("host"), host, c->mem);
	return 0;
}
