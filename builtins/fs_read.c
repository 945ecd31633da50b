/* SPDX-License-Identifier: MIT
 *
 * Reading files and directories.
 *
 * A file is read straight into the string value it becomes: its size is asked for first, one read fills the
 * block, and files that have no size (pipes, /proc) grow by doubling.  Contents above a mebibyte are not kept
 * in the memo: what the expression itself does not hold on to can be collected.
 *
 * Under a guard the path was walked first, so no component is a link any more and the open says so.
 */
#include "config.h"
#include "builtins/fs_int.h"
#include "base/alloc.h"
#include "builtins/fs_members.h"
#include "base/buf.h"
#include "base/dir.h"
#include "base/fdio.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/pathname.h"
#include "base/source.h"
#include "eval/eval.h"
#include "fetch/trail.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEEP_MAX = 1 << 20, GROW_MIN = 1 << 16 };

/* --- opening --- */

static void close_fd(void *arg)
{
	close(*(int *)arg);
}

static __attribute__((noreturn, cold)) void cannot_open(W path, int err)
{
	errno = err;
	fs_throw(err == ENOENT || err == ENOTDIR ? FS_MISSING : err == ELOOP ? FS_LOOP : FS_FAILED, path);
}

/* What cannot be opened may be there next time. */
static void note_missing(const char *place)
{
	int err = errno;

	trail_lstat(place);
	trail_stat(place);
	errno = err;
}

/* The descriptor, or -1 and errno. */
static int open_place(W path, int flags, const char **which)
{
	const char *place[2];
	unsigned n = fs_places(path, place);
	int fd = -1;

	for (unsigned i = 0; i < n && fd < 0; i++)
		do
			fd = open(*which = place[i], flags | O_CLOEXEC);
		while (fd < 0 && errno == EINTR);
	if (fd < 0 || *which != place[0])
		note_missing(place[0]);
	if (fd < 0 && n > 1)
		note_missing(place[1]);
	return fd;
}

/* The path to open for `path`, checked: itself when nothing guards it. */
static W openable(W path)
{
	W real = path;

	if (fs_guarded() || fs_state()->mounts.n || fs_has_members(w_get_path(path)->b, w_get_path(path)->h.n))
		real = fs_resolve(path);
	if (fs_guarded() && !fs_allowed(w_get_path(real)->b, w_get_path(real)->h.n))
		fs_throw(FS_DENIED, path);
	return real;
}

static int open_flags(int flags)
{
	return fs_guarded() ? flags | O_NOFOLLOW : flags;
}

/* --- files --- */

static __attribute__((noreturn, cold)) void too_large(W path)
{
	throw_error(EK_IO, "file '%s' is larger than a string can be", w_get_path(path)->b);
}

/* A file of unknown length, of which `have` bytes were read already. */
static W read_growing(int fd, W path, const char *first, size_t have)
{
	struct buf b = BUF_GC;

	buf_add(&b, first, have);
	for (;;) {
		buf_reserve(&b, b.len < GROW_MIN ? GROW_MIN : b.len);
		ssize_t k = fd_read(fd, b.p + b.len, b.cap - b.len - 1);
		if (k < 0)
			cannot_open(path, errno);
		if (!k)
			return w_str(buf_str(&b), b.len, 0);
		buf_extend(&b, (size_t)k);
		if (b.len > LIMIT_STRING_LENGTH)
			too_large(path);
	}
}

/* A file that says how long it is.  One byte more is asked for to see whether that is true: a regular file gives less than
 * what was asked for at its end only, so one call does for it. */
static W read_sized(int fd, W path, size_t size)
{
	struct str *s = str_alloc(size, 0);
	ssize_t n = fd_read(fd, s->b, size + 1); /* the NUL has room */

	if (n < 0)
		cannot_open(path, errno);
	if ((size_t)n > size)
		return read_growing(fd, path, s->b, (size_t)n);
	if ((size_t)n < size) {
		ssize_t more = fd_read_full(fd, s->b + n, size - (size_t)n);
		if (more < 0)
			cannot_open(path, errno);
		n += more;
	}
	s->len = (uint32_t)n;
	s->b[n] = 0;
	return w_tag(s, TAG_STR);
}

/* place: what was opened. */
static W read_fd(int fd, W path, const char *place)
{
	struct stat st;

	if (fstat(fd, &st))
		cannot_open(path, errno);
	if (S_ISDIR(st.st_mode))
		trail_stat(place);
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		trail_spoil("it read a pipe or a device");
	if (S_ISDIR(st.st_mode))
		throw_error(EK_IO, "cannot read '%s': it is a directory", w_get_path(path)->b);
	if ((uint64_t)st.st_size > LIMIT_STRING_LENGTH)
		too_large(path);
	W s = S_ISREG(st.st_mode) && st.st_size ? read_sized(fd, path, (size_t)st.st_size) : read_growing(fd, path, "", 0);
	trail_file(place, &st, w_get_str(s)->b, w_get_str(s)->len);
	return s;
}

W fs_read_file(W path)
{
	struct fs *fs = fs_state();
	W real = openable(path);
	struct box_path *p = w_get_path(real);
	uint64_t *known = strmap_get(&fs->files, p->b, p->h.n);
	const char *text = fs_provided(real);

	if (known)
		return *known;
	if (text)
		return w_cstr(text);
	const char *place;
	int fd = open_place(real, open_flags(O_RDONLY), &place);
	if (fd < 0)
		cannot_open(path, errno);
	protect_push(close_fd, &fd);
	W s = read_fd(fd, path, place);
	protect_pop(1);
	if (w_get_str(s)->len <= KEEP_MAX)
		*strmap_put(&fs->files, p->b, p->h.n, NULL) = s;
	return s;
}

/* --- program text --- */

/* The parser's text must outlive the collector's interest in it, so it is malloc memory. */
struct text {
	char *p;
	size_t n;
	const char *file; /* that it can be read from again, with st; NULL: it has to stay */
	struct stat st;
};

static __attribute__((noreturn, cold)) void too_much_text(W path)
{
	throw_error(EK_IO, "too much source text: '%s' does not fit", w_get_path(path)->b);
}

static struct text text_of(W path, const struct str *s)
{
	struct text t = { .p = try_malloc(mem_size(1, s->len, 1)), .n = s->len };

	if (!t.p)
		too_much_text(path);
	memcpy(t.p, s->b, t.n + 1);
	return t;
}

/* A regular file straight into its place; p is NULL for anything else. */
static struct text read_text(int fd, const char *file)
{
	struct text t = { .file = file };

	if (fstat(fd, &t.st) || !S_ISREG(t.st.st_mode) || t.st.st_size <= 0 || (uint64_t)t.st.st_size > UINT32_MAX)
		return t;
	t.n = (size_t)t.st.st_size;
	t.p = try_malloc(t.n + 1);
	if (t.p && fd_read(fd, t.p, t.n + 1) != (ssize_t)t.n) { /* as in read_sized */
		free(t.p);
		t.p = NULL;
	}
	if (t.p) {
		t.p[t.n] = 0;
		trail_file(file, &t.st, t.p, t.n);
	}
	return t;
}

static struct text load_text(W path)
{
	struct fs *fs = fs_state();
	W real = openable(path);
	struct box_path *p = w_get_path(real);
	struct text t = { .p = NULL };

	if (!strmap_get(&fs->files, p->b, p->h.n) && !fs_provided(real)) {
		const char *file;
		int fd = open_place(real, open_flags(O_RDONLY), &file);
		if (fd < 0)
			cannot_open(path, errno);
		t = read_text(fd, file);
		close(fd);
	}
	return t.p ? t : text_of(path, w_get_str(fs_read_file(path)));
}

int fs_plain(W path, const char **file, struct stat *st)
{
	struct fs *fs = fs_state();
	W real = openable(path);
	struct box_path *p = w_get_path(real);
	const char *place[2];
	unsigned n = fs_places(real, place), i = 0;

	if (strmap_get(&fs->files, p->b, p->h.n) || fs_provided(real))
		return 0;
	while (i < n && stat(place[i], st))
		i++;
	if (i == n || !S_ISREG(st->st_mode) || st->st_size <= 0 || (uint64_t)st->st_size >= UINT32_MAX)
		return 0;
	*file = place[i];
	return 1;
}

static const struct source *add_source(W path, struct text t)
{
	struct box_path *p = w_get_path(path);
	size_t dir = path_dir_len(p->b, p->h.n);
	char *base = mem_bytes(dir + 1);
	const char *place[2];

	memcpy(base, p->b, dir);
	base[dir] = 0;
	/* Errors name the file that people can open. */
	fs_places(path, place);
	const struct source *src = t.file ? source_add_file(place[0], p->b, base, t.p, t.file, &t.st)
					  : source_add(place[0], p->b, base, t.p, t.n);
	if (!src) {
		free(t.p);
		too_much_text(path);
	}
	return src;
}

static void remember_source(W path, const struct source *src)
{
	struct box_path *p = w_get_path(path);

	*strmap_put(&fs_state()->sources, p->b, p->h.n, NULL) = (uintptr_t)src;
}

const struct source *fs_source_of(W path, const char *file, const struct stat *st)
{
	struct text t = { .n = (size_t)st->st_size, .file = file, .st = *st };

	trail_file(file, st, NULL, 0);
	const struct source *src = add_source(path, t);

	remember_source(path, src);
	return src;
}

const struct source *fs_source(W path)
{
	struct fs *fs = fs_state();
	struct box_path *p = w_get_path(path);

	if (fs_guarded())
		openable(path);
	uint64_t *known = strmap_get(&fs->sources, p->b, p->h.n);
	if (known && source_load((const struct source *)(uintptr_t)*known))
		return (const struct source *)(uintptr_t)*known;
	const struct source *src = add_source(path, load_text(path));
	remember_source(path, src);
	return src;
}

/* --- directories --- */

static W kind_word(enum fs_kind k)
{
	return sym_word(sym_c(k == FS_REGULAR	? "regular"
			      : k == FS_DIRECTORY ? "directory"
			      : k == FS_SYMLINK	  ? "symlink"
						  : "unknown"));
}

W fs_kind_string(W path)
{
	enum fs_kind k = fs_lstat(path);

	if (k < FS_REGULAR)
		fs_throw(k, path);
	return kind_word(k);
}

/* For file systems whose directories do not tell the kind. */
static W kind_later(W path, W unused)
{
	(void)unused;
	return fs_kind_string(path);
}

struct lister {
	struct attrs_builder b;
	W dir;
	struct trail_listing seen;
	int members; /* of the directory only some count */
	W kind[4]; /* of regular, directory, symlink, other */
};

static W entry_kind(struct lister *l, const char *name, size_t n, unsigned char type)
{
	switch (type) {
	case DT_REG:
		return l->kind[0];
	case DT_DIR:
		return l->kind[1];
	case DT_LNK:
		return l->kind[2];
	case DT_UNKNOWN:
		return lazy_native(kind_later, fs_join(l->dir, name, n), W_NULL);
	default:
		return l->kind[3];
	}
}

static void list_entry(void *arg, const char *name, unsigned char type)
{
	struct lister *l = arg;
	size_t n = strlen(name);

	if (!l->members)
		trail_listing_add(&l->seen, name, type);
	if (fs_guarded() || l->members) {
		struct box_path *p = w_get_path(fs_join(l->dir, name, n));
		int hidden = fs_hidden(p->b, p->h.n, 0);
		if (l->members && !hidden)
			trail_listing_add(&l->seen, name, type);
		if ((fs_guarded() && !fs_allowed(p->b, p->h.n)) || hidden)
			return;
	}
	attrs_add(&l->b, sym_intern(name, n), 0, entry_kind(l, name, n, type));
}

static W list_dir(W real, W path)
{
	struct lister l = { .dir = real,
			    .members = fs_has_members(w_get_path(real)->b, w_get_path(real)->h.n),
			    .kind = { kind_word(FS_REGULAR), kind_word(FS_DIRECTORY), kind_word(FS_SYMLINK),
				      kind_word(FS_OTHER) } };

	const char *place;
	struct stat st;

	attrs_builder_init(&l.b, 64);
	int fd = open_place(real, open_flags(O_RDONLY | O_DIRECTORY), &place);
	if (fd < 0 && errno == ENOTDIR && fs_stat(path) > FS_MISSING)
		throw_error(EK_IO, "cannot list '%s': it is not a directory", w_get_path(path)->b);
	/* Above what may be read only what leads there shows; whether the machine has the folder must not. */
	if (fd < 0 && errno == ENOENT && fs_guarded() &&
	    strmap_get(&fs_state()->ancestors, w_get_path(real)->b, w_get_path(real)->h.n))
		return attrs_finish(&l.b);
	if (fd < 0)
		cannot_open(path, errno);
	protect_push(close_fd, &fd);
	int err = fstat(fd, &st) || dir_each(fd, list_entry, &l) ? errno : 0;
	protect_pop(1);
	if (err)
		cannot_open(path, err);
	trail_dir(place, &st, &l.seen, l.members);
	return attrs_finish(&l.b);
}

W fs_read_dir(W path)
{
	struct fs *fs = fs_state();
	W real = openable(path);
	struct box_path *p = w_get_path(real);
	uint64_t *known = strmap_get(&fs->dirs, p->b, p->h.n);

	if (known)
		return *known;
	W set = list_dir(real, path);
	*strmap_put(&fs->dirs, p->b, p->h.n, NULL) = set;
	return set;
}
