/* SPDX-License-Identifier: MIT
 *
 * It is a small tmpfs with everything of the old / mounted into it.
 *
 * With a merged tree for /usr, /bin, /lib and their like are links into it, and /etc is a folder of its own: who the user is and
 * how the network is reached are the machine's, all else is what packages brought.  The machine's ld.so.cache, say, would lead a
 * loader to libraries that are not there.
 */
#include "config.h"
#include "cli/new_root.h"
#include "base/dir.h"
#include "base/fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* Folders of a merged tree that / has links to. */
static const char *const links[] = { "bin", "sbin", "lib", "lib32", "lib64", "libx32" };

static const char *const identity[] = { "passwd", "group", "hosts", "resolv.conf", "hostname", "machine-id", "localtime", "mtab" };

/* A file or folder of the machine, by its path without the first slash, at the same place in the new root. */
static int put_entry(const char *top, const char *path)
{
	char from[PATH_MAX], to[PATH_MAX], target[PATH_MAX];
	struct stat st;

	if ((size_t)snprintf(from, sizeof from, "/%s", path) >= sizeof from ||
	    (size_t)snprintf(to, sizeof to, "%s/%s", top, path) >= sizeof to || lstat(from, &st))
		return 0;
	if (S_ISLNK(st.st_mode)) {
		ssize_t n = readlink(from, target, sizeof target - 1);
		target[n > 0 ? n : 0] = 0;
		return n > 0 ? symlink(target, to) : 0;
	}
	if (S_ISDIR(st.st_mode))
		return mkdir(to, 0755) || mount(from, to, NULL, MS_BIND | MS_REC, NULL) ? -1 : 0;
	if (!S_ISREG(st.st_mode))
		return 0;
	int fd = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd >= 0)
		close(fd);
	return fd < 0 ? -1 : mount(from, to, NULL, MS_BIND, NULL);
}

int new_root_show(int fd, const char *top, const char *path)
{
	char from[64], to[PATH_MAX];

	if (fd < 0)
		return 0;
	snprintf(from, sizeof from, "/proc/self/fd/%d", fd);
	if ((size_t)snprintf(to, sizeof to, "%s%s", top, path) >= sizeof to || make_folders(to, 0755))
		return -1;
	return mount(from, to, NULL, MS_BIND | MS_REC, NULL);
}

static int is_ours(const struct new_root *r, const char *name)
{
	if (r->no_nix && !strcmp(name, "nix"))
		return 1;
	if (r->usr < 0)
		return 0;
	for (size_t i = 0; i < sizeof links / sizeof *links; i++)
		if (!strcmp(name, links[i]))
			return 1;
	return !strcmp(name, "usr") || !strcmp(name, "etc");
}

/* The tree is an object of the store, which root could write into.  What else the mount has must stay with it: in a namespace of
 * users it is locked. */
static int make_read_only(const char *path)
{
	static const struct { unsigned long is, flag; } kept[] = { { ST_NOSUID, MS_NOSUID }, { ST_NODEV, MS_NODEV },
								    { ST_NOEXEC, MS_NOEXEC }, { ST_NOATIME, MS_NOATIME },
								    { ST_NODIRATIME, MS_NODIRATIME },
								    { ST_RELATIME, MS_RELATIME } };
	unsigned long flags = MS_BIND | MS_REMOUNT | MS_RDONLY;
	struct statvfs st;

	if (statvfs(path, &st))
		return -1;
	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
		if (st.f_flag & kept[i].is)
			flags |= kept[i].flag;
	return mount(NULL, path, NULL, flags, NULL);
}

static int put_usr(const struct new_root *r)
{
	char path[PATH_MAX], target[16];
	struct stat st;

	if ((size_t)snprintf(path, sizeof path, "%s/usr", r->top) >= sizeof path || new_root_show(r->usr, r->top, "/usr") ||
	    make_read_only(path))
		return -1;
	for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
		if (fstatat(r->usr, links[i], &st, AT_SYMLINK_NOFOLLOW))
			continue;
		snprintf(target, sizeof target, "usr/%s", links[i]);
		if ((size_t)snprintf(path, sizeof path, "%s/%s", r->top, links[i]) >= sizeof path || symlink(target, path))
			return -1;
	}
	return 0;
}

static int put_identity(const char *top)
{
	char path[PATH_MAX];
	int rc = (size_t)snprintf(path, sizeof path, "%s/etc", top) >= sizeof path ? -1 : mkdir(path, 0755);

	for (size_t i = 0; !rc && i < sizeof identity / sizeof *identity; i++) {
		snprintf(path, sizeof path, "etc/%s", identity[i]);
		rc = put_entry(top, path);
	}
	return rc;
}

int new_root_fill(const struct new_root *r)
{
	struct dir d;
	int rc = dir_open(&d, AT_FDCWD, "/", NULL);

	while (!rc && (rc = dir_next(&d, NULL)) > 0)
		rc = is_ours(r, d.name) ? 0 : put_entry(r->top, d.name);
	dir_close(&d);
	if (!rc && r->usr >= 0)
		rc = put_usr(r) || put_identity(r->top) ? -1 : 0;
	return rc;
}

int new_root_link_etc(void)
{
	char from[PATH_MAX], to[PATH_MAX];
	struct dir d;

	/* Perhaps no package brought any. */
	if (access("/usr/etc", F_OK))
		return 0;
	int rc = dir_open(&d, AT_FDCWD, "/usr/etc", NULL);

	while (!rc && (rc = dir_next(&d, NULL)) > 0) {
		rc = 0;
		if ((size_t)snprintf(from, sizeof from, "/usr/etc/%s", d.name) >= sizeof from ||
		    (size_t)snprintf(to, sizeof to, "/etc/%s", d.name) >= sizeof to)
			continue;
		rc = symlink(from, to) && errno != EEXIST ? -1 : 0;
	}
	dir_close(&d);
	return rc;
}
