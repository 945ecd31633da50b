/* SPDX-License-Identifier: MIT
 *
 * Nix archives, and writing them from a tree.  Defined in the Nix manual, protocols/nix-archive:
 *
 *   nar     = str("nix-archive-1") object
 *   object  = str("(") str("type") inner str(")")
 *   inner   = str("regular") [ str("executable") str("") ] str("contents") str(bytes)
 *           | str("symlink") str("target") str(bytes)
 *           | str("directory") { entry }
 *   entry   = str("entry") str("(") str("name") str(bytes) str("node") object str(")")
 *   str(s)  = 64-bit little-endian length of s, s, zeros up to a multiple of 8
 *
 * Entries are in ascending byte order of their names.  Nothing else of a file is kept: no times, no owner, of
 * the mode only whether its owner may execute it.
 *
 * All output goes through one large buffer that is never cleared; files are read straight into it, so a
 * tree of small files costs per file open, fstat, read, close and a share of one write.  The type that
 * readdir tells is only a hint for how to open; what counts is fstat of what was opened, without
 * following links, so a tree that changes under us gives an error or some consistent file, never
 * another place's contents.
 */
#include "config.h"
#include "base/check.h"
#include "format/nar.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/dir.h"
#include "base/fdio.h"
#include "base/limits.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUF_SIZE = 256 << 10 };

struct writer {
	const struct nar_sink *sink;
	const struct nar_filter *filter;
	struct err *e;
	struct buf path; /* of the object being written, for filter and messages */
	struct buf room; /* owns buf */
	char *buf;	 /* BUF_SIZE bytes, n of them waiting */
	size_t n;
};

/* --- the buffer --- */

static int flush(struct writer *w)
{
	size_t n = w->n;

	w->n = 0;
	return n ? w->sink->write(w->sink->user, w->buf, n, w->e) : 0;
}

/* At least n free bytes in the buffer. */
static int reserve(struct writer *w, size_t n)
{
	return BUF_SIZE - w->n < n ? flush(w) : 0;
}

static int put(struct writer *w, const char *p, size_t n)
{
	while (n) {
		int rc = reserve(w, 1);

		if (rc)
			return rc;
		size_t k = n < BUF_SIZE - w->n ? n : BUF_SIZE - w->n;

		memcpy(w->buf + w->n, p, k);
		w->n += k;
		p += k;
		n -= k;
	}
	return 0;
}

static int put_len(struct writer *w, uint64_t len)
{
	unsigned char b[8];

	for (int i = 0; i < 8; i++)
		b[i] = (unsigned char)(len >> 8 * i);
	return put(w, (const char *)b, 8);
}

static int put_pad(struct writer *w, uint64_t len)
{
	return put(w, "\0\0\0\0\0\0\0", (size_t)(-len & 7));
}

static int put_str(struct writer *w, const char *p, size_t n)
{
	int rc;

	if ((rc = put_len(w, n)) || (rc = put(w, p, n)))
		return rc;
	return put_pad(w, n);
}

/* Several strings, one call: words end with a NUL each, the list with an empty one. */
static int put_words(struct writer *w, const char *words)
{
	int rc = 0;

	for (; *words && !rc; words += strlen(words) + 1)
		rc = put_str(w, words, strlen(words));
	return rc;
}

/* --- files --- */

static int changed(struct writer *w)
{
	return err_set(w->e, ERR_IO, "file '%s' changed while it was read", buf_str(&w->path));
}

/* size bytes of fd; a file that ends earlier has been changed, one that goes on is cut off. */
static int put_contents(struct writer *w, int fd, uint64_t size)
{
	uint64_t left = size;

	while (left) {
		int rc = reserve(w, left < BUF_SIZE / 4 ? (size_t)left : BUF_SIZE / 4);

		if (rc)
			return rc;
		size_t want = BUF_SIZE - w->n;
		ssize_t got = fd_read(fd, w->buf + w->n, left < want ? (size_t)left : want);

		if (got < 0)
			return err_errno(w->e, "cannot read '%s'", buf_str(&w->path));
		if (!got)
			return changed(w);
		w->n += (size_t)got;
		left -= (uint64_t)got;
	}
	return put_pad(w, size);
}

static int put_regular(struct writer *w, int fd, const struct stat *st)
{
	int rc = put_words(w, "type\0regular\0");

	if (!rc && st->st_mode & S_IXUSR) {
		rc = put_words(w, "executable\0");
		if (!rc)
			rc = put_str(w, "", 0);
	}
	if (rc || (rc = put_words(w, "contents\0")) || (rc = put_len(w, (uint64_t)st->st_size)))
		return rc;
	return put_contents(w, fd, (uint64_t)st->st_size);
}

static int put_symlink(struct writer *w, int dirfd, const char *name)
{
	/* One byte more than any link has on Linux, to see that it was not cut off. */
	char target[4097];
	ssize_t n = readlinkat(dirfd, name, target, sizeof target);
	int rc;

	if (n < 0)
		return err_errno(w->e, "cannot read the link '%s'", buf_str(&w->path));
	if ((size_t)n == sizeof target)
		return err_set(w->e, ERR_LIMIT, "the target of the link '%s' is too long", buf_str(&w->path));
	if ((rc = put_words(w, "type\0symlink\0target\0")))
		return rc;
	return put_str(w, target, (size_t)n);
}

/* --- directories --- */

static int put_object(struct writer *w, int dirfd, const char *name, unsigned char hint, int depth);

/* A directory's entries: names one after the other in text, each before it its d_type. */
struct listing {
	struct buf text;
	const char **names; /* each points at a name, its d_type one byte before */
	size_t n;
};

static void listing_release(struct listing *l)
{
	buf_release(&l->text);
	free(l->names);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void list_entry(void *arg, const char *name, unsigned char type)
{
	struct listing *l = arg;

	buf_addc(&l->text, (char)type);
	buf_add(&l->text, name, strlen(name) + 1);
	l->n++;
}

static int list(struct writer *w, int fd, struct listing *l)
{
	if (dir_each(fd, list_entry, l))
		return err_errno(w->e, "cannot read the directory '%s'", buf_str(&w->path));
	/* Only now does text stay where it is. */
	l->names = xmalloc(mem_size(l->n, sizeof *l->names, 1));
	for (size_t i = 0, at = 0; i < l->n; i++) {
		l->names[i] = l->text.p + at + 1;
		at += 1 + strlen(l->names[i]) + 1;
	}
	if (l->n)
		qsort(l->names, l->n, sizeof *l->names, by_name);
	for (size_t i = 1; i < l->n; i++)
		CHECK(strcmp(l->names[i - 1], l->names[i]) < 0);
	return 0;
}

static enum nar_type type_of(int dirfd, const char *name, unsigned char hint)
{
	struct stat st;

	if (hint == DT_UNKNOWN) {
		if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW))
			return NAR_UNKNOWN;
		return S_ISREG(st.st_mode)   ? NAR_REGULAR
		       : S_ISDIR(st.st_mode) ? NAR_DIRECTORY
		       : S_ISLNK(st.st_mode) ? NAR_SYMLINK
					     : NAR_UNKNOWN;
	}
	return hint == DT_REG ? NAR_REGULAR : hint == DT_DIR ? NAR_DIRECTORY : hint == DT_LNK ? NAR_SYMLINK : NAR_UNKNOWN;
}

static int put_entry(struct writer *w, int dirfd, const char *name, int depth)
{
	unsigned char hint = (unsigned char)name[-1];
	int rc;

	if (w->filter) {
		rc = w->filter->include(w->filter->user, buf_str(&w->path), w->path.len, type_of(dirfd, name, hint), w->e);
		if (rc <= 0)
			return rc;
	}
	if ((rc = put_words(w, "entry\0(\0name\0")) || (rc = put_str(w, name, strlen(name))) ||
	    (rc = put_words(w, "node\0")) || (rc = put_object(w, dirfd, name, hint, depth + 1)))
		return rc;
	return put_words(w, ")\0");
}

/* Takes over fd. */
static int put_directory(struct writer *w, int fd, int depth)
{
	struct listing l = { .text = BUF_INIT };
	size_t len = w->path.len;
	int rc = put_words(w, "type\0directory\0");

	if (!rc)
		rc = list(w, fd, &l);
	for (size_t i = 0; i < l.n && !rc; i++) {
		if (!len || w->path.p[len - 1] != '/')
			buf_addc(&w->path, '/');
		buf_adds(&w->path, l.names[i]);
		rc = put_entry(w, fd, l.names[i], depth);
		buf_trim(&w->path, len);
	}
	close(fd);
	listing_release(&l);
	return rc;
}

/* --- objects --- */

static int unsupported(struct writer *w)
{
	return err_set(w->e, ERR_INVALID, "file '%s' has an unsupported type", buf_str(&w->path));
}

/* Opens what is to be read without waiting for or touching devices and FIFOs. */
static int put_opened(struct writer *w, int dirfd, const char *name, int flags, int depth)
{
	struct stat st;
	int rc, fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | flags);

	if (fd < 0)
		return err_errno(w->e, "cannot open '%s'", buf_str(&w->path));
	if (fstat(fd, &st))
		rc = err_errno(w->e, "cannot read the status of '%s'", buf_str(&w->path));
	else if (S_ISDIR(st.st_mode))
		return put_directory(w, fd, depth);
	else if (S_ISREG(st.st_mode))
		rc = put_regular(w, fd, &st);
	else
		rc = unsupported(w);
	close(fd);
	return rc;
}

static int put_object(struct writer *w, int dirfd, const char *name, unsigned char hint, int depth)
{
	enum nar_type type = type_of(dirfd, name, hint);
	int rc;

	if (depth >= LIMIT_NAR_DEPTH)
		return err_set(w->e, ERR_LIMIT, "path '%s' exceeds maximum NAR directory depth of %d", buf_str(&w->path),
			       LIMIT_NAR_DEPTH);
	if ((rc = put_words(w, "(\0")))
		return rc;
	switch (type) {
	case NAR_SYMLINK:
		rc = put_symlink(w, dirfd, name);
		break;
	case NAR_DIRECTORY:
		rc = put_opened(w, dirfd, name, O_DIRECTORY, depth);
		break;
	case NAR_REGULAR:
		rc = put_opened(w, dirfd, name, 0, depth);
		break;
	case NAR_UNKNOWN:
		/* Either gone or of a kind that has no form here; opening would have side effects. */
		rc = faccessat(dirfd, name, F_OK, AT_SYMLINK_NOFOLLOW)
			     ? err_errno(w->e, "cannot read the status of '%s'", buf_str(&w->path))
			     : unsupported(w);
		break;
	}
	return rc ? rc : put_words(w, ")\0");
}

static int writer_init(struct writer *w, const struct nar_filter *filter, const struct nar_sink *sink, struct err *e)
{
	*w = (struct writer){ .sink = sink, .filter = filter, .e = e, .path = BUF_INIT, .room = BUF_INIT };
	buf_reserve(&w->room, BUF_SIZE);
	w->buf = w->room.p;
	return put_words(w, "nix-archive-1\0");
}

static int writer_finish(struct writer *w, int rc)
{
	if (!rc)
		rc = flush(w);
	buf_release(&w->room);
	buf_release(&w->path);
	return rc;
}

int nar_write(int dirfd, const char *name, const char *path, const struct nar_filter *filter,
	      const struct nar_sink *sink, struct err *e)
{
	struct writer w;
	int rc = writer_init(&w, filter, sink, e);

	buf_adds(&w.path, path ? path : name);
	if (!rc)
		rc = put_object(&w, dirfd, name, DT_UNKNOWN, 0);
	return writer_finish(&w, rc);
}

int nar_write_bytes(struct slice bytes, int executable, const struct nar_sink *sink, struct err *e)
{
	struct writer w;
	int rc = writer_init(&w, NULL, sink, e);

	if (!rc)
		rc = put_words(&w, "(\0type\0regular\0");
	if (!rc && executable) {
		rc = put_words(&w, "executable\0");
		if (!rc)
			rc = put_str(&w, "", 0);
	}
	if (!rc)
		rc = put_words(&w, "contents\0");
	if (!rc)
		rc = put_str(&w, bytes.p, bytes.n);
	if (!rc)
		rc = put_words(&w, ")\0");
	return writer_finish(&w, rc);
}

const char *nar_type_name(enum nar_type t)
{
	static const char *const names[] = { "regular", "directory", "symlink", "unknown" };

	return names[t];
}

/* --- hashing --- */

struct hash_sink {
	struct hash_ctx c;
	uint64_t *size;
};

static int hash_write(void *user, const void *p, size_t n, struct err *e)
{
	struct hash_sink *s = user;

	(void)e;
	hash_update(&s->c, p, n);
	*s->size += n;
	return 0;
}

int nar_hash(enum hash_algo a, int dirfd, const char *name, const char *path, const struct nar_filter *filter,
	     struct hash *out, uint64_t *size, struct err *e)
{
	uint64_t all = 0;
	struct hash_sink s = { .size = size ? size : &all };
	struct nar_sink sink = { hash_write, &s };

	*s.size = 0;
	hash_init(&s.c, a);
	int rc = nar_write(dirfd, name, path, filter, &sink, e);

	if (!rc)
		hash_final(&s.c, out);
	return rc;
}

void nar_hash_bytes(enum hash_algo a, struct slice bytes, int executable, struct hash *out, uint64_t *size)
{
	uint64_t all = 0;
	struct hash_sink s = { .size = &all };
	struct nar_sink sink = { hash_write, &s };

	hash_init(&s.c, a);
	nar_write_bytes(bytes, executable, &sink, NULL);
	hash_final(&s.c, out);
	if (size)
		*size = all;
}

int nar_hash_file_flat(enum hash_algo a, int dirfd, const char *name, struct hash *out, uint64_t *size, struct err *e)
{
	struct stat st;
	int rc, fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0)
		return errno == ELOOP ? err_set(e, ERR_INVALID, "'%s' is not a regular file", name)
				      : err_errno(e, "cannot open '%s'", name);
	if (fstat(fd, &st))
		rc = err_errno(e, "cannot read the status of '%s'", name);
	else if (!S_ISREG(st.st_mode))
		rc = err_set(e, ERR_INVALID, "'%s' is not a regular file", name);
	else
		rc = hash_fd(a, fd, out, size, e);
	close(fd);
	return rc;
}
