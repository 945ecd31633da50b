/* SPDX-License-Identifier: MIT
 *
 * gx store cat, gx store ls: looking into objects.
 *
 * A path inside an object is walked by descriptors and without following links, as in an archive: where a link of an
 * object leads is not part of the object.
 */
#include "config.h"
#include "base/alloc.h"
#include "cli/command.h"
#include "cli/verbs/gx_store.h"
#include "cli/listing.h"
#include "cli/output.h"
#include "base/dir.h"
#include "base/limits.h"
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A place in the store: an open directory, and the name of something in it. */
struct spot {
	int dirfd;
	char *name;
	struct stat st;
};

static void spot_release(struct spot *s)
{
	if (s->dirfd >= 0)
		close(s->dirfd);
	free(s->name);
}

static int look(struct spot *s, const char *text, struct err *e)
{
	if (fstatat(s->dirfd, s->name, &s->st, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	if (errno == ENOENT)
		return err_set(e, ERR_NOTFOUND, "'%s' does not exist", text);
	return err_errno(e, "cannot find '%s'", text);
}

static int descend(struct spot *s, const char *rest, const char *text, struct err *e)
{
	int rc = look(s, text, e);

	for (const char *p = rest + strspn(rest, "/"); !rc && *p; p += strspn(p, "/")) {
		size_t n = strcspn(p, "/");
		int fd = openat(s->dirfd, s->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			return err_set(e, ERR_NOTFOUND, "'%s' does not exist: '%s' is no directory", text, s->name);
		close(s->dirfd);
		free(s->name);
		s->dirfd = fd;
		s->name = xstrndup(p, n);
		if ((n == 2 && !memcmp(p, "..", 2)) || (n == 1 && *p == '.'))
			return err_set(e, ERR_INVALID, "'%s': '.' and '..' are not followed inside store objects", text);
		rc = look(s, text, e);
		p += n;
	}
	return rc;
}

static int find(struct command *c, const char *text, struct spot *s, struct err *e)
{
	struct store_path p;
	char *rest = NULL;
	int rc = store_resolve(c->store, text, &p, &rest, e), valid;

	*s = (struct spot){ .dirfd = -1 };
	if (rc)
		return rc;
	valid = store_is_valid(c->store, &p, e);
	if (valid == 0)
		rc = err_set(e, ERR_NOTFOUND, "path '%s/%s' is not valid", c->place.store_dir, p.base);
	else if (valid < 0)
		rc = valid;
	rc = rc ? rc : store_have_files(c->store, &p, e);
	if (!rc) {
		s->dirfd = openat(store_fd(c->store), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		s->name = xstrdup(p.base);
		rc = descend(s, rest, text, e);
	}
	free(rest);
	return rc;
}

/* --- cat --- */

static int copy_out(int fd, struct err *e)
{
	char chunk[1 << 16];
	ssize_t n;
	int rc = 0;

	while (!rc && ((n = read(fd, chunk, sizeof chunk)) > 0 || (n < 0 && errno == EINTR)))
		if (n > 0)
			rc = output_sink(NULL, chunk, (size_t)n, e);
	return rc ? rc : n < 0 ? err_errno(e, "cannot read a file of the store") : 0;
}

static int cat_one(struct command *c, const char *text, struct err *e)
{
	struct spot s;
	int rc = find(c, text, &s, e), fd;

	if (!rc && !S_ISREG(s.st.st_mode))
		rc = err_set(e, ERR_INVALID, "'%s' is a %s, not a file", text, S_ISDIR(s.st.st_mode) ? "directory" : "symlink");
	if (!rc) {
		fd = openat(s.dirfd, s.name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		rc = fd < 0 ? err_errno(e, "cannot open '%s'", text) : copy_out(fd, e);
		if (fd >= 0)
			close(fd);
	}
	spot_release(&s);
	return rc;
}

int store_cat_run(int argc, char **argv)
{
	static const struct option_group groups[] = { { "Store", command_store_options }, { 0 } };
	static const struct program program = { "gx store cat", "print a file of the store", "gx store cat [options] PATH...",
						NULL, groups };
	struct command c = { .program = &program };
	struct err e = ERR_INIT;
	int rc = command_read(&c, argc, argv, 1, 0, "a path");

	if (rc != COMMAND_GO || (rc = command_open_reading(&c)))
		return rc;
	for (size_t i = 0; i < c.n && !e.code; i++)
		cat_one(&c, c.operands[i], &e);
	return command_end(&c, e.code ? command_fail(&e) : EXIT_DONE);
}

/* --- ls --- */

static int compare_names(const void *a, const void *b)
{
	return strcmp((*(struct node *const *)a)->name, (*(struct node *const *)b)->name);
}

static int add_node(struct node *up, int dirfd, const char *name, int levels, struct node **out, struct err *e);

static int add_directory(struct node *n, int dirfd, const char *name, int levels, struct err *e)
{
	struct dir d;
	int rc = dir_open(&d, dirfd, name, e);

	while (!rc && (rc = dir_next(&d, e)) > 0)
		rc = add_node(n, d.fd, d.name, levels - 1, NULL, e);
	dir_close(&d);
	if (n->n)
		qsort(n->entries, n->n, sizeof *n->entries, compare_names);
	return rc;
}

static int add_node(struct node *up, int dirfd, const char *name, int levels, struct node **out, struct err *e)
{
	char target[PATH_MAX];
	struct stat st;
	struct node *n;
	ssize_t len;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_errno(e, "cannot look at '%s'", name);
	n = node_new(up, name, S_ISREG(st.st_mode) ? NAR_REGULAR : S_ISDIR(st.st_mode) ? NAR_DIRECTORY :
			       S_ISLNK(st.st_mode) ? NAR_SYMLINK : NAR_UNKNOWN);
	if (out)
		*out = n;
	if (n->type == NAR_REGULAR) {
		n->size = (uint64_t)st.st_size;
		n->executable = (st.st_mode & 0100) != 0;
	} else if (n->type == NAR_SYMLINK) {
		len = readlinkat(dirfd, name, target, sizeof target);
		n->target = xstrndup(target, len > 0 ? (size_t)len : 0);
	} else if (n->type == NAR_DIRECTORY && levels > 0) {
		return add_directory(n, dirfd, name, levels, e);
	}
	return 0;
}

int store_ls_run(int argc, char **argv)
{
	static const struct option_group groups[] = { { "Options", listing_option_table },
						      { "Store", command_store_options },
						      { 0 } };
	static const struct program program = { "gx store ls", "list what is in a store object", "gx store ls [options] PATH",
						NULL, groups };
	struct listing_options o = { 0 };
	struct command c = { .program = &program, .option = listing_option, .arg = &o };
	struct node *root = NULL;
	struct spot s;
	struct err e = ERR_INIT;
	struct buf b = BUF_INIT;
	int rc = command_read(&c, argc, argv, 1, 1, "one path");

	if (rc != COMMAND_GO || (rc = command_open_reading(&c)))
		return rc;
	o.json = c.json;
	if (!find(&c, c.operands[0], &s, &e) &&
	    !add_node(NULL, s.dirfd, s.name, o.recursive ? LIMIT_NAR_DEPTH : 1, &root, &e))
		listing_add(&b, root, s.name, &o);
	spot_release(&s);
	node_free(root);
	rc = command_print(&b);
	return command_end(&c, e.code ? command_fail(&e) : rc);
}
