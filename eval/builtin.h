/* SPDX-License-Identifier: MIT
 *
 * How a builtin is declared and reads its arguments.
 *
 *   BUILTIN(bi_length, "length", "!list",
 *           "The number of elements of *list*.",
 *           "length [ 1 2 ]", "2")
 *   {
 *           return w_int(list_len(arg_list(args, 0)));
 *   }
 *
 * The macro stands right above the body.  Positional on purpose: leaving out the documentation does
 * not compile.  The argument names give the arity.  A leading ! marks an argument that the builtin
 * forces in any case, before anything else can fail save the ! arguments to its left: the engine may then
 * evaluate it directly instead of making a thunk.  That an argument is of the wrong type is found when all of these are
 * evaluated: here, unlike in Nix, one behind it that throws is met first.
 *
 * The example is evaluated by the tests in the scope of `builtins`, and must print as the result
 * says ("error: …" for an example that shows a failure; "" for no example, which needs a reason in the doc).
 *
 * Each file ends with its list:  const struct builtin *const builtins_lists[] = { &def_bi_length, …, NULL };
 */
#ifndef EVAL_BUILTIN_H
#define EVAL_BUILTIN_H

#include "eval/attrs.h"
#include "eval/context.h"
#include "eval/error.h"
#include "eval/list.h"
#include "eval/value.h"

enum builtin_flags {
	BI_GLOBAL = 1, /* also in scope by its own name, not only as __name and builtins.name */
	BI_IMPURE = 2, /* not there in pure evaluation */
	BI_VALUE = 4,  /* a constant: fn is called once, without arguments, when it is first read */
	BI_FIXED = 16, /* with BI_VALUE: the same in every evaluation, so fn is called at the start */
	BI_HIDDEN = 8  /* internal: only reachable by name as a global (derivationStrict …) */
};

struct builtin {
	const char *name;
	const char *args; /* names separated by spaces */
	const char *doc;  /* Markdown */
	const char *example, *result;
	W (*fn)(W *args);
	unsigned flags;
};

#define BUILTIN_FLAGS(sym, flags, name, args_, doc, example, result)                                       \
	static W sym(W *args);                                                                             \
	static const struct builtin def_##sym = { name, args_, doc, example, result, sym, flags };         \
	static W sym(W *args)

#define BUILTIN(sym, name, args_, doc, example, result)                                                    \
	BUILTIN_FLAGS(sym, 0, name, args_, doc, example, result)

/* --- reading arguments: each forces args[i], stores the value there, and throws a type error that
 * names the builtin and the argument --- */

W arg_force(W *args, int i);
int64_t arg_int(W *args, int i);
W arg_list(W *args, int i);
W arg_attrs(W *args, int i);
W arg_function(W *args, int i); /* anything callable, sets with __functor too */

/* A string as it is (no coercion), context allowed / refused. */
struct str *arg_string(W *args, int i);
struct str *arg_string_plain(W *args, int i);

/* An int as is, an int or float as a double. */
double arg_number(W *args, int i);

/* Element/attribute values with the same kind of error; `what` reads "while evaluating <what>". */
W want_attrs(W w, const char *what);
W want_list_slow(W w, const char *what);
int want_bool_slow(W w, const char *what);
struct str *want_string(W w, const char *what);
struct str *want_string_plain(W w, const char *what);

static inline W want_list(W w, const char *what)
{
	return __builtin_expect(W_TAG(w) == TAG_LIST, 1) ? w : want_list_slow(w, what);
}

static inline int want_bool(W w, const char *what)
{
	return __builtin_expect(w == W_TRUE || w == W_FALSE, 1) ? w == W_TRUE : want_bool_slow(w, what);
}

/* The attribute `name` of a set, which must be there. `what` names the set in the error ("the argument of 'path'"). */
W want_attr(W set, const char *name, const char *what);

#endif
