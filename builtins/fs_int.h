/* SPDX-License-Identifier: MIT
 *
 * What the files of builtins/fs share: fs.c (where things are and whether they may be read), fs_read.c
 * (reading), search_path.c, import.c.  Others use fs.h.
 */
#ifndef BUILTINS_FS_INT_H
#define BUILTINS_FS_INT_H

#include "base/strmap.h"
#include "builtins/fs.h"

/* A root block; maps hold words unless said otherwise. */
struct fs {
	struct strmap kinds;	 /* path -> its kind as an int, or a symbolic link's target as a string */
	struct strmap files;	 /* path -> contents */
	struct strmap dirs;	 /* path -> set */
	struct strmap imports;	 /* path as imported -> value or thunk */
	struct strmap exprs;	 /* file -> the same */
	struct strmap sources;	 /* file -> struct source * */
	struct strmap stand_ins; /* store object -> physical place, a C string; see fs_stand_in */
	struct strmap texts;	 /* store object -> its text, a string */
	struct strmap mounts;	 /* logical prefix -> physical directory, a C string */
	struct strmap allowed;	 /* prefix -> 1 */
	struct strmap ancestors; /* of allowed prefixes -> 1 */
	struct strmap warned;	 /* search path entries that were reported missing */
	struct strmap fetched;	 /* search path entries that are fetched -> where they are, W_ABSENT when they cannot be had */
	struct fs_search_entry *search;
	size_t nsearch, search_cap;
	size_t search_allowed; /* how many entries were already allowed */
};

/* Where <nix/…> files (corepkgs.h) live: no such directory exists. */
#define FS_PROVIDED_DIR "/__corepkgs__"

struct fs *fs_state(void);

/* 1 when evaluation is pure or restricted. */
int fs_guarded(void);

/* 1 when the path may be read, or (ancestors) holds something that may. */
int fs_allowed(const char *path, size_t n);

/* 1 when an entry of the search path is an address, "channel:NAME" or "flake:REF". */
int fs_search_path_is_fetched(const struct fs_search_entry *e);

/* Follows links, in the last component too when full is set.  Returns the path, or W_ABSENT and *why. */
W fs_walk(W path, int full, enum fs_kind *why);

/* The physical names to try for a path, best first; returns how many.  out[0] may be the path itself. */
unsigned fs_places(W path, const char *out[2]);

/* 1 when path is a regular file of this machine: *file is the name to open, *st what is there now.  Throws for
 * what must not be read. */
struct stat;
int fs_plain(W path, const char **file, struct stat *st);

/* The source of such a file, without reading it.  Throws. */
const struct source *fs_source_of(W path, const char *file, const struct stat *st);

#endif
