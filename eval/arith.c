/* SPDX-License-Identifier: MIT
 *
 * Arithmetic beyond the fast paths of ops.c: floats, integers of more than 61 bits, errors.
 * Integers overflow into an error, never around.
 */
#include "config.h"
#include "eval/compare.h"
#include "eval/ops.h"
#include "eval/show.h"

static __attribute__((noreturn, cold)) void overflow(const struct node *n, char op, int64_t a, int64_t b)
{
	static const char *const verbs[] = { ['+'] = "adding", ['-'] = "subtracting", ['*'] = "multiplying",
					     ['/'] = "dividing" };

	throw_node(EK_EVAL, n, "integer overflow in %s %lld %c %lld", verbs[(unsigned char)op], (long long)a, op,
		   (long long)b);
}

static W arith_int(const struct node *n, char op, int64_t a, int64_t b)
{
	int64_t r = 0;
	int bad = 0;

	switch (op) {
	case '+': bad = __builtin_add_overflow(a, b, &r); break;
	case '-': bad = __builtin_sub_overflow(a, b, &r); break;
	case '*': bad = __builtin_mul_overflow(a, b, &r); break;
	case '/':
		if (!b)
			throw_node(EK_EVAL, n, "division by zero");
		bad = a == INT64_MIN && b == -1;
		r = bad ? 0 : a / b;
	}
	if (bad)
		overflow(n, op, a, b);
	return w_int(r);
}

static W arith_float(const struct node *n, char op, double a, double b)
{
	switch (op) {
	case '+': return w_float(a + b);
	case '-': return w_float(a - b);
	case '*': return w_float(a * b);
	}
	if (b == 0)
		throw_node(EK_EVAL, n, "division by zero");
	return w_float(a / b);
}

static double as_double(const struct node *n, char op, W other, W w)
{
	if (w_is_int(w))
		return (double)w_get_int(w);
	if (w_is_float(w))
		return w_get_float(w);
	if (op == '+')
		throw_node(EK_EVAL, n, "cannot add %s to %s", show_type(w), show_type(other));
	throw_node(EK_EVAL, n, "expected a number %s '%c' but found %s: %s",
		   other == w ? "left of" : "beside", op, show_type(w), show_brief(w));
}

W arith(const struct node *n, char op, W l, W r)
{
	if (w_is_int(l) && w_is_int(r))
		return arith_int(n, op, w_get_int(l), w_get_int(r));
	double a = as_double(n, op, l, l);
	return arith_float(n, op, a, as_double(n, op, l, r));
}

int less_slow(const struct node *n, W a, W b)
{
	struct rec r = { es.top, "while comparing two values", 0, n, REC_NOTE, 0, n->pos };

	es.top = &r;
	int v = value_less(a, b);
	es.top = r.up;
	return v;
}
