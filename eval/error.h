/* SPDX-License-Identifier: MIT
 *
 * Language errors: raising, catching, what they hold.
 *
 * While it evaluates, a thread keeps a stack of records: thunks being forced (turned back into
 * thunks when an error passes), calls and notes (which become the trace), and clean-ups.  setjmp
 * and longjmp occur in eval/unwind.c only.
 */
#ifndef EVAL_ERROR_H
#define EVAL_ERROR_H

#include "base/err.h"
#include "eval/value.h"

enum error_kind {
	EK_EVAL,      /* type errors, missing attributes, arithmetic … */
	EK_THROW,     /* builtins.throw; caught by tryEval */
	EK_ASSERT,    /* a failed assert; caught by tryEval */
	EK_ABORT,
	EK_RECURSION, /* infinite recursion */
	EK_STACK,     /* too deep */
	EK_SYNTAX,
	EK_IO,
	EK_DENIED,    /* pure or restricted evaluation */
	EK_BUILD,
	EK_IFD,	      /* something is to be built, and allow-import-from-derivation says no */
	EK_HASH,      /* what was fetched is not what its hash says */
	EK_INTERRUPT,
	EK_QUIT	      /* leaves without message (builtins.break quitting …) */
};

/* --- unwind.c --- */

/* Raises an error at the position of the innermost call to a builtin, or at pos.  fmt as printf, with
 * lower-case message, subjects in quotes, no full stop.  Never returns. */
void throw_error(enum error_kind k, const char *fmt, ...)
	__attribute__((noreturn, cold, format(printf, 2, 3)));
void throw_at(enum error_kind k, uint32_t pos, uint32_t len, const char *fmt, ...)
	__attribute__((noreturn, cold, format(printf, 4, 5)));

/* The same as throw_error with a line of advice, on the collected heap or static; NULL for none. */
void throw_error_hint(enum error_kind k, const char *hint, const char *fmt, ...)
	__attribute__((noreturn, cold, format(printf, 3, 4)));

/* The same as throw_at. */
void throw_hint(enum error_kind k, uint32_t pos, uint32_t len, const char *hint, const char *fmt, ...)
	__attribute__((noreturn, cold, format(printf, 5, 6)));

/* --- fail.c --- */

/* What the set has that is like this name, as advice on the collected heap; NULL when there is nothing to say. */
const char *near_attr(W set, const struct str *name);

/* --- unwind.c --- */

/* "expected X but found Y: value".  wanted with article ("a list"). */
void throw_type(const char *wanted, W got) __attribute__((noreturn, cold));

/* Raises what e says (code and position kept) and releases it. */
void throw_err(struct err *e) __attribute__((noreturn, cold));

/* What returned rc failed when that is negative, and said how in e. */
static inline void throw_if(int rc, struct err *e)
{
	if (rc < 0)
		throw_err(e);
}

/* Adds a line "while …" to the trace of any error raised until note_pop: fmt without arguments, or a value string.
 * Pairs nest; an error pops them itself. */
void note_push(const char *text, uint32_t pos);
void note_push_value(W str, uint32_t pos); /* builtins.addErrorContext: always shown */
/* As note_push, for a text that is only put together when an error shows it: text(arg) must not throw. */
void note_push_made(const char *(*text)(void *arg), void *arg, uint32_t pos);
void note_pop(void);

/* Calls fn(arg) when an error passes before protect_pop; for descriptors and malloc memory held over
 * something that throws.  protect_pop(1) also calls it. */
void protect_push(void (*fn)(void *arg), void *arg);
void protect_pop(int run);

/* What was caught.  On the collected heap. */
struct failure {
	enum error_kind kind;
	W msg;		/* string */
	uint32_t pos, len;
	W hint;		/* string or W_NULL: what to do next, e.g. did you mean */
	struct trace *trace;
};

/* Which errors to catch, and whether to collect a trace: it costs time in the depth of the stack. */
enum unwind_trace {
	TRACE_NONE, /* all errors, no trace */
	TRACE_ALL,
	TRACE_THROWN /* only those that tryEval catches (EK_THROW, EK_ASSERT), no trace; others pass on to the next that catches
			them */
};

/* Runs fn(arg).  Returns 1 when it ended, 0 when it raised: then *f (when not NULL) says what. Thunks that were being forced
 * are thunks again.  with_trace is one of enum unwind_trace. */
int unwind_run(void (*fn)(void *arg), void *arg, struct failure *f, int with_trace);

/* Whether whoever catches the next failed assertion or throw looks at what it says. */
int unwind_is_told(void);

/* Raises a caught failure again. */
void unwind_rethrow(struct failure *f) __attribute__((noreturn));

/* --- force.c --- */

/* Throws EK_STACK when the C stack is nearly used up.  Stands at the top of every function that recurses over values. */
void stack_check(void);

/* The same around a level of such a recursion that counts as a call (max-call-depth); an error leaves it as well.  Throws. */
void depth_enter(void);
void depth_leave(void);

/* --- unwind.c --- */

/* Position of the innermost builtin call, 0 when none: for positions a builtin puts in its result. */
uint32_t call_pos(void);

#endif
