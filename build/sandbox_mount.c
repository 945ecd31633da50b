/* SPDX-License-Identifier: MIT
 *
 * The builder's file system.
 *
 * Everything is made of detached mounts (open_tree): a piece gets its flags before it is put in place, so that there
 * is no moment at which an input could be written to.  All of it is nosuid and, but for device nodes,
 * nodev.  What becomes / is itself read-only: a builder that is the same user outside must not be able to change
 * /etc/passwd or put files beside the store.  It is in memory: making and removing that many files on a disk takes longer than
 * many builders.
 *
 * Sources are opened by path in the new mount namespace, because a descriptor from before belongs to
 * the old one, from which the kernel does not take mounts.
 */
#include "config.h"
#include "build/sandbox_int.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* A detached copy of what is at path; negative when it is not there. */
static int detach(const char *path, int recursive)
{
	return open_tree(AT_FDCWD, path,
			 OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW |
				 (unsigned)(recursive ? AT_RECURSIVE : 0));
}

static void set_flags(int tree, uint64_t flags, int recursive, const char *path)
{
	struct mount_attr a = { .attr_set = flags };

	if (mount_setattr(tree, "", AT_EMPTY_PATH | (unsigned)(recursive ? AT_RECURSIVE : 0), &a, sizeof a))
		child_fail("mount flags of %s", path);
}

static void put(int tree, const char *target)
{
	if (move_mount(tree, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH))
		child_fail("mounting /%s", target);
	close(tree);
}

static void bind_one(const struct sandbox_bind *b)
{
	int recursive = (b->flags & BIND_RECURSIVE) != 0;
	uint64_t flags = MOUNT_ATTR_NOSUID;
	int tree = detach(b->source, recursive);

	if (tree < 0 && b->flags & BIND_OPTIONAL && (errno == ENOENT || errno == ENOTDIR))
		return;
	if (tree < 0)
		child_fail("reaching %s", b->source);
	if (!(b->flags & BIND_DEVICE))
		flags |= MOUNT_ATTR_NODEV;
	if (!(b->flags & (BIND_WRITABLE | BIND_DEVICE)))
		flags |= MOUNT_ATTR_RDONLY;
	set_flags(tree, flags, recursive, b->source);
	put(tree, b->target);
}

/* File systems of our own.  Those that some containers forbid are worth a hint. */
static void mount_new(void)
{
	struct stat st;

	if (mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL))
		child_fail("mounting /proc (a container that hides parts of /proc does not let others mount it: give "
			   "it an unmasked /proc)");
	if (!stat("dev/shm", &st) &&
	    mount("shm", "dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "size=50%,mode=1777"))
		child_fail("mounting /dev/shm");
	if (!stat("dev/pts", &st) && mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
					   "newinstance,ptmxmode=0666,mode=0620"))
		child_fail("mounting /dev/pts");
}

/* --- what / has of its own --- */

static void make_folder(int root, const char *path, mode_t mode)
{
	if (mkdirat(root, path, mode ? mode : 0755) && errno != EEXIST)
		child_fail("making /%s", path);
}

static void make_parents(int root, const char *path)
{
	char part[PATH_MAX];

	for (const char *s = strchr(path, '/'); s; s = strchr(s + 1, '/')) {
		snprintf(part, sizeof part, "%.*s", (int)(s - path), path);
		make_folder(root, part, 0);
	}
}

/* Without a text it is there to mount on, and may be one with a text as well. */
static void make_file(int root, const struct sandbox_entry *n)
{
	int fd = openat(root, n->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0444);
	size_t len = n->text ? strlen(n->text) : 0;
	struct stat st;

	if (fd < 0 && errno == EEXIST && !n->text && !fstatat(root, n->path, &st, AT_SYMLINK_NOFOLLOW) && S_ISREG(st.st_mode))
		return;
	if (fd < 0 || (len && write(fd, n->text, len) != (ssize_t)len))
		child_fail("making /%s", n->path);
	close(fd);
}

static void make_entry(int root, const struct sandbox_entry *n)
{
	make_parents(root, n->path);
	if (n->kind == ENTRY_FOLDER)
		make_folder(root, n->path, n->mode);
	else if (n->kind == ENTRY_FILE)
		make_file(root, n);
	else if (symlinkat(n->text, root, n->path))
		child_fail("making /%s", n->path);
}

struct root {
	const struct sandbox_spec *spec;
	int fd;
};

static void make_entries(const struct root *r)
{
	for (size_t i = 0; i < r->spec->nentries; i++)
		make_entry(r->fd, &r->spec->entries[i]);
}

static int make_entries_there(void *arg)
{
	const struct root *r = arg;

	setfsgid(r->spec->gid);
	setfsuid(r->spec->uid);
	make_entries(r);
	return 0;
}

/* In a user namespace files can only be made by somebody who is known there.  This process must stay who it is outside, to reach
 * what is to be seen inside: another makes them, which has the same memory and is soon over. */
static void make_entries_as_builder(struct root *r)
{
	static _Alignas(16) char stack[1 << 16];
	int status = -1;
	pid_t pid = clone(make_entries_there, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, r);

	if (pid < 0)
		child_fail("making /");
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (status)
		_exit(125); /* it has said why */
}

static int make_root(const struct sandbox_spec *spec, int userns)
{
	struct root r = { .spec = spec };
	char options[64] = "mode=0755";

	if (userns)
		snprintf(options, sizeof options, "mode=0755,uid=%lu,gid=%lu", (unsigned long)spec->uid, (unsigned long)spec->gid);
	if (mount("root", spec->root, "tmpfs", MS_NOSUID | MS_NODEV, options))
		child_fail("mounting %s", spec->root);
	r.fd = open(spec->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (r.fd < 0)
		child_fail("reaching %s", spec->root);
	if (userns)
		make_entries_as_builder(&r);
	else
		make_entries(&r);
	set_flags(r.fd, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, 0, spec->root);
	return r.fd;
}

void child_mounts(const struct sandbox_spec *spec, int userns)
{
	int root;

	/* What we mount must not show outside, and what is mounted outside later not inside. */
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		child_fail("making mounts private");
	root = make_root(spec, userns);
	if (fchdir(root))
		child_fail("entering %s", spec->root);
	close(root);
	for (size_t i = 0; i < spec->nbinds; i++)
		bind_one(&spec->binds[i]);
	mount_new();
	/* The old root lies below the new one for a moment, at the same place, and is then let go. */
	if (syscall(SYS_pivot_root, ".", ".") || umount2(".", MNT_DETACH) || chdir("/"))
		child_fail("changing the root");
}
