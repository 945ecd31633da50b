/* SPDX-License-Identifier: MIT
 *
 * Between git.c (calling git), git_export.c and git_worktree.c.
 */
#ifndef FETCH_GIT_INT_H
#define FETCH_GIT_INT_H

#include "fetch/git.h"
#include "fetch/program.h"

/* A call of git: argv and env, to be released. */
struct git_call {
	struct words argv, env;
};

/* Starts one about the repository at dir (NULL: none), with the arguments that make it harmless.  protocols: what it may use
 * ("https"), "" for none. */
void git_call_init(struct git_call *c, const char *dir, const char *protocols);
void git_call_release(struct git_call *c);

/* Runs it; releases it.  As program_run.  A refusal because of somebody else's repository is tried once more with the exceptions
 * the user made. */
int git_call_run(struct git_call *c, struct buf *out, int *status, struct err *e);

/* Appends an address that something at another says: as git takes it, "user@host:path" and "../x" too.  ERR_DENIED when it names a
 * place here though what says it is elsewhere. */
int git_complete_url(const char *parent, const char *url, struct buf *out, struct err *e);

/* Where temporary files go: TMPDIR, if it is absolute, or /tmp. */
const char *git_temp_folder(void);

/* The sorted form of a list of names ended by NULs. */
void git_sort_names(struct buf *names);

#endif
