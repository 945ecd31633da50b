/* SPDX-License-Identifier: MIT
 *
 * What type a value has.  Each of these forces its argument, and nothing inside it.
 */
#include "config.h"
#include "builtins/registry.h"
#include "eval/builtin.h"

BUILTIN(bi_type_of, "typeOf", "!e",
	"The type of *e* as a string: `\"int\"`, `\"float\"`, `\"bool\"`, `\"string\"`, `\"path\"`, `\"null\"`, `\"set\"`, "
	"`\"list\"` or `\"lambda\"`.",
	"map typeOf [ 1 \"a\" { } (x: x) ]", "[ \"int\" \"string\" \"set\" \"lambda\" ]")
{
	static const char *const names[] = {
		[V_INT] = "int", [V_FLOAT] = "float", [V_BOOL] = "bool", [V_STRING] = "string", [V_PATH] = "path",
		[V_NULL] = "null", [V_ATTRS] = "set", [V_LIST] = "list", [V_FUNCTION] = "lambda",
	};

	const char *name = names[w_type(arg_force(args, 0))];
	size_t n = 0;
	while (name[n])
		n++;
	/* Symbols own their strings, so the nine words are made once. */
	return sym_word(sym_intern(name, n));
}

static W is(W *args, enum vtype t)
{
	return W_BOOL(w_type(arg_force(args, 0)) == t);
}

BUILTIN_FLAGS(bi_is_null, BI_GLOBAL, "isNull", "!e",
	      "Whether *e* is `null`. The same as `e == null`.",
	      "isNull null", "true")
{
	return is(args, V_NULL);
}

BUILTIN(bi_is_int, "isInt", "!e",
	"Whether *e* is an integer.",
	"map isInt [ 1 1.0 ]", "[ true false ]")
{
	return is(args, V_INT);
}

BUILTIN(bi_is_float, "isFloat", "!e",
	"Whether *e* is a float.",
	"map isFloat [ 1 1.0 ]", "[ false true ]")
{
	return is(args, V_FLOAT);
}

BUILTIN(bi_is_bool, "isBool", "!e",
	"Whether *e* is `true` or `false`.",
	"map isBool [ true 1 ]", "[ true false ]")
{
	return is(args, V_BOOL);
}

BUILTIN(bi_is_string, "isString", "!e",
	"Whether *e* is a string. A path is not one.",
	"map isString [ \"/tmp\" /tmp ]", "[ true false ]")
{
	return is(args, V_STRING);
}

BUILTIN(bi_is_path, "isPath", "!e",
	"Whether *e* is a path. A string that looks like one is not.",
	"map isPath [ \"/tmp\" /tmp ]", "[ false true ]")
{
	return is(args, V_PATH);
}

BUILTIN(bi_is_attrs, "isAttrs", "!e",
	"Whether *e* is a set.",
	"map isAttrs [ { } [ ] ]", "[ true false ]")
{
	return is(args, V_ATTRS);
}

BUILTIN(bi_is_list, "isList", "!e",
	"Whether *e* is a list.",
	"map isList [ { } [ ] ]", "[ false true ]")
{
	return is(args, V_LIST);
}

BUILTIN(bi_is_function, "isFunction", "!e",
	"Whether *e* is a function, one written in the language or a builtin. A set with `__functor` can be called but is "
	"not a function.",
	"map isFunction [ (x: x) map { __functor = self: x: x; } ]", "[ true true false ]")
{
	return is(args, V_FUNCTION);
}

const struct builtin *const builtins_types[] = {
	&def_bi_type_of, &def_bi_is_null, &def_bi_is_int, &def_bi_is_float, &def_bi_is_bool, &def_bi_is_string,
	&def_bi_is_path, &def_bi_is_attrs, &def_bi_is_list, &def_bi_is_function, NULL,
};
