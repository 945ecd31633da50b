/* SPDX-License-Identifier: MIT
 *
 * Running a program of the machine, without a shell: its arguments are a vector, its environment is what is given
 * here (NULL: this program's own), its standard error is kept for the message.
 */
#ifndef FETCH_PROGRAM_H
#define FETCH_PROGRAM_H

#include "base/buf.h"
#include "base/err.h"
#include "base/words.h"

#include <sys/types.h>

/* A running program; in leads to its standard input (-1: it reads nothing), out comes from its output. */
struct program {
	pid_t pid;
	int in, out;
	int err; /* what it says on standard error, a file in memory */
	const char *name;
};

/* Starts argv->v[0], looked up in PATH.  ERR_NOTFOUND when there is no such program. */
int program_start(struct program *p, const struct words *argv, const struct words *env, int with_input, struct err *e);

/* The same with input, what it says on standard error going to a descriptor (borrowed); 0: it is kept. */
int program_start_saying(struct program *p, const struct words *argv, int said_to, struct err *e);

/* Writes to its standard input. */
int program_write(struct program *p, const void *data, size_t n, struct err *e);

/* Closes the pipes, waits.  0 when it ended with status 0; else ERR_IO with what it said.  *status, when not NULL, receives the
 * exit status, and a status other than 0 is no error. */
int program_finish(struct program *p, int *status, struct err *e);

/* Reads what it prints to the end, appended to out (at most LIMIT_PROGRAM_OUTPUT; NULL: dropped), and finishes it, or kills it. */
int program_collect(struct program *p, struct buf *out, int *status, struct err *e);

/* Kills it and waits. */
void program_kill(struct program *p);

/* All of it at once. */
int program_run(const struct words *argv, const struct words *env, struct buf *out, int *status, struct err *e);

#endif
