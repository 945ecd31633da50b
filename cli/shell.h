/* SPDX-License-Identifier: MIT
 *
 * Shells for people: their environment, and how each kind of shell is started so that it keeps it.
 *
 * All of it changes this process's own environment, shortly before another program takes its place.
 */
#ifndef CLI_SHELL_H
#define CLI_SHELL_H

#include "cli/dev_env.h"

/* Zeroed is a shell in the environment as it is. */
struct shell_request {
	char **command; /* what runs instead of a shell, ended by NULL; NULL for a shell */
	int ignore;	/* start from an empty environment */
	int fhs; /* another tree than the machine's is /usr there, and has bash */
	const char *tools; /* the sandbox's shell, whose programs are there then; NULL: the usual one */
	const char **keep; /* names kept then; borrowed texts */
	size_t nkeep;
	int must_ignore; /* what is kept was asked for in words that mean nothing otherwise */
	const char *(*set)[2]; /* names and their values, NULL for what is dropped; borrowed texts */
	size_t nset;

	/* private */
	char **words;
	char *hook;
};

void shell_keep(struct shell_request *r, const char *name);

/* NULL: dropped. */
void shell_set(struct shell_request *r, const char *name, const char *value);

/* What was asked for fits together (ERR_INVALID). */
int shell_check(const struct shell_request *r, struct err *e);
void shell_request_release(struct shell_request *r);

/* Puts folders (separated by colons) in front of PATH. */
void shell_path(struct shell_request *r, const char *folders);

/* The environment of a derivation, its folders before PATH. */
void shell_environment(struct shell_request *r, const struct dev_env *env);

/* Cleared, nothing says that one is inside of a shell now (the setting shell-note). */
extern int shell_note;

/* The words to execute, borrowed until shell_request_release. */
char *const *shell_words(struct shell_request *r);

#endif
