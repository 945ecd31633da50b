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

	*s = (struct suggest){ .word = word, .len = len, .best_distance = limit };
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
static int is_before(const char *p, size_t n, const struct suggest *s)
{
	int c = memcmp(p, s->best, n < s->best_len ? n : s->best_len);

	return c < 0 || (c == 0 && n < s->best_len);
}

void suggest_offer(struct suggest *s, const char *p, size_t n)
{
	size_t gap = n > s->len ? n - s->len : s->len - n;

	if (n > MAX_NAME || s->len > MAX_NAME || !n || gap > (size_t)s->best_distance)
		return;
	int d = distance(s->word, s->len, p, n);
	if ((size_t)d >= s->len || d > s->best_distance || (s->best && d == s->best_distance && !is_before(p, n, s)))
		return;
	s->best = p;
	s->best_len = n;
	s->best_distance = d;
}
