/* SPDX-License-Identifier: MIT
 *
 * Where submodules come from: .gitmodules of a commit, read by `git config`, and the rules for addresses in it.  It is part of the
 * tree, so whoever wrote that wrote it: an address is what git_check_url takes, and what comes from elsewhere may not name what
 * lies here.
 */
#include "config.h"
#include "fetch/git.h"
#include "fetch/git_int.h"

#include <string.h>

static int has_transport(const char *url)
{
	return strstr(url, "://") != NULL;
}

static int is_here(const char *url)
{
	return *url == '/' || !strncmp(url, "file://", 7);
}

/* Cuts the last component of an address off. */
static int cut_last(struct buf *b)
{
	const char *host = strstr(buf_str(b), "://");
	size_t least = host ? (size_t)(host + 3 - b->p) + strcspn(host + 3, "/") : 1;

	while (b->len > least && b->p[b->len - 1] == '/')
		buf_trim(b, b->len - 1);
	while (b->len > least && b->p[b->len - 1] != '/')
		buf_trim(b, b->len - 1);
	while (b->len > least && b->p[b->len - 1] == '/')
		buf_trim(b, b->len - 1);
	return b->len > least || (b->len && b->p[b->len - 1] != '/');
}

/* "../x" and "./x", from the address of what has it. */
static int resolve(const char *parent, const char *url, struct buf *out, struct err *e)
{
	const char *rest = url;
	int ok = 1;

	buf_adds(out, parent);
	while (ok && *rest == '.') {
		if (!strncmp(rest, "./", 2))
			rest += 2;
		else if (!strncmp(rest, "../", 3) && (ok = cut_last(out)))
			rest += 3;
		else
			break;
	}
	if (!ok)
		return err_set(e, ERR_INVALID, "the address '%s' leads out of '%s'", url, parent);
	while (out->len && out->p[out->len - 1] == '/')
		buf_trim(out, out->len - 1);
	buf_addf(out, "/%s", rest);
	return 0;
}

int git_complete_url(const char *parent, const char *url, struct buf *out, struct err *e)
{
	size_t colon = strcspn(url, ":/");
	int rc = 0;

	if (!strncmp(url, "./", 2) || !strncmp(url, "../", 3)) {
		rc = resolve(parent, url, out, e);
	} else if (*url != '/' && url[colon] == ':' && url[colon + 1] != ':' && !has_transport(url)) {
		/* "user@host:path" */
		buf_addf(out, "ssh://%.*s/%s", (int)colon, url, url + colon + 1);
	} else {
		buf_adds(out, url);
	}
	if (!rc)
		rc = git_check_url(buf_str(out), e);
	if (!rc && is_here(out->p) && !is_here(parent))
		rc = err_set(e, ERR_DENIED, "the address '%s' names what lies here, but comes from '%s'", url, parent);
	return rc;
}

/* Of records "submodule.NAME.path\nVALUE\0", the value whose key has this beginning and end; NULL for none. */
static const char *find_value(const struct buf *text, struct slice name, const char *end)
{
	for (const char *p = text->p, *last = p + text->len; p < last; p += strlen(p) + 1) {
		const char *value = strchr(p, '\n');
		struct slice key = { p, value ? (size_t)(value - p) : 0 };

		if (slice_starts(key, name) && slice_eq((struct slice){ key.p + name.n, key.n - name.n }, slice_of(end)))
			return value + 1;
	}
	return NULL;
}

/* "submodule.NAME." of the one at a path; empty when there is none. */
static struct slice find_name(const struct buf *text, const char *path)
{
	for (const char *p = text->p, *last = p + text->len; p < last; p += strlen(p) + 1) {
		const char *value = strchr(p, '\n');
		struct slice key = { p, value ? (size_t)(value - p) : 0 };

		if (slice_ends(key, SLICE(".path")) && !strcmp(value + 1, path))
			return (struct slice){ key.p, key.n - 4 };
	}
	return (struct slice){ "", 0 };
}

/* Relative addresses start where git lets them: at what the repository was cloned from, when it was.  Those of the cache have no
 * such name. */
static int add_origin(const char *dir, const char *parent, struct buf *out, struct err *e)
{
	struct buf text = BUF_INIT;
	struct git_call c;
	int status = 0, rc;

	git_call_init(&c, dir, "");
	words_add(&c.argv, "config");
	words_add(&c.argv, "--local");
	words_add(&c.argv, "-z");
	words_add(&c.argv, "--get");
	words_add(&c.argv, "remote.origin.url");
	rc = git_call_run(&c, &text, &status, e);
	if (!rc)
		rc = git_complete_url(parent, !status && text.len ? text.p : parent, out, e);
	buf_release(&text);
	return rc;
}

static int complete(const char *dir, const char *parent, const char *url, struct buf *out, struct err *e)
{
	struct buf origin = BUF_INIT;
	int rc;

	if (strncmp(url, "./", 2) && strncmp(url, "../", 3))
		return git_complete_url(parent, url, out, e);
	rc = add_origin(dir, parent, &origin, e);
	rc = rc ? rc : git_complete_url(origin.p, url, out, e);
	buf_release(&origin);
	return rc;
}

int git_submodule_url(const char *dir, const char *rev, const char *path, const char *parent, struct buf *out, struct err *e)
{
	struct buf text = BUF_INIT;
	struct git_call c;
	int status = 0, rc = git_check_rev(slice_of(rev), e);

	if (rc)
		return rc;
	git_call_init(&c, dir, "");
	words_add(&c.argv, "config");
	words_addf(&c.argv, "--blob=%s:.gitmodules", rev);
	words_add(&c.argv, "-z");
	words_add(&c.argv, "--get-regexp");
	words_add(&c.argv, "^submodule[.].*[.](path|url)$");
	rc = git_call_run(&c, &text, &status, e);
	struct slice name = rc || status ? (struct slice){ "", 0 } : find_name(&text, path);
	const char *url = name.n ? find_value(&text, name, "url") : NULL;
	if (!rc && !url)
		rc = err_set(e, ERR_NOTFOUND, ".gitmodules has no address for it");
	else if (!rc)
		rc = complete(dir, parent, url, out, e);
	if (rc)
		err_prefix(e, "the submodule '%s' of '%s' cannot be fetched", path, parent);
	buf_release(&text);
	return rc;
}
