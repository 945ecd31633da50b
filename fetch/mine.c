/* SPDX-License-Identifier: MIT
 *
 * A file is written under another name and renamed: who has the old one open reads on in it.  That a crash may leave one whose
 * bytes never came to the disk is what sums are for.
 */
#include "config.h"
#include "fetch/mine.h"
#include "base/alloc.h"
#include "base/dir.h"
#include "base/fdio.h"
#include "fetch/cache.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { NAME_ROOM = 72, LEFT_BEHIND = 3600 /* seconds */ };

int mine_is(const struct stat *st)
{
	return st->st_uid == geteuid() && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

int mine_open(const char *path, int make)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct err e = ERR_INIT;
	struct stat st;

	if (fd < 0 && make && !cache_make_dirs(path, &e))
		fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	err_release(&e);
	if (fd >= 0 && (fstat(fd, &st) || !mine_is(&st))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

int mine_open_file(int dir, const char *name, struct stat *st)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0 && (fstat(fd, st) || !S_ISREG(st->st_mode) || !mine_is(st))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

int mine_put(int dir, const char *name, const struct slice *pieces, size_t n)
{
	static unsigned count; /* makes names of one process different */
	char temp[NAME_ROOM];
	int bad = 0, is_new = faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) != 0;

	snprintf(temp, sizeof temp, "tmp-%ld-%u", (long)getpid(), __atomic_fetch_add(&count, 1, __ATOMIC_RELAXED));
	unlinkat(dir, temp, 0); /* left by a dead process of the same number */
	int fd = openat(dir, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	for (size_t i = 0; i < n && !bad; i++)
		bad = fd_write_all(fd, pieces[i].p, pieces[i].n);
	close(fd);
	if (!bad && !renameat(dir, temp, dir, name))
		return is_new;
	unlinkat(dir, temp, 0);
	return -1;
}

/* --- how many there are --- */

struct found {
	char name[NAME_ROOM];
	off_t size;
	struct timespec age;
};

static int by_age(const void *a, const void *b)
{
	const struct timespec *x = &((const struct found *)a)->age, *y = &((const struct found *)b)->age;

	if (x->tv_sec != y->tv_sec)
		return x->tv_sec < y->tv_sec ? -1 : 1;
	return x->tv_nsec < y->tv_nsec ? -1 : x->tv_nsec > y->tv_nsec;
}

/* Fills out about an entry that counts; 0 for others. */
static int look_at(int dir, const char *name, struct found *out)
{
	struct stat st;

	if (name[0] == '.' || strlen(name) >= sizeof out->name || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) ||
	    !S_ISREG(st.st_mode))
		return 0;
	if (!strncmp(name, "tmp-", 4)) {
		if (time(NULL) - st.st_mtime > LEFT_BEHIND)
			unlinkat(dir, name, 0);
		return 0;
	}
	memcpy(out->name, name, strlen(name) + 1);
	out->size = st.st_size;
	out->age = st.st_mtim;
	return 1;
}

void mine_tidy(int dir, size_t max, uint64_t max_size)
{
	struct found *v = NULL, f;
	size_t n = 0, cap = 0;
	uint64_t size = 0;
	struct dir d;
	int rc = dir_open(&d, dir, ".", NULL);

	while (!rc && dir_next(&d, NULL) > 0)
		if (look_at(dir, d.name, &f)) {
			ARRAY_GROW(v, n + 1, cap);
			v[n++] = f;
			size += (uint64_t)f.size;
		}
	if (n)
		qsort(v, n, sizeof *v, by_age);
	for (size_t i = 0; i + 1 < n && (n - i > max || size > max_size); i++) {
		unlinkat(dir, v[i].name, 0);
		size -= (uint64_t)v[i].size;
	}
	free(v);
	dir_close(&d);
}
