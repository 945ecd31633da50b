/* SPDX-License-Identifier: MIT
 *
 * Mercurial repositories, through the hg program, where it is installed.
 *
 * hg runs without a shell, without anybody's configuration (a repository's own may name hooks and extensions: it is skipped),
 * without asking, and its arguments are checked before.  Revisions are 40 hexadecimal digits.
 */
#ifndef FETCH_HG_H
#define FETCH_HG_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#include <stdint.h>

enum { HG_REV_MAX = 40 };

/* file, http, https or ssh address (ERR_INVALID). */
int hg_check_url(const char *url, struct err *e);

/* A revision as hg tells of it. */
struct hg_commit {
	char rev[HG_REV_MAX + 1];
	uint64_t number; /* how many the repository had when it came */
	char *branch;	 /* malloc'd */
};

/* 1 when the repository at dir has a revision or name; fills *out.  0: it has not. */
int hg_find(const char *dir, const char *rev, struct hg_commit *out, struct err *e);

/* Brings all of the repository at an address into the one at dir, which is made when it is not there. */
int hg_pull(const char *dir, const char *url, struct err *e);

/* Writes the files of a revision into the folder at path, which is empty. */
int hg_export(const char *dir, const char *rev, const char *path, struct err *e);

/* Looks at the work tree at dir: the names of its files, each ended by a NUL; *dirty: some differ from its revision; *branch:
 * malloc'd. ERR_NOTFOUND when it is none. */
int hg_worktree(const char *dir, struct buf *names, int *dirty, char **branch, struct err *e);

/* Lets hg know a file of the work tree at dir; nothing to do when it does. */
int hg_add(const char *dir, const char *name, struct err *e);

#endif
