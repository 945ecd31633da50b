/* SPDX-License-Identifier: MIT
 *
 * The file system as an evaluation sees it.
 *
 * Paths are path values: absolute, normalised, logical.  Between them and the kernel stand three things:
 *
 *   mounts    a store that lies elsewhere than it says, or a flake's source that is not copied yet, is a
 *             logical prefix read from a physical directory
 *   access    in pure and restricted evaluation only what is below an allowed prefix may be read, every
 *             symbolic link on the way included; an error names the path that was asked for, never
 *             where a link led, and comes before anything is known about the file
 *   memory    a file, directory or kind that was read once is not read again: an evaluation sees one state.
 *             What was absent or failed is asked for again, since a build may have made it since
 *
 * The state is the session's.  Everything marked Throws. raises EK_DENIED for what access forbids.
 */
#ifndef BUILTINS_FS_H
#define BUILTINS_FS_H

#include "base/session.h"
#include "eval/builtin.h"

/* --- set-up, before or during evaluation; strings are copied --- */

/* Allows the object at a normalised path and everything below it. */
void fs_allow(const char *path, size_t n);

/* Reads paths at and below `logical` from `physical`; what is not there is looked for at the logical path itself. */
void fs_mount(const char *logical, const char *physical);

/* Lets an object that would be in the store, were there one to write to, be read from where it comes from, or have this
 * text.  Unlike a mount it costs nothing for paths outside the store directory. */
void fs_stand_in(const char *store_path, const char *physical);
void fs_stand_in_text(const char *store_path, W text);

/* 1 when an object of the store is read so. */
int fs_stands_in(const char *store_path, size_t n);

/* Appends to the search path: "prefix=path" or "path" as after -I; all entries of a text like $NIX_PATH. */
void fs_search_path_add(const char *entry, size_t n);
void fs_search_path_add_all(const char *entries);

/* --- reading --- */

enum fs_kind {
	FS_FAILED = -3, /* errno says why */
	FS_LOOP = -2,	/* too many symbolic links */
	FS_DENIED = -1,
	FS_MISSING = 0,
	FS_REGULAR,
	FS_DIRECTORY,
	FS_SYMLINK,
	FS_OTHER
};

/* What is at a path; fs_stat follows a symbolic link, fs_lstat does not. */
enum fs_kind fs_lstat(W path);
enum fs_kind fs_stat(W path);

/* The target of the symbolic link at path, a string; W_ABSENT when something else is there.  Throws. */
W fs_link(W path);

/* Raises the error for what a kind below FS_REGULAR says about path. */
void fs_throw(enum fs_kind k, W path) __attribute__((noreturn, cold));

/* The path with every symbolic link followed; need not exist.  Throws. */
W fs_resolve(W path);

/* Where an object that is to be copied whole lies physically, links in its directory part followed; it exists and
 * reading all of it is allowed.  Collected.  Throws. */
const char *fs_tree(W path);

/* The text of a file that lies nowhere on disk (<nix/…>, toFile without a store), NULL for others. Collected or static. */
const char *fs_provided(W path);

/* The contents of a file, without context.  Throws. */
W fs_read_file(W path);

/* The set readDir returns.  Throws. */
W fs_read_dir(W path);

/* "regular", "directory", "symlink" or "unknown", of the path itself.  Throws. */
W fs_kind_string(W path);

/* The value of a file, or of default.gx or default.nix in a directory.  Throws. */
W fs_import(W path);

/* The path an argument stands for, after what its context names was written or built: see realise.c.  Throws. */
W fs_realise(W arg);
void fs_realise_context(uint32_t ctx);

/* A file's text for the parser, and registered as a source. It stays. Throws. */
const struct source *fs_source(W path);

/* path/name, normalised. */
W fs_join(W path, const char *name, size_t n);

/* The path value for a name given by a user: relative ones start at the working directory. Throws. */
W fs_user_path(const char *p, size_t n);

/* What `<name>` stands for in a list of n entries (prefixes may be empty).  Throws. */
struct fs_search_entry {
	const char *prefix, *path;
	size_t prefix_len, path_len;
};
W fs_find_file(const struct fs_search_entry *e, size_t n, const char *name, size_t name_len);

/* The folder that "flake:REF" or the address of an archive stands for, which is fetched and may be read; W_ABSENT for a text that
 * is neither.  Throws. */
W fs_fetch_place(const char *text, size_t n);

/* The search path; *n entries, borrowed. */
const struct fs_search_entry *fs_search_path(size_t *n);

extern const struct session_part fs_session[];

extern const struct builtin *const builtins_files[];
extern const struct builtin *const builtins_import[];
extern const struct builtin *const builtins_search_path[];
extern const struct builtin *const builtins_paths[];

#endif
