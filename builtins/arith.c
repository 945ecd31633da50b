/* SPDX-License-Identifier: MIT
 *
 * Numbers.  The operators of the language have their own code in eval/ops.c; these are the same operations as
 * values that can be passed around.
 *
 * Integers are 64 bits and never wrap: a result out of range is an error.  A float on either side makes the
 * whole operation one of floats.
 */
#include "config.h"
#include "builtins/arith.h"
#include "builtins/registry.h"
#include "eval/builtin.h"
#include "eval/compare.h"

#include <math.h>

static __attribute__((noreturn, cold)) void overflow(const char *verb, int64_t a, char op, int64_t b)
{
	throw_error(EK_EVAL, "integer overflow in %s %lld %c %lld", verb, (long long)a, op, (long long)b);
}

/* Forces both; is this to be done in floats?  Anything that is no number counts as one here, so that
 * the complaint is about a number. */
static int as_floats(W *args)
{
	W a = arg_force(args, 0), b = arg_force(args, 1);

	return !w_is_int(a) || !w_is_int(b);
}

BUILTIN(bi_add, "add", "!e1 !e2",
	"The sum of the numbers *e1* and *e2*, as `e1 + e2` but for numbers only.",
	"foldl' add 0 [ 1 2 3 ]", "6")
{
	if (as_floats(args)) {
		double x = arg_number(args, 0);
		return w_float(x + arg_number(args, 1));
	}
	int64_t a = w_get_int(args[0]), b = w_get_int(args[1]), r;
	if (__builtin_add_overflow(a, b, &r))
		overflow("adding", a, '+', b);
	return w_int(r);
}

BUILTIN(bi_sub, "sub", "!e1 !e2",
	"The difference of the numbers *e1* and *e2*, as `e1 - e2`.",
	"sub 3 5", "-2")
{
	if (as_floats(args)) {
		double x = arg_number(args, 0);
		return w_float(x - arg_number(args, 1));
	}
	int64_t a = w_get_int(args[0]), b = w_get_int(args[1]), r;
	if (__builtin_sub_overflow(a, b, &r))
		overflow("subtracting", a, '-', b);
	return w_int(r);
}

BUILTIN(bi_mul, "mul", "!e1 !e2",
	"The product of the numbers *e1* and *e2*, as `e1 * e2`.",
	"mul 1.5 4", "6")
{
	if (as_floats(args)) {
		double x = arg_number(args, 0);
		return w_float(x * arg_number(args, 1));
	}
	int64_t a = w_get_int(args[0]), b = w_get_int(args[1]), r;
	if (__builtin_mul_overflow(a, b, &r))
		overflow("multiplying", a, '*', b);
	return w_int(r);
}

BUILTIN(bi_div, "div", "!e1 !e2",
	"The number *e1* divided by *e2*, as `e1 / e2`. Of two integers the quotient is rounded towards zero. "
	"Division by zero is an error, for floats too.",
	"[ (div 7 2) (div (-7) 2) (div 7.0 2) ]", "[ 3 -3 3.5 ]")
{
	int floats = as_floats(args);

	if (arg_number(args, 1) == 0)
		throw_error(EK_EVAL, "division by zero");
	if (floats)
		return w_float(arg_number(args, 0) / arg_number(args, 1));
	int64_t a = w_get_int(args[0]), b = w_get_int(args[1]);
	if (a == INT64_MIN && b == -1)
		overflow("dividing", a, '/', b);
	return w_int(a / b);
}

BUILTIN(bi_bit_and, "bitAnd", "!e1 !e2",
	"The bits that are set in both of the integers *e1* and *e2*.",
	"bitAnd 12 10", "8")
{
	int64_t a = arg_int(args, 0);

	return w_int(a & arg_int(args, 1));
}

BUILTIN(bi_bit_or, "bitOr", "!e1 !e2",
	"The bits that are set in at least one of the integers *e1* and *e2*.",
	"bitOr 12 10", "14")
{
	int64_t a = arg_int(args, 0);

	return w_int(a | arg_int(args, 1));
}

BUILTIN(bi_bit_xor, "bitXor", "!e1 !e2",
	"The bits that are set in exactly one of the integers *e1* and *e2*.",
	"bitXor 12 10", "6")
{
	int64_t a = arg_int(args, 0);

	return w_int(a ^ arg_int(args, 1));
}

/* The integer that a rounded float is.  2^63 itself is out of range, -2^63 is not. */
static W integer(double rounded, const char *name, double d)
{
	if (!(rounded >= -0x1p63 && rounded < 0x1p63))
		throw_error(EK_EVAL, "'%s' of the float %g is not in the range of integers", name, d);
	return w_int((int64_t)rounded);
}

BUILTIN(bi_ceil, "ceil", "!number",
	"The smallest integer that is not less than *number*. An integer is returned as it is. It is an error when the "
	"result does not fit an integer.",
	"[ (ceil 2.1) (ceil (-2.1)) (ceil 5) ]", "[ 3 -2 5 ]")
{
	double d = arg_number(args, 0);

	return w_is_int(args[0]) ? args[0] : integer(ceil(d), "ceil", d);
}

BUILTIN(bi_floor, "floor", "!number",
	"The largest integer that is not greater than *number*. An integer is returned as it is. It is an error when the "
	"result does not fit an integer.",
	"[ (floor 2.9) (floor (-2.1)) (floor 5) ]", "[ 2 -3 5 ]")
{
	double d = arg_number(args, 0);

	return w_is_int(args[0]) ? args[0] : integer(floor(d), "floor", d);
}

BUILTIN(bi_less_than, "lessThan", "!e1 !e2",
	"Whether *e1* is less than *e2*, as `e1 < e2`: numbers by value, strings and paths by bytes, lists by the first "
	"elements that differ. Other values, and values of different types, have no order.",
	"lessThan \"apple\" \"pear\"", "true")
{
	W a = arg_force(args, 0);

	return W_BOOL(value_less(a, arg_force(args, 1)));
}

int arith_is_less_than(W f)
{
	return w_is_box(f, BOX_BUILTIN) && function_builtin(f) == &def_bi_less_than;
}

const struct builtin *const builtins_arith[] = {
	&def_bi_add, &def_bi_sub, &def_bi_mul, &def_bi_div, &def_bi_bit_and, &def_bi_bit_or, &def_bi_bit_xor,
	&def_bi_ceil, &def_bi_floor, &def_bi_less_than, NULL,
};
