/* SPDX-License-Identifier: MIT
 *
 * What builders that fetch ask of the process that builds: they run no program and see no file of the user's, so a thread of that
 * process does what they need, and answers over a socket that they have as their standard input.  An answer is for the one that
 * asked, and nothing else sees it.
 */
#ifndef BUILD_BUILDER_ASK_H
#define BUILD_BUILDER_ASK_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

enum builder_question {
	BUILDER_AUTH = 'a', /* and what follows: enum go_auth_step (builder_auth.c) */
	BUILDER_REPOSITORY = 'r' /* builder_repository.c */
};

/* Starts to answer; later calls do nothing. */
int builder_ask_start(struct err *e);

/* What builders are to have as standard input; 0 where nobody answers. */
int builder_ask_input(void);

/* From inside a builder: asks, the kind first.  Returns a descriptor to read the answer from, to be closed, or negative where
 * nobody answers. */
int builder_ask(const struct buf *question);

/* For who answers: sends to the one that asked; what it does not take is lost. */
void builder_reply(int fd, const void *p, size_t n);

#endif
