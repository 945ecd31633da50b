/* SPDX-License-Identifier: MIT
 *
 * Letters and case, as Go's standard library sees them.  Simple folding only: one code point for one, so
 * that "ß" and "ss" stay apart but "K" and the Kelvin sign do not.
 */
#include "config.h"
#include "golang/unicode.h"
#include "base/json.h"
#include "golang/unicode_int.h"

#include <string.h>

uint32_t unicode_at(const char *p, size_t n, size_t *len)
{
	const unsigned char *u = (const unsigned char *)p;
	size_t k = u[0] < 0x80 ? 1 : u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4;
	uint32_t c = k == 1 ? u[0] : u[0] & (0xffu >> (k + 1));

	if (k > n)
		k = n;
	for (size_t i = 1; i < k; i++)
		c = c << 6 | (u[i] & 0x3f);
	*len = k;
	return c;
}

int unicode_is_letter(uint32_t c)
{
	size_t lo = 0, hi = unicode_nletters;

	if (c < 0x80)
		return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (unicode_letters[mid].hi < c)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < unicode_nletters && c >= unicode_letters[lo].lo;
}

static uint32_t fold(uint32_t c)
{
	size_t lo = 0, hi = unicode_nfoldings;

	if (c < 0x80)
		return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (unicode_foldings[mid].hi < c)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == unicode_nfoldings || c < unicode_foldings[lo].lo)
		return c;
	const struct unicode_folding *f = &unicode_foldings[lo];

	return (c - f->lo) % f->stride ? c : (uint32_t)((int32_t)c + f->delta);
}

void unicode_fold(struct buf *b, const char *p, size_t n)
{
	size_t k;

	for (size_t i = 0; i < n; i += k)
		utf8_add(b, fold(unicode_at(p + i, n - i, &k)));
}

int unicode_fold_eq(const char *p, size_t n, const char *q, size_t m)
{
	size_t i = 0, j = 0, k, l;

	while (i < n && j < m) {
		if (fold(unicode_at(p + i, n - i, &k)) != fold(unicode_at(q + j, m - j, &l)))
			return 0;
		i += k;
		j += l;
	}
	return i == n && j == m;
}
