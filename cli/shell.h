/* SPDX-License-Identifier: MIT
 *
 * Shells for people: their environment, and how each kind of shell is started so that it keeps it.
 *
 * All of it changes this process's own environment, shortly before another program takes its place.
 */
#ifndef CLI_SHELL_H
#define CLI_SHELL_H

#include "format/drv.h"

/* Zeroed is a shell in the environment as it is. */
struct shell_request {
	char **command; /* what runs instead of a shell, ended by NULL; NULL for a shell */
	int ignore;	/* start from an empty environment */
	const char **keep; /* names kept then; borrowed texts */
	size_t nkeep;

	/* private */
	char **words;
	char *hook;
};

void shell_keep(struct shell_request *r, const char *name);
void shell_request_release(struct shell_request *r);

/* Puts folders (separated by colons) in front of PATH. */
void shell_path(struct shell_request *r, const char *folders);

/* The environment that the derivation of a shell describes: the bin folders of its inputs before PATH, its other
 * variables, its shellHook. */
void shell_environment(struct shell_request *r, const struct drv *d);

/* The words to execute, borrowed until shell_request_release. */
char *const *shell_words(struct shell_request *r);

#endif
