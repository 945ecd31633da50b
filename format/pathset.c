/* SPDX-License-Identifier: MIT
 *
 * A sorted array: sets are built once, mostly in order, and then searched, printed and hashed in order.  For the few
 * places that collect thousands of paths in any order there is push and one sort at the end, instead of a
 * second data structure.
 */
#include "config.h"
#include "format/pathset.h"
#include "base/alloc.h"
#include "base/check.h"

#include <stdlib.h>
#include <string.h>

/* Larger ones are checked where a look-up passes, or looking would cost as much as sorting. */
enum { CHECKED_WHOLE = 32 };

void path_set_release(struct path_set *s)
{
	free(s->v);
	*s = (struct path_set)PATH_SET_INIT;
}

int path_set_is_sorted(const struct path_set *s)
{
	for (size_t i = 1; i < s->n; i++)
		if (store_path_cmp(&s->v[i - 1], &s->v[i]) >= 0)
			return 0;
	return s->n <= s->cap;
}

void path_set_push(struct path_set *s, const struct store_path *p)
{
	ARRAY_GROW(s->v, s->n + 1, s->cap);
	s->v[s->n++] = *p;
}

static int compare(const void *a, const void *b)
{
	return store_path_cmp(a, b);
}

void path_set_sort(struct path_set *s)
{
	size_t n = 0;

	if (s->n)
		qsort(s->v, s->n, sizeof *s->v, compare);
	for (size_t i = 0; i < s->n; i++) {
		if (n && !store_path_cmp(&s->v[n - 1], &s->v[i]))
			continue;
		if (n != i)
			s->v[n] = s->v[i];
		n++;
	}
	s->n = n;
	CHECK(path_set_is_sorted(s));
}

/* Where p is or would be. */
static size_t place_of(const struct path_set *s, const struct store_path *p)
{
	size_t lo = 0, hi = s->n;

	CHECK(s->n > CHECKED_WHOLE || path_set_is_sorted(s));
	if (hi && store_path_cmp(&s->v[hi - 1], p) < 0)
		return hi;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (store_path_cmp(&s->v[mid], p) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	CHECK(!lo || store_path_cmp(&s->v[lo - 1], p) < 0);
	CHECK(lo == s->n || store_path_cmp(&s->v[lo], p) >= 0);
	return lo;
}

int path_set_has(const struct path_set *s, const struct store_path *p)
{
	size_t i = place_of(s, p);

	return i < s->n && !store_path_cmp(&s->v[i], p);
}

int path_set_has_digest(const struct path_set *s, const char *base)
{
	size_t lo = 0, hi = s->n;

	CHECK(s->n > CHECKED_WHOLE || path_set_is_sorted(s));
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = memcmp(s->v[mid].base, base, STORE_HASH_LEN);
		if (!c)
			return 1;
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return 0;
}

int path_set_add(struct path_set *s, const struct store_path *p)
{
	const struct store_path copy = *p; /* p may point into s */
	size_t i = place_of(s, &copy);

	if (i < s->n && !store_path_cmp(&s->v[i], &copy))
		return 0;
	path_set_push(s, &copy);
	memmove(&s->v[i + 1], &s->v[i], (s->n - 1 - i) * sizeof *s->v);
	s->v[i] = copy;
	return 1;
}

void path_set_add_all(struct path_set *s, const struct path_set *from)
{
	for (size_t i = 0; i < from->n; i++)
		path_set_push(s, &from->v[i]);
	path_set_sort(s);
}

void path_set_remove(struct path_set *s, const struct store_path *p)
{
	size_t i = place_of(s, p);

	if (i == s->n || store_path_cmp(&s->v[i], p))
		return;
	memmove(&s->v[i], &s->v[i + 1], (s->n - 1 - i) * sizeof *s->v);
	s->n--;
}
