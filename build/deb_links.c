/* SPDX-License-Identifier: MIT
 *
 * Symbolic links of packages lead to absolute paths, into other packages, or by ".." through folders that are no longer where they
 * were.  So each is read as what it means, a path of Debian, and written anew: within the tree relative, elsewhere the full path of
 * what a dependency has there.
 *
 * A target may lie behind other links, so all are made first as if everything were in the tree; those whose target is not there
 * are looked for in the dependencies, again and again, until a round settles none.  What is left leads nowhere by design (to
 * files of the machine: /etc/localtime) or needs a package that is not here; it stays, and is told.
 */
#include "config.h"
#include "build/deb_int.h"

#include "base/alloc.h"
#include "base/pathname.h"
#include "store/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static char *target_of(const char *origin, const char *text)
{
	size_t n = *text == '/' ? 0 : path_dir_len(origin, strlen(origin));
	struct buf b = BUF_INIT;

	buf_add(&b, origin, n);
	buf_addf(&b, "/%s", text);
	char *out = xmalloc(b.len + 2);

	path_normalise(b.p, b.len, out);
	buf_release(&b);
	return out;
}

const struct deb_link *deb_find_link(const struct deb_tree *t, const char *path)
{
	for (size_t i = 0; i < t->nlinks; i++)
		if (!strcmp(t->links[i].path, path))
			return &t->links[i];
	return NULL;
}

int deb_note_link(struct deb_tree *t, const char *origin, const char *text, int optional, struct err *e)
{
	const char *path = deb_flat(origin);
	char *target = target_of(origin, text);
	const struct deb_link *other = deb_find_link(t, path);

	/* Of /bin and /usr/bin one may lead to the other, and here they are the same. */
	if (!strcmp(deb_flat(target), path) || (other && !strcmp(deb_flat(other->target), deb_flat(target)))) {
		free(target);
		return 0;
	}
	if (other) {
		free(target);
		return err_set(e, ERR_INVALID, "there is another '%s' already", path);
	}
	ARRAY_GROW(t->links, t->nlinks + 1, t->links_cap);
	t->links[t->nlinks++] = (struct deb_link){ xstrdup(path), xstrdup(origin), target, xstrdup(text), optional, 0 };
	return 0;
}

/* --- making them --- */

/* From the folder that a path of the tree lies in to another path. */
static void add_relative(struct buf *b, const char *from, const char *to)
{
	const char *slash = strrchr(from, '/');
	size_t dir = slash ? (size_t)(slash - from) : 0, common = 0;

	for (size_t i = 0; i <= dir; i++) {
		if ((i == dir || from[i] == '/') && (!to[i] || to[i] == '/'))
			common = i;
		if (i == dir || from[i] != to[i])
			break;
	}
	if (!common && dir)
		buf_adds(b, "../");
	for (size_t i = common; i < dir; i++)
		if (from[i] == '/')
			buf_adds(b, "../");
	to += common;
	buf_adds(b, to + (*to == '/'));
	if (!b->len)
		buf_addc(b, '.');
	else if (b->p[b->len - 1] == '/')
		buf_trim(b, b->len - 1);
}

/* Below /usr or not: what is relative holds in the tree as well where both are the same. */
static int moved_apart(const struct deb_link *l)
{
	return (deb_flat(l->origin) == l->origin + 1) != (deb_flat(l->target) == l->target + 1);
}

static int put_link(struct deb_tree *t, const struct deb_link *l, const char *text, struct err *e)
{
	if (unlinkat(t->fd, l->path, 0) && errno != ENOENT)
		return err_errno(e, "cannot replace '%s'", l->path);
	return symlinkat(text, t->fd, l->path) ? err_errno(e, "cannot make '%s'", l->path) : 0;
}

static int make_first(struct deb_tree *t, const struct deb_link *l, struct err *e)
{
	const char *slash = strrchr(l->path, '/');
	char *dir = xstrndup(l->path, slash ? (size_t)(slash - l->path) : 0);
	struct buf text = BUF_INIT;
	int fd = tree_make_dirs(t->fd, slash ? dir : ".", e), rc = fd < 0 ? fd : 0;

	if (!rc)
		close(fd);
	add_relative(&text, l->path, deb_flat(l->target));
	if (!rc && symlinkat(buf_str(&text), t->fd, l->path))
		rc = errno == EEXIST ? err_set(e, ERR_INVALID, "there is another '%s' already, which is no link", l->path) :
				       err_errno(e, "cannot make '%s'", l->path);
	buf_release(&text);
	free(dir);
	return rc;
}

static int settle(struct deb_tree *t, struct deb_link *l, struct err *e)
{
	struct buf where = BUF_INIT;
	size_t n = strlen(t->out);
	int rc = 0;

	if (deb_find(t, deb_flat(l->target), &where)) {
		l->settled = 1;
		/* In the tree it is right as it was made. */
		if (strncmp(where.p, t->out, n) || (where.p[n] && where.p[n] != '/')) {
			rc = put_link(t, l, where.p, e);
			t->counts.links++;
		}
	}
	buf_release(&where);
	return rc;
}

static int leave_dangling(struct deb_tree *t, const struct deb_link *l, struct err *e)
{
	const char *text = *l->text != '/' && moved_apart(l) ? l->target : l->text;

	if (l->optional)
		return unlinkat(t->fd, l->path, 0) ? err_errno(e, "cannot remove '%s'", l->path) : 0;
	deb_log("'%s' leads nowhere: '%s'", l->path, text);
	t->counts.dangling++;
	return put_link(t, l, text, e);
}

int deb_make_links(struct deb_tree *t, struct err *e)
{
	size_t before, settled = 0;
	int rc = 0;

	for (size_t i = 0; i < t->nlinks && !rc; i++)
		rc = make_first(t, &t->links[i], e);
	do {
		before = settled;
		for (size_t i = 0; i < t->nlinks && !rc; i++)
			if (!t->links[i].settled) {
				rc = settle(t, &t->links[i], e);
				settled += (size_t)t->links[i].settled;
			}
	} while (!rc && settled > before);
	for (size_t i = 0; i < t->nlinks && !rc; i++)
		if (!t->links[i].settled)
			rc = leave_dangling(t, &t->links[i], e);
	return rc;
}
