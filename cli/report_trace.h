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
	int full;
};

/* Appends a line for each frame, innermost first.  Without `full` only the frames that tell a reader most, and
 * repeats folded. */
void trace_add(struct buf *b, const struct trace *t, const struct trace_style *style);

/* The same as elements of a JSON array. */
void trace_add_json(struct buf *b, const struct trace *t);

#endif
