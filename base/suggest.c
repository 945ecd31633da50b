/* SPDX-License-Identifier: MIT
 *
 * Edit distance with transpositions (a swap of neighbours is one slip), over names short enough
 * to be typed by hand.
 */
#include "config.h"
#include "base/suggest.h"

#include <string.h>

enum { MAX_NAME = 64 };

void suggest_init(struct suggest *s, const char *word, size_t len)
{
	/* A third of the letters may be wrong, at most three: beyond that it is another word. */
	int limit = len < 3 ? 1 : len < 6 ? 2 : 3;

	*s = (struct suggest){ .word = word, .len = len, .limit = limit };
}

static int min3(int a, int b, int c)
{
	int m = a < b ? a : b;

	return m < c ? m : c;
}

static int distance(const char *a, size_t n, const char *b, size_t m)
{
	int row[3][MAX_NAME + 1];

	for (size_t j = 0; j <= m; j++)
		row[0][j] = (int)j;
	for (size_t i = 1; i <= n; i++) {
		int *cur = row[i % 3], *prev = row[(i + 2) % 3], *prev2 = row[(i + 1) % 3];
		cur[0] = (int)i;
		for (size_t j = 1; j <= m; j++) {
			cur[j] = min3(prev[j] + 1, cur[j - 1] + 1, prev[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    prev2[j - 2] + 1 < cur[j])
				cur[j] = prev2[j - 2] + 1;
		}
	}
	return row[n % 3][m];
}

/* Of two that are equally near the first by name: in which order names are offered is nobody's business. */
static int is_before(const struct suggest_near *a, const struct suggest_near *b)
{
	int c = memcmp(a->p, b->p, a->n < b->n ? a->n : b->n);

	if (a->distance != b->distance)
		return a->distance < b->distance;
	return c < 0 || (c == 0 && a->n < b->n);
}

static int is_same(const struct suggest_near *a, const struct suggest_near *b)
{
	return a->n == b->n && !memcmp(a->p, b->p, a->n);
}

/* Puts it at its place among those that are near. */
static void insert(struct suggest *s, const struct suggest_near *x)
{
	int i = 0;

	for (int k = 0; k < s->n_near; k++)
		if (is_same(&s->near[k], x))
			return;
	while (i < s->n_near && is_before(&s->near[i], x))
		i++;
	if (i == SUGGEST_MAX)
		return;
	s->n_near += s->n_near < SUGGEST_MAX;
	memmove(s->near + i + 1, s->near + i, (size_t)(s->n_near - i - 1) * sizeof *s->near);
	s->near[i] = *x;
}

void suggest_offer(struct suggest *s, const char *p, size_t n)
{
	size_t gap = n > s->len ? n - s->len : s->len - n;

	if (n > MAX_NAME || s->len > MAX_NAME || !n || gap > (size_t)s->limit)
		return;
	const struct suggest_near x = { p, n, distance(s->word, s->len, p, n) };
	if ((size_t)x.distance >= s->len || x.distance > s->limit)
		return;
	insert(s, &x);
	s->best = s->near[0].p;
	s->best_len = s->near[0].n;
	s->best_distance = s->near[0].distance;
}

/* One slip more than the nearest is as likely; further away they are other words. */
static int is_likely(const struct suggest *s, int i)
{
	return i < s->n_near && s->near[i].distance <= s->best_distance + 1;
}

void suggest_ask(const struct suggest *s, struct buf *b)
{
	if (!s->best)
		return;
	buf_adds(b, is_likely(s, 1) ? "Did you mean one of " : "Did you mean ");
	for (int i = 0; is_likely(s, i); i++) {
		buf_adds(b, !i ? "" : is_likely(s, i + 1) ? ", " : " or ");
		buf_add(b, s->near[i].p, s->near[i].n);
	}
	buf_addc(b, '?');
}
