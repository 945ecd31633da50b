/* SPDX-License-Identifier: MIT
 *
 * The files of a binary cache as they would be if a store were one: nothing is written down for it, an archive is made while it is
 * read.  Who asks for one gets a socket that a thread writes to; a reader that goes away ends it.
 */
#include "config.h"
#include "cache/store_cache.h"
#include "base/alloc.h"
#include "base/thread.h"
#include "format/nar.h"
#include "format/narinfo.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct store_cache {
	struct place place;
	struct store *s;
};

int store_cache_open(struct store_cache **out, const char *address, struct err *e)
{
	const struct place_request r = { .store = address };
	struct store_cache *c = xcalloc(1, sizeof *c);
	int rc = place_choose(&c->place, &r, e);

	if (!rc && c->place.mode == PLACE_VIEW)
		rc = err_set(e, ERR_INVALID, "it is a store of others, and objects come out of caches and folders");
	rc = rc ? rc : store_open(&c->s, &c->place, STORE_READONLY, e);
	if (rc) {
		store_cache_free(c);
		c = NULL;
	}
	*out = c;
	return rc;
}

void store_cache_free(struct store_cache *c)
{
	if (!c)
		return;
	store_free(c->s);
	place_release(&c->place);
	free(c);
}

/* The row of the object whose digest a name begins with. */
static int find(struct store_cache *c, const char *digest, struct path_info *out, struct err *e)
{
	struct store_path p;
	int rc = db_find_digest(store_db(c->s), (struct slice){ digest, STORE_HASH_LEN }, &p, e);

	return rc ? rc : db_info(store_db(c->s), &p, out, e);
}

static void add_narinfo(struct store_cache *c, const struct path_info *i, struct buf *b)
{
	char url[STORE_HASH_LEN + 16];
	struct narinfo n = { .path = i->path, .url = url, .nar_hash = i->nar_hash, .nar_size = i->nar_size, .refs = i->refs,
			     .deriver = i->deriver, .ca = i->ca, .sigs = i->sigs, .file_hash = i->nar_hash,
			     .file_size = i->nar_size };

	snprintf(url, sizeof url, "nar/%.*s.nar", STORE_HASH_LEN, i->path.base);
	narinfo_add(b, store_dir(c->s), &n);
}

int store_cache_read(struct store_cache *c, const char *name, struct buf *out, struct err *e)
{
	struct path_info i = { 0 };
	int rc = 0;

	if (!strcmp(name, "nix-cache-info"))
		buf_addf(out, "StoreDir: %s\nWantMassQuery: 1\nPriority: 0\n", c->place.store_dir);
	else if (strlen(name) != STORE_HASH_LEN + 8 || strcmp(name + STORE_HASH_LEN, ".narinfo"))
		rc = err_set(e, ERR_NOTFOUND, "a store has no '%s'", name);
	else if (!(rc = find(c, name, &i, e)))
		add_narinfo(c, &i, out);
	path_info_release(&i);
	return rc;
}

/* --- archives --- */

struct sending {
	int store, to;
	char name[STORE_BASE_MAX + 1];
};

static int send_piece(void *user, const void *p, size_t n, struct err *e)
{
	const struct sending *s = user;

	for (const char *at = p; n;) {
		ssize_t k = send(s->to, at, n, MSG_NOSIGNAL);

		if (k < 0 && errno != EINTR)
			return err_errno(e, "nobody reads the archive");
		if (k > 0)
			at += k, n -= (size_t)k;
	}
	return 0;
}

static void *send_archive(void *user)
{
	struct sending *s = user;
	const struct nar_sink sink = { send_piece, s };

	/* One that ends early is found to be cut off. */
	nar_write(s->store, s->name, s->name, NULL, &sink, NULL);
	close(s->to);
	close(s->store);
	free(s);
	return NULL;
}

static int start(struct sending *s, struct err *e)
{
	pthread_t thread;
	int rc = thread_start(&thread, send_archive, s);

	if (rc)
		return err_set(e, ERR_IO, "cannot start a thread: %s", strerror(rc));
	pthread_detach(thread);
	return 0;
}

int store_cache_archive(struct store_cache *c, const char *name, struct err *e)
{
	struct path_info i = { 0 };
	struct sending *s;
	int ends[2], rc;

	if (strlen(name) != STORE_HASH_LEN + 8 || strncmp(name, "nar/", 4))
		return err_set(e, ERR_NOTFOUND, "a store has no '%s'", name);
	rc = find(c, name + 4, &i, e);
	if (!rc && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		rc = err_errno(e, "cannot make a pair of sockets");
	if (rc) {
		path_info_release(&i);
		return rc;
	}
	s = xcalloc(1, sizeof *s);
	s->store = fcntl(store_fd(c->s), F_DUPFD_CLOEXEC, 0);
	s->to = ends[1];
	snprintf(s->name, sizeof s->name, "%s", i.path.base);
	path_info_release(&i);
	rc = s->store < 0 ? err_errno(e, "too many open files") : start(s, e);
	if (rc) {
		if (s->store >= 0)
			close(s->store);
		close(ends[0]);
		close(ends[1]);
		free(s);
	}
	return rc ? rc : ends[0];
}
