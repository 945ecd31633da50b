/* SPDX-License-Identifier: MIT
 *
 * The builder's file system.
 *
 * Everything is made of detached mounts (open_tree): a piece gets its flags before it is put in place, so that there
 * is no moment at which an input could be written to.  All of it is nosuid and, but for device nodes,
 * nodev.  The folder that becomes / is itself read-only: a builder that is the same user outside must not
 * be able to change /etc/passwd or put files beside the store.
 *
 * Sources are opened by path in the new mount namespace, because a descriptor from before belongs to
 * the old one, from which the kernel does not take mounts.
 */
#include "config.h"
#include "build/sandbox_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
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

void child_mounts(const struct sandbox_spec *spec)
{
	int root;

	/* What we mount must not show outside, and what is mounted outside later not inside. */
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		child_fail("making mounts private");
	root = detach(spec->root, 0);
	if (root < 0)
		child_fail("reaching %s", spec->root);
	set_flags(root, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, 0, spec->root);
	if (move_mount(root, "", AT_FDCWD, spec->root, MOVE_MOUNT_F_EMPTY_PATH) || fchdir(root))
		child_fail("mounting %s", spec->root);
	close(root);
	for (size_t i = 0; i < spec->nbinds; i++)
		bind_one(&spec->binds[i]);
	mount_new();
	/* The old root lies below the new one for a moment, at the same place, and is then let go. */
	if (syscall(SYS_pivot_root, ".", ".") || umount2(".", MNT_DETACH) || chdir("/"))
		child_fail("changing the root");
}
