/* SPDX-License-Identifier: MIT
 *
 * What an evaluation has of its own, where a process has several: its sessions.
 *
 * What an evaluation knows (settings, texts, files it read, derivations it made, trees it fetched) is kept in static
 * variables of the files that look after it, so that reaching it costs no more than in a process with one evaluation.
 * Each session has a value of its own of each: to enter a session is to exchange them (cli/session.h, which has the
 * list).  A new session's are all zero, and a variable is named in a table `X_session` of its header:
 *
 *	const struct session_part fs_session[] = { { &the_fs, sizeof the_fs, end }, { 0 } };
 *
 * So a process is in one session at a time, whatever its threads.  What sessions share is what does not depend on them:
 * symbols (lang/symbol.h), contexts (eval/context.h), compiled regular expressions, the collected heap, and scratch
 * memory that is empty between two uses.  Nothing here is locked but the regular expressions.
 *
 * The values of sessions that are not entered are in memory the collector does not look at: a variable points at malloc
 * memory or at a block of mem_root.
 */
#ifndef BASE_SESSION_H
#define BASE_SESSION_H

#include <stddef.h>

/* A table of them ends with one whose var is NULL. */
struct session_part {
	void *var;
	size_t size;
	void (*end)(void); /* releases what the variable holds now, which is not used again; NULL: nothing */
};

#endif
