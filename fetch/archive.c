/* SPDX-License-Identifier: MIT
 *
 * libarchive reads, this file writes.  libarchive can write too, and knows flags against most attacks; but they are checks of
 * names, done before the fact.  Here a path is opened from the quarantine's descriptor down, one component after
 * the other, O_NOFOLLOW, so there is nothing to race or to forget: a link in the way is an error, whoever made it.
 *
 * Only the formats and filters named are switched on, so that the rest of libarchive's parsers are out of reach, and none
 * that would start a program.  The only includer of <archive.h>.
 */
#include "config.h"
#include "fetch/archive.h"
#include "base/alloc.h"
#include "base/fdio.h"
#include "base/late.h"
#include "base/limits.h"
#include "format/nar.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <archive.h>
#include <archive_entry.h>

#define CALLS(X) \
	X(clear_error) X(entry_filetype) X(entry_hardlink) X(entry_is_encrypted) X(entry_mode) X(entry_mtime) \
	X(entry_mtime_is_set) X(entry_pathname) X(entry_pathname_utf8) X(entry_size) X(entry_size_is_set) \
	X(entry_symlink) X(entry_symlink_utf8) X(error_string) X(format) X(read_data_block) X(read_free) \
	X(read_new) X(read_next_header) X(read_open1) X(read_set_callback_data) X(read_set_options) \
	X(read_set_read_callback) X(read_set_seek_callback) X(read_support_filter_bzip2) \
	X(read_support_filter_gzip) X(read_support_filter_xz) X(read_support_filter_zstd) \
	X(read_support_format_tar) X(read_support_format_zip) X(set_error)
#define POINTER(f) __typeof__(archive_##f) *f;

LATE_LIBRARY(archive, GX_ARCHIVE_LIBRARY, "archive_", CALLS, POINTER);

enum { PIECE = 65536, PATH_LONGEST = 16384 };

struct unpack {
	struct archive *a;
	const struct archive_input *in;
	int dirfd;
	struct archive_limits limits;
	struct archive_facts facts;
	int several; /* at the top */
	int begun;   /* something was read of it */
	struct err *e;
	int read_failed; /* the input's own error, already in e */
	char piece[PIECE];
};

void archive_facts_release(struct archive_facts *f)
{
	free(f->single);
	memset(f, 0, sizeof *f);
}

/* --- reading --- */

static la_ssize_t on_read(struct archive *a, void *user, const void **out)
{
	struct unpack *u = user;
	long n = u->in->read(u->in->user, u->piece, sizeof u->piece, u->e);

	*out = u->piece;
	if (n < 0) {
		u->read_failed = (int)n;
		archive.set_error(a, EIO, "cannot read");
		return ARCHIVE_FATAL;
	}
	u->begun |= n > 0;
	return n;
}

static la_int64_t on_seek(struct archive *a, void *user, la_int64_t offset, int whence)
{
	struct unpack *u = user;
	int64_t at = u->in->seek(u->in->user, offset, whence);

	if (at >= 0)
		return at;
	archive.set_error(a, EIO, "cannot seek");
	return ARCHIVE_FATAL;
}

static int damaged(struct unpack *u)
{
	const char *why = archive.error_string(u->a);

	if (u->read_failed)
		return u->read_failed;
	if (!u->begun)
		return err_set(u->e, ERR_INVALID, "the archive is empty");
	return err_set(u->e, ERR_INVALID, "the archive cannot be read: %s", why ? why : "damaged");
}

static int open_archive(struct unpack *u)
{
	struct archive *a = u->a = archive.read_new();

	if (!a)
		out_of_memory();
	/* A filter that is not built in is a warning: libarchive would run a program instead. */
	if (archive.read_support_filter_gzip(a) != ARCHIVE_OK || archive.read_support_filter_xz(a) != ARCHIVE_OK ||
	    archive.read_support_filter_bzip2(a) != ARCHIVE_OK || archive.read_support_filter_zstd(a) != ARCHIVE_OK ||
	    archive.read_support_format_tar(a) != ARCHIVE_OK || archive.read_support_format_zip(a) != ARCHIVE_OK)
		return damaged(u);
	/* Names are bytes to us; libarchive wants to know what they mean when it converts, and must not ask the locale. */
	archive.read_set_options(a, "zip:hdrcharset=UTF-8");
	archive.clear_error(a);
	archive.read_set_callback_data(a, u);
	archive.read_set_read_callback(a, on_read);
	if (u->in->seek)
		archive.read_set_seek_callback(a, on_seek);
	return archive.read_open1(a) == ARCHIVE_OK ? 0 : damaged(u);
}

/* --- paths --- */

static int bad_path(struct unpack *u, const char *path, const char *why)
{
	return err_set(u->e, ERR_INVALID, "the archive holds '%s', %s", path, why);
}

/* Splits into components, in place: "./a//b/" becomes "a\0b\0", and their number. */
static int components(struct unpack *u, const char *path, char *out, size_t *n)
{
	const char *p = path;

	*n = 0;
	if (*p == '/')
		return bad_path(u, path, "an absolute path");
	if (strlen(path) >= PATH_LONGEST)
		return err_set(u->e, ERR_INVALID, "the archive holds a path of %zu bytes", strlen(path));
	while (*p) {
		size_t len = strcspn(p, "/");

		if (len == 2 && !memcmp(p, "..", 2))
			return bad_path(u, path, "which leads out of it");
		if (len > NAR_NAME_MAX)
			return err_set(u->e, ERR_INVALID, "the archive holds a name of %zu bytes", len);
		if (len && !(len == 1 && *p == '.')) {
			memcpy(out, p, len);
			out[len] = 0;
			out += len + 1;
			++*n;
		}
		p += len + (p[len] == '/');
	}
	return *n > LIMIT_ARCHIVE_DEPTH ? err_set(u->e, ERR_LIMIT, "the archive holds directories more than %d deep",
						  LIMIT_ARCHIVE_DEPTH)
					: 0;
}

/* Opens the directory that holds the last of n components, making those that are missing when `make`; *last is that
 * component.  The descriptor is the caller's. */
static int open_parent(struct unpack *u, const char *path, const char *parts, size_t n, int make, int *fd, const char **last)
{
	*fd = fcntl(u->dirfd, F_DUPFD_CLOEXEC, 0);
	for (; *fd >= 0 && n > 1; n--, parts += strlen(parts) + 1) {
		if (make && mkdirat(*fd, parts, 0755) < 0 && errno != EEXIST)
			break;
		int next = openat(*fd, parts, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (next < 0)
			break;
		close(*fd);
		*fd = next;
	}
	*last = parts;
	if (*fd >= 0 && n == 1)
		return 0;
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	if (saved == ENOTDIR || saved == ELOOP)
		return bad_path(u, path, "but what it lies in is no directory");
	errno = saved;
	return err_errno(u->e, "cannot unpack '%s'", path);
}

static int exists(struct unpack *u, const char *path, int error)
{
	if (error == EEXIST)
		return bad_path(u, path, "which is there already");
	errno = error;
	return err_errno(u->e, "cannot unpack '%s'", path);
}

/* --- members --- */

/* A member may come twice: the later one counts, as for Nix and tar.  Only a folder is never replaced, for it has others in it. */
static void make_room(int dirfd, const char *name)
{
	/* Fails for a folder. */
	unlinkat(dirfd, name, 0);
}

static int count_size(struct unpack *u, uint64_t n)
{
	if (n > u->limits.size - u->facts.size)
		return err_set(u->e, ERR_LIMIT, "the archive unpacks to more than %llu bytes",
			       (unsigned long long)u->limits.size);
	u->facts.size += n;
	return 0;
}

static int write_at(struct unpack *u, int fd, const char *p, size_t n, int64_t at)
{
	while (n) {
		ssize_t k = pwrite(fd, p, n, at);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return err_errno(u->e, "cannot write what was unpacked");
		p += k;
		n -= (size_t)k;
		at += k;
	}
	return 0;
}

/* Copies the data; holes of sparse files count as if they were written. */
static int copy_data(struct unpack *u, int fd, struct archive_entry *entry)
{
	uint64_t declared = archive.entry_size_is_set(entry) ? (uint64_t)archive.entry_size(entry) : UINT64_MAX, end = 0;
	const void *p;
	size_t n;
	la_int64_t at;
	int rc;

	while ((rc = archive.read_data_block(u->a, &p, &n, &at)) == ARCHIVE_OK) {
		if (at < 0 || (uint64_t)at < end || (uint64_t)at + n > declared)
			return err_set(u->e, ERR_INVALID, "the archive cannot be read: data out of place");
		if ((rc = count_size(u, (uint64_t)at + n - end)) || (rc = write_at(u, fd, p, n, at)))
			return rc;
		end = (uint64_t)at + n;
	}
	if (rc != ARCHIVE_EOF)
		return damaged(u);
	if (declared == UINT64_MAX || declared == end)
		return 0;
	if ((rc = count_size(u, declared - end)))
		return rc;
	return ftruncate(fd, (off_t)declared) < 0 ? err_errno(u->e, "cannot write what was unpacked") : 0;
}

static int unpack_file(struct unpack *u, int dirfd, const char *name, const char *path, struct archive_entry *entry)
{
	make_room(dirfd, name);
	/* Private while it is written. */
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return exists(u, path, errno);
	int rc = copy_data(u, fd, entry);

	if (!rc && fchmod(fd, archive.entry_mode(entry) & 0100 ? 0755 : 0644) < 0)
		rc = err_errno(u->e, "cannot unpack '%s'", path);
	close(fd);
	return rc;
}

static int unpack_dir(struct unpack *u, int dirfd, const char *name, const char *path)
{
	struct stat st;

	if (!mkdirat(dirfd, name, 0755))
		return 0;
	/* A directory may come twice, or after its contents. */
	if (errno == EEXIST && !fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) && S_ISDIR(st.st_mode))
		return 0;
	make_room(dirfd, name);
	return mkdirat(dirfd, name, 0755) ? exists(u, path, errno) : 0;
}

static int unpack_symlink(struct unpack *u, int dirfd, const char *name, const char *path, const char *target)
{
	if (!target || !*target || strlen(target) > NAR_TARGET_MAX)
		return bad_path(u, path, "a symbolic link to nowhere");
	make_room(dirfd, name);
	return symlinkat(target, dirfd, name) < 0 ? exists(u, path, errno) : 0;
}

static int unpack_hardlink(struct unpack *u, int dirfd, const char *name, const char *path, const char *target)
{
	char parts[PATH_LONGEST + 1];
	const char *last;
	struct stat st, own;
	size_t n;
	int fd, rc = components(u, target, parts, &n);

	if (rc)
		return rc;
	if (!n)
		return bad_path(u, path, "a link to nothing in it");
	if ((rc = open_parent(u, target, parts, n, 0, &fd, &last)))
		return rc;
	if (fstatat(fd, last, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		rc = bad_path(u, path, "a link to what is no file in it");
	if (!rc && (fstatat(dirfd, name, &own, AT_SYMLINK_NOFOLLOW) < 0 || own.st_ino != st.st_ino)) {
		make_room(dirfd, name);
		if (linkat(fd, last, dirfd, name, 0) < 0)
			rc = exists(u, path, errno);
	}
	close(fd);
	/* Elsewhere it will be a copy. */
	return rc ? rc : count_size(u, (uint64_t)st.st_size);
}

static int unpack_into(struct unpack *u, int dirfd, const char *name, const char *path, struct archive_entry *entry)
{
	const char *target = archive.entry_hardlink(entry);

	if (target)
		return unpack_hardlink(u, dirfd, name, path, target);
	switch (archive.entry_filetype(entry)) {
	case AE_IFREG:
		return unpack_file(u, dirfd, name, path, entry);
	case AE_IFDIR:
		return unpack_dir(u, dirfd, name, path);
	case AE_IFLNK:
		target = archive.entry_symlink(entry);
		return unpack_symlink(u, dirfd, name, path, target ? target : archive.entry_symlink_utf8(entry));
	default:
		return bad_path(u, path, "which is no file, directory or link");
	}
}

static void note_top(struct unpack *u, const char *name)
{
	if (!u->facts.single && !u->several) {
		u->facts.single = xstrdup(name);
	} else if (u->facts.single && strcmp(u->facts.single, name)) {
		free(u->facts.single);
		u->facts.single = NULL;
		u->several = 1;
	}
}

static int unpack_member(struct unpack *u, struct archive_entry *entry)
{
	const char *path = archive.entry_pathname(entry), *last;
	char parts[PATH_LONGEST + 1];
	size_t n;
	int fd, rc;

	if (!path)
		path = archive.entry_pathname_utf8(entry);
	if (!path)
		return err_set(u->e, ERR_INVALID, "the archive holds a member without a readable name");
	if (++u->facts.members > u->limits.members)
		return err_set(u->e, ERR_LIMIT, "the archive has more than %llu members",
			       (unsigned long long)u->limits.members);
	if (archive.entry_is_encrypted(entry))
		return bad_path(u, path, "which is encrypted");
	if ((rc = components(u, path, parts, &n)))
		return rc;
	if (archive.entry_mtime_is_set(entry) && archive.entry_mtime(entry) > u->facts.newest)
		u->facts.newest = archive.entry_mtime(entry);
	if (!n) /* "./": the directory itself */
		return archive.entry_filetype(entry) == AE_IFDIR ? 0 : bad_path(u, path, "which has no name");
	if ((rc = open_parent(u, path, parts, n, 1, &fd, &last)))
		return rc;
	note_top(u, parts);
	rc = unpack_into(u, fd, last, path, entry);
	close(fd);
	return rc;
}

static int unpack_all(struct unpack *u)
{
	struct archive_entry *entry;
	int rc = open_archive(u);

	while (!rc) {
		int got = archive.read_next_header(u->a, &entry);

		if (got == ARCHIVE_EOF)
			break;
		/* Warnings are about names it could not convert, which we take as they are. */
		if (got != ARCHIVE_OK && got != ARCHIVE_WARN)
			rc = damaged(u);
		else
			rc = unpack_member(u, entry);
	}
	if (!rc && !u->facts.members && archive.format(u->a) == 0)
		rc = err_set(u->e, ERR_INVALID, "not an archive");
	return rc;
}

int archive_load(struct err *e)
{
	return late_load(&archive_library, e);
}

int archive_unpack(const struct archive_input *in, int dirfd, const struct archive_limits *limits,
		   struct archive_facts *facts, struct err *e)
{
	struct err own = ERR_INIT;
	struct unpack *u;
	int rc = archive_load(e);

	if (rc)
		return rc;
	u = xcalloc(1, sizeof *u);
	u->in = in;
	u->dirfd = dirfd;
	u->e = e ? e : &own;
	if (limits)
		u->limits = *limits;
	if (!u->limits.size)
		u->limits.size = LIMIT_ARCHIVE_SIZE;
	if (!u->limits.members)
		u->limits.members = LIMIT_ARCHIVE_ENTRIES;
	rc = unpack_all(u);
	archive.read_free(u->a);
	if (rc || !facts)
		archive_facts_release(&u->facts);
	else
		*facts = u->facts;
	free(u);
	err_release(&own);
	return rc;
}

static long read_fd(void *user, void *p, size_t n, struct err *e)
{
	ssize_t k = fd_read(*(int *)user, p, n);

	return k < 0 ? err_errno(e, "cannot read the archive") : k;
}

static int64_t seek_fd(void *user, int64_t offset, int whence)
{
	return lseek(*(int *)user, offset, whence);
}

/* What a file of that size may unpack to. */
static uint64_t plausible(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size > LIMIT_ARCHIVE_SIZE / LIMIT_ARCHIVE_RATIO)
		return LIMIT_ARCHIVE_SIZE;
	uint64_t size = (uint64_t)st.st_size * LIMIT_ARCHIVE_RATIO;

	return size > LIMIT_ARCHIVE_SMALL ? size : LIMIT_ARCHIVE_SMALL;
}

int archive_unpack_fd(int fd, int dirfd, const struct archive_limits *limits, struct archive_facts *facts, struct err *e)
{
	/* From where it stands: a file that is not at its start is taken as a stream. */
	struct archive_input in = { read_fd, lseek(fd, 0, SEEK_CUR) == 0 ? seek_fd : NULL, &fd };
	struct archive_limits own = limits ? *limits : (struct archive_limits){ 0, 0 };

	if (!own.size)
		own.size = plausible(fd);
	return archive_unpack(&in, dirfd, &own, facts, e);
}
