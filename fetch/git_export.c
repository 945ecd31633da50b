/* SPDX-License-Identifier: MIT
 *
 * A commit's tree, from the object database to a directory: `git ls-tree` for what there is, one `git cat-file --batch`
 * for the contents.  Not `git archive` and not a checkout: those apply attributes and filters that are part of
 * no revision (export-subst writes the name of a branch into a file), so that one revision would have several trees.
 * export-ignore is the one attribute that counts, where it is asked for; a folder of which nothing is left stays, as for Nix.
 *
 * The tree comes from elsewhere: names are checked, paths walked without following links, and everything is created
 * exclusively, as in archive.c.  Requests to cat-file go out some at a time, few enough that neither side can block on a full
 * pipe while the other does.
 */
#include "config.h"
#include "base/alloc.h"
#include "base/fdio.h"
#include "base/limits.h"
#include "fetch/git.h"
#include "fetch/git_int.h"
#include "format/nar.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { AHEAD = 256, PIECE = 65536 };

/* A line of ls-tree: "<mode> <type> <id>\t<path>\0". */
struct item {
	char *mode, *id, *path;
	int ignored, large;
	size_t folder; /* bytes of the folder of it that is left out, with its slash */
};

struct tree {
	struct buf text;
	struct item *v;
	size_t n, cap;
};

static void tree_release(struct tree *t)
{
	buf_release(&t->text);
	free(t->v);
}

static int malformed(struct err *e)
{
	return err_set(e, ERR_INVALID, "git lists the tree in a way that is not understood");
}

static int tree_add(struct tree *t, char *line, struct err *e)
{
	char *type = strchr(line, ' '), *id = type ? strchr(type + 1, ' ') : NULL, *path = id ? strchr(id + 1, '\t') : NULL;

	if (!path)
		return malformed(e);
	*type = *id = *path = 0;
	ARRAY_GROW(t->v, t->n + 1, t->cap);
	t->v[t->n++] = (struct item){ line, id + 1, path + 1, 0, 0, 0 };
	return git_check_rev(slice_of(id + 1), e);
}

static int tree_read(struct tree *t, const char *dir, const char *rev, struct err *e)
{
	struct git_call c;
	int rc;

	git_call_init(&c, dir, "");
	words_add(&c.argv, "ls-tree");
	words_add(&c.argv, "-r");
	words_add(&c.argv, "-z");
	words_add(&c.argv, "--full-tree");
	words_add(&c.argv, "--end-of-options");
	words_add(&c.argv, rev);
	rc = git_call_run(&c, &t->text, NULL, e);
	for (size_t at = 0; !rc && at < t->text.len;) {
		size_t len = strlen(t->text.p + at);

		rc = tree_add(t, t->text.p + at, e);
		at += len + 1;
	}
	return rc;
}

/* --- placing --- */

/* Components that a directory can hold, and no ".git": a tree with one would become a repository. */
static int check_path(const char *path, struct err *e)
{
	size_t depth = 0;

	for (const char *p = path; ; depth++) {
		size_t n = strcspn(p, "/");

		if (!n || n > NAR_NAME_MAX || (n == 1 && *p == '.') || (n == 2 && !memcmp(p, "..", 2)) ||
		    (n == 4 && !strncasecmp(p, ".git", 4)))
			return err_set(e, ERR_INVALID, "the tree holds the path '%s'", path);
		if (!p[n])
			break;
		p += n + 1;
	}
	return depth < LIMIT_ARCHIVE_DEPTH ? 0
					   : err_set(e, ERR_LIMIT, "the tree is deeper than %d directories", LIMIT_ARCHIVE_DEPTH);
}

/* Makes the directories of a path and opens the last; *name is what remains. */
static int open_parent(int dirfd, char *path, const char **name, struct err *e)
{
	int fd = fcntl(dirfd, F_DUPFD_CLOEXEC, 0);
	char *p = path, *slash;

	while (fd >= 0 && (slash = strchr(p, '/'))) {
		int next = -1;

		*slash = 0;
		if (mkdirat(fd, p, 0755) == 0 || errno == EEXIST)
			next = openat(fd, p, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		*slash = '/';
		close(fd);
		fd = next;
		p = slash + 1;
	}
	*name = p;
	return fd >= 0 ? fd : err_errno(e, "cannot make the directory of '%s'", path);
}

/* --- export-ignore --- */

/* The next folder of a path, with its slash, that the path before it was not in; 0 for none. */
static size_t new_folder(const char *path, const char *before, size_t from)
{
	for (const char *slash = strchr(path + from, '/'); slash; slash = strchr(slash + 1, '/')) {
		size_t n = (size_t)(slash + 1 - path);

		if (strncmp(before, path, n))
			return n;
	}
	return 0;
}

/* All names of the tree, folders before what is in them. */
static void add_names(const struct tree *t, struct buf *out)
{
	const char *before = "";

	for (size_t i = 0; i < t->n; i++) {
		const char *path = t->v[i].path;

		for (size_t n = new_folder(path, before, 0); n; n = new_folder(path, before, n)) {
			buf_add(out, path, n);
			buf_addc(out, 0);
		}
		buf_add(out, path, strlen(path) + 1);
		before = path;
	}
}

/* Whether the next of the names is this one, which is then past. */
static int is_next(const char **p, const char *end, struct slice name)
{
	if (*p >= end || !slice_eq(slice_of(*p), name))
		return 0;
	*p += name.n + 1;
	return 1;
}

/* Finds what the names, which are in the order of add_names, leave out. */
static void mark(struct tree *t, const struct buf *ignored)
{
	const char *p = buf_str(ignored), *end = p + ignored->len, *before = "";
	struct slice out = { "", 0 };

	for (size_t i = 0; i < t->n; i++) {
		struct item *it = &t->v[i];

		if (strncmp(it->path, out.p, out.n))
			out.n = 0;
		for (size_t n = new_folder(it->path, before, 0); n; n = new_folder(it->path, before, n))
			if (is_next(&p, end, (struct slice){ it->path, n }) && !out.n)
				out = (struct slice){ it->path, n };
		it->ignored = is_next(&p, end, slice_of(it->path)) || out.n;
		it->folder = out.n;
		before = it->path;
	}
}

/* The folders that what is left out was in, unless they are left out themselves. */
static int make_parents(const struct tree *t, int dirfd, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; i < t->n && !rc; i++) {
		char *path = t->v[i].path;
		size_t folder = t->v[i].folder;
		const char *name;

		if (!t->v[i].ignored || (rc = check_path(path, e)))
			continue;
		if (folder)
			path[folder - 1] = 0;
		int fd = open_parent(dirfd, path, &name, e);
		if (folder)
			path[folder - 1] = '/';
		if (fd < 0)
			rc = fd;
		else
			close(fd);
	}
	return rc;
}

static int leave_out(struct tree *t, const char *dir, const char *rev, int dirfd, struct err *e)
{
	struct buf names = BUF_INIT, ignored = BUF_INIT;
	size_t left = 0;
	int rc;

	add_names(t, &names);
	rc = git_ignored(dir, rev, (struct slice){ buf_str(&names), names.len }, &ignored, e);
	if (!rc && ignored.len) {
		mark(t, &ignored);
		rc = make_parents(t, dirfd, e);
	}
	for (size_t i = 0; i < t->n; i++)
		if (!t->v[i].ignored)
			t->v[left++] = t->v[i];
	t->n = left;
	buf_release(&names);
	buf_release(&ignored);
	return rc;
}

/* --- contents --- */

struct blobs {
	struct program git;
	char piece[PIECE];
	size_t at, have;
};

static int blobs_fill(struct blobs *b, struct err *e)
{
	ssize_t n = fd_read(b->git.out, b->piece, sizeof b->piece);

	if (n <= 0)
		return err_set(e, ERR_IO, "git ended in the middle of a file");
	b->at = 0;
	b->have = (size_t)n;
	return 0;
}

/* "<id> blob <size>\n" */
static int blobs_header(struct blobs *b, const char *id, uint64_t *size, struct err *e)
{
	char line[128], *end;
	size_t n = 0, len = strlen(id);
	int rc;

	do {
		if (b->at == b->have && (rc = blobs_fill(b, e)))
			return rc;
		line[n++] = b->piece[b->at++];
	} while (line[n - 1] != '\n' && n < sizeof line);
	line[n - 1] = 0;
	if (strncmp(line, id, len) || strncmp(line + len, " blob ", 6))
		return err_set(e, ERR_INVALID, "git has no contents for %s: %s", id, line);
	*size = strtoull(line + len + 6, &end, 10);
	return *end ? malformed(e) : 0;
}

/* Copies `size` bytes and the newline after them. */
static int blobs_copy(struct blobs *b, uint64_t size, int fd, struct buf *to, struct err *e)
{
	int rc;

	while (size) {
		if (b->at == b->have && (rc = blobs_fill(b, e)))
			return rc;
		size_t n = b->have - b->at < size ? b->have - b->at : (size_t)size;
		ssize_t k = (ssize_t)n;

		if (to)
			buf_add(to, b->piece + b->at, n);
		else if ((k = write(fd, b->piece + b->at, n)) < 0 && errno != EINTR)
			return err_errno(e, "cannot write");
		k = k < 0 ? 0 : k;
		b->at += (size_t)k;
		size -= (uint64_t)k;
	}
	if (b->at == b->have && (rc = blobs_fill(b, e)))
		return rc;
	return b->piece[b->at++] == '\n' ? 0 : malformed(e);
}

static int place_link(struct blobs *b, uint64_t size, int fd, const char *name, struct err *e)
{
	struct buf target = BUF_INIT;
	int rc = size > NAR_TARGET_MAX || !size ? err_set(e, ERR_INVALID, "'%s' is a link to nowhere", name)
						: blobs_copy(b, size, -1, &target, e);

	if (!rc && (strlen(target.p) != target.len || symlinkat(target.p, fd, name) < 0))
		rc = err_errno(e, "cannot make the link '%s'", name);
	buf_release(&target);
	return rc;
}

static int place_file(struct blobs *b, uint64_t size, int fd, const char *name, int executable, struct err *e)
{
	int file = openat(fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600), rc;

	if (file < 0)
		return err_errno(e, "cannot make '%s'", name);
	rc = blobs_copy(b, size, file, NULL, e);
	if (!rc && fchmod(file, executable ? 0755 : 0644) < 0)
		rc = err_errno(e, "cannot change the mode of '%s'", name);
	close(file);
	return rc;
}

static int place(struct blobs *b, const struct item *i, int dirfd, struct err *e)
{
	int submodule = !strcmp(i->mode, "160000"), fd, rc = check_path(i->path, e);
	const char *name;
	uint64_t size = 0;

	if (!rc && !submodule)
		rc = blobs_header(b, i->id, &size, e);
	if (rc)
		return rc;
	if ((fd = open_parent(dirfd, i->path, &name, e)) < 0)
		return fd;
	if (submodule)
		rc = mkdirat(fd, name, 0755) < 0 ? err_errno(e, "cannot make '%s'", i->path) : 0;
	else if (!strcmp(i->mode, "120000"))
		rc = place_link(b, size, fd, name, e);
	else if (!strncmp(i->mode, "100", 3))
		rc = place_file(b, size, fd, name, !strcmp(i->mode, "100755"), e);
	else
		rc = malformed(e);
	close(fd);
	return rc;
}

/* Asks for the contents of v[from .. to). */
static int request(struct blobs *b, const struct tree *t, size_t from, size_t to, struct err *e)
{
	struct buf text = BUF_INIT;
	int rc;

	for (; from < to; from++)
		if (strcmp(t->v[from].mode, "160000"))
			buf_addf(&text, "%s\n", t->v[from].id);
	rc = program_write(&b->git, buf_str(&text), text.len, e);
	buf_release(&text);
	return rc;
}

static int copy_all(struct blobs *b, const struct tree *t, int dirfd, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; i < t->n && !rc; i++) {
		/* 256 lines of 65 bytes at most: less than a pipe holds. */
		if (i % AHEAD == 0)
			rc = request(b, t, i, i + AHEAD < t->n ? i + AHEAD : t->n, e);
		if (!rc)
			rc = place(b, &t->v[i], dirfd, e);
	}
	return rc;
}

static int export_tree(const struct tree *t, const char *dir, int dirfd, struct err *e)
{
	struct blobs *b = xcalloc(1, sizeof *b);
	struct git_call c;
	int rc;

	git_call_init(&c, dir, "");
	words_add(&c.argv, "cat-file");
	words_add(&c.argv, "--batch");
	rc = program_start(&b->git, &c.argv, &c.env, 1, e);
	if (!rc) {
		rc = copy_all(b, t, dirfd, e);
		if (rc)
			program_kill(&b->git);
		else
			rc = program_finish(&b->git, NULL, e);
	}
	git_call_release(&c);
	free(b);
	return rc;
}

/* --- large files --- */

/* Before anything is left out: .gitattributes may be. */
static int find_large(struct tree *t, const char *dir, const char *rev, struct err *e)
{
	struct buf names = BUF_INIT, large = BUF_INIT;

	for (size_t i = 0; i < t->n; i++)
		buf_add(&names, t->v[i].path, strlen(t->v[i].path) + 1);
	int rc = git_of_lfs(dir, rev, (struct slice){ buf_str(&names), names.len }, &large, e);
	const char *p = buf_str(&large), *end = p + large.len;
	for (size_t i = 0; i < t->n && !rc; i++)
		t->v[i].large = is_next(&p, end, slice_of(t->v[i].path)) && !strncmp(t->v[i].mode, "100", 3);
	buf_release(&names);
	buf_release(&large);
	return rc;
}

static void list_large(const struct tree *t, struct buf *out)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].large)
			buf_add(out, t->v[i].path, strlen(t->v[i].path) + 1);
}

static void list_submodules(const struct tree *t, struct buf *out)
{
	for (size_t i = 0; i < t->n; i++)
		if (!strcmp(t->v[i].mode, "160000")) {
			buf_add(out, t->v[i].path, strlen(t->v[i].path) + 1);
			buf_add(out, t->v[i].id, strlen(t->v[i].id) + 1);
		}
}

int git_export(const char *dir, const char *rev, int dirfd, int ignoring, struct buf *submodules, struct buf *large,
	       struct err *e)
{
	struct tree t = { 0 };
	int rc = git_check_rev(slice_of(rev), e);

	if (!rc)
		rc = tree_read(&t, dir, rev, e);
	if (!rc && large)
		rc = find_large(&t, dir, rev, e);
	if (!rc && ignoring)
		rc = leave_out(&t, dir, rev, dirfd, e);
	if (!rc && submodules)
		list_submodules(&t, submodules);
	if (!rc && large)
		list_large(&t, large);
	if (!rc)
		rc = export_tree(&t, dir, dirfd, e);
	tree_release(&t);
	if (rc)
		err_prefix(e, "cannot read the revision %s of '%s'", rev, dir);
	return rc;
}
