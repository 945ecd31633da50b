/* SPDX-License-Identifier: MIT
 *
 * Writing one object in canonical form, and learning all there is to know about it on the way.
 *
 * Whatever the object comes from is made an archive, and the archive is the one thing that is hashed, scanned and
 * unpacked, in the same pass, in pieces.  So what was hashed is what was written, even when the source changes under our
 * hands; and since every file is made here, there are no modes, owners, links or attributes to inherit.
 *
 * The archive reader hands out names that are safe to create in the directory last entered; here they
 * are created relative to that directory's descriptor, never over an existing name (on a file system that folds
 * case or normalises Unicode two names of an archive may be one: that is an error, not an overwrite).
 */
#include "config.h"
#include "store/object.h"
#include "base/alloc.h"
#include "base/fdio.h"
#include "base/limits.h"
#include "format/refscan.h"
#include "store/hash_behind.h"
#include "store/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Access times are nobody's business; modification times are 1, as in Nix: 0 breaks programs that take it for "none". */
static const struct timespec canonical_times[2] = { { 0, UTIME_OMIT }, { 1, 0 } };

/* Of a large file the disk writes so much at a time while the rest is still read. */
enum { WRITE_BEHIND = 8 << 20 };

struct writer {
	struct object_facts *f;
	struct hash_behind nar;
	struct hash_ctx other;
	int hash_nar_twice, hash_contents;
	struct refscan *scan;
	struct self_hash *self;
	uint64_t size;
	struct nar_reader *reader;
	struct rewriter *rewriter; /* NULL: nothing is replaced */

	/* the tree being written */
	const char *to_name;
	int dirs[LIMIT_NAR_DEPTH + 2]; /* dirs[0] is the caller's */
	int depth;
	int file;
	mode_t mode; /* of that file */
	off_t written, begun; /* of its bytes; begun: those the disk was told of */
};

void object_facts_release(struct object_facts *f)
{
	path_set_release(&f->refs);
}

/* --- writing files --- */

static const char *name_of(const struct writer *w, struct slice name)
{
	return w->depth ? name.p : w->to_name;
}

static int at_root(struct writer *w, enum nar_type type, int executable, struct err *e)
{
	if (w->depth)
		return 0;
	w->f->type = type;
	w->f->executable = executable;
	if (w->hash_contents && type != NAR_REGULAR)
		return err_set(e, ERR_INVALID, "the object is a %s, and only a regular file can be hashed flat",
			       nar_type_name(type));
	return 0;
}

static int on_directory(void *user, struct slice name, struct err *e)
{
	struct writer *w = user;
	const char *n = name_of(w, name);
	int rc = at_root(w, NAR_DIRECTORY, 0, e), fd;

	if (rc)
		return rc;
	if (mkdirat(w->dirs[w->depth], n, 0700) < 0)
		return err_errno(e, "cannot make the directory '%s' in the store", n);
	fd = openat(w->dirs[w->depth], n, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_errno(e, "cannot open the directory '%s' in the store", n);
	w->dirs[++w->depth] = fd;
	return 0;
}

static int on_directory_end(void *user, struct err *e)
{
	struct writer *w = user;
	int fd = w->dirs[w->depth--];
	int rc = fchmod(fd, 0555) < 0 || futimens(fd, canonical_times) < 0 ?
		 err_errno(e, "cannot set mode and time of a directory in the store") : 0;

	close(fd);
	return rc;
}

static int on_regular(void *user, struct slice name, int executable, uint64_t size, struct err *e)
{
	struct writer *w = user;
	const char *n = name_of(w, name);
	int rc = at_root(w, NAR_REGULAR, executable, e);

	(void)size;
	if (rc)
		return rc;
	w->mode = executable ? 0555 : 0444;
	w->written = w->begun = 0;
	w->file = openat(w->dirs[w->depth], n, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return w->file < 0 ? err_errno(e, "cannot make the file '%s' in the store", n) : 0;
}

static int on_contents(void *user, const void *data, size_t n, struct err *e)
{
	struct writer *w = user;

	if (w->hash_contents)
		hash_update(&w->other, data, n);
	if (fd_write_all(w->file, data, n))
		return err_errno(e, "cannot write to the store");
	w->written += (off_t)n;
	/* A hint: whoever waits for the disk in the end waits for less then. */
	if (w->written - w->begun >= WRITE_BEHIND) {
		sync_file_range(w->file, w->begun, w->written - w->begun, SYNC_FILE_RANGE_WRITE);
		w->begun = w->written;
	}
	return 0;
}

static int on_regular_end(void *user, struct err *e)
{
	struct writer *w = user;
	int fd = w->file, rc = 0;

	w->file = -1;
	if (fchmod(fd, w->mode) < 0 || futimens(fd, canonical_times) < 0)
		rc = err_errno(e, "cannot set mode and time of a file in the store");
	/* Some network file systems tell of a full disk only here. */
	if (close(fd) < 0 && !rc)
		rc = err_errno(e, "cannot write to the store");
	return rc;
}

static int on_symlink(void *user, struct slice name, struct slice target, struct err *e)
{
	struct writer *w = user;
	const char *n = name_of(w, name);
	int rc = at_root(w, NAR_SYMLINK, 0, e);

	if (rc)
		return rc;
	if (symlinkat(target.p, w->dirs[w->depth], n) < 0)
		return err_errno(e, "cannot make the symlink '%s' in the store", n);
	if (utimensat(w->dirs[w->depth], n, canonical_times, AT_SYMLINK_NOFOLLOW) < 0 && errno != EOPNOTSUPP && errno != ENOSYS)
		return err_errno(e, "cannot set the time of the symlink '%s' in the store", n);
	return 0;
}

static const struct nar_events events = { on_directory, on_directory_end, on_regular,
					  on_contents,	on_regular_end,	  on_symlink };

/* --- the archive passing by --- */

static int take_final(void *user, const void *p, size_t n, struct err *e)
{
	struct writer *w = user;
	size_t used;
	int rc;

	w->size += n;
	if (w->f->max_size && w->size > w->f->max_size)
		return err_set(e, ERR_LIMIT, "the archive has more than the %llu bytes it may have",
			       (unsigned long long)w->f->max_size);
	hash_behind_feed(&w->nar, p, n);
	if (w->hash_nar_twice)
		hash_update(&w->other, p, n);
	if (w->scan)
		refscan_feed(w->scan, p, n);
	if (w->self)
		self_hash_feed(w->self, p, n);
	rc = nar_reader_feed(w->reader, p, n, &used, e);
	if (!rc && used < n)
		rc = err_set(e, ERR_INVALID, "the archive has more after its end");
	return rc;
}

static int take(void *user, const void *p, size_t n, struct err *e)
{
	struct writer *w = user;

	return w->rewriter ? rewriter_feed(w->rewriter, p, n, e) : take_final(w, p, n, e);
}

static int begin(struct writer *w, struct object_facts *f, int to, const char *to_name, struct err *e)
{
	*w = (struct writer){ .f = f, .to_name = to_name, .dirs = { to }, .file = -1 };
	if (f->algo != HASH_ANY && f->method == CA_GIT)
		return err_set(e, ERR_INVALID, "objects addressed as git does are not supported yet");
	w->hash_contents = f->algo != HASH_ANY && f->method != CA_NAR;
	w->hash_nar_twice = f->algo != HASH_ANY && f->algo != HASH_SHA256 && f->method == CA_NAR;
	if (f->self && f->algo == HASH_SHA256 && f->method == CA_NAR)
		w->self = self_hash_new(f->self);
	hash_behind_init(&w->nar, HASH_SHA256);
	if (f->algo != HASH_ANY)
		hash_init(&w->other, f->algo);
	if (f->candidates && f->candidates->n)
		w->scan = refscan_new(f->candidates);
	w->reader = nar_reader_new(&events, w);
	if (f->nrewrites)
		w->rewriter = rewriter_new(f->rewrites, f->nrewrites, &(struct nar_sink){ take_final, w });
	return 0;
}

/* Fills the facts, or removes what was written. */
static int end(struct writer *w, int rc, struct err *e)
{
	struct object_facts *f = w->f;

	rc = rc || !w->rewriter ? rc : rewriter_end(w->rewriter, e);
	rewriter_free(w->rewriter);
	if (!rc && !nar_reader_done(w->reader))
		rc = err_set(e, ERR_INVALID, "the archive is cut off");
	nar_reader_free(w->reader);
	if (w->file >= 0)
		close(w->file);
	while (w->depth)
		close(w->dirs[w->depth--]);
	hash_behind_final(&w->nar, &f->nar_hash);
	f->nar_size = w->size;
	if (w->hash_contents || w->hash_nar_twice)
		hash_final(&w->other, &f->hash);
	else
		f->hash = f->nar_hash;
	self_hash_end(w->self, &f->hash);
	if (w->scan && !rc)
		refscan_found(w->scan, &f->refs);
	refscan_free(w->scan);
	if (rc)
		tree_remove(w->dirs[0], w->to_name, NULL, NULL, NULL);
	return rc;
}

/* --- where objects come from --- */

int object_copy(int from, const char *from_name, const char *path, const struct nar_filter *filter, int to,
		const char *to_name, struct object_facts *f, struct err *e)
{
	struct writer w;
	const struct nar_sink sink = { take, &w };
	int rc = begin(&w, f, to, to_name, e);

	return rc ? rc : end(&w, nar_write(from, from_name, path, filter, &sink, e), e);
}

int object_write(struct slice bytes, int executable, int to, const char *to_name, struct object_facts *f,
		 struct err *e)
{
	struct writer w;
	const struct nar_sink sink = { take, &w };
	int rc = begin(&w, f, to, to_name, e);

	return rc ? rc : end(&w, nar_write_bytes(bytes, executable, &sink, e), e);
}

static int pump(struct writer *w, const struct byte_source *nar, struct err *e)
{
	enum { CHUNK = 1 << 16 };
	char *chunk = xmalloc(CHUNK);
	int rc = 0;
	long n;

	while (!rc && (n = nar->read(nar->user, chunk, CHUNK, e)))
		rc = n < 0 ? (int)n : take(w, chunk, (size_t)n, e);
	free(chunk);
	return rc;
}

int object_restore(const struct byte_source *nar, int to, const char *to_name, struct object_facts *f, struct err *e)
{
	struct writer w;
	int rc = begin(&w, f, to, to_name, e);

	return rc ? rc : end(&w, pump(&w, nar, e), e);
}

/* --- an archive that is pushed --- */

struct object_writer {
	struct writer w;
};

int object_begin(struct object_writer **out, int to, const char *to_name, struct object_facts *f, struct err *e)
{
	struct object_writer *o = xcalloc(1, sizeof *o);
	int rc = begin(&o->w, f, to, to_name, e);

	if (rc)
		free(o);
	*out = rc ? NULL : o;
	return rc;
}

int object_feed(struct object_writer *o, const void *p, size_t n, struct err *e)
{
	return take(&o->w, p, n, e);
}

int object_end(struct object_writer *o, int rc, struct err *e)
{
	rc = end(&o->w, rc, e);
	free(o);
	return rc;
}

/* --- a flat file --- */

static int take_word(struct writer *w, const char *word, size_t n, uint64_t length, struct err *e)
{
	char text[48] = { 0 };

	for (int i = 0; i < 8; i++)
		text[i] = (char)(length >> 8 * i);
	memcpy(text + 8, word, n);
	return take(w, text, 8 + (n + 7) / 8 * 8, e);
}

static int take_words(struct writer *w, const char *const *words, struct err *e)
{
	int rc = 0;

	for (; !rc && *words; words++)
		rc = take_word(w, *words, strlen(*words), strlen(*words), e);
	return rc;
}

/* The archive of a file without its executable bit, which a flat hash does not cover. */
static int flat(struct writer *w, int fd, uint64_t size, struct err *e)
{
	static const char *const head[] = { "nix-archive-1", "(", "type", "regular", "contents", NULL };
	static const char *const tail[] = { ")", NULL };
	uint64_t left = size;
	char chunk[1 << 14];
	int rc = take_words(w, head, e);

	if (!rc)
		rc = take_word(w, "", 0, size, e);
	while (!rc && left) {
		ssize_t n = fd_read(fd, chunk, left < sizeof chunk ? (size_t)left : sizeof chunk);
		if (n < 0)
			return err_errno(e, "cannot read the file");
		if (!n)
			return err_set(e, ERR_IO, "the file changed while it was read");
		rc = take(w, chunk, (size_t)n, e);
		left -= (uint64_t)n;
	}
	if (!rc && (size & 7))
		rc = take(w, "\0\0\0\0\0\0\0", (size_t)(-size & 7), e);
	return rc ? rc : take_words(w, tail, e);
}

int object_copy_flat(int from, const char *from_name, int to, const char *to_name, struct object_facts *f,
		     struct err *e)
{
	int fd = openat(from, from_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), rc;
	struct writer w;
	struct stat st;

	if (fd < 0 && errno != ELOOP)
		return err_errno(e, "cannot open '%s'", from_name);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		if (fd >= 0)
			close(fd);
		return err_set(e, ERR_INVALID, "'%s' is not a regular file, and only such can be hashed flat", from_name);
	}
	rc = begin(&w, f, to, to_name, e);
	if (!rc)
		rc = end(&w, flat(&w, fd, (uint64_t)st.st_size, e), e);
	close(fd);
	return rc;
}
