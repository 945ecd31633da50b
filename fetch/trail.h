/* SPDX-License-Identifier: MIT
 *
 * The trail of an evaluation: everything it read, so that whoever kept its result can tell whether it would come out the same.
 *
 * While a trail is being recorded, whoever looks at the world says so here: files, folders, links, absences, variables.  What was
 * seen is noted with the file's identity (device, inode, size, times) and, where it was read, with a sum of what was in it.
 * Later the whole is looked at again: what has the same identity was not changed, and what does not is compared by its sum, so a
 * file that was touched but not changed is what it was.  The system sets the time of the last change of an inode itself, so
 * putting a file's times back hides nothing.
 *
 * A file so young that it could change again within one tick of the clock is always compared by its sum; when nobody read it
 * as a whole, the trail proves nothing (trail_spoil).
 *
 * One trail is recorded at a time, of what the process was asked, whatever its sessions.  Nothing here throws or fails loudly.
 */
#ifndef FETCH_TRAIL_H
#define FETCH_TRAIL_H

#include "base/buf.h"
#include "base/slice.h"
#include "format/nar.h"

#include <stdint.h>

struct stat;

/* --- recording --- */

void trail_begin(void);
int trail_is_on(void);

/* The answer must not be kept: it depends on what cannot be looked at again (`why`, a literal).  The first reason stays. */
void trail_spoil(const char *why);

/* What is at a path; trail_stat follows a link.  Both look by themselves. */
void trail_lstat(const char *path);
void trail_stat(const char *path);

/* Where a symbolic link leads; where realpath leads (NULL: nowhere). */
void trail_link(const char *path, const char *target, size_t n);
void trail_real(const char *path, const char *real);

/* A regular file, as fstat saw it before its n bytes were read; bytes is NULL when they were not. */
void trail_file(const char *path, const struct stat *st, const void *bytes, size_t n);

/* Which file is at a path and in which state, or that there is none; looks by itself. */
void trail_member(const char *path);

/* A folder, as fstat saw it before it was listed.  tracked: only names that the index (trail_index) has were looked at. */
struct trail_listing {
	uint64_t v[3];
};
void trail_listing_add(struct trail_listing *l, const char *name, unsigned char type);
void trail_dir(const char *path, const struct stat *st, const struct trail_listing *l, int tracked);

/* The same; looks by itself. */
void trail_list(const char *path, int tracked);

/* Reads a file, and notes it, or that it cannot be read.  Returns 0, or -1. */
int trail_read(const char *path, struct buf *out);

/* The index of the work tree at top, by which trail_tracks, trail_dir and trail_tree_begin are looked at again; whole: it has to
 * stay as it is, modes and contents too. */
void trail_index(const char *top, int whole);

/* Whether git tracks a file or anything in a folder of that work tree. */
void trail_tracks(const char *path, int tracked);

/* A file whose contents are not what git calls by this name. */
void trail_differs(const char *path, const char *blob);

/* How git is configured there; its commit and branch. */
void trail_git_config(const char *top);
void trail_git_head(const char *top);

/* A tree that is about to be read whole: place is where it lies, and the filter is asked for paths whose first root_len bytes stand
 * for it.  Returns the filter to use: one that asks `inner` and notes what it includes, or inner itself. */
enum trail_folders {
	TRAIL_ALL,	/* all that is in a folder counts */
	TRAIL_OF_INDEX, /* what git tracks does */
	TRAIL_TIMES	/* so do the times of folders */
};
struct trail_tree {
	struct nar_filter filter;
	const struct nar_filter *inner;
	const char *place;
	size_t root_len;
	enum trail_folders folders;
};
const struct nar_filter *trail_tree_begin(struct trail_tree *t, const char *place, size_t root_len, const struct nar_filter *inner,
					  enum trail_folders folders);

/* An environment variable. */
void trail_env(const char *name);

/* Something named by others, with its value: a setting.  Given again when the trail is looked at. */
void trail_said(const char *name, struct slice value);

/* Nothing below this folder is recorded: its contents follow from a hash that is part of the question. */
void trail_fixed(const char *path);

/* Appends the trail and ends recording.  Returns 0, or -1 when it proves nothing; *why then says so (NULL: nothing was
 * recorded). */
int trail_end(struct buf *out, const char **why);

/* Ends recording. */
void trail_drop(void);

/* --- looking again --- */

/* What is said now. */
struct trail_now {
	const char *name;
	struct slice value;
};

/* 1 when all is as it was, 0 when not, -1 when this is no trail.  why, unless NULL, receives a line for the first thing that
 * changed, or for each (all).  *fresh becomes 1 when identities in bytes were brought up to date. */
int trail_holds(char *bytes, size_t n, const struct trail_now *now, size_t n_now, int all, struct buf *why, int *fresh);

#endif
