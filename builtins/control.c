/* SPDX-License-Identifier: MIT
 *
 * Builtins about evaluation itself: its order, its errors, its messages.
 */
#include "config.h"
#include "builtins/registry.h"
#include "eval/builtin.h"
#include "eval/coerce.h"
#include "eval/eval.h"
#include "eval/show.h"

#include <limits.h>
#include <string.h>

/* --- order --- */

BUILTIN(bi_seq, "seq", "!e1 !e2",
	"Evaluates *e1*, then returns *e2*. Of a set or list only the outermost level is evaluated.",
	"seq { x = abort \"not reached\"; } 1", "1")
{
	arg_force(args, 0);
	return args[1];
}

BUILTIN(bi_deep_seq, "deepSeq", "!e1 e2",
	"Evaluates *e1* and everything in it, then returns *e2*.",
	"(tryEval (deepSeq { x = throw \"reached\"; } 1)).success", "false")
{
	force_deep(args[0]);
	return args[1];
}

/* --- errors --- */

static struct str *message(W w, const char *what)
{
	note_push(what, 0);
	struct str *s = w_get_str(coerce_string(w, COERCE_COPY));
	note_pop();
	return s;
}

BUILTIN_FLAGS(bi_throw, BI_GLOBAL, "throw", "s",
	      "Raises an error with the message *s*. `tryEval` catches it, and commands that list packages skip what throws.",
	      "(tryEval (throw \"no\")).success", "false")
{
	struct str *s = message(args[0], "while evaluating the message given to 'throw'");

	throw_error(EK_THROW, "%.*s", (int)s->len, s->b);
}

BUILTIN_FLAGS(bi_abort, BI_GLOBAL, "abort", "s",
	      "Ends the evaluation with the message *s*. Unlike `throw` it cannot be caught.",
	      "abort \"no way\"", "error: evaluation aborted with the following error message: 'no way'")
{
	struct str *s = message(args[0], "while evaluating the message given to 'abort'");

	throw_error(EK_ABORT, "evaluation aborted with the following error message: '%.*s'", (int)s->len, s->b);
}

static void force_cell(void *arg)
{
	force_at(arg);
}

static W try_result(W value, W success)
{
	struct attrs_builder b;

	attrs_builder_init(&b, 2);
	attrs_add(&b, SYM_VALUE, 0, value);
	attrs_add(&b, SYM_SUCCESS, 0, success);
	return attrs_finish(&b);
}

BUILTIN(bi_try_eval, "tryEval", "e",
	"Evaluates *e* to its outermost level and returns `{ success = true; value = e; }`, or "
	"`{ success = false; value = false; }` when that ends in a `throw` or a failed `assert`. Other errors, such as "
	"type errors and `abort`, are not caught. Use `deepSeq` to find errors further inside.",
	"tryEval (assert 1 > 2; \"fine\")", "{ success = false; value = false; }")
{
	if (unwind_run(force_cell, &args[0], NULL, TRACE_THROWN))
		return try_result(args[0], W_TRUE);
	return try_result(W_FALSE, W_FALSE);
}

BUILTIN(bi_add_error_context, "addErrorContext", "context value",
	"Returns *value*; should its evaluation fail, the string *context* becomes a line of the trace of the error. "
	"*context* is not evaluated otherwise.",
	"addErrorContext (abort \"never evaluated\") 1", "1")
{
	note_push_value(args[0], call_pos());
	W w = arg_force(args, 1);
	note_pop();
	return w;
}

/* --- messages --- */

static void say(const char *prefix, const char *p, size_t n)
{
	struct buf b = BUF_GC;

	buf_adds(&b, prefix);
	buf_add(&b, p, n);
	eval_world()->message(buf_str(&b), b.len);
}

static W trace(W *args)
{
	W w = arg_force(args, 0);
	struct buf b = BUF_GC;

	if (w_is_str(w))
		buf_add(&b, w_get_str(w)->b, w_get_str(w)->len);
	else
		show_value(&b, w, 0, UINT_MAX);
	say("trace: ", buf_str(&b), b.len);
	return args[1];
}

BUILTIN(bi_trace, "trace", "!e1 e2",
	"Evaluates *e1*, prints it to standard error, and returns *e2*. Strings are printed as they are; of other values what "
	"is not evaluated yet shows as `«thunk»`, so use `deepSeq` to see all of it.",
	"trace \"printed to standard error\" 1", "1")
{
	return trace(args);
}

BUILTIN(bi_trace_verbose, "traceVerbose", "e1 e2",
	"As `trace` when the option `trace-verbose` is set; otherwise returns *e2* without evaluating *e1*.",
	"traceVerbose (abort \"not evaluated\") 1", "1")
{
	return eval_settings.trace_verbose ? trace(args) : args[1];
}

BUILTIN(bi_warn, "warn", "!e1 e2",
	"Prints the string *e1* to standard error as a warning and returns *e2*.",
	"warn \"printed to standard error\" 1", "1")
{
	struct str *s = arg_string(args, 0);

	say("evaluation warning: ", s->b, s->len);
	if (eval_settings.abort_on_warn)
		throw_error(EK_ABORT, "aborting because of a warning, as the setting 'abort-on-warn' asks");
	return args[1];
}

BUILTIN_FLAGS(bi_break, BI_GLOBAL, "break", "v",
	      "Returns *v*. A place for a debugger to stop at; without one it does nothing.",
	      "break 1", "1")
{
	return args[0];
}

const struct builtin *const builtins_control[] = {
	&def_bi_seq, &def_bi_deep_seq, &def_bi_throw, &def_bi_abort, &def_bi_try_eval, &def_bi_add_error_context,
	&def_bi_trace, &def_bi_trace_verbose, &def_bi_warn, &def_bi_break, NULL,
};
