/* SPDX-License-Identifier: MIT
 *
 * Git repositories, through the git program.
 *
 * git runs without a shell, without the machine's and the user's configuration, without hooks, monitors, filters, prompts and
 * helpers, and may use no transport but that of the address given.  Addresses, references and revisions are checked
 * before they are arguments, and come after --end-of-options.  A repository that belongs to somebody else is refused, unless
 * the user's own configuration names it as safe.directory.
 *
 * Revisions are full hexadecimal object names everywhere.
 */
#ifndef FETCH_GIT_H
#define FETCH_GIT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"
#include "format/hash.h"

#include <stdint.h>

enum { GIT_REV_MAX = 64 }; /* digits: 40 or 64 */

/* --- what may be an argument (ERR_INVALID) --- */

/* 40 or 64 hexadecimal digits, lower case. */
int git_check_rev(struct slice rev, struct err *e);

/* A branch, tag or full reference name, by the rules of git-check-ref-format; no "@{…}", no leading dash. */
int git_check_ref(struct slice ref, struct err *e);

/* file, http, https, ssh or git address, or an absolute path. */
int git_check_url(const char *url, struct err *e);

/* --- elsewhere --- */

/* Which revision a reference of a repository stands for: a full name ("refs/heads/main"), a branch or tag, or NULL for HEAD. *full,
 * when not NULL, receives the full name (malloc'd; of HEAD the branch it stands for).  ERR_NOTFOUND. */
int git_resolve(const char *url, const char *ref, char rev[GIT_REV_MAX + 1], char **full, struct err *e);

/* Brings a revision into the bare repository at dir, which is made when it is not there.  ref: where to look for it; NULL:
 * what the server is willing to give.  depth 1 gives no history (and no revCount). */
int git_fetch(const char *dir, const char *url, const char *ref, const char *rev, int depth, struct err *e);

/* --- a repository here: bare, or a work tree --- */

/* 1 when it has the revision. */
int git_has(const char *dir, const char *rev, struct err *e);

/* 1 when all that its references lead to is there. */
int git_is_whole(const char *dir);

/* Time of the commit, seconds since 1970. */
int git_last_modified(const char *dir, const char *rev, int64_t *out, struct err *e);

/* Number of commits it descends from, itself included.  ERR_INVALID in a repository without its whole history; whole: it is known
 * to have it. */
int git_rev_count(const char *dir, const char *rev, int whole, uint64_t *out, struct err *e);

/* Writes the tree of a commit into the empty directory dirfd: what is committed, byte for byte (no filters, attributes or line
 * ends applied), 0644 or 0755; links as links, submodules as empty directories.  ignoring: without what export-ignore leaves
 * out.  submodules (may be NULL) receives the path and the commit of each, each ended by a NUL; large (may be NULL) the names of
 * the files with the attribute filter=lfs (fetch/git_lfs.h). */
int git_export(const char *dir, const char *rev, int dirfd, int ignoring, struct buf *submodules, struct buf *large,
	       struct err *e);

/* Appends those of the names (each ended by a NUL, folders with a slash in front of it) that export-ignore leaves out, by the
 * attributes of a commit, or for NULL of the work tree at dir. */
int git_ignored(const char *dir, const char *rev, struct slice names, struct buf *ignored, struct err *e);

/* The same of those that the attribute filter=lfs says to be large files. */
int git_of_lfs(const char *dir, const char *rev, struct slice names, struct buf *found, struct err *e);

/* Takes those out of the names of a work tree's files; a folder of which nothing is left becomes a name itself. */
int git_leave_out(const char *top, struct buf *names, struct err *e);

/* Appends the address of the submodule that a commit has at a path; parent: the address of what has it.  ERR_NOTFOUND when
 * .gitmodules does not say; ERR_DENIED when it names a place here though what has it is elsewhere. */
int git_submodule_url(const char *dir, const char *rev, const char *path, const char *parent, struct buf *out, struct err *e);

/* --- signatures --- */

/* A public key of SSH: a kind as Nix names it ("ssh-ed25519"), and base 64. */
struct git_key {
	const char *type, *key;
};

/* 0 when the commit is signed with one of the keys.  The repository must be one that git_fetch filled.  ERR_DENIED when it is not;
 * ERR_INVALID for keys that are none, ERR_NOTFOUND without ssh-keygen. */
int git_verify(const char *dir, const char *rev, const struct git_key *keys, size_t n, struct err *e);

/* --- a work tree --- */

/* Names are relative to top, each ended by a NUL, in byte order, the buffers hold all of them. */
struct git_worktree {
	char *top;		   /* its folder, absolute */
	char rev[GIT_REV_MAX + 1]; /* of HEAD; "" before the first commit */
	char *ref;		   /* "refs/heads/…", NULL when HEAD stands for no branch */
	int shallow;		   /* its history is cut off somewhere */
	char *witness;		   /* a file that is not what HEAD has, which git calls witness_blob; NULL: none is known */
	char witness_blob[GIT_REV_MAX + 1];
	int converts;		   /* git is told to convert files */
	int loose;		   /* git is told not to look at everything: files, or their modes */
	int dirty;		   /* tracked files differ from HEAD, submodules left aside */
	int converted;		   /* not dirty, but what git converts is on disk in another form than in HEAD */
	struct buf tracked;	   /* files git knows, submodules too; some may be deleted */
	struct buf modules;	   /* the submodules among them */
	struct buf untracked;	   /* files it does not know and was not told to ignore; directories end in a slash */
};

/* Looks at the work tree that `path` (absolute) lies in.  ERR_NOTFOUND when it lies in none. */
int git_worktree_read(const char *path, struct git_worktree *w, struct err *e);
void git_worktree_release(struct git_worktree *w);

/* 1 when the file, or anything below the directory, is tracked.  relative: without leading or trailing slash; "" is the top. */
int git_worktree_has(const struct git_worktree *w, struct slice relative);

/* The name that git gives to what an open file holds, as hexadecimal digits (SHA-1 or SHA-256).  Returns 0, or -1. */
int git_name_contents(int fd, enum hash_algo algo, char out[GIT_REV_MAX + 1]);

/* Lets git know a file that it does not track, without its contents ("git add -N").  name: relative to top. */
int git_intend_to_add(const char *top, const char *name, struct err *e);

#endif
