/* SPDX-License-Identifier: MIT
 *
 * Repositories of forges, as the archives that they make of a commit.  A branch or tag is first asked for its commit; the lock then
 * names that alone.
 */
#include "config.h"
#include "flake/source_int.h"
#include "base/mem.h"
#include "eval/error.h"
#include "fetch/url.h"
#include "flake/download.h"
#include "flake/source_url.h"

#include <string.h>

static void add_part(struct buf *b, const char *s)
{
	url_encode(b, slice_of(s), "");
}

/* The commit of a branch or tag, or of the default branch. */
static const char *ask_commit(const struct input *in, int is_gitlab, const char *host)
{
	const char *ref = source_get(in, "ref");
	struct buf url = BUF_GC;
	const struct jnode *doc, *id;

	if (is_gitlab) {
		buf_addf(&url, "https://%s/api/v4/projects/", host);
		add_part(&url, source_need(in, "owner"));
		buf_adds(&url, "%2F");
		add_part(&url, source_need(in, "repo"));
		buf_adds(&url, "/repository/commits?ref_name=");
		add_part(&url, ref ? ref : "HEAD");
	} else {
		buf_addf(&url, strcmp(host, "github.com") ? "https://%s/api/v3/repos/" : "https://api.%s/repos/", host);
		add_part(&url, source_need(in, "owner"));
		buf_addc(&url, '/');
		add_part(&url, source_need(in, "repo"));
		buf_adds(&url, "/commits/");
		url_encode(&url, slice_of(ref ? ref : "HEAD"), "/");
	}
	struct download d = { .url = url.p };
	doc = download_json(&d);
	id = is_gitlab ? json_member(doc->kind == JSON_ARRAY ? doc->first : NULL, SLICE("id")) : json_member(doc, SLICE("sha"));
	if (!id || id->kind != JSON_STRING || (id->str.n != 40 && id->str.n != 64) ||
	    strspn(arena_dup(flake_arena(), id->str.p, id->str.n), "0123456789abcdef") != id->str.n)
		throw_error(EK_IO, "'%s' does not say which commit '%s' is", url.p, ref ? ref : "HEAD");
	return arena_dup(flake_arena(), id->str.p, id->str.n);
}

static const char *forge_url(const struct input *in, int is_gitlab, const char *host, const char *rev)
{
	struct buf url = BUF_GC;

	buf_addf(&url, is_gitlab ? "https://%s/api/v4/projects/" : "https://%s/", host);
	add_part(&url, source_need(in, "owner"));
	buf_adds(&url, is_gitlab ? "%2F" : "/");
	add_part(&url, source_need(in, "repo"));
	buf_addf(&url, is_gitlab ? "/repository/archive.tar.gz?sha=%s" : "/archive/%s.tar.gz", rev);
	return url.p;
}

void source_forge(const struct input *in, struct flake_tree *t)
{
	int is_gitlab = !strcmp(source_get(in, "type"), "gitlab");
	const char *host = source_get(in, "host"), *rev = source_get(in, "rev");

	if (!host)
		host = is_gitlab ? "gitlab.com" : "github.com";
	if (rev && strspn(rev, "0123456789abcdef") != strlen(rev))
		throw_error(EK_EVAL, "'%s' is not a commit", rev);
	if (rev && input_get(in, "lastModified") && source_find_kept(in, t))
		return;
	if (!rev)
		source_set(&t->locked, "rev", rev = ask_commit(in, is_gitlab, host));
	source_unset(&t->locked, "ref");
	source_bring(&(struct url_request){ forge_url(in, is_gitlab, host, rev), URL_TARBALL, NULL, NULL, 1 }, t);
}
