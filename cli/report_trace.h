/* SPDX-License-Identifier: MIT
 *
 * The trace of an error as text.
 */
#ifndef CLI_REPORT_TRACE_H
#define CLI_REPORT_TRACE_H

#include "base/buf.h"
#include "eval/trace.h"

/* The colours of places (empty strings without). */
struct trace_style {
	const char *place, *plain;
	uint32_t error_pos; /* where the error itself is */
	int hidden; /* that place is not shown */
	int full;
	const char *rest; /* what shows the rest without it */
	const struct trace_frame *shown; /* the frame whose source line is shown, NULL for none */
	void (*excerpt)(struct buf *b, uint32_t pos, uint32_t len);
};

/* Whether a place is in code that was fetched or installed: a library of the user, and nothing to edit. */
int trace_is_library(uint32_t pos);

/* The innermost frame in code of the user; NULL when there is none. */
const struct trace_frame *trace_own_frame(const struct trace *t);

/* Appends a line for each frame, innermost first.  Without `full` only the frames that tell a reader most, none of libraries when
 * there are others, and repeats folded. */
void trace_add(struct buf *b, const struct trace *t, const struct trace_style *style);

/* The same as elements of a JSON array. */
void trace_add_json(struct buf *b, const struct trace *t);

#endif
