/* SPDX-License-Identifier: MIT
 *
 * Archives are unpacked beside the trees that are kept, by descriptor (fetch/archive.h), and hashed before they get their name.  As
 * Nix has it, an archive with one folder at its top is that folder; one with anything else is a folder with all of it.
 *
 * A note on what an address gave is four lines: the hash, the latest time, the etag, the immutable address.
 */
#include "config.h"
#include "flake/source_url.h"
#include "base/mem.h"
#include "eval/error.h"
#include "eval/eval.h"
#include "fetch/archive.h"
#include "fetch/cache.h"
#include "fetch/transfer.h"
#include "flake/download.h"
#include "flake/kept.h"
#include "flake/source_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

const char *source_url_shown(const char *url)
{
	struct buf b = BUF_GC;

	transfer_show_url(&b, url);
	return b.p;
}

/* --- notes --- */

static struct slice note_key(const char *word, const char *url)
{
	struct buf b = BUF_GC;

	buf_addf(&b, "%s %s", word, source_url_shown(url));
	return (struct slice){ b.p, b.len };
}

/* What was noted, at most max_age seconds ago (0: ever). */
static const char *noted(const char *word, const char *url, unsigned max_age)
{
	struct buf text = BUF_GC;

	kept_fact(note_key(word, url), max_age, &text);
	return text.len ? arena_dup(flake_arena(), text.p, text.len) : NULL;
}

const char *source_url_noted(const char *word, const char *url)
{
	return eval_settings.tarball_ttl ? noted(word, url, eval_settings.tarball_ttl) : NULL;
}

const char *source_url_noted_once(const char *word, const char *url)
{
	return noted(word, url, 0);
}

void source_url_use_older(const char *why)
{
	struct buf b = BUF_GC;

	buf_addf(&b, "warning: %.*s; using what was fetched before", (int)strcspn(why, "\n"), why);
	eval_world()->message(b.p, b.len);
}

void source_url_note(const char *word, const char *url, const char *text)
{
	kept_note(note_key(word, url), slice_of(text));
}

/* --- what an address gave --- */

static const char *const words[] = { [URL_TARBALL] = "tarball", [URL_FILE] = "file" };

/* Cuts the next line off. */
static char *line(char **p)
{
	char *start = *p, *end = start + strcspn(start, "\n");

	*p = *end ? end + 1 : end;
	*end = 0;
	return start;
}

/* Reads a note; 1 when what it says is here. */
static int recall(const char *note, struct at_url *out, const char **etag)
{
	struct err e = ERR_INIT;
	char *p = arena_dup(flake_arena(), note, strlen(note)), *hash = line(&p);

	if (hash_parse(hash, strlen(hash), HASH_SHA256, &out->hash, NULL, &e)) {
		err_release(&e);
		return 0;
	}
	out->modified = strtoull(line(&p), NULL, 10);
	*etag = line(&p);
	*etag = **etag ? *etag : NULL;
	out->immutable = line(&p);
	out->immutable = *out->immutable ? out->immutable : NULL;
	out->place = kept_find(&out->hash);
	return out->place != NULL;
}

static void remember(const struct url_request *r, const struct at_url *u, const char *etag)
{
	char hash[HASH_TEXT_MAX];
	struct buf b = BUF_GC;

	hash_print(&u->hash, HASH_SRI, 1, hash);
	buf_addf(&b, "%s\n%llu\n%s\n%s\n", hash, (unsigned long long)u->modified, etag ? etag : "",
		 u->immutable ? u->immutable : "");
	source_url_note(words[r->kind], r->url, b.p);
}

/* --- fetching --- */

struct fetching {
	struct kept_new kept;
	int fd;
	struct archive_facts facts;
};

static void release(void *arg)
{
	struct fetching *f = arg;

	if (f->fd >= 0)
		close(f->fd);
	archive_facts_release(&f->facts);
}

/* An archive is the one folder at its top, or all that is there. */
static const char *top_of(const struct fetching *f)
{
	struct buf b = BUF_GC;
	struct stat st;

	if (!f->facts.single)
		return f->kept.path;
	buf_addf(&b, "%s/%s", f->kept.path, f->facts.single);
	return !lstat(b.p, &st) && S_ISDIR(st.st_mode) ? b.p : f->kept.path;
}

static const char *unpack(const struct url_request *r, struct fetching *f, struct at_url *out)
{
	struct err e = ERR_INIT;

	lseek(f->fd, 0, SEEK_SET);
	if (archive_unpack_fd(f->fd, f->kept.fd, NULL, &f->facts, &e)) {
		err_prefix(&e, "cannot unpack '%s'", source_url_shown(r->url));
		throw_err(&e);
	}
	out->modified = f->facts.newest > 0 ? (uint64_t)f->facts.newest : 0;
	return top_of(f);
}

/* Where it is written: of an archive only what is in it is kept. */
static int open_target(const struct url_request *r, int dirfd)
{
	if (r->kind == URL_TARBALL)
		return download_nameless(dirfd);
	int fd = openat(dirfd, "file", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		throw_error(EK_IO, "cannot make a file in the cache: %s", strerror(errno));
	return fd;
}

static const char *one_file(const struct fetching *f)
{
	struct buf b = BUF_GC;

	if (fchmod(f->fd, 0644))
		throw_error(EK_IO, "cannot keep what is fetched: %s", strerror(errno));
	buf_addf(&b, "%s/file", f->kept.path);
	return b.p;
}

/* Fetches it and keeps it; what the server has no newer one of stays as it is, and so does what it cannot be asked for. */
static void fetch(const struct url_request *r, struct download *d, struct at_url *out)
{
	struct fetching f = { .fd = -1 };

	kept_begin(&f.kept);
	protect_push(release, &f);
	f.fd = open_target(r, f.kept.fd);
	download_file(d, f.fd);
	const char *top = d->not_modified || d->failed ? NULL : r->kind == URL_FILE ? one_file(&f) : unpack(r, &f, out);
	protect_pop(1);
	if (!top) {
		kept_drop(&f.kept);
		return;
	}
	out->immutable = d->immutable;
	out->place = kept_finish(&f.kept, top, &out->hash);
}

/* What people take for archives. */
static void check_local(const struct url_request *r, const char *path)
{
	struct buf git = BUF_GC;
	struct stat st;

	if (stat(path, &st))
		throw_error(EK_IO, "the file '%s' cannot be read: %s", path, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return;
	buf_addf(&git, "%s/.git", path);
	if (r->kind == URL_TARBALL && !lstat(git.p, &st))
		throw_error_hint(EK_EVAL, "'git+file:' in front of it names a repository",
				 "'%s' is a git repository, not an archive", path);
	throw_error_hint(EK_EVAL, r->kind == URL_TARBALL ? "'path:' in front of it names a folder" : NULL,
			 "'%s' is a folder, not a file", path);
}

/* What was noted at most max_age seconds ago (0: ever) is here, and what is wanted. */
static int is_noted(const struct url_request *r, unsigned max_age, struct at_url *out)
{
	const char *note = noted(words[r->kind], r->url, max_age), *etag;

	return note && recall(note, out, &etag) && (!r->want || hash_eq(r->want, &out->hash));
}

/* Asks an address elsewhere, unless there is to be no network; what was here before may do. */
static void ask(const struct url_request *r, struct at_url *out)
{
	struct download d = { .url = r->url, .bearer = r->bearer };
	const char *old = noted(words[r->kind], r->url, 0), *etag = NULL;

	if (old && recall(old, out, &etag)) {
		if (eval_settings.offline)
			return;
		d.older_will_do = !r->want || hash_eq(r->want, &out->hash);
		d.etag = d.older_will_do ? etag : NULL;
	}
	fetch(r, &d, out);
	if (d.failed) {
		source_url_use_older(d.failed);
		return;
	}
	remember(r, out, d.not_modified ? etag : d.new_etag);
}

static void close_lock(void *arg)
{
	close(*(int *)arg);
}

/* One process asks for an address at a time; waited is 1 when another did so until now. */
static int lock_address(const struct url_request *r, int *waited)
{
	struct cache *c;
	struct err e = ERR_INIT;
	int rc = cache_open(&c, NULL, &e);

	rc = rc ? rc : cache_lock(c, note_key(words[r->kind], r->url), waited, &e);
	cache_free(c);
	if (rc < 0)
		throw_err(&e);
	return rc;
}

static void bring_remote(const struct url_request *r, struct at_url *out)
{
	time_t began = time(NULL);
	int waited = 0, lock;

	if ((r->always || eval_settings.tarball_ttl) && is_noted(r, r->always ? 0 : eval_settings.tarball_ttl, out))
		return;
	lock = lock_address(r, &waited);
	protect_push(close_lock, &lock);
	/* What came meanwhile is new enough for whoever does not want what came before. */
	if (!waited || !is_noted(r, (unsigned)(time(NULL) - began) + 1, out))
		ask(r, out);
	protect_pop(1);
}

void source_url_bring(const struct url_request *r, struct at_url *out)
{
	struct download d = { .url = r->url };
	const char *file = source_file_path(r->url);

	*out = (struct at_url){ 0 };
	if (!file) {
		bring_remote(r, out);
		return;
	}
	check_local(r, file);
	fetch(r, &d, out);
}
