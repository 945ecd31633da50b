/* SPDX-License-Identifier: MIT
 *
 * Lines from a person, with editing, history and completion, or from a file or pipe, as they are.
 */
#ifndef CLI_REPL_REPL_LINES_H
#define CLI_REPL_REPL_LINES_H

#include "base/buf.h"
#include "base/err.h"

/* What may stand in place of the bytes [start, cursor) of a line.  Collected memory. */
struct completions {
	size_t start;
	char **v;
	size_t n, cap;
};

struct lines;

/* Starts reading standard input.  complete (may be NULL) fills c, given zeroed, in byte order. */
struct lines *lines_new(void (*complete)(void *arg, const char *line, size_t cursor, struct completions *c), void *arg);
void lines_free(struct lines *l);

/* Loads the library for editing lines, as lines_new does by itself for a terminal.  ERR_IO when it is not there. */
int lines_load(struct err *e);

/* 1 when a person is typing. */
int lines_is_terminal(const struct lines *l);

/* Appends the next line, without its end, to out.  On LINE_STOPPED the person gave the input up (Ctrl-C). */
enum line_result { LINE_READ, LINE_END, LINE_STOPPED };
enum line_result lines_read(struct lines *l, const char *prompt, struct buf *out);

/* Puts an input, of one line or several, into the history; nothing to do without a terminal. */
void lines_remember(struct lines *l, const char *text);

/* To be called by the handler of SIGINT: what is being typed is given up. Async-signal-safe. */
void lines_interrupt(void);

#endif
