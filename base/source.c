/* SPDX-License-Identifier: MIT
 *
 * Sources are kept in the order of their start, so a position is found by binary search.
 *
 * The text of a file goes when it is a program and comes back when a line or an excerpt is asked for: of the sources of
 * a package (3 MB) that is one in twenty.  What says that the file is still the one that was read is what says so to
 * make and git: device, inode, size and time of modification.
 */
#include "config.h"
#include "base/source.h"
#include "base/fdio.h"
#include "base/alloc.h"
#include "base/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct source_file {
	const char *name;
	dev_t dev;
	ino_t ino;
	struct timespec modified;
};

static struct {
	struct source **v;
	size_t n, cap;
	struct arena mem;
	uint32_t used; /* positions up to here */
} sources;

static struct source *add(const char *name, const char *path, const char *base, const char *text, size_t len)
{
	if (len >= UINT32_MAX - sources.used - 2)
		return NULL;
	ARRAY_GROW(sources.v, sources.n + 1, sources.cap);
	struct source *s = arena_alloc(&sources.mem, sizeof *s);
	s->name = arena_dup(&sources.mem, name, strlen(name));
	s->path = path ? arena_dup(&sources.mem, path, strlen(path)) : NULL;
	s->base = arena_dup(&sources.mem, base, strlen(base));
	s->text = text;
	s->len = len;
	s->start = sources.used + 1;
	/* One position past the end is used for "at end of file". */
	sources.used += (uint32_t)len + 1;
	sources.v[sources.n++] = s;
	return s;
}

const struct source *source_add(const char *name, const char *path, const char *base, const char *text, size_t len)
{
	return add(name, path, base, text, len);
}

const struct source *source_add_file(const char *name, const char *path, const char *base, char *text,
				     const char *file, const struct stat *st)
{
	struct source *s = add(name, path, base, text, (size_t)st->st_size);

	if (!s)
		return NULL;
	s->file = arena_alloc(&sources.mem, sizeof *s->file);
	*s->file = (struct source_file){ .name = strcmp(file, name) ? arena_dup(&sources.mem, file, strlen(file)) : s->name,
					 .dev = st->st_dev, .ino = st->st_ino, .modified = st->st_mtim };
	return s;
}

static int is_same(const struct source *s, const struct stat *st)
{
	const struct source_file *f = s->file;

	return S_ISREG(st->st_mode) && st->st_dev == f->dev && st->st_ino == f->ino && (size_t)st->st_size == s->len &&
	       st->st_mtim.tv_sec == f->modified.tv_sec && st->st_mtim.tv_nsec == f->modified.tv_nsec;
}

static char *read_again(const struct source *s)
{
	struct stat st;
	char *p = NULL;
	int fd = open(s->file->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return NULL;
	if (!fstat(fd, &st) && is_same(s, &st) && (p = try_malloc(s->len + 1)) && fd_read_full(fd, p, s->len) != (ssize_t)s->len) {
		free(p);
		p = NULL;
	}
	close(fd);
	if (p)
		p[s->len] = 0;
	return p;
}

const char *source_load(const struct source *s)
{
	if (!s->text && s->file)
		((struct source *)s)->text = read_again(s);
	return s->text;
}

void source_let_go(const struct source *s)
{
	if (!s->file)
		return;
	free((char *)s->text);
	((struct source *)s)->text = NULL;
}

static void end(void)
{
	for (size_t i = 0; i < sources.n; i++)
		source_let_go(sources.v[i]);
	free(sources.v);
	arena_release(&sources.mem);
}

const struct session_part source_session[] = { { &sources, sizeof sources, end }, { 0 } };

const struct source *source_of(uint32_t pos)
{
	size_t lo = 0, hi = sources.n;

	if (!pos || pos > sources.used)
		return NULL;
	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;
		if (sources.v[mid]->start <= pos)
			lo = mid;
		else
			hi = mid;
	}
	return hi ? sources.v[lo] : NULL;
}

static const char *shown_from;

void source_show_from(const char *dir)
{
	shown_from = dir;
}

const char *source_shown_name(const struct source *s)
{
	size_t n = shown_from ? strlen(shown_from) : 0;

	if (n > 1 && s->path && !strncmp(s->name, shown_from, n) && s->name[n] == '/')
		return s->name + n + 1;
	return s->name;
}

static int is_line_end(const struct source *s, size_t i)
{
	char c = s->text[i];

	return c == '\n' || (c == '\r' && (i + 1 >= s->len || s->text[i + 1] != '\n'));
}

/* Offsets of line beginnings.  Positions of attributes are asked for by the thousand (meta.position), so a file is
 * read through once. */
struct source_lines {
	uint32_t n;
	uint32_t at[];
};

static struct source_lines *find_lines(const struct source *s)
{
	uint32_t n = 1;

	for (size_t i = 0; i < s->len; i++)
		n += (uint32_t)is_line_end(s, i);
	struct source_lines *l = arena_alloc(&sources.mem, sizeof *l + n * sizeof *l->at);
	l->n = 1;
	for (size_t i = 0; i < s->len; i++)
		if (is_line_end(s, i))
			l->at[l->n++] = (uint32_t)i + 1;
	return l;
}

/* Index of the line that holds an offset. */
static uint32_t line_of(const struct source_lines *l, uint32_t off)
{
	uint32_t lo = 0, hi = l->n;

	while (hi - lo > 1) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (l->at[mid] <= off)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

int source_locate(uint32_t pos, struct source_loc *out)
{
	struct source *s = (struct source *)source_of(pos);

	if (!s)
		return -1;
	if (!source_load(s)) {
		*out = (struct source_loc){ .src = s };
		return 0;
	}
	if (!s->lines)
		s->lines = find_lines(s);
	uint32_t off = pos - s->start, line = line_of(s->lines, off);
	size_t begin = s->lines->at[line], end = begin;
	while (end < s->len && s->text[end] != '\n' && s->text[end] != '\r')
		end++;
	*out = (struct source_loc){ s, line + 1, off - (uint32_t)begin + 1, s->text + begin, (uint32_t)(end - begin) };
	return 0;
}
