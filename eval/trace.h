/* SPDX-License-Identifier: MIT
 *
 * What led to an error: the records that were on the stack when it was raised.
 */
#ifndef EVAL_TRACE_H
#define EVAL_TRACE_H

#include "eval/value.h"

enum trace_kind {
	TRACE_CALL,    /* a function was called at pos; name: the function's, SYM_NONE unnamed; at: where it is defined */
	TRACE_BUILTIN, /* the builtin `text` was called at pos; arg: which argument was being evaluated, 0 none */
	TRACE_VALUE,   /* the variable or attribute `name` was evaluated at pos */
	TRACE_NOTE,    /* text: "while …" */
	TRACE_USER     /* value: what was given to addErrorContext, perhaps a thunk; trace_text */
};

struct trace_frame {
	enum trace_kind kind;
	uint32_t pos, len;
	uint32_t at;
	sym_t name;
	uint32_t arg;
	const char *text;
	W value;
};

/* Innermost first.  Of very deep stacks only the ends are kept: `skipped` frames are missing
 * after v[skipped_after - 1]. */
struct trace {
	uint32_t n, skipped, skipped_after;
	struct trace_frame v[];
};

/* The string that the value of a TRACE_USER frame stands for, evaluated only now; W_NULL when that
 * fails. */
W trace_text(W value);

#endif
