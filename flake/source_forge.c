/* SPDX-License-Identifier: MIT
 *
 * Repositories of forges, as the archives that they make of a commit.  A branch or tag is first asked for its commit; the lock then
 * names that alone.  How each is asked is a row of a table.
 *
 * A token (`access-tokens`) goes to the forge's own host, in a header that does not follow to another; no message, note or lock has
 * it.
 */
#include "config.h"
#include "flake/source_int.h"
#include "base/alloc.h"
#include "base/mem.h"
#include "eval/error.h"
#include "eval/eval.h"
#include "fetch/transfer.h"
#include "fetch/url.h"
#include "flake/download.h"
#include "flake/source_url.h"

#include <stdlib.h>
#include <string.h>

/* A repository as it is asked about. */
struct repo {
	const struct forge *forge;
	const char *host, *owner, *name; /* the last two encoded */
	const char *token;		 /* NULL for none; wiped when the fetch is over */
	int older_will_do;		 /* download.h: what is answered then is empty */
	const char **failed;
};

struct forge {
	const char *type, *usual_host;
	/* The commit of a branch or tag, NULL for that of the default branch; NULL when the forge does not say. */
	const char *(*commit)(const struct repo *r, const char *ref);
	const char *(*archive)(const struct repo *r, const char *rev);
};

static int is_commit(const char *s)
{
	size_t n = strlen(s);

	return (n == 40 || n == 64) && strspn(s, "0123456789abcdef") == n;
}

static struct jnode *ask_json(const struct repo *r, const char *url)
{
	struct download d = { .url = url, .bearer = r->token, .older_will_do = r->older_will_do };
	struct jnode *doc = download_json(&d);

	*r->failed = d.failed;
	return doc;
}

static const char *string_in(const struct jnode *o, const char *name)
{
	const struct jnode *s = o ? json_member(o, slice_of(name)) : NULL;

	return s && s->kind == JSON_STRING ? arena_dup(flake_arena(), s->str.p, s->str.n) : NULL;
}

/* --- github --- */

/* Where its interface is: another host than the site's, unless the site is somebody's own. */
static void add_api(struct buf *b, const struct repo *r)
{
	buf_addf(b, strcmp(r->host, "github.com") ? "https://%s/api/v3/repos/%s/%s" : "https://api.%s/repos/%s/%s", r->host,
		 r->owner, r->name);
}

static const char *github_commit(const struct repo *r, const char *ref)
{
	struct buf url = BUF_GC;

	add_api(&url, r);
	buf_adds(&url, "/commits/");
	url_encode(&url, slice_of(ref ? ref : "HEAD"), "/");
	return string_in(ask_json(r, url.p), "sha");
}

/* Who has a token asks the interface, which knows of private repositories; for the others it counts requests. */
static const char *github_archive(const struct repo *r, const char *rev)
{
	struct buf url = BUF_GC;

	if (r->token || strcmp(r->host, "github.com")) {
		add_api(&url, r);
		buf_addf(&url, "/tarball/%s", rev);
	} else {
		buf_addf(&url, "https://%s/%s/%s/archive/%s.tar.gz", r->host, r->owner, r->name, rev);
	}
	return url.p;
}

/* --- gitlab --- */

static const char *gitlab_commit(const struct repo *r, const char *ref)
{
	struct buf url = BUF_GC;

	buf_addf(&url, "https://%s/api/v4/projects/%s%%2F%s/repository/commits?ref_name=", r->host, r->owner, r->name);
	url_encode(&url, slice_of(ref ? ref : "HEAD"), "");
	const struct jnode *doc = ask_json(r, url.p);
	return doc && doc->kind == JSON_ARRAY ? string_in(doc->first, "id") : NULL;
}

static const char *gitlab_archive(const struct repo *r, const char *rev)
{
	struct buf url = BUF_GC;

	buf_addf(&url, "https://%s/api/v4/projects/%s%%2F%s/repository/archive.tar.gz?sha=%s", r->host, r->owner, r->name, rev);
	return url.p;
}

/* --- sourcehut --- */

static const char *ask_text(const struct repo *r, const char *below)
{
	struct buf url = BUF_GC;
	struct download d = { .bearer = r->token, .older_will_do = r->older_will_do };

	buf_addf(&url, "https://%s/%s/%s/%s", r->host, r->owner, r->name, below);
	d.url = url.p;
	const char *text = download_text(&d);
	*r->failed = d.failed;
	return text;
}

/* The name of the default branch: "ref: refs/heads/main". */
static const char *sourcehut_head(const struct repo *r)
{
	const char *text = ask_text(r, "HEAD");

	if (strncmp(text, "ref: refs/", 10))
		return NULL;
	text += 5;
	return arena_dup(flake_arena(), text, strcspn(text, "\r\n"));
}

/* It has no interface for it, but git's own list: "COMMIT\tREF" lines. */
static const char *sourcehut_commit(const struct repo *r, const char *ref)
{
	const char *full = ref && strcmp(ref, "HEAD") ? NULL : sourcehut_head(r);

	if ((!ref || !strcmp(ref, "HEAD")) && !full)
		return NULL;
	for (const char *p = ask_text(r, "info/refs"), *end; *p; p = *end ? end + 1 : end) {
		const char *tab = memchr(p, '\t', strcspn(p, "\n"));
		end = p + strcspn(p, "\n");
		if (!tab)
			continue;
		const char *name = arena_dup(flake_arena(), tab + 1, (size_t)(end - tab - 1));
		int found = full ? !strcmp(name, full)
				 : (!strncmp(name, "refs/heads/", 11) && !strcmp(name + 11, ref)) ||
					   (!strncmp(name, "refs/tags/", 10) && !strcmp(name + 10, ref));
		if (found)
			return arena_dup(flake_arena(), p, (size_t)(tab - p));
	}
	return NULL;
}

static const char *sourcehut_archive(const struct repo *r, const char *rev)
{
	struct buf url = BUF_GC;

	buf_addf(&url, "https://%s/%s/%s/archive/%s.tar.gz", r->host, r->owner, r->name, rev);
	return url.p;
}

/* --- all of them --- */

static const struct forge forges[] = {
	{ "github", "github.com", github_commit, github_archive },
	{ "gitlab", "gitlab.com", gitlab_commit, gitlab_archive },
	{ "sourcehut", "git.sr.ht", sourcehut_commit, sourcehut_archive },
};

static const struct forge *forge_of(const struct input *in)
{
	const char *type = source_get(in, "type");
	size_t i = 0;

	while (strcmp(forges[i].type, type))
		i++;
	return &forges[i];
}

static const char *encoded(const char *s)
{
	struct buf b = BUF_GC;

	url_encode(&b, slice_of(s), "~");
	return b.p;
}

/* The commit of the input's branch or tag, asked for no more often than addresses are. */
static const char *find_commit(const struct input *in, struct repo *r)
{
	const char *ref = source_get(in, "ref"), *rev;
	struct buf what = BUF_GC;

	buf_addf(&what, "%s:%s/%s/%s?host=%s", r->forge->type, r->owner, r->name, ref ? ref : "HEAD", r->host);
	rev = source_url_noted("commit", what.p);
	if (rev && is_commit(rev))
		return rev;
	const char *older = source_url_noted_once("commit", what.p), *failed = NULL;
	r->older_will_do = older && is_commit(older);
	if (r->older_will_do && eval_settings.offline)
		return older;
	r->failed = &failed;
	rev = r->forge->commit(r, ref);
	if (failed) {
		source_url_use_older(failed);
		return older;
	}
	if (!rev || !is_commit(rev))
		throw_error(EK_IO, "'%s' does not say which commit '%s' of '%s/%s' is", r->host, ref ? ref : "HEAD",
			    source_get(in, "owner"), source_get(in, "repo"));
	source_url_note("commit", what.p, rev);
	return rev;
}

struct forge_fetch {
	const struct input *in;
	struct flake_tree *t;
	struct repo repo;
};

static void run(void *arg)
{
	struct forge_fetch *f = arg;
	const char *rev = source_get(f->in, "rev");

	if (!rev)
		source_set(&f->t->locked, "rev", rev = find_commit(f->in, &f->repo));
	source_unset(&f->t->locked, "ref");
	source_bring(&(struct url_request){ f->repo.forge->archive(&f->repo, rev), URL_TARBALL, NULL, f->repo.token, 1 }, f->t);
}

/* What a token would help against. */
static int wants_token(const struct failure *f)
{
	static const char *const said[] = { "asked too often", "says 401", "says 403", "says 404" };
	const char *text = w_is_str(f->msg) ? w_get_str(f->msg)->b : "";

	for (size_t i = 0; i < sizeof said / sizeof *said; i++)
		if (strstr(text, said[i]))
			return 1;
	return 0;
}

/* The token for a repository, without the kind that Nix has gitlab's begin with ("PAT:", "OAuth2:"). */
static char *token_for(const struct input *in, const char *host)
{
	struct buf place = BUF_GC;
	char *token, *colon;

	buf_addf(&place, "%s/%s/%s", host, source_need(in, "owner"), source_need(in, "repo"));
	token = fetch_access_token(place.p);
	colon = token && !strcmp(source_get(in, "type"), "gitlab") ? strchr(token, ':') : NULL;
	if (colon)
		memmove(token, colon + 1, strlen(colon + 1) + 1);
	return token;
}

void source_forge(const struct input *in, struct flake_tree *t)
{
	const struct forge *forge = forge_of(in);
	const char *host = source_get(in, "host"), *rev = source_get(in, "rev");
	struct failure failure;

	if (rev && !is_commit(rev))
		throw_error(EK_EVAL, "'%s' is not a commit", rev);
	if (rev && input_get(in, "lastModified") && source_find_kept(in, t))
		return;
	host = host && *host ? host : forge->usual_host;
	char *token = token_for(in, host);
	struct forge_fetch f = {
		in, t, { forge, host, encoded(source_need(in, "owner")), encoded(source_need(in, "repo")), token, 0, NULL }
	};
	int ok = unwind_run(run, &f, &failure, TRACE_ALL);
	if (!ok && !token && failure.hint == W_NULL && wants_token(&failure)) {
		struct buf hint = BUF_GC;
		buf_addf(&hint, "if it is private, or was asked too often: the setting access-tokens, '%s=TOKEN'", host);
		failure.hint = w_str(hint.p, hint.len, 0);
	}
	free_secret(token);
	if (!ok)
		unwind_rethrow(&failure);
}
