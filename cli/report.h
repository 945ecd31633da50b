/* SPDX-License-Identifier: MIT
 *
 * What people are told: errors with the place they point at, warnings, messages of builtins.trace.
 * All of it goes to standard error, and through base/visible.h.
 */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include "base/err.h"
#include "eval/error.h"

struct report_settings {
	int colour;
	int quiet;	/* no warnings */
	int full_trace; /* --show-trace */
	const char *rest_of_trace; /* what shows the rest of a short one; NULL: --show-trace */
};

extern struct report_settings report_settings;

/* Chooses colour: on a terminal, and not with NO_COLOR or TERM=dumb. */
void report_init(void);

/* From now on what is told is also appended to b; NULL: no longer. */
struct buf;
void report_copy(struct buf *b);

/* An error that ended the evaluation.  Does not evaluate anything. */
void report_failure(const struct failure *f);

/* The exit status that says so. */
int report_status(const struct failure *f);

/* The same for an error from below the evaluator. */
void report_err(const struct err *e);

/* An error of the program's own, about no place in a source. */
void report_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A warning about a span of source, 0 for none. */
void report_warning(uint32_t pos, uint32_t len, const char *msg);

/* A message of the evaluated program, with its own lines. */
void report_message(const char *p, size_t n);

/* One about this run, which is not copied (report_copy). */
void report_remark(const char *p, size_t n);

/* The same for one of the program's own ("note: …"). */
void report_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
