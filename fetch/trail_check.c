/* SPDX-License-Identifier: MIT
 *
 * Looking again.  Most of it is one system call an entry: what has the identity it had is not opened.
 *
 * The folders of a work tree are compared by what git tracks in them, so that a file which was never seen may come and go; its
 * index is read for that only when such a folder changed.
 */
#include "config.h"
#include "fetch/trail_int.h"
#include "base/dir.h"
#include "base/fdio.h"
#include "base/limits.h"
#include "fetch/git.h"
#include "fetch/git_index.h"
#include "format/basen.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct check {
	const struct trail_now *now;
	size_t n_now;
	struct buf *why;
	int all; /* look at the rest too when something changed */
	int *fresh;
	const char *top; /* of the index that was looked at last, as its entry names it */
	int same_index;
	struct git_index index; /* when it is not the same */
};

/* --- folders and indexes --- */

static int counts(const struct git_index *tracked, const char *below, const char *name)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof path, "%s%s%s", below, *below ? "/" : "", name);

	return n > 0 && (size_t)n < sizeof path && git_index_has(tracked, (struct slice){ path, (size_t)n });
}

struct seen {
	struct trail_listing *l;
	const struct git_index *tracked;
	const char *below;
};

static void see(void *arg, const char *name, unsigned char type)
{
	const struct seen *s = arg;

	if (!s->tracked || counts(s->tracked, s->below, name))
		trail_listing_add(s->l, name, type);
}

int trail_list_now(const char *path, const struct git_index *tracked, const char *below, struct trail_listing *l, struct stat *st)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = -1;
	struct seen s = { l, tracked, below };

	*l = (struct trail_listing){ { 0 } };
	if (fd >= 0 && !fstat(fd, st))
		rc = dir_each(fd, see, &s);
	if (fd >= 0)
		close(fd);
	return rc;
}

/* All of a regular file of at most max bytes. */
static int read_file(const char *path, uint64_t max, struct buf *out, struct stat *st)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc = -1;

	if (fd >= 0 && !fstat(fd, st) && S_ISREG(st->st_mode) && (uint64_t)st->st_size <= max) {
		buf_reserve(out, (size_t)st->st_size + 1);
		rc = fd_read_all(fd, out);
	}
	if (fd >= 0)
		close(fd);
	return rc;
}

static void sum_names(const struct git_index *x, uint8_t sum[HASH_SHA256_LEN])
{
	struct hash_ctx c;
	struct hash h;

	hash_init(&c, HASH_SHA256);
	for (size_t i = 0; i < x->n; i++)
		hash_update(&c, x->names[i].p, x->names[i].n + 1);
	hash_final(&c, &h);
	memcpy(sum, h.b, HASH_SHA256_LEN);
}

int trail_index_sum(const char *file, int whole, struct git_index *index, struct stat *st, uint8_t sum[HASH_SHA256_LEN])
{
	struct git_index own = { .n = 0 }, *x = index ? index : &own;
	struct buf b = BUF_INIT;
	int rc = read_file(file, LIMIT_PROGRAM_OUTPUT, &b, st);

	if (!rc && git_index_parse((struct slice){ buf_str(&b), b.len }, x)) {
		git_index_release(x);
		trail_sum(buf_str(&b), b.len, sum);
	} else if (!rc && whole) {
		memset(sum, 0, HASH_SHA256_LEN);
		memcpy(sum, x->sum, sizeof x->sum);
	} else if (!rc) {
		sum_names(x, sum);
	}
	git_index_release(&own);
	buf_release(&b);
	return rc;
}

/* --- one thing --- */

/* Takes over the identity of what was found to be the same. */
static void refresh(struct check *c, struct trail_entry *e, const struct stat *st)
{
	e->id = trail_id_of(st);
	e->flags &= (uint8_t)~TRAIL_YOUNG;
	if (trail_is_young(&e->id))
		e->flags |= TRAIL_YOUNG;
	*c->fresh = 1;
}

static int same_id(const struct trail_entry *e, const struct stat *st)
{
	struct trail_id id = trail_id_of(st);

	return !(e->flags & TRAIL_YOUNG) && !memcmp(&id, &e->id, sizeof id);
}

static int same_sum(const struct trail_entry *e, const void *p, size_t n)
{
	uint8_t sum[HASH_SHA256_LEN];

	trail_sum(p, n, sum);
	return (e->flags & TRAIL_HAS_SUM) && !memcmp(sum, e->sum, sizeof sum);
}

static int file_holds(struct check *c, struct trail_entry *e)
{
	struct buf b = BUF_INIT;
	struct stat st;
	int ok = 0;

	if (stat(trail_name(e), &st))
		return 0;
	if (same_id(e, &st))
		return 1;
	if ((e->flags & TRAIL_HAS_SUM) && S_ISREG(st.st_mode) && (st.st_mode & 0777) == (e->id.mode & 0777) &&
	    !read_file(trail_name(e), LIMIT_STRING_LENGTH, &b, &st))
		ok = same_sum(e, buf_str(&b), b.len);
	if (ok)
		refresh(c, e, &st);
	buf_release(&b);
	return ok;
}

/* What a file is called in the index, which is read for it; NULL when that cannot be said. */
static const char *below_top(struct check *c, const char *path)
{
	size_t n = c->top ? strlen(c->top) : 0;
	uint8_t sum[HASH_SHA256_LEN];
	struct stat st;

	if (!c->top || strncmp(path, c->top, n) || (path[n] && path[n] != '/'))
		return NULL;
	if (!c->index.n && (trail_index_sum(c->top + n + 1, 0, &c->index, &st, sum) || !c->index.n))
		return NULL;
	return path + n + (path[n] == '/');
}

/* Git tracks what it did where the path is. */
static int is_in_same_index(const struct check *c, const char *path)
{
	size_t n = c->same_index ? strlen(c->top) : 0;

	return n && !strncmp(path, c->top, n) && (!path[n] || path[n] == '/');
}

static int tracks_holds(struct check *c, const struct trail_entry *e)
{
	if (is_in_same_index(c, trail_name(e)))
		return 1;
	const char *below = below_top(c, trail_name(e));
	return below && git_index_has(&c->index, slice_of(below)) == e->what;
}

/* It does as long as its contents are named otherwise. */
static int differs_holds(const struct trail_entry *e)
{
	char name[GIT_REV_MAX + 1] = "", blob[GIT_REV_MAX + 1];
	int fd = open(trail_name(e), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return 1;
	int known = e->id.size == 20 || e->id.size == 32;
	int rc = known ? git_name_contents(fd, e->id.size == 20 ? HASH_SHA1 : HASH_SHA256, name) : -1;
	close(fd);
	if (!known)
		return 0;
	base16_encode(e->sum, (size_t)e->id.size, blob);
	return rc || memcmp(name, blob, (size_t)e->id.size * 2) != 0;
}

static int dir_holds(struct check *c, struct trail_entry *e)
{
	int tracked = e->flags & TRAIL_TRACKED, known = !tracked || is_in_same_index(c, trail_name(e));
	const char *below = NULL;
	struct trail_listing l;
	struct stat st;

	if (stat(trail_name(e), &st))
		return 0;
	if (same_id(e, &st) && known)
		return 1;
	if (tracked && !(below = below_top(c, trail_name(e))))
		return 0;
	if (trail_list_now(trail_name(e), below ? &c->index : NULL, below, &l, &st) || memcmp(l.v, e->sum, sizeof l.v))
		return 0;
	refresh(c, e, &st);
	return 1;
}

static int index_holds(struct check *c, struct trail_entry *e)
{
	const char *file = trail_name(e) + strlen(trail_name(e)) + 1;
	uint8_t sum[HASH_SHA256_LEN];
	struct stat st;

	git_index_release(&c->index);
	c->top = trail_name(e);
	c->same_index = 0;
	if (stat(file, &st))
		return 0;
	if (same_id(e, &st))
		return c->same_index = 1;
	if (trail_index_sum(file, e->kind == TRAIL_INDEX_WHOLE, &c->index, &st, sum))
		return 0;
	/* Of one that was understood each name counts for itself. */
	if (memcmp(sum, e->sum, sizeof sum) && (e->kind == TRAIL_INDEX_WHOLE || !c->index.n))
		return 0;
	refresh(c, e, &st);
	return 1;
}

static int link_holds(const struct trail_entry *e)
{
	char target[PATH_MAX];
	ssize_t n = readlink(trail_name(e), target, sizeof target);

	return n >= 0 && same_sum(e, target, (size_t)n);
}

static int real_holds(const struct trail_entry *e)
{
	char *real = realpath(trail_name(e), NULL);
	int same = same_sum(e, real ? real : "", real ? strlen(real) : 0);

	free(real);
	return same;
}

static int env_holds(const struct trail_entry *e)
{
	const char *value = getenv(trail_name(e));

	return value ? same_sum(e, value, strlen(value)) : !(e->flags & TRAIL_HAS_SUM);
}

static int said_holds(const struct check *c, const struct trail_entry *e)
{
	for (size_t i = 0; i < c->n_now; i++)
		if (!strcmp(c->now[i].name, trail_name(e)))
			return same_sum(e, c->now[i].value.p, c->now[i].value.n);
	return 0;
}

static int member_holds(const struct trail_entry *e)
{
	struct stat st;

	return !lstat(trail_name(e), &st) && same_id(e, &st);
}

/* The next file of a TRAIL_MEMBERS, and *p behind it; NULL when there is none. */
static const char *next_member(const char **p, const char *end, trail_member_id *id)
{
	const char *name = *p + sizeof *id;

	if (*p == end)
		return NULL;
	memcpy(id, *p, sizeof *id);
	*p = name + strlen(name) + 1;
	return name;
}

static int same_member(int dirfd, const char *name, trail_member_id want)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW))
		return 0;
	struct trail_id id = trail_id_of(&st);
	return trail_hash_id(&id) == want;
}

static void explain_file(struct buf *b, const char *path)
{
	buf_addf(b, trail_look(path, 0) == TRAIL_MISSING ? "the file '%s' is gone\n" : "the file '%s' changed\n", path);
}

/* Which is said here, of each. */
static int members_hold(struct check *c, const struct trail_entry *e)
{
	const char *p = (const char *)e + trail_size(e->len), *end = p + e->id.size, *name;
	int fd = open(trail_name(e), O_PATH | O_DIRECTORY | O_CLOEXEC), ok = 1;
	trail_member_id id;

	while ((ok || c->all) && (name = next_member(&p, end, &id))) {
		if (fd >= 0 && same_member(fd, name, id))
			continue;
		ok = 0;
		if (c->why) {
			struct buf path = BUF_INIT;
			buf_addf(&path, "%s/%s", trail_name(e), name);
			explain_file(c->why, path.p);
			buf_release(&path);
		}
	}
	if (fd >= 0)
		close(fd);
	return ok;
}

static int holds(struct check *c, struct trail_entry *e)
{
	switch ((enum trail_kind)e->kind) {
	case TRAIL_LSTAT: return e->what == trail_look(trail_name(e), 0);
	case TRAIL_STAT: return e->what == trail_look(trail_name(e), 1);
	case TRAIL_LINK: return link_holds(e);
	case TRAIL_REAL: return real_holds(e);
	case TRAIL_FILE: return file_holds(c, e);
	case TRAIL_MEMBER: return member_holds(e);
	case TRAIL_DIR: return dir_holds(c, e);
	case TRAIL_INDEX:
	case TRAIL_INDEX_WHOLE: return index_holds(c, e);
	case TRAIL_TRACKS: return tracks_holds(c, e);
	case TRAIL_DIFFERS: return differs_holds(e);
	case TRAIL_ENV: return env_holds(e);
	case TRAIL_SAID: return said_holds(c, e);
	case TRAIL_MEMBERS: return members_hold(c, e);
	}
	return 0;
}

/* --- in words --- */

static const char *const kinds[] = { "nothing", "a file", "a folder", "a link", "something else", "something unreadable" };

static void explain_kind(struct buf *b, const struct trail_entry *e)
{
	enum trail_what is = trail_look(trail_name(e), e->kind == TRAIL_STAT);
	const char *was = e->what < sizeof kinds / sizeof *kinds ? kinds[e->what] : "?";

	if (is == TRAIL_MISSING)
		buf_addf(b, "'%s' is gone", trail_name(e));
	else if (e->what == TRAIL_MISSING)
		buf_addf(b, "'%s' is new", trail_name(e));
	else
		buf_addf(b, "'%s' was %s and is %s", trail_name(e), was, kinds[is]);
}

static void explain(struct buf *b, const struct trail_entry *e)
{
	const char *name = trail_name(e);
	int gone = trail_look(name, 0) == TRAIL_MISSING;

	switch ((enum trail_kind)e->kind) {
	case TRAIL_LSTAT:
	case TRAIL_STAT: explain_kind(b, e); break;
	case TRAIL_LINK:
	case TRAIL_REAL: buf_addf(b, "'%s' leads elsewhere", name); break;
	case TRAIL_FILE:
	case TRAIL_MEMBER: explain_file(b, name); return;
	case TRAIL_MEMBERS: return;
	case TRAIL_DIR: buf_addf(b, gone ? "the folder '%s' is gone" : "there are other files in the folder '%s'", name); break;
	case TRAIL_INDEX: buf_addf(b, "git tracks other files in '%s'", name); break;
	case TRAIL_INDEX_WHOLE: buf_addf(b, "what git has of '%s' changed", name); break;
	case TRAIL_TRACKS: buf_addf(b, e->what ? "git tracks '%s' no longer" : "git tracks '%s' now", name); break;
	case TRAIL_DIFFERS: buf_addf(b, "'%s' is again what is committed", name); break;
	case TRAIL_ENV: buf_addf(b, "the environment variable %s changed", name); break;
	case TRAIL_SAID: buf_addf(b, "%s changed", name); break;
	}
	buf_addc(b, '\n');
}

/* --- all --- */

/* Whether what follows an entry in n bytes, itself included, is files as trail_pack writes them. */
static int has_members(const struct trail_entry *e, size_t n)
{
	const char *p = (const char *)e + trail_size(e->len), *end = p;

	if (!e->id.size || e->id.size > n || n < trail_whole_size(e))
		return 0;
	end += e->id.size;
	if (end[-1])
		return 0;
	for (trail_member_id id; p < end; next_member(&p, end, &id))
		if ((size_t)(end - p) < sizeof id + 2)
			return 0;
	return 1;
}

/* The entry at a place in n bytes, NULL when there is none. */
static struct trail_entry *entry_in(char *bytes, size_t n, size_t at)
{
	struct trail_entry *e = (void *)(bytes + at);

	if (n - at < sizeof *e || e->len > UINT16_MAX || n - at < trail_size(e->len) || trail_name(e)[e->len] ||
	    (e->kind == TRAIL_MEMBERS && !has_members(e, n - at)) ||
	    ((e->kind == TRAIL_INDEX || e->kind == TRAIL_INDEX_WHOLE) && strlen(trail_name(e)) == e->len))
		return NULL;
	return e;
}

int trail_holds(char *bytes, size_t n, const struct trail_now *now, size_t n_now, int all, struct buf *why, int *fresh)
{
	struct check c = { .now = now, .n_now = n_now, .why = why, .all = all, .fresh = fresh };
	int rc = 1;

	*fresh = 0;
	for (size_t at = 0; at < n && (rc == 1 || (rc == 0 && all));) {
		struct trail_entry *e = entry_in(bytes, n, at);
		if (!e) {
			rc = -1;
			break;
		}
		at += trail_whole_size(e);
		if (holds(&c, e))
			continue;
		rc = 0;
		if (why)
			explain(why, e);
	}
	git_index_release(&c.index);
	return rc;
}
