/* SPDX-License-Identifier: MIT
 *
 * Numbers, dates and times, and the two booleans: the values that stand in the text without quotes or brackets.
 *
 * Dates and times are only recognised, not taken apart: base/toml_time.c does that for the one who wants it.
 */
#include "config.h"
#include "base/toml_int.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Copies digits of the base to scratch without their underscores; each must stand between digits. */
static int take_digits(struct toml *t, int base)
{
	const char *from = t->p;

	for (;; t->p++) {
		int c = toml_peek(t), low = c | 0x20;
		int ok = base == 16 ? toml_is_digit(c) || (low >= 'a' && low <= 'f') : c >= '0' && c < '0' + base;
		if (ok) {
			buf_addc(&t->scratch, (char)c);
			continue;
		}
		if (c != '_' || t->p == from || t->p[-1] == '_')
			break;
	}
	if (t->p == from || t->p[-1] == '_')
		return toml_fail(t, "a digit is expected");
	return 0;
}

static int parse_int(struct toml *t, const char *from, int base, struct toml_value *v)
{
	const char *p = buf_str(&t->scratch);
	int neg = *p == '-';
	uint64_t u = 0;

	for (p += *p == '-' || *p == '+'; *p; p++) {
		unsigned d = toml_is_digit(*p) ? (unsigned)(*p - '0') : (unsigned)((*p | 0x20) - 'a') + 10;
		if (__builtin_mul_overflow(u, (uint64_t)base, &u) || __builtin_add_overflow(u, d, &u))
			return toml_fail_at(t, from, "integer out of range");
	}
	if (u > (uint64_t)INT64_MAX + (uint64_t)neg)
		return toml_fail_at(t, from, "integer out of range");
	v->type = TOML_INT;
	v->i = (int64_t)(neg ? 0 - u : u);
	return 0;
}

static int prefixed_int(struct toml *t, struct toml_value *v)
{
	const char *from = t->p;
	int base = t->p[1] == 'x' ? 16 : t->p[1] == 'o' ? 8 : 2;

	t->p += 2;
	return take_digits(t, base) ? -1 : parse_int(t, from, base, v);
}

static int fraction_and_exponent(struct toml *t)
{
	if (toml_peek(t) == '.') {
		buf_addc(&t->scratch, '.');
		t->p++;
		if (take_digits(t, 10))
			return -1;
	}
	if ((toml_peek(t) | 0x20) == 'e') {
		buf_addc(&t->scratch, 'e');
		t->p++;
		if (toml_peek(t) == '+' || toml_peek(t) == '-')
			buf_addc(&t->scratch, *t->p++);
		if (take_digits(t, 10))
			return -1;
	}
	return 0;
}

static int special_float(struct toml *t, int neg, struct toml_value *v)
{
	int inf = !memcmp(t->p, "inf", 3);

	t->p += 3;
	v->type = TOML_FLOAT;
	v->d = inf ? INFINITY : NAN;
	if (neg)
		v->d = -v->d;
	return 0;
}

int toml_read_number(struct toml *t, struct toml_value *v)
{
	const char *from = t->p, *digits;

	buf_trim(&t->scratch, 0);
	if (*t->p == '0' && t->end - t->p > 2 && strchr("xob", t->p[1]) && t->p[1])
		return prefixed_int(t, v);
	if (*t->p == '+' || *t->p == '-')
		buf_addc(&t->scratch, *t->p++);
	if (t->end - t->p >= 3 && (!memcmp(t->p, "inf", 3) || !memcmp(t->p, "nan", 3)))
		return special_float(t, *from == '-', v);
	digits = t->p;
	if (take_digits(t, 10))
		return -1;
	if (*digits == '0' && t->p - digits > 1)
		return toml_fail_at(t, from, "number with a leading zero");
	if (toml_peek(t) != '.' && (toml_peek(t) | 0x20) != 'e')
		return parse_int(t, from, 10, v);
	if (fraction_and_exponent(t))
		return -1;
	v->type = TOML_FLOAT;
	v->d = strtod(buf_str(&t->scratch), NULL);
	return isfinite(v->d) ? 0 : toml_fail_at(t, from, "float out of range");
}

/* dddd- or dd: begins one. */
int toml_looks_like_time(const struct toml *t)
{
	const char *p = t->p;
	size_t n = 0;

	while (p + n < t->end && toml_is_digit(p[n]))
		n++;
	return p + n < t->end && ((n == 4 && p[n] == '-') || (n == 2 && p[n] == ':'));
}

int toml_read_time(struct toml *t, struct toml_value *v)
{
	const char *from = t->p;

	while (t->p < t->end && (toml_is_digit(*t->p) || strchr("-:.+TtZz", *t->p)) && *t->p)
		t->p++;
	/* A date may be set off from its time by one space. */
	if (t->p - from == 10 && t->end - t->p > 2 && *t->p == ' ' && toml_is_digit(t->p[1]) && toml_is_digit(t->p[2])) {
		t->p++;
		while (t->p < t->end && (toml_is_digit(*t->p) || strchr(":.+-Zz", *t->p)) && *t->p)
			t->p++;
	}
	v->type = TOML_TIME;
	v->s = (struct toml_string){ from, (size_t)(t->p - from) };
	return 0;
}

int toml_read_bool(struct toml *t, struct toml_value *v)
{
	size_t n = *t->p == 't' ? 4 : 5;

	if ((size_t)(t->end - t->p) < n || memcmp(t->p, n == 4 ? "true" : "false", n))
		return toml_fail(t, "a value is expected");
	t->p += n;
	v->type = TOML_BOOL;
	v->i = n == 4;
	return 0;
}
