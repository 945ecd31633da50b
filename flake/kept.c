/* SPDX-License-Identifier: MIT
 *
 * A damaged tree is moved aside before it is removed, so that its name never stands for half of it, and so is never
 * in the way of the right one.  Who reads it at that moment reads something damaged either way.
 */
#include "config.h"
#include "flake/kept.h"
#include "base/mem.h"
#include "eval/error.h"
#include "fetch/cache.h"
#include "flake/source.h"
#include "format/nar.h"
#include "store/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *folder(void)
{
	struct err e = ERR_INIT;
	struct buf b = BUF_GC;

	throw_if(cache_folder("trees", &b, &e), &e);
	return b.p;
}

static const char *path_of(const struct hash *h)
{
	char text[HASH_TEXT_MAX];
	struct buf b = BUF_GC;

	hash_print(h, HASH_NIX32, 0, text);
	buf_addf(&b, "%s/%s", folder(), text);
	return b.p;
}

/* A new folder beside the trees, collected. */
static char *make_temp(void)
{
	struct buf b = BUF_GC;

	buf_addf(&b, "%s/tmp-XXXXXX", folder());
	if (!mkdtemp(b.p))
		throw_error(EK_IO, "cannot make a folder in the cache: %s", strerror(errno));
	return b.p;
}

static void remove_folder(void *arg)
{
	tree_remove(AT_FDCWD, arg, NULL, NULL, NULL);
}

static void remove_damaged(const char *path)
{
	char *aside = make_temp();

	if (rename(path, aside) && errno != ENOENT)
		throw_error(EK_IO, "'%s' is damaged and cannot be moved away: %s", path, strerror(errno));
	remove_folder(aside);
}

const char *kept_find(const struct hash *h)
{
	const char *path = path_of(h);
	struct err e = ERR_INIT;
	struct hash is;
	struct stat st;

	if (lstat(path, &st))
		return NULL;
	if (nar_hash(h->algo, AT_FDCWD, path, NULL, NULL, &is, NULL, &e) || !hash_eq(h, &is)) {
		err_release(&e);
		remove_damaged(path);
		return NULL;
	}
	return arena_dup(flake_arena(), path, strlen(path));
}

static void release(void *arg)
{
	struct kept_new *n = arg;

	close(n->fd);
	remove_folder(n->path);
}

void kept_begin(struct kept_new *n)
{
	n->path = make_temp();
	n->fd = open(n->path, O_DIRECTORY | O_CLOEXEC);
	if (n->fd < 0)
		throw_error(EK_IO, "cannot open '%s': %s", n->path, strerror(errno));
	protect_push(release, n);
}

const char *kept_finish(struct kept_new *n, const char *dir, struct hash *h)
{
	struct err e = ERR_INIT;
	const char *place;

	throw_if(nar_hash(HASH_SHA256, AT_FDCWD, dir, NULL, NULL, h, NULL, &e), &e);
	if (syncfs(n->fd))
		throw_error(EK_IO, "cannot write '%s' to the disk: %s", n->path, strerror(errno));
	/* Somebody else may be first, now or long ago. */
	while (!(place = kept_find(h)) && rename(dir, path_of(h)))
		if (errno != EEXIST && errno != ENOTEMPTY)
			throw_error(EK_IO, "cannot make the folder '%s': %s", path_of(h), strerror(errno));
	if (!place)
		place = arena_dup(flake_arena(), path_of(h), strlen(path_of(h)));
	protect_pop(1);
	return place;
}

void kept_drop(struct kept_new *n)
{
	(void)n;
	protect_pop(1);
}

/* --- what is known of trees --- */

void kept_fact(struct slice key, unsigned max_age, struct buf *out)
{
	struct cache *c;
	struct err e = ERR_INIT;
	int rc = cache_open(&c, NULL, &e);

	if (!rc)
		rc = cache_get(c, key, max_age, out, &e);
	cache_free(c);
	if (rc < 0)
		throw_err(&e);
}

void kept_note(struct slice key, struct slice value)
{
	struct cache *c;
	struct err e = ERR_INIT;
	int rc = cache_open(&c, NULL, &e);

	if (!rc)
		rc = cache_put(c, key, value, &e);
	cache_free(c);
	throw_if(rc, &e);
}

int kept_fact_hash(struct slice key, struct hash *out)
{
	struct buf text = BUF_GC;

	kept_fact(key, 0, &text);
	return text.len && !hash_parse(text.p, text.len, HASH_SHA256, out, NULL, NULL);
}

void kept_note_hash(struct slice key, const struct hash *h)
{
	char text[HASH_TEXT_MAX];

	kept_note(key, (struct slice){ text, hash_print(h, HASH_SRI, 1, text) });
}

const char *kept_find_noted(struct slice key, struct hash *h)
{
	return kept_fact_hash(key, h) ? kept_find(h) : NULL;
}
