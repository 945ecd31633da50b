/* SPDX-License-Identifier: MIT
 *
 * The forms are those that Nix prints (toml11 before 4.0): what a program compares as strings must not depend on
 * how the document spells it.  Times keep their offset; nothing is converted.
 *
 *   text   date | time | date ('T' | 't' | ' ') time [offset]
 *   date   dddd-dd-dd
 *   time   dd:dd:dd ['.' d+]
 *   offset 'Z' | 'z' | ('+' | '-') dd:dd
 */
#include "config.h"
#include "base/toml_time.h"

#include <string.h>

enum { FRACTION_DIGITS = 9 };

struct reader {
	const char *p, *end;
};

static int is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* n digits, between low and high; -1 when they are not. */
static int number(struct reader *r, int n, int low, int high)
{
	int v = 0;

	for (int i = 0; i < n; i++, r->p++) {
		if (r->p == r->end || !is_digit(*r->p))
			return -1;
		v = v * 10 + (*r->p - '0');
	}
	return v >= low && v <= high ? v : -1;
}

static int skip(struct reader *r, char c)
{
	return r->p < r->end && *r->p == c ? (r->p++, 1) : 0;
}

static int days_in(int year, int month)
{
	static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap);
}

static int date(struct buf *out, struct reader *r)
{
	int y = number(r, 4, 0, 9999), m = skip(r, '-') ? number(r, 2, 1, 12) : -1;

	if (y < 0 || m < 0 || !skip(r, '-'))
		return -1;
	int d = number(r, 2, 1, days_in(y, m));
	if (d < 0)
		return -1;
	buf_addf(out, "%04d-%02d-%02d", y, m, d);
	return 0;
}

/* What follows the point.  Groups of three that are zero to the end are not shown. */
static int fraction(struct buf *out, struct reader *r)
{
	char digits[FRACTION_DIGITS + 1] = "000000000";
	size_t n = 0, shown = 0;

	for (; r->p < r->end && is_digit(*r->p); r->p++, n++)
		if (n < FRACTION_DIGITS) {
			digits[n] = *r->p;
			if (*r->p != '0')
				shown = n / 3 * 3 + 3;
		}
	if (!n)
		return -1;
	if (shown)
		buf_addf(out, ".%.*s", (int)shown, digits);
	return 0;
}

static int time_of_day(struct buf *out, struct reader *r)
{
	int h = number(r, 2, 0, 23), m = skip(r, ':') ? number(r, 2, 0, 59) : -1;
	/* A leap second is the sixtieth. */
	int s = skip(r, ':') ? number(r, 2, 0, 60) : -1;

	if (h < 0 || m < 0 || s < 0)
		return -1;
	buf_addf(out, "%02d:%02d:%02d", h, m, s);
	return skip(r, '.') ? fraction(out, r) : 0;
}

static int offset(struct buf *out, struct reader *r)
{
	if (r->p == r->end)
		return 0;
	if (skip(r, 'Z') || skip(r, 'z')) {
		buf_addc(out, 'Z');
		return 0;
	}
	char sign = *r->p;
	if (!skip(r, '+') && !skip(r, '-'))
		return -1;
	int h = number(r, 2, 0, 23), m = skip(r, ':') ? number(r, 2, 0, 59) : -1;
	if (h < 0 || m < 0)
		return -1;
	/* RFC 3339: no offset at all is UTC, whichever way it is written. */
	if (h == 0 && m == 0)
		buf_addc(out, 'Z');
	else
		buf_addf(out, "%c%02d:%02d", sign, h, m);
	return 0;
}

int toml_time_normal(struct buf *out, const char *p, size_t n)
{
	struct reader r = { p, p + n };

	if (n > 2 && p[2] == ':')
		return time_of_day(out, &r) || r.p < r.end ? -1 : 0;
	if (date(out, &r))
		return -1;
	if (r.p == r.end)
		return 0;
	if (!skip(&r, 'T') && !skip(&r, 't') && !skip(&r, ' '))
		return -1;
	buf_addc(out, 'T');
	return time_of_day(out, &r) || offset(out, &r) || r.p < r.end ? -1 : 0;
}
