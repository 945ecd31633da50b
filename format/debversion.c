/* SPDX-License-Identifier: MIT
 *
 * As Debian's policy has it: of each part text and numbers are compared in turn, text by letters first and other signs behind them,
 * where '~' comes before everything, the end as well, and numbers by their values.
 */
#include "config.h"
#include "format/debversion.h"

static int is_digit(struct slice s)
{
	return s.n && *s.p >= '0' && *s.p <= '9';
}

static int is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* What a sign counts where text is compared; the end and a number count 0. */
static int weight(struct slice s)
{
	if (!s.n || is_digit(s))
		return 0;
	return *s.p == '~' ? -1 : is_letter(*s.p) ? (unsigned char)*s.p : (unsigned char)*s.p + 256;
}

static void skip(struct slice *s)
{
	s->p++;
	s->n--;
}

static int cmp_text(struct slice *a, struct slice *b)
{
	while ((a->n && !is_digit(*a)) || (b->n && !is_digit(*b))) {
		int d = weight(*a) - weight(*b);

		if (d)
			return d;
		skip(a);
		skip(b);
	}
	return 0;
}

/* Of any length. */
static int cmp_number(struct slice *a, struct slice *b)
{
	int first = 0;

	while (a->n && *a->p == '0')
		skip(a);
	while (b->n && *b->p == '0')
		skip(b);
	for (; is_digit(*a) && is_digit(*b); skip(a), skip(b))
		first = first ? first : *a->p - *b->p;
	return is_digit(*a) ? 1 : is_digit(*b) ? -1 : first;
}

static int cmp_part(struct slice a, struct slice b)
{
	while (a.n || b.n) {
		int d = cmp_text(&a, &b);

		if (!d)
			d = cmp_number(&a, &b);
		if (d)
			return d;
	}
	return 0;
}

/* Cuts off what is before a ':'; "0" when there is none. */
static struct slice epoch(struct slice *s)
{
	const char *colon = s->n ? memchr(s->p, ':', s->n) : NULL;
	struct slice first = { s->p, colon ? (size_t)(colon - s->p) : 0 };

	if (!colon)
		return SLICE("0");
	s->n -= first.n + 1;
	s->p = colon + 1;
	return first;
}

/* Cuts off what is behind the last '-'; "0" when there is none. */
static struct slice revision(struct slice *s)
{
	size_t n = s->n;

	while (n && s->p[n - 1] != '-')
		n--;
	if (!n)
		return SLICE("0");
	struct slice last = { s->p + n, s->n - n };

	s->n = n - 1;
	return last;
}

int debversion_cmp(struct slice a, struct slice b)
{
	struct slice ea = epoch(&a), eb = epoch(&b), ra = revision(&a), rb = revision(&b);
	int d = cmp_part(ea, eb);

	d = d ? d : cmp_part(a, b);
	return d ? d : cmp_part(ra, rb);
}
