/* SPDX-License-Identifier: MIT
 *
 * Trees of which only some files count: a git checkout, of which an evaluation sees what git tracks.
 *
 * Such a tree is a stand-in (fs.h) with a list of members, names relative to its root.  Everything else in the folder on
 * disk is absent: it cannot be read, is not listed, and is in no copy.
 */
#ifndef BUILTINS_FS_MEMBERS_H
#define BUILTINS_FS_MEMBERS_H

#include "base/session.h"
#include "builtins/fs.h"
#include "format/nar.h"

/* As fs_stand_in, with the n members of a set of names: files and links; their directories are members as well.
 * The names are copied. */
void fs_stand_in_members(const char *store_path, const char *physical, const struct slice *names, size_t n);

/* The same for what a filter left of a tree: its names, folders among them, are nothing that git decides, and nobody forgot to
 * add the others. */
void fs_stand_in_filtered(const char *store_path, const char *physical, const struct slice *names, size_t n);

/* 1 when a logical path lies in such a tree and is no member; asked: 1 remembers the name, as one that was missed, 2 only that
 * the answer counts (fetch/trail.h), 0 neither. */
int fs_hidden(const char *path, size_t n, int asked);

/* Where a hidden file that exists lies on disk, collected; NULL for others. */
const char *fs_hidden_place(const char *path, size_t n);

/* Of a path in such a tree that git decides on: the repository, and in *rest the path below it; NULL for others. */
const char *fs_git_place(const char *path, size_t n, const char **rest);

/* Names of files on disk that were asked for and are hidden, relative to their tree; NULL past the last. */
const char *fs_hidden_asked(size_t i);

/* For archives of what lies at a logical path: root_len is the length of the root's path in the paths that the archive
 * writer passes.  Pass as user of fs_members_include. */
struct fs_members_filter {
	const char *logical;
	size_t n, root_len;
};
int fs_members_include(void *user, const char *path, size_t n, enum nar_type type, struct err *e);

/* 1 when the tree at a logical path has members, so that such a filter is needed. */
int fs_has_members(const char *path, size_t n);

extern const struct session_part fs_members_session[];

#endif
