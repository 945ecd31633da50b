/* SPDX-License-Identifier: MIT
 *
 * Trees that come as an archive: tarball addresses, and the archives github and gitlab make of a commit.
 *
 * What was unpacked is kept in the cache by its hash (flake/kept.h), so a tree that is locked is fetched once.  A branch or tag of
 * a forge is first asked for its commit; the lock then names that alone.
 */
#include "config.h"
#include "flake/kept.h"
#include "flake/source_int.h"
#include "base/limits.h"
#include "base/mem.h"
#include "eval/error.h"
#include "eval/eval.h"
#include "fetch/archive.h"
#include "fetch/transfer.h"
#include "fetch/url.h"
#include "base/json_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ANSWER_MAX = 16 << 20 };

static void check(int rc, struct err *e)
{
	if (rc < 0)
		throw_err(e);
}

/* --- transfers --- */

struct download {
	struct transfer_settings settings;
	struct transfer_engine *engine;
	int fd;
};

static void release(void *arg)
{
	struct download *d = arg;

	transfer_engine_free(d->engine);
	transfer_settings_release(&d->settings);
	if (d->fd >= 0)
		close(d->fd);
}

static int to_file(void *user, const void *p, size_t n, struct err *e)
{
	const struct download *d = user;
	const char *at = p;

	while (n) {
		ssize_t k = write(d->fd, at, n);
		if (k < 0 && errno != EINTR)
			return err_errno(e, "cannot keep what is fetched");
		at += k > 0 ? k : 0;
		n -= k > 0 ? (size_t)k : 0;
	}
	return 0;
}

static int anew(void *user, struct err *e)
{
	const struct download *d = user;

	if (ftruncate(d->fd, 0) || lseek(d->fd, 0, SEEK_SET))
		return err_errno(e, "cannot keep what is fetched");
	return 0;
}

static void start(struct download *d, const char *url)
{
	struct err e = ERR_INIT;

	if (eval_settings.offline && strncmp(url, "file:", 5))
		throw_error(EK_IO, "'%s' needs the network, and --offline was given", url);
	protect_push(release, d);
	check(transfer_settings_load(&d->settings, &e), &e);
	d->engine = transfer_engine_new(&d->settings, &e);
	if (!d->engine)
		throw_err(&e);
}

/* A file without a name in a folder, gone when it is closed.  On the disk: an archive may be larger than memory. */
static int nameless(int dirfd)
{
	int fd = openat(dirfd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT))
		return fd;
	fd = openat(dirfd, "archive", O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0)
		unlinkat(dirfd, "archive", 0);
	return fd;
}

/* Fetches an archive and unpacks it into a folder, which is empty. */
static void fetch_archive(const char *url, int dirfd, struct archive_facts *facts)
{
	struct download d = { .fd = -1 };
	struct transfer_request r = { .url = url, .max_size = LIMIT_ARCHIVE_PACKED, .write = to_file, .restart = anew, .user = &d };
	struct err e = ERR_INIT;

	start(&d, url);
	d.fd = nameless(dirfd);
	if (d.fd < 0)
		throw_error(EK_IO, "cannot make a file in the cache: %s", strerror(errno));
	check(transfer_get(d.engine, &r, NULL, &e), &e);
	lseek(d.fd, 0, SEEK_SET);
	if (archive_unpack_fd(d.fd, dirfd, NULL, facts, &e)) {
		err_prefix(&e, "cannot unpack '%s'", url);
		throw_err(&e);
	}
	protect_pop(1);
}

/* The JSON document at an address, in the flake arena. */
static struct jnode *fetch_json(const char *url)
{
	struct download d = { .fd = -1 };
	struct buf text = BUF_GC;
	struct err e = ERR_INIT;
	struct jnode *doc;

	start(&d, url);
	check(transfer_get_buf(d.engine, url, ANSWER_MAX, &text, &e), &e);
	protect_pop(1);
	struct slice kept = { arena_dup(flake_arena(), buf_str(&text), text.len), text.len };
	check(json_tree_parse(flake_arena(), kept, &doc, &e), &e);
	return doc;
}

/* --- the cache --- */

/* Whether the tree that the reference is locked to is here already. */
static int find_kept(const struct input *in, struct flake_tree *t)
{
	const char *text = source_get(in, "narHash");
	struct err e = ERR_INIT;
	struct hash h;

	if (!text || !*text)
		return 0;
	check(hash_parse(text, strlen(text), HASH_SHA256, &h, NULL, &e), &e);
	t->place = kept_find(&h);
	if (t->place)
		t->hash = h;
	return t->place != NULL;
}

/* Unpacks an archive and moves what is in it to where trees are kept. */
static void unpack(const char *url, struct flake_tree *t)
{
	struct archive_facts facts = { 0 };
	struct buf top = BUF_GC;
	struct kept_new n;

	kept_begin(&n);
	fetch_archive(url, n.fd, &facts);
	buf_addf(&top, "%s%s%s", n.path, facts.single ? "/" : "", facts.single ? facts.single : "");
	if (!input_get(&t->locked, "lastModified"))
		source_set_int(&t->locked, "lastModified", facts.newest > 0 ? (uint64_t)facts.newest : 0);
	archive_facts_release(&facts);
	t->place = kept_finish(&n, top.p, &t->hash);
}

/* --- forges --- */

static const char *need(const struct input *in, const char *name)
{
	const char *s = source_get(in, name);

	if (!s)
		throw_error(EK_EVAL, "the input lacks '%s'", name);
	return s;
}

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
		add_part(&url, need(in, "owner"));
		buf_adds(&url, "%2F");
		add_part(&url, need(in, "repo"));
		buf_adds(&url, "/repository/commits?ref_name=");
		add_part(&url, ref ? ref : "HEAD");
	} else {
		buf_addf(&url, strcmp(host, "github.com") ? "https://%s/api/v3/repos/" : "https://api.%s/repos/", host);
		add_part(&url, need(in, "owner"));
		buf_addc(&url, '/');
		add_part(&url, need(in, "repo"));
		buf_adds(&url, "/commits/");
		url_encode(&url, slice_of(ref ? ref : "HEAD"), "/");
	}
	doc = fetch_json(url.p);
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
	add_part(&url, need(in, "owner"));
	buf_adds(&url, is_gitlab ? "%2F" : "/");
	add_part(&url, need(in, "repo"));
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
	if (rev && input_get(in, "lastModified") && find_kept(in, t))
		return;
	if (!rev)
		source_set(&t->locked, "rev", rev = ask_commit(in, is_gitlab, host));
	source_unset(&t->locked, "ref");
	unpack(forge_url(in, is_gitlab, host, rev), t);
}

void source_tarball(const struct input *in, struct flake_tree *t)
{
	if (!input_get(in, "lastModified") || !find_kept(in, t))
		unpack(need(in, "url"), t);
}
